package aftersales

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestSupervisorsAreCalledWhereTheEndIsDisputed(t *testing.T) {
	b := newBrand(t, nil)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", of(rules.Reissue, rules.MissingItem))
	b.awaitStep(in.ID, rules.StateReview)
	b.act(in.ID, rules.ActionAssign, func(a *rules.Act) { a.Owner = "bo" })
	b.act(in.ID, rules.ActionApprove)
	b.await(in.ID, "left to somebody's hands", func(c rules.Case) bool { return c.Shipment != nil && c.Shipment.State == rules.EffectByHand })
	b.act(in.ID, rules.ActionShipped)
	b.awaitStep(in.ID, rules.StateSettled)
	told := func(agent string) []store.Case {
		return workflowtest.News[store.Case](b.Brand, agent, message.FrameCase)
	}
	before := len(told("sup"))
	b.act(in.ID, rules.ActionDispute, func(a *rules.Act) { a.By = rules.ByCustomer })
	b.ended(in.ID)
	if got := b.steps(in.ID, "dispute"); !slices.Equal(got, []string{"dispute"}) {
		t.Errorf("the history says %q", got)
	}
	for _, agent := range []string{"sup", "an", "bo"} {
		if news := told(agent); len(news) == 0 || !strings.Contains(string(news[len(news)-1].Detail), `"content": false`) {
			t.Errorf("%s was not told last that the customer is not content", agent)
		}
	}
	if called := len(told("sup")) - before; called != 1 {
		t.Errorf("the supervisor was called %d times", called)
	}
	b.StoreHistory(newest, in.ID, "disputed")
}

func TestACaseIsFoundInTemporalByWhoeverOwnsIt(t *testing.T) {
	b := newBrand(t, nil)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer")
	b.awaitStep(in.ID, rules.StateReview)
	for _, owner := range []string{"bo", "cy"} {
		b.act(in.ID, rules.ActionAssign, func(a *rules.Act) { a.ID, a.Owner = owner, owner })
		workflowtest.Await(b.Brand, "the case to be listed under "+owner, func(ctx context.Context) (listed string, err error) {
			described, err := b.Client.DescribeWorkflowExecution(ctx, in.ID, "")
			if err != nil {
				return "", err
			}
			attributes := described.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()
			err = converter.GetDefaultDataConverter().FromPayload(attributes[temporal.AttributeOwner], &listed)
			return listed, err
		}, func(listed string) bool { return listed == owner })
	}
	b.act(in.ID, rules.ActionWithdraw)
	b.ended(in.ID)
	b.StoreHistory(newest, in.ID, "given-to-others")
}

func TestACaseWhoseGoodsAreOnTheirWayIsFoundInTemporalByWhenTheyAreDue(t *testing.T) {
	b := newBrand(t, nil)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", func(in *promise.AfterSalesInput) { in.OpenedBy = "" })
	b.awaitStep(in.ID, rules.StateReview)
	b.act(in.ID, rules.ActionApprove)
	returning := b.awaitStep(in.ID, rules.StateReturning)
	b.act(in.ID, rules.ActionSent)
	b.AwaitListed(fmt.Sprintf("WorkflowId = %q", in.ID), `YingdaState = "returning"`, fmt.Sprintf("YingdaDeadline > %q", returning.Now().Due.Format(time.RFC3339Nano)))
	b.act(in.ID, rules.ActionWithdraw)
	b.ended(in.ID)
}
