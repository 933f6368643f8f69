package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestKeepLeavesWhatIsCompared(t *testing.T) {
	own := metav1.ManagedFieldsEntry{Manager: "yingda/channel", Operation: metav1.ManagedFieldsOperationApply, Subresource: "status"}
	channel := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{
		Name:          "shop",
		Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "team": "sales"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl-client-side-apply"}, own},
	}}
	want := &v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{
		Name: "shop", Annotations: map[string]string{"team": "sales"}, ManagedFields: []metav1.ManagedFieldsEntry{own},
	}}
	kept, err := Keep(channel)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}
