package chart_test

import (
	"bytes"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/internal/golden"
)

const (
	kubectl = "../../bin/k8s/kubectl"
	config  = "../../config"
)

// kustomize renders a folder of config/.
func kustomize(t *testing.T, folder string) []byte {
	t.Helper()
	return []byte(run(t.Context(), t, kubectl, "kustomize", filepath.Join(config, folder)))
}

// objects are those of a render by kind and name, without what says who installed them.
func objects(t *testing.T, rendered []byte) map[string]any {
	t.Helper()
	out := map[string]any{}
	for text := range bytes.SplitSeq(append([]byte("\n"), rendered...), []byte("\n---\n")) {
		var object map[string]any
		if err := yaml.Unmarshal(text, &object); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if object == nil {
			continue
		}
		metadata := section(object, "metadata")
		anonymous(metadata)
		anonymous(section(object, "spec", "template", "metadata"))
		kind, _ := object["kind"].(string)
		name, _ := metadata["name"].(string)
		if kind == "CustomResourceDefinition" {
			delete(metadata, "labels")
		}
		out[kind+"/"+name] = object
	}
	return out
}

// section is a map within maps, nil where it is not there.
func section(object map[string]any, path ...string) map[string]any {
	for _, key := range path {
		object, _ = object[key].(map[string]any)
	}
	return object
}

// anonymous takes the labels of the installing tool away.
func anonymous(metadata map[string]any) {
	labels, ok := metadata["labels"].(map[string]any)
	if !ok {
		return
	}
	for _, label := range []string{"app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"} {
		delete(labels, label)
	}
}

func TestKustomizeInstallsWhatTheChartInstalls(t *testing.T) {
	for name, tt := range map[string]struct {
		folder    string
		arguments []string
		alone     []string // what kustomize alone has
	}{
		"the operator": {
			folder:    "default",
			arguments: []string{"--set", "crds.keep=false", "--set", "calendars.china=false"}, // kubectl apply -f config/calendars comes after it
			alone:     []string{"Namespace/yingda-system"},
		},
		"its monitoring": {
			folder: "prometheus",
			arguments: []string{
				"--set", "monitoring.serviceMonitor.enabled=true", "--set", "monitoring.podMonitor.enabled=true",
				"--set", "monitoring.prometheusRule.enabled=true", "--show-only", "templates/monitoring.yaml",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rendered, err := template(t, append([]string{"--set", "webhook.certManager.enabled=true"}, tt.arguments...)...)
			if err != nil {
				t.Fatal(err)
			}
			want := objects(t, rendered)
			if golden.Updating() {
				writeBases(t)
				writeRules(t, want["PrometheusRule/yingda"])
			}
			got := objects(t, kustomize(t, tt.folder))
			for _, key := range tt.alone {
				if got[key] == nil {
					t.Errorf("%s is missing", key)
				}
				delete(got, key)
			}
			for _, key := range slices.Sorted(maps.Keys(want)) {
				if diff := cmp.Diff(want[key], got[key]); diff != "" {
					t.Errorf("%s (-chart +config/%s):\n%s", key, tt.folder, diff)
				}
				delete(got, key)
			}
			for key := range got {
				t.Errorf("the chart does not have %s", key)
			}
		})
	}
}

// writeBases lists the CRDs that there are: kustomize takes no pattern.
func writeBases(t *testing.T) {
	t.Helper()
	bases, err := filepath.Glob(filepath.Join(crdBases, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("# Written by go test ./charts/... -update.\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n")
	for _, base := range bases {
		text.WriteString("  - bases/" + filepath.Base(base) + "\n")
	}
	write(t, filepath.Join(config, "crd", "kustomization.yaml"), text.String())
}

// writeRules keeps config/prometheus at the alerts of the chart, where these were rendered.
func writeRules(t *testing.T, object any) {
	t.Helper()
	if object == nil {
		return
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(config, "prometheus", "rules.yaml"), "# Written by go test ./charts/... -update.\n"+string(text))
}

// TestKustomizeHasOneImageForAll fails where the operator would run from one image and the data plane from another.
func TestKustomizeHasOneImageForAll(t *testing.T) {
	deployment := section(map[string]any{"all": objects(t, kustomize(t, "default"))}, "all", "Deployment/yingda-operator", "spec", "template", "spec")
	text, err := yaml.Marshal(deployment["containers"])
	if err != nil {
		t.Fatal(err)
	}
	var containers []struct {
		Image string   `json:"image"`
		Args  []string `json:"args"`
	}
	if err := yaml.Unmarshal(text, &containers); err != nil {
		t.Fatal(err)
	}
	if len(containers) != 1 || !slices.Contains(containers[0].Args, "--image="+containers[0].Image) {
		t.Errorf("%+v", containers)
	}
	if !strings.HasPrefix(containers[0].Image, "ghcr.io/yingda-dev/yingda:") {
		t.Errorf("the image is %s", containers[0].Image)
	}
}
