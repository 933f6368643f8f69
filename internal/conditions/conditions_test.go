package conditions_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

func TestSummary(t *testing.T) {
	yes := conditions.True("Valid", v1alpha1.ReasonValid, "fine")
	no := conditions.False("Acknowledged", v1alpha1.ReasonAwaitingReload, "not yet")
	noToo := conditions.False("DeskAvailable", v1alpha1.ReasonNoReadyReplica, "none")
	unknown := conditions.Unknown("CredentialsValid", v1alpha1.ReasonNotYetTried, "nobody tried")
	for name, tt := range map[string]struct {
		findings []conditions.Condition
		want     conditions.Condition
	}{
		"all true is ready":                   {[]conditions.Condition{yes}, conditions.True("Ready", "Ready", "Everything that was declared is in force")},
		"the first that is false explains it": {[]conditions.Condition{yes, no, noToo}, conditions.False("Ready", "AwaitingReload", "Acknowledged: not yet")},
		"false comes before unknown":          {[]conditions.Condition{unknown, noToo}, conditions.False("Ready", "NoReadyReplica", "DeskAvailable: none")},
		"unknown alone is unknown":            {[]conditions.Condition{yes, unknown}, conditions.Unknown("Ready", "NotYetTried", "CredentialsValid: nobody tried")},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, conditions.Summary(tt.findings...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMergeKeepsTheTimeOfTheLastTransition(t *testing.T) {
	then, now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC), time.Date(2026, 11, 21, 9, 0, 0, 500, time.UTC)
	before := conditions.Merge(nil, 1, then,
		conditions.False("Ready", "NotReady", "a"), conditions.True("Valid", "Valid", "b"), conditions.True("Gone", "Valid", "c"))
	after := conditions.Merge(before, 2, now, conditions.True("Ready", "Ready", "d"), conditions.True("Valid", "Valid", "e"))
	want := []metav1.Condition{
		{Type: "Ready", Status: metav1.ConditionTrue, ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)), Reason: "Ready", Message: "d"},
		{Type: "Valid", Status: metav1.ConditionTrue, ObservedGeneration: 2, LastTransitionTime: metav1.NewTime(then), Reason: "Valid", Message: "e"},
	}
	if diff := cmp.Diff(want, after); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestBoundCutsAtACharacter(t *testing.T) {
	got := conditions.Bound(strings.Repeat("话", 400))
	if len(got) > conditions.MaxMessageBytes || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes, valid %v: %s", len(got), utf8.ValidString(got), got)
	}
	if short := "短"; conditions.Bound(short) != short {
		t.Errorf("a short message was changed to %q", conditions.Bound(short))
	}
}

func TestAnnounceSpeaksOnTransitionsAlone(t *testing.T) {
	ready := conditions.Merge(nil, 1, time.Time{}, conditions.True("Ready", "Ready", "all is well"))
	waiting := conditions.Merge(nil, 1, time.Time{}, conditions.False("Ready", v1alpha1.ReasonAwaitingReload, "soon"))
	rejected := conditions.Merge(nil, 1, time.Time{}, conditions.False("Ready", v1alpha1.ReasonRejected, "refused"))
	for name, tt := range map[string]struct {
		before, after []metav1.Condition
		want          string
	}{
		"Ready from the first":                    {nil, ready, ""},
		"on the way to it from the first":         {nil, waiting, ""},
		"not Ready from the first":                {nil, rejected, corev1.EventTypeWarning + " Rejected refused"},
		"Ready after all":                         {waiting, ready, corev1.EventTypeNormal + " Ready all is well"},
		"nothing changed":                         {ready, ready, ""},
		"what passes by itself is no warning":     {ready, waiting, corev1.EventTypeNormal + " AwaitingReload soon"},
		"what needs a person is":                  {ready, rejected, corev1.EventTypeWarning + " Rejected refused"},
		"another reason of not ready counts, too": {waiting, rejected, corev1.EventTypeWarning + " Rejected refused"},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := events.NewFakeRecorder(1)
			conditions.Announce(recorder, &v1alpha1.Brand{}, tt.before, tt.after)
			got := ""
			select {
			case got = <-recorder.Events:
			default:
			}
			if got != tt.want {
				t.Errorf("event %q, want %q", got, tt.want)
			}
		})
	}
}
