//go:build e2e

// Package e2e proves on a live cluster that a pod under the restricted profile
// works as it would in production. It starts and stops no cluster.
package e2e

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	runDir  = flag.String("dir", "../../../.run", "the cluster's run directory")
	program = flag.String("cluster", "../../../bin/cluster", "the cluster program")
)

const manifest = `
apiVersion: v1
kind: Namespace
metadata: {name: cluster-e2e, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: prober, namespace: cluster-e2e}
spec:
  replicas: 2
  selector: {matchLabels: {app: prober}}
  template:
    metadata: {labels: {app: prober}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: prober
        image: cluster-e2e-prober:dev
        imagePullPolicy: Never
        readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: prober, namespace: cluster-e2e}
spec: {type: NodePort, selector: {app: prober}, ports: [{port: 80, targetPort: 8080, nodePort: 32080}]}
`

// call runs a program and returns its standard output.
func call(t *testing.T, input, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(*runDir, "kubeconfig"), "CGO_ENABLED=0")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

func TestARestrictedPod(t *testing.T) {
	work := t.TempDir()
	prober := filepath.Join(work, "prober")
	call(t, "", "go", "build", "-o", prober, "./prober")
	call(t, "", *program, "links", work)
	call(t, "", *program, "load-image", "--dir", *runDir, "--name", "cluster-e2e-prober:dev", "--binary", prober)
	kubectl := func(input string, args ...string) string {
		t.Helper()
		return call(t, input, filepath.Join(work, "kubectl"), args...)
	}
	kubectl(manifest, "apply", "-f", "-")
	defer kubectl("", "delete", "namespace", "cluster-e2e", "--wait=true")
	kubectl("", "-n", "cluster-e2e", "rollout", "status", "deployment/prober", "--timeout=90s")

	const want = "api server says 200 OK\n"
	t.Run("reaches the API server by the kubernetes Service with its token", func(t *testing.T) {
		if got := kubectl("", "-n", "cluster-e2e", "logs", "deployment/prober"); got != want {
			t.Errorf("logs = %q, want %q", got, want)
		}
	})
	t.Run("runs a command by kubectl exec", func(t *testing.T) {
		if got := kubectl("", "-n", "cluster-e2e", "exec", "deployment/prober", "--", "/prober", "say", "hello"); got != "hello\n" {
			t.Errorf("exec printed %q", got)
		}
	})
	t.Run("answers on its NodePort on 127.0.0.1", func(t *testing.T) {
		if got := eventually(t, "http://127.0.0.1:32080/"); got != want {
			t.Errorf("the NodePort answered %q, want %q", got, want)
		}
	})
	t.Run("does not answer on its NodePort on another address", func(t *testing.T) {
		client := http.Client{Timeout: 2 * time.Second}
		if response, err := client.Get("http://10.97.0.1:32080/"); err == nil {
			_ = response.Body.Close()
			t.Errorf("the NodePort answered %s on 10.97.0.1", response.Status)
		}
	})
	t.Run("reaches another pod by its Service", func(t *testing.T) {
		address := kubectl("", "-n", "cluster-e2e", "get", "service", "prober", "-o", "jsonpath={.spec.clusterIP}")
		if got := kubectl("", "-n", "cluster-e2e", "exec", "deployment/prober", "--", "/prober", "get", "http://"+address+"/"); got != want {
			t.Errorf("the Service answered %q, want %q", got, want)
		}
	})
}

// eventually asks until kube-proxy has heard of the Service.
func eventually(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: 2 * time.Second}
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		response, err := client.Get(url)
		if err == nil {
			var body bytes.Buffer
			_, err = io.Copy(&body, response.Body)
			_ = response.Body.Close()
			if err == nil {
				return body.String()
			}
		}
		select {
		case <-deadline.C:
			t.Fatalf("asking %s: %v", url, err)
		case <-tick.C:
		}
	}
}
