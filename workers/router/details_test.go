package router

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/intake"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// asking has the Playbook ask for an order's number and what the problem is.
func asking(objects []client.Object) {
	for _, object := range objects {
		if playbook, ok := object.(*yingdav1.Playbook); ok {
			playbook.Spec.Texts.Intake = new("请告诉我们:{{.IntakeFields}}。")
			playbook.Spec.Intake = &yingdav1.IntakeSpec{Fields: []yingdav1.IntakeField{yingdav1.IntakeOrderNumber, yingdav1.IntakeProblemType}}
		}
	}
}

type told = map[yingdav1.IntakeField]string

// card is what the customer's newest conversation keeps of what they have told.
func (w *world) card(customer string) *intake.Card {
	w.t.Helper()
	var kept []byte
	err := w.Store.Pool().QueryRow(w.t.Context(), `SELECT intake FROM conversation WHERE external_id = $1 ORDER BY opened_at DESC LIMIT 1`, customer).Scan(&kept)
	if err != nil {
		w.t.Fatal(err)
	}
	card, err := intake.Decode(kept)
	if err != nil {
		w.t.Fatal(err)
	}
	return card
}

func TestWhoIsGivenToAHumanIsAskedOnceAndServedMeanwhile(t *testing.T) {
	const both, problem = "请告诉我们:订单号、问题类型。", "请告诉我们:问题类型。"
	tests := map[string]struct {
		writes []string
		want   seen
		told   told
	}{
		"who tells nothing has an agent all the same": {
			[]string{"转人工"}, seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"转人工"}, Said: []string{both}}, nil,
		},
		"what they write is kept": {
			[]string{"转人工", "20241122001 衣服破了"},
			seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"转人工", "20241122001 衣服破了"}, Said: []string{both}},
			told{yingdav1.IntakeOrderNumber: "20241122001", yingdav1.IntakeProblemType: "衣服破了"},
		},
		"what they have told is not asked for": {
			[]string{"20241122001 转人工"},
			seen{State: "assigned", Group: "pre-sales", Agent: "xiaomei", Heard: []string{"20241122001 转人工"}, Said: []string{problem}},
			told{yingdav1.IntakeOrderNumber: "20241122001"},
		},
		"a conversation that becomes a complaint asks for nothing again": {
			[]string{"转人工", "我要投诉"},
			seen{State: "assigned", Group: "pre-sales", Topic: "complaint", Agent: "xiaomei", Heard: []string{"转人工", "我要投诉"}, Said: []string{both, heardOut}},
			nil,
		},
		"who is with the bot is asked for nothing": {
			[]string{"怎么退货"}, seen{State: "bot", Topic: "after-sales", Heard: []string{"怎么退货"}, Said: []string{"签收七天内可以退货。"}}, nil,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, asking)
			for _, text := range test.writes {
				w.writes("c", text)
			}
			if diff := cmp.Diff(test.want, w.sees("c")); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			var got told
			if card := w.card("c"); card != nil {
				got = card.Values
			}
			if diff := cmp.Diff(test.told, got); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoWaitsIsToldTheirPlaceBesideTheQuestion(t *testing.T) {
	w := newWorld(t, asking)
	w.writes("first", "你好")
	w.writes("second", "有人吗", "20241122001", "退款")
	want := seen{
		State: "queued", Group: "pre-sales", Heard: []string{"有人吗", "20241122001", "退款"}, Said: []string{"请告诉我们:订单号、问题类型。", "前面还有 0 位。"},
	}
	if diff := cmp.Diff(want, w.sees("second")); diff != "" {
		t.Errorf("conversation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(told{yingdav1.IntakeOrderNumber: "20241122001", yingdav1.IntakeProblemType: "退款"}, w.card("second").Values); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func TestAtNightTheQuestionComesWithTheOffHoursText(t *testing.T) {
	w := newWorld(t, asking)
	w.now = noon().Add(11 * time.Hour) // 23:00
	w.writes("c", "在吗", "20241122001")
	want := []string{"现在休息(09:00-21:00),11月24日 09:00回复您。", "请告诉我们:订单号、问题类型。"}
	if diff := cmp.Diff(want, w.sees("c").Said); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if got := w.card("c").Values[yingdav1.IntakeOrderNumber]; got != "20241122001" {
		t.Errorf("the order is %q", got)
	}
}

func TestTheQuestionCountsWhatIsOnItsWay(t *testing.T) {
	for name, tt := range map[string]struct {
		onItsWay int
		asked    bool
	}{"two of five messages are on their way": {2, true}, "three are": {3, false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, asking)
			for range tt.onItsWay {
				_, err := w.Store.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, updated_at)
					VALUES (gen_random_uuid(), 'miniprogram', 'shop', 'c', 'queued', '{}', now())`)
				if err != nil {
					t.Fatal(err)
				}
			}
			w.writes("c", "转人工")
			if got := w.card("c").Asked; got != tt.asked {
				t.Errorf("asked: %t, want %t", got, tt.asked)
			}
		})
	}
}

func TestTheQuestionLeavesMessagesToOthers(t *testing.T) {
	w := newWorld(t, asking)
	w.writes("c", "怎么开发票")
	// An older message, whose grant is mostly spent, comes late.
	w.spends("c", 3)
	w.now = w.now.Add(-time.Second)
	late := w.says("c", "late", message.Content{Kind: message.KindText, Text: "20241122001 转人工"})
	w.now = w.now.Add(time.Second)
	w.handles(late)
	if got := w.sees("c"); got.State != "assigned" || len(got.Said) != 2 {
		t.Errorf("%s, and the bot said %q", got.State, got.Said)
	}
	card := w.card("c")
	if card.Asked || card.Values[yingdav1.IntakeOrderNumber] != "20241122001" {
		t.Errorf("asked: %t, told %v; want what was told without a question", card.Asked, card.Values)
	}
}

// spends takes messages from what the platform lets through to a customer.
func (w *world) spends(customer string, messages int) {
	w.t.Helper()
	if _, err := w.Store.Pool().Exec(w.t.Context(), "UPDATE quota SET remaining = remaining - $2 WHERE external_id = $1", customer, messages); err != nil {
		w.t.Fatal(err)
	}
}

func TestWhatIsWrittenToAnAgentIsNoAnswerToTheBot(t *testing.T) {
	w := newWorld(t, asking)
	w.writes("c", "转人工")
	card := w.card("c")
	card.Closed = true
	err := w.Store.Do(t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationOpenForUpdate(ctx, "shop", "c")
		if err != nil {
			return err
		}
		if c.Intake, err = card.Encode(); err != nil {
			return err
		}
		_, err = u.Save(ctx, c)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.writes("c", "20241122001")
	if card := w.card("c"); card.Values != nil || card.Said != "" {
		t.Errorf("told %v, said %q", card.Values, card.Said)
	}
}
