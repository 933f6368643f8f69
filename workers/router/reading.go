package router

import (
	"context"
	"time"

	"github.com/yingda-dev/yingda/internal/bus"
)

// progress is what of bus.Progress is used here.
type progress interface {
	Mark(ctx context.Context) (bus.Mark, error)
	Passed(ctx context.Context, mark bus.Mark) (bool, error)
}

// reading finds out up to when all that customers wrote is taken in. It marks the end of the inbound topic, and once the routers
// have passed the mark, what came before it is taken in; then it sets the next.
type reading struct {
	progress progress
	now      func() time.Time

	// mark was set at, which is zero while there is none.
	mark bus.Mark
	at   time.Time
	// upTo is when the last mark that was passed had been set; zero before the first.
	upTo time.Time
}

// look brings upTo up to date.
func (r *reading) look(ctx context.Context) error {
	if r.at.IsZero() {
		at := r.now()
		mark, err := r.progress.Mark(ctx)
		if err != nil {
			return err
		}
		r.mark, r.at = mark, at
	}
	passed, err := r.progress.Passed(ctx, r.mark)
	if err != nil {
		return err
	}
	if passed {
		r.upTo, r.at = r.at, time.Time{}
	}
	return nil
}
