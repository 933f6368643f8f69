package aftersales

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/workers/workflows/workflowtest"
)

func TestMoneyMovesOnceWhereTheWorkerDiesBeforeItHearsTheAnswer(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := newBrand(t, p)
	died := make(chan struct{})
	var once sync.Once
	kill := b.startWorker()
	p.meanwhile = func(string) { once.Do(func() { kill(); close(died) }) }
	in := b.apply(b.Converse("customer", 20), "customer", vip)
	select {
	case <-died:
	case <-time.After(workflowtest.Patience):
		t.Fatal("the provider was not told")
	}
	if c := b.await(in.ID, "sending", func(c rules.Case) bool { return c.Refund != nil && c.Refund.Key != "" }); c.Refund.State != rules.EffectSending {
		t.Errorf("the refund is %s, want it written down before the provider was told", c.Refund.State)
	}
	// Nobody pays by hand what may be paid already.
	err := b.Try(func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ActOnAfterSales(ctx, in.ID, rules.Act{ID: "hand", By: "an", Action: rules.ActionRefunded, Reference: "R1"}, people{}.GroupAgents)
		return err
	})
	if refusal := (*rules.RefusalError)(nil); !errors.As(err, &refusal) || refusal.Reason != "UnderWay" {
		t.Errorf("paying by hand: %v", err)
	}
	b.work()
	c := b.awaitStep(in.ID, rules.StateReturning)
	if c.Refund.Reference != "P-refund" || p.called("refund") < 2 {
		t.Errorf("the refund is %+v after %d calls", c.Refund, p.called("refund"))
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00}, p.moved("")); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}

func TestAProviderMayFailAndThink(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.answers = func(_ string, before int) (int, string) {
		return [...]func() (int, string){
			func() (int, string) { return 500, "" },
			func() (int, string) { return 302, "" },
			func() (int, string) { return 202, `{"state":"pending","reference":"P-1"}` },
			func() (int, string) { return 404, "" }, // It forgot for a moment: nothing is told again.
			func() (int, string) { return 200, `{"state":"done","reference":"P-2"}` },
		}[min(before, 4)]()
	}
	b := newBrand(t, p)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", vip)
	b.await(in.ID, "pending", func(c rules.Case) bool { return c.Refund.State == rules.EffectPending && c.Refund.Reference == "P-1" })
	c := b.awaitStep(in.ID, rules.StateReturning)
	if c.Refund.Reference != "P-2" || c.Refund.Attempt != 1 {
		t.Errorf("the refund is %+v", c.Refund)
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00}, p.moved("")); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}

func TestWhatAProviderRefusesComesBackToSomebody(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.answers = func(operation string, before int) (int, string) {
		if operation == "refund" && before == 0 {
			return 422, `{"reason":"原支付方式已失效"}`
		}
		return 0, ""
	}
	b := newBrand(t, p)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", vip)
	c := b.await(in.ID, "refused", func(c rules.Case) bool { return c.Refund.State == rules.EffectRefused })
	if c.Refund.Reason != "原支付方式已失效" || !slices.Contains(c.Allowed("an"), rules.ActionRetry) {
		t.Errorf("the refund is %+v, allowed %v", c.Refund, c.Allowed("an"))
	}
	b.act(in.ID, rules.ActionRetry)
	b.awaitStep(in.ID, rules.StateReturning)
	if diff := cmp.Diff(map[string]int64{"refund/2": 100_00}, p.moved("")); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
}

func TestWhatIsPaidByHandAfterARefusalIsWrittenDownBesideIt(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.answers = func(string, int) (int, string) { return 422, `{"reason":"原支付方式已失效"}` }
	b := newBrand(t, p)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", vip)
	b.await(in.ID, "refused", func(c rules.Case) bool { return c.Refund.State == rules.EffectRefused })
	b.act(in.ID, rules.ActionRefunded, func(a *rules.Act) { a.Amount = 60_00 })
	if paid := b.awaitStep(in.ID, rules.StateReturning).Refund; paid.Key != store.EffectKey(in.ID, rules.OperationRefund, 2) {
		t.Errorf("the refund is %+v", paid)
	}
	for attempt, want := range map[int]db.CaseEffect{
		1: {State: string(rules.EffectRefused), Amount: 100_00},
		2: {State: string(rules.EffectDone), Amount: 60_00, Reference: "R1"},
	} {
		row, err := b.Store.Queries().CaseEffectGet(t.Context(), store.EffectKey(in.ID, rules.OperationRefund, attempt))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, db.CaseEffect{State: row.State, Amount: row.Amount, Reference: row.Reference}); diff != "" {
			t.Errorf("attempt %d (-want +got):\n%s", attempt, diff)
		}
	}
}

func TestWhatWasPaidForGoodsThatNeverComeIsTakenBack(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := newBrand(t, p)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", vip, func(in *promise.AfterSalesInput) { in.Terms.Limits.Return = 1 })
	if status := b.ended(in.ID); status.State != rules.StateExpired {
		t.Errorf("the status is %+v", status)
	}
	if order := p.orders[store.EffectKey(in.ID, rules.OperationReversal, 1)]; !strings.Contains(order, `"refund":"P-refund"`) {
		t.Errorf("the reversal does not name what it takes back: %s", order)
	}
	b.StoreHistory(newest, in.ID, "instant-refund-taken-back")
}

func TestACancelledWorkflowTakesBackWhatItPaid(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := newBrand(t, p)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", vip)
	b.awaitStep(in.ID, rules.StateReturning)
	if err := b.Client.CancelWorkflow(t.Context(), in.ID, ""); err != nil {
		t.Fatal(err)
	}
	b.awaitStep(in.ID, rules.StateWithdrawn)
	if err := b.Client.GetWorkflow(t.Context(), in.ID, "").Get(t.Context(), nil); !errors.As(err, new(*temporal.CanceledError)) {
		t.Errorf("the workflow ended with %v", err)
	}
	if diff := cmp.Diff(map[string]int64{"refund/1": 100_00, "reversal/1": 100_00}, p.moved("")); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	b.StoreHistory(newest, in.ID, "cancelled")
}

func TestEachDeadlineIsTakenOnceThoughTheWorkerDies(t *testing.T) {
	t.Parallel()
	b := newBrand(t, nil)
	kill := b.startWorker()
	in := b.apply(b.Converse("customer", 20), "customer", func(in *promise.AfterSalesInput) {
		in.Terms.Limits.Review, in.Terms.RemindBefore, in.Terms.Limits.Overall = 3, 1, 4
		in.Ladder = []promise.Rung{{AfterSeconds: 1, Notify: promise.RoleSupervisor}, {AfterSeconds: 3, Notify: promise.RoleAdmin}}
	})
	b.await(in.ID, "reminded", func(c rules.Case) bool { return !c.Now().RemindedAt.IsZero() })
	kill()
	kill = b.startWorker()
	b.await(in.ID, "late", func(c rules.Case) bool { return !c.Now().BreachedAt.IsZero() })
	kill()
	b.work()
	c := b.await(in.ID, "escalated", func(c rules.Case) bool { return c.Now().Escalated == 2 && !c.OverallLateAt.IsZero() })
	if late := c.Now().BreachedAt.Sub(c.Now().EnteredAt); late != 3*time.Second {
		t.Errorf("late after %s", late)
	}
	b.act(in.ID, rules.ActionApprove)
	b.awaitStep(in.ID, rules.StateReturning)
	b.act(in.ID, rules.ActionWithdraw)
	if status := b.ended(in.ID); status.State != rules.StateWithdrawn || !status.OverallLate || status.IgnoredSignals != 0 {
		t.Errorf("the status is %+v", status)
	}
	want := []string{"breach/0", "escalate/0/1", "escalate/0/2", "overall", "remind/0"}
	if diff := cmp.Diff(want, b.steps(in.ID, "remind", "breach", "escalate", "overall")); diff != "" {
		t.Errorf("deadlines (-want +got):\n%s", diff)
	}
	row, err := b.Store.Queries().CaseGet(t.Context(), in.ID)
	if err != nil || row.BreachedAt == nil || row.ClosedAt == nil || row.DueAt != nil {
		t.Errorf("the row is %+v, %v", row, err)
	}
	b.StoreHistory(newest, in.ID, "late-and-withdrawn")
}

func TestWhoWasRemindedAndThenSentLeavesItsOwnerToBeRemindedOfTheParcel(t *testing.T) {
	t.Parallel()
	b := newBrand(t, nil)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer", func(in *promise.AfterSalesInput) {
		in.Terms.Limits.Return, in.Terms.Limits.FollowUp, in.Terms.RemindBefore = 6, 1, 5
	})
	b.awaitStep(in.ID, rules.StateReview)
	b.act(in.ID, rules.ActionApprove)
	reminded := b.await(in.ID, "reminded", func(c rules.Case) bool { return !c.Now().RemindedAt.IsZero() })
	b.act(in.ID, rules.ActionSent)
	b.await(in.ID, "reminded of the parcel", func(c rules.Case) bool { return c.Now().RemindedAt.After(reminded.Now().RemindedAt) })
	escalated := func(c rules.Case) bool { return c.Now().Escalated == 1 }
	b.await(in.ID, "looked for", escalated)
	b.act(in.ID, rules.ActionReceive)
	b.awaitStep(in.ID, rules.StateReceived)
	b.act(in.ID, rules.ActionAccept)
	b.awaitStep(in.ID, rules.StateRefunding)
	b.await(in.ID, "left to somebody's hands", func(c rules.Case) bool { return c.Refund.State == rules.EffectByHand })
	b.act(in.ID, rules.ActionRefunded)
	b.await(in.ID, "asked about by nobody", func(c rules.Case) bool { return c.State == rules.StateSettled && escalated(c) })
	b.act(in.ID, rules.ActionConfirm)
	if status := b.ended(in.ID); status.State != rules.StateDone || status.IgnoredSignals != 0 {
		t.Errorf("the status is %+v", status)
	}
	want := []string{"breach/1/parcel", "breach/4", "escalate/1/1/parcel", "escalate/4/1", "remind/1", "remind/1/parcel"}
	if diff := cmp.Diff(want, b.steps(in.ID, "remind/", "breach", "escalate")); diff != "" {
		t.Errorf("deadlines (-want +got):\n%s", diff)
	}
	b.StoreHistory(newest, in.ID, "sent-after-the-reminder")
}

func TestWithoutAProviderItIsDoneByHand(t *testing.T) {
	t.Parallel()
	b := newBrand(t, nil)
	b.work()
	conversation := b.Converse("customer", 20)
	in := b.apply(conversation, "customer", func(in *promise.AfterSalesInput) {
		in.Application.Kind, in.Application.Reason = rules.Reissue, rules.MissingItem
	})
	b.awaitStep(in.ID, rules.StateReview)
	b.act(in.ID, rules.ActionApprove)
	b.await(in.ID, "left to somebody's hands", func(c rules.Case) bool { return c.Shipment != nil && c.Shipment.State == rules.EffectByHand })
	b.act(in.ID, rules.ActionShipped, func(a *rules.Act) { a.Carrier = "顺丰" })
	b.awaitStep(in.ID, rules.StateSettled)
	b.act(in.ID, rules.ActionConfirm)
	if status := b.ended(in.ID); status.State != rules.StateDone {
		t.Errorf("the status is %+v", status)
	}
	said := b.Said(conversation)
	if len(said) == 0 || !strings.Contains(said[len(said)-1], "顺丰 SF1") {
		t.Errorf("the customer was told %q", said)
	}
	b.StoreHistory(newest, in.ID, "reissue-by-hand")
}

func TestASignalInTheWrongStateChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBrand(t, nil)
	b.work()
	in := b.apply(b.Converse("customer", 20), "customer")
	before := b.awaitStep(in.ID, rules.StateReview)
	if err := b.Client.SignalWorkflow(t.Context(), in.ID, "", promise.SignalAct, rules.Act{ID: "x", By: "an", Action: rules.ActionRefunded, Reference: "R1"}); err != nil {
		t.Fatal(err)
	}
	b.act(in.ID, rules.ActionWithdraw)
	if status := b.ended(in.ID); status.IgnoredSignals != 1 || status.State != rules.StateWithdrawn {
		t.Errorf("the status is %+v", status)
	}
	if after := b.awaitStep(in.ID, rules.StateWithdrawn); after.Refund != nil || len(after.Steps) != len(before.Steps)+1 {
		t.Errorf("the case is %+v", after)
	}
}

func TestHoweverManyCasesACustomerHasPeopleKeepTwoOfFiveMessages(t *testing.T) {
	b := newStore(t)
	a := activitiesOn(b.Store)
	conversation := b.Converse("customer", 5)
	untold := 0
	for n := range 5 {
		in := input(func(in *promise.AfterSalesInput) {
			in.Conversation, in.ID, in.Application.Order.Number = &conversation, fmt.Sprint(in.ID, n), fmt.Sprint("LM", n)
		})
		reference := b.begins(a, in)
		if err := a.Tell(t.Context(), Telling{Case: reference}); err != nil {
			t.Fatal(err)
		}
		untold += len(b.steps(in.ID, "untold"))
	}
	if said := b.Said(conversation); len(said) != 3 || untold != 2 {
		t.Errorf("said %q, of %d cases their histories say that the customer does not know; want three texts, and two", said, untold)
	}
}

// mails are those that wait to be sent.
func (b *brand) mails() (mails []promise.MailInput) {
	b.T.Helper()
	rows, err := b.Store.Pool().Query(b.T.Context(), `SELECT payload FROM outbox WHERE target = $1`, store.TargetStart+promise.MailWorkflow)
	if err != nil {
		b.T.Fatal(err)
	}
	if mails, err = pgx.CollectRows(rows, pgx.RowTo[promise.MailInput]); err != nil {
		b.T.Fatal(err)
	}
	return mails
}

func TestHowACustomerIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		messages int32
		notices  bool
		email    string
		mails    bool
		want     string
	}{
		"by text while more is left than people keep":             {3, true, "zhang@mail.example", true, "text"},
		"by the platform's template rather than what people keep": {2, true, "", true, "notice"},
		"not by what people keep, though there is no template":    {2, false, "", true, ""},
		"by the template when no window is open":                  {0, true, "zhang@mail.example", true, "notice"},
		"by e-mail where there is no template":                    {0, false, "zhang@mail.example", true, "mail"},
		"by e-mail rather than by what people keep":               {2, false, "zhang@mail.example", true, "mail"},
		"not by e-mail without a server":                          {0, false, "zhang@mail.example", false, ""},
		"where nothing is possible those who work on it are told": {0, false, "", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			a := activitiesOn(b.Store)
			a.Directory, a.Mails = people{notices: test.notices}, func() bool { return test.mails }
			conversation := b.Converse("customer", test.messages)
			in := input(func(in *promise.AfterSalesInput) {
				in.Conversation, in.Application.Contact.Email = &conversation, test.email
			})
			if _, err := a.Open(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			reference := Reference{ID: in.ID, SkillGroup: in.SkillGroup}
			for range 3 { // An activity runs again when its worker died before it could report.
				if _, err := a.Enter(t.Context(), Entering{Case: reference, Terms: in.Terms}); err != nil {
					t.Fatal(err)
				}
				if err := a.Tell(t.Context(), Telling{Case: reference}); err != nil {
					t.Fatal(err)
				}
			}
			said, untold := b.Said(conversation), b.steps(in.ID, "untold")
			mails := b.mails()
			if test.want == "mail" {
				if len(said) != 0 || len(untold) != 0 || len(mails) != 1 || len(b.steps(in.ID, "mail")) != 1 {
					t.Fatalf("said %q, untold %q, mails %+v", said, untold, mails)
				}
				if m := mails[0]; !strings.Contains(m.Text, m.Words) || strings.Contains(m.Text, in.Application.Order.Number) || strings.Contains(m.Subject, "2026") {
					t.Errorf("the mail is %+v", m)
				}
				return
			}
			if len(mails) != 0 {
				t.Errorf("mails %+v", mails)
			}
			if test.want == "" {
				if len(said) != 0 || len(untold) != 1 {
					t.Errorf("said %q, untold %q", said, untold)
				}
				return
			}
			if len(said) != 1 || !strings.HasPrefix(said[0], test.want+" ") || len(untold) != 0 {
				t.Errorf("said %q, untold %q, want one %s", said, untold, test.want)
			}
		})
	}
}

func TestNewsThatWereNotToldInTimeAreWrittenDown(t *testing.T) {
	for name, test := range map[string]struct {
		told bool
		want []string
	}{
		"once, though nobody heard of the first attempt to do so": {false, []string{"untold/0"}},
		"not those that were told, though nobody heard of that":   {true, []string{"told/0"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			a := activitiesOn(b.Store)
			conversation := b.Converse("customer", 5)
			in := input(func(in *promise.AfterSalesInput) { in.Conversation = &conversation })
			reference := b.begins(a, in)
			if test.told {
				if err := a.Tell(t.Context(), Telling{Case: reference}); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if err := a.Untold(t.Context(), Telling{Case: reference}); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(test.want, b.steps(in.ID, "told", "untold")); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheGroupHearsUntilWhenOfACaseThatNobodyOwns(t *testing.T) {
	for name, test := range map[string]struct {
		owner  string
		agent  string
		states int
	}{
		"of nobody's the group hears, each time":           {"", "an", 2},
		"of somebody's it hears when that begins, no more": {"bo", "an", 1},
		"the owner hears of their own":                     {"bo", "bo", 2},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStore(t)
			a := activitiesOn(b.Store)
			in := input(func(in *promise.AfterSalesInput) { in.Conversation, in.OpenedBy = nil, test.owner })
			if _, err := a.Open(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Enter(t.Context(), Entering{Case: Reference{ID: in.ID, SkillGroup: in.SkillGroup}, Terms: in.Terms}); err != nil {
				t.Fatal(err)
			}
			if news := workflowtest.News[store.Case](b.Brand, test.agent, message.FrameCase); len(news) != test.states {
				t.Errorf("%s was told %d times, want %d", test.agent, len(news), test.states)
			}
		})
	}
}

func TestWhomNobodyCouldTellInTimeIsWrittenDown(t *testing.T) {
	b := newBrand(t, nil)
	a := activitiesOn(b.Store)
	b.Work(func(r worker.Registry) {
		r.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.AfterSalesWorkflow})
		for name, function := range a.table() {
			if name == activityTell {
				function = func(context.Context, Telling) error {
					return temporal.NewNonRetryableApplicationError("too late", "TooLate", nil)
				}
			}
			r.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
		}
	})
	conversation := b.Converse("customer", 20)
	in := b.apply(conversation, "customer")
	b.awaitStep(in.ID, rules.StateReview)
	b.act(in.ID, rules.ActionWithdraw)
	b.ended(in.ID)
	if diff := cmp.Diff([]string{"untold/0", "untold/1"}, b.steps(in.ID, "told", "untold")); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if said := b.Said(conversation); len(said) > 0 {
		t.Errorf("said %q", said)
	}
	b.StoreHistory(newest, in.ID, "untold")
}
