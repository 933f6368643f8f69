package catalog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
)

func TestClocksOfAGroupStandStillWhileItIsClosed(t *testing.T) {
	hours := aSchedule("days", 1, "UTC")
	hours.Spec.Shifts = []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday}, Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "8h"},
	}}
	by := func(schedule string) func(*yingdav1.SkillGroup) {
		return func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: schedule} }
	}
	snapshot := Fixed(namespace, brandName, aBrand(), aGroup("days", by("days")), aGroup("always"), aGroup("never", by("never")), hours,
		aSchedule("never", 1, "UTC")).Snapshot()
	closed := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // a Sunday
	days, _ := snapshot.Group("days")
	never, _ := snapshot.Group("never")
	if due := never.Due(closed, time.Minute); due != nil {
		t.Errorf("in a group that never opens it is due at %s", due)
	}
	always, _ := snapshot.Group("always")
	for name, tt := range map[string]struct {
		group *Group
		want  time.Time
	}{
		"closed at the start":             {days, time.Date(2026, 11, 23, 9, 1, 0, 0, time.UTC)},
		"always open":                     {always, closed.Add(time.Minute)},
		"of a group that nobody knows of": {nil, closed.Add(time.Minute)},
	} {
		due := tt.group.Due(closed, time.Minute)
		if due == nil || !due.Equal(tt.want) {
			t.Errorf("%s: due at %v, want %s", name, due, tt.want)
			continue
		}
		if got := tt.group.Passed(closed, *due); got != time.Minute {
			t.Errorf("%s: %s have passed until then", name, got)
		}
	}
}

func TestAChannelHasTheClocksOfItsServiceLevel(t *testing.T) {
	level := &yingdav1.ServiceLevel{}
	level.Name, level.Namespace, level.Generation = "quick", namespace, 1
	level.Spec.Reply.Target = "5s"
	quick := aChannel("shop", func(c *yingdav1.Channel) { c.Spec.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "quick"} })
	snapshot := Fixed(namespace, brandName, aBrand(), quick, aChannel("plain"), level).Snapshot()
	defaults, _ := servicelevel.CompileClocks(yingdav1.ServiceLevelSpec{})
	fast := defaults
	fast.Reply.Target = 5 * time.Second
	for channel, want := range map[string]servicelevel.Clocks{"shop": fast, "plain": defaults, "gone": defaults} {
		if diff := cmp.Diff(want, snapshot.Clocks(channel), cmp.AllowUnexported(servicelevel.Resolution{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", channel, diff)
		}
	}
}

func TestWhoIsToldOfACustomerWhomNobodyServes(t *testing.T) {
	as := func(role yingdav1.AgentRole) func(*yingdav1.Agent) {
		return func(a *yingdav1.Agent) { a.Spec.Role = role }
	}
	sales := map[string]string{"team": "sales"}
	agent, admin := anAgent("an", sales, as(yingdav1.RoleAgent)), anAgent("ada", nil, as(yingdav1.RoleAdmin))
	own, other := anAgent("su", sales, as(yingdav1.RoleSupervisor)), anAgent("sven", nil, as(yingdav1.RoleSupervisor))
	for name, tt := range map[string]struct {
		agents []client.Object
		want   []string
	}{
		"the group's own supervisor":                 {[]client.Object{agent, admin, own, other}, []string{"su"}},
		"any supervisor where the group has none":    {[]client.Object{agent, admin, other}, []string{"sven"}},
		"the admins where the brand has none at all": {[]client.Object{agent, admin}, []string{"ada"}},
	} {
		t.Run(name, func(t *testing.T) {
			snapshot := Fixed(namespace, brandName, append(tt.agents, aBrand(), aGroup("sales", choosing(sales)))...).Snapshot()
			if diff := cmp.Diff(tt.want, snapshot.Supervisors("sales")); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTiersAreThoseThatSomePriorityNames(t *testing.T) {
	prior := func(tiers ...string) func(*yingdav1.SkillGroup) {
		return func(g *yingdav1.SkillGroup) {
			g.Spec.Priorities = append(g.Spec.Priorities, yingdav1.PriorityRule{When: yingdav1.PriorityMatch{Tiers: tiers}, Add: 1})
		}
	}
	snapshot := Fixed(namespace, brandName, aBrand(), aGroup("sales", prior("vip", "gold"), prior()), aGroup("support", prior("vip")), aGroup("none")).Snapshot()
	if diff := cmp.Diff([]string{"gold", "vip"}, snapshot.Tiers()); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
}

func TestAChannelHasTheNoticesThatItDeclares(t *testing.T) {
	declared := aChannel("service", func(c *yingdav1.Channel) {
		c.Spec.Type = yingdav1.ChannelTypeOfficialAccount
		c.Spec.OfficialAccount = &yingdav1.OfficialAccountSpec{Notices: []yingdav1.NoticeTemplate{{Name: "afterSales", TemplateID: "TM1"}}}
	})
	snapshot := Fixed(namespace, brandName, aBrand(), declared, aChannel("shop")).Snapshot()
	for name, want := range map[string]bool{"service/afterSales": true, "service/refund": false, "shop/afterSales": false} {
		of, notice, _ := strings.Cut(name, "/")
		channel, _ := snapshot.Channel(of)
		if got := channel.HasNotice(notice); got != want {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
}
