package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/controllers"
)

const (
	// podCIDR is where kwok takes the addresses of pods from: of this machine alone, so that the loader can listen on them.
	podCIDR = "127.64.0.0/16"
	// startLimit is how long a control plane may take to start: longer than envtest gives it, since the machine may be busy.
	startLimit = 2 * time.Minute
	// kwokAnnotation marks the nodes that kwok plays.
	kwokAnnotation = "kwok.x-k8s.io/node"
)

// stages are what kwok does.
//
//go:embed kwok.yaml
var stages []byte

// cluster is an API server with all that makes pods of Deployments and Jobs, but no kubelet.
type cluster struct {
	env        *envtest.Environment
	config     *rest.Config
	kubeconfig string
	children   []*child
}

func startCluster(ctx context.Context, o options) (*cluster, error) {
	env := &envtest.Environment{
		CRDDirectoryPaths:        []string{filepath.Join("config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		BinaryAssetsDirectory:    o.assets,
		ControlPlaneStartTimeout: startLimit,
		ControlPlaneStopTimeout:  startLimit,
	}
	env.ControlPlane.Etcd = &envtest.Etcd{}
	// envtest's etcd forgets to sync, which no floor may.
	env.ControlPlane.Etcd.Configure().Set("unsafe-no-fsync", "false").Set("quota-backend-bytes", "4294967296")
	// A pool has a Service, and the default range holds 254.
	env.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/16")
	config, err := env.Start()
	if err != nil {
		return nil, fmt.Errorf("starting the API server: %w", err)
	}
	config.QPS = -1
	c := &cluster{env: env, config: config, kubeconfig: filepath.Join(o.logs, "kubeconfig")}
	if err := c.complete(ctx, o); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// complete starts what envtest leaves out, and makes the node that all pods go to.
func (c *cluster) complete(ctx context.Context, o options) error {
	if err := os.WriteFile(c.kubeconfig, c.env.KubeConfig, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig: %w", err)
	}
	config := filepath.Join(o.logs, "kwok.yaml")
	if err := os.WriteFile(config, stages, 0o644); err != nil {
		return fmt.Errorf("writing what kwok does: %w", err)
	}
	api, err := newClient(c.config)
	if err != nil {
		return err
	}
	if err := giveFinalizers(ctx, api); err != nil {
		return err
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "kwok", Annotations: map[string]string{kwokAnnotation: "fake"}}}
	if err := api.Create(ctx, node); err != nil {
		return fmt.Errorf("making the node: %w", err)
	}
	for _, p := range []struct {
		path string
		args []string
	}{
		{filepath.Join(o.assets, "kube-controller-manager"), []string{
			"--kubeconfig=" + c.kubeconfig, "--secure-port=0", "--leader-elect=false", "--kube-api-qps=1000", "--kube-api-burst=1000",
			"--controllers=deployment-controller,replicaset-controller,job-controller,garbage-collector-controller",
		}},
		{filepath.Join(o.assets, "kube-scheduler"), []string{
			"--kubeconfig=" + c.kubeconfig, "--secure-port=0", "--leader-elect=false", "--kube-api-qps=1000", "--kube-api-burst=1000",
		}},
		{o.kwok, []string{
			"--kubeconfig=" + c.kubeconfig, "--config=" + config, "--cidr=" + podCIDR, "--manage-all-nodes=false",
			"--manage-nodes-with-annotation-selector=" + kwokAnnotation + "=fake", "--node-lease-duration-seconds=0",
		}},
	} {
		started, err := startChild(p.path, p.args, o.logs)
		if err != nil {
			return err
		}
		c.children = append(c.children, started)
	}
	err = await(ctx, "the node to be ready", startLimit, func() (bool, error) {
		if err := api.Get(ctx, client.ObjectKeyFromObject(node), node); err != nil {
			return false, fmt.Errorf("reading the node: %w", err)
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status == corev1.ConditionTrue, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	// A new node is tainted until a controller of nodes sees that it is ready; none runs here.
	if err := api.Patch(ctx, node, client.RawPatch(types.MergePatchType, []byte(`{"spec":{"taints":null}}`))); err != nil {
		return fmt.Errorf("opening the node to pods: %w", err)
	}
	return nil
}

// giveFinalizers installs the chart's policy that gives new Channels their finalizer, but for the floor's: nobody would take
// them off again.
func giveFinalizers(ctx context.Context, api client.Client) error {
	text, err := os.ReadFile(filepath.Join("charts", "yingda", "files", "admission", "channel-finalizer.yaml"))
	if err != nil {
		return fmt.Errorf("reading the policy of finalizers: %w", err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			return fmt.Errorf("decoding the policy of finalizers: %w", err)
		}
		if object.GetKind() == "MutatingAdmissionPolicy" {
			product := map[string]any{labelPlane: planeProduct}
			if err := unstructured.SetNestedMap(object.Object, product, "spec", "matchConstraints", "namespaceSelector", "matchLabels"); err != nil {
				return fmt.Errorf("limiting the policy of finalizers: %w", err)
			}
		}
		if err := api.Create(ctx, object); err != nil {
			return fmt.Errorf("installing the policy of finalizers: %w", err)
		}
	}
	return nil
}

func (c *cluster) stop() error {
	var errs []error
	for _, p := range c.children {
		errs = append(errs, p.end())
	}
	if err := c.env.Stop(); err != nil {
		errs = append(errs, fmt.Errorf("stopping the API server: %w", err))
	}
	return errors.Join(errs...)
}

func newClient(config *rest.Config) (client.WithWatch, error) {
	scheme, err := controllers.Scheme()
	if err != nil {
		return nil, err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}

// await asks until done says yes.
func await(ctx context.Context, what string, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("waited in vain for " + what)
		case <-ticker.C:
		}
	}
}
