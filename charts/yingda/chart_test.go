// Package chart_test renders the chart with Helm and compares the result with the golden files.
package chart_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/internal/golden"
)

const (
	helm     = "../../bin/helm"
	crdFiles = "files/crds"
	crdBases = "../../config/crd/bases"
)

// template renders the chart as an installation would.
func template(t *testing.T, arguments ...string) ([]byte, error) {
	t.Helper()
	if _, err := os.Stat(helm); err != nil {
		t.Fatalf("finding Helm (make bin/helm builds it): %v", err)
	}
	arguments = append([]string{"template", "yingda", ".", "--namespace", "yingda-system"}, arguments...)
	cmd := exec.CommandContext(t.Context(), helm, arguments...)
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		return nil, errors.New(failure.String())
	}
	return out.Bytes(), nil
}

// cases are the renders that are kept, by the folder of their values and golden file.
func cases() map[string][]string {
	out := map[string][]string{"default": {"--set", "crds.enabled=false"}}
	for _, name := range []string{"cert-manager", "everything", "local", "namespaces"} {
		out[name] = []string{"--set", "crds.enabled=false", "--values", "testdata/" + name + "/values.yaml"}
	}
	// What is added for a cluster that has such policies.
	out["admission"] = []string{"--api-versions", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy", "--show-only", "templates/admission.yaml"}
	return out
}

func TestRender(t *testing.T) {
	// Helm makes another certificate each time, and the dashboards need no second copy.
	certificate := regexp.MustCompile(`((?:caBundle|ca\.crt|tls\.crt|tls\.key): )\S{100,}`)
	days := regexp.MustCompile(`(?m)^(  china.yaml: \|)\n(    .*\n|\s*\n)+`)
	dashboard := regexp.MustCompile(`(?m)^(  yingda-\w+\.json: \|)\n(    .*\n)+`)
	for name, arguments := range cases() {
		t.Run(name, func(t *testing.T) {
			rendered, err := template(t, arguments...)
			if err != nil {
				t.Fatal(err)
			}
			rendered = certificate.ReplaceAll(rendered, []byte("${1}made-by-helm"))
			rendered = dashboard.ReplaceAll(rendered, []byte("$1\n    as in files/dashboards\n"))
			rendered = days.ReplaceAll(rendered, []byte("$1\n    as in files/calendars\n"))
			golden.Compare(t, name+"/want.yaml", rendered)
		})
	}
}

func TestTheChartRefusesAnAPIServerThatCannotReadItsRules(t *testing.T) {
	if _, err := template(t, "--kube-version", "1.33.0"); err != nil {
		t.Errorf("1.33: %v", err)
	}
	if _, err := template(t, "--kube-version", "1.32.9"); err == nil || !strings.Contains(err.Error(), "kubeVersion: >=1.33.0-0") {
		t.Errorf("1.32: %v", err)
	}
}

func TestTheChartBringsTheCalendarsOfTheRelease(t *testing.T) {
	const copied, original = "files/calendars/china.yaml", config + "/calendars/china.yaml"
	want, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if golden.Updating() {
		write(t, copied, string(want))
	}
	rendered, err := template(t, "--show-only", "templates/calendars.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var mounted struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(rendered, &mounted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"china.yaml": string(want)}, mounted.Data); diff != "" {
		t.Errorf("what the operator is given is not %s (go test ./charts/... -update copies it):\n%s", original, diff)
	}
	without, err := template(t, "--set", "calendars.china=false", "--set", "crds.enabled=false")
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range []string{"/calendars", "-calendars", "resourceNames: [china]"} {
		if strings.Contains(string(without), trace) {
			t.Errorf("%s is left without calendars", trace)
		}
	}
}

func TestTheChartBringsTheCRDsOfTheAPI(t *testing.T) {
	bases, err := filepath.Glob(filepath.Join(crdBases, "*.yaml"))
	if err != nil || len(bases) == 0 {
		t.Fatalf("no CRDs in %s: %v", crdBases, err)
	}
	for _, base := range bases {
		want, err := os.ReadFile(base)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(crdFiles, filepath.Base(base))
		if golden.Updating() {
			if err := os.WriteFile(copied, want, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(copied)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not that of the API (go test ./charts/... -update copies it):\n%s", copied, diff)
		}
	}
	for name, tt := range map[string]struct {
		arguments []string
		crds      int
		kept      int
	}{
		"by default they come and stay": {nil, len(bases), len(bases)},
		"they need not stay":            {[]string{"--set", "crds.keep=false"}, len(bases), 0},
		"they need not come":            {[]string{"--set", "crds.enabled=false"}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := template(t, tt.arguments...)
			if err != nil {
				t.Fatal(err)
			}
			if n := bytes.Count(rendered, []byte("kind: CustomResourceDefinition")); n != tt.crds {
				t.Errorf("%d CRDs, want %d", n, tt.crds)
			}
			if n := bytes.Count(rendered, []byte("helm.sh/resource-policy: keep")); n != tt.kept {
				t.Errorf("%d CRDs stay, want %d", n, tt.kept)
			}
		})
	}
}

func TestTheSchemaRefuses(t *testing.T) {
	for name, argument := range map[string]string{
		"a value that does not exist":            "imagee.tag=x",
		"a value that does not exist, deep down": "webhook.certManager.issuer=x",
		"an exposure that is none":               "exposure.type=LoadBalancer",
		"an address with a path":                 "allowedAPIBaseURLs={https://a.example/b}",
		"a webhook's host with a path":           "allowedWebhookHosts={pager.example/call}",
		"an endpoint without a port":             "telemetry.otlpEndpoint=collector",
		"a namespace that is no name":            "watchNamespaces={Brands}",
		"a log level that is none":               "logLevel=loud",
		"a tag that is no text at all":           "image.tag.digest=x",
		"a failure policy that is none":          "webhook.failurePolicy=Retry",
		"a webhook that waits for minutes":       "webhook.timeoutSeconds=60",
		"a destination that is none":             "networkPolicies.egress.redis[0].cidr=10.0.0.0/8",
		"a destination without ports":            "networkPolicies.egress.kafka[0].cidr=10.0.0.0/8",
		"an address that is no range":            "networkPolicies.egress.kafka[0].cidr=10.0.0.1,networkPolicies.egress.kafka[0].ports={9092}",
		"a host name as a range":                 "networkPolicies.egress.kafka[0].cidr=kafka.infra/32,networkPolicies.egress.kafka[0].ports={9092}",
		"a port that is none":                    "networkPolicies.egress.kafka[0].cidr=10.0.0.0/8,networkPolicies.egress.kafka[0].ports={99999}",
		"an interval without a unit":             "monitoring.podMonitor.interval=30",
		"an alert of somebody else":              "monitoring.prometheusRule.disabled={Watchdog}",
	} {
		t.Run(name, func(t *testing.T) {
			if rendered, err := template(t, "--set", argument); err == nil {
				t.Errorf("%s was rendered:\n%s", argument, rendered)
			}
		})
	}
}

// leaves are the paths of all values that are no section of others.
func leaves(prefix string, values map[string]any) []string {
	var out []string
	for key, value := range values {
		path := prefix + key
		section, ok := value.(map[string]any)
		if !ok || len(section) == 0 || path == "resources" || path == "monitoring.dashboards.labels" {
			out = append(out, path)
			continue
		}
		out = append(out, leaves(path+".", section)...)
	}
	return out
}

func TestTheReadmeNamesEveryValue(t *testing.T) {
	readme := read(t, "README.md")
	var values map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	for _, path := range leaves("", values) {
		if !strings.Contains(readme, "`"+path+"`") {
			t.Errorf("README.md does not speak of the value %s", path)
		}
	}
}

func TestTheSchemaDescribesEveryValueAndNoOther(t *testing.T) {
	var schema map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	describe(t, "values", schema)
}

func describe(t *testing.T, path string, schema map[string]any) {
	t.Helper()
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		return
	}
	if strict, ok := schema["additionalProperties"].(bool); !ok || strict {
		t.Errorf("%s takes what it does not know", path)
	}
	for name, below := range properties {
		property, ok := below.(map[string]any)
		if !ok || property["description"] == nil {
			t.Errorf("%s.%s has no description", path, name)
		}
		describe(t, path+"."+name, property)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
