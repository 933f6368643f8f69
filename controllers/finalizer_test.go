package controllers_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	channelcontroller "github.com/yingda-dev/yingda/controllers/channel"
)

// anotherChannel makes a second Channel of a pool that runs, and returns all that the operator wrote for it, sorted.
func (w *world) anotherChannel() []string {
	w.t.Helper()
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.settled()
	before := w.writes.count()
	w.data.say("outlet", accepted())
	w.create(secret("outlet-wechat"), channel("outlet", "lumi"))
	w.waitFor(&v1alpha1.Channel{}, "outlet", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.eventually(func() error {
		role := &rbacv1.Role{}
		if err := w.get("lumi-miniprogram", role); err != nil {
			return err
		}
		if !slices.Contains(secretRules(role), "outlet-wechat") {
			return errors.New("the pool may not read the Secret of outlet")
		}
		return nil
	})
	w.settled()
	var writes []string
	for _, line := range w.writes.since(before) {
		method, path, _ := strings.Cut(line, " ")
		writes = append(writes, method+" "+path[strings.Index(path, w.namespace)+len(w.namespace)+1:])
	}
	slices.Sort(writes)
	return writes
}

func TestAnotherChannelOfAPoolCostsThreeWrites(t *testing.T) {
	t.Parallel()
	want := []string{"PATCH channels/outlet", "PATCH channels/outlet/status", "PATCH roles/lumi-miniprogram"}
	if diff := cmp.Diff(want, newWorld(t).anotherChannel()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestWithTheAdmissionPolicyAnotherChannelCostsTwoWrites(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.giveFinalizers()
	want := []string{"PATCH channels/outlet/status", "PATCH roles/lumi-miniprogram"}
	if diff := cmp.Diff(want, w.anotherChannel()); diff != "" {
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
