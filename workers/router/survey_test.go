package router

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const question, thanks = "请评分,回复1 到 5 的数字(5 为非常满意)。", "感谢您的评价!"

// surveying has the Playbook ask how customers were served, and a supervisor.
func surveying(objects []client.Object) {
	for _, object := range objects {
		switch o := object.(type) {
		case *yingdav1.Playbook:
			o.Spec.Survey = &yingdav1.SurveySpec{RemindAfter: "24h"}
			o.Spec.Texts.Survey, o.Spec.Texts.Rated = new("请评分,回复{{.RatingAnswers}}。"), new(thanks)
			o.Spec.HandOff.Phrases = []string{"非常不满意"}
		case *yingdav1.Agent:
			o.Spec.Role = yingdav1.RoleSupervisor // So that xiaomei hears of poor ratings, too.
		}
	}
}

// served is a customer whose conversation an agent has ended, and who was asked at the desk how it was.
func (w *world) served(customer string) uuid.UUID {
	w.t.Helper()
	w.writes(customer, "在吗")
	var id uuid.UUID
	if err := w.Store.Pool().QueryRow(w.t.Context(), `SELECT id FROM conversation WHERE external_id = $1 AND state = 'assigned'`, customer).Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	w.closes(customer)
	again := w.now.Add(24 * time.Hour)
	err := w.Store.Queries().SurveyAdd(w.t.Context(), db.SurveyAddParams{
		ConversationID: id, Channel: "shop", ExternalID: customer, SkillGroup: "pre-sales", Agent: "xiaomei",
		Scale: string(yingdav1.SurveyFiveStars), AskedAt: w.now, RemindAt: &again,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// rated is how a conversation was rated; 0 for not yet.
func (w *world) rated(id uuid.UUID) (rating int32, poor bool) {
	w.t.Helper()
	row, err := w.Store.Queries().SurveyGet(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	if row.Rating != nil {
		rating = *row.Rating
	}
	return rating, row.Poor
}

func TestARatingBelongsToTheConversationThatItRates(t *testing.T) {
	over := func(heard, said []string) seen {
		return seen{State: "closed", Group: "pre-sales", Agent: "xiaomei", Heard: heard, Said: said}
	}
	heard := func(text string) seen {
		return seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{text}}
	}
	tests := map[string]struct {
		writes string
		after  time.Duration
		want   seen
		rating int32
		poor   bool
	}{
		"a rating opens no conversation":            {"5", time.Minute, over([]string{"在吗", "5"}, []string{thanks}), 5, false},
		"a poor one neither":                        {"1分", time.Minute, over([]string{"在吗", "1分"}, []string{thanks}), 1, true},
		"whatever else they write is heard":         {"1,东西坏了", time.Minute, heard("1,东西坏了"), 0, false},
		"a rating that asks for a human gets one":   {"非常不满意", time.Minute, heard("非常不满意"), 1, true},
		"three days later a number is just one":     {"5", 73 * time.Hour, heard("5"), 0, false},
		"what was written before the question, too": {"5", -time.Minute, heard("5"), 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, surveying)
			id := w.served("c")
			asked := w.now
			w.now = asked.Add(test.after)
			written := w.says("c", "rating", message.Content{Kind: message.KindText, Text: test.writes})
			w.now = asked.Add(max(test.after, time.Second))
			w.handles(written)
			if diff := cmp.Diff(test.want, w.sees("c")); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			if rating, poor := w.rated(id); rating != test.rating || poor != test.poor {
				t.Errorf("rated %d, poor %t; want %d, %t", rating, poor, test.rating, test.poor)
			}
		})
	}
}

func TestANumberThatARuleNamesIsTheRulesOnceSomethingElseWasSaid(t *testing.T) {
	menu := func(objects []client.Object) {
		surveying(objects)
		for _, object := range objects {
			if playbook, ok := object.(*yingdav1.Playbook); ok {
				playbook.Spec.Texts.Welcome = "您好,开发票请回复 1。"
				playbook.Spec.Rules = append(playbook.Spec.Rules, yingdav1.PlaybookRule{
					Name: "one", Match: yingdav1.PlaybookMatch{Keywords: []string{"1"}}, Reply: &yingdav1.BotReply{Text: "开票入口:"},
				})
			}
		}
	}
	for name, test := range map[string]struct {
		before func(w *world)
		writes string
		rating int32
		said   []string
	}{
		"to the question a number is an answer": {func(*world) {}, "1", 1, []string{thanks}},
		"and so it is after the reminder": {func(w *world) {
			w.now = w.now.Add(24 * time.Hour)
			if err := w.remind(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}, "1", 1, []string{question, thanks}},
		"after a greeting that names it, it is the rule's":     {func(w *world) { w.enters("c") }, "1", 0, []string{"您好,开发票请回复 1。", "开票入口:"}},
		"what no rule names to the letter is a rating even so": {func(w *world) { w.enters("c") }, "1分", 1, []string{"您好,开发票请回复 1。"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, menu)
			id := w.served("c")
			w.now = w.now.Add(time.Minute)
			test.before(w)
			w.now = w.now.Add(time.Minute)
			w.writes("c", test.writes)
			if rating, _ := w.rated(id); rating != test.rating {
				t.Errorf("rated %d, want %d", rating, test.rating)
			}
			if diff := cmp.Diff(test.said, w.sees("c").Said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}

// enters is a customer who comes back to the chat.
func (w *world) enters(customer string) {
	w.t.Helper()
	w.handles(w.says(customer, uuid.NewString(), message.Content{Kind: message.KindEntered}))
}

func TestARatingCountsOnceAndThePoorAreTold(t *testing.T) {
	w := newWorld(t, surveying)
	w.served("c")
	rating := w.says("c", "1", message.Content{Kind: message.KindText, Text: "2"})
	w.handles(rating)
	w.handles(rating)
	want := map[string]float64{"2 FiveStars": 1}
	if diff := cmp.Diff(want, metric(t, w.registry, "yingda_router_ratings_total")); diff != "" {
		t.Errorf("ratings (-want +got):\n%s", diff)
	}
	var frames int
	if err := w.Store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM frame WHERE agent = 'xiaomei' AND kind = 'rating'").Scan(&frames); err != nil {
		t.Fatal(err)
	}
	if frames != 1 {
		t.Errorf("the supervisor was told %d times, want once", frames)
	}
}

func TestANumberForAnAgentIsNoRating(t *testing.T) {
	w := newWorld(t, surveying)
	id := w.served("c")
	w.now = w.now.Add(time.Minute)
	w.writes("c", "还想问一下")
	w.writes("c", "5")
	want := seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"还想问一下", "5"}}
	if diff := cmp.Diff(want, w.sees("c")); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	if rating, _ := w.rated(id); rating != 0 {
		t.Errorf("rated %d", rating)
	}
}

func TestWhoComesBackToTheBotMayStillRate(t *testing.T) {
	w := newWorld(t, surveying)
	id := w.served("c")
	w.now = w.now.Add(time.Minute)
	w.handles(w.says("c", "enter", message.Content{Kind: message.KindEntered}), w.says("c", "rating", message.Content{Kind: message.KindText, Text: "四星"}))
	if rating, _ := w.rated(id); rating != 4 {
		t.Errorf("rated %d, want 4", rating)
	}
	if got := w.sees("c"); got.State != "bot" || len(got.Heard) != 0 {
		t.Errorf("the conversation that they came back to is %s and heard %q", got.State, got.Heard)
	}
}

func TestWhoDoesNotAnswerIsAskedOnceMore(t *testing.T) {
	ask := func(w *world) { // twice, for the second time is one too many
		for range 2 {
			if err := w.remind(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	tests := map[string]struct {
		happens func(w *world)
		want    []string
	}{
		"a day later":                          {func(w *world) { w.now = w.now.Add(24 * time.Hour) }, []string{question}},
		"not earlier":                          {func(w *world) { w.now = w.now.Add(24*time.Hour - time.Second) }, nil},
		"not who has answered":                 {func(w *world) { w.writes("c", "5"); w.now = w.now.Add(24 * time.Hour) }, []string{thanks}},
		"not with the last message":            {func(w *world) { w.spends("c", 4); w.now = w.now.Add(24 * time.Hour) }, nil},
		"not when the window is closed":        {func(w *world) { w.now = w.now.Add(49 * time.Hour) }, nil},
		"not who talks again":                  {func(w *world) { w.writes("c", "还有个问题"); w.now = w.now.Add(24 * time.Hour) }, nil},
		"and is taken at their word even then": {func(w *world) { w.now = w.now.Add(24 * time.Hour); ask(w); w.writes("c", "3") }, []string{question, thanks}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, surveying)
			id := w.served("c")
			test.happens(w)
			ask(w)
			var said []string
			rows, err := w.Store.Pool().Query(t.Context(), "SELECT content->>'text' FROM message WHERE conversation_id = $1 AND direction = 'outbound' ORDER BY id", id)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					t.Fatal(err)
				}
				said = append(said, text)
			}
			if diff := cmp.Diff(test.want, said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}
