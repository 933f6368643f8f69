package skillgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestGenerationsThatDifferInSeatsAreAlike(t *testing.T) {
	of := newAlike()
	for _, step := range []struct {
		sentence   string
		generation int64
		seats      int32
		name       string
		want       []int64
	}{
		{"the first", 4, 0, "小组", []int64{4}},
		{"looked at again", 4, 0, "小组", []int64{4}},
		{"scaled", 5, 3, "小组", []int64{4, 5}},
		{"scaled again", 6, 1, "小组", []int64{4, 5, 6}},
		{"another name", 7, 1, "大组", []int64{7}},
		{"and the one before", 8, 1, "小组", []int64{8}},
		{"scaled after it", 10, 2, "小组", []int64{8, 10}},
	} {
		group := &v1alpha1.SkillGroup{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "after-sales", Generation: step.generation}}
		group.Spec.Seats.Asked, group.Spec.DisplayName = &step.seats, step.name
		if diff := cmp.Diff(step.want, of.generations(group)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.sentence, diff)
		}
	}
}
