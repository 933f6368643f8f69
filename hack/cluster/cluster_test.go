package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares the text with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}

func TestConfigurationFiles(t *testing.T) {
	l := layout{dir: "/run-dir"}
	files, err := renderConfig(l.settings("/usr/lib/cni", "overlayfs"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		golden(t, filepath.Base(name), string(text))
	}
}

func TestCommandLines(t *testing.T) {
	l := layout{dir: "/run-dir"}
	var text strings.Builder
	for _, comp := range l.components("/usr/bin/containerd") {
		text.WriteString(comp.path + " \\\n    " + strings.Join(comp.args, " \\\n    ") + "\n")
		if len(comp.listens) > 0 {
			text.WriteString("  listens on " + strings.Join(comp.listens, " and ") + "\n")
		}
	}
	golden(t, "command-lines.txt", text.String())
}

func TestNothingListensOnEveryInterface(t *testing.T) {
	for _, comp := range (layout{dir: "/run-dir"}).components("/usr/bin/containerd") {
		for _, address := range comp.listens {
			if !strings.HasPrefix(address, "127.0.0.1:") && !strings.HasPrefix(address, hostAddress+":") {
				t.Errorf("%s listens on %s", comp.name, address)
			}
		}
	}
}

func TestDigestFollowsTheFilesThatAComponentReads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	digest := func(text string) string {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		comp, err := component{name: "x", files: []string{file}}.sealed()
		if err != nil {
			t.Fatal(err)
		}
		return comp.digest
	}
	first := digest("a")
	if again := digest("a"); again != first {
		t.Error("the same file makes another digest")
	}
	if other := digest("b"); other == first {
		t.Error("another file makes the same digest")
	}
}

func TestRemovalScript(t *testing.T) {
	for _, name := range []string{"host-with-cluster", "host-without-cluster"} {
		t.Run(name, func(t *testing.T) {
			saved, err := os.ReadFile(filepath.Join("testdata", "iptables", name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("iptables", name+".removal.txt"), removalScript(string(saved)))
		})
	}
}

func TestParseMounts(t *testing.T) {
	const text = "30 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n" +
		"41 30 0:29 / /sys/fs/cgroup/cpu rw - cgroup none rw,cpu\n" +
		"cut short\n"
	want := []mount{{"/", "ext4"}, {"/sys/fs/cgroup/cpu", "cgroup"}}
	if diff := cmp.Diff(want, parseMounts(text), cmp.AllowUnexported(mount{})); diff != "" {
		t.Errorf("mounts differ (-want +got):\n%s", diff)
	}
}

func TestRunDirectoriesThatCannotWork(t *testing.T) {
	cases := map[string]string{
		"a path too long for a socket": "/" + strings.Repeat("x", 100),
		"a path with a blank":          "/tmp/a b",
		"a path with a comma":          "/tmp/a,b",
	}
	for name, dir := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := newCluster(dir, nil); err == nil {
				t.Errorf("newCluster(%q) succeeded", dir)
			}
		})
	}
}

func TestNodeReadiness(t *testing.T) {
	started := time.Date(2026, 11, 21, 10, 0, 0, 500, time.UTC)
	node := func(status corev1.ConditionStatus, heartbeat time.Time) *corev1.Node {
		return &corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{
			Type: corev1.NodeReady, Status: status, LastHeartbeatTime: metav1.NewTime(heartbeat),
		}}}}
	}
	cases := map[string]struct {
		node *corev1.Node
		want bool
	}{
		"a node that has reported nothing":        {&corev1.Node{}, false},
		"a report of before the kubelet's start":  {node(corev1.ConditionTrue, started.Add(-time.Second)), false},
		"a report of the second of its start":     {node(corev1.ConditionTrue, started.Truncate(time.Second)), true},
		"a report of now that it is not ready":    {node(corev1.ConditionFalse, started.Add(time.Second)), false},
		"a report of later that it is ready":      {node(corev1.ConditionTrue, started.Add(time.Minute)), true},
		"a report that the state is not known":    {node(corev1.ConditionUnknown, started.Add(time.Minute)), false},
		"a condition of another type, and no own": {&corev1.Node{Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeDiskPressure}}}}, false},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			if err := nodeReady(test.node, started); (err == nil) != test.want {
				t.Errorf("nodeReady() = %v, want ready: %t", err, test.want)
			}
		})
	}
}

func TestStalePods(t *testing.T) {
	since := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	pod := func(name string, ready bool, startedAt time.Time) corev1.Pod {
		return corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name},
			Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
				Ready: ready,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(startedAt)}},
			}}},
		}
	}
	got := stalePods([]corev1.Pod{
		pod("of-before", true, since.Add(-time.Minute)),
		pod("of-before-and-not-ready", false, since.Add(-time.Minute)),
		pod("of-now", true, since.Add(time.Second)),
		{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "not-started"}},
	}, since)
	if diff := cmp.Diff([]string{"ns/of-before"}, got); diff != "" {
		t.Errorf("stale pods differ (-want +got):\n%s", diff)
	}
}

func TestLinks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "k8s")
	for range 2 {
		if err := makeLinks(dir); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{etcd, kubeAPIServer, kubectlName} {
		got, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !os.SameFile(want, got) {
			t.Errorf("%s is not a link to this program", name)
		}
	}
}
