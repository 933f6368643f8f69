package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/leaderelection"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
	"github.com/yingda-dev/yingda/controllers/admission"
	"github.com/yingda-dev/yingda/internal/conditions"
)

const (
	leaseNamespace = metav1.NamespaceDefault
	// takeoverPatience is how long a test waits for anything at all. It is beyond what is promised, so that a takeover that came late
	// says how late.
	takeoverPatience = time.Minute
	// takeoverSlack is what a takeover may take beyond what is promised: controllers.Takeover covers the operators' own timers, but
	// here both of them, the API server and other packages' tests share the processors of one machine.
	takeoverSlack = 5 * time.Second
)

// cluster is an API server, the operator's binary and the processes that a test runs of it.
type cluster struct {
	t          *testing.T
	client     client.Client
	binary     string
	kubeconfig string
	webhooks   envtest.WebhookInstallOptions
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	log.SetLogger(logr.Discard())
	c := &cluster{t: t, binary: filepath.Join(t.TempDir(), "yingda"), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-o", c.binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is shipped, whatever the tests are built with
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: filepath.Join("..", "..", "bin", "k8s"),
	}
	env.WebhookInstallOptions.ValidatingWebhooks = []*admissionregistrationv1.ValidatingWebhookConfiguration{asksAboutPlaybooks()}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting the API server (make bin/k8s builds it): %v", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	c.webhooks = env.WebhookInstallOptions
	if err := os.WriteFile(c.kubeconfig, env.KubeConfig, 0o600); err != nil {
		t.Fatal(err)
	}
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	if c.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return c
}

func asksAboutPlaybooks() *admissionregistrationv1.ValidatingWebhookConfiguration {
	none, ignore, path := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Ignore, strings.TrimPrefix(admission.PathPlaybook, "/")
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "yingda"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "playbooks.yingda.dev",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service: &admissionregistrationv1.ServiceReference{Namespace: "yingda", Name: "operator", Path: &path},
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{"yingda.dev"}, APIVersions: []string{"v1alpha1"}, Resources: []string{"playbooks"},
				},
			}},
			FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
		}},
	}
}

// operator runs one replica until the test ends, and waits until it is ready.
func (c *cluster) operator(more ...string) *exec.Cmd {
	c.t.Helper()
	health := freeAddress(c.t)
	arguments := append([]string{
		"operator", "--image=yingda:test", "--leader-elect", "--leader-election-namespace=" + leaseNamespace,
		"--health-address=" + health, "--metrics-address=0", "--log-level=error",
	}, more...)
	process := exec.CommandContext(context.WithoutCancel(c.t.Context()), c.binary, arguments...)
	process.Env = append(os.Environ(), "KUBECONFIG="+c.kubeconfig)
	process.Stderr = os.Stderr
	if err := process.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { kill(c.t, process) })
	c.eventually(func() error { return answers("http://" + health + "/readyz") })
	return process
}

func kill(t *testing.T, process *exec.Cmd) {
	t.Helper()
	if process.ProcessState != nil {
		return
	}
	if err := process.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = process.Wait() // It was killed, and says so.
}

func answers(url string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(url + " answers " + response.Status)
	}
	return nil
}

// leader is the identity of who holds the lease.
func (c *cluster) leader() (string, error) {
	var lease coordinationv1.Lease
	if err := c.client.Get(c.t.Context(), types.NamespacedName{Namespace: leaseNamespace, Name: leaderElectionID}, &lease); err != nil {
		return "", err
	}
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity == "" {
		return "", errors.New("nobody leads")
	}
	return *lease.Spec.HolderIdentity, nil
}

func (c *cluster) eventually(check func() error) {
	c.t.Helper()
	deadline, ticker := time.NewTimer(takeoverPatience), time.NewTicker(50*time.Millisecond)
	defer deadline.Stop()
	defer ticker.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			c.t.Fatalf("after %s: %v", takeoverPatience, err)
		}
	}
}

// judged makes a Playbook, and waits until a leader has judged it.
func (c *cluster) judged(name string) {
	c.t.Helper()
	playbook := &v1alpha1.Playbook{ObjectMeta: metav1.ObjectMeta{Namespace: leaseNamespace, Name: name}}
	if err := c.client.Create(c.t.Context(), playbook); err != nil {
		c.t.Fatal(err)
	}
	c.eventually(func() error {
		if err := c.client.Get(c.t.Context(), client.ObjectKeyFromObject(playbook), playbook); err != nil {
			return err
		}
		if valid, known := conditions.Find(playbook.Status.Conditions, v1alpha1.ConditionValid); !known {
			return fmt.Errorf("Playbook %s is not judged yet: %+v", name, valid)
		}
		return nil
	})
}

func TestAKilledLeaderIsFollowedByTheReplicaThatStandsBy(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	first := c.operator()
	var led string
	c.eventually(func() (err error) { led, err = c.leader(); return err })
	c.judged("before")
	standby := []string{"--webhook-port=" + strconv.Itoa(c.webhooks.LocalServingPort), "--webhook-cert-dir=" + c.webhooks.LocalServingCertDir}
	c.operator(standby...)

	// Who stands by answers the API server all the same.
	blocking := &v1alpha1.Playbook{ObjectMeta: metav1.ObjectMeta{Namespace: leaseNamespace, Name: "blocking"}}
	blocking.Spec.Rules = []v1alpha1.PlaybookRule{{
		Name: "questions", Match: v1alpha1.PlaybookMatch{Keywords: []string{"人工"}}, Reply: &v1alpha1.BotReply{Text: "请先回答三个问题"},
	}}
	err := c.client.Create(t.Context(), blocking, client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), "rule questions") {
		t.Errorf("the replica that stands by let a Playbook in that keeps customers from a human: %v", err)
	}
	if holder, err := c.leader(); err != nil || holder != led {
		t.Fatalf("%s leads, want %s: %v", holder, led, err)
	}

	killed := time.Now()
	kill(t, first)
	c.eventually(func() error {
		holder, err := c.leader()
		if err == nil && holder == led {
			return errors.New("the lease is still the killed one's")
		}
		return err
	})
	took := time.Since(killed).Round(100 * time.Millisecond)
	t.Logf("The lease was taken over %s after the kill; %s are promised", took, controllers.Takeover)
	if took > controllers.Takeover+takeoverSlack {
		t.Errorf("the lease was taken over %s after the kill, want at most %s", took, controllers.Takeover)
	}
	c.judged("after")
}

// TestALeaseIsTakenOverInTime holds what one run cannot show: the worst case, with client-go's jitter.
func TestALeaseIsTakenOverInTime(t *testing.T) {
	look := time.Duration(float64(controllers.RetryPeriod) * (1 + leaderelection.JitterFactor))
	if worst := look + controllers.LeaseDuration + look; worst >= controllers.Takeover {
		t.Errorf("a lease may be taken over %s after its holder was killed, want less than %s", worst, controllers.Takeover)
	}
}

func TestOperatorFlags(t *testing.T) {
	for name, tt := range map[string]struct {
		arguments []string
		want      string
	}{
		"webhooks without certificates":   {[]string{"--webhook-port=9443"}, "--webhook-port needs --webhook-cert-dir"},
		"webhooks at a port there is not": {[]string{"--webhook-port=94430", "--webhook-cert-dir=/certs"}, "--webhook-port is a port or 0, not 94430"},
	} {
		t.Run(name, func(t *testing.T) {
			root := newRootCommand()
			root.SetArgs(append([]string{"operator", "--image=yingda:test"}, tt.arguments...))
			root.SilenceErrors, root.SilenceUsage = true, true
			if err := root.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
