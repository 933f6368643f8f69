package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// floor is a group with its agents, and a clock that a test moves.
type floor struct {
	*store.Store
	t   *testing.T
	now time.Time
	store.Assignment
}

// newFloor has agents a, b, c on duty, each with room for two.
func newFloor(t *testing.T, change ...func(*floor)) *floor {
	t.Helper()
	f := &floor{Store: open(t), t: t, now: scope().Now, Assignment: store.Assignment{
		Group: "sales", Assignment: routing.Assignment{Strategy: yingdav1.StrategyLeastBusy, RelaxSkillsAfter: time.Minute},
	}}
	for _, agent := range []string{"a", "b", "c"} {
		f.Seats = append(f.Seats, store.Seat{Agent: agent, Capacity: 2})
	}
	for _, change := range change {
		change(f)
	}
	for _, seat := range f.Seats {
		f.duty(seat.Agent, true)
	}
	return f
}

func (f *floor) passes(d time.Duration) { f.now = f.now.Add(d) }

func (f *floor) does(change func(context.Context, *store.Unit) error) {
	f.t.Helper()
	at := scope()
	at.Now = f.now
	if err := f.Do(f.t.Context(), at, change); err != nil {
		f.t.Fatal(err)
	}
}

func (f *floor) duty(agent string, on bool) {
	f.t.Helper()
	if _, err := f.Queries().PresenceSet(f.t.Context(), agent, on, f.now); err != nil {
		f.t.Fatal(err)
	}
}

// comes is a customer who is put into the queue.
func (f *floor) comes(customer uuid.UUID, changes ...func(*db.Conversation)) uuid.UUID {
	f.t.Helper()
	id := uuid.Must(uuid.NewV7())
	f.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{ID: id, Channel: "shop", ExternalID: id.String(), CustomerID: customer, OpenedAt: f.now})
		if err != nil {
			return err
		}
		c.State, c.SkillGroup, c.QueuedAt = store.StateQueued, f.Group, &f.now
		for _, change := range changes {
			change(&c)
		}
		_, err = u.Save(ctx, c)
		return err
	})
	return id
}

// assigns gives one conversation to somebody, if it can.
func (f *floor) assigns() bool {
	f.t.Helper()
	at := scope()
	at.Now = f.now
	assigned, err := f.AssignNext(f.t.Context(), at, f.Assignment)
	if err != nil {
		f.t.Fatal(err)
	}
	return assigned
}

// gets is a new conversation, and who gets it.
func (f *floor) gets(changes ...func(*db.Conversation)) string {
	f.t.Helper()
	id := f.comes(uuid.New(), changes...)
	f.assigns()
	return f.agentOf(id)
}

// agentOf is the agent who has the conversation now; none while it waits.
func (f *floor) agentOf(id uuid.UUID) string {
	f.t.Helper()
	c, err := f.Queries().ConversationGet(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	if c.Agent == nil {
		return ""
	}
	return *c.Agent
}

func (f *floor) changes(id uuid.UUID, change func(context.Context, *store.Unit, db.Conversation) error) {
	f.t.Helper()
	f.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err != nil {
			return err
		}
		return change(ctx, u, c)
	})
}

func (f *floor) ends(id uuid.UUID) {
	f.t.Helper()
	f.changes(id, func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		_, err := u.Close(ctx, c)
		return err
	})
}

func (f *floor) answers(id uuid.UUID) {
	f.t.Helper()
	f.changes(id, func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		c.UnansweredSince = nil
		_, err := u.Save(ctx, c)
		return err
	})
}

func (f *floor) used(agent string) int32 {
	f.t.Helper()
	p, err := f.Queries().PresenceGet(f.t.Context(), agent)
	if err != nil {
		f.t.Fatal(err)
	}
	return p.Used
}

// fills gives an agent all that they have room for.
func (f *floor) fills(agent string) {
	f.t.Helper()
	others := f.Seats
	f.Seats = slices.DeleteFunc(slices.Clone(others), func(seat store.Seat) bool { return seat.Agent != agent })
	for f.gets() == agent {
	}
	f.Seats = others
	f.does(func(ctx context.Context, _ *store.Unit) error {
		_, err := f.Pool().Exec(ctx, "DELETE FROM conversation WHERE state = 'queued'")
		return err
	})
}

func (f *floor) skilled(skills map[string][]yingdav1.AgentSkill, wants ...yingdav1.WantedSkill) {
	f.Strategy = yingdav1.StrategySkilled
	for i := range f.Seats {
		f.Seats[i].Skills = skills[f.Seats[i].Agent]
	}
	f.Wants = map[store.Route][]yingdav1.WantedSkill{{Channel: "shop", Rule: "refund"}: wants}
}

func byRule(rule string) func(*db.Conversation) {
	return func(c *db.Conversation) { c.RoutingRule = rule }
}

// person is what the histories below know of an agent.
type person struct {
	name     string
	onDuty   bool
	capacity int
	serves   []uuid.UUID
	idle     time.Time
	turn     int
}

func (p *person) free() bool { return p.onDuty && len(p.serves) < p.capacity }

// before says whether the strategy must rather choose p than q; both are free.
func (p *person) before(q *person, strategy yingdav1.AssignmentStrategy) bool {
	idle := func(p *person) bool { return len(p.serves) == 0 }
	switch strategy {
	case yingdav1.StrategyRoundRobin:
		return p.turn < q.turn
	case yingdav1.StrategyLongestIdle:
		if idle(p) && idle(q) {
			return p.idle.Before(q.idle)
		}
		return idle(p) && !idle(q) || idle(p) == idle(q) && p.turn < q.turn
	default:
		return len(p.serves)*q.capacity < len(q.serves)*p.capacity
	}
}

// TestWhoIsChosenInAnyHistory plays random days and asks of each choice that nobody free had to come before.
func TestWhoIsChosenInAnyHistory(t *testing.T) {
	for _, strategy := range []yingdav1.AssignmentStrategy{yingdav1.StrategyLeastBusy, yingdav1.StrategyLongestIdle, yingdav1.StrategyRoundRobin, yingdav1.StrategySkilled} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%s/%d", strategy, seed), func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 7))
				f := newFloor(t, func(f *floor) { f.Strategy, f.Seats = strategy, nil })
				people := map[string]*person{}
				for i := range 2 + random.IntN(5) {
					p := &person{name: fmt.Sprintf("p%d", i), capacity: 1 + random.IntN(3)}
					people[p.name] = p
					f.Seats = append(f.Seats, store.Seat{Agent: p.name, Capacity: int32(p.capacity)})
				}
				turns := 0
				var waiting []uuid.UUID
				for range 150 {
					f.passes(time.Second)
					p := people[f.Seats[random.IntN(len(f.Seats))].Agent]
					switch what := random.IntN(10); {
					case what == 0:
						if p.onDuty = !p.onDuty; p.onDuty {
							p.idle = f.now
						}
						f.duty(p.name, p.onDuty)
					case what < 4 && len(p.serves) > 0:
						id := p.serves[0]
						if p.serves = p.serves[1:]; len(p.serves) == 0 {
							p.idle = f.now
						}
						f.ends(id)
					case what < 7:
						waiting = append(waiting, f.comes(uuid.New()))
					default:
						free := slices.DeleteFunc(slices.Collect(maps.Values(people)), func(p *person) bool { return !p.free() })
						if assigned := f.assigns(); assigned != (len(waiting) > 0 && len(free) > 0) {
							t.Fatalf("assigned is %t with %d waiting and %d free", assigned, len(waiting), len(free))
						} else if !assigned {
							continue
						}
						got := people[f.agentOf(waiting[0])]
						if !got.free() {
							t.Fatalf("%s got a conversation without having room", got.name)
						}
						for _, other := range free {
							if other.before(got, strategy) {
								t.Fatalf("%+v was chosen before %+v", got, other)
							}
						}
						turns++
						got.turn, got.serves, waiting = turns, append(got.serves, waiting[0]), waiting[1:]
					}
				}
			})
		}
	}
}

func TestRoundRobinGivesEverybodyTheSame(t *testing.T) {
	f := newFloor(t, func(f *floor) { f.Strategy = yingdav1.StrategyRoundRobin })
	got := map[string]int{}
	var ids []uuid.UUID
	for i := range 30 {
		id := f.comes(uuid.New())
		f.assigns()
		got[f.agentOf(id)]++
		ids = append(ids, id)
		if i > 2 { // Not in turn: whoever is free early gets no more than the others.
			f.ends(ids[0])
			ids = ids[1:]
		}
	}
	if diff := cmp.Diff(map[string]int{"a": 10, "b": 10, "c": 10}, got); diff != "" {
		t.Errorf("conversations (-want +got):\n%s", diff)
	}
}

func TestWhoseSkillsAreEnoughGetsTheConversation(t *testing.T) {
	refund := func(level int32) []yingdav1.AgentSkill {
		return []yingdav1.AgentSkill{{Name: "lang-en", Level: 1}, {Name: "refund", Level: level}}
	}
	f := newFloor(t, func(f *floor) {
		f.skilled(map[string][]yingdav1.AgentSkill{"a": refund(1), "b": refund(5), "c": refund(3)}, yingdav1.WantedSkill{Skill: "refund", MinLevel: 2})
	})
	var got []string
	for range 5 {
		got = append(got, f.gets(byRule("refund")))
	}
	// The least skilled of those who can, until c is full; a cannot at all, and the last one waits.
	if diff := cmp.Diff([]string{"c", "c", "b", "b", ""}, got); diff != "" {
		t.Errorf("who got them (-want +got):\n%s", diff)
	}
	if got := f.gets(byRule("other")); got != "a" {
		t.Errorf("who wants no skill and came later was given to %q, want a, who is free", got)
	}
	f.passes(59 * time.Second)
	if f.assigns() {
		t.Error("before its time anybody will do")
	}
	f.passes(time.Second)
	if !f.assigns() || f.used("a") != 2 {
		t.Error("after its time not everybody will do")
	}
}

func TestSkillsThatNobodyHasAreNotWaitedFor(t *testing.T) {
	f := newFloor(t, func(f *floor) {
		f.skilled(map[string][]yingdav1.AgentSkill{"a": {{Name: "refund", Level: 4}}}, yingdav1.WantedSkill{Skill: "refund", MinLevel: 5})
	})
	if got := f.gets(byRule("refund")); got == "" {
		t.Error("the customer waits for somebody who is not there")
	}
}

func TestOtherStrategiesIgnoreSkills(t *testing.T) {
	f := newFloor(t, func(f *floor) {
		f.skilled(map[string][]yingdav1.AgentSkill{"c": {{Name: "refund", Level: 5}}}, yingdav1.WantedSkill{Skill: "refund"})
		f.Strategy = yingdav1.StrategyRoundRobin
	})
	if got := f.gets(byRule("refund")); got != "a" {
		t.Errorf("%q got it, want a, whose turn it is", got)
	}
}

func TestWhoComesBackGetsTheAgentWhoServedThem(t *testing.T) {
	tests := map[string]struct {
		change func(f *floor)
		after  time.Duration
		want   string
	}{
		"in time":                        {want: "a", after: time.Hour},
		"at the last moment":             {want: "a", after: 24 * time.Hour},
		"too late":                       {want: "b", after: 24*time.Hour + time.Second},
		"while that agent is off duty":   {want: "b", change: func(f *floor) { f.duty("a", false) }},
		"while that agent is full":       {want: "b", change: func(f *floor) { f.fills("a") }},
		"when that agent left the group": {want: "b", change: func(f *floor) { f.Seats = f.Seats[1:] }},
		"in a group that does not mind":  {want: "b", change: func(f *floor) { f.StickyFor = 0 }},
		"when that agent cannot do it": {want: "c", change: func(f *floor) {
			f.skilled(map[string][]yingdav1.AgentSkill{"c": {{Name: "refund"}}}, yingdav1.WantedSkill{Skill: "refund"})
		}},
		"when that agent can do it too well": {want: "a", change: func(f *floor) {
			f.skilled(map[string][]yingdav1.AgentSkill{"a": {{Name: "refund", Level: 5}}, "c": {{Name: "refund"}}}, yingdav1.WantedSkill{Skill: "refund"})
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, func(f *floor) { f.StickyFor = 24 * time.Hour })
			customer := uuid.New()
			first := f.comes(customer)
			f.assigns()
			f.ends(first)
			if test.change != nil {
				test.change(f)
			}
			f.passes(test.after)
			again := f.comes(customer, byRule("refund"))
			f.assigns()
			if got := f.agentOf(again); f.agentOf(first) != "a" || got != test.want {
				t.Errorf("after %s the customer got %q, want %q", f.agentOf(first), got, test.want)
			}
		})
	}
}

func TestWhatNobodyAnswersIsPassedOn(t *testing.T) {
	f := newFloor(t, func(f *floor) { f.ReassignAfter = 5 * time.Minute })
	silent := f.comes(uuid.New())
	f.assigns()
	answered := f.comes(uuid.New())
	f.assigns()
	f.answers(answered)
	f.passes(5*time.Minute - time.Second)
	if f.assigns() {
		t.Fatal("it was passed on before its time")
	}
	f.passes(time.Second)
	// Whoever waits in the queue comes after it.
	waiting := f.comes(uuid.New())
	if !f.assigns() || f.agentOf(silent) != "c" || f.agentOf(waiting) != "" {
		t.Fatalf("the conversation that nobody answered is with %q, and one in the queue with %q", f.agentOf(silent), f.agentOf(waiting))
	}
	if f.agentOf(answered) != "b" || f.used("a") != 0 || f.used("c") != 1 {
		t.Errorf("the answered one is with %q; a uses %d, c %d", f.agentOf(answered), f.used("a"), f.used("c"))
	}
	for _, agent := range []string{"a", "c"} {
		frames, err := f.Queries().FramesAfter(t.Context(), agent, 0, 100)
		if err != nil || len(frames) == 0 {
			t.Fatalf("%s was told %d things, err %v", agent, len(frames), err)
		}
		var told store.Conversation
		last := frames[len(frames)-1]
		if err := json.Unmarshal(last.Payload, &told); err != nil || last.Kind != string(message.FrameConversation) {
			t.Fatal(last.Kind, err)
		}
		if told.ID != silent || told.Agent != "c" || !slices.Equal(told.PassedBy, []string{"a"}) {
			t.Errorf("%s was told %+v", agent, told)
		}
	}
}

func TestWhatNobodyAnswersComesToAnEnd(t *testing.T) {
	f := newFloor(t, func(f *floor) { f.ReassignAfter = time.Minute })
	id := f.comes(uuid.New())
	f.assigns()
	got := []string{f.agentOf(id)}
	for range 6 {
		f.passes(time.Hour)
		for f.assigns() {
			got = append(got, f.agentOf(id))
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Errorf("it was with (-want +got):\n%s", diff)
	}
	// It goes on once there is somebody else, and holds up nobody meanwhile.
	other := f.comes(uuid.New())
	f.assigns()
	f.answers(other)
	f.Seats = append(f.Seats, store.Seat{Agent: "d", Capacity: 1})
	f.duty("d", true)
	if !f.assigns() || f.agentOf(id) != "d" || f.agentOf(other) == "" {
		t.Errorf("with somebody else it is with %q", f.agentOf(id))
	}
}

func TestWhatNobodyElseHasRoomForStaysWhereItIs(t *testing.T) {
	f := newFloor(t, func(f *floor) { f.ReassignAfter, f.Seats = time.Minute, f.Seats[:2] })
	f.Seats[1].Capacity = 1
	first, second := f.comes(uuid.New()), f.comes(uuid.New())
	f.assigns()
	f.assigns()
	f.answers(second)
	f.passes(time.Hour)
	if f.assigns() || f.agentOf(first) != "a" {
		t.Errorf("it was taken from a and is with %q", f.agentOf(first))
	}
	f.ends(second)
	if !f.assigns() || f.agentOf(first) != "b" {
		t.Errorf("with room it is with %q", f.agentOf(first))
	}
}

func TestOnlyGroupsInWhichSomebodyWaitsForAnAnswerAreOverdue(t *testing.T) {
	f := newFloor(t, func(f *floor) { f.ReassignAfter = time.Minute })
	id := f.comes(uuid.New())
	f.assigns()
	never := store.Assignment{Group: "sales"}
	other := f.Assignment
	other.Group = "other"
	overdue := func() []string {
		got, err := f.OverdueGroups(t.Context(), f.now, []store.Assignment{f.Assignment, never, other})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := overdue(); got != nil {
		t.Errorf("at once %v are overdue", got)
	}
	f.passes(time.Minute)
	if diff := cmp.Diff([]string{"sales"}, overdue()); diff != "" {
		t.Errorf("overdue (-want +got):\n%s", diff)
	}
	f.answers(id)
	if got := overdue(); got != nil {
		t.Errorf("after the answer %v are overdue", got)
	}
}

func TestAConversationTakesAndGivesBackWhatItWeighs(t *testing.T) {
	f := newFloor(t, func(f *floor) {
		f.Seats = []store.Seat{{Agent: "a", Capacity: 3}}
		f.Weights = map[string]int32{"shop": 1, "hotline": 100}
	})
	chat := f.comes(uuid.New())
	f.assigns()
	call := f.comes(uuid.New(), func(c *db.Conversation) { c.Priority = 1 })
	f.does(func(ctx context.Context, _ *store.Unit) error {
		_, err := f.Pool().Exec(ctx, "UPDATE conversation SET channel = 'hotline' WHERE id = $1", call)
		return err
	})
	if f.assigns() {
		t.Error("who has a chat was given a call as well")
	}
	f.ends(chat)
	if !f.assigns() || f.used("a") != 3 {
		t.Errorf("of three a call takes %d", f.used("a"))
	}
	if got := f.gets(); got != "" {
		t.Error("who has a call was given a chat as well")
	}
	f.Seats[0].Capacity, f.Weights = 9, nil // Whatever is declared meanwhile.
	f.ends(call)
	if got := f.used("a"); got != 0 {
		t.Errorf("after the call %d is in use", got)
	}
}

// TestManyRoutersNeverGiveTooMuchOrTwice lets routers and desks race with every rule on.
func TestManyRoutersNeverGiveTooMuchOrTwice(t *testing.T) {
	for _, strategy := range []yingdav1.AssignmentStrategy{yingdav1.StrategyLeastBusy, yingdav1.StrategyLongestIdle, yingdav1.StrategyRoundRobin, yingdav1.StrategySkilled} {
		t.Run(string(strategy), func(t *testing.T) {
			f := newFloor(t, func(f *floor) {
				f.skilled(map[string][]yingdav1.AgentSkill{"a": {{Name: "refund", Level: 2}}, "b": {{Name: "refund", Level: 4}}}, yingdav1.WantedSkill{Skill: "refund"})
				f.Strategy, f.StickyFor, f.ReassignAfter = strategy, time.Hour, time.Millisecond
			})
			const customers = 60
			known := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
			for i := range customers {
				f.comes(known[i%len(known)], byRule([]string{"refund", ""}[i%2]), func(c *db.Conversation) { c.Priority = int32(i) })
			}
			var assigned, closed atomic.Int32
			var workers sync.WaitGroup
			for worker := range 8 {
				workers.Go(func() {
					at := scope()
					for closed.Load() < customers && !t.Failed() {
						// Each sees another time, so that conversations are passed on while others assign and close.
						at.Now = at.Now.Add(time.Duration(worker+1) * time.Second)
						for {
							got, err := f.AssignNext(t.Context(), at, f.Assignment)
							if err != nil {
								t.Error(err)
								return
							}
							if !got {
								break
							}
							assigned.Add(1)
						}
						assertCapacity(t, f.Store, f.Seats)
						closeOne(t, f.Store, &closed)
					}
				})
			}
			workers.Wait()
			var passed int32
			if err := f.Pool().QueryRow(t.Context(), "SELECT coalesce(sum(cardinality(passed_by)), 0) FROM conversation").Scan(&passed); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d were passed on", passed)
			if assigned.Load() != customers+passed {
				t.Errorf("%d assignments of %d conversations, of which %d were passed on", assigned.Load(), customers, passed)
			}
			for _, seat := range f.Seats {
				if got := f.used(seat.Agent); got != 0 {
					t.Errorf("%s still uses %d after all conversations were closed", seat.Agent, got)
				}
			}
		})
	}
}

func BenchmarkAssignNext(b *testing.B) {
	const waiting, agents = 2000, 50
	s, err := store.Open(b.Context(), testenv.Database(b, migrate), store.PlanOnce)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	run := func(statement string, args ...any) {
		if _, err := s.Pool().Exec(b.Context(), statement, args...); err != nil {
			b.Fatal(err)
		}
	}
	run(`INSERT INTO conversation (id, channel, external_id, customer_id, state, skill_group, opened_at, queued_at, last_message_at)
		SELECT gen_random_uuid(), 'shop', i, gen_random_uuid(), 'queued', 'sales', $1, $1, $1 FROM generate_series(1, $2::int) AS i`, scope().Now, waiting)
	var seats []store.Seat
	for i := range agents {
		agent := fmt.Sprintf("agent-%02d", i)
		seats = append(seats, store.Seat{Agent: agent, Capacity: 100})
		run("INSERT INTO presence (agent, on_duty, updated_at) VALUES ($1, true, $2)", agent, scope().Now)
	}
	ticks := 0
	for name, rules := range map[string]routing.Assignment{
		"LeastBusy":                    {Strategy: yingdav1.StrategyLeastBusy},
		"RoundRobin":                   {Strategy: yingdav1.StrategyRoundRobin},
		"LeastBusy, sticky":            {Strategy: yingdav1.StrategyLeastBusy, StickyFor: time.Hour},
		"LeastBusy, sticky, passed on": {Strategy: yingdav1.StrategyLeastBusy, StickyFor: time.Hour, ReassignAfter: time.Hour},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				at := scope()
				ticks++
				at.Now = at.Now.Add(time.Duration(ticks) * time.Millisecond)
				assigned, err := s.AssignNext(b.Context(), at, store.Assignment{Assignment: rules, Group: "sales", Seats: seats})
				if err != nil {
					b.Fatal(err)
				}
				if !assigned {
					b.StopTimer()
					run("UPDATE conversation SET state = 'queued', agent = NULL")
					run("UPDATE presence SET used = 0")
					run("VACUUM ANALYZE conversation, presence")
					b.StartTimer()
				}
			}
		})
	}
}
