package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/servicelevel"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// served is a customer whom an agent had from one time to another, after whatever edit makes of it.
func served(t *testing.T, s *store.Store, customer string, from, until time.Time, edit func(*db.Conversation)) (c db.Conversation) {
	t.Helper()
	move(t, s, customer, from, into(store.StateQueued, "sales"))
	move(t, s, customer, from, into(store.StateAssigned, "sales"))
	move(t, s, customer, until, func(ctx context.Context, u *store.Unit, now db.Conversation) (err error) {
		edit(&now)
		c, err = u.Close(ctx, now)
		return err
	})
	return c
}

// rates is how a customer rated a conversation.
func rates(t *testing.T, s *store.Store, c db.Conversation, at time.Time, scale yingdav1.SurveyScale, rating int32, poor bool) {
	t.Helper()
	scope := scope()
	scope.Now = at
	err := s.Do(t.Context(), scope, func(ctx context.Context, u *store.Unit) error {
		asked := db.SurveyAddParams{ConversationID: c.ID, Channel: c.Channel, ExternalID: c.ExternalID, Scale: string(scale), AskedAt: at}
		if err := u.SurveyAdd(ctx, asked); err != nil {
			return err
		}
		return u.SurveyRate(ctx, rating, at, poor, c.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestObjectivesAreMeasuredFromConversations(t *testing.T) {
	s := open(t)
	asked, ended, now := at("08:00:00"), at("09:00:00"), at("12:00:00")
	answered := func(wall time.Duration, open *int32) func(*db.Conversation) {
		return func(c *db.Conversation) {
			said := c.OfferedAt.Add(wall)
			c.AnsweredAt, c.AnsweredSeconds = &said, open
		}
	}
	loyal := served(t, s, "in-time", asked, ended, answered(time.Minute, new(int32(60))))
	served(t, s, "just-in-time", asked, ended, answered(2*time.Minute, new(int32(120))))
	served(t, s, "over-night", asked, ended, answered(30*time.Minute, new(int32(30))))
	served(t, s, "of-a-desk-of-before", asked, ended, answered(time.Minute, nil))
	served(t, s, "late", asked, ended, answered(3*time.Minute, new(int32(121))))
	served(t, s, "late-at-a-desk-of-before", asked, ended, answered(3*time.Minute, nil))
	served(t, s, "unheard", asked, ended, func(*db.Conversation) {})
	served(t, s, "gone", asked, ended, func(c *db.Conversation) { c.CloseReason = store.CloseReasonChannelGone })
	for i := range 3 {
		move(t, s, fmt.Sprint("bot-", i), asked, func(ctx context.Context, u *store.Unit, c db.Conversation) error { return end(ctx, u, c) })
	}
	yesterday := func(clock string) time.Time { return at(clock).AddDate(0, 0, -1) }
	for name, edit := range map[string]func(*db.Conversation){
		"solved": func(*db.Conversation) {}, "complained": func(c *db.Conversation) { c.Complaints = 1 },
	} {
		served(t, s, name, yesterday("08:00:00"), yesterday("09:00:00"), edit)
	}
	unhappy := served(t, s, "unhappy", yesterday("08:00:00"), yesterday("09:00:00"), func(*db.Conversation) {})
	back := served(t, s, "back", yesterday("08:00:00"), yesterday("09:00:00"), func(*db.Conversation) {})
	move(t, s, "back-again", asked, func(context.Context, *store.Unit, db.Conversation) error { return nil })
	if _, err := s.Pool().Exec(t.Context(), `UPDATE conversation SET customer_id = $1 WHERE external_id = 'back-again'`, back.CustomerID); err != nil {
		t.Fatal(err)
	}
	rates(t, s, loyal, ended, yingdav1.SurveyFiveStars, 4, false)
	rates(t, s, back, ended, yingdav1.SurveyThreeLevels, 2, false)
	rates(t, s, unhappy, yesterday("10:00:00"), yingdav1.SurveyFiveStars, 1, true)

	wanted, wrong := servicelevel.CompileObjectives(&yingdav1.ObjectivesSpec{
		Window: "12h", AnsweredWithin: "2m", AnsweredPercent: new(int32(90)), ResolvedPercent: new(int32(85)), Satisfaction: "4.5", BotContainmentPercent: new(int32(60)),
	})
	if wrong != nil {
		t.Fatal(wrong)
	}
	measures := func(now time.Time, scopes ...store.ObjectiveScope) map[string]store.Measured {
		t.Helper()
		found, err := s.MeasureObjectives(t.Context(), now, scopes)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	standard := store.ObjectiveScope{Objectives: wanted, ServiceLevel: "standard", Channels: []string{"shop"}}
	want := map[string]store.Measured{"standard": {At: now, Rules: "12h0m0s 2m0s", Tallies: map[servicelevel.Objective]servicelevel.Tally{
		servicelevel.Answered: {Sum: 4, Of: 7}, servicelevel.BotContainment: {Sum: 3, Of: 10},
		servicelevel.Resolved: {Sum: 1, Of: 4}, servicelevel.Satisfaction: {Sum: 7, Of: 2},
	}}}
	if diff := cmp.Diff(want, measures(now, standard)); diff != "" {
		t.Errorf("measured (-want +got):\n%s", diff)
	}

	served(t, s, "another", now, now, answered(0, new(int32(0))))
	if diff := cmp.Diff(want, measures(now.Add(4*time.Minute), standard)); diff != "" {
		t.Errorf("a moment later (-want +got):\n%s", diff)
	}
	if got := measures(now.Add(5*time.Minute), standard)["standard"].Tallies[servicelevel.Answered]; got != (servicelevel.Tally{Sum: 5, Of: 8}) {
		t.Errorf("five minutes later %+v were answered", got)
	}
	rated, _ := servicelevel.CompileObjectives(&yingdav1.ObjectivesSpec{Satisfaction: "4"})
	few := store.ObjectiveScope{Objectives: rated, ServiceLevel: "few", Channels: []string{"shop"}}
	measures(now.Add(5*time.Minute), standard, few)
	few.Objectives, _ = servicelevel.CompileObjectives(&yingdav1.ObjectivesSpec{Satisfaction: "4", ResolvedPercent: new(int32(80))})
	if _, counted := measures(now.Add(5*time.Minute), standard, few)["few"].Tallies[servicelevel.Resolved]; !counted {
		t.Error("what is wanted only now was not counted at once")
	}
	standard.Objectives = &servicelevel.Objectives{Window: time.Hour}
	if got := measures(now.Add(6*time.Minute), standard)["standard"]; got.Rules != "1h0m0s 0s" {
		t.Errorf("by other rules: %+v", got)
	}
	other := standard
	other.ServiceLevel, other.Channels = "other", []string{"outlet"}
	if got := measures(now.Add(7*time.Minute), other); len(got) != 2 || len(measures(now.Add(7*time.Minute), other)) != 1 {
		t.Errorf("once nothing is wanted of it any more: %+v", got)
	}
}

func TestOneMeasuresWhileTheOthersTakeWhatThereIs(t *testing.T) {
	s := open(t)
	wanted, _ := servicelevel.CompileObjectives(&yingdav1.ObjectivesSpec{Satisfaction: "4"})
	scope := store.ObjectiveScope{Objectives: wanted, ServiceLevel: "standard"}
	busy, err := s.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if mine, err := db.New(busy).ObjectiveLock(t.Context()); err != nil || !mine {
		t.Fatal(mine, err)
	}
	if found, err := s.MeasureObjectives(t.Context(), at("12:00:00"), []store.ObjectiveScope{scope}); err != nil || len(found) != 0 {
		t.Errorf("while another one measures: %v, %v", found, err)
	}
	if err := busy.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found, err := s.MeasureObjectives(t.Context(), at("12:00:00"), []store.ObjectiveScope{scope}); err != nil || len(found) != 1 {
		t.Errorf("afterwards: %v, %v", found, err)
	}
}
