package router

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// looks is one tick of the clock, with the work that it brings.
func (w *world) looks(c *clock) {
	w.t.Helper()
	if err := c.look(w.t.Context(), w.Catalog.Snapshot()); err != nil {
		w.t.Fatal(err)
	}
	for _, change := range w.groups.take() {
		if err := w.drain(w.t.Context(), change.group); err != nil {
			w.t.Fatal(err)
		}
	}
}

// outlasts is as many ticks as it takes until what is missing counts as gone, and two more.
func (w *world) outlasts(c *clock) {
	w.t.Helper()
	w.looks(c)
	for range 3 {
		w.now = w.now.Add(goneAfter)
		w.looks(c)
	}
}

// without is the brand without the object of that name.
func without(name string) []client.Object {
	return slices.DeleteFunc(brand(), func(o client.Object) bool { return o.GetName() == name })
}

func (w *world) row(customer string) db.Conversation {
	w.t.Helper()
	var row db.Conversation
	w.does(customer, func(_ context.Context, _ *store.Unit, c db.Conversation) error { row = c; return nil })
	return row
}

func TestTheConversationsOfADeletedAgentGoBackIntoTheQueue(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("c", "你好")
	queuedAt := *w.row("c").QueuedAt
	w.now = w.now.Add(time.Minute)
	w.Catalog.Set(without("xiaomei")...)
	w.looks(clock)
	if got := w.row("c").State; got != store.StateAssigned {
		t.Errorf("at once the conversation is %s: another replica may know an agent of whom this one has not heard", got)
	}
	w.outlasts(clock)
	c := w.row("c")
	if c.State != store.StateQueued || c.Agent != nil || !c.QueuedAt.Equal(queuedAt) {
		t.Errorf("the conversation is %s since %v, want it in the queue where it was", c.State, c.QueuedAt)
	}
	presence, err := w.Store.Queries().PresenceGet(t.Context(), "xiaomei")
	if err != nil {
		t.Fatal(err)
	}
	if presence.Used != 0 {
		t.Errorf("%d slots are used by nobody", presence.Used)
	}
	w.Catalog.Set(brand()...)
	w.looks(clock)
	if got := w.sees("c"); got.State != store.StateAssigned {
		t.Errorf("with an agent again the conversation is %s", got.State)
	}
}

func TestAConversationThatItsAgentDoesNotAnswerIsPassedOn(t *testing.T) {
	reassigning := func(generation int64, after string) []client.Object {
		objects := brand()
		for _, o := range objects {
			if group, ok := o.(*yingdav1.SkillGroup); ok {
				group.Generation, group.Spec.Assignment.ReassignAfter = generation, after
			}
		}
		xiaohong := &yingdav1.Agent{ObjectMeta: metav1.ObjectMeta{Name: "xiaohong", Namespace: "lumi"}}
		xiaohong.Spec = yingdav1.AgentSpec{BrandRef: yingdav1.BrandReference{Name: "lumi"}, Capacity: 1}
		return append(objects, xiaohong)
	}
	w := newWorld(t)
	clock := newClock(w.Router)
	w.Catalog.Set(reassigning(2, "1h")...)
	w.writes("c", "你好")
	if _, err := w.Store.Queries().PresenceSet(t.Context(), "xiaohong", true, w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.Catalog.Set(reassigning(3, "")...)
	w.looks(clock)
	if got := w.sees("c").Agent; got != "xiaomei" {
		t.Fatalf("of a group that takes nothing away the conversation went to %s", got)
	}
	w.Catalog.Set(reassigning(4, "2h")...)
	w.looks(clock)
	if got := w.sees("c").Agent; got != "xiaomei" {
		t.Fatalf("before its time the conversation went to %s", got)
	}
	w.now = time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC) // 22:00
	w.looks(clock)
	if got := w.sees("c").Agent; got != "xiaomei" {
		t.Errorf("while the group is closed the conversation went to %s", got)
	}
	w.now = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC) // 9:00
	w.looks(clock)
	if got := w.sees("c").Agent; got != "xiaohong" {
		t.Errorf("the conversation is with %s", got)
	}
}

func TestWhoWaitsInADeletedGroupGoesToTheDefaultGroup(t *testing.T) {
	for state, at := range map[string]time.Time{store.StateQueued: noon(), store.StateAwaitingOpening: noon().Add(11 * time.Hour)} {
		t.Run(state, func(t *testing.T) {
			w := newWorld(t)
			clock := newClock(w.Router)
			w.writes("first", "你好")
			w.now = at
			w.writes("c", "我要退款")
			if got := w.sees("c"); got.State != state || got.Group != "after-sales" {
				t.Fatalf("before, the conversation is %+v", got)
			}
			told := len(w.sees("c").Said)
			w.Catalog.Set(without("after-sales")...)
			w.outlasts(clock)
			got := w.sees("c")
			if got.State != state || got.Group != "pre-sales" || got.Rule != "" || len(got.Said) != told {
				t.Errorf("the conversation is %+v", got)
			}
		})
	}
}

func TestNothingIsTakenFromAnybodyWithoutTheBrand(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("c", "你好")
	w.Catalog.Set()
	w.outlasts(clock)
	if got := w.row("c").State; got != store.StateAssigned {
		t.Errorf("the conversation is %s", got)
	}
}

func TestWhoStillWaitsWhenTheGroupClosesIsToldOnceAndKeepsTheirPlace(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	w.writes("first", "你好")
	w.now = w.now.Add(time.Second)
	w.writes("c", "有人吗")
	queuedAt := *w.row("c").QueuedAt
	offHours := map[int]string{23: "现在休息(09:00-21:00),11月24日 09:00回复您。", 24: "现在休息(09:00-21:00),11月25日 09:00回复您。"}
	want := []string{"前面还有 0 位。"}
	for day := 23; day <= 24; day++ {
		want = append(want, offHours[day])
		for hour := range 3 { // 21:00, 22:00, 23:00
			w.now = time.Date(2026, 11, day, 13+hour, 0, 0, 0, time.UTC)
			w.looks(clock)
		}
		c := w.row("c")
		if due := time.Date(2026, 11, day+1, 2, 0, 0, 0, time.UTC); c.State != store.StateAwaitingOpening || !c.DueAt.Equal(due) {
			t.Errorf("at night the conversation is %s, due at %v, want %s", c.State, c.DueAt, due)
		}
		if diff := cmp.Diff(want, w.sees("c").Said); diff != "" {
			t.Errorf("said (-want +got):\n%s", diff)
		}
		w.now = time.Date(2026, 11, day+1, 1, 0, 0, 0, time.UTC)
		w.looks(clock)
		if c := w.row("c"); c.State != store.StateQueued || !c.QueuedAt.Equal(queuedAt) {
			t.Errorf("in the morning the conversation is %s since %v, want it queued since %s", c.State, c.QueuedAt, queuedAt)
		}
	}
}

func TestOneCustomerWhoCannotBeServedKeepsNobodyElseFromBeingTold(t *testing.T) {
	w := newWorld(t)
	w.writes("first", "你好")
	_, err := w.Store.Pool().Exec(t.Context(), `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON conversation FOR EACH ROW WHEN (OLD.external_id = 'bad' AND OLD.state = 'queued') EXECUTE FUNCTION refuse()`)
	if err != nil {
		t.Fatal(err)
	}
	for _, customer := range []string{"bad", "c"} {
		w.now = w.now.Add(time.Second)
		if err := w.Handle(t.Context(), 0, []message.Envelope{w.says(customer, customer, message.Content{Kind: message.KindText, Text: "有人吗"})}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.drain(t.Context(), "pre-sales"); err == nil {
		t.Error("the failure is not told")
	}
	if diff := cmp.Diff([]string{"前面还有 1 位。"}, w.sees("c").Said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestANewTopicKeepsTheCustomersPlace(t *testing.T) {
	w := newWorld(t)
	w.writes("first", "你好")
	w.now = w.now.Add(time.Second)
	w.writes("c", "有人吗")
	queuedAt := *w.row("c").QueuedAt
	w.now = w.now.Add(time.Hour)
	w.writes("c", "我要投诉")
	if c := w.row("c"); c.Topic != "complaint" || !c.QueuedAt.Equal(queuedAt) {
		t.Errorf("the conversation with topic %q waits since %s, want since %s", c.Topic, c.QueuedAt, queuedAt)
	}
}

func TestOnlyQueuesInWhichSomebodyWaitsAreWorkedOff(t *testing.T) {
	w := newWorld(t)
	clock := newClock(w.Router)
	look := func() []string {
		t.Helper()
		w.groups.take()
		if err := clock.look(t.Context(), w.Catalog.Snapshot()); err != nil {
			t.Fatal(err)
		}
		var groups []string
		for _, change := range w.groups.take() {
			groups = append(groups, change.group)
		}
		return groups
	}
	if got := look(); got != nil {
		t.Errorf("of an idle brand the queues of %v are worked off", got)
	}
	w.writes("first", "你好")
	w.writes("c", "我要退款")
	if diff := cmp.Diff([]string{"after-sales"}, look()); diff != "" {
		t.Errorf("queues worked off (-want +got):\n%s", diff)
	}
	steps := []struct {
		does func()
		want map[string]float64
	}{
		{func() {}, map[string]float64{"after-sales queued": 1, "after-sales awaiting_opening": 0, "pre-sales queued": 0, "pre-sales awaiting_opening": 0}},
		{func() { w.closes("c") }, map[string]float64{"after-sales queued": 0, "after-sales awaiting_opening": 0, "pre-sales queued": 0, "pre-sales awaiting_opening": 0}},
		{func() { w.Catalog.Set(without("after-sales")...) }, map[string]float64{"pre-sales queued": 0, "pre-sales awaiting_opening": 0}},
	}
	for _, step := range steps {
		step.does()
		look()
		if diff := cmp.Diff(step.want, metric(t, w.registry, "yingda_router_waiting_conversations")); diff != "" {
			t.Errorf("who waits (-want +got):\n%s", diff)
		}
	}
}

func TestAnUnknownEventIsShownAndGrantsNothing(t *testing.T) {
	w := newWorld(t)
	event := func(id string) message.Envelope {
		return w.says("c", id, message.Content{Kind: message.KindUnsupported, RawType: "event/subscribe_msg_popup_event", Raw: "{}"})
	}
	count := func(table string) (rows int) {
		t.Helper()
		if err := w.Store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	w.handles(event("1"))
	if contacts, conversations, grants := count("contact"), count("conversation"), count("quota"); contacts != 1 || conversations != 0 || grants != 0 {
		t.Errorf("%d contacts, %d conversations, %d grants, want the contact alone", contacts, conversations, grants)
	}
	w.writes("c", "怎么开发票")
	before, err := w.Store.Quota(t.Context(), store.Contact{Channel: "shop", ExternalID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Hour)
	w.handles(event("2"))
	got := w.sees("c")
	if diff := cmp.Diff(seen{State: "bot", Heard: []string{"怎么开发票", ""}, Said: got.Said}, got); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	after, err := w.Store.Quota(t.Context(), store.Contact{Channel: "shop", ExternalID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("quota (-before +after):\n%s", diff)
	}
	w.handles(w.says("c", "3", message.Content{Kind: message.KindUnsupported, RawType: "voice"}))
	if got := w.sees("c"); got.State != store.StateAssigned {
		t.Errorf("after a message that cannot be read the conversation is %s", got.State)
	}
}

func TestAMessageWithoutAPartitionWaitsForIt(t *testing.T) {
	w := newWorld(t)
	w.now = noon().AddDate(5, 0, 0)
	e := w.says("c", "1", message.Content{Kind: message.KindText, Text: "你好"})
	err := w.Handle(t.Context(), 0, []message.Envelope{e})
	if err == nil || store.IsRefused(err) {
		t.Fatalf("err = %v, want one that is tried again", err)
	}
	w.awaitPartitions(t.Context())
	w.handles(e)
	if diff := cmp.Diff([]string{"你好"}, w.sees("c").Heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func TestUpkeepLetsGoOfWhatIsOldInBatches(t *testing.T) {
	w := newWorld(t)
	execute := func(sql string, arguments ...any) {
		t.Helper()
		if _, err := w.Store.Pool().Exec(t.Context(), sql, arguments...); err != nil {
			t.Fatal(err)
		}
	}
	old, young := w.now.AddDate(-1, 0, 0), w.now.Add(-time.Hour)
	execute(`INSERT INTO processed (consumer, channel, message_id, received_at) SELECT 'router', 'shop', 'old/' || n, $1::timestamptz FROM generate_series(1, 2500) n
		UNION ALL SELECT 'router', 'shop', 'young', $2`, old, young)
	// While the Brand does not say for how long conversations are kept, files stay, too.
	execute(`INSERT INTO media (id, channel, state, created_at) VALUES ($1, 'shop', 'stored', $2)`, uuid.New(), old)
	delivery := `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at, reported) VALUES (gen_random_uuid(), 'p', 'shop', 'c', $1, '{}', $2, $3)`
	execute(delivery, "delivered", old, true)
	execute(delivery, "delivered", old, false)
	execute(delivery, "delivered", young, true)
	execute(delivery, "failed", old, true)
	execute(delivery, "deferred", old, true)
	execute(`INSERT INTO workload (quarter, skill_group, arrivals, handled, handling_seconds) SELECT $1::timestamptz - n * interval '15 minutes', 'sales', 1, 0, 0
		FROM generate_series(1, 1500) n UNION ALL SELECT $2, 'sales', 1, 0, 0`, w.now.Add(-store.WorkloadKept), young)
	w.upkeep(t.Context())
	got := map[string]int{}
	for _, table := range []string{"processed", "media", "delivery", "workload"} {
		var rows int
		if err := w.Store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		got[table] = rows
	}
	if diff := cmp.Diff(map[string]int{"processed": 1, "media": 1, "delivery": 4, "workload": 1}, got); diff != "" {
		t.Errorf("rows that stay (-want +got):\n%s", diff)
	}
}

func TestConversationsStayUntilTheBrandSaysForHowLong(t *testing.T) {
	w := newWorld(t)
	w.writes("c", "在吗")
	if _, err := w.Store.Pool().Exec(t.Context(), `UPDATE conversation SET state = 'closed', agent = NULL, closed_at = $1`, w.now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.AddDate(0, 0, 31)
	for days, want := range map[int32]int{0: 1, 60: 1} {
		w.keeps(days)
		w.upkeep(t.Context())
		if got := w.conversations(); got != want {
			t.Errorf("kept for %d days, %d conversations are left after 31, want %d", days, got, want)
		}
	}
	w.keeps(30)
	w.upkeep(t.Context())
	if got := w.conversations(); got != 0 {
		t.Errorf("kept for 30 days, %d conversations are left after 31", got)
	}
}

// keeps has the Brand keep conversations for so many days; 0 says nothing.
func (w *world) keeps(days int32) {
	objects := brand()
	for _, o := range objects {
		if b, is := o.(*yingdav1.Brand); is && days > 0 {
			b.Spec.Privacy = &yingdav1.PrivacySpec{RetentionDays: &days}
		}
	}
	w.Catalog.Set(objects...)
}

func (w *world) conversations() (count int) {
	w.t.Helper()
	if err := w.Store.Pool().QueryRow(w.t.Context(), `SELECT count(*) FROM conversation`).Scan(&count); err != nil {
		w.t.Fatal(err)
	}
	return count
}
