package chart_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const runbooks = "../../docs/runbooks.md"

// rules is the spec of the PrometheusRule, which is also the form of a file of rules.
type rules struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	} `json:"groups"`
}

type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func (r rules) all() []rule {
	var out []rule
	for _, group := range r.Groups {
		out = append(out, group.Rules...)
	}
	return out
}

// renderedRules are the alerts as the chart installs them.
func renderedRules(t *testing.T, arguments ...string) rules {
	t.Helper()
	rendered, err := template(t, append(arguments, "--set", "monitoring.prometheusRule.enabled=true", "--show-only", "templates/monitoring.yaml")...)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Spec rules `json:"spec"`
	}
	if err := yaml.UnmarshalStrict([]byte(specOf(string(rendered))), &object); err != nil {
		t.Fatal(err)
	}
	return object.Spec
}

// specOf cuts off what stands before the spec of the only object.
func specOf(rendered string) string {
	_, spec, _ := strings.Cut(rendered, "\nspec:\n")
	return "spec:\n" + spec
}

func TestEveryAlertSaysWhatIsWrongAndWhereToRead(t *testing.T) {
	all := renderedRules(t).all()
	if len(all) == 0 {
		t.Fatal("no alerts")
	}
	seen := map[string]bool{}
	for _, r := range all {
		if seen[r.Alert] {
			t.Errorf("%s is there twice", r.Alert)
		}
		seen[r.Alert] = true
		if !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
			t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s does not say what is wrong", r.Alert)
		}
		if want := "/docs/runbooks.md#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["runbook_url"], want) {
			t.Errorf("%s leads to %q, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if strings.Contains(r.Expr, "%") {
			t.Errorf("%s lacks a value: %s", r.Alert, r.Expr)
		}
	}
}

func TestTheRunbooksSpeakOfTheAlertsThatThereAre(t *testing.T) {
	var alerts []string
	for _, r := range renderedRules(t).all() {
		alerts = append(alerts, r.Alert)
	}
	var sections []string
	for _, heading := range regexp.MustCompile(`(?m)^### (Yingda\w+)$`).FindAllStringSubmatch(read(t, runbooks), -1) {
		sections = append(sections, heading[1])
	}
	for _, alert := range alerts {
		if !slices.Contains(sections, alert) {
			t.Errorf("%s has no section for %s", runbooks, alert)
		}
	}
	for _, section := range sections {
		if !slices.Contains(alerts, section) {
			t.Errorf("%s speaks of %s, which is no alert", runbooks, section)
		}
	}
}

func TestAlertsAreLeftOutByName(t *testing.T) {
	left := renderedRules(t, "--set", "monitoring.prometheusRule.disabled={YingdaQueueLong}").all()
	if slices.ContainsFunc(left, func(r rule) bool { return r.Alert == "YingdaQueueLong" }) {
		t.Error("YingdaQueueLong is still there")
	}
	if got, want := len(left), len(renderedRules(t).all())-1; got != want {
		t.Errorf("%d alerts are left, want %d", got, want)
	}
}

// expressions are those of the alerts and dashboards, by where they stand.
func expressions(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, r := range renderedRules(t).all() {
		out[r.Alert] = []string{r.Expr}
	}
	for _, path := range dashboards(t) {
		text := read(t, path)
		for _, quoted := range regexp.MustCompile(`"(?:expr|query|definition)": ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(text, -1) {
			var expression string
			if err := json.Unmarshal([]byte(quoted[1]), &expression); err != nil {
				t.Fatal(err)
			}
			out[filepath.Base(path)] = append(out[filepath.Base(path)], expression)
		}
	}
	return out
}

func dashboards(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("files/dashboards/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	return paths
}

// TestAlertsAndDashboardsSpeakOfMetricsThatThereAre reads the names in the sources: an alert about a metric that was renamed is
// silent for ever.
func TestAlertsAndDashboardsSpeakOfMetricsThatThereAre(t *testing.T) {
	sources := goSources(t)
	quoted := regexp.MustCompile(`"[^"]*"`)
	metric := regexp.MustCompile(`\b(?:yingda|temporal|workqueue|controller_runtime|rest_client|leader_election|certwatcher)_\w+`)
	for where, all := range expressions(t) {
		for _, expression := range all {
			for _, name := range metric.FindAllString(quoted.ReplaceAllString(expression, `""`), -1) {
				if !known(sources, name) {
					t.Errorf("%s: nothing has the metric %s: %s", where, name, expression)
				}
			}
		}
	}
}

// known says whether the sources tell a metric, in full or as the parts that client_golang joins.
func known(sources, name string) bool {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if slices.Contains(foreignMetrics(), name) || strings.Contains(sources, `"`+name+`"`) {
		return true
	}
	parts := strings.SplitN(name, "_", 3)
	return len(parts) == 3 &&
		(strings.Contains(sources, `Subsystem: "`+parts[1]+`"`) || strings.Contains(sources, `namespace, subsystem = "yingda", "`+parts[1]+`"`)) &&
		strings.Contains(sources, `"`+parts[2]+`"`)
}

// foreignMetrics are what controller-runtime, client-go and Temporal's SDK tell.
func foreignMetrics() []string {
	return []string{
		"certwatcher_read_certificate_errors_total",
		"controller_runtime_active_workers",
		"controller_runtime_reconcile_errors_total",
		"controller_runtime_reconcile_panics_total",
		"controller_runtime_reconcile_time_seconds",
		"controller_runtime_reconcile_total",
		"controller_runtime_webhook_latency_seconds",
		"controller_runtime_webhook_requests_total",
		"leader_election_master_status",
		"rest_client_requests_total",
		"temporal_workflow_completed_total",
		"temporal_workflow_failed_total",
		"temporal_workflow_task_execution_failed_total",
		"workqueue_depth",
		"workqueue_queue_duration_seconds",
	}
}

func goSources(t *testing.T) string {
	t.Helper()
	var sources strings.Builder
	for _, root := range []string{"../../api", "../../cmd", "../../connectors", "../../controllers", "../../internal", "../../workers"} {
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			sources.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return sources.String()
}

func TestAlertsSpeakOfConditionsThatThereAre(t *testing.T) {
	vocabulary := read(t, "../../api/v1alpha1/conditions.go")
	for where, all := range expressions(t) {
		for _, expression := range all {
			for _, said := range regexp.MustCompile(`\b(?:type|reason)="(\w+)"`).FindAllStringSubmatch(expression, -1) {
				if strings.Contains(expression, "yingda_conditions") && !strings.Contains(vocabulary, `= "`+said[1]+`"`) {
					t.Errorf("%s: no condition has the word %s: %s", where, said[1], expression)
				}
			}
		}
	}
}

func TestDashboardsAreWellFormed(t *testing.T) {
	for _, path := range dashboards(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var board struct {
				UID    string `json:"uid"`
				Panels []struct {
					ID      int    `json:"id"`
					Type    string `json:"type"`
					Title   string `json:"title"`
					GridPos struct {
						W int `json:"w"`
						X int `json:"x"`
					} `json:"gridPos"`
				} `json:"panels"`
			}
			if err := json.Unmarshal([]byte(read(t, path)), &board); err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSuffix(filepath.Base(path), ".json"); board.UID != want {
				t.Errorf("the uid is %s, want %s: links between dashboards go by it", board.UID, want)
			}
			ids := map[int]bool{}
			for _, panel := range board.Panels {
				if ids[panel.ID] || panel.Title == "" || panel.GridPos.X+panel.GridPos.W > 24 {
					t.Errorf("panel %d (%s) has an id of another one, no title, or no room", panel.ID, panel.Title)
				}
				ids[panel.ID] = true
			}
		})
	}
}

// TestAlertsFire plays testdata/alerts.yaml with promtool, which comes with Prometheus.
func TestAlertsFire(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	dir := t.TempDir()
	text, err := yaml.Marshal(renderedRules(t))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "rules.yaml"), string(text))
	write(t, filepath.Join(dir, "alerts.yaml"), read(t, "testdata/alerts.yaml"))
	run(t.Context(), t, promtool, "check", "rules", filepath.Join(dir, "rules.yaml"))
	run(t.Context(), t, promtool, "test", "rules", filepath.Join(dir, "alerts.yaml"))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs a program that must succeed, and returns what it printed.
func run(ctx context.Context, t *testing.T, name string, arguments ...string) string {
	t.Helper()
	out, err := exec.CommandContext(ctx, name, arguments...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(arguments, " "), err, out)
	}
	return string(out)
}
