package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// The clusters that up knows.
const (
	clusterLocal   = "local"
	clusterCurrent = "current"
)

// currentOptions are the choices of up in the cluster of the current KUBECONFIG.
type currentOptions struct {
	// values is the file with the chart's values; empty to keep those of the installation that is there.
	values string
	// brand is a folder to apply, by name or path; empty for none.
	brand string
}

// upCurrent installs the product into the cluster of the current KUBECONFIG, and nothing beside it.
func (l *local) upCurrent(ctx context.Context, o currentOptions) error {
	target, err := currentTarget()
	if err != nil {
		return err
	}
	l.cluster = cluster{}
	if l.cluster.kubectl, err = findKubectl(l.bin("k8s/kubectl")); err != nil {
		return err
	}
	if _, err := l.kubectl(ctx, "get", "--raw", "/version", "--request-timeout=15s"); err != nil {
		return fmt.Errorf("%s does not answer: %w", target, err)
	}
	brand, err := l.brandToApply(ctx, o.brand)
	if err != nil {
		return err
	}
	installed, err := l.installed(ctx)
	if err != nil {
		return err
	}
	values, err := valuesArguments(o.values, installed)
	if err != nil {
		return err
	}
	l.step("The product, by its chart, into %s", target)
	if err := l.installChart(ctx, values...); err != nil {
		return l.explainRollout(ctx, err)
	}
	l.step("The operator runs image %s", l.operatorImage(ctx))
	if brand == nil {
		fmt.Printf("\n%s\n", nextSteps(target))
		return nil
	}
	return l.applyAndAwait(ctx, brand)
}

// brandToApply opens the folder of a brand before anything is installed; nil for none.
func (l *local) brandToApply(ctx context.Context, name string) (*folder, error) {
	if name == "" {
		return nil, nil
	}
	f, err := l.openFolder(ctx, name)
	if err != nil {
		return nil, err
	}
	return f, f.checkFilledIn()
}

func (l *local) applyAndAwait(ctx context.Context, f *folder) error {
	l.step("Brand %s, %s", f.brand.Name, f.path)
	if err := l.applyFolder(ctx, f); err != nil {
		return err
	}
	if err := l.awaitReady(ctx, f.brand.Namespace); err != nil {
		return err
	}
	l.step("Ready")
	list, err := l.kubectl(ctx, "-n", f.brand.Namespace, "get", "yingda")
	fmt.Println(list)
	return err
}

// target is where an installation goes.
type target struct{ context, server string }

func (t target) String() string { return "the cluster of context " + t.context + " (" + t.server + ")" }

// currentTarget is what KUBECONFIG, or else ~/.kube/config, points at, by the same rules as kubectl's.
func currentTarget() (target, error) {
	const whatToDo = "; CLUSTER=current installs into the cluster that kubectl talks to"
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	files := rules.GetLoadingPrecedence()
	found := false
	for _, file := range files {
		_, err := os.Stat(file)
		found = found || err == nil
	}
	if !found {
		return target{}, fmt.Errorf("KUBECONFIG points nowhere: there is no %s%s", strings.Join(files, " and no "), whatToDo)
	}
	config, err := rules.Load()
	if err != nil {
		return target{}, fmt.Errorf("reading KUBECONFIG: %w", err)
	}
	if config.CurrentContext == "" {
		return target{}, errors.New("KUBECONFIG has no current context: choose one with kubectl config use-context" + whatToDo)
	}
	chosen := config.Contexts[config.CurrentContext]
	if chosen == nil || config.Clusters[chosen.Cluster] == nil {
		return target{}, fmt.Errorf("KUBECONFIG has no cluster for its current context %s: choose another with kubectl config use-context%s", config.CurrentContext, whatToDo)
	}
	return target{context: config.CurrentContext, server: config.Clusters[chosen.Cluster].Server}, nil
}

// findKubectl prefers the one of the machine: its version fits the user's cluster. The other is there after a local make up.
func findKubectl(own string) (string, error) {
	if inPath("kubectl") {
		return "kubectl", nil
	}
	if _, err := os.Stat(own); err == nil {
		return own, nil
	}
	return "", errors.New("there is no kubectl: install it, or build one with make bin/k8s")
}

// installed is the name of the release that is there already, however it went; empty when there is none.
func (l *local) installed(ctx context.Context) (string, error) {
	return l.output(ctx, l.bin("helm"), "list", "--namespace", operatorNamespace, "--filter", "^"+release+"$", "--short")
}

// valuesArguments are Helm's arguments for a values file. The first installation must have one: what the chart assumes is
// not where a cluster's image comes from, nor how it is reached.
func valuesArguments(file, installed string) ([]string, error) {
	if file == "" {
		if installed != "" {
			return []string{"--reset-then-reuse-values"}, nil
		}
		return nil, errors.New("the first installation needs a values file, VALUES=my-values.yaml: at least an image that the cluster can pull; start from charts/yingda/values-example.yaml")
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", file, err)
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return nil, fmt.Errorf("VALUES names no file: there is no %s", path)
	}
	return []string{"--values", path}, nil
}

func (l *local) operatorImage(ctx context.Context) string {
	image, _ := l.kubectl(ctx, "-n", operatorNamespace, "get", "deployment/yingda-operator", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	return image
}

// explainRollout adds what is wrong most often.
func (l *local) explainRollout(ctx context.Context, err error) error {
	image := l.operatorImage(ctx)
	if image == "" {
		return err
	}
	pods, _ := l.kubectl(ctx, "-n", operatorNamespace, "get", "pods")
	return fmt.Errorf("%w\n%s\nThe cluster must be able to pull %s: push it there, or set image.repository and image.tag in VALUES", err, pods, image)
}

func nextSteps(t target) string {
	return `Yingda runs in namespace ` + operatorNamespace + ` of ` + t.String() + `.
Brands run from the same image as the operator: every node that may run one must be able to pull it.

Next, a brand (docs/onboarding.md):
  mkdir brands && cp -r config/samples/{qiming,production} brands    # then write your addresses into brands/production/values.yaml, and its Secrets
  kubectl apply --server-side -k brands/production
  kubectl get yingda --all-namespaces                # READY, or REASON why not; kubectl describe says what to do`
}
