package router

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

func migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// world is a brand with one router whose clock stands still.
type world struct {
	*Router
	t        *testing.T
	now      time.Time
	registry *prometheus.Registry
}

// noon is a Monday at 12:00 in Shanghai.
func noon() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func newWorld(t *testing.T, change ...func([]client.Object)) *world {
	t.Helper()
	s, err := store.Open(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	objects := brand()
	for _, f := range change {
		f(objects)
	}
	w := &world{t: t, now: noon(), registry: prometheus.NewRegistry()}
	w.Router = New(Config{
		Names: bus.Names{Prefix: "yingda", Namespace: "lumi", Brand: "lumi"}, Store: s, Catalog: catalog.Fixed("lumi", "lumi", objects...),
		Now: func() time.Time { return w.now }, Logger: slog.New(slog.DiscardHandler), Metrics: NewMetrics(w.registry),
	})
	w.reading.progress = &topicRead{read: true}
	if _, err := s.Queries().PresenceSet(t.Context(), "xiaomei", true, w.now); err != nil {
		t.Fatal(err)
	}
	return w
}

func brand() []client.Object {
	meta := func(name string, labels map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "lumi", Generation: 1, Labels: labels}
	}
	ref := yingdav1.BrandReference{Name: "lumi"}
	return []client.Object{
		&yingdav1.Brand{ObjectMeta: meta("lumi", nil), Spec: yingdav1.BrandSpec{DisplayName: "露米", Defaults: yingdav1.BrandDefaults{
			SkillGroupRef: &yingdav1.SkillGroupReference{Name: "pre-sales"}, PlaybookRef: &yingdav1.PlaybookReference{Name: "shop"},
			ServiceLevelRef: &yingdav1.ServiceLevelReference{Name: "standard"}, ScheduleRef: &yingdav1.ShiftScheduleReference{Name: "online"},
		}}},
		&yingdav1.Channel{ObjectMeta: meta("shop", nil), Spec: yingdav1.ChannelSpec{
			BrandRef: ref, Type: yingdav1.ChannelTypeMiniProgram,
			EntryPoints: []yingdav1.EntryPoint{{Name: "order", SessionFromPrefix: "order:"}},
			Routing: []yingdav1.RoutingRule{
				{Name: "from-order-page", When: yingdav1.RoutingMatch{EntryPoints: []string{"order"}}, SkillGroupRef: yingdav1.SkillGroupReference{Name: "after-sales"}},
				{Name: "refund-words", When: yingdav1.RoutingMatch{Keywords: []string{"退款"}}, SkillGroupRef: yingdav1.SkillGroupReference{Name: "after-sales"}},
				{Name: "after-sales", When: yingdav1.RoutingMatch{Topics: []string{"after-sales"}}, SkillGroupRef: yingdav1.SkillGroupReference{Name: "after-sales"}},
			},
		}},
		&yingdav1.SkillGroup{ObjectMeta: meta("pre-sales", nil), Spec: yingdav1.SkillGroupSpec{BrandRef: ref}},
		&yingdav1.SkillGroup{ObjectMeta: meta("after-sales", nil), Spec: yingdav1.SkillGroupSpec{
			BrandRef:      ref,
			AgentSelector: metav1.LabelSelector{MatchLabels: map[string]string{"team": "after-sales"}},
			Priorities:    []yingdav1.PriorityRule{{Name: "complaint", When: yingdav1.PriorityMatch{Topics: []string{"complaint"}}, Add: 200}},
		}},
		&yingdav1.ShiftSchedule{ObjectMeta: meta("online", nil), Spec: yingdav1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai", Shifts: []yingdav1.WeeklyShift{{
			Days:  []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday, yingdav1.Wednesday, yingdav1.Thursday, yingdav1.Friday},
			Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "12h"},
		}}}},
		&yingdav1.Agent{ObjectMeta: meta("xiaomei", map[string]string{"team": "after-sales"}), Spec: yingdav1.AgentSpec{BrandRef: ref, DisplayName: "小美", Capacity: 1}},
		&yingdav1.Playbook{ObjectMeta: meta("shop", nil), Spec: yingdav1.PlaybookSpec{
			Texts: yingdav1.PlaybookTexts{
				Welcome: "您好,这里是{{.Brand}}客服。", OffHours: "现在休息({{.Hours}}),{{.NextOpening}}回复您。",
				Queued: "前面还有 {{.QueuePosition}} 位。", ComplaintAcknowledged: "已收到您的投诉。",
			},
			Rules: []yingdav1.PlaybookRule{
				{Name: "complaint", Match: yingdav1.PlaybookMatch{Keywords: []string{"投诉"}}, HandOff: &yingdav1.RuleHandOff{Topic: yingdav1.TopicComplaint}},
				{Name: "invoice", Match: yingdav1.PlaybookMatch{Keywords: []string{"发票"}}, Reply: &yingdav1.BotReply{Text: "开票入口:", Link: &yingdav1.BotLink{Title: "开发票", URL: "https://lumi.example/invoice"}}},
			},
			FAQ: []yingdav1.FAQEntry{
				{Name: "return", Question: "怎么退货", Answer: "签收七天内可以退货。", Topic: "after-sales"},
				{Name: "size", Question: "尺码怎么选", Answer: "请看尺码表。"},
			},
		}},
		&yingdav1.ServiceLevel{ObjectMeta: meta("standard", nil), Spec: yingdav1.ServiceLevelSpec{
			Complaint: yingdav1.ComplaintSpec{Ladder: []yingdav1.EscalationRung{{After: "1h", Notify: yingdav1.RoleSupervisor}}, FollowUpWithinDays: 3},
			OffHours:  yingdav1.OffHoursSpec{AnswerWithin: "1h"},
		}},
	}
}

// writes plays messages of a customer, in one batch, and then works off all queues.
func (w *world) writes(customer string, texts ...string) {
	w.t.Helper()
	var batch []message.Envelope
	for _, text := range texts {
		batch = append(batch, w.says(customer, uuid.NewString(), message.Content{Kind: message.KindText, Text: text}))
	}
	w.handles(batch...)
}

func (w *world) says(customer, id string, content message.Content) message.Envelope {
	w.t.Helper()
	in := message.Inbound{Channel: "shop", Customer: customer, MessageID: id, SentAt: w.now, ReceivedAt: w.now, Content: content}
	e, err := message.New(id, message.TypeInbound, "/test", "shop", message.CustomerKey("shop", customer), w.now, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func (w *world) handles(batch ...message.Envelope) {
	w.t.Helper()
	if err := w.Handle(w.t.Context(), 0, batch); err != nil {
		w.t.Fatal(err)
	}
	w.drains()
}

func (w *world) drains() {
	w.t.Helper()
	for _, group := range w.Catalog.Snapshot().Groups() {
		if err := w.drain(w.t.Context(), group.Name); err != nil {
			w.t.Fatal(err)
		}
	}
}

type seen struct {
	State, Group, Rule, Topic, Agent string
	Heard, Said                      []string
}

// sees returns the customer's newest conversation.
func (w *world) sees(customer string) seen {
	w.t.Helper()
	var s seen
	var id uuid.UUID
	pool := w.Store.Pool()
	err := pool.QueryRow(w.t.Context(), `SELECT id, state, skill_group, routing_rule, topic, coalesce(agent, '') FROM conversation
		WHERE external_id = $1 ORDER BY opened_at DESC LIMIT 1`, customer).Scan(&id, &s.State, &s.Group, &s.Rule, &s.Topic, &s.Agent)
	if err != nil {
		w.t.Fatal(err)
	}
	rows, err := pool.Query(w.t.Context(), `SELECT direction, coalesce(content->>'text', content->'link'->>'url', '') FROM message WHERE conversation_id = $1 ORDER BY id`, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var direction, text string
		if err := rows.Scan(&direction, &text); err != nil {
			w.t.Fatal(err)
		}
		if direction == "inbound" {
			s.Heard = append(s.Heard, text)
		} else {
			s.Said = append(s.Said, text)
		}
	}
	return s
}

func TestRouting(t *testing.T) {
	tests := map[string]struct {
		writes []string
		want   seen
	}{
		"a message that no rule answers goes to a human of the default group": {
			writes: []string{"在吗"},
			want:   seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"在吗"}},
		},
		"a keyword gives the conversation to its group": {
			writes: []string{"我要退款"},
			want:   seen{State: "assigned", Group: "after-sales", Rule: "refund-words", Agent: "xiaomei", Heard: []string{"我要退款"}},
		},
		"the bot answers what a rule answers, and keeps the conversation": {
			writes: []string{"怎么开发票"},
			want:   seen{State: "bot", Heard: []string{"怎么开发票"}, Said: []string{"开票入口:", "https://lumi.example/invoice"}},
		},
		"who asks for a human after the bot's answer gets one": {
			writes: []string{"怎么开发票", "转人工"},
			want: seen{
				State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"怎么开发票", "转人工"},
				Said: []string{"开票入口:", "https://lumi.example/invoice"},
			},
		},
		"the bot answers a question of the FAQ that is asked in other words": {
			writes: []string{"这个东西怎么退呀"},
			want:   seen{State: "bot", Topic: "after-sales", Heard: []string{"这个东西怎么退呀"}, Said: []string{"签收七天内可以退货。"}},
		},
		"who asks again what the FAQ answered gets a human, and its topic stays": {
			writes: []string{"怎么退货", "那要怎么退货呢"},
			want: seen{
				State: "assigned", Group: "after-sales", Rule: "after-sales", Topic: "after-sales", Agent: "xiaomei", Heard: []string{"怎么退货", "那要怎么退货呢"},
				Said: []string{"签收七天内可以退货。"},
			},
		},
		"who asks two questions gets two answers": {
			writes: []string{"怎么选尺码", "如何退货"},
			want:   seen{State: "bot", Topic: "after-sales", Heard: []string{"怎么选尺码", "如何退货"}, Said: []string{"请看尺码表。", "签收七天内可以退货。"}},
		},
		"a complaint after an answer is a complaint": {
			writes: []string{"怎么退货", "我要投诉"},
			want: seen{
				State: "assigned", Group: "pre-sales", Topic: "complaint", Agent: "xiaomei", Heard: []string{"怎么退货", "我要投诉"},
				Said: []string{"签收七天内可以退货。", heardOut},
			},
		},
		"a complaint gets its topic": {
			writes: []string{"我要投诉"},
			want:   seen{State: "assigned", Group: "pre-sales", Topic: "complaint", Agent: "xiaomei", Heard: []string{"我要投诉"}, Said: []string{heardOut}},
		},
		"a conversation with an agent keeps the agent when it becomes a complaint": {
			writes: []string{"退款", "我要投诉"},
			want:   seen{State: "assigned", Group: "after-sales", Rule: "refund-words", Topic: "complaint", Agent: "xiaomei", Heard: []string{"退款", "我要投诉"}, Said: []string{heardOut}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, text := range test.writes {
				w.writes("c", text)
			}
			if diff := cmp.Diff(test.want, w.sees("c")); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheSameMessageThreeTimesCountsOnce(t *testing.T) {
	w := newWorld(t)
	e := w.says("c", "24400001", message.Content{Kind: message.KindText, Text: "你好"})
	w.handles(e)
	w.handles(e, e)
	if got := w.sees("c").Heard; len(got) != 1 {
		t.Errorf("heard %d messages, want 1", len(got))
	}
}

func TestTheEntryPointDecidesTheGroup(t *testing.T) {
	w := newWorld(t)
	w.handles(w.says("c", "enter-1", message.Content{Kind: message.KindEntered, SessionFrom: "order:42"}))
	want := seen{State: "bot", Said: []string{"您好,这里是露米客服。"}}
	if diff := cmp.Diff(want, w.sees("c")); diff != "" {
		t.Errorf("after entering (-want +got):\n%s", diff)
	}
	w.writes("c", "在吗")
	if got := w.sees("c"); got.Group != "after-sales" || got.Rule != "from-order-page" {
		t.Errorf("group %s by rule %s, want after-sales by from-order-page", got.Group, got.Rule)
	}
}

func TestTheMessagesOfOneBatchSeeOneAnother(t *testing.T) {
	w := newWorld(t)
	text := func(id, text string) message.Envelope {
		return w.says("c", id, message.Content{Kind: message.KindText, Text: text})
	}
	w.handles(
		w.says("c", "1", message.Content{Kind: message.KindEntered, SessionFrom: "order:42"}),
		text("2", "怎么开发票"), text("2", "怎么开发票"), text("3", "转人工"), text("4", "我要投诉"),
		w.says("d", "5", message.Content{Kind: message.KindText, Text: "在吗"}),
	)
	want := seen{
		State: "assigned", Group: "after-sales", Rule: "from-order-page", Topic: "complaint", Agent: "xiaomei",
		Heard: []string{"怎么开发票", "转人工", "我要投诉"}, Said: []string{"您好,这里是露米客服。", "开票入口:", "https://lumi.example/invoice", heardOut},
	}
	if diff := cmp.Diff(want, w.sees("c")); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	if got := w.sees("d"); got.State != "queued" {
		t.Errorf("the other customer's conversation is %s", got.State)
	}
}

func TestWhoFindsTheOnlyAgentBusyWaitsAndIsServedWhenASlotFrees(t *testing.T) {
	w := newWorld(t)
	w.writes("first", "你好")
	w.now = w.now.Add(time.Second)
	w.writes("second", "有人吗")
	want := seen{State: "queued", Group: "pre-sales", Heard: []string{"有人吗"}, Said: []string{"前面还有 0 位。"}}
	if diff := cmp.Diff(want, w.sees("second")); diff != "" {
		t.Errorf("while waiting (-want +got):\n%s", diff)
	}
	w.closes("first")
	w.drains()
	if got := w.sees("second"); got.State != "assigned" || got.Agent != "xiaomei" {
		t.Errorf("after the slot freed: %+v", got)
	}
}

func (w *world) closes(customer string) {
	w.t.Helper()
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationOpenForUpdate(ctx, "shop", customer)
		if err != nil {
			return err
		}
		_, err = u.Close(ctx, c)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestAnOffHoursMessageIsKeptAndServedAtTheNextOpening(t *testing.T) {
	w := newWorld(t)
	w.now = noon().Add(11 * time.Hour) // 23:00
	w.writes("c", "在吗", "有人吗")
	want := seen{State: "awaiting_opening", Group: "pre-sales", Heard: []string{"在吗", "有人吗"}, Said: []string{"现在休息(09:00-21:00),11月24日 09:00回复您。"}}
	if diff := cmp.Diff(want, w.sees("c")); diff != "" {
		t.Errorf("at night (-want +got):\n%s", diff)
	}
	var due time.Time
	if err := w.Store.Pool().QueryRow(t.Context(), "SELECT due_at FROM conversation").Scan(&due); err != nil {
		t.Fatal(err)
	}
	if wantDue := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC); !due.Equal(wantDue) {
		t.Errorf("due at %s, want %s: an hour after the opening", due.UTC(), wantDue)
	}
	w.now = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC) // 9:00
	w.drains()
	if got := w.sees("c"); got.State != "assigned" {
		t.Errorf("after the opening the conversation is %s", got.State)
	}
}

func TestAComplaintStartsItsProcessOnce(t *testing.T) {
	w := newWorld(t)
	w.writes("c", "我要投诉", "投诉投诉")
	rows, err := w.Store.Queries().OutboxHead(t.Context(), []int16{0, 1, 2, 3, 4, 5, 6, 7}, store.DestinationTemporal, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Target != store.TargetStart+promise.ComplaintWorkflow {
		t.Fatalf("outbox rows for Temporal: %d, want one start", len(rows))
	}
}

func TestAMessageThatTheDatabaseRefusesStopsOnlyItself(t *testing.T) {
	w := newWorld(t)
	good := w.says("c", "1", message.Content{Kind: message.KindText, Text: "你\x00好"})
	bad := w.says("c\x00", "2", message.Content{Kind: message.KindText, Text: "x"})
	err := w.Handle(t.Context(), 0, []message.Envelope{good, bad})
	var poison *bus.PoisonError
	if !errors.As(err, &poison) || poison.Index != 1 {
		t.Fatalf("err = %v, want poison at 1", err)
	}
	w.handles(good)
	if diff := cmp.Diff([]string{"你好"}, w.sees("c").Heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func TestABurstIsTakenInAsOneBatchInOrder(t *testing.T) {
	w := newWorld(t)
	var batch []message.Envelope
	var want []string
	for i := range bus.MaxBatch {
		text := fmt.Sprintf("第 %d 条", i)
		want = append(want, text)
		batch = append(batch, w.says("c", strconv.Itoa(i), message.Content{Kind: message.KindText, Text: text}))
	}
	w.handles(batch...)
	if diff := cmp.Diff(want, w.sees("c").Heard); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func TestWhoWaitsInNoGroupIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		change func([]client.Object)
		want   float64
	}{
		"the brand names no group":            {func(o []client.Object) { o[0].(*yingdav1.Brand).Spec.Defaults.SkillGroupRef = nil }, 1},
		"the brand names a group that is not": {func(o []client.Object) { o[0].(*yingdav1.Brand).Spec.Defaults.SkillGroupRef.Name = "gone" }, 1},
		"the brand names a group":             {func([]client.Object) {}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.change)
			var said bytes.Buffer
			w.Logger = slog.New(slog.NewTextHandler(&said, nil))
			w.writes("openid-1", "在吗")
			w.looks(newClock(w.Router))
			if diff := cmp.Diff(map[string]float64{"": tt.want}, metric(t, w.registry, "yingda_router_stranded_conversations")); diff != "" {
				t.Errorf("stranded conversations (-want +got):\n%s", diff)
			}
			if warned := strings.Contains(said.String(), "Customers wait in no skill group"); warned != (tt.want > 0) {
				t.Errorf("the log says %q", said.String())
			}
		})
	}
}

// metric is a metric's values, by those of its labels.
func metric(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, label := range m.GetLabel() {
				labels = append(labels, label.GetValue())
			}
			values[strings.Join(labels, " ")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return values
}
