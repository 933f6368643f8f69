package catalog

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	namespace = "lumi"
	brandName = "lumi"
)

// meta is the metadata of an object of the given generation, the first of its name unless the uid says otherwise.
func meta(name string, generation int64) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Generation: generation, UID: types.UID(name + "-1")}
}

func aBrand(mods ...func(*yingdav1.Brand)) *yingdav1.Brand {
	b := &yingdav1.Brand{ObjectMeta: meta(brandName, 1)}
	for _, mod := range mods {
		mod(b)
	}
	return b
}

func aChannel(name string, mods ...func(*yingdav1.Channel)) *yingdav1.Channel {
	c := &yingdav1.Channel{ObjectMeta: meta(name, 1), Spec: yingdav1.ChannelSpec{
		BrandRef: yingdav1.BrandReference{Name: brandName}, Type: yingdav1.ChannelTypeMiniProgram,
	}}
	for _, mod := range mods {
		mod(c)
	}
	return c
}

func aGroup(name string, mods ...func(*yingdav1.SkillGroup)) *yingdav1.SkillGroup {
	g := &yingdav1.SkillGroup{ObjectMeta: meta(name, 1), Spec: yingdav1.SkillGroupSpec{BrandRef: yingdav1.BrandReference{Name: brandName}}}
	for _, mod := range mods {
		mod(g)
	}
	return g
}

func anAgent(name string, labels map[string]string, mods ...func(*yingdav1.Agent)) *yingdav1.Agent {
	a := &yingdav1.Agent{ObjectMeta: meta(name, 1), Spec: yingdav1.AgentSpec{BrandRef: yingdav1.BrandReference{Name: brandName}, Capacity: 3}}
	a.Labels = labels
	for _, mod := range mods {
		mod(a)
	}
	return a
}

func aSchedule(name string, generation int64, zone string) *yingdav1.ShiftSchedule {
	return &yingdav1.ShiftSchedule{ObjectMeta: meta(name, generation), Spec: yingdav1.ShiftScheduleSpec{TimeZone: zone}}
}

// aCalendar gives one date off.
func aCalendar(name string, generation int64, date string) *yingdav1.HolidayCalendar {
	c := &yingdav1.HolidayCalendar{ObjectMeta: meta(name, generation)}
	c.Namespace = ""
	c.Spec.Days = []yingdav1.CalendarDay{{Date: date, Kind: yingdav1.CalendarDayOff}}
	return c
}

func aPlaybook(name string, generation int64, texts ...string) *yingdav1.Playbook {
	p := &yingdav1.Playbook{ObjectMeta: meta(name, generation)}
	for _, text := range texts {
		p.Spec.CannedReplies = append(p.Spec.CannedReplies, yingdav1.CannedReply{Code: "code", Text: text})
	}
	return p
}

func aLevel(name string, days int32) *yingdav1.ServiceLevel {
	return &yingdav1.ServiceLevel{ObjectMeta: meta(name, 1), Spec: yingdav1.ServiceLevelSpec{Complaint: yingdav1.ComplaintSpec{FollowUpWithinDays: days}}}
}

// anew is the object deleted and made again under its name.
func anew[T client.Object](object T) T {
	object.SetUID(types.UID(object.GetName() + "-2"))
	return object
}

func choosing(labels map[string]string) func(*yingdav1.SkillGroup) {
	return func(g *yingdav1.SkillGroup) { g.Spec.AgentSelector = metav1.LabelSelector{MatchLabels: labels} }
}

func generations(c *Catalog) map[string]int64 { return c.Snapshot().Generations() }

// canned are the texts of a Channel's canned replies: a Playbook's fingerprint.
func canned(t *testing.T, c *Catalog, channel string) []string {
	t.Helper()
	found, ok := c.Snapshot().Channel(channel)
	if !ok {
		t.Fatalf("there is no Channel %s", channel)
	}
	var texts []string
	for _, reply := range found.CannedReplies {
		texts = append(texts, reply.Text)
	}
	return texts
}

func TestPlaybookThatIsBadLeavesTheLastGoodOneInForce(t *testing.T) {
	channel := aChannel("shop", func(c *yingdav1.Channel) { c.Spec.PlaybookRef = &yingdav1.PlaybookReference{Name: "greeting"} })
	key := configz.ObjectKey("Playbook", "greeting")
	bad := []string{"twice", "the same code"}
	steps := []struct {
		name           string
		playbook       *yingdav1.Playbook
		wantTexts      []string
		wantGeneration int64
	}{
		{"bad from the start: nothing in force", aPlaybook("greeting", 1, bad...), nil, 0},
		{"mended", aPlaybook("greeting", 2, "good"), []string{"good"}, 2},
		{"bad: what was good stays and is what is reported", aPlaybook("greeting", 3, bad...), []string{"good"}, 2},
		{"mended again", aPlaybook("greeting", 4, "better"), []string{"better"}, 4},
		{"made anew, of the same generation", anew(aPlaybook("greeting", 4, "new")), []string{"new"}, 4},
		{"gone and made anew, bad: another one's form is not its own", aPlaybook("greeting", 4, bad...), nil, 0},
	}
	c := Fixed(namespace, brandName)
	for _, step := range steps {
		c.Set(aBrand(), channel, step.playbook)
		if diff := cmp.Diff(step.wantTexts, canned(t, c, "shop")); diff != "" {
			t.Errorf("%s: texts (-want +got):\n%s", step.name, diff)
		}
		if got := generations(c)[key]; got != step.wantGeneration {
			t.Errorf("%s: generation %d is reported, want %d", step.name, got, step.wantGeneration)
		}
	}
}

func TestConnectorsTellOfTheKindsThatTheySpeakBy(t *testing.T) {
	speech := []string{"Brand", "Channel", "HolidayCalendar", "Playbook", "ShiftSchedule", "SkillGroup"}
	if diff := cmp.Diff(speech, NewForSpeech(namespace, brandName, slog.New(slog.DiscardHandler)).Kinds()); diff != "" {
		t.Errorf("kinds of connectors (-want +got):\n%s", diff)
	}
	all := slices.Sorted(slices.Values(append(speech, "Agent", "ServiceLevel")))
	if diff := cmp.Diff(all, Fixed(namespace, brandName).Kinds()); diff != "" {
		t.Errorf("kinds of the others (-want +got):\n%s", diff)
	}
}

func TestScheduleThatIsBadLeavesTheLastGoodOneInForce(t *testing.T) {
	group := aGroup("sales", func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "days"} })
	c := Fixed(namespace, brandName, aBrand(), group, aSchedule("days", 1, "Asia/Shanghai"))
	before, _ := c.Snapshot().Group("sales")
	c.Set(aBrand(), group, aSchedule("days", 2, "Asia/Peking"))
	after, _ := c.Snapshot().Group("sales")
	if after.Schedule == nil || after.Schedule != before.Schedule {
		t.Error("the schedule that was in force is not any more")
	}
	if diff := cmp.Diff(int64(1), generations(c)["ShiftSchedule/days"]); diff != "" {
		t.Errorf("reported generation (-want +got):\n%s", diff)
	}
}

func TestScheduleGoesByItsCalendarsAsTheyAre(t *testing.T) {
	const today, tomorrow, never = "2026-11-23", "2026-11-24", "2026-02-30"
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	group := aGroup("sales", func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "days"} })
	daily := func(generation int64, calendars ...string) *yingdav1.ShiftSchedule {
		s := aSchedule("days", generation, "UTC")
		s.Spec.Shifts = []yingdav1.WeeklyShift{{
			Days:  []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday},
			Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "8h"},
		}}
		for _, name := range calendars {
			s.Spec.CalendarRefs = append(s.Spec.CalendarRefs, yingdav1.HolidayCalendarReference{Name: name})
		}
		return s
	}
	type effect struct {
		Open               bool
		Schedule, Calendar int64
	}
	c := Fixed(namespace, brandName)
	for _, step := range []struct {
		name    string
		objects []client.Object
		want    effect
	}{
		{"it names none", []client.Object{daily(1), aCalendar("china", 1, today)}, effect{true, 1, 1}},
		{"the one that it names is missing: as if it had no days", []client.Object{daily(2, "china")}, effect{true, 0, 0}},
		{"it appears", []client.Object{daily(2, "china"), aCalendar("china", 1, today)}, effect{false, 2, 1}},
		{"the calendar changes, the schedule does not", []client.Object{daily(2, "china"), aCalendar("china", 2, tomorrow)}, effect{true, 2, 2}},
		{"and back", []client.Object{daily(2, "china"), aCalendar("china", 3, today)}, effect{false, 2, 3}},
		{"the calendar is bad: what was good stays", []client.Object{daily(2, "china"), aCalendar("china", 4, never)}, effect{false, 2, 3}},
		{"one of two is missing", []client.Object{daily(3, "china", "sales"), aCalendar("china", 5, today)}, effect{false, 0, 5}},
		{"it names one again", []client.Object{daily(4, "china"), aCalendar("china", 5, today)}, effect{false, 4, 5}},
		{"the calendar is gone", []client.Object{daily(4, "china")}, effect{true, 0, 0}},
		{"one made anew never was good", []client.Object{daily(4, "china"), anew(aCalendar("china", 1, never))}, effect{true, 0, 0}},
	} {
		c.Set(append(step.objects, aBrand(), group)...)
		found, _ := c.Snapshot().Group("sales")
		served := generations(c)
		got := effect{found.Schedule.At(at).Open, served["ShiftSchedule/days"], served["HolidayCalendar/china"]}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestBadScheduleGoesOnByItsCalendars(t *testing.T) {
	group := aGroup("sales", func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "days"} })
	naming := func(generation int64, zone, calendar string) *yingdav1.ShiftSchedule {
		s := aSchedule("days", generation, zone)
		s.Spec.CalendarRefs = []yingdav1.HolidayCalendarReference{{Name: calendar}}
		return s
	}
	c := Fixed(namespace, brandName, aBrand(), group, naming(1, "UTC", "china"), aCalendar("china", 1, "2026-10-01"))
	// Its new form is bad and names another calendar; the old one goes on, by the old calendar as it is now.
	c.Set(aBrand(), group, naming(2, "Asia/Peking", "moon"), aCalendar("china", 2, "2026-10-02"))
	want := map[string]int64{"Brand/lumi": 1, "SkillGroup/sales": 1, "ShiftSchedule/days": 1, "HolidayCalendar/china": 2}
	if diff := cmp.Diff(want, generations(c)); diff != "" {
		t.Errorf("generations (-want +got):\n%s", diff)
	}
}

func TestGroupWithoutTheScheduleThatItNamesIsServedButNotReported(t *testing.T) {
	own := func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "days"} }
	brands := func(b *yingdav1.Brand) { b.Spec.Defaults.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "days"} }
	type effect struct {
		Scheduled  bool
		Generation int64
	}
	tests := map[string]struct {
		objects []client.Object
		want    effect
	}{
		"none is named":             {[]client.Object{aBrand(), aGroup("sales")}, effect{false, 1}},
		"its own is there":          {[]client.Object{aBrand(), aGroup("sales", own), aSchedule("days", 1, "UTC")}, effect{true, 1}},
		"its own is missing":        {[]client.Object{aBrand(), aGroup("sales", own)}, effect{false, 0}},
		"its own never was one":     {[]client.Object{aBrand(), aGroup("sales", own), aSchedule("days", 1, "Asia/Peking")}, effect{false, 0}},
		"the brand's is missing":    {[]client.Object{aBrand(brands), aGroup("sales")}, effect{false, 0}},
		"the brand's is there":      {[]client.Object{aBrand(brands), aGroup("sales"), aSchedule("days", 1, "UTC")}, effect{true, 1}},
		"the brand's never was one": {[]client.Object{aBrand(brands), aGroup("sales"), aSchedule("days", 1, "Asia/Peking")}, effect{false, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := Fixed(namespace, brandName, test.objects...)
			group, ok := c.Snapshot().Group("sales")
			if !ok {
				t.Fatal("the group is not served")
			}
			if diff := cmp.Diff(test.want, effect{group.Schedule != nil, generations(c)["SkillGroup/sales"]}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestGroupWhoseSelectorIsBadKeepsItsMembers(t *testing.T) {
	agents := []client.Object{anAgent("an", map[string]string{"team": "sales"}), anAgent("bo", nil)}
	c := Fixed(namespace, brandName, append(agents, aBrand(), aGroup("sales", choosing(map[string]string{"team": "sales"})))...)
	broken := aGroup("sales", func(g *yingdav1.SkillGroup) {
		g.Generation = 2
		g.Spec.AgentSelector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Resembles"}}
	})
	c.Set(append(agents, aBrand(), broken)...)
	group, ok := c.Snapshot().Group("sales")
	if !ok {
		t.Fatal("the group is gone")
	}
	if diff := cmp.Diff([]store.Seat{{Agent: "an", Capacity: 3}}, group.Assignment.Seats); diff != "" {
		t.Errorf("seats (-want +got):\n%s", diff)
	}
	if got := generations(c)["SkillGroup/sales"]; got != 1 {
		t.Errorf("generation %d is reported, want 1", got)
	}
}

func TestGroupIsAssignedAsItIsDeclaredNow(t *testing.T) {
	wants := []yingdav1.WantedSkill{{Skill: "refund", MinLevel: 2}}
	skills := []yingdav1.AgentSkill{{Name: "refund", Level: 3}}
	channel := aChannel("shop", func(c *yingdav1.Channel) {
		c.Spec.Routing = []yingdav1.RoutingRule{{Name: "plain"}, {Name: "refunds", Wants: wants}}
	})
	agent := anAgent("an", nil, func(a *yingdav1.Agent) { a.Spec.Skills = skills })
	assigning := func(generation int64, spec yingdav1.SkillGroupAssignment) *yingdav1.SkillGroup {
		return aGroup("sales", func(g *yingdav1.SkillGroup) { g.Generation, g.Spec.Assignment = generation, spec })
	}
	want := store.Assignment{
		Assignment: routing.Assignment{Strategy: yingdav1.StrategyLeastBusy, RelaxSkillsAfter: time.Minute},
		Group:      "sales",
		Seats:      []store.Seat{{Agent: "an", Capacity: 3, Skills: skills}},
		Wants:      map[store.Route][]yingdav1.WantedSkill{{Channel: "shop", Rule: "refunds"}: wants},
		Weights:    map[string]int32{"shop": 1},
		Reminders:  map[string]time.Duration{"shop": 20 * time.Second},
	}
	c := Fixed(namespace, brandName, aBrand(), channel, agent, assigning(1, yingdav1.SkillGroupAssignment{}))
	check := func(when string, generation int64) {
		t.Helper()
		group, _ := c.Snapshot().Group("sales")
		if diff := cmp.Diff(want, group.Assignment); diff != "" || generations(c)["SkillGroup/sales"] != generation {
			t.Errorf("%s: generation %d, assignment (-want +got):\n%s", when, generations(c)["SkillGroup/sales"], diff)
		}
	}
	check("nothing declared", 1)
	c.Set(aBrand(), channel, agent, assigning(2, yingdav1.SkillGroupAssignment{Strategy: yingdav1.StrategySkilled, StickyFor: "24h", ReassignAfter: "5m"}))
	want.Assignment = routing.Assignment{Strategy: yingdav1.StrategySkilled, StickyFor: 24 * time.Hour, RelaxSkillsAfter: time.Minute, ReassignAfter: 5 * time.Minute}
	check("declared", 2)
	c.Set(aBrand(), channel, agent, assigning(3, yingdav1.SkillGroupAssignment{StickyFor: "soon"}))
	check("bad: what was good stays", 2)
}

func TestChannelTakesItsOwnReferencesBeforeTheBrands(t *testing.T) {
	defaults := func(b *yingdav1.Brand) {
		b.Spec.Defaults.PlaybookRef = &yingdav1.PlaybookReference{Name: "all"}
		b.Spec.Defaults.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "all"}
	}
	own := func(c *yingdav1.Channel) {
		c.Spec.PlaybookRef = &yingdav1.PlaybookReference{Name: "own"}
		c.Spec.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "own"}
	}
	missing := func(c *yingdav1.Channel) {
		c.Spec.PlaybookRef = &yingdav1.PlaybookReference{Name: "missing"}
		c.Spec.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "missing"}
	}
	type effect struct {
		Texts []string
		Days  int32
	}
	tests := map[string]struct {
		brand   *yingdav1.Brand
		channel *yingdav1.Channel
		want    effect
	}{
		"its own":                               {aBrand(defaults), aChannel("shop", own), effect{[]string{"own"}, 2}},
		"the brand's":                           {aBrand(defaults), aChannel("shop"), effect{[]string{"all"}, 1}},
		"none where the brand has none":         {aBrand(), aChannel("shop"), effect{}},
		"its own without a brand's":             {aBrand(), aChannel("shop", own), effect{[]string{"own"}, 2}},
		"what is missing is not the brand's":    {aBrand(defaults), aChannel("shop", missing), effect{}},
		"none while the brand was not yet seen": {&yingdav1.Brand{ObjectMeta: meta("other", 1)}, aChannel("shop"), effect{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := Fixed(namespace, brandName, test.brand, test.channel,
				aPlaybook("all", 1, "all"), aPlaybook("own", 1, "own"), aLevel("all", 1), aLevel("own", 2))
			channel, _ := c.Snapshot().Channel("shop")
			got := effect{canned(t, c, "shop"), channel.ServiceLevel.Complaint.FollowUpWithinDays}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("in force (-want +got):\n%s", diff)
			}
			if channel.Playbook == nil {
				t.Error("the Playbook is nil")
			}
		})
	}
}

func TestGroupTakesItsOwnScheduleBeforeTheBrands(t *testing.T) {
	brand := aBrand(func(b *yingdav1.Brand) { b.Spec.Defaults.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "all"} })
	own := aGroup("own", func(g *yingdav1.SkillGroup) { g.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "own"} })
	c := Fixed(namespace, brandName, brand, own, aGroup("plain"), aSchedule("all", 1, "Asia/Shanghai"), aSchedule("own", 1, "Europe/Berlin"))
	got := map[string]bool{}
	for _, group := range c.Snapshot().Groups() {
		got[group.Name] = group.Schedule == c.builder.schedules[map[string]string{"own": "own", "plain": "all"}[group.Name]].value.schedule
	}
	if diff := cmp.Diff(map[string]bool{"own": true, "plain": true}, got); diff != "" {
		t.Errorf("has its schedule (-want +got):\n%s", diff)
	}
}

func TestWhatIsDeletedOrOfAnotherBrandIsNotThere(t *testing.T) {
	foreign := yingdav1.BrandReference{Name: "other"}
	c := Fixed(namespace, brandName, aBrand(), aChannel("shop"), aGroup("sales"), anAgent("an", nil),
		aSchedule("days", 1, "UTC"), aPlaybook("greeting", 1, "hi"), aLevel("gold", 1),
		aChannel("theirs", func(c *yingdav1.Channel) { c.Spec.BrandRef = foreign }),
		aGroup("theirs", func(g *yingdav1.SkillGroup) { g.Spec.BrandRef = foreign }),
		anAgent("theirs", nil, func(a *yingdav1.Agent) { a.Spec.BrandRef = foreign }))
	// Playbooks, schedules and service levels are the namespace's: brands share them by name.
	want := map[string]int64{
		"Brand/lumi": 1, "Channel/shop": 1, "SkillGroup/sales": 1, "Agent/an": 1, "ShiftSchedule/days": 1, "Playbook/greeting": 1, "ServiceLevel/gold": 1,
	}
	if diff := cmp.Diff(want, generations(c)); diff != "" {
		t.Errorf("generations (-want +got):\n%s", diff)
	}
	c.Set(aBrand())
	if diff := cmp.Diff(map[string]int64{"Brand/lumi": 1}, generations(c)); diff != "" {
		t.Errorf("generations after deleting the rest (-want +got):\n%s", diff)
	}
}

func TestAgentsBelongToTheGroupsThatChooseThem(t *testing.T) {
	sales, night := map[string]string{"team": "sales"}, map[string]string{"team": "sales", "shift": "night"}
	leaving := anAgent("cy", sales, func(a *yingdav1.Agent) { a.DeletionTimestamp = &metav1.Time{} })
	c := Fixed(namespace, brandName, aBrand(), anAgent("bo", sales), anAgent("an", night), leaving,
		aGroup("sales", choosing(sales)), aGroup("night", choosing(night)), aGroup("all"))
	got := map[string][]string{}
	for _, agent := range c.Snapshot().Agents() {
		got[agent.Name] = c.Snapshot().GroupsOf(agent.Name)
	}
	if diff := cmp.Diff(map[string][]string{"an": {"all", "night", "sales"}, "bo": {"all", "sales"}}, got); diff != "" {
		t.Errorf("groups of agents (-want +got):\n%s", diff)
	}
}

func TestSnapshotInHandDoesNotChange(t *testing.T) {
	c := Fixed(namespace, brandName, aBrand(), aChannel("shop"))
	var told []*Snapshot
	c.Subscribe(func(s *Snapshot) { told = append(told, s) })
	before := c.Snapshot()
	c.Set(aBrand())
	if _, ok := before.Channel("shop"); !ok {
		t.Error("the snapshot in hand lost its Channel")
	}
	if len(told) != 1 || told[0] != c.Snapshot() {
		t.Error("subscribers were not told of the new snapshot once")
	}
}

func TestOnlyWhatPeopleDeclareMakesANewSnapshot(t *testing.T) {
	version := func(object client.Object, version string) client.Object {
		object.SetResourceVersion(version)
		return object
	}
	staffed := func(reason, version string) client.Object {
		group := aGroup("sales", func(g *yingdav1.SkillGroup) {
			g.Status.Conditions = []metav1.Condition{{Type: yingdav1.ConditionStaffed, Reason: reason}}
		})
		group.SetResourceVersion(version)
		return group
	}
	calls := func(since int64, version string) client.Object {
		group := staffed(yingdav1.ReasonOnCallCalled, version).(*yingdav1.SkillGroup)
		group.Status.Seats = &yingdav1.SkillGroupSeatsStatus{ShortSince: new(metav1.Unix(since, 0))}
		return group
	}
	tests := map[string]struct {
		before, after client.Object
		want          bool
	}{
		"a group that calls once more": {calls(1, "1"), calls(2, "2"), true},
		"a group that calls on":        {calls(1, "1"), calls(1, "2"), false},
		"a group that lacks agents":    {staffed(yingdav1.ReasonStaffed, "1"), staffed(yingdav1.ReasonUnderstaffed, "2"), false},
		"a group that calls for help":  {staffed(yingdav1.ReasonUnderstaffed, "1"), staffed(yingdav1.ReasonOnCallCalled, "2"), true},
		"a group that needs no more":   {staffed(yingdav1.ReasonOnCallCalled, "1"), staffed(yingdav1.ReasonStaffed, "2"), true},
		"a group that goes on calling": {staffed(yingdav1.ReasonOnCallCalled, "1"), staffed(yingdav1.ReasonOnCallCalled, "2"), false},
		"a spec":                       {version(aPlaybook("p", 1), "1"), version(aPlaybook("p", 2), "2"), true},
		"a status":                     {version(aPlaybook("p", 1), "1"), version(aPlaybook("p", 1), "2"), false},
		"a resync":                     {version(anAgent("a", nil), "1"), version(anAgent("a", nil), "1"), false},
		"an Agent's label":             {version(anAgent("a", nil), "1"), version(anAgent("a", map[string]string{"team": "sales"}), "2"), true},
		"one made anew under its name": {version(aPlaybook("p", 1), "1"), version(anew(aPlaybook("p", 1)), "2"), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := changes(test.before, test.after); got != test.want {
				t.Errorf("changes: %t, want %t", got, test.want)
			}
		})
	}
}

func TestQualityIsThatOfTheBrandsDefaults(t *testing.T) {
	level := &yingdav1.ServiceLevel{ObjectMeta: meta("all", 1), Spec: yingdav1.ServiceLevelSpec{Quality: &yingdav1.QualitySpec{SamplePercent: new(int32(10))}}}
	naming := func(b *yingdav1.Brand) {
		b.Spec.Defaults.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "all"}
	}
	abroad := func(b *yingdav1.Brand) {
		naming(b)
		b.Spec.Defaults.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "days"}
	}
	leaving := func(b *yingdav1.Brand) {
		naming(b)
		b.DeletionTimestamp = &metav1.Time{}
	}
	quality := servicelevel.Quality{SamplePercent: 10, DueWithin: 48 * time.Hour}
	for name, test := range map[string]struct {
		brand *yingdav1.Brand
		want  *Quality
	}{
		"in China without a schedule":        {aBrand(naming), &Quality{quality, "Asia/Shanghai"}},
		"where the default schedule is":      {aBrand(abroad), &Quality{quality, "Europe/Berlin"}},
		"none without a default":             {aBrand(), nil},
		"none of a brand that goes":          {aBrand(leaving), nil},
		"none while the brand was not seen":  {&yingdav1.Brand{ObjectMeta: meta("other", 1)}, nil},
		"none where it is a Channel's alone": {aBrand(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			own := aChannel("shop", func(c *yingdav1.Channel) { c.Spec.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "all"} })
			c := Fixed(namespace, brandName, test.brand, own, level, aSchedule("days", 1, "Europe/Berlin"))
			got, on := c.Snapshot().Quality()
			if on != (test.want != nil) || on && got != *test.want {
				t.Errorf("quality %+v, %t, want %+v", got, on, test.want)
			}
		})
	}
}

func TestWhatAPlaybookAnswersIsNamed(t *testing.T) {
	playbook := &yingdav1.Playbook{ObjectMeta: meta("shop", 1), Spec: yingdav1.PlaybookSpec{
		Rules: []yingdav1.PlaybookRule{
			{Name: "invoice", Match: yingdav1.PlaybookMatch{Keywords: []string{"发票"}}, Reply: &yingdav1.BotReply{Text: "在这里开"}},
			{Name: "complaint", Match: yingdav1.PlaybookMatch{Keywords: []string{"投诉"}}, HandOff: &yingdav1.RuleHandOff{Topic: "complaint"}},
		},
		FAQ: []yingdav1.FAQEntry{{Name: "return-policy", Question: "怎么退货", Answer: "七天内"}},
	}}
	with := aChannel("shop", func(c *yingdav1.Channel) { c.Spec.PlaybookRef = &yingdav1.PlaybookReference{Name: "shop"} })
	s := Fixed(namespace, brandName, aBrand(), playbook, with, aChannel("silent")).Snapshot()
	if with, without, gone := s.PlaybookOf("shop"), s.PlaybookOf("silent"), s.PlaybookOf("gone"); with != "shop" || without != "" || gone != "" {
		t.Errorf("the Playbooks are %q, %q and %q", with, without, gone)
	}
	for question, want := range map[string][2]string{
		"请问如何退货呢": {"return-policy", "怎么退货"}, "发票怎么开": {"invoice"}, "我要投诉": {"complaint"}, "转人工": {"handOff"}, "会员日是几号": {},
	} {
		if name, asks := s.Answers("shop", question); name != want[0] || asks != want[1] {
			t.Errorf("%s is answered by %q, which asks %q, want %q", question, name, asks, want)
		}
	}
	if got, _ := s.Answers("gone", "怎么退货"); got != "" {
		t.Errorf("a Playbook that is gone answers by %q", got)
	}
}
