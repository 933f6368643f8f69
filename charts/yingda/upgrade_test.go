package chart_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	release   = "yingda"
	namespace = "yingda-system"
)

// foreign are the kinds of others that the chart may write. Their schemas are not ours: any object passes.
func foreign() []*apiextensionsv1.CustomResourceDefinition {
	out := []*apiextensionsv1.CustomResourceDefinition{}
	for kind, group := range map[string]string{
		"ServiceMonitor": "monitoring.coreos.com", "PodMonitor": "monitoring.coreos.com", "PrometheusRule": "monitoring.coreos.com",
		"Issuer": "cert-manager.io", "Certificate": "cert-manager.io",
	} {
		singular, anything := strings.ToLower(kind), true
		out = append(out, &apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: singular + "s." + group},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: group, Scope: apiextensionsv1.NamespaceScoped,
				Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, ListKind: kind + "List", Singular: singular, Plural: singular + "s"},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
					Name: "v1", Served: true, Storage: true,
					Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
						Type: "object", XPreserveUnknownFields: &anything,
					}},
				}},
			},
		})
	}
	return out
}

// cluster is an API server that Helm installs into. It runs nothing: what is tested is that it takes the objects.
type cluster struct {
	client     client.Client
	kubeconfig string
}

func newCluster(t *testing.T) cluster {
	t.Helper()
	env := &envtest.Environment{CRDs: foreign(), BinaryAssetsDirectory: filepath.Join("..", "..", "bin", "k8s")}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting the API server (make bin/k8s builds it): %v", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lumi", "moon"} {
		if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			t.Fatal(err)
		}
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, kubeconfig, string(env.KubeConfig))
	return cluster{client: c, kubeconfig: kubeconfig}
}

// install brings the release to a chart and its values, from wherever it is.
func (c cluster) install(t *testing.T, chart string, arguments ...string) {
	t.Helper()
	run(t.Context(), t, helm, append([]string{
		"upgrade", "--install", release, chart,
		"--namespace", namespace, "--create-namespace", "--kubeconfig", c.kubeconfig, "--reset-values",
	}, arguments...)...)
}

func (c cluster) certificate(t *testing.T) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	if err := c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "yingda-operator-webhook"}, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestUpgrades(t *testing.T) {
	c := newCluster(t)
	c.install(t, lastRelease(t), "--values", "testdata/first-values/values.yaml")

	c.install(t, ".", "--values", "testdata/first-values/values.yaml")
	secret := c.certificate(t)
	t.Run("the webhook's certificate is the one that its configuration trusts", func(t *testing.T) {
		trustsItself(t, c, secret)
	})
	t.Run("an upgrade keeps the webhook's certificate", func(t *testing.T) {
		c.install(t, ".")
		if got := c.certificate(t); got.ResourceVersion != secret.ResourceVersion {
			t.Error("the Secret was written again")
		}
		trustsItself(t, c, secret)
	})
	for _, name := range []string{"everything", "cert-manager", "namespaces", "local", "everything"} {
		c.install(t, ".", "--values", "testdata/"+name+"/values.yaml")
	}
	run(t.Context(), t, helm, "uninstall", release, "--namespace", namespace, "--kubeconfig", c.kubeconfig)
}

// lastRelease is the chart of the last tag, and while there is none, the one at hand: what its first values installed must
// still be there to upgrade.
func lastRelease(t *testing.T) string {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	tag, err := lastTag(t.Context(), checkout)
	if err != nil {
		t.Skipf("which release to upgrade from cannot be said here: %v", err)
	}
	if tag == "" {
		t.Log("there is no release to upgrade from: the values of the first chart are rendered by this one")
		return "."
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "chart.tar")
	run(t.Context(), t, "git", append(gitIn(checkout), "archive", "--output", archive, tag, "charts/yingda")...)
	run(t.Context(), t, "tar", "-C", dir, "-xf", archive)
	return filepath.Join(dir, "charts", "yingda")
}

// lastTag is the nearest tag before what is checked out, and empty where there is certainly none. A git that cannot say (it is not
// installed, or the checkout is a shallow clone without its tags) is an error: the upgrade from the last release would go untested
// without a word. An unpacked archive of the source has no releases to ask for.
func lastTag(ctx context.Context, checkout string) (string, error) {
	if _, err := os.Stat(filepath.Join(checkout, ".git")); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	tagged, err := git(ctx, checkout, "for-each-ref", "--merged=HEAD", "--count=1", "refs/tags")
	if err != nil {
		return "", err
	}
	if tagged != "" {
		return git(ctx, checkout, "describe", "--tags", "--abbrev=0")
	}
	shallow, err := git(ctx, checkout, "rev-parse", "--is-shallow-repository")
	if err == nil && shallow == "true" {
		err = errors.New("a shallow clone does not show whether there is a release to upgrade from: git fetch --unshallow --tags")
	}
	return "", err
}

// gitIn are the arguments by which git reads a checkout, also one of another user: tests run as root in a checkout of somebody else's.
func gitIn(checkout string) []string {
	return []string{"-c", "safe.directory=" + checkout, "-C", checkout}
}

func git(ctx context.Context, checkout string, arguments ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append(gitIn(checkout), arguments...)...).Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return "", fmt.Errorf("asking git for the last release: %w: %s", err, failed.Stderr)
	} else if err != nil {
		return "", fmt.Errorf("asking git for the last release: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func TestOnlyACheckoutThatCanSayHasNoLastRelease(t *testing.T) {
	for sentence, tt := range map[string]struct {
		// history are the git commands that make the checkout, in a folder in which there is another repository, origin.
		history [][]string
		env     map[string]string
		want    string
		wantErr string
	}{
		"an unpacked archive of the source has none": {},
		"a checkout without tags has none":           {history: [][]string{{"clone", "--quiet", "--no-tags", "origin", "checkout"}}},
		"the nearest tag is the last release":        {history: [][]string{{"clone", "--quiet", "origin", "checkout"}}, want: "v0.2.0"},
		"a shallow clone may have missed it":         {history: [][]string{{"clone", "--quiet", "--depth=1", "--no-tags", "--no-local", "origin", "checkout"}}, wantErr: "shallow"},
		"somebody else's checkout is read, too":      {history: [][]string{{"clone", "--quiet", "origin", "checkout"}}, env: map[string]string{"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, want: "v0.2.0"},
		"without git nobody knows":                   {history: [][]string{{"clone", "--quiet", "origin", "checkout"}}, env: map[string]string{"PATH": ""}, wantErr: "git"},
	} {
		t.Run(sentence, func(t *testing.T) {
			dir := t.TempDir()
			isolateGit(t, dir)
			made := append([][]string{
				{"init", "--quiet", "origin"},
				{"-C", "origin", "commit", "--quiet", "--allow-empty", "--message=first"},
				{"-C", "origin", "tag", "v0.1.0"},
				{"-C", "origin", "commit", "--quiet", "--allow-empty", "--message=second"},
				{"-C", "origin", "tag", "v0.2.0"},
				{"-C", "origin", "commit", "--quiet", "--allow-empty", "--message=third"},
			}, tt.history...)
			for _, command := range made {
				run(t.Context(), t, "git", append([]string{"-C", dir}, command...)...)
			}
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			got, err := lastTag(t.Context(), filepath.Join(dir, "checkout"))
			if got != tt.want || (err != nil) != (tt.wantErr != "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("got %q, %v; want %q, %q", got, err, tt.want, tt.wantErr)
			}
		})
	}
}

// isolateGit keeps the machine's configuration out of a test's repositories, and gives their commits an author.
func isolateGit(t *testing.T, home string) {
	t.Helper()
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.com", "GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.com",
	} {
		t.Setenv(name, value)
	}
}

// trustsItself fails where an API server could not speak with the operator under the certificate.
func trustsItself(t *testing.T, c cluster, secret *corev1.Secret) {
	t.Helper()
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		t.Fatal(err)
	}
	served, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{}
	if err := c.client.Get(t.Context(), client.ObjectKey{Name: "yingda-operator"}, configuration); err != nil {
		t.Fatal(err)
	}
	for _, webhook := range configuration.Webhooks {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(webhook.ClientConfig.CABundle) {
			t.Fatalf("%s trusts nobody", webhook.Name)
		}
		host := webhook.ClientConfig.Service.Name + "." + webhook.ClientConfig.Service.Namespace + ".svc"
		if _, err := served.Verify(x509.VerifyOptions{DNSName: host, Roots: roots}); err != nil {
			t.Errorf("%s: %v", webhook.Name, err)
		}
	}
}

func TestTheValuesOfTheFirstChartStillRender(t *testing.T) {
	if _, err := os.Stat("testdata/first-values/values.yaml"); err != nil {
		t.Fatal(err)
	}
	if _, err := template(t, "--values", "testdata/first-values/values.yaml"); err != nil {
		t.Error(err)
	}
}
