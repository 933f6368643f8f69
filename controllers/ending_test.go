package controllers_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestInANamespaceThatIsDeletedNothingIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.create(agent("xiaomei", "lumi", nil))
	w.token("xiaomei")
	w.settled()
	w.endNamespace()
	before := w.writes.count()
	w.remove(&corev1.Secret{}, "xiaomei-trial-token")
	w.remove(&corev1.Service{}, "lumi-miniprogram")
	w.eventually(func() error {
		if w.tried(before, "/secrets") == 0 || w.tried(before, "/services/lumi-miniprogram") == 0 {
			return errors.New("nobody has looked at what is gone")
		}
		return nil
	})
	w.settled()
	// Each may be looked at for more than one change; who is refused and tries again does so nine times in a few seconds.
	for _, what := range []string{"/secrets", "/services/lumi-miniprogram"} {
		if times := w.tried(before, what); times > 4 {
			t.Errorf("%s was tried %d times", what, times)
		}
	}
	for name, object := range map[string]client.Object{"xiaomei": &v1alpha1.Agent{}, "shop": &v1alpha1.Channel{}} {
		if err := w.get(name, object); err != nil {
			t.Fatal(err)
		}
		if found, _ := conditions.Find(conditionsOf(object), v1alpha1.ConditionReferencesResolved); found.Reason != v1alpha1.ReasonResolved {
			t.Errorf("%s says %+v of what nobody needs any more", name, found)
		}
	}
}

// endNamespace deletes the world's namespace, which then takes nothing new; nobody is there who would empty it.
func (w *world) endNamespace() {
	w.t.Helper()
	if err := w.client.Delete(w.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}); err != nil {
		w.t.Fatal(err)
	}
	w.eventually(func() error {
		probe := unlabelledSecret("probe")
		probe.Namespace = w.namespace
		if err := w.client.Create(w.t.Context(), probe, client.DryRunAll); !apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return errors.New("the namespace takes new objects")
		}
		return nil
	})
}

// tried counts the operator's writes whose path ends so.
func (w *world) tried(since int, suffix string) int {
	return len(slices.DeleteFunc(w.writes.since(since), func(line string) bool { return !strings.HasSuffix(line, suffix) }))
}
