package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// counterDesk is a replica of a platform whose calls are answered with words: its webhook takes contents as they are given, and
// answers "said <words>".
type counterDesk struct {
	*webhooks
	t     *testing.T
	owner *pgxpool.Pool
	url   string
	view  *catalog.Catalog
	now   time.Time
	kept  *keptMessages
}

// keptMessages is Kafka; while it is away nothing can be kept.
type keptMessages struct {
	away     bool
	messages []message.Inbound
	// meanwhile is what happens while a message is kept.
	meanwhile func()
}

func (k *keptMessages) Publish(_ context.Context, _ string, envelopes ...message.Envelope) error {
	if k.meanwhile != nil {
		k.meanwhile()
	}
	if k.away {
		return errors.New("away")
	}
	for _, e := range envelopes {
		in, err := message.Payload[message.Inbound](e, message.TypeInbound)
		if err != nil {
			return fmt.Errorf("reading a message: %w", err)
		}
		k.messages = append(k.messages, in)
	}
	return nil
}

func (k *keptMessages) Spool(context.Context, string, []message.Envelope, time.Time) error {
	return errors.New("away")
}

// opened is a Monday at 12:00 in Shanghai, when the sample brand serves.
func opened() time.Time { return time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) }

func shopThatAnswers() []client.Object {
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: "lumi", Generation: 1}
	}
	ref := v1alpha1.BrandReference{Name: "lumi"}
	return []client.Object{
		&v1alpha1.Brand{ObjectMeta: meta("lumi"), Spec: v1alpha1.BrandSpec{DisplayName: "露米", Defaults: v1alpha1.BrandDefaults{
			SkillGroupRef: &v1alpha1.SkillGroupReference{Name: "day"}, PlaybookRef: &v1alpha1.PlaybookReference{Name: "shop"},
			ScheduleRef: &v1alpha1.ShiftScheduleReference{Name: "online"},
		}}},
		&v1alpha1.Channel{ObjectMeta: meta("service"), Spec: v1alpha1.ChannelSpec{
			BrandRef: ref, Type: v1alpha1.ChannelTypeOfficialAccount,
			EntryPoints: []v1alpha1.EntryPoint{{Name: "parcel", SessionFromPrefix: "parcel:"}},
			Routing: []v1alpha1.RoutingRule{
				{Name: "parcels", When: v1alpha1.RoutingMatch{EntryPoints: []string{"parcel"}}, SkillGroupRef: v1alpha1.SkillGroupReference{Name: "always"}},
			},
		}},
		&v1alpha1.SkillGroup{ObjectMeta: meta("day"), Spec: v1alpha1.SkillGroupSpec{BrandRef: ref}},
		&v1alpha1.SkillGroup{ObjectMeta: meta("always"), Spec: v1alpha1.SkillGroupSpec{BrandRef: ref, ScheduleRef: &v1alpha1.ShiftScheduleReference{Name: "night-and-day"}}},
		&v1alpha1.ShiftSchedule{ObjectMeta: meta("online"), Spec: v1alpha1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai", Shifts: []v1alpha1.WeeklyShift{{
			Days: []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Tuesday}, Shift: v1alpha1.Shift{Name: "day", Start: "09:00", Duration: "12h"},
		}}}},
		&v1alpha1.ShiftSchedule{ObjectMeta: meta("night-and-day"), Spec: v1alpha1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai", Shifts: []v1alpha1.WeeklyShift{{
			Days:  []v1alpha1.Weekday{v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday, v1alpha1.Saturday, v1alpha1.Sunday},
			Shift: v1alpha1.Shift{Name: "all", Start: "00:00", Duration: "24h"},
		}}}},
		&v1alpha1.Playbook{ObjectMeta: meta("shop"), Spec: v1alpha1.PlaybookSpec{
			Texts: v1alpha1.PlaybookTexts{Welcome: "您好,这里是{{.Brand}}。", OffHours: "休息中,{{.NextOpening}}回复。", Banner: "{{.Brand}}缺货。"},
			Rules: []v1alpha1.PlaybookRule{
				{Name: "invoice", Match: v1alpha1.PlaybookMatch{Keywords: []string{"发票"}, MenuKeys: []string{"INVOICE"}}, Reply: &v1alpha1.BotReply{
					Text: "开票:", Link: &v1alpha1.BotLink{Title: "开发票", URL: "https://lumi.example"},
				}},
				{Name: "complaint", Match: v1alpha1.PlaybookMatch{Keywords: []string{"投诉"}}, HandOff: &v1alpha1.RuleHandOff{Topic: "complaint"}},
				{Name: "long", Match: v1alpha1.PlaybookMatch{Keywords: []string{"长"}}, Reply: &v1alpha1.BotReply{Text: "too long to say at once"}},
				{Name: "full", Match: v1alpha1.PlaybookMatch{Keywords: []string{"满"}}, Reply: &v1alpha1.BotReply{Text: strings.Repeat("满", 16)}},
			},
			FAQ: []v1alpha1.FAQEntry{
				{Name: "return", Question: "怎么退货", Answer: "七天内可以退货。"},
				{Name: "brand", Question: "是正品吗", Answer: "{{.Brand}}都是正品。"},
				{Name: "exchange", Question: "怎么换货", Answer: "请填写:{{.AfterSalesForm}}"},
			},
			Survey: &v1alpha1.SurveySpec{},
		}},
	}
}

func newCounterDesk(t *testing.T) *counterDesk {
	t.Helper()
	ownerURL := testenv.Database(t, migrateForConnectors)
	d := &counterDesk{t: t, url: ownerURL, now: opened(), kept: &keptMessages{}, view: catalog.Fixed("lumi", "lumi", shopThatAnswers()...)}
	var err error
	if d.owner, err = pgxpool.New(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.owner.Close)
	// As a connector: it may read little of what it looks at.
	memory, err := store.OpenLazily(t.Context(), testenv.ConnectorURL(t, ownerURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(memory.Close)
	d.webhooks = d.replica(memory)
	return d
}

// replica is another one of the same pool.
func (d *counterDesk) replica(memory memory) *webhooks {
	clock, logger := func() time.Time { return d.now }, slog.New(slog.DiscardHandler)
	m := newMetrics(prometheus.NewRegistry())
	in := &ingest{names: bus.Names{Namespace: "lumi", Brand: "lumi"}, producer: d.kept, spool: d.kept, clock: clock, logger: logger, metrics: m, spooled: make(chan struct{}, 1)}
	return &webhooks{
		namespace: "lumi", table: newTable(nil, "lumi", "officialaccount", nil, connectors.Services{Clock: clock, Logger: logger}, m),
		ingest: in,
		atOnce: newAtOnce(d.view.Snapshot, memory, in.repeated, clock, m, logger),
		clock:  clock, metrics: m, logger: logger,
	}
}

// pushed is a call of the platform with one message.
type pushed struct{ message.Inbound }

func (p pushed) Receive(*http.Request) (connectors.Received, error) {
	return connectors.Received{Messages: []message.Inbound{p.Inbound}, Answer: "success", Reply: func(contents []message.Content) (string, bool) {
		var words []string
		for _, content := range contents {
			if content.Link != nil {
				words = append(words, content.Link.URL)
				continue
			}
			words = append(words, content.Text)
		}
		said := strings.Join(words, " ")
		return "said " + said, len(said) < 60 && !strings.Contains(said, "too long")
	}}, nil
}

// does has the customer do something, and returns the answer.
func (d *counterDesk) does(h *webhooks, id string, content message.Content) string {
	d.t.Helper()
	return d.calls(d.t.Context(), h, message.Inbound{Customer: "o1", MessageID: id, Content: content})
}

// calls is a call of the platform, which ends with ctx.
func (d *counterDesk) calls(ctx context.Context, h *webhooks, in message.Inbound) string {
	d.t.Helper()
	w := httptest.NewRecorder()
	in.Channel, in.SentAt, in.ReceivedAt = "service", d.now, d.now
	h.serve(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/lumi/service", http.NoBody), "service", pushed{in})
	if w.Code != http.StatusOK {
		return http.StatusText(w.Code)
	}
	return w.Body.String()
}

// stands gives the customer a conversation, as the router does.
func (d *counterDesk) stands(state, topic, sessionFrom string) {
	d.t.Helper()
	for _, statement := range []string{
		`INSERT INTO contact (channel, external_id, customer_id, session_from, first_seen, last_seen)
			VALUES ('service', 'o1', gen_random_uuid(), '` + sessionFrom + `', now(), now())`,
		`INSERT INTO conversation (id, channel, external_id, customer_id, state, topic, agent, opened_at, last_message_at)
			VALUES (gen_random_uuid(), 'service', 'o1', gen_random_uuid(), '` + state + `', '` + topic + `', CASE WHEN '` + state + `' = 'assigned' THEN 'a' END, now(), now())`,
	} {
		if _, err := d.owner.Exec(d.t.Context(), statement); err != nil {
			d.t.Fatal(err)
		}
	}
}

func says(text string) message.Content {
	return message.Content{Kind: message.KindText, Text: text}
}

const (
	greeting = "said 您好,这里是露米。"
	invoice  = "said 开票: https://lumi.example"
	resting  = "said 休息中,11月24日 09:00回复。"
	nothing  = "success"
)

func TestTheBotAnswersAtOnceWhereNoHumanHasTheConversation(t *testing.T) {
	t.Parallel()
	evening := 10 * time.Hour
	for sentence, tt := range map[string]struct {
		content message.Content
		later   time.Duration
		stands  []string // state, topic and session-from; empty for a stranger
		want    string
		reason  message.ReplyReason
	}{
		"who follows is greeted":                                   {message.Content{Kind: message.KindFollowed}, 0, nil, greeting, message.ReplyWelcome},
		"who scans is greeted":                                     {message.Content{Kind: message.KindScanned, SessionFrom: "parcel:1"}, 0, nil, greeting, message.ReplyWelcome},
		"who follows is greeted in the night as well":              {message.Content{Kind: message.KindFollowed}, evening, nil, greeting, message.ReplyWelcome},
		"a keyword is answered":                                    {says("怎么开发票"), 0, nil, invoice, message.ReplyRule},
		"a tap is answered":                                        {message.Content{Kind: message.KindMenuTap, MenuKey: "INVOICE"}, 0, nil, invoice, message.ReplyRule},
		"a voice message is answered where it was understood":      {message.Content{Kind: message.KindVoice, Text: "发票"}, 0, nil, invoice, message.ReplyRule},
		"a question of the FAQ is answered":                        {says("怎么退货"), 0, nil, "said 七天内可以退货。", message.ReplyRule},
		"an answer with the brand's name is answered":              {says("是正品吗"), 0, nil, "said 露米都是正品。", message.ReplyRule},
		"what leads to the customer's form is left to the router":  {says("怎么换货"), 0, nil, nothing, ""},
		"who is with the bot is answered":                          {says("发票"), 0, []string{"bot", "", ""}, invoice, message.ReplyRule},
		"a keyword is answered in the night as well":               {says("发票"), evening, nil, invoice, message.ReplyRule},
		"what the bot does not know waits for a human":             {says("在吗"), 0, nil, nothing, ""},
		"what the bot does not know in the night is told so":       {says("在吗"), evening, nil, resting, message.ReplyOffHours},
		"who asks for a human in the night is told so":             {says("转人工"), evening, nil, resting, message.ReplyOffHours},
		"who complains hears first that they were heard":           {says("我要投诉"), evening, nil, nothing, ""},
		"a picture in the night is told so":                        {message.Content{Kind: message.KindImage}, evening, nil, resting, message.ReplyOffHours},
		"who goes to a group that serves in the night is not":      {says("在吗"), evening, []string{"bot", "", "parcel:7"}, nothing, ""},
		"who waits for a human hears nothing of the bot":           {says("发票"), 0, []string{"queued", "", ""}, nothing, ""},
		"who waits for the opening was told so":                    {says("在吗"), evening, []string{"awaiting_opening", "", ""}, nothing, ""},
		"who is with an agent hears nothing of the bot":            {message.Content{Kind: message.KindFollowed}, 0, []string{"assigned", "", ""}, nothing, ""},
		"a tap that no rule knows says nothing, not even at night": {message.Content{Kind: message.KindMenuTap, MenuKey: "OTHER"}, evening, nil, nothing, ""},
		"an event says nothing, not even at night":                 {message.Content{Kind: message.KindUnsupported, RawType: "event/VIEW"}, evening, nil, nothing, ""},
		"who follows no more hears nothing":                        {message.Content{Kind: message.KindUnfollowed}, evening, nil, nothing, ""},
		"what one answer cannot hold follows otherwise":            {says("长"), 0, nil, nothing, ""},
		"what may be a rating is left to the router":               {says("5"), evening, nil, nothing, ""},
		"how their cases stand only the router knows":              {says("进度"), evening, nil, nothing, ""},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			d := newCounterDesk(t)
			d.now = d.now.Add(tt.later)
			if len(tt.stands) > 0 {
				d.stands(tt.stands[0], tt.stands[1], tt.stands[2])
			}
			if got := d.does(d.webhooks, "m1", tt.content); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
			if len(d.kept.messages) != 1 {
				t.Fatalf("kept %d messages", len(d.kept.messages))
			}
			var reason message.ReplyReason
			if reply := d.kept.messages[0].Reply; reply != nil {
				reason = reply.Reason
			}
			if reason != tt.reason {
				t.Errorf("the message says %q was said at once, want %q", reason, tt.reason)
			}
		})
	}
}

func TestARepeatedCallGetsTheSameAnswerFromEveryReplica(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	other := d.replica(d.atOnce.memory)
	tap := message.Content{Kind: message.KindMenuTap, MenuKey: "INVOICE"}
	first := d.does(d.webhooks, "m1", tap)
	// The router has taken it in, a human has the conversation, and the Playbook says something else by now.
	d.stands("assigned", "", "")
	if _, err := d.owner.Exec(t.Context(), `INSERT INTO processed VALUES ('router', 'service', 'm1', now())`); err != nil {
		t.Fatal(err)
	}
	d.view.Set(shopThatAnswers()[:2]...)
	for name, h := range map[string]*webhooks{"the same replica": d.webhooks, "another": other} {
		if again := d.does(h, "m1", tap); again != first || first != invoice {
			t.Errorf("%s answers %q after %q", name, again, first)
		}
	}
	if len(d.kept.messages) != 2 {
		t.Fatalf("kept %d messages, want one of each replica", len(d.kept.messages))
	}
	if diff := cmp.Diff(d.kept.messages[0], d.kept.messages[1]); diff != "" {
		t.Errorf("they differ (-first +again):\n%s", diff)
	}
}

func TestWhatTheRouterSaysIsNotSaidAtOnceToo(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	if _, err := d.owner.Exec(t.Context(), `INSERT INTO processed VALUES ('router', 'service', 'm1', now())`); err != nil {
		t.Fatal(err)
	}
	if got := d.does(d.webhooks, "m1", says("发票")); got != nothing {
		t.Errorf("the router has taken the message in, and it is answered %q", got)
	}
}

func TestOffHoursAreToldOnceAClosedPeriod(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	d.now = d.now.Add(10 * time.Hour)
	got := []string{d.does(d.webhooks, "m1", says("在吗")), d.does(d.webhooks, "m2", says("有人吗"))}
	d.now = d.now.Add(24 * time.Hour) // Tuesday evening: until Monday.
	got = append(got, d.does(d.webhooks, "m3", says("在吗")))
	if diff := cmp.Diff([]string{resting, nothing, "said 休息中,11月30日 09:00回复。"}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestWordsLeaveOnlyWithADurableMessage(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	d.kept.away = true
	if got := d.does(d.webhooks, "m1", says("发票")); got != http.StatusText(http.StatusServiceUnavailable) {
		t.Errorf("answered %q while nothing can be kept", got)
	}
	d.kept.away = false
	d.now = d.now.Add(time.Minute) // The breaker.
	if got := d.does(d.webhooks, "m1", says("发票")); got != invoice || len(d.kept.messages) != 1 || d.kept.messages[0].Reply == nil {
		t.Errorf("answered %q, kept %+v", got, d.kept.messages)
	}
}

// slowMemory takes as long as it is let.
type slowMemory struct{ memory }

func (slowMemory) Standing(ctx context.Context, _ message.Inbound) (store.Standing, error) {
	<-ctx.Done()
	return store.Standing{}, ctx.Err() //nolint:wrapcheck // A test's.
}

func TestAnAnswerDoesNotWaitForADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	began := time.Now()
	got := d.does(d.replica(slowMemory{d.atOnce.memory}), "m1", says("发票"))
	if took := time.Since(began); got != nothing || took > answerBy {
		t.Errorf("answered %q after %s", got, took)
	}
	if len(d.kept.messages) != 1 || d.kept.messages[0].Reply != nil {
		t.Errorf("kept %+v, want a message to which nothing was said", d.kept.messages)
	}
	// A body that took the platform's patience leaves none for the bot.
	h := d.replica(d.atOnce.memory)
	slow := d.now
	h.clock = func() time.Time { return slow.Add(-answerBy) }
	if got := d.does(h, "m2", says("发票")); got != nothing {
		t.Errorf("answered %q when there was no time left", got)
	}
}

// emergency opens one of a group, or of the brand, and returns its number.
func (d *counterDesk) emergency(group string) (number int64) {
	d.t.Helper()
	err := d.owner.QueryRow(d.t.Context(), `INSERT INTO emergency (skill_group, started_at) VALUES ($1, now()) RETURNING number`, group).Scan(&number)
	if err != nil {
		d.t.Fatal(err)
	}
	return number
}

func TestWhoIsAnsweredAtOnceHearsOfAnEmergencyFirst(t *testing.T) {
	t.Parallel()
	const told = "said 露米缺货。 "
	for sentence, tt := range map[string]struct {
		group   string
		ended   bool
		stands  []string
		told    bool
		content message.Content
		want    string
	}{
		"with the welcome":                              {content: message.Content{Kind: message.KindFollowed}, want: told + "您好,这里是露米。"},
		"with the answer of a rule":                     {content: says("发票"), want: told + "开票: https://lumi.example"},
		"with the bot's conversation":                   {stands: []string{"bot", "", ""}, content: says("怎么退货"), want: told + "七天内可以退货。"},
		"of their group":                                {group: "day", content: says("怎么退货"), want: told + "七天内可以退货。"},
		"of the group that they come to":                {group: "always", content: message.Content{Kind: message.KindScanned, SessionFrom: "parcel:1"}, want: told + "您好,这里是露米。"},
		"but not of another group":                      {group: "always", content: says("怎么退货"), want: "said 七天内可以退货。"},
		"but not of one that is over":                   {ended: true, content: says("怎么退货"), want: "said 七天内可以退货。"},
		"but not twice in a conversation":               {stands: []string{"bot", "", ""}, told: true, content: says("怎么退货"), want: "said 七天内可以退货。"},
		"but not where one answer does not hold both":   {content: says("满"), want: "said " + strings.Repeat("满", 16)},
		"but not where there is nothing to say at once": {content: says("在吗"), want: nothing},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			d := newCounterDesk(t)
			number := d.emergency(tt.group)
			if tt.ended {
				d.executes(`UPDATE emergency SET ended_at = now()`)
			}
			if tt.stands != nil {
				d.stands(tt.stands[0], tt.stands[1], tt.stands[2])
			}
			if tt.told {
				d.executes(`INSERT INTO processed (consumer, channel, message_id, received_at) SELECT 'say', 'service', 'banner/' || e.number || '/' || c.id, now() FROM emergency e, conversation c`)
			}
			if got := d.does(d.webhooks, "m1", tt.content); got != tt.want {
				t.Errorf("answered %q, want %q", got, tt.want)
			}
			kept := d.kept.messages[0].Reply
			if tells := strings.HasPrefix(tt.want, told); tells != (kept != nil && kept.Banner == number) {
				t.Errorf("the message says that the customer was told: %+v", kept)
			}
		})
	}
}

func TestWhoWasToldAtOnceOfAnEmergencyIsNotToldAgain(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	d.emergency("")
	follows := message.Content{Kind: message.KindFollowed}
	for _, step := range []struct {
		id      string
		content message.Content
		want    string
	}{
		{"m1", follows, "said 露米缺货。 您好,这里是露米。"},
		{"m1", follows, "said 露米缺货。 您好,这里是露米。"},
		{"m2", says("发票"), invoice},
	} {
		if got := d.does(d.webhooks, step.id, step.content); got != step.want {
			t.Errorf("%s is answered %q, want %q", step.id, got, step.want)
		}
	}
}

func (d *counterDesk) executes(statement string) {
	d.t.Helper()
	if _, err := d.owner.Exec(d.t.Context(), statement); err != nil {
		d.t.Fatal(err)
	}
}
