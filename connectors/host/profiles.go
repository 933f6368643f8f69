package host

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	profileInterval = time.Second
	profileWorkers  = 4
	profileTimeout  = 10 * time.Second
	// profileLease keeps other replicas away while one asks.
	profileLease = 30 * time.Second
	// profileLookAgain is how often it is looked whether an account has got the right that it lacked.
	profileLookAgain = 10 * time.Minute
	// profileGiveUp is for how long it is tried: who is asked for has written, and will again.
	profileGiveUp = 24 * time.Hour
)

// profiler asks platforms who customers are, where the router wants to know.
type profiler struct {
	table  *table
	store  *store.Store
	clock  func() time.Time
	logger *slog.Logger
	log    *steadyLog
	// looked is when it was looked last whether rights were granted.
	looked time.Time
}

func newProfiler(t *table, s *store.Store, clock func() time.Time, logger *slog.Logger) *profiler {
	return &profiler{table: t, store: s, clock: clock, logger: logger, log: newSteadyLog(logger, "look for profiles to ask for")}
}

func (p *profiler) run(ctx context.Context) {
	poll(ctx, profileInterval, p.log, p.pass)
}

// pass asks for some profiles; more says that others may wait.
func (p *profiler) pass(ctx context.Context) (more bool, err error) {
	senders := p.table.senders()
	if len(senders) == 0 {
		return false, nil
	}
	now := p.clock()
	if now.Sub(p.looked) >= profileLookAgain {
		p.looked = now
		if err := p.lookAgain(ctx, senders); err != nil {
			return false, err
		}
	}
	leaseCtx, cancel := context.WithTimeout(ctx, claimTimeout)
	defer cancel()
	wanted, err := p.store.LeaseProfiles(leaseCtx, senders, now, now.Add(profileLease), profileWorkers)
	if err != nil {
		return false, err
	}
	var workers sync.WaitGroup
	for _, one := range wanted {
		workers.Go(func() { p.ask(ctx, one) })
	}
	workers.Wait()
	return len(wanted) == profileWorkers, nil
}

// lookAgain asks of one customer of each account that lacked the right to. Where it has the right now, the others are asked for, too.
func (p *profiler) lookAgain(ctx context.Context, senders []string) error {
	ctx, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	denied, err := p.store.DeniedProfiles(ctx, senders, connectors.ReasonNotAuthorized)
	if err != nil {
		return err
	}
	var failed []error
	for _, one := range denied {
		connector, _ := p.table.sender(one.Channel)
		source, ok := connector.(connectors.ProfileSource)
		if !ok {
			continue
		}
		// A login can be redeemed once and within minutes: whose was given up is asked for when they log in again.
		if _, err := source.Profile(ctx, one.ExternalID, ""); err != nil {
			failure := connectors.AsCallError(err)
			p.table.complained(one.Channel, connector, callProfile, failure)
			if failure.Class != connectors.ClassPermanent {
				continue
			}
			// It is about the customer, so that the account may ask.
		}
		p.table.worked(one.Channel, connector, callProfile)
		failed = append(failed, p.store.WantProfilesAgain(ctx, one.Channel, connectors.ReasonNotAuthorized, p.clock()))
	}
	return errors.Join(failed...)
}

func (p *profiler) ask(ctx context.Context, wanted store.ProfileToAsk) {
	ctx, cancel := context.WithTimeout(ctx, profileTimeout)
	defer cancel()
	if err := p.try(ctx, wanted); err != nil {
		// The lease ends by itself, and somebody tries again.
		p.logger.WarnContext(ctx, "Cannot write down who a customer is", "Channel", wanted.Channel, "error", err)
	}
}

func (p *profiler) try(ctx context.Context, wanted store.ProfileToAsk) error {
	connector, _ := p.table.sender(wanted.Channel)
	source, ok := connector.(connectors.ProfileSource)
	if !ok {
		return p.store.RetryProfile(ctx, wanted, p.clock().Add(credentialsPause), "ChannelStopped")
	}
	profile, err := source.Profile(ctx, wanted.ExternalID, wanted.LoginCode)
	if err == nil {
		p.table.worked(wanted.Channel, connector, callProfile)
		return p.store.TellProfile(ctx, wanted, store.ToldProfile(profile), p.clock())
	}
	failure := connectors.AsCallError(err)
	p.table.complained(wanted.Channel, connector, callProfile, failure)
	switch {
	case failure.Class == connectors.ClassPermanent, failure.Reason == connectors.ReasonNotAuthorized:
		// Whoever gives the account the right has them asked for again.
		return p.store.FailProfile(ctx, wanted, failure.Reason)
	case p.clock().Sub(wanted.UpdatedAt) > profileGiveUp:
		return p.store.FailProfile(ctx, wanted, "Expired")
	}
	return p.store.RetryProfile(ctx, wanted, p.clock().Add(backoff(wanted.Attempts, failure.RetryAfter)), failure.Reason)
}
