// Command golangci-lint is golangci-lint with the two checkers it lacks for code that speaks to Kubernetes linked in:
// kubeapilinter (API conventions on the types of api/) and logcheck (what is given to a logr logger). One binary of one
// pinned module builds once and reads one configuration, where "golangci-lint custom" would write such a program anew on
// every machine and pin nothing that it depends on.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"
	_ "sigs.k8s.io/kube-api-linter"
	_ "sigs.k8s.io/logtools/logcheck/gclplugin"
)

func main() {
	if err := commands.Execute(buildInfo()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "golangci-lint:", err)
		os.Exit(exitcodes.Failure)
	}
}

// buildInfo names the version of golangci-lint that go.mod pins: the main module's own version says nothing.
func buildInfo() commands.BuildInfo {
	const module = "github.com/golangci/golangci-lint/v2"
	info := commands.BuildInfo{Version: "unknown"}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	info.GoVersion = build.GoVersion
	for _, dep := range build.Deps {
		if dep.Path == module {
			info.Version = strings.TrimPrefix(dep.Version, "v")
		}
	}
	return info
}
