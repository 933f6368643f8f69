package controllers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/testr"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/controllers"
	"github.com/yingda-dev/yingda/controllers/holidaycalendar"
)

// ship offers a calendar of days as an operator does that may write this one and no other, as the chart allows it.
func ship(t *testing.T, name, days string) (said string) {
	t.Helper()
	folder := t.TempDir()
	text := fmt.Sprintf("apiVersion: yingda.dev/v1alpha1\nkind: HolidayCalendar\nmetadata: {name: %s}\nspec:\n  days: [%s]\n", name, days)
	if err := os.WriteFile(filepath.Join(folder, "one.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	limited := rest.CopyConfig(apiServer)
	limited.Impersonate.UserName = "operator-of-" + name
	c, err := client.New(limited, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	recorder := events.NewFakeRecorder(1)
	ctx, cancel := context.WithTimeout(logr.NewContext(t.Context(), testr.New(t)), patience)
	defer cancel()
	if err := holidaycalendar.NewShipped(folder, c, c, recorder).Start(ctx); err != nil || ctx.Err() != nil {
		t.Fatalf("offering the calendar: %v, %v", err, ctx.Err())
	}
	select {
	case said = <-recorder.Events:
	default:
	}
	return said
}

func TestShippedCalendarsAreSharedWithPeople(t *testing.T) {
	w := newWorld(t)
	name := w.namespace
	allowed := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"yingda.dev"}, Resources: []string{"holidaycalendars"}, ResourceNames: []string{name}, Verbs: []string{"create", "patch"},
		}},
	}
	to := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "operator-of-" + name}},
	}
	for _, object := range []client.Object{allowed, to} {
		if err := w.client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, object := range []client.Object{allowed, to, &v1alpha1.HolidayCalendar{ObjectMeta: metav1.ObjectMeta{Name: name}}} {
			if err := w.client.Delete(context.WithoutCancel(t.Context()), object); err != nil {
				t.Error(err)
			}
		}
	})
	kinds := func() map[string]v1alpha1.CalendarDayKind {
		t.Helper()
		found := &v1alpha1.HolidayCalendar{}
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, found); err != nil {
			t.Fatal(err)
		}
		kinds := map[string]v1alpha1.CalendarDayKind{}
		for _, day := range found.Spec.Days {
			kinds[day.Date] = day.Kind
		}
		return kinds
	}
	const first, second = `{date: "2026-10-01", kind: DayOff}`, `{date: "2026-10-01", kind: DayOff}, {date: "2027-01-01", kind: DayOff}`

	if said := ship(t, name, first); said != "" || len(kinds()) != 1 {
		t.Fatalf("it is made with %v and %q", kinds(), said)
	}
	// Somebody adds a sale: it stays when the next version brings another year.
	found := &v1alpha1.HolidayCalendar{}
	add := func(change func(*v1alpha1.HolidayCalendar)) {
		t.Helper()
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, found); err != nil {
			t.Fatal(err)
		}
		change(found)
		if err := w.client.Update(t.Context(), found, client.FieldOwner("somebody")); err != nil {
			t.Fatal(err)
		}
	}
	add(func(c *v1alpha1.HolidayCalendar) {
		c.Spec.Days = append(c.Spec.Days, v1alpha1.CalendarDay{Date: "2026-11-11", Kind: v1alpha1.CalendarDayPeak})
	})
	if said := ship(t, name, second); said != "" || len(kinds()) != 3 || kinds()["2026-11-11"] != v1alpha1.CalendarDayPeak {
		t.Fatalf("the next version leaves %v and says %q", kinds(), said)
	}
	// Somebody changes a shipped day: from then on the calendar is theirs.
	add(func(c *v1alpha1.HolidayCalendar) { c.Spec.Days[0].Kind = v1alpha1.CalendarDayPeak })
	want := corev1.EventTypeNormal + " " + v1alpha1.ReasonKeptAsChanged +
		" Days that come with this version were changed here: none is written; compare with those of the release"
	if said := ship(t, name, second+`, {date: "2028-01-01", kind: DayOff}`); said != want {
		t.Errorf("got %q, want %q", said, want)
	}
	if got := kinds(); len(got) != 3 || got["2026-10-01"] != v1alpha1.CalendarDayPeak {
		t.Errorf("what somebody changed became %v", got)
	}
}
