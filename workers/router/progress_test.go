package router

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/domain/inquiry"
	"github.com/yingda-dev/yingda/internal/domain/order"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// returns opens an after-sales case of a customer, due in two hours.
func (w *world) returns(customer, number string) {
	w.t.Helper()
	id := promise.AfterSalesID("lumi", "lumi", uuid.New())
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		terms, ladder := w.Catalog.Snapshot().AfterSales("shop", "after-sales")
		_, _, err := u.OpenAfterSales(ctx, promise.AfterSalesInput{
			ID: id, Terms: terms, Ladder: ladder, Channel: "shop", Customer: customer, SkillGroup: "after-sales", StartedAt: w.now,
			Application: aftersales.Application{
				Kind: aftersales.Return, Reason: aftersales.NoReason, Source: aftersales.FromAgent,
				Order: aftersales.Order{Number: number, Paid: 9900, DeliveredAt: w.now.Add(-time.Hour)},
			},
		}, store.Taking{Step: "apply"})
		if err != nil {
			return err
		}
		_, _, err = u.ChangeCase(ctx, id, store.Taking{Step: "due"}, func(c *store.Case) error {
			due := w.now.Add(2 * time.Hour)
			c.Due = &due
			return nil
		})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestWhoAsksForProgressIsToldHowTheirCasesStand(t *testing.T) {
	w := newWorld(t)
	w.writes("other", "你好")
	w.returns("other", "LM20269999999")
	w.writes("c", "发票")
	w.returns("c", "LM20261120001")
	w.writes("c", "售后进度?")
	s := w.sees("c")
	if diff := cmp.Diff("您的处理进度:\n1. 退货退款(订单 LM****0001):审核中。我们会在今天14:00前给您答复。", s.Said[len(s.Said)-1]); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if s.State != store.StateBot {
		t.Errorf("the conversation is %s, want it with the bot", s.State)
	}
	if got := metric(t, w.registry, "yingda_router_progress_answers_total"); got[""] != 1 {
		t.Errorf("counted %v", got)
	}
}

func TestProgressNeverKeepsACustomerFromAHuman(t *testing.T) {
	w := newWorld(t, func(objects []client.Object) {
		for _, object := range objects {
			if playbook, ok := object.(*yingdav1.Playbook); ok {
				playbook.Spec.HandOff.Phrases = []string{"查进度"}
			}
		}
	})
	w.writes("c", "发票")
	w.returns("c", "LM20261120001")
	w.writes("c", "查进度")
	if s := w.sees("c"); s.State == store.StateBot || strings.Contains(strings.Join(s.Said, ""), "处理进度") {
		t.Errorf("who asked by a phrase for a human: %+v", s)
	}
}

func TestWhoWaitsForNothingIsToldSoWhereThePlaybookKnowsNoBetter(t *testing.T) {
	for name, tc := range map[string]struct {
		rule  *yingdav1.PlaybookRule
		state string
		said  []string
	}{
		"by the bot": {nil, store.StateBot, []string{inquiry.None()}},
		"a rule answers": {
			&yingdav1.PlaybookRule{Name: "progress", Match: yingdav1.PlaybookMatch{Keywords: []string{"进度"}}, Reply: &yingdav1.BotReply{Text: "请在订单页查看。"}},
			store.StateBot,
			[]string{"请在订单页查看。"},
		},
		"a rule hands off": {
			&yingdav1.PlaybookRule{Name: "progress", Match: yingdav1.PlaybookMatch{Keywords: []string{"进度"}}, HandOff: &yingdav1.RuleHandOff{Topic: "after-sales"}},
			store.StateAssigned, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(objects []client.Object) {
				for _, object := range objects {
					if playbook, ok := object.(*yingdav1.Playbook); ok && tc.rule != nil {
						playbook.Spec.Rules = append(playbook.Spec.Rules, *tc.rule)
					}
				}
			})
			w.writes("c", "进度")
			s := w.sees("c")
			if s.State != tc.state {
				t.Errorf("the conversation is %s, want %s", s.State, tc.state)
			}
			if diff := cmp.Diff(tc.said, s.Said); diff != "" {
				t.Errorf("said (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoPaidIsToldUntilWhenTheirOrderIsSent(t *testing.T) {
	w := newWorld(t)
	w.writes("c", "发票")
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		due := w.now.Add(2 * time.Hour)
		_, _, err := u.OpenTask(ctx, promise.TaskInput{
			ID: promise.TaskID("lumi", "lumi", promise.CaseShipping, "1"), Kind: promise.CaseShipping, Channel: "shop", Customer: "c",
			SkillGroup: "after-sales", StartedAt: w.now, Due: due,
		}, store.TaskCase{Due: due, Detail: promise.TaskDetail{Order: "LM20261120001"}}, store.Taking{Step: "open"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.writes("c", "进度")
	s := w.sees("c")
	if diff := cmp.Diff("您的处理进度:\n1. 订单 LM****0001:已付款,等待发货。我们会在今天14:00前发货。", s.Said[len(s.Said)-1]); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestWhoAskedForAnOrderToBeChangedIsToldThatItIsInHand(t *testing.T) {
	w := newWorld(t)
	w.writes("c", "发票")
	err := w.Store.Do(w.t.Context(), w.scope(), func(ctx context.Context, u *store.Unit) error {
		conversation, err := u.ConversationNewest(ctx, "shop", "c")
		if err != nil {
			return err
		}
		for i, wanted := range order.Operations() {
			number, address := fmt.Sprintf("LM2026112000%d", i+1), (*order.Address)(nil)
			if wanted == order.OperationAddress {
				address = &order.Address{Recipient: "王女士", Phone: "13800001234", Address: "上海市徐汇区1号"}
			}
			_, _, err = u.OpenOrder(ctx, promise.OrderInput{
				ID: promise.OrderID("lumi", "lumi", uuid.New()), Order: number, Operation: wanted, Conversation: conversation, Channel: "shop", Customer: "c",
				SkillGroup: "after-sales", OpenedBy: "an", StartedAt: w.now, Due: w.now.Add(time.Duration(i+1) * time.Hour),
			}, address, store.Taking{Step: "open"})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.writes("c", "进度")
	s := w.sees("c")
	want := "您的处理进度:\n1. 修改地址(订单 LM****0001):正在处理。我们会在今天13:00前给您答复。\n" +
		"2. 取消订单(订单 LM****0002):正在处理。我们会在今天14:00前给您答复。"
	if diff := cmp.Diff(want, s.Said[len(s.Said)-1]); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}

func TestWhoWaitsForAnAgentIsToldOfProgressAndWaitsOn(t *testing.T) {
	w := newWorld(t)
	w.writes("first", "退款")
	w.writes("c", "退款")
	w.returns("c", "LM20261120001")
	w.writes("c", "进度")
	s := w.sees("c")
	if s.State != store.StateQueued || !strings.Contains(s.Said[len(s.Said)-1], "审核中") {
		t.Errorf("who waits: %+v", s)
	}
	w.writes("first", "进度")
	if s := w.sees("first"); s.State != store.StateAssigned || len(s.Said) != 0 {
		t.Errorf("who is with an agent: %+v", s)
	}
}
