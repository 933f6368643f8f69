package conditions_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestTurnsTellWhatIsWrongAndItsEnd(t *testing.T) {
	of := func(c conditions.Condition) []metav1.Condition { return conditions.Merge(nil, 1, time.Time{}, c) }
	staffed := of(conditions.True("Staffed", "Staffed", "2 of 2"))
	short := of(conditions.False("Staffed", v1alpha1.ReasonUnderstaffed, "1 of 2"))
	shorter := of(conditions.False("Staffed", v1alpha1.ReasonUnderstaffed, "0 of 2"))
	ahead := of(conditions.False("Staffed", v1alpha1.ReasonStaffingShortfall, "tomorrow"))
	unknown := of(conditions.Unknown("Staffed", v1alpha1.ReasonNotReported, "nobody says"))
	const (
		isShort = corev1.EventTypeWarning + " Understaffed 1 of 2"
		isAhead = corev1.EventTypeWarning + " StaffingShortfall tomorrow"
		isWell  = corev1.EventTypeNormal + " Staffed 2 of 2"
	)
	type said = [][]metav1.Condition
	for name, tt := range map[string]struct {
		said said
		want []string
	}{
		"well the first time":                               {said{nil, staffed}, nil},
		"wrong the first time":                              {said{nil, short}, []string{isShort}},
		"wrong from now on":                                 {said{staffed, short}, []string{isShort}},
		"as wrong as before":                                {said{short, shorter}, nil},
		"for another reason":                                {said{short, ahead}, []string{isAhead}},
		"well again":                                        {said{ahead, staffed}, []string{isWell}},
		"nobody could look":                                 {said{staffed, unknown}, nil},
		"somebody could look":                               {said{unknown, staffed}, nil},
		"wrong once somebody could look":                    {said{staffed, unknown, short}, []string{isShort}},
		"as wrong as before nobody could look":              {said{staffed, short, unknown, shorter, unknown, short}, []string{isShort}},
		"wrong for another reason than before nobody could": {said{short, unknown, ahead}, []string{isAhead}},
		"well again once somebody could look":               {said{short, unknown, unknown, staffed}, []string{isWell}},
		"wrong anew after it was well":                      {said{short, unknown, staffed, unknown, short}, []string{isWell, isShort}},
	} {
		t.Run(name, func(t *testing.T) {
			recorder, turns := events.NewFakeRecorder(8), conditions.NewTurns()
			for i := range tt.said[1:] {
				turns.Announce(recorder, &v1alpha1.SkillGroup{}, tt.said[i], tt.said[i+1], "Staffed")
			}
			if diff := cmp.Diff(tt.want, recorded(recorder)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTurnsForgetWhatIsGone(t *testing.T) {
	short := conditions.Merge(nil, 1, time.Time{}, conditions.False("Staffed", v1alpha1.ReasonUnderstaffed, "1 of 2"))
	unknown := conditions.Merge(nil, 1, time.Time{}, conditions.Unknown("Staffed", v1alpha1.ReasonNotReported, "nobody says"))
	group := &v1alpha1.SkillGroup{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "sales"}}
	recorder, turns := events.NewFakeRecorder(8), conditions.NewTurns()
	turns.Announce(recorder, group, short, unknown, "Staffed")
	turns.Forget(types.NamespacedName{Namespace: "lumi", Name: "sales"})
	turns.Announce(recorder, group, unknown, short, "Staffed")
	if diff := cmp.Diff([]string{corev1.EventTypeWarning + " Understaffed 1 of 2"}, recorded(recorder)); diff != "" {
		t.Errorf("events of another object of the same name (-want +got):\n%s", diff)
	}
}

// recorded are the events so far.
func recorded(recorder *events.FakeRecorder) []string {
	var all []string
	for {
		select {
		case event := <-recorder.Events:
			all = append(all, event)
		default:
			return all
		}
	}
}
