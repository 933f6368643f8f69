package ack_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
)

func TestAStatusIsToldFromADeclaration(t *testing.T) {
	for name, tt := range map[string]struct {
		change   func(*v1alpha1.Brand)
		declares bool
	}{
		"another address of the desk": {func(b *v1alpha1.Brand) { b.Status.DeskURL = "https://desk.lumi.example" }, false},
		"who wrote which field": {func(b *v1alpha1.Brand) {
			b.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "yingda/brand"}}
		}, false},
		"another spec":               {func(b *v1alpha1.Brand) { b.Generation++ }, true},
		"a label":                    {func(b *v1alpha1.Brand) { b.Labels = map[string]string{"team": "shop"} }, true},
		"an annotation":              {func(b *v1alpha1.Brand) { b.Annotations = map[string]string{"note": "x"} }, true},
		"a finalizer":                {func(b *v1alpha1.Brand) { b.Finalizers = []string{"yingda.dev/brand"} }, true},
		"its deletion":               {func(b *v1alpha1.Brand) { b.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }, true},
		"another object of the name": {func(b *v1alpha1.Brand) { b.UID = "other" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			before := &v1alpha1.Brand{ObjectMeta: metav1.ObjectMeta{Name: "lumi", UID: "lumi", Generation: 1}}
			after := before.DeepCopy()
			tt.change(after)
			e := event.UpdateEvent{ObjectOld: before, ObjectNew: after}
			if got := ack.DeclarationChanged().Update(e); got != tt.declares {
				t.Errorf("a declaration: %v, want %v", got, tt.declares)
			}
			if got := ack.StatusChanged().Update(e); got == tt.declares {
				t.Errorf("the status alone: %v, want %v", got, !tt.declares)
			}
		})
	}
}
