package router

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// owed are the processes that watch over what is owed to customers, in the order of their starts.
func (w *world) owed() []promise.TaskInput {
	w.t.Helper()
	rows, err := w.Store.Queries().OutboxHead(w.t.Context(), []int16{0, 1, 2, 3, 4, 5, 6, 7}, store.DestinationTemporal, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	var owed []promise.TaskInput
	for _, row := range rows {
		if row.Target != store.TargetStart+promise.TaskWorkflow {
			continue
		}
		var in promise.TaskInput
		if err := json.Unmarshal(row.Payload, &in); err != nil {
			w.t.Fatal(err)
		}
		if in.ID != row.Key {
			w.t.Errorf("the process %s believes to be %s", row.Key, in.ID)
		}
		owed = append(owed, in)
	}
	return owed
}

// shown is a case as desks see it.
func (w *world) shown(id string) store.Case {
	w.t.Helper()
	row, err := w.Store.Queries().CaseGet(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return store.CaseView(row)
}

func TestWhoWritesInTheNightIsOwedAnAnswerOnce(t *testing.T) {
	w := newWorld(t)
	w.now = noon().Add(11 * time.Hour) // 23:00
	w.writes("c", "在吗", "有人吗")
	w.now = w.now.Add(time.Minute)
	w.writes("c", "喂")
	owed := w.owed()
	want := []promise.TaskInput{{
		Kind: promise.CaseOffHours, Channel: "shop", Customer: "c", SkillGroup: "pre-sales", AfterOpeningSeconds: 3600, RemindBeforeSeconds: 900,
		StartedAt: noon().Add(11 * time.Hour),
	}}
	if diff := cmp.Diff(want, owed, cmpopts.IgnoreFields(promise.TaskInput{}, "ID", "Conversation")); diff != "" {
		t.Fatalf("owed (-want +got):\n%s", diff)
	}
	c := w.shown(owed[0].ID)
	if due := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC); c.State != "open" || c.Title != titleOffHours || c.Due == nil || !c.Due.Equal(due) {
		t.Errorf("the case is %+v, want one that is due at %s", c, due)
	}

	// Answered in the morning, and once more in the next night by nobody: that is owed anew.
	w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
		if err := u.AnsweredOffHours(ctx, &c, "xiaomei"); err != nil {
			return err
		}
		c.State = store.StateBot
		_, err := u.Save(ctx, c)
		return err
	})
	if c := w.shown(owed[0].ID); c.State != string(promise.TaskDone) || c.ClosedAt == nil {
		t.Errorf("answered, the case is %+v", c)
	}
	w.now = w.now.Add(24 * time.Hour)
	w.writes("c", "在吗")
	if owed := w.owed(); len(owed) != 2 || owed[0].ID == owed[1].ID {
		t.Errorf("in the next night there are %+v", owed)
	}
}

func TestWhatIsOwedAfterTheOpeningIsOwedByTheGroupThatTheConversationMovedTo(t *testing.T) {
	w := newWorld(t)
	w.now = noon().Add(11 * time.Hour)
	w.writes("c", "在吗")
	w.writes("c", "我要投诉,退款")
	owed := w.owed()
	if len(owed) != 1 || owed[0].SkillGroup != "pre-sales" {
		t.Fatalf("owed %+v, want one by pre-sales", owed)
	}
	if got := w.sees("c").Group; got != "after-sales" {
		t.Fatalf("the conversation is %s's", got)
	}
	if c := w.shown(owed[0].ID); c.SkillGroup != "after-sales" {
		t.Errorf("the case is %+v, want it after-sales's", c)
	}
}

func TestWhoStillWaitsAtTheNextClosingIsOwedAnotherAnswerWhereTheFirstWasCalledOff(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Store.Queries().PresenceSet(t.Context(), "xiaomei", false, w.now); err != nil {
		t.Fatal(err)
	}
	w.now = noon().Add(11 * time.Hour)
	w.writes("c", "在吗")
	first := w.owed()[0].ID
	w.does("c", func(ctx context.Context, u *store.Unit, _ db.Conversation) error {
		off, _, err := u.ChangeCase(ctx, first, store.Taking{Step: "off"}, func(c *store.Case) error {
			c.State, c.ClosedAt = string(promise.TaskCancelled), &u.Now
			return nil
		})
		if err != nil {
			return err
		}
		return u.SettledOffHours(ctx, off)
	})
	w.now = w.now.Add(11 * time.Hour) // 10:00: nobody is there.
	w.drains()
	w.now = w.now.Add(12 * time.Hour)
	w.drains()
	owed := w.owed()
	if len(owed) != 2 {
		t.Fatalf("owed %+v, want another one", owed)
	}
	second := owed[0].ID
	if second == first {
		second = owed[1].ID
	}
	if c := w.shown(second); c.ClosedAt != nil || c.Due == nil {
		t.Errorf("the other is %+v", c)
	}
}

func TestWhoWritesWhileTheGroupIsClosedToAnAgentWhoIsOffDutyWaitsForTheOpening(t *testing.T) {
	const closed = "现在休息(09:00-21:00),11月24日 09:00回复您。"
	for name, test := range map[string]struct {
		at     time.Duration
		onDuty bool
		// said is what the agent has just said then.
		said   string
		writes []string
		want   seen
		owed   int
	}{
		"at night, and is told so once": {
			at: 11 * time.Hour, writes: []string{"还在吗", "喂"}, owed: 1,
			want: seen{State: "awaiting_opening", Group: "pre-sales", Heard: []string{"在吗", "还在吗", "喂"}, Said: []string{closed}},
		},
		"with another topic, after they were heard": {
			at: 11 * time.Hour, writes: []string{"我要投诉"}, owed: 1,
			want: seen{State: "awaiting_opening", Group: "pre-sales", Topic: "complaint", Heard: []string{"在吗", "我要投诉"}, Said: []string{heardOut, closed}},
		},
		"not where the agent is there": {
			at: 11 * time.Hour, onDuty: true, writes: []string{"还在吗"},
			want: seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"在吗", "还在吗"}},
		},
		"not in the middle of what the agent says": {
			at: 11 * time.Hour, said: "请稍等", writes: []string{"好"},
			want: seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"在吗", "好"}, Said: []string{"请稍等"}},
		},
		"not while the group is open": {
			at: time.Hour, writes: []string{"还在吗"},
			want: seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"在吗", "还在吗"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.writes("c", "在吗")
			duty := func(on bool) db.Presence {
				t.Helper()
				p, err := w.Store.Queries().PresenceSet(t.Context(), "xiaomei", on, w.now)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error { // An answer: no clock runs any more.
				c.AnsweredAt, c.AskedSince, c.RemindAt, c.UnansweredSince, c.LateAt = &u.Now, nil, nil, nil, nil
				_, err := u.Save(ctx, c)
				return err
			})
			duty(test.onDuty)
			w.now = noon().Add(test.at)
			if test.said != "" {
				w.does("c", func(ctx context.Context, u *store.Unit, c db.Conversation) error {
					_, _, err := u.Say(ctx, c, store.Words{
						Key: "said", Topic: "outbound", Sender: store.SenderAgent, Agent: *c.Agent,
						Content: message.Content{Kind: message.KindText, Text: test.said},
					})
					return err
				})
			}
			for _, text := range test.writes {
				w.writes("c", text)
				w.now = w.now.Add(time.Minute)
			}
			if diff := cmp.Diff(test.want, w.sees("c")); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			owed := w.owed()
			if len(owed) != test.owed {
				t.Fatalf("owed %+v, want %d", owed, test.owed)
			}
			if test.owed == 0 {
				return
			}
			if c := w.shown(owed[0].ID); !owed[0].StartedAt.Equal(noon().Add(test.at)) || c.Due == nil || !c.Due.Equal(noon().Add(22*time.Hour)) {
				t.Errorf("the case is %+v of %+v, want it since the first words of the night, due an hour after the opening", c, owed[0])
			}
			if p := duty(true); p.Used != 0 {
				t.Errorf("the agent is busy with %d", p.Used)
			}
			w.now = noon().Add(21 * time.Hour) // 9:00
			w.drains()
			if got := w.sees("c"); got.State != "assigned" || got.Agent != "xiaomei" {
				t.Errorf("in the morning it is %s of %q", got.State, got.Agent)
			}
		})
	}
}

func TestNobodyOwesAnAnswerToAConversationThatIsEnded(t *testing.T) {
	w := newWorld(t)
	w.now = noon().Add(11 * time.Hour)
	w.writes("c", "在吗")
	w.closes("c")
	c := w.shown(w.owed()[0].ID)
	if c.State != string(promise.TaskCancelled) || c.ClosedAt == nil || c.Due != nil {
		t.Errorf("the case is %+v", c)
	}
}

func TestACustomerWhoWasNotContentIsOwedACall(t *testing.T) {
	for name, test := range map[string]struct {
		rating string
		want   []promise.TaskInput
	}{
		"a good rating asks for nothing": {"5", nil},
		"a poor one for a call": {"1", []promise.TaskInput{{
			Kind: promise.CaseCallBack, Channel: "shop", Customer: "c", SkillGroup: "pre-sales", StartedAt: noon().Add(time.Minute),
			Due: noon().Add(24*time.Hour + time.Minute), RemindBeforeSeconds: 7200,
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, surveying)
			id := w.served("c")
			w.now = w.now.Add(time.Minute)
			w.writes("c", test.rating)
			owed := w.owed()
			if diff := cmp.Diff(test.want, owed, cmpopts.IgnoreFields(promise.TaskInput{}, "ID", "Conversation")); diff != "" {
				t.Fatalf("owed (-want +got):\n%s", diff)
			}
			if len(owed) == 0 {
				return
			}
			c := w.shown(owed[0].ID)
			var detail promise.TaskDetail
			if err := json.Unmarshal(c.Detail, &detail); err != nil {
				t.Fatal(err)
			}
			want := promise.TaskDetail{Reason: promise.CallBackBadRating, Rating: 1, Scale: "FiveStars", Rated: "xiaomei"}
			if diff := cmp.Diff(want, detail); diff != "" || *c.Conversation != id || !c.Due.Equal(owed[0].Due) {
				t.Errorf("the case is %+v; detail (-want +got):\n%s", c, diff)
			}
		})
	}
}
