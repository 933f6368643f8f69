package desk

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/queue"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// says is an agent's answer.
func (v *visitor) says(id uuid.UUID, what string) {
	v.desk.t.Helper()
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, "/api/conversations/"+id.String()+"/messages", say(uuid.New(), what))
}

// asksAgain is what a router does with a message to an agent who has answered the last one.
func (w *world) asksAgain(id uuid.UUID) {
	w.t.Helper()
	w.writesOn(id, text("还有问题"))
}

func (w *world) writesOn(id uuid.UUID, content message.Content) {
	w.t.Helper()
	w.hears(id, content)
	if _, err := w.store.Pool().Exec(w.t.Context(), "UPDATE conversation SET asked_since = $1, remind_at = $1 WHERE id = $2", w.clock(), id); err != nil {
		w.t.Fatal(err)
	}
}

// counted are the values of a metric by their labels; of a histogram, the sums.
func (d *desk) counted(name string) map[string]float64 {
	d.t.Helper()
	families, err := d.registry.Gather()
	if err != nil {
		d.t.Fatal(err)
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
			values[strings.Join(labels, " ")] = m.GetCounter().GetValue() + m.GetHistogram().GetSampleSum()
		}
	}
	return values
}

func TestHowQuicklyAgentsAnswerIsMeasured(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	v := d.as("xiaomei")
	id := w.assigned("after-sales", "xiaomei", "c")
	w.passes(15 * time.Second)
	v.says(id, "您好")
	v.says(id, "请稍等") // It answers nothing.
	w.passes(time.Hour)
	w.asksAgain(id)
	w.passes(16 * time.Second)
	key := uuid.New()
	for range 2 { // The second time it is not sent again, and not measured.
		asks[store.Message](v, http.StatusAccepted, http.MethodPost, "/api/conversations/"+id.String()+"/messages", say(key, "好的"))
	}
	if diff := cmp.Diff(map[string]float64{"after-sales met": 1, "after-sales missed": 1}, d.counted("yingda_desk_replies_total")); diff != "" {
		t.Errorf("replies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"after-sales": 31}, d.counted("yingda_desk_reply_seconds")); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
	c, err := w.store.Queries().ConversationGet(t.Context(), id)
	if err != nil || c.AskedSince != nil || c.RemindAt != nil || !c.AnsweredAt.Equal(noon().Add(15*time.Second)) {
		t.Errorf("it is asked since %v, with a reminder at %v, and was answered first at %v, %v", c.AskedSince, c.RemindAt, c.AnsweredAt, err)
	}
}

func TestSupervisorsReviewWhereCustomersWaitedTooLong(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	quick, slow, silent, thanked := w.assigned("after-sales", "xiaomei", "quick"), w.assigned("after-sales", "xiaomei", "slow"),
		w.assigned("after-sales", "xiaomei", "silent"), w.assigned("after-sales", "xiaomei", "thanked")
	path := func(id uuid.UUID) string { return "/api/conversations/" + id.String() }
	w.passes(5 * time.Minute)
	d.as("xiaomei").says(quick, "您好")
	d.as("xiaomei").says(thanked, "您好")
	w.writesOn(thanked, text("好的,谢谢")) // It asks for no answer.
	w.passes(time.Second)
	d.as("laowang").says(slow, "抱歉,让您久等了")
	w.passes(time.Hour)
	for _, id := range []uuid.UUID{silent, thanked} {
		asks[store.Conversation](d.as("xiaomei"), http.StatusOK, http.MethodPost, path(id)+"/close", nil)
	}
	type listed struct{ Reviews []Review }
	list := func() map[string]int32 {
		t.Helper()
		waits := map[string]int32{}
		for _, review := range asks[listed](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/reviews", nil).Reviews {
			waits[review.Conversation.Customer+" by "+review.Agent] = review.WaitedSeconds
		}
		return waits
	}
	if diff := cmp.Diff(map[string]int32{"slow by xiaomei": 301, "silent by xiaomei": 3901}, list()); diff != "" {
		t.Errorf("to be reviewed (-want +got):\n%s", diff)
	}
	for method, path := range map[string]string{http.MethodGet: "/api/reviews", http.MethodPost: path(slow) + "/reviewed"} {
		if got := asks[refused](d.as("xiaomei"), http.StatusForbidden, method, path, nil); got.Type != "urn:yingda:problem:SupervisorsOnly" {
			t.Errorf("an agent is refused with %+v", got)
		}
	}
	asks[nothing](d.as("laowang"), http.StatusNoContent, http.MethodPost, path(slow)+"/reviewed", nil)
	if got := asks[refused](d.as("laowang"), http.StatusConflict, http.MethodPost, path(slow)+"/reviewed", nil); got.Type != "urn:yingda:problem:NothingToReview" {
		t.Errorf("a second look is refused with %+v", got)
	}
	if diff := cmp.Diff(map[string]int32{"silent by xiaomei": 3901}, list()); diff != "" {
		t.Errorf("after the first was reviewed (-want +got):\n%s", diff)
	}
	// What happens afterwards is to be looked at as well.
	w.asksAgain(slow)
	w.passes(6 * time.Minute)
	d.as("xiaomei").says(slow, "在的")
	if diff := cmp.Diff(map[string]int32{"silent by xiaomei": 3901, "slow by xiaomei": 360}, list()); diff != "" {
		t.Errorf("after it happened again (-want +got):\n%s", diff)
	}
}

func TestAWaitIsLookedAtWhereverItWas(t *testing.T) {
	group := func(reassignAfter time.Duration, agents ...string) store.Assignment {
		a := store.Assignment{Group: "after-sales", Assignment: routing.Assignment{ReassignAfter: reassignAfter}}
		for _, name := range agents {
			a.Seats = append(a.Seats, store.Seat{Agent: name, Capacity: 100})
		}
		return a
	}
	type scene struct {
		*world
		*desk
		id uuid.UUID
	}
	gives := func(s scene, a store.Assignment) {
		t.Helper()
		for _, seat := range a.Seats {
			if _, err := s.store.Queries().PresenceSet(t.Context(), seat.Agent, true, s.clock()); err != nil {
				t.Fatal(err)
			}
		}
		if assigned, err := s.store.AssignNext(t.Context(), s.scope(), a); err != nil || !assigned {
			t.Fatalf("assigned %t, err %v", assigned, err)
		}
	}
	closes := func(s scene, by string) {
		t.Helper()
		asks[store.Conversation](s.as(by), http.StatusOK, http.MethodPost, "/api/conversations/"+s.id.String()+"/close", nil)
	}
	shows := func(s scene, content message.Content) {
		t.Helper()
		gives(s, group(0, "xiaomei"))
		s.as("xiaomei").says(s.id, "您好")
		s.writesOn(s.id, content)
		s.passes(6 * time.Minute)
		closes(s, "xiaomei")
	}
	for name, tc := range map[string]struct {
		happens func(s scene)
		want    map[string]int32
	}{
		"in the queue, which is nobody's": {func(s scene) {
			s.passes(19 * time.Minute)
			gives(s, group(0, "xiaomei"))
			s.passes(30 * time.Second)
			s.as("xiaomei").says(s.id, "您好")
		}, map[string]int32{"": 1170}},
		"in the queue and longer with an agent, who is to answer for it": {func(s scene) {
			s.passes(3 * time.Minute)
			gives(s, group(0, "xiaomei"))
			s.passes(4 * time.Minute)
			s.as("xiaomei").says(s.id, "您好")
		}, map[string]int32{"xiaomei": 420}},
		"with an agent from whom it was taken, and not the one who answered": {func(s scene) {
			gives(s, group(0, "xiaomei"))
			s.passes(6 * time.Minute)
			s.silent(s.id)
			gives(s, group(time.Minute, "xiaomei", "laowang"))
			s.as("laowang").says(s.id, "您好")
		}, map[string]int32{"xiaomei": 360}},
		"in a queue that nobody took it from": {func(s scene) {
			s.passes(6 * time.Minute)
			closes(s, "laowang")
		}, map[string]int32{"": 360}},
		"with an agent who is gone, and in the queue again": {func(s scene) {
			gives(s, group(0, "xiaomei"))
			s.as("xiaomei").says(s.id, "您好")
			s.asksAgain(s.id)
			s.passes(3 * time.Minute)
			s.does(func(ctx context.Context, u *store.Unit) error {
				c, err := u.ConversationForUpdate(ctx, s.id)
				if err != nil {
					return err
				}
				_, err = u.Requeue(ctx, c, queue.Rules{})
				return err
			})
			s.passes(3 * time.Minute)
			gives(s, group(0, "laowang"))
			s.as("laowang").says(s.id, "您好")
		}, map[string]int32{"": 360}},
		"for the answer to what was asked in the queue after another one, which never came": {func(s scene) {
			gives(s, group(0, "xiaomei"))
			s.as("xiaomei").says(s.id, "您好")
			s.does(func(ctx context.Context, u *store.Unit) error {
				c, err := u.ConversationForUpdate(ctx, s.id)
				if err != nil {
					return err
				}
				_, err = u.Requeue(ctx, c, queue.Rules{})
				return err
			})
			s.asksAgain(s.id)
			s.passes(6 * time.Minute)
			gives(s, group(0, "laowang"))
			closes(s, "laowang")
		}, map[string]int32{"": 360}},
		"for the answer to a later question, which never came": {func(s scene) {
			gives(s, group(0, "xiaomei"))
			s.as("xiaomei").says(s.id, "您好")
			s.asksAgain(s.id)
			s.passes(6 * time.Minute)
			closes(s, "xiaomei")
		}, map[string]int32{"xiaomei": 360}},
		"for the answer to a picture, which never came": {func(s scene) {
			shows(s, message.Content{Kind: message.KindImage, Media: &message.Media{ID: uuid.New()}})
		}, map[string]int32{"xiaomei": 360}},
		"for the answer to a page of a mini-program, which never came": {func(s scene) {
			shows(s, message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Title: "订单"}})
		}, map[string]int32{"xiaomei": 360}},
		"for the answer to a link, which never came": {func(s scene) {
			shows(s, message.Content{Kind: message.KindLink, Link: &message.Link{Title: "面霜", URL: "https://lumi.example/1"}})
		}, map[string]int32{"xiaomei": 360}},
		"for the answer to a place, which never came": {func(s scene) {
			shows(s, message.Content{Kind: message.KindLocation, Location: &message.Location{Label: "幸福小区"}})
		}, map[string]int32{"xiaomei": 360}},
		"but not for one to what the platform tells": {func(s scene) {
			shows(s, message.Content{Kind: message.KindEntered})
		}, map[string]int32{}},
		"but not for less": {func(s scene) {
			s.passes(2 * time.Minute)
			gives(s, group(0, "xiaomei"))
			s.passes(3 * time.Minute)
			s.as("xiaomei").says(s.id, "您好")
			s.asksAgain(s.id)
			s.passes(5 * time.Minute)
			closes(s, "xiaomei")
		}, map[string]int32{}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			d := w.starts()
			tc.happens(scene{w, d, w.queues("after-sales", "c")})
			got := map[string]int32{}
			for _, review := range asks[struct{ Reviews []Review }](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/reviews", nil).Reviews {
				got[review.Agent] = review.WaitedSeconds
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("to be looked at (-want +got):\n%s", diff)
			}
		})
	}
}

// silent has a conversation wait for its agent as in a group that takes it from who does not answer.
func (w *world) silent(id uuid.UUID) {
	w.t.Helper()
	if _, err := w.store.Pool().Exec(w.t.Context(), "UPDATE conversation SET unanswered_since = asked_since WHERE id = $1", id); err != nil {
		w.t.Fatal(err)
	}
}

func TestTheNightIsNoTimeInWhichAnAgentAnswers(t *testing.T) {
	w := newWorld(t)
	objects := brand()
	for _, object := range objects {
		if group, ok := object.(*yingdav1.SkillGroup); ok {
			group.Generation, group.Spec.ScheduleRef = 2, &yingdav1.ShiftScheduleReference{Name: "days"}
		}
	}
	schedule := &yingdav1.ShiftSchedule{Spec: yingdav1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai", Shifts: []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday, yingdav1.Tuesday}, Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "12h"},
	}}}}
	schedule.Name, schedule.Namespace = "days", "lumi"
	w.catalog.Set(append(objects, schedule)...)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	d.as("xiaomei").says(id, "您好")
	w.passes(11 * time.Hour) // 23:00
	w.hears(id, message.Content{Kind: message.KindText, Text: "还在吗"})
	w.asksAgain(id)
	w.passes(10*time.Hour + 12*time.Second) // 9:00:12
	d.as("xiaomei").says(id, "早上好")
	if diff := cmp.Diff(map[string]float64{"after-sales": 12}, d.counted("yingda_desk_reply_seconds")); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
}

func TestHowSoonAHumanSaysSomethingIsMeasured(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	offered := func(customer string, wait time.Duration) uuid.UUID {
		id := w.queues("after-sales", customer)
		if _, err := w.store.Pool().Exec(t.Context(), "UPDATE conversation SET late_at = $1 WHERE id = $2", w.clock().Add(3*time.Minute), id); err != nil {
			t.Fatal(err)
		}
		w.passes(wait)
		return id
	}
	soon := offered("soon", time.Minute)
	d.as("laowang").says(soon, "您好") // A supervisor need not wait until somebody has it.
	d.as("laowang").says(soon, "请稍等")
	late := offered("late", time.Minute+time.Second)
	d.as("laowang").says(late, "抱歉")
	if diff := cmp.Diff(map[string]float64{"after-sales met": 1, "after-sales missed": 1}, d.counted("yingda_desk_first_responses_total")); diff != "" {
		t.Errorf("first responses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{"after-sales": 121}, d.counted("yingda_desk_first_response_seconds")); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
	first, err := w.store.Queries().ConversationGet(t.Context(), soon)
	if err != nil || first.AnsweredSeconds == nil || *first.AnsweredSeconds != 60 {
		t.Errorf("noted %v seconds, want 60 (%v)", first.AnsweredSeconds, err)
	}
	c, err := w.store.Queries().ConversationGet(t.Context(), late)
	if err != nil || c.LateAt != nil || store.ConversationView(c).Late {
		t.Errorf("an answered one is late at %v, %v", c.LateAt, err)
	}
}
