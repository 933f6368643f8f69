package chart_test

import (
	"crypto/tls"
	"crypto/x509"
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
	tag, err := exec.CommandContext(t.Context(), "git", "describe", "--tags", "--abbrev=0").Output()
	if err != nil {
		t.Log("there is no tag to upgrade from: the values of the first chart are rendered by this one")
		return "."
	}
	dir := t.TempDir()
	archive := filepath.Join(dir, "chart.tar")
	run(t.Context(), t, "git", "-C", "../..", "archive", "--output", archive, strings.TrimSpace(string(tag)), "charts/yingda")
	run(t.Context(), t, "tar", "-C", dir, "-xf", archive)
	return filepath.Join(dir, "charts", "yingda")
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
