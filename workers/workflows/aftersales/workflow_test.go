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
	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	rules "github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/promise"
)

func start() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

const hours = 3600

func terms() rules.Terms {
	return rules.Terms{
		Policy: rules.Policy{
			NoReasonDays: 7, EvidenceFor: []rules.Reason{rules.Quality}, Speeds: []rules.TierSpeed{{Tier: "vip", Speed: rules.Instant}}, FreightInsurance: true,
		},
		Limits: rules.Limits{
			Review: 2 * hours, Evidence: 72 * hours, Return: 168 * hours, RefundAfterApproval: 24 * hours, RefundAfterReceiptWorkingDays: 3,
			Reissue: 48 * hours, Inspect: 24 * hours, Resend: 48 * hours, Claim: 72 * hours, FollowUp: 72 * hours, Overall: 24 * hours,
		},
		RemindBefore: hours / 2,
	}
}

// input is a return without a reason.
func input(modify ...func(*promise.AfterSalesInput)) promise.AfterSalesInput {
	conversation := uuid.Max
	in := promise.AfterSalesInput{
		ID: "after-sales/shop/lumi/1", Conversation: &conversation, Channel: "mini", Customer: "customer", SkillGroup: "after-sales", OpenedBy: "an", StartedAt: start(),
		Application: rules.Application{
			Kind: rules.Return, Reason: rules.NoReason, Source: rules.FromAgent,
			Order: rules.Order{Number: "2026112201", Paid: 100_00, Currency: "CNY", DeliveredAt: start().Add(-24 * time.Hour)},
		},
		Terms: terms(), Ladder: []promise.Rung{{AfterSeconds: hours, Notify: promise.RoleSupervisor}, {AfterSeconds: 4 * hours, Notify: promise.RoleAdmin}},
	}
	for _, m := range modify {
		m(&in)
	}
	return in
}

func of(kind rules.Kind, reason rules.Reason) func(*promise.AfterSalesInput) {
	return func(in *promise.AfterSalesInput) { in.Application.Kind, in.Application.Reason = kind, reason }
}

// paper is a brand on paper: its activities keep one case by the same rules as the real ones, and note what was done.
type paper struct {
	*testsuite.TestWorkflowEnvironment

	mu       sync.Mutex
	c        rules.Case
	revision int32
	acts     map[string]bool
	notes    []string
	// provider says what comes of an operation, at its first attempt and later; nil is a brand without one.
	provider func(o rules.Operation, attempt int) rules.EffectState
	fails    map[string]int
}

func newPaper(t *testing.T) *paper {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	p := &paper{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), acts: map[string]bool{}, fails: map[string]int{}}
	p.SetStartTime(start())
	p.SetWorkflowRunTimeout(1000 * time.Hour)
	p.RegisterWorkflowWithOptions(Workflow, workflow.RegisterOptions{Name: promise.AfterSalesWorkflow})
	register(p, activityOpen, func(in promise.AfterSalesInput) (Standing, error) {
		p.c = rules.Open(in.Application, rules.Decide(in.Terms.Policy, in.Application, in.Tier, in.StartedAt), in.OpenedBy, in.StartedAt)
		return p.standing(), nil
	})
	register(p, activityEnter, func(e Entering) (Entered, error) {
		out := Entered{}
		if limit, limited := p.c.Limit(e.Terms.Limits); limited && p.c.Step() == e.Step {
			out.Due = limit.From.Add(limit.Within + time.Duration(limit.WorkingDays)*24*time.Hour)
			out.RemindAt = out.Due.Add(-time.Duration(e.Terms.RemindBefore) * time.Second)
			p.c.SetDue(out.Due)
		}
		out.Standing = p.standing()
		return out, nil
	})
	register(p, activityTake, func(k Taking) (Taken, error) {
		if p.acts[k.Act.ID] {
			return Taken{Standing: p.standing()}, nil
		}
		if refusal, refused := errors.AsType[*rules.RefusalError](p.c.Act(k.Act, p.Now())); refused {
			p.note("ignored %s: %s", k.Act.Action, refusal.Reason)
			return Taken{Standing: p.standing(), Refused: refusal.Reason}, nil
		}
		p.acts[k.Act.ID] = true
		p.note("%s: %s", k.Act.Action, p.c.State)
		return Taken{Standing: p.standing()}, nil
	})
	register(p, activityLate, func(l Lateness) (Standing, error) {
		if p.c.Step() == l.Step && !p.acts[l.name()] {
			p.acts[l.name()] = true
			p.note("%s %s%s", p.c.State, l.Deadline.Kind, l.Deadline.Notify)
		}
		return p.standing(), nil
	})
	register(p, activityWarnOverall, func(Lateness) (Standing, error) {
		p.note("overall")
		return p.standing(), nil
	})
	register(p, activityPerform, func(q Performing) (Standing, error) {
		if attempt, state := p.c.Attempt(); p.c.Operation() != q.Operation || attempt != q.Attempt || state == rules.EffectByHand {
			return p.standing(), nil
		}
		if p.provider == nil {
			p.c.Settle(rules.Effect{State: rules.EffectByHand, At: p.Now()})
			return p.standing(), nil
		}
		p.c.Settle(rules.Effect{State: rules.EffectSending, Key: "key", At: p.Now()})
		switch p.provider(q.Operation, q.Attempt) {
		case rules.EffectDone:
			p.c.Settle(rules.Effect{State: rules.EffectDone, Reference: "P1", By: rules.ByProvider, At: p.Now()})
			p.note("%s done: %s", q.Operation, p.c.State)
		case rules.EffectRefused:
			p.c.Settle(rules.Effect{State: rules.EffectRefused, Reason: "no", At: p.Now()})
			p.note("%s refused", q.Operation)
		default:
			return Standing{}, temporal.NewApplicationErrorWithOptions("pending", errorPending, temporal.ApplicationErrorOptions{NextRetryDelay: 15 * time.Minute})
		}
		return p.standing(), nil
	})
	register(p, activityDispute, func(Reference) (Standing, error) {
		p.note("supervisors called")
		return p.standing(), nil
	})
	register(p, activityUntold, func(l Telling) (bool, error) {
		p.note("untold %d", l.Step)
		return true, nil
	})
	register(p, activityTell, func(l Telling) (bool, error) {
		if words := p.c.Words(l.Step, time.UTC); words != "" {
			p.note("told %d", l.Step)
		}
		return true, nil
	})
	return p
}

func (p *paper) standing() Standing {
	p.revision++
	s := Standing{Revision: p.revision, Step: p.c.Step(), State: p.c.State, Owner: p.c.Owner(), Operation: p.c.Operation()}
	s.Attempt, s.Effect = p.c.Attempt()
	s.Disputed = p.c.Content != nil && !*p.c.Content
	if p.c.OnTheWay() {
		s.ArriveBy = p.c.Now().Due
	}
	return s
}

func (p *paper) note(format string, arguments ...any) {
	p.notes = append(p.notes, fmt.Sprintf("%.1fh ", p.Now().Sub(start()).Hours())+fmt.Sprintf(format, arguments...))
}

func register[Argument, Result any](p *paper, name string, f func(Argument) (Result, error)) {
	p.RegisterActivityWithOptions(func(_ context.Context, argument Argument) (result Result, err error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.fails[name] > 0 {
			p.fails[name]--
			return result, errors.New("database away")
		}
		return f(argument)
	}, activity.RegisterOptions{Name: name})
}

// act signals an act after a time.
func (p *paper) act(after time.Duration, action rules.Action, modify ...func(*rules.Act)) {
	act := rules.Act{ID: fmt.Sprintf("%s-%s", action, after), By: "an", Action: action, Note: "因为", Tracking: "SF1", Reference: "R1"}
	for _, m := range modify {
		m(&act)
	}
	p.RegisterDelayedCallback(func() { p.SignalWorkflow(promise.SignalAct, act) }, after)
}

func (p *paper) run(t *testing.T, in promise.AfterSalesInput) promise.AfterSalesStatus {
	t.Helper()
	p.ExecuteWorkflow(promise.AfterSalesWorkflow, in)
	var status promise.AfterSalesStatus
	if err := p.GetWorkflowResult(&status); err != nil {
		t.Fatal(err)
	}
	return status
}

func TestAfterSales(t *testing.T) {
	const h = time.Hour
	done := func(rules.Operation, int) rules.EffectState { return rules.EffectDone }
	for name, test := range map[string]struct {
		input promise.AfterSalesInput
		play  func(p *paper)
		want  []string
		state rules.State
	}{
		"a return in time disturbs nobody": {
			input(), func(p *paper) {
				p.provider = done
				p.act(h, rules.ActionApprove)
				p.act(30*h, rules.ActionReceive)
				p.act(40*h, rules.ActionAccept)
				p.act(50*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "30.0h receive: received", "30.0h told 2", "40.0h accept: refunding",
				"40.0h refund done: settled", "40.0h told 4", "50.0h confirm: done",
			},
			rules.StateDone,
		},
		"a review that is left alone climbs, and warns once as a whole": {
			input(), func(p *paper) { p.act(30*h, rules.ActionRefuse) },
			[]string{
				"0.0h told 0", "1.5h review remind", "2.0h review breach", "3.0h review escalateSupervisor", "6.0h review escalateAdmin", "24.0h overall",
				"30.0h refuse: refused", "30.0h told 1",
			},
			rules.StateRefused,
		},
		"photos that never come let it expire, and the overall limit stands still": {
			input(of(rules.RefundOnly, rules.Quality)), func(*paper) {},
			[]string{"0.0h told 0", "71.5h evidence remind", "72.0h expire: expired", "72.0h told 1"},
			rules.StateExpired,
		},
		"goods that never come let it expire": {
			input(), func(p *paper) { p.act(h, rules.ActionApprove) },
			[]string{"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "168.5h returning remind", "169.0h expire: expired", "169.0h told 2"},
			rules.StateExpired,
		},
		"goods that were sent in time and do not come are looked for": {
			input(), func(p *paper) {
				p.provider = done
				p.act(h, rules.ActionApprove)
				p.act(100*h, rules.ActionSent, func(a *rules.Act) { a.By = rules.ByCustomer })
				p.act(275*h, rules.ActionReceive)
				p.act(280*h, rules.ActionAccept)
				p.act(290*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "100.0h sent: returning", "267.5h returning remind", "268.0h returning breach",
				"269.0h returning escalateSupervisor", "272.0h returning escalateAdmin", "275.0h receive: received", "275.0h told 2",
				"280.0h accept: refunding", "280.0h refund done: settled", "280.0h told 4", "290.0h confirm: done",
			},
			rules.StateDone,
		},
		"money is not taken back for goods that are on their way, also where the desk knew first": {
			input(func(in *promise.AfterSalesInput) { in.Tier = "vip" }), func(p *paper) {
				p.provider = done
				p.RegisterDelayedCallback(func() {
					p.mu.Lock()
					defer p.mu.Unlock()
					p.c.Parcel = &rules.Parcel{Tracking: "SF1"}
					p.c.SetDue(start().Add(200 * h))
				}, 168*h-1)
				p.act(202*h, rules.ActionReceive)
				p.act(203*h, rules.ActionAccept)
				p.act(204*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h refund done: returning", "0.0h told 1", "167.5h returning remind", "168.0h ignored expire: WrongState", "199.5h returning remind",
				"200.0h returning breach", "201.0h returning escalateSupervisor", "202.0h receive: received", "202.0h told 2", "203.0h accept: settled",
				"203.0h told 3", "204.0h confirm: done",
			},
			rules.StateDone,
		},
		"what was paid at once for goods that never come is taken back": {
			input(func(in *promise.AfterSalesInput) { in.Tier = "vip" }), func(p *paper) { p.provider = done },
			[]string{
				"0.0h refund done: returning", "0.0h told 1", "167.5h returning remind", "168.0h expire: undoing", "168.0h reversal done: expired", "168.0h told 3",
			},
			rules.StateExpired,
		},
		"a refund that is not paid in a day is late": {
			input(of(rules.RefundOnly, rules.Other)), func(p *paper) { p.act(h, rules.ActionApprove); p.act(40*h, rules.ActionRefunded) },
			[]string{
				"0.0h told 0", "1.0h approve: refunding", "1.0h told 1", "24.0h overall", "24.5h refunding remind", "25.0h refunding breach",
				"26.0h refunding escalateSupervisor", "29.0h refunding escalateAdmin", "40.0h refunded: settled", "40.0h told 2",
				"111.5h settled remind", "112.0h settled breach", "113.0h settled escalateSupervisor", "116.0h settled escalateAdmin", "836.0h expire: done",
			},
			rules.StateDone,
		},
		"goods that came back are paid within three days of that, however long one looks at them": {
			input(), func(p *paper) {
				p.act(h, rules.ActionApprove)
				p.act(10*h, rules.ActionReceive)
				p.act(60*h, rules.ActionAccept)
				p.act(83*h+h/2, rules.ActionRefunded)
				p.act(85*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "10.0h receive: received", "10.0h told 2", "33.0h overall", "60.0h accept: refunding",
				"60.0h told 3", "81.5h refunding remind", "82.0h refunding breach", "83.0h refunding escalateSupervisor", "83.5h refunded: settled", "83.5h told 4",
				"85.0h confirm: done",
			},
			rules.StateDone,
		},
		"freight that nobody pays back in a day is late": {
			input(func(in *promise.AfterSalesInput) { in.Terms.Policy.FreightUpTo = 20_00 }), func(p *paper) {
				p.act(h, rules.ActionApprove, func(a *rules.Act) { a.Freight = rules.FreightSeller })
				p.act(10*h, rules.ActionReceive)
				p.act(11*h, rules.ActionAccept, func(a *rules.Act) { a.FreightAmount = new(int64(12_00)) })
				p.act(12*h, rules.ActionRefunded)
				p.act(37*h+h/2, rules.ActionFreightPaid)
				p.act(40*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "10.0h receive: received", "10.0h told 2", "11.0h accept: refunding", "11.0h told 3",
				"12.0h refunded: compensating", "12.0h told 4", "33.0h overall", "35.5h compensating remind", "36.0h compensating breach", "37.0h compensating escalateSupervisor",
				"37.5h freightPaid: settled", "37.5h told 5", "40.0h confirm: done",
			},
			rules.StateDone,
		},
		"goods that are rejected are sent back within two days": {
			input(), func(p *paper) {
				p.act(h, rules.ActionApprove)
				p.act(10*h, rules.ActionReceive)
				p.act(11*h, rules.ActionReject)
				p.act(61*h, rules.ActionShipped)
			},
			[]string{
				"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "10.0h receive: received", "10.0h told 2", "11.0h reject: sendingBack", "11.0h told 3",
				"33.0h overall", "58.5h sendingBack remind", "59.0h sendingBack breach", "60.0h sendingBack escalateSupervisor", "61.0h shipped: refused", "61.0h told 4",
			},
			rules.StateRefused,
		},
		"a reissue is sent within two days": {
			input(of(rules.Reissue, rules.MissingItem)), func(p *paper) {
				p.act(h, rules.ActionApprove)
				p.act(51*h, rules.ActionShipped)
				p.act(52*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: shipping", "1.0h told 1", "24.0h overall", "48.5h shipping remind", "49.0h shipping breach",
				"50.0h shipping escalateSupervisor", "51.0h shipped: settled", "51.0h told 2", "52.0h confirm: done",
			},
			rules.StateDone,
		},
		"nobody is late whose customer was asked and does not answer": {
			input(of(rules.Reissue, rules.MissingItem)), func(p *paper) {
				p.provider = done
				p.act(h, rules.ActionApprove)
				p.act(70*h, rules.ActionUnanswered)
			},
			[]string{"0.0h told 0", "1.0h approve: shipping", "1.0h shipment done: settled", "1.0h told 2", "70.0h unanswered: done"},
			rules.StateDone,
		},
		"each step of an exchange has its own limit": {
			input(of(rules.Exchange, rules.NoReason)), func(p *paper) {
				p.act(h, rules.ActionApprove)
				p.act(10*h, rules.ActionReceive)
				p.act(34*h+h/2, rules.ActionAccept)
				p.act(84*h, rules.ActionShipped)
				p.act(85*h, rules.ActionDispute)
			},
			[]string{
				"0.0h told 0", "1.0h approve: returning", "1.0h told 1", "10.0h receive: received", "10.0h told 2", "33.0h overall", "33.5h received remind",
				"34.0h received breach", "34.5h accept: shipping", "34.5h told 3", "82.0h shipping remind", "82.5h shipping breach",
				"83.5h shipping escalateSupervisor", "84.0h shipped: settled", "84.0h told 4", "85.0h dispute: done",
				"85.0h supervisors called",
			},
			rules.StateDone,
		},
		"a provider that thinks is asked until it knows": {
			input(of(rules.RefundOnly, rules.Other)), func(p *paper) {
				asked := 0
				p.provider = func(rules.Operation, int) rules.EffectState {
					if asked++; asked < 9 {
						return rules.EffectPending
					}
					return rules.EffectDone
				}
				p.act(h, rules.ActionApprove)
				p.act(2*h, rules.ActionRefunded) // Nobody pays by hand what may be paid already.
				p.act(5*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: refunding", "1.0h told 1", "2.0h ignored refunded: UnderWay", "3.0h refund done: settled", "3.0h told 2", "5.0h confirm: done",
			},
			rules.StateDone,
		},
		"what a provider refuses somebody decides": {
			input(of(rules.Reissue, rules.MissingItem)), func(p *paper) {
				p.provider = func(o rules.Operation, _ int) rules.EffectState {
					if o == rules.OperationShipment {
						return rules.EffectRefused
					}
					return rules.EffectDone
				}
				p.act(h, rules.ActionApprove)
				p.act(2*h, rules.ActionRetry)
				p.act(3*h, rules.ActionRefundInstead, func(a *rules.Act) { a.Amount = 30_00 })
				p.act(4*h, rules.ActionConfirm)
			},
			[]string{
				"0.0h told 0", "1.0h approve: shipping", "1.0h shipment refused", "1.0h told 1", "2.0h retry: shipping", "2.0h shipment refused",
				"3.0h refundInstead: refunding", "3.0h refund done: settled", "3.0h told 3", "4.0h confirm: done",
			},
			rules.StateDone,
		},
		"an act that is wrong, or comes twice, changes nothing": {
			input(), func(p *paper) {
				p.act(h/4, rules.ActionRefunded)
				p.act(h/2, rules.ActionRefuse, func(a *rules.Act) { a.Note = "" })
				p.act(h, rules.ActionApprove, func(a *rules.Act) { a.ID = "same" })
				p.act(h+1, rules.ActionApprove, func(a *rules.Act) { a.ID = "same" })
				p.act(2*h, rules.ActionWithdraw, func(a *rules.Act) { a.By = rules.ByCustomer })
			},
			[]string{
				"0.0h told 0", "0.2h ignored refunded: WrongState", "0.5h ignored refuse: NoteMissing", "1.0h approve: returning", "1.0h told 1",
				"2.0h withdraw: withdrawn", "2.0h told 2",
			},
			rules.StateWithdrawn,
		},
		"steps that fail are repeated until they succeed": {
			input(), func(p *paper) {
				p.fails[activityOpen], p.fails[activityEnter], p.fails[activityTake], p.fails[activityLate] = 2, 2, 2, 2
				p.act(7*h/4, rules.ActionWithdraw)
			},
			[]string{"0.0h told 0", "1.5h review remind", "1.8h withdraw: withdrawn", "1.8h told 1"},
			rules.StateWithdrawn,
		},
		"a customer who cannot be told holds nothing up, and somebody knows of it": {
			input(), func(p *paper) {
				p.fails[activityTell] = 1 << 20
				p.act(h, rules.ActionApprove)
				p.act(2*h, rules.ActionWithdraw)
			},
			[]string{"0.0h untold 0", "1.0h approve: returning", "1.0h untold 1", "2.0h withdraw: withdrawn", "2.0h untold 2"},
			rules.StateWithdrawn,
		},
		"what the policy refuses ends at once": {
			input(func(in *promise.AfterSalesInput) { in.Application.Order.DeliveredAt = start().Add(-9 * 24 * h) }), func(*paper) {},
			[]string{"0.0h told 0"},
			rules.StateRefused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPaper(t)
			test.play(p)
			status := p.run(t, test.input)
			slices.SortStableFunc(p.notes, byHour)
			slices.SortStableFunc(test.want, byHour)
			if diff := cmp.Diff(test.want, p.notes); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if status.State != test.state {
				t.Errorf("it ends as %s, want %s", status.State, test.state)
			}
		})
	}
}

// byHour orders notes of one moment by name: what happens beside each other has no order.
func byHour(a, b string) int {
	return strings.Compare(fmt.Sprintf("%9s", a[:strings.Index(a, " ")])+a, fmt.Sprintf("%9s", b[:strings.Index(b, " ")])+b)
}

func TestACancelledCaseIsWithdrawn(t *testing.T) {
	p := newPaper(t)
	p.provider = func(rules.Operation, int) rules.EffectState { return rules.EffectDone }
	p.RegisterDelayedCallback(p.CancelWorkflow, time.Hour)
	p.ExecuteWorkflow(promise.AfterSalesWorkflow, input(func(in *promise.AfterSalesInput) { in.Tier = "vip" }))
	if err := p.GetWorkflowError(); !temporal.IsCanceledError(err) {
		t.Errorf("the workflow ended with %v, want it cancelled", err)
	}
	want := []string{"0.0h refund done: returning", "0.0h told 1", "1.0h cancel: undoing", "1.0h reversal done: withdrawn", "1.0h told 3"}
	slices.SortStableFunc(p.notes, byHour)
	if diff := cmp.Diff(want, p.notes); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestNothingIsLostWhereARunContinues(t *testing.T) {
	p := newPaper(t)
	p.RegisterDelayedCallback(func() { p.SetContinueAsNewSuggested(true) }, 150*time.Minute)
	p.ExecuteWorkflow(promise.AfterSalesWorkflow, input())
	var again *workflow.ContinueAsNewError
	if err := p.GetWorkflowError(); !errors.As(err, &again) {
		t.Fatalf("the first run ended with %v", err)
	}
	next := newPaper(t)
	next.c, next.revision, next.acts = p.c, p.revision, p.acts
	// It begins when the first one ended.
	next.SetStartTime(p.Now())
	next.act(30*time.Hour-p.Now().Sub(start()), rules.ActionRefuse)
	next.ExecuteWorkflow(promise.AfterSalesWorkflow, decoded(t, again)...)
	if err := next.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0.0h told 0", "1.5h review remind", "2.0h review breach", "3.0h review escalateSupervisor",
		"6.0h review escalateAdmin", "24.0h overall", "30.0h refuse: refused", "30.0h told 1",
	}
	if diff := cmp.Diff(want, append(p.notes, next.notes...)); diff != "" {
		t.Errorf("steps of both runs (-want +got):\n%s", diff)
	}
}

func decoded(t *testing.T, again *workflow.ContinueAsNewError) []any {
	t.Helper()
	var in promise.AfterSalesInput
	var carried *Carried
	if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &in, &carried); err != nil {
		t.Fatal(err)
	}
	return []any{in, carried}
}

func TestStatusIsAnsweredWhileTheCaseWaits(t *testing.T) {
	p := newPaper(t)
	var got promise.AfterSalesStatus
	p.RegisterDelayedCallback(func() {
		value, err := p.QueryWorkflow(promise.QueryStatus)
		if err != nil {
			t.Error(err)
			return
		}
		if err := value.Get(&got); err != nil {
			t.Error(err)
		}
	}, time.Hour)
	p.act(2*time.Hour-1, rules.ActionWithdraw)
	p.run(t, input())
	want := promise.AfterSalesStatus{State: rules.StateReview, Due: start().Add(2 * time.Hour)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}
