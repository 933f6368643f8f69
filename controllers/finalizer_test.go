package controllers_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	channelcontroller "github.com/yingda-dev/yingda/controllers/channel"
)

// writesTo are the operator's writes since a moment to one Channel, without what is before its name.
func (w *world) writesTo(channel string, since int) []string {
	var its []string
	for _, line := range w.writes.since(since) {
		if method, path, _ := strings.Cut(line, " "); strings.Contains(path, "/channels/"+channel) {
			its = append(its, method+" "+path[strings.Index(path, channel):])
		}
	}
	return its
}

// anotherChannel makes a second Channel of a pool that runs, and returns what the operator wrote to it.
func (w *world) anotherChannel() []string {
	w.t.Helper()
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.settled()
	before := w.writes.count()
	w.data.say("outlet", accepted())
	w.create(secret("outlet-wechat"), channel("outlet", "lumi"))
	w.waitFor(&v1alpha1.Channel{}, "outlet", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.settled()
	return w.writesTo("outlet", before)
}

func TestAnotherChannelOfAPoolCostsTwoWrites(t *testing.T) {
	if diff := cmp.Diff([]string{"PATCH outlet", "PATCH outlet/status"}, newWorld(t).anotherChannel()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestWithTheAdmissionPolicyAnotherChannelCostsOneWrite(t *testing.T) {
	w := newWorld(t)
	w.giveFinalizers()
	if diff := cmp.Diff([]string{"PATCH outlet/status"}, w.anotherChannel()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// giveFinalizers puts the chart's policy in force, for the world's namespace alone.
func (w *world) giveFinalizers() {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "charts", "yingda", "files", "admission", "channel-finalizer.yaml"))
	if err != nil {
		w.t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			w.t.Fatal(err)
		}
		if object.GetKind() == "MutatingAdmissionPolicy" {
			own := map[string]any{"kubernetes.io/metadata.name": w.namespace}
			if err := unstructured.SetNestedMap(object.Object, own, "spec", "matchConstraints", "namespaceSelector", "matchLabels"); err != nil {
				w.t.Fatal(err)
			}
		}
		if err := w.client.Create(w.t.Context(), object); err != nil {
			w.t.Fatal(err)
		}
	}
	w.eventually(func() error {
		probe := channel("probe", "lumi")
		probe.Namespace = w.namespace
		if err := w.client.Create(w.t.Context(), probe, client.DryRunAll); err != nil {
			return err
		}
		if !slices.Equal(probe.Finalizers, []string{channelcontroller.Finalizer}) {
			return errors.New("the policy is not in force")
		}
		return nil
	})
}
