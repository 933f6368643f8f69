// Command yingda is the product: one binary, one subcommand for each of its components.
//
// This file holds the root and the list of subcommands; each of them lives in a file of its name, which does the wiring
// of its component and nothing else.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // The image holds nothing but the binary, and schedules need time zones.

	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // Nor has it the authorities that everybody trusts; a system's own go first.
	ctrl "sigs.k8s.io/controller-runtime"
)

// version is what the build says it is.
var version = "dev"

func main() {
	if err := newRootCommand().ExecuteContext(ctrl.SetupSignalHandler()); err != nil {
		fmt.Fprintln(os.Stderr, "yingda:", err)
		os.Exit(1)
	}
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "yingda",
		Version:       version,
		Short:         "A service desk that runs as Kubernetes resources",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newOperatorCommand(),
		newConnectorCommand(),
		newRouterCommand(),
		newWorkflowsCommand(),
		newDeskCommand(),
		newSetupCommand(),
		newTeardownCommand(),
		newCaseCommand(),
		newRosterCommand(),
		newScheduleCommand(),
	)
	return root
}
