package catalog

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/promise"
)

func TestACaseHasTheTermsOfItsChannelAndTheDaysOfItsGroup(t *testing.T) {
	level := &yingdav1.ServiceLevel{}
	level.Name, level.Namespace, level.Generation = "strict", namespace, 1
	level.Spec.AfterSales.Review = "30m"
	level.Spec.AfterSales.Ladder = []yingdav1.DeadlineRung{{After: "1h", Notify: yingdav1.RoleAdmin}}
	berlin := aSchedule("berlin", 1, "Europe/Berlin")
	strict := aChannel("shop", func(c *yingdav1.Channel) { c.Spec.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "strict"} })
	abroad := aGroup("abroad", func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "berlin"} })
	snapshot := Fixed(namespace, brandName, aBrand(), strict, aChannel("plain"), abroad, aGroup("home"), level, berlin).Snapshot()

	terms, rungs := snapshot.AfterSales("shop", "abroad")
	if terms.Limits.Review != 30*60 || terms.Policy.TimeZone != "Europe/Berlin" {
		t.Errorf("the review has %d s, days are those of %s", terms.Limits.Review, terms.Policy.TimeZone)
	}
	if diff := cmp.Diff([]promise.Rung{{AfterSeconds: 3600, Notify: promise.RoleAdmin}}, rungs); diff != "" {
		t.Errorf("ladder (-want +got):\n%s", diff)
	}
	for _, channel := range []string{"plain", "gone"} {
		if terms, rungs := snapshot.AfterSales(channel, "nobody"); terms.Limits.Review != 2*60*60 || terms.Policy.TimeZone != "Asia/Shanghai" || len(rungs) != 2 {
			t.Errorf("%s: %+v, %v", channel, terms, rungs)
		}
	}

	// A Friday evening in Berlin, Saturday in China.
	friday := time.Date(2026, 11, 27, 17, 0, 0, 0, time.UTC)
	group, _ := snapshot.Group("abroad")
	if got, want := group.WorkingDays(friday, 1), time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("the working day after %s ends at %s, want %s", friday, got, want)
	}
	home, _ := snapshot.Group("home")
	if got, want := home.WorkingDays(friday, 1), time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("at home it ends at %s, want %s", got, want)
	}
}
