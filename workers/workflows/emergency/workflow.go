// Package emergency is the workflow that keeps a burst of complaints: those who decide are told, it looks every few minutes
// whether complaints are as usual again, and it writes the report when they are, or when a supervisor says that it is over.
//
//	RecordOpened --> open --every few minutes: Check--> calm, and nobody holds it: RecordClosed --> closed
//	                  |  ^-- extend: held until then
//	                  +-- close: RecordClosed --> closed
//
// That a burst is in force, and with it what the bot says first to every customer, is a row (store, table emergency) which routers
// look at every second; the router that saw the burst wrote it, and this workflow ends it. So an outage of Temporal delays
// neither the beginning nor the banner. Invariants: every step has effect once, however often its activity runs; a signal that
// comes when it means nothing is counted and changes nothing; what the input says of when it is over stays in force.
package emergency

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/temporal"
)

// checksARun is after how many looks a run of the workflow leaves the rest to the next: some thousand events.
const checksARun = 500

// Workflow keeps one burst; its type is promise.EmergencyWorkflow.
func Workflow(ctx workflow.Context, input promise.EmergencyInput) (promise.EmergencyStatus, error) {
	e, err := newEmergency(ctx, input)
	if err != nil {
		return promise.EmergencyStatus{}, err
	}
	err = e.run(ctx)
	return e.status, err
}

// emergency is the state of one run.
type emergency struct {
	input  promise.EmergencyInput
	status promise.EmergencyStatus
	// next is when it is looked next, checks how often this run has.
	next   time.Time
	checks int
	closed *promise.EmergencyClose
	// listed is whether it has search attributes.
	listed bool
	// signals are those that came.
	signals workflow.Selector
}

// newEmergency goes on where the run before left off, if there was one, and registers the query.
func newEmergency(ctx workflow.Context, input promise.EmergencyInput) (*emergency, error) {
	e := &emergency{
		input: input, status: promise.EmergencyStatus{State: promise.EmergencyOpen},
		next: workflow.Now(ctx).Add(time.Duration(input.CheckEverySeconds) * time.Second),
	}
	if carried := input.Carried; carried != nil {
		e.status, e.next = carried.Status, carried.NextCheck
	}
	e.signals = workflow.NewSelector(ctx)
	e.signals.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalEmergencyClose), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.EmergencyClose
		channel.Receive(ctx, &signal)
		e.onClose(ctx, signal)
	})
	e.signals.AddReceive(workflow.GetSignalChannel(ctx, promise.SignalEmergencyExtend), func(channel workflow.ReceiveChannel, _ bool) {
		var signal promise.EmergencyExtend
		channel.Receive(ctx, &signal)
		e.onExtend(ctx, signal)
	})
	return e, workflow.SetQueryHandlerWithOptions(ctx, promise.QueryStatus,
		func() (promise.EmergencyStatus, error) { return e.status, nil },
		workflow.QueryHandlerOptions{Description: "Where the emergency stands."})
}

func (e *emergency) onClose(ctx workflow.Context, signal promise.EmergencyClose) {
	if e.closed != nil {
		e.ignore(ctx, promise.SignalEmergencyClose)
		return
	}
	e.closed, e.status.State = &signal, promise.EmergencyClosing
}

func (e *emergency) onExtend(ctx workflow.Context, signal promise.EmergencyExtend) {
	if e.closed != nil || !signal.Until.After(e.status.HeldUntil) {
		e.ignore(ctx, promise.SignalEmergencyExtend)
		return
	}
	e.status.HeldUntil = signal.Until
}

func (e *emergency) ignore(ctx workflow.Context, signal string) {
	e.status.IgnoredSignals++
	workflow.GetLogger(ctx).Warn("Ignored a signal that came at the wrong time", "signal", signal, "state", string(e.status.State))
}

// run is the life of a burst, or what of it one run keeps.
func (e *emergency) run(ctx workflow.Context) error {
	if e.input.Carried == nil {
		if err := recordOpened(ctx, e.input); err != nil {
			return err
		}
	}
	e.listed = workflow.GetVersion(ctx, changeAttributes, workflow.DefaultVersion, 1) == 1
	if err := e.list(ctx); err != nil {
		return err
	}
	for {
		// In this order, and with nothing to wait for in between: no signal is left behind.
		e.hear(ctx)
		if e.closed == nil && e.checks >= checksARun {
			return e.goOn(ctx)
		}
		over, err := e.wait(ctx)
		if err != nil {
			return err
		}
		if !over {
			continue
		}
		ended, err := recordClosed(ctx, e.input, e.closed)
		if err != nil {
			return err
		}
		if ended {
			e.status.State = promise.EmergencyClosed
			return e.list(ctx)
		}
	}
}

// list lets people find the emergency in Temporal, while it is open and once it is closed. One that began before there were attributes stays without.
func (e *emergency) list(ctx workflow.Context) error {
	if !e.listed {
		return nil
	}
	return temporal.Attributes{Brand: promise.BrandOf(e.input.ID), Kind: string(promise.CaseEmergency), State: string(e.status.State)}.Upsert(ctx)
}

// hear takes the signals that came.
func (e *emergency) hear(ctx workflow.Context) {
	for e.signals.HasPending() {
		e.signals.Select(ctx)
	}
}

// wait waits for the next look or a signal, and says whether the burst is over.
func (e *emergency) wait(ctx workflow.Context) (over bool, err error) {
	if e.closed != nil {
		return true, nil
	}
	if left := e.next.Sub(workflow.Now(ctx)); left > 0 {
		signalled, err := workflow.AwaitWithTimeout(ctx, left, e.signals.HasPending)
		if err != nil || signalled {
			return false, err
		}
	}
	return e.look(ctx)
}

// look asks whether complaints are as usual again. While somebody holds the burst, it makes no difference.
func (e *emergency) look(ctx workflow.Context) (over bool, err error) {
	e.next = workflow.Now(ctx).Add(time.Duration(e.input.CheckEverySeconds) * time.Second)
	e.checks++
	e.status.Checks++
	calm, err := check(ctx, e.input)
	if err != nil {
		return false, err
	}
	return calm && !workflow.Now(ctx).Before(e.status.HeldUntil), nil
}

// goOn leaves the rest to the next run.
func (e *emergency) goOn(ctx workflow.Context) error {
	next := e.input
	next.Carried = &promise.EmergencyCarried{NextCheck: e.next, Status: e.status}
	return workflow.NewContinueAsNewError(ctx, Workflow, next)
}
