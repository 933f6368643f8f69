package quality

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"github.com/yingda-dev/yingda/internal/domain/quality"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestMain(m *testing.M) {
	workflowtest.Main(m, func(r worker.Registry, s *store.Store, _ ...string) { served(s)(r) })
}

// served has a worker serve quality.
func served(s *store.Store) func(worker.Registry) {
	return func(r worker.Registry) { Register(r, activitiesOn(s)) }
}

func activitiesOn(s *store.Store) *Activities {
	return &Activities{
		Store: s, Directory: people{}, Playbooks: people{}, Events: "events", Source: "/shop/lumi/workflows", Now: time.Now,
	}
}

// people is a brand with two supervisors and one admin.
type people struct{}

func (people) Agents(role string) []string {
	return map[string][]string{"Supervisor": {"other", "sup"}, "Admin": {"boss"}}[role]
}

// PlaybookOf and Answers are of a brand with one Playbook, which knows when things are sent.
func (people) PlaybookOf(channel string) string { return map[string]string{"mini": "shop"}[channel] }

func (people) Answers(_, question string) (name, asks string) {
	if strings.Contains(question, "发货") {
		return "shipping", "什么时候发货"
	}
	return "", ""
}

// brand is one brand on real servers.
type brand struct{ *workflowtest.Brand }

func newStore(t *testing.T) *brand { t.Helper(); return &brand{workflowtest.NewStore(t)} }

func newBrand(t *testing.T) *brand { t.Helper(); return known(workflowtest.NewBrand(t)) }

// known is a brand whose schedules may be made: the server knows a new namespace everywhere only after a while.
func known(of *workflowtest.Brand) *brand {
	of.T.Helper()
	b := &brand{of}
	b.eventually("the namespace", func() bool {
		_, err := b.Client.ScheduleClient().GetHandle(b.T.Context(), "none").Describe(b.T.Context())
		return missing(err)
	})
	return b
}

// told is how often an agent's desk heard of each case.
func (b *brand) told(agent string) map[string]int {
	b.T.Helper()
	heard := map[string]int{}
	for _, c := range workflowtest.News[store.Case](b.Brand, agent, message.FrameCase) {
		heard[c.ID]++
	}
	return heard
}

// do runs a transaction as a router or a desk would.
func (b *brand) do(at time.Time, f func(ctx context.Context, u *store.Unit) error) {
	b.T.Helper()
	if err := b.Store.Do(b.T.Context(), store.Scope{Events: "events", Source: "/shop/lumi/router", Now: at}, f); err != nil {
		b.T.Fatal(err)
	}
}

// ends is a conversation that an agent had and that ended then.
func (b *brand) ends(agent string, at time.Time) uuid.UUID {
	b.T.Helper()
	return b.endsWith(&agent, at)
}

// endsInTheQueue is a conversation that no agent ever had and that ended then.
func (b *brand) endsInTheQueue(at time.Time) uuid.UUID { b.T.Helper(); return b.endsWith(nil, at) }

func (b *brand) endsWith(agent *string, at time.Time) uuid.UUID {
	b.T.Helper()
	id := uuid.Must(uuid.NewV7())
	b.do(at, func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{
			ID: id, Channel: "mini", ExternalID: id.String(), CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: u.Now.Add(-time.Hour),
		})
		if err != nil {
			return err
		}
		c.State, c.SkillGroup, c.Agent, c.OfferedAt, c.AssignedAt, c.ClosedAt = store.StateClosed, "after-sales", agent, &u.Now, &u.Now, &u.Now
		_, err = u.Save(ctx, c)
		return err
	})
	return id
}

// rated notes what the customer thought of a conversation.
func (b *brand) rated(id uuid.UUID, at time.Time, rating int32, poor bool) {
	b.T.Helper()
	b.do(at, func(ctx context.Context, u *store.Unit) error {
		err := u.SurveyAdd(ctx, db.SurveyAddParams{ConversationID: id, Channel: "mini", ExternalID: id.String(), Scale: "FiveStars", AskedAt: u.Now})
		if err != nil {
			return err
		}
		return u.SurveyRate(ctx, rating, u.Now, poor, id)
	})
}

// waited marks a conversation whose customer waited so long for an.
func (b *brand) waited(id uuid.UUID, at time.Time, wait time.Duration) {
	b.T.Helper()
	b.waitedFor(id, "an", at, wait)
}

func (b *brand) waitedFor(id uuid.UUID, agent string, at time.Time, wait time.Duration) {
	b.T.Helper()
	b.do(at, func(ctx context.Context, u *store.Unit) error {
		return u.ReviewMark(ctx, id, agent, int32(wait/time.Second), u.Now)
	})
}

// await waits until there are so many reviews.
func (b *brand) await(reviews int) {
	b.T.Helper()
	b.eventually(fmt.Sprintf("%d reviews", reviews), func() bool { return len(b.reviews()) >= reviews })
}

func (b *brand) eventually(what string, ok func() bool) {
	b.T.Helper()
	workflowtest.Await(b.Brand, what, func(context.Context) (bool, error) { return ok(), nil }, func(ok bool) bool { return ok })
}

func (b *brand) reviews() []db.QualityReviewsRow {
	b.T.Helper()
	rows, err := b.Store.Queries().QualityReviews(b.T.Context(), false, "", "", 10_000)
	if err != nil {
		b.T.Fatal(err)
	}
	return rows
}

// yesterday is a time in the day before today, in Shanghai.
func yesterday(t *testing.T) time.Time {
	t.Helper()
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return quality.DayBefore(time.Now(), shanghai).Since.Add(time.Hour)
}

func settings(modify ...func(*Settings)) Settings {
	s := Settings{On: true, SamplePercent: 100, DueWithin: 48 * time.Hour, TimeZone: "Asia/Shanghai"}
	for _, m := range modify {
		m(&s)
	}
	return s
}

func (b *brand) schedules() *Schedules {
	return &Schedules{
		Client: b.Client.ScheduleClient(), TaskQueue: temporal.TaskQueue, Namespace: "shop", Brand: "lumi", Logger: slog.New(slog.DiscardHandler),
	}
}

const sampleSchedule = "quality-sample/shop/lumi"

func TestEachReviewIsGivenOnceWhenTheWorkerDies(t *testing.T) {
	b := newBrand(t)
	const conversations = 230
	for i := range conversations {
		b.ends(fmt.Sprintf("agent-%d", i%3), yesterday(t).Add(time.Duration(i)*time.Second))
	}
	if err := b.schedules().Ensure(t.Context(), settings()); err != nil {
		t.Fatal(err)
	}
	handle := b.Client.ScheduleClient().GetHandle(t.Context(), sampleSchedule)
	kill := b.StartWorker()
	if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	b.await(60)
	kill()
	if left := conversations - len(b.reviews()); left == 0 {
		t.Error("the worker was done before it was killed")
	}
	b.Work(served(b.Store))
	b.await(conversations)
	given := map[string]int{}
	for _, row := range b.reviews() {
		given[row.ServiceCase.Owner]++
	}
	if diff := cmp.Diff(map[string]int{"sup": conversations / 2, "other": conversations / 2}, given); diff != "" {
		t.Errorf("given (-want +got):\n%s", diff)
	}
	for _, reviewer := range []string{"sup", "other"} {
		for id, times := range b.told(reviewer) {
			if times != 1 {
				t.Errorf("%s heard %d times of %s", reviewer, times, id)
			}
		}
	}
	started := b.started(handle)
	var result promise.QualitySampleResult
	if err := b.Client.GetWorkflow(t.Context(), started, "").Get(t.Context(), &result); err != nil {
		t.Fatal(err)
	}
	if result.Chosen != conversations || result.Day != yesterday(t).Add(8*time.Hour).Format(time.DateOnly) {
		t.Errorf("the result is %+v", result)
	}
	b.StoreHistory(newest, started, "sample-of-a-worker-that-died")
}

func TestADayOfMoreThanOnePartIsGivenAsAWhole(t *testing.T) {
	b := newBrand(t)
	b.endMany(lookedAtOnce+1, yesterday(t))
	if err := b.schedules().Ensure(t.Context(), settings(func(s *Settings) { s.SamplePercent, s.ReviewResponsesOver = 5, time.Hour })); err != nil {
		t.Fatal(err)
	}
	handle := b.Client.ScheduleClient().GetHandle(t.Context(), sampleSchedule)
	if err := handle.Trigger(t.Context(), client.ScheduleTriggerOptions{}); err != nil {
		t.Fatal(err)
	}
	b.Work(served(b.Store))
	b.eventually("the start", func() bool {
		is, err := handle.Describe(t.Context())
		return err == nil && len(is.Info.RecentActions) > 0
	})
	started := b.started(handle)
	var result promise.QualitySampleResult
	b.Result(started, &result)
	const drawn = 13 + 38 // Of 250 and 751.
	if reviews := len(b.reviews()); result.Chosen != drawn || reviews != drawn {
		t.Errorf("%d of %d are judged, want %d", reviews, result.Chosen, drawn)
	}
	b.StoreHistory(newest, started, "sample-in-parts")
}

func TestADayThatWaitedForAWorkerIsDoneWhenThereIsOne(t *testing.T) {
	b := newBrand(t)
	today := yesterday(t).Add(23 * time.Hour)
	of := []uuid.UUID{b.ends("an", today.AddDate(0, 0, -3)), b.ends("bo", today.AddDate(0, 0, -2))}
	if err := b.schedules().Ensure(t.Context(), settings()); err != nil {
		t.Fatal(err)
	}
	handle := b.Client.ScheduleClient().GetHandle(t.Context(), sampleSchedule)
	missed := client.ScheduleBackfill{Start: today.AddDate(0, 0, -2), End: today}
	if err := handle.Backfill(t.Context(), client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{missed}}); err != nil {
		t.Fatal(err)
	}
	b.eventually("a day that waits for a worker", func() bool {
		is, err := handle.Describe(t.Context())
		return err == nil && len(is.Info.RunningWorkflows) > 0
	})
	waits, err := b.Client.DescribeWorkflowExecution(t.Context(), b.started(handle), "")
	if err != nil {
		t.Fatal(err)
	}
	if until := waits.GetExecutionConfig().GetWorkflowRunTimeout().AsDuration(); until < 28*24*time.Hour {
		t.Errorf("a day waits %s for a worker, want weeks", until)
	}
	b.Work(served(b.Store))
	b.await(len(of))
	b.eventually("the end of both", func() bool {
		is, err := handle.Describe(t.Context())
		return err == nil && len(is.Info.RecentActions) == len(of) && len(is.Info.RunningWorkflows) == 0
	})
	given := map[uuid.UUID]int{}
	for _, row := range b.reviews() {
		given[*row.ServiceCase.ConversationID]++
	}
	if diff := cmp.Diff(map[uuid.UUID]int{of[0]: 1, of[1]: 1}, given); diff != "" {
		t.Errorf("given (-want +got):\n%s", diff)
	}
}

// started is the id of the workflow that a schedule started last.
func (b *brand) started(handle client.ScheduleHandle) string {
	b.T.Helper()
	is, err := handle.Describe(b.T.Context())
	if err != nil {
		b.T.Fatal(err)
	}
	if len(is.Info.RecentActions) == 0 {
		b.T.Fatal("the schedule has started nothing")
	}
	return is.Info.RecentActions[len(is.Info.RecentActions)-1].StartWorkflowResult.WorkflowID
}

func TestSchedulesFollowTheSettings(t *testing.T) {
	b := newBrand(t)
	s := b.schedules()
	handle := b.Client.ScheduleClient().GetHandle(t.Context(), sampleSchedule)
	ensure := func(settings Settings) {
		t.Helper()
		if err := s.Ensure(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
	}
	describe := func() *client.ScheduleDescription {
		t.Helper()
		is, err := handle.Describe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	next := func(zone string) []string {
		t.Helper()
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		var clocks []string
		for _, at := range describe().Info.NextActionTimes[:3] {
			clocks = append(clocks, at.In(location).Format(time.TimeOnly))
		}
		return clocks
	}
	input := func() (in promise.QualitySampleInput) {
		t.Helper()
		action, ok := describe().Schedule.Action.(*client.ScheduleWorkflowAction)
		if !ok || len(action.Args) != 1 {
			t.Fatalf("the action is %+v", describe().Schedule.Action)
		}
		payload, ok := action.Args[0].(*commonpb.Payload)
		if !ok {
			t.Fatalf("the argument is %T", action.Args[0])
		}
		if err := converter.GetDefaultDataConverter().FromPayload(payload, &in); err != nil {
			t.Fatal(err)
		}
		return in
	}

	ensure(settings())
	made := describe().Info
	ensure(settings())
	if again := describe().Info; !again.CreatedAt.Equal(made.CreatedAt) || !again.LastUpdateAt.Equal(made.LastUpdateAt) {
		t.Error("a schedule that is as it should be was written again")
	}
	if diff := cmp.Diff([]string{"04:00:00", "04:00:00", "04:00:00"}, next("Asia/Shanghai")); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
	if err := handle.Pause(t.Context(), client.SchedulePauseOptions{}); err != nil {
		t.Fatal(err)
	}
	ensure(settings(func(s *Settings) { s.SamplePercent, s.TimeZone = 10, "Europe/Berlin" }))
	want := promise.QualitySampleInput{Namespace: "shop", Brand: "lumi", SamplePercent: 10, DueWithinSeconds: 48 * 3600, TimeZone: "Europe/Berlin"}
	if diff := cmp.Diff(want, input()); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"04:00:00", "04:00:00", "04:00:00"}, next("Europe/Berlin")); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
	if !describe().Schedule.State.Paused {
		t.Error("a schedule that somebody has paused goes on")
	}
	for range 2 {
		ensure(Settings{})
		if _, err := handle.Describe(t.Context()); !missing(err) {
			t.Errorf("after quality was turned off: %v", err)
		}
	}
	ensure(settings())
	if describe().Schedule.State.Paused {
		t.Error("a schedule that was made anew is paused")
	}
}

func TestAScheduleOfAReleaseBeforeIsChangedWhereItLetsDaysGo(t *testing.T) {
	b := newBrand(t)
	s := b.schedules()
	before := s.schedules(settings())[0]
	action, ok := before.Action.(*client.ScheduleWorkflowAction)
	if !ok {
		t.Fatalf("the action is %T", before.Action)
	}
	// As it was made until a run waited for a worker.
	before.Note, before.CatchupWindow, action.WorkflowRunTimeout = fmt.Sprintf("0 4 * * * in Asia/Shanghai with %+v", action.Args[0]), 7*24*time.Hour, 20*time.Hour
	handle, err := s.Client.Create(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ensure(t.Context(), settings()); err != nil {
		t.Fatal(err)
	}
	is, err := handle.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now, ok := is.Schedule.Action.(*client.ScheduleWorkflowAction)
	if !ok || now.WorkflowRunTimeout != awaited || is.Schedule.Policy.CatchupWindow != awaited {
		t.Errorf("the action is %+v with %+v, want both to last %s", is.Schedule.Action, is.Schedule.Policy, awaited)
	}
}

func TestSchedulesAreKeptWhileTheWorkerRuns(t *testing.T) {
	b := newBrand(t)
	var mu sync.Mutex
	now := Settings{}
	changed := make(chan struct{}, 1)
	set := func(settings Settings) {
		mu.Lock()
		defer mu.Unlock()
		now = settings
		changed <- struct{}{}
	}
	for range 2 { // Two replicas.
		s := b.schedules()
		s.Changed = changed
		s.Settings = func() Settings {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		b.Run(s.Run)
	}
	handle := b.Client.ScheduleClient().GetHandle(t.Context(), sampleSchedule)
	await := func(what string, there bool) {
		t.Helper()
		b.eventually(what, func() bool {
			_, err := handle.Describe(t.Context())
			return (err == nil) == there
		})
	}
	set(settings())
	await("the schedule to be made", true)
	set(Settings{})
	await("the schedule to be removed", false)
}

func TestADayIsChosenOnce(t *testing.T) {
	b := newStore(t)
	day := yesterday(t)
	fine, slow, poor, both := b.ends("an", day), b.ends("an", day), b.ends("an", day), b.ends("bo", day)
	b.waited(slow, day, 301*time.Second)
	b.waited(fine, day, 299*time.Second)
	b.rated(poor, day, 1, true)
	b.waited(both, day, time.Hour)
	b.rated(both, day, 2, true)
	b.rated(fine, day, 5, false)
	// It ended earlier, and was rated yesterday.
	before := b.ends("bo", day.Add(-40*time.Hour))
	b.rated(before, day, 1, true)
	b.ends("an", day.Add(-40*time.Hour))
	b.ends("an", day.Add(24*time.Hour))
	a := activitiesOn(b.Store)
	selection := Selection{At: time.Now(), TimeZone: "Asia/Shanghai", Namespace: "shop", Brand: "lumi", WaitedOverSeconds: 300}
	reasons := func(selected Selected) map[uuid.UUID][]quality.Reason {
		found := map[uuid.UUID][]quality.Reason{}
		for _, r := range selected.Reviews {
			found[r.Conversation] = r.Reasons
		}
		return found
	}
	selected, err := a.Select(t.Context(), selection)
	if err != nil {
		t.Fatal(err)
	}
	want := map[uuid.UUID][]quality.Reason{slow: {quality.Slow}, poor: {quality.Poor}, both: {quality.Slow, quality.Poor}, before: {quality.Poor}}
	if diff := cmp.Diff(want, reasons(selected)); diff != "" {
		t.Errorf("chosen (-want +got):\n%s", diff)
	}
	for range 3 { // An activity runs again when its worker died before it could report.
		err := a.Assign(t.Context(), Assignments{Namespace: "shop", Brand: "lumi", Day: selected.Day, DueWithinSeconds: 60, Reviews: selected.Reviews})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := len(b.reviews()); got != 4 {
		t.Errorf("%d are judged, want 4", got)
	}
	again, err := a.Select(t.Context(), selection)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(selected, again); diff != "" {
		t.Errorf("chosen when it is given already (-want +got):\n%s", diff)
	}
	// What was given for the day before is not for this one.
	if _, err := b.Store.Pool().Exec(t.Context(), "UPDATE quality_review SET day = '2000-01-01' WHERE conversation_id = ANY($1)", []uuid.UUID{slow, before}); err != nil {
		t.Fatal(err)
	}
	if again, err = a.Select(t.Context(), selection); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uuid.UUID][]quality.Reason{poor: {quality.Poor}, both: {quality.Slow, quality.Poor}}, reasons(again)); diff != "" {
		t.Errorf("chosen when some is judged for another day (-want +got):\n%s", diff)
	}
}

func TestWhoWaitedInVainIsJudgedAsNobodys(t *testing.T) {
	b := newStore(t)
	day := yesterday(t)
	inVain, briefly := b.endsInTheQueue(day), b.endsInTheQueue(day)
	b.waitedFor(inVain, "", day, 10*time.Minute)
	b.waitedFor(briefly, "", day, 4*time.Minute)
	b.endsInTheQueue(day)
	a := activitiesOn(b.Store)
	selected, err := a.Select(t.Context(), Selection{At: time.Now(), TimeZone: "Asia/Shanghai", Percent: 100, WaitedOverSeconds: 300})
	if err != nil {
		t.Fatal(err)
	}
	if len(selected.Reviews) != 1 {
		t.Fatalf("chosen are %+v", selected.Reviews)
	}
	chosen := selected.Reviews[0]
	if diff := cmp.Diff(Review{Conversation: inVain, Reasons: []quality.Reason{quality.Slow}, Reviewer: chosen.Reviewer}, chosen); diff != "" || chosen.Reviewer == "" {
		t.Errorf("chosen (-want +got):\n%s, given to %q", diff, chosen.Reviewer)
	}
	if err := a.Assign(t.Context(), Assignments{Namespace: "shop", Brand: "lumi", Day: selected.Day, DueWithinSeconds: 60, Reviews: selected.Reviews, TimeZone: "Asia/Shanghai"}); err != nil {
		t.Fatal(err)
	}
	if row := b.reviews()[0]; row.QualityReview.Agent != "" || row.ServiceCase.Title != "质检 排队 "+day.Add(7*time.Hour).Format("1月2日15:04") {
		t.Errorf("the judgement is %+v, called %s", row.QualityReview, row.ServiceCase.Title)
	}
}

// endMany has so many conversations end then that each waited too long for bo.
func (b *brand) endMany(conversations int, at time.Time) {
	b.T.Helper()
	for _, statement := range []string{
		`INSERT INTO conversation (id, channel, external_id, customer_id, state, skill_group, agent, opened_at, offered_at, closed_at, last_message_at)
		 SELECT gen_random_uuid(), 'mini', n::text, gen_random_uuid(), 'closed', 'after-sales', CASE WHEN n % 4 = 0 THEN 'an' ELSE 'bo' END, $1, $1, $1, $1
		 FROM generate_series(1, $2::int) n`,
		`INSERT INTO review (conversation_id, agent, waited_seconds, marked_at) SELECT id, 'bo', 900, $1 FROM conversation WHERE agent = 'bo' LIMIT $2::int`,
	} {
		if _, err := b.Store.Pool().Exec(b.T.Context(), statement, at, conversations); err != nil {
			b.T.Fatal(err)
		}
	}
}

// selects has a day chosen, part by part.
func (b *brand) selects(s Selection) (all []Review, parts int) {
	b.T.Helper()
	a := activitiesOn(b.Store)
	for {
		selected, err := a.Select(b.T.Context(), s)
		if err != nil {
			b.T.Fatal(err)
		}
		all, parts = append(all, selected.Reviews...), parts+1
		if selected.Next == nil {
			return all, parts
		}
		s.After, s.Given = selected.Next, selected.Given
	}
}

func TestADayIsJudgedHoweverManyConversationsItHas(t *testing.T) {
	b := newStore(t)
	const each = lookedAtOnce
	b.endMany(4*each, yesterday(t))
	all, parts := b.selects(Selection{At: time.Now(), TimeZone: "Asia/Shanghai", Namespace: "shop", Brand: "lumi", Percent: 10, WaitedOverSeconds: 300})
	got, given := map[string]int{}, map[string]int{}
	once := map[uuid.UUID]bool{}
	for _, r := range all {
		given[r.Reviewer]++
		once[r.Conversation] = true
		for _, reason := range r.Reasons {
			got[r.Agent+" "+string(reason)]++
		}
	}
	if diff := cmp.Diff(map[string]int{"an sample": each / 10, "bo sample": 3 * each / 10, "bo slow": 3 * each}, got); diff != "" {
		t.Errorf("chosen (-want +got):\n%s", diff)
	}
	if len(once) != len(all) || given["sup"] != given["other"] || parts < 4 {
		t.Errorf("of %d reviews %d are of different conversations, in %d parts, given are %v", len(all), len(once), parts, given)
	}
}

// placeOf is the place in yesterday's draw of shop/lumi, as the documentation says that it is found.
func placeOf(t *testing.T, id uuid.UUID) string {
	t.Helper()
	place := sha256.Sum256(append([]byte("shop/lumi/"+yesterday(t).Add(8*time.Hour).Format(time.DateOnly)+"/"), id[:]...))
	return string(place[:])
}

func TestWhoeverAsksCanDrawAgain(t *testing.T) {
	b := newStore(t)
	var places []string
	ids := map[string]uuid.UUID{}
	for range 30 {
		id := b.ends("an", yesterday(t))
		place := placeOf(t, id)
		ids[place] = id
		places = append(places, place)
	}
	slices.Sort(places)
	all, _ := b.selects(Selection{At: time.Now(), TimeZone: "Asia/Shanghai", Namespace: "shop", Brand: "lumi", Percent: 10})
	var got []uuid.UUID
	for _, r := range all {
		got = append(got, r.Conversation)
	}
	if diff := cmp.Diff([]uuid.UUID{ids[places[0]], ids[places[1]], ids[places[2]]}, got); diff != "" {
		t.Errorf("drawn (-want +got):\n%s", diff)
	}
}

func TestAWaitIsJudgedAsWhoseItWas(t *testing.T) {
	b := newStore(t)
	day := yesterday(t)
	passedOn, queued, brief := b.ends("bo", day), b.ends("bo", day), b.ends("bo", day)
	b.waitedFor(passedOn, "an", day, 10*time.Minute)
	b.waitedFor(queued, "", day, 10*time.Minute)
	b.waitedFor(brief, "an", day, 4*time.Minute)
	b.rated(brief, day, 1, true)
	selected, err := activitiesOn(b.Store).Select(t.Context(), Selection{At: time.Now(), TimeZone: "Asia/Shanghai", WaitedOverSeconds: 300})
	if err != nil {
		t.Fatal(err)
	}
	got := map[uuid.UUID]string{}
	for _, r := range selected.Reviews {
		got[r.Conversation] = r.Agent
	}
	if diff := cmp.Diff(map[uuid.UUID]string{passedOn: "an", queued: "bo", brief: "bo"}, got); diff != "" {
		t.Errorf("judged as (-want +got):\n%s", diff)
	}
}

// A supervisor who has many of one agent and one day has to find one of them again.
func TestAReviewIsCalledByWhoseConversationItIsAndWhenThatBegan(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	evening := time.Date(2026, 11, 21, 17, 30, 0, 0, time.UTC) // They begin an hour before they end.
	reviews := []Review{
		{Conversation: b.ends("an", evening), Agent: "an", Reasons: []quality.Reason{quality.Sampled}, Reviewer: "sup"},
		{Conversation: b.ends("an", evening.Add(5*time.Minute)), Agent: "an", Reasons: []quality.Reason{quality.Sampled}, Reviewer: "sup"},
	}
	err := a.Assign(t.Context(), Assignments{
		Namespace: "shop", Brand: "lumi", Day: "2026-11-22", DueWithinSeconds: 60, Reviews: reviews, TimeZone: "Asia/Shanghai",
	})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, c := range workflowtest.News[store.Case](b.Brand, "sup", message.FrameCase) {
		titles = append(titles, c.Title)
	}
	if diff := cmp.Diff([]string{"质检 an 11月22日00:30", "质检 an 11月22日00:35"}, titles); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
}

func TestWhatIsLateIsToldOnceADay(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	reviews := []Review{
		{Conversation: b.ends("an", yesterday(t)), Agent: "an", Reasons: []quality.Reason{quality.Sampled}, Reviewer: "sup"},
		{Conversation: b.ends("an", yesterday(t)), Agent: "an", Reasons: []quality.Reason{quality.Sampled}},
	}
	if err := a.Assign(t.Context(), Assignments{Namespace: "shop", Brand: "lumi", Day: "2026-11-21", DueWithinSeconds: 3600, Reviews: reviews}); err != nil {
		t.Fatal(err)
	}
	owned, anybodys := promise.ReviewID("shop", "lumi", reviews[0].Conversation), promise.ReviewID("shop", "lumi", reviews[1].Conversation)
	remind := func(after time.Duration, day string, want int) {
		t.Helper()
		a.Now = func() time.Time { return time.Now().Add(after) }
		for range 2 {
			if got, err := a.Remind(t.Context(), Reminder{Day: day}); err != nil || got != want {
				t.Errorf("%d are late, %v, want %d", got, err, want)
			}
		}
	}
	remind(0, "2026-11-21", 0)
	remind(2*time.Hour, "2026-11-22", 2)
	remind(26*time.Hour, "2026-11-23", 2)
	want := map[string]map[string]int{"sup": {owned: 3, anybodys: 2}, "other": {anybodys: 2}, "boss": {}}
	for agent, heard := range want {
		if diff := cmp.Diff(heard, b.told(agent)); diff != "" {
			t.Errorf("%s heard (-want +got):\n%s", agent, diff)
		}
	}
	for _, row := range b.reviews() {
		if row.ServiceCase.BreachedAt == nil {
			t.Error("what is late is not marked")
		}
	}
}

func TestWhatIsDueLaterByNowIsNotMarkedAsLate(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	review := Review{Conversation: b.ends("an", yesterday(t)), Agent: "an", Reasons: []quality.Reason{quality.Sampled}, Reviewer: "sup"}
	if err := a.Assign(t.Context(), Assignments{Namespace: "shop", Brand: "lumi", Day: "2026-11-21", DueWithinSeconds: 3600, Reviews: []Review{review}}); err != nil {
		t.Fatal(err)
	}
	looks := 0
	a.Now = func() time.Time {
		// First it is found to be late; before it is marked, an appeal has a time of its own.
		if looks++; looks == 2 {
			if _, err := b.Store.Pool().Exec(t.Context(), "UPDATE service_case SET due_at = due_at + interval '2 days'"); err != nil {
				t.Error(err)
			}
		}
		return time.Now().Add(2 * time.Hour)
	}
	if got, err := a.Remind(t.Context(), Reminder{Day: "2026-11-22"}); err != nil || got != 1 || looks != 2 {
		t.Errorf("%d are late at the first of %d looks, %v, want 1 of 2", got, looks, err)
	}
	id := promise.ReviewID("shop", "lumi", review.Conversation)
	if told := b.told("sup")[id]; told != 1 {
		t.Errorf("sup heard %d times of it, want once, of being given it", told)
	}
	if row := b.reviews()[0]; row.ServiceCase.BreachedAt != nil {
		t.Errorf("it is marked as late since %s, due %s", row.ServiceCase.BreachedAt, row.ServiceCase.DueAt)
	}
}

func TestAllThatIsLateIsToldOfHoweverMuch(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	const late = remindedAtOnce + 1
	reviews := make([]Review, late)
	for i := range reviews {
		reviews[i] = Review{Conversation: b.ends("an", yesterday(t)), Agent: "an", Reasons: []quality.Reason{quality.Sampled}, Reviewer: "sup"}
	}
	if err := a.Assign(t.Context(), Assignments{Namespace: "shop", Brand: "lumi", Day: "2026-11-21", DueWithinSeconds: 60, Reviews: reviews}); err != nil {
		t.Fatal(err)
	}
	a.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if got, err := a.Remind(t.Context(), Reminder{Day: "2026-11-22"}); err != nil || got != late {
		t.Errorf("%d are late, %v, want %d", got, err, late)
	}
	told := b.told("sup")
	for _, r := range reviews {
		// Of being given it, and of being late with it.
		if id := promise.ReviewID("shop", "lumi", r.Conversation); told[id] != 2 {
			t.Errorf("sup heard %d times of %s, want 2", told[id], id)
		}
	}
}
