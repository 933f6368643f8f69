package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/testenv"
)

func migrate(ctx context.Context, url string) error {
	return store.Migrate(ctx, url, testenv.ConnectorRole)
}

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), testenv.Database(t, migrate))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func scope() store.Scope {
	return store.Scope{Events: "events", Source: "/test", Now: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)}
}

// rules are those of a queue in which a minute of waiting is worth that many points.
func rules(t *testing.T, ageing int32) queue.Rules {
	t.Helper()
	rules, err := queue.Compile(yingdav1.SkillGroupSpec{PriorityAgeing: &ageing})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// queued makes a conversation that waits in a group.
func queued(t *testing.T, s *store.Store, group, customer string, queuedAt time.Time, priority int32) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{
			ID: id, Channel: "shop", ExternalID: customer, CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: queuedAt,
		})
		if err != nil {
			return err
		}
		c.SkillGroup, c.QueuedAt, c.Priority = group, &queuedAt, priority
		_, err = u.Save(ctx, u.Queue(c, rules(t, 10)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func onDuty(t *testing.T, s *store.Store, agents ...string) {
	t.Helper()
	for _, agent := range agents {
		if _, err := s.Queries().PresenceSet(t.Context(), agent, true, scope().Now); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnAgentNeverHasMoreConversationsThanTheirCapacity(t *testing.T) {
	s := open(t)
	seats := []store.Seat{{Agent: "xiaomei", Capacity: 3}, {Agent: "xiaohong", Capacity: 2}}
	onDuty(t, s, "xiaomei", "xiaohong")
	const customers = 40
	for i := range customers {
		queued(t, s, "after-sales", fmt.Sprintf("c%d", i), scope().Now.Add(time.Duration(i)*time.Second), 0)
	}

	// Eight assigners and closers race until everybody was served; after each step the counters must hold.
	var closed atomic.Int32
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for closed.Load() < customers {
				for {
					assigned, err := s.AssignNext(t.Context(), scope(), store.Assignment{Group: "after-sales", Seats: seats})
					if err != nil {
						t.Error(err)
						return
					}
					if !assigned {
						break
					}
				}
				assertCapacity(t, s, seats)
				if t.Failed() {
					return
				}
				closeOne(t, s, &closed)
			}
		})
	}
	workers.Wait()
	for _, seat := range seats {
		p, err := s.Queries().PresenceGet(t.Context(), seat.Agent)
		if err != nil {
			t.Fatal(err)
		}
		if p.Used != 0 {
			t.Errorf("%s still uses %d slots after all conversations were closed", seat.Agent, p.Used)
		}
	}
}

func assertCapacity(t *testing.T, s *store.Store, seats []store.Seat) {
	t.Helper()
	for _, seat := range seats {
		var used, assigned int32
		err := s.Pool().QueryRow(t.Context(), `SELECT p.used, (SELECT count(*) FROM conversation c WHERE c.agent = p.agent AND c.state = 'assigned')
			FROM presence p WHERE agent = $1`, seat.Agent).Scan(&used, &assigned)
		if err != nil {
			t.Error(err)
			return
		}
		if used != assigned || used > seat.Capacity {
			t.Errorf("%s: counter %d, conversations %d, capacity %d", seat.Agent, used, assigned, seat.Capacity)
		}
	}
}

// closeOne closes any assigned conversation.
func closeOne(t *testing.T, s *store.Store, closed *atomic.Int32) {
	t.Helper()
	err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
		var id uuid.UUID
		err := s.Pool().QueryRow(ctx, "SELECT id FROM conversation WHERE state = 'assigned' ORDER BY random() LIMIT 1").Scan(&id)
		if err != nil {
			return nil //nolint:nilerr // Nobody is served at the moment.
		}
		c, err := u.ConversationForUpdate(ctx, id)
		if err != nil || c.State != store.StateAssigned {
			return err
		}
		if _, err := u.Close(ctx, c); err != nil {
			return err
		}
		closed.Add(1)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheQueueIsServedByPriorityAndByWaitingTime(t *testing.T) {
	s := open(t)
	onDuty(t, s, "xiaomei")
	now := scope().Now
	second := queued(t, s, "after-sales", "second", now.Add(time.Minute), 0)
	first := queued(t, s, "after-sales", "first", now, 0)
	complaint := queued(t, s, "after-sales", "complaint", now.Add(20*time.Minute+time.Second), 200)
	queued(t, s, "pre-sales", "elsewhere", now.Add(-time.Hour), 900)

	var got []uuid.UUID
	for _, want := range []uuid.UUID{first, complaint, second} {
		assigned, err := s.AssignNext(t.Context(), scope(), store.Assignment{Group: "after-sales", Seats: []store.Seat{{Agent: "xiaomei", Capacity: 5}}})
		if err != nil || !assigned {
			t.Fatalf("assigned = %v, err = %v", assigned, err)
		}
		c, err := s.Queries().ConversationGet(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		if c.State == store.StateAssigned {
			got = append(got, c.ID)
		}
	}
	if diff := cmp.Diff([]uuid.UUID{first, complaint, second}, got); diff != "" {
		t.Errorf("order of service (-want +got):\n%s", diff)
	}
}

func TestTheLeastBusyAgentIsChosen(t *testing.T) {
	s := open(t)
	onDuty(t, s, "big", "small")
	seats := []store.Seat{{Agent: "big", Capacity: 4}, {Agent: "small", Capacity: 1}, {Agent: "absent", Capacity: 9}}
	for i := range 6 {
		queued(t, s, "after-sales", fmt.Sprintf("c%d", i), scope().Now.Add(time.Duration(i)), 0)
	}
	for i := range 6 {
		assigned, err := s.AssignNext(t.Context(), scope(), store.Assignment{Group: "after-sales", Seats: seats})
		if err != nil {
			t.Fatal(err)
		}
		if want := i < 5; assigned != want {
			t.Errorf("conversation %d: assigned = %v, want %v", i, assigned, want)
		}
	}
}

func TestFramesOfAnAgentAreNumberedWithoutGaps(t *testing.T) {
	s := open(t)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 25 {
				err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
					u.Tell(ctx, "xiaomei", message.FrameMessage, 2*i)
					u.Tell(ctx, "xiaohong", message.FrameMessage, w)
					u.Tell(ctx, "xiaomei", message.FrameMessage, 2*i+1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	frames, err := s.Queries().FramesAfter(t.Context(), "xiaomei", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(frames) != 200 {
		t.Fatalf("frames = %d, want 200", len(frames))
	}
	// All shards: the rows of one agent are in one of them.
	sent, err := s.OutboxNext(t.Context(), nil, db.OutboxHeadExceptParams{
		Shards: []int16{0, 1, 2, 3, 4, 5, 6, 7}, Destination: store.DestinationKafka, MaxRows: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	sent = slices.DeleteFunc(sent, func(row db.Outbox) bool { return row.Key != "xiaomei" })
	if len(sent) != len(frames) {
		t.Fatalf("the outbox has %d rows, want %d", len(sent), len(frames))
	}
	last := -1
	for i, f := range frames {
		number, err := strconv.Atoi(string(f.Payload))
		if err != nil || number%2 == 1 && number != last+1 {
			t.Errorf("frame %d carries %q after %d: the two of a unit changed places", i+1, f.Payload, last)
		}
		last = number
		var live message.Frame
		if err := json.Unmarshal(sent[i].Payload, &live); err != nil {
			t.Fatal(err)
		}
		if f.Seq != int64(i+1) || live.Seq != f.Seq || sent[i].EventID != fmt.Sprintf("xiaomei/%d", f.Seq) || string(live.Payload) != string(f.Payload) {
			t.Errorf("frame %d has number %d, and in the outbox %d as %s with %s instead of %s", i+1, f.Seq, live.Seq, sent[i].EventID, live.Payload, f.Payload)
		}
	}
}

func TestSayingTheSameWordsTwiceSendsThemOnce(t *testing.T) {
	s := open(t)
	id := queued(t, s, "after-sales", "c", scope().Now, 0)
	for i := range 2 {
		err := s.Do(t.Context(), scope(), func(ctx context.Context, u *store.Unit) error {
			c, err := u.ConversationForUpdate(ctx, id)
			if err != nil {
				return err
			}
			_, said, err := u.Say(ctx, c, store.Words{
				Key: "k", Topic: "outbound", Sender: store.SenderBot, Content: message.Content{Kind: message.KindText, Text: "您好"},
			})
			if want := i == 0; said != want {
				t.Errorf("time %d: said = %v, want %v", i+1, said, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var outbox int
	if err := s.Pool().QueryRow(t.Context(), "SELECT count(*) FROM outbox WHERE target = 'outbound'").Scan(&outbox); err != nil {
		t.Fatal(err)
	}
	if outbox != 1 {
		t.Errorf("outbox rows = %d, want 1", outbox)
	}
}

func TestAConnectorsLoginReachesOnlyItsOwnTables(t *testing.T) {
	ownerURL := testenv.Database(t, migrate)
	s, err := store.Open(t.Context(), testenv.ConnectorURL(t, ownerURL))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for what, allowed := range map[string]bool{
		"* FROM delivery": true, "* FROM quota": true, "* FROM spool": true, "* FROM media": true, "* FROM token_refresh": true, "* FROM passive_reply": true,
		"* FROM message": false, "* FROM session": false, "* FROM outbox": false, "* FROM complaint": false,
		"state, topic FROM conversation": true, "agent FROM conversation": false, "* FROM conversation": false,
		"session_from FROM contact": true, "customer_id FROM contact": false, "* FROM contact": false,
		"message_id FROM processed": true, "* FROM processed": false,
	} {
		_, err := s.Pool().Exec(t.Context(), "SELECT "+what+" LIMIT 1")
		if (err == nil) != allowed {
			t.Errorf("reading %s: err = %v, allowed = %v", what, err, allowed)
		}
	}
}
