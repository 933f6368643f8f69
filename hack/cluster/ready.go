package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ktypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// probeTimeout bounds one question; readyTimeout is generous, because a machine
// that builds at the same time starts everything several times slower.
const (
	probeTimeout = 2 * time.Second
	readyTimeout = 2 * time.Minute
	podsTimeout  = 30 * time.Second
)

// probe asks one component whether it is ready.
func (c *cluster) probe(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	switch name {
	case containerdName:
		if err := c.dialContainerd(ctx); err != nil {
			return err
		}
		service, err := c.layout.runtime(ctx)
		if err != nil {
			return err
		}
		_, err = service.Version(ctx, "v1")
		return err
	case etcd:
		return c.get(ctx, "https://127.0.0.1:2379/readyz", etcdCA, "apiserver-etcd-client")
	case kubeAPIServer:
		return c.get(ctx, "https://"+hostAddress+":6443/readyz", apiCA, "admin")
	case kubeControllerManager:
		return c.get(ctx, "https://127.0.0.1:10257/healthz", apiCA, "admin")
	case kubeScheduler:
		return c.get(ctx, "https://127.0.0.1:10259/readyz", apiCA, "admin")
	case kubeletName:
		return c.get(ctx, "http://127.0.0.1:10248/healthz", apiCA, "admin")
	case kubeProxy:
		return c.get(ctx, "http://127.0.0.1:10256/healthz", apiCA, "admin")
	}
	return fmt.Errorf("there is no component %q", name)
}

// dialContainerd fails where containerd does not run. The gRPC client would
// write a warning to stderr for each refused connection.
func (c *cluster) dialContainerd(ctx context.Context) error {
	socket, err := (&net.Dialer{}).DialContext(ctx, "unix", c.layout.socket())
	if err != nil {
		return fmt.Errorf("connecting to containerd: %w", err)
	}
	if err := socket.Close(); err != nil {
		return fmt.Errorf("connecting to containerd: %w", err)
	}
	return nil
}

// get asks an HTTP health endpoint with a client certificate of ours.
func (c *cluster) get(ctx context.Context, url, ca, user string) error {
	authority, err := os.ReadFile(c.layout.pki(ca + ".crt"))
	if err != nil {
		return fmt.Errorf("reading the certificate authority: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(c.layout.pki(user+".crt"), c.layout.pki(user+".key"))
	if err != nil {
		return fmt.Errorf("reading the client certificate: %w", err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		DisableKeepAlives: true,
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("making the request: %w", err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("asking for its health: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("asking for its health: %s: %s", response.Status, body)
	}
	return nil
}

func (l layout) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", l.kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	config.Timeout = 5 * time.Second
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making the API client: %w", err)
	}
	return client, nil
}

// nodeReady says whether the node is Ready by a heartbeat not before since: the
// API server still tells what a kubelet said before a crash.
func nodeReady(node *corev1.Node, since time.Time) error {
	for _, condition := range node.Status.Conditions {
		if condition.Type != corev1.NodeReady {
			continue
		}
		if condition.Status != corev1.ConditionTrue {
			return fmt.Errorf("node %s is not ready: %s", node.Name, condition.Message)
		}
		// Heartbeats are written in whole seconds.
		if condition.LastHeartbeatTime.Time.Before(since.Truncate(time.Second)) {
			return fmt.Errorf("node %s has not reported since its kubelet started", node.Name)
		}
		return nil
	}
	return fmt.Errorf("node %s has not reported yet", node.Name)
}

// waitNode waits for what a pod needs: a Ready node, and the ServiceAccount
// that the controller manager makes in every namespace.
func (c *cluster) waitNode(ctx context.Context, since time.Time) error {
	client, err := c.layout.client()
	if err != nil {
		return err
	}
	if err := waitFor(ctx, readyTimeout, func(ctx context.Context) error {
		node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("asking for the node: %w", err)
		}
		return nodeReady(node, since)
	}); err != nil {
		return err
	}
	if err := waitFor(ctx, readyTimeout, func(ctx context.Context) error {
		if _, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return fmt.Errorf("asking for the default service account: %w", err)
		}
		return nil
	}); err != nil {
		return err
	}
	return labelNode(ctx, client)
}

// waitPods waits until no pod is called ready for a container that ran before
// since: who asks next, shall hear of the pods of now. A pod that cannot start
// is its owner's matter, so this gives up quietly.
func (c *cluster) waitPods(ctx context.Context, since time.Time) {
	err := waitFor(ctx, podsTimeout, func(ctx context.Context) error {
		client, err := c.layout.client()
		if err != nil {
			return err
		}
		pods, err := client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("listing pods: %w", err)
		}
		if stale := stalePods(pods.Items, since); len(stale) > 0 {
			return fmt.Errorf("the kubelet has not looked at %s yet", strings.Join(stale, ", "))
		}
		return nil
	})
	if err != nil {
		c.step("going on without all pods: %v", err)
	}
}

// stalePods names the pods with a ready container that started before since.
func stalePods(pods []corev1.Pod, since time.Time) []string {
	var stale []string
	for _, pod := range pods {
		for _, status := range pod.Status.ContainerStatuses {
			// Start times are written in whole seconds.
			if status.Ready && status.State.Running != nil && status.State.Running.StartedAt.Time.Before(since.Truncate(time.Second)) {
				stale = append(stale, pod.Namespace+"/"+pod.Name)
				break
			}
		}
	}
	return stale
}

// labelNode gives the node its role, which a kubelet may not give itself.
func labelNode(ctx context.Context, client kubernetes.Interface) error {
	const patch = `{"metadata":{"labels":{"node-role.kubernetes.io/control-plane":""}}}`
	_, err := client.CoreV1().Nodes().Patch(ctx, nodeName, ktypes.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "cluster"})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("labelling the node: %w", err)
	}
	return nil
}

// errNotRunning makes `status` exit 1 without a second message.
var errNotRunning = errors.New("the cluster does not run")

// status prints one line a component and one for the node.
func (c *cluster) status(ctx context.Context) error {
	var failed bool
	for _, name := range componentNames() {
		record, word := readRecord(c.layout.pidFile(name)), "ready"
		switch {
		case !record.alive():
			record.PID, word, failed = 0, "stopped", true
		default:
			if err := c.probe(ctx, name); err != nil {
				word, failed = "not ready: "+err.Error(), true
			}
		}
		c.printf("%-24s %7d  %s\n", name, record.PID, word)
	}
	if failed {
		return errNotRunning
	}
	if err := c.waitNodeOnce(ctx); err != nil {
		c.printf("%-24s %7s  %s\n", "node "+nodeName, "", err)
		return errNotRunning
	}
	c.printf("%-24s %7s  ready\n", "node "+nodeName, "")
	return nil
}

func (c *cluster) waitNodeOnce(ctx context.Context) error {
	client, err := c.layout.client()
	if err != nil {
		return err
	}
	node, err := client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("asking for the node: %w", err)
	}
	return nodeReady(node, time.Time{})
}
