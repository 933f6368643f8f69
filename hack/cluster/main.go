// Command cluster runs a real single-node Kubernetes on a Linux machine that
// has no cluster, no container engine and no registry.
//
// It is one multi-call program: called by the name of a Kubernetes component
// or of kubectl it is that program, otherwise it offers the subcommands that
// bring the cluster up and take it away again. It is a tool for development
// and tests: one node, no high availability, no upgrades.
//
// Invariants: everything that it keeps lies in one run directory; nothing that
// it starts listens beyond 127.0.0.1 and the address of its own bridge; it ends
// only processes that it started; `cluster down` leaves the machine as
// `cluster up` found it, apart from the run directory and Debian packages.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's sign-in plugins
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client metrics of the components
	_ "k8s.io/component-base/metrics/prometheus/version"  // version metric of the components
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case etcd:
		etcdmain.Main(os.Args)
	case kubeAPIServer:
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case kubeControllerManager:
		os.Exit(cli.Run(controllermanager.NewControllerManagerCommand()))
	case kubeScheduler:
		os.Exit(cli.Run(scheduler.NewSchedulerCommand()))
	case kubeletName:
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case kubeProxy:
		os.Exit(cli.Run(proxy.NewProxyCommand()))
	case kubectlName:
		runKubectl()
	default:
		os.Exit(runCluster())
	}
}

// runKubectl does what kubectl's own main does: the log verbosity must be set
// before the command is built, because building it already logs.
func runKubectl() {
	if _, err := logs.GlogSetter(kubectl.GetLogVerbosity(os.Args)); err != nil {
		kubectlutil.CheckErr(err)
	}
	if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err)
	}
}

func runCluster() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// Libraries look for iptables and mount in PATH, and the PATH of `su` lacks the sbin directories.
	if err := os.Setenv("PATH", os.Getenv("PATH")+":"+searchPath); err != nil {
		fmt.Fprintln(os.Stderr, "cluster: setting PATH:", err)
		return 1
	}
	if err := newCommand().ExecuteContext(ctx); err != nil {
		if !errors.Is(err, errNotRunning) {
			fmt.Fprintln(os.Stderr, "cluster:", err)
		}
		return 1
	}
	return 0
}

// newCommand returns the command line of the cluster's own subcommands.
func newCommand() *cobra.Command {
	var dir string
	root := &cobra.Command{
		Use:           "cluster",
		Short:         "A real single-node Kubernetes for development and tests",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringVar(&dir, "dir", ".run", "the run directory: all state, logs and pid files")
	open := func(cmd *cobra.Command) (*cluster, error) { return newCluster(dir, cmd.OutOrStdout()) }

	root.AddCommand(
		upCommand(open), downCommand(open), statusCommand(open), loadImageCommand(open),
		stopComponentCommand(open), startComponentCommand(open),
		&cobra.Command{
			Use:   "kubeconfig",
			Short: "Print the path of the admin kubeconfig",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := open(cmd)
				if err != nil {
					return err
				}
				c.printf("%s\n", c.layout.kubeconfig())
				return nil
			},
		},
		&cobra.Command{
			Use:   "links DIR",
			Short: "Make symlinks to this program by the names of kubectl and of every component",
			Args:  cobra.ExactArgs(1),
			RunE:  func(_ *cobra.Command, args []string) error { return makeLinks(args[0]) },
		},
	)
	return root
}

type opener func(*cobra.Command) (*cluster, error)

func upCommand(open opener) *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Start the cluster, or heal what is missing of it",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := open(cmd)
			if err != nil {
				return err
			}
			return c.up(cmd.Context())
		},
	}
}

func downCommand(open opener) *cobra.Command {
	var purge bool
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Stop the cluster and remove its traces from the machine; its data stays",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := open(cmd)
			if err != nil {
				return err
			}
			return c.down(cmd.Context(), downOptions{purge: purge})
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "remove the cluster's data, certificates and logs too")
	return cmd
}

func statusCommand(open opener) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what runs; exit 1 when something does not",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := open(cmd)
			if err != nil {
				return err
			}
			return c.status(cmd.Context())
		},
	}
}

func loadImageCommand(open opener) *cobra.Command {
	var spec imageSpec
	cmd := &cobra.Command{
		Use:   "load-image",
		Short: "Make an image of one static binary and load it into the cluster",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := open(cmd)
			if err != nil {
				return err
			}
			return c.loadImage(cmd.Context(), spec)
		},
	}
	cmd.Flags().StringVar(&spec.name, "name", "", "the image's name, e.g. yingda:dev")
	cmd.Flags().StringVar(&spec.binary, "binary", "", "the static binary to put into it")
	cmd.Flags().StringVar(&spec.entrypoint, "entrypoint", "", "the binary's path in the image (default: / and the binary's name)")
	for _, name := range []string{"name", "binary"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is declared three lines above
		}
	}
	return cmd
}

func stopComponentCommand(open opener) *cobra.Command {
	var kill bool
	cmd := &cobra.Command{
		Use:       "stop-component NAME",
		Short:     "Stop one component, for fault tests",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: componentNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := open(cmd)
			if err != nil {
				return err
			}
			grace := stopGrace
			if kill {
				grace = 0
			}
			return c.stopComponent(cmd.Context(), args[0], grace)
		},
	}
	cmd.Flags().BoolVar(&kill, "kill", false, "end it at once (an API server takes 10 s to end by itself)")
	return cmd
}

func startComponentCommand(open opener) *cobra.Command {
	return &cobra.Command{
		Use:       "start-component NAME",
		Short:     "Start one component again and wait until it is ready",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: componentNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := open(cmd)
			if err != nil {
				return err
			}
			return c.startComponent(cmd.Context(), args[0])
		},
	}
}
