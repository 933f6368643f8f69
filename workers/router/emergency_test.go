package router

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// withBanner has the Playbook say something while there is an emergency.
func withBanner(objects []client.Object) {
	of("shop", func(p *yingdav1.Playbook) {
		p.Spec.Texts.Banner = "{{.Brand}}正在处理物流异常,请留意公告。"
	})(objects)
}

const bannerText = "露米正在处理物流异常,请留意公告。"

// known makes the brand one of which something has been known for four weeks.
func (w *world) known() {
	w.t.Helper()
	_, err := w.Store.Pool().Exec(w.t.Context(), `INSERT INTO workload (skill_group, quarter, arrivals, handled, handling_seconds)
		VALUES ('pre-sales', $1, 1, 1, 60)`, w.now.AddDate(0, 0, -40))
	if err != nil {
		w.t.Fatal(err)
	}
}

// complain has complaints of a group come, spread over the ten minutes before.
func (w *world) complain(group string, count int) {
	w.t.Helper()
	for i := range count {
		id := uuid.Must(uuid.NewV7())
		_, err := w.Store.Queries().ComplaintOpen(w.t.Context(), db.ComplaintOpenParams{
			ID: "complaint/" + id.String(), ConversationID: id, Channel: "shop", ExternalID: fmt.Sprint("o-", i), SkillGroup: group,
			OpenedAt: w.now.Add(-time.Duration(i+1) * 10 * time.Minute / time.Duration(count+1)),
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

// minutes has so much time pass, a look a minute.
func (w *world) minutes(n int) {
	w.t.Helper()
	for range n {
		w.now = w.now.Add(time.Minute)
		w.lookForEmergencies()
	}
}

func (w *world) lookForEmergencies() {
	w.t.Helper()
	if err := w.lookForBursts(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.recallEmergencies(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// emergenciesStarted are the inputs of the workflows that were started.
func (w *world) emergenciesStarted() []promise.EmergencyInput {
	w.t.Helper()
	rows, err := w.Store.Queries().OutboxHead(w.t.Context(), []int16{0, 1, 2, 3, 4, 5, 6, 7}, store.DestinationTemporal, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var started []promise.EmergencyInput
	for _, row := range rows {
		if row.Target != store.TargetStart+promise.EmergencyWorkflow {
			continue
		}
		var in promise.EmergencyInput
		if err := json.Unmarshal(row.Payload, &in); err != nil {
			w.t.Fatal(err)
		}
		if in.ID != row.Key {
			w.t.Errorf("%s was started as %s", in.ID, row.Key)
		}
		started = append(started, in)
	}
	return started
}

func TestABurstOpensOneEmergency(t *testing.T) {
	w := newWorld(t, withBanner)
	w.known()
	w.complain("after-sales", 4)
	w.lookForEmergencies()
	if started := w.emergenciesStarted(); len(started) != 0 {
		t.Fatalf("four complaints started %+v", started)
	}
	w.complain("after-sales", 4)
	w.lookForEmergencies()
	at := w.now
	// Others look as well, and this one again; a restart remembers nothing.
	again := New(w.Config)
	for range 2 {
		if err := again.lookForBursts(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.minutes(3)
	want := []promise.EmergencyInput{{
		ID: "emergency/lumi/lumi/1", Number: 1, SkillGroup: "after-sales", ScopeName: "after-sales", Since: at.Add(-15 * time.Minute), StartedAt: at,
		Complaints: 8, UsualPerHour: 1, CalmForSeconds: 1800, CheckEverySeconds: 300,
	}}
	if diff := cmp.Diff(want, w.emergenciesStarted()); diff != "" {
		t.Errorf("emergencies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"after-sales": 1}, metric(t, w.registry, "yingda_router_emergencies")); diff != "" {
		t.Errorf("metric (-want +got):\n%s", diff)
	}
}

func TestAnEmergencyBeginsWhileNothingRunsTheProcesses(t *testing.T) {
	w := newWorld(t)
	w.known()
	for i := range 8 {
		w.writes(fmt.Sprint("c-", i), "我要投诉")
	}
	w.minutes(1)
	started := w.emergenciesStarted()
	if len(started) != 1 || started[0].SkillGroup != "pre-sales" || started[0].Complaints != 8 {
		t.Errorf("eight complaints started %+v", started)
	}
}

func TestNoEmergencyWithoutReason(t *testing.T) {
	off := func(objects []client.Object) {
		of("standard", func(l *yingdav1.ServiceLevel) { l.Spec.Emergency.Detection = yingdav1.EmergencyDetectionDisabled })(objects)
	}
	deaf := func(objects []client.Object) {
		of("standard", func(l *yingdav1.ServiceLevel) { l.Spec.Emergency.MinComplaints = 50 })(objects)
	}
	for name, tt := range map[string]struct {
		change  func([]client.Object)
		history func(*world)
	}{
		"nobody looks":                        {off, (*world).known},
		"it takes more":                       {deaf, (*world).known},
		"nothing is known of the brand yet":   {func([]client.Object) {}, func(*world) {}},
		"it is as usual on days of that kind": {func([]client.Object) {}, busyEveryDay},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.change)
			tt.history(w)
			w.complain("after-sales", 10)
			w.minutes(2)
			if started := w.emergenciesStarted(); len(started) != 0 {
				t.Errorf("started %+v", started)
			}
		})
	}
}

// busyEveryDay has had as many complaints at this hour of every day.
func busyEveryDay(w *world) {
	w.known()
	today := w.now
	for back := 1; back <= 28; back++ {
		w.now = today.AddDate(0, 0, -back)
		w.complain("after-sales", 10)
	}
	w.now = today
}

func TestWhileAnEmergencyLastsTheBotSaysSoFirstOnceAConversation(t *testing.T) {
	w := newWorld(t, withBanner)
	w.known()
	w.complain("after-sales", 6)
	w.complain("pre-sales", 6)
	w.lookForEmergencies()
	if started := w.emergenciesStarted(); len(started) != 1 || started[0].SkillGroup != "" || started[0].ScopeName != "露米" {
		t.Fatalf("started %+v, want one of the brand", started)
	}
	w.handles(w.says("enters", "e1", message.Content{Kind: message.KindEntered}))
	w.writes("enters", "怎么开发票")
	want := seen{State: "bot", Heard: []string{"怎么开发票"}, Said: []string{bannerText, "您好,这里是露米客服。", "开票入口:", "https://lumi.example/invoice"}}
	if diff := cmp.Diff(want, w.sees("enters")); diff != "" {
		t.Errorf("who enters (-want +got):\n%s", diff)
	}
	w.writes("writes", "怎么开发票")
	// Another router knows no more than the database.
	again := &world{Router: New(w.Config), t: t, now: w.now, registry: w.registry}
	if err := again.recallEmergencies(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.writes("writes", "怎么退货", "我要投诉")
	if said := w.sees("writes").Said; len(said) == 0 || said[0] != bannerText || strings.Count(strings.Join(said, " "), bannerText) != 1 {
		t.Errorf("who writes is told %q", said)
	}
	if diff := cmp.Diff(map[string]float64{"": 2}, metric(t, w.registry, "yingda_router_banners_total")); diff != "" {
		t.Errorf("banners_total (-want +got):\n%s", diff)
	}
}

func TestWhatWasToldAtOnceOfAnEmergencyIsNotToldAgain(t *testing.T) {
	w := newWorld(t, withBanner)
	w.known()
	w.complain("after-sales", 6)
	w.complain("pre-sales", 6)
	w.lookForEmergencies()
	number := w.emergenciesStarted()[0].Number
	w.handles(w.didTold("c", written("发票"), number, bannerText, "开票入口:"))
	w.writes("c", "怎么退货")
	want := seen{State: "bot", Topic: "after-sales", Heard: []string{"发票", "怎么退货"}, Said: []string{bannerText, "开票入口:", "签收七天内可以退货。"}}
	if diff := cmp.Diff(want, w.sees("c")); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"": 1}, metric(t, w.registry, "yingda_router_banners_total")); diff != "" {
		t.Errorf("banners_total (-want +got):\n%s", diff)
	}
	// Another router knows it from the database.
	again := &world{Router: New(w.Config), t: t, now: w.now, registry: w.registry}
	if err := again.recallEmergencies(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.writes("c", "尺码怎么选")
	if said := w.sees("c").Said; strings.Count(strings.Join(said, " "), bannerText) != 1 {
		t.Errorf("the customer is told %q", said)
	}
}

func TestWhoHasAnAgentIsTalkedToByTheAgent(t *testing.T) {
	w := newWorld(t, withBanner)
	w.known()
	w.writes("c", "在吗")
	w.complain("after-sales", 6)
	w.complain("pre-sales", 6)
	w.lookForEmergencies()
	w.writes("c", "还在吗")
	if said := w.sees("c").Said; len(said) != 0 {
		t.Errorf("the bot said %q", said)
	}
}

func TestAnEmergencyOfAGroupConcernsWhoGoesThere(t *testing.T) {
	w := newWorld(t, withBanner)
	w.known()
	w.complain("after-sales", 8)
	w.lookForEmergencies()
	w.writes("elsewhere", "怎么开发票")
	w.writes("there", "我要退款")
	if said := w.sees("elsewhere").Said; len(said) == 0 || said[0] == bannerText {
		t.Errorf("who is not concerned is told %q", said)
	}
	if said := w.sees("there").Said; len(said) == 0 || said[0] != bannerText {
		t.Errorf("who is concerned is told %q", said)
	}
}

func TestWhenItHasEndedTheBotIsAsBefore(t *testing.T) {
	w := newWorld(t, withBanner)
	w.known()
	w.complain("after-sales", 8)
	w.lookForEmergencies()
	w.ends(1)
	if err := w.recallEmergencies(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.writes("c", "我要退款")
	if said := w.sees("c").Said; len(said) != 0 {
		t.Errorf("the bot said %q", said)
	}
	if got := metric(t, w.registry, "yingda_router_emergencies"); len(got) != 0 {
		t.Errorf("emergencies: %v", got)
	}
}

// ends has a supervisor say that an emergency is over.
func (w *world) ends(number int64) {
	w.t.Helper()
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error { return u.EmergencyEnd(ctx, u.Now, number) })
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestWhatASupervisorEndedDoesNotBeginAgainUntilItWasCalm(t *testing.T) {
	w := newWorld(t)
	w.known()
	w.complain("after-sales", 8)
	w.lookForEmergencies()
	w.ends(1)
	w.complain("after-sales", 8)
	w.minutes(5)
	if n := len(w.emergenciesStarted()); n != 1 {
		t.Fatalf("%d emergencies while complaints come as before, want the one", n)
	}
	w.minutes(45)
	w.complain("after-sales", 8)
	w.minutes(1)
	if n := len(w.emergenciesStarted()); n != 2 {
		t.Errorf("%d emergencies after it was calm, want a second", n)
	}
}

func TestTheWebhookIsToldOfAnEmergencyOnce(t *testing.T) {
	p := newPager(t)
	w := newWorld(t, func(objects []client.Object) { shortOf(p.URL, time.Time{})(objects) })
	w.trust(p, "secret")
	w.known()
	w.complain("after-sales", 8)
	w.lookForEmergencies()
	at := w.now
	w.passes(0)
	w.passes(time.Hour)
	calls := p.called()
	if len(calls) != 1 {
		t.Fatalf("called %d times, want once", len(calls))
	}
	var got oncall.Notice
	if err := json.Unmarshal(calls[0].body, &got); err != nil {
		t.Fatal(err)
	}
	want := oncall.Notice{
		ID: "emergency/lumi/lumi/1", Type: "EmergencyOpened", Namespace: "lumi", Brand: "lumi", SkillGroup: "after-sales",
		DisplayName: "after-sales", Since: at, OnCall: []string{"xiaomei"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}
