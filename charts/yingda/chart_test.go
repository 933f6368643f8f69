// Package chart_test renders the chart with Helm and compares the result with the golden files.
package chart_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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

func TestRender(t *testing.T) {
	for name, arguments := range map[string][]string{
		"default":    {"--set", "crds.enabled=false"},
		"local":      {"--set", "crds.enabled=false", "--values", "testdata/local/values.yaml"},
		"namespaces": {"--set", "crds.enabled=false", "--values", "testdata/namespaces/values.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := template(t, arguments...)
			if err != nil {
				t.Fatal(err)
			}
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
		"a value that does not exist":  "imagee.tag=x",
		"an exposure that is none":     "exposure.type=LoadBalancer",
		"an address with a path":       "allowedAPIBaseURLs={https://a.example/b}",
		"an endpoint without a port":   "telemetry.otlpEndpoint=collector",
		"a namespace that is no name":  "watchNamespaces={Brands}",
		"a log level that is none":     "logLevel=loud",
		"a tag that is no text at all": "image.tag.digest=x",
	} {
		t.Run(name, func(t *testing.T) {
			if rendered, err := template(t, "--set", argument); err == nil {
				t.Errorf("%s was rendered:\n%s", argument, rendered)
			}
		})
	}
}

func TestTheReadmeNamesEveryValue(t *testing.T) {
	text, err := os.ReadFile("values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	for key, value := range values {
		names := []string{key}
		if section, ok := value.(map[string]any); ok && len(section) > 0 && key != "resources" {
			names = names[:0]
			for below := range section {
				names = append(names, key+"."+below)
			}
		}
		for _, name := range names {
			if !strings.Contains(string(readme), "`"+name+"`") {
				t.Errorf("README.md does not speak of the value %s", name)
			}
		}
	}
}
