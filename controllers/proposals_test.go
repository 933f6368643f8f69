package controllers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/quality"
)

// What a week's report proposes is applied as its first lines say: kubectl apply --server-side, by force where an answer is replaced.
func TestAProposedAnswerTakesThePlaceOfOneAndLeavesTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := playbook("shop")
	shop.Spec.FAQ = []v1alpha1.FAQEntry{
		{Name: "refund", Question: "退款什么时候到账", Answer: "请耐心等待。", Topic: "after-sales"},
		{Name: "invoice", Question: "怎么开发票", Answer: "在订单页。"},
	}
	w.create(shop)
	patch := quality.Report{Name: "2026-W47", Topics: []quality.Topic{
		{Question: "怎么退货", Playbook: "shop", Conversations: 9, Solved: 9, Answer: "请在订单页点申请退货。", Given: 5, Content: 5},
		{
			Question: "退款多久到账", Playbook: "shop", Known: "refund", KnownQuestion: "退款什么时候到账", Conversations: 6, Solved: 3,
			Answer: "1 到 3 个工作日。", Given: 3, Content: 3,
		},
	}}.Patch(w.namespace)
	if !strings.Contains(patch, "# kubectl apply --server-side --force-conflicts --field-manager=yingda-quality-2026-w47 -n "+w.namespace+" ") {
		t.Errorf("it is applied by\n%s", patch)
	}
	proposed := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(patch), &proposed.Object); err != nil {
		t.Fatal(err)
	}
	proposed.SetNamespace(w.namespace)
	apply := func(options ...client.ApplyOption) error {
		options = append(options, client.FieldOwner("yingda-quality-2026-w47"))
		return w.client.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(proposed.DeepCopy()), options...)
	}
	if err := apply(); !apierrors.IsConflict(err) {
		t.Errorf("without force: %v", err)
	}
	if err := apply(client.ForceOwnership); err != nil {
		t.Fatal(err)
	}
	got := &v1alpha1.Playbook{}
	if err := w.get("shop", got); err != nil {
		t.Fatal(err)
	}
	want := []v1alpha1.FAQEntry{
		{Name: "refund", Question: "退款什么时候到账", Answer: "1 到 3 个工作日。", Topic: "after-sales"},
		{Name: "invoice", Question: "怎么开发票", Answer: "在订单页。"},
		{Name: "2026-w47-02", Question: "怎么退货", Answer: "请在订单页点申请退货。"},
	}
	byName := cmp.Transformer("byName", func(entries []v1alpha1.FAQEntry) map[string]v1alpha1.FAQEntry {
		named := map[string]v1alpha1.FAQEntry{}
		for _, entry := range entries {
			named[entry.Name] = entry
		}
		return named
	})
	if diff := cmp.Diff(want, got.Spec.FAQ, byName); diff != "" {
		t.Errorf("the FAQ (-want +got):\n%s", diff)
	}
}
