// Package deadline keeps one deadline inside a workflow: it reminds before, marks the breach, and climbs a ladder until
// what was promised is done.
//
//	... --RemindAt--> Remind --Due--> Breach --Due+rung 1--> Escalate(1) --Due+rung 2--> Escalate(2) ...
//
// It knows no process: what a step does is the caller's. Invariants: a step is taken once, also over continue-as-new, where
// Steps is carried along; one timer is open at a time; what is done stops the clock at once.
package deadline

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/promise"
)

// Deadline is until when something must be done. Histories hold it: fields are added, never renamed.
type Deadline struct {
	// Due is when it is late.
	Due time.Time `json:"due"`
	// RemindAt is when its owner is reminded; zero, or not before Due, reminds nobody.
	RemindAt time.Time `json:"remindAt,omitzero"`
	// Ladder is climbed once it is late, each rung that long after Due, in the order of climbing.
	Ladder []promise.Rung `json:"ladder,omitempty"`
	// Taken is how many of its steps were taken.
	Taken int `json:"taken,omitempty"`
}

// Kind says what a step is.
type Kind string

// The kinds of steps, in their order.
const (
	Remind   Kind = "remind"
	Breach   Kind = "breach"
	Escalate Kind = "escalate"
)

// Step is what is to be done when its time has come.
type Step struct {
	Kind Kind `json:"kind"`
	// Rung counts from 1, and Notify is its role; both of Escalate alone.
	Rung   int    `json:"rung,omitempty"`
	Notify string `json:"notify,omitempty"`
	// At is when the step was due, which is before now where the worker was away.
	At time.Time `json:"at"`
}

// Keep waits until done holds, and takes each step whose time comes before. It returns nil once done holds, or once all steps
// are taken and nothing is left to wait for; done tells which. An error is the context's end, or of take: the step counts
// as taken then, for take has tried for as long as its retry policy says.
func (d *Deadline) Keep(ctx workflow.Context, done func() bool, take func(workflow.Context, Step) error) error {
	for steps := d.steps(); d.Taken < len(steps); {
		step := steps[d.Taken]
		if left := step.At.Sub(workflow.Now(ctx)); left > 0 {
			if met, err := workflow.AwaitWithTimeout(ctx, left, done); err != nil || met {
				return err
			}
		}
		if done() {
			return nil
		}
		d.Taken++
		if err := take(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deadline) steps() []Step {
	var steps []Step
	if !d.RemindAt.IsZero() && d.RemindAt.Before(d.Due) {
		steps = append(steps, Step{Kind: Remind, At: d.RemindAt})
	}
	steps = append(steps, Step{Kind: Breach, At: d.Due})
	for i, rung := range d.Ladder {
		at := d.Due.Add(time.Duration(rung.AfterSeconds) * time.Second)
		steps = append(steps, Step{Kind: Escalate, Rung: i + 1, Notify: rung.Notify, At: at})
	}
	return steps
}
