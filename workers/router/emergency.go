package router

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/burst"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// recallInterval is how soon every router knows of an emergency, and of its end.
	recallInterval = time.Second
	// burstInterval is how often complaints are counted.
	burstInterval = time.Minute
	burstTimeout  = 30 * time.Second
	// checkEvery is how often a workflow looks whether an emergency is over; twice in what it has to be calm for at least.
	checkEvery = 5 * time.Minute
)

// watchEmergencies looks for bursts of complaints, and for the emergencies that last, until ctx ends.
//
//	usual --far above it: a row, a workflow--> emergency --workflow: as usual again--> usual
//	                                           emergency --a supervisor: it is over--> ended --as usual again--> usual
func (r *Router) watchEmergencies(ctx context.Context) {
	recall, look := time.NewTicker(recallInterval), time.NewTicker(burstInterval)
	defer recall.Stop()
	defer look.Stop()
	failing := false
	for {
		err := r.recallEmergencies(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.Logger.Warn("Cannot read which emergencies last; what was known goes on", "error", err)
		}
		failing = err != nil
		select {
		case <-recall.C:
		case <-look.C:
			if err := r.lookForBursts(ctx); err != nil && ctx.Err() == nil {
				r.Logger.Warn("Looking for bursts of complaints failed, trying again in a minute", "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// recallEmergencies learns which emergencies last. What customers are told goes by it, so that no message waits for the database.
func (r *Router) recallEmergencies(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, burstTimeout)
	defer cancel()
	lasting, err := r.Store.Queries().EmergenciesLasting(ctx)
	if err != nil {
		return fmt.Errorf("reading the emergencies: %w", err)
	}
	before := *r.emergencies.Swap(&lasting)
	on, scopes := map[int64]bool{}, map[string]bool{}
	for _, e := range lasting {
		if e.EndedAt == nil {
			on[e.Number], scopes[e.SkillGroup] = true, true
			r.Metrics.emergencies.WithLabelValues(e.SkillGroup).Set(1)
		}
	}
	for _, e := range before {
		if !scopes[e.SkillGroup] {
			r.Metrics.emergencies.DeleteLabelValues(e.SkillGroup)
		}
	}
	r.bannered.keep(on)
	return nil
}

// lookForBursts opens an emergency where complaints are far above the usual, unless another router looks at the moment. Of
// those that a human ended early it notes when complaints are as usual.
func (r *Router) lookForBursts(ctx context.Context) error {
	snapshot := r.Catalog.Snapshot()
	if brand := snapshot.Brand; brand == nil || brand.DeletionTimestamp != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, burstTimeout)
	defer cancel()
	var opened []promise.EmergencyInput
	err := r.Store.Do(ctx, r.scope(), func(ctx context.Context, u *store.Unit) error {
		opened = nil // The unit may run again.
		first, err := u.EmergencyLock(ctx)
		if err != nil || !first {
			return err
		}
		rules := snapshot.Emergency.Rules
		seen, enough, err := store.Complaints(ctx, u.Queries, u.Now, snapshot.Schedule, rules)
		if err != nil || !enough {
			return err
		}
		lasting, err := u.EmergenciesLasting(ctx)
		if err != nil {
			return fmt.Errorf("reading the emergencies: %w", err)
		}
		if err := settle(ctx, u, seen, lasting, rules); err != nil || !snapshot.Emergency.Detected {
			return err
		}
		for _, scope := range burst.Open(seen, store.LastingExcept(lasting, 0), rules) {
			e, err := r.openEmergency(ctx, u, snapshot, scope, burst.Of(seen, scope, store.LastingExcept(lasting, 0)))
			if err != nil {
				return err
			}
			opened = append(opened, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range opened {
		r.Metrics.bursts.Inc()
		r.Logger.Warn("Complaints are far above the usual", "emergency", e.ID, "skillGroup", e.SkillGroup, "complaints", e.Complaints,
			"usualPerHour", e.UsualPerHour)
	}
	return nil
}

// settle notes of which emergencies that a human ended complaints are as usual now, so that the next may begin.
func settle(ctx context.Context, u *store.Unit, seen map[string]burst.Seen, lasting []db.Emergency, rules burst.Rules) error {
	for _, e := range lasting {
		if e.EndedAt == nil || !burst.Of(seen, e.SkillGroup, store.LastingExcept(lasting, e.Number)).Calm(rules) {
			continue
		}
		if err := u.EmergencyCalm(ctx, u.Now, e.Number); err != nil {
			return fmt.Errorf("noting that complaints are as usual: %w", err)
		}
	}
	return nil
}

// openEmergency puts an emergency in force and starts what keeps it.
func (r *Router) openEmergency(ctx context.Context, u *store.Unit, snapshot *catalog.Snapshot, scope string, seen burst.Seen) (promise.EmergencyInput, error) {
	rules := snapshot.Emergency.Rules
	window, _ := seen.Far(rules)
	number, err := u.EmergencyOpen(ctx, scope, u.Now)
	if err != nil {
		return promise.EmergencyInput{}, fmt.Errorf("opening an emergency: %w", err)
	}
	in := promise.EmergencyInput{
		ID: promise.EmergencyID(r.Names.Namespace, r.Names.Brand, number), Number: number, SkillGroup: scope, ScopeName: scopeName(snapshot, scope),
		Since: u.Now.Add(-window), StartedAt: u.Now, Complaints: seen.In(window), UsualPerHour: seen.Usual(),
		CalmForSeconds: int64(rules.CalmFor / time.Second), CheckEverySeconds: int64(min(checkEvery, rules.CalmFor/2) / time.Second),
	}
	if err := u.StartWorkflow(ctx, in.ID, promise.EmergencyWorkflow, in); err != nil {
		return in, fmt.Errorf("starting the emergency: %w", err)
	}
	return in, nil
}

// scopeName is what people call a group, or the brand.
func scopeName(snapshot *catalog.Snapshot, scope string) string {
	if group, known := snapshot.Group(scope); known {
		return cmp.Or(group.Spec.DisplayName, scope)
	}
	if scope == burst.Brand && snapshot.Brand != nil {
		return cmp.Or(snapshot.Brand.Spec.DisplayName, snapshot.Brand.Name)
	}
	return scope
}

// leftForAnswer is how many messages the banner leaves of those that the platform lets through.
const leftForAnswer = 1

// banner tells a customer whom no agent has, once a conversation, that there is an emergency of what their conversation is about:
// of the brand, or of the group that it goes to.
func (t *turn) banner(ctx context.Context, c db.Conversation) error {
	if t.in.Reply != nil && t.in.Reply.Banner != 0 {
		return t.banneredAtOnce(ctx, c, t.in.Reply.Banner)
	}
	e, lasts := t.emergency(c)
	if !lasts || c.State == store.StateAssigned || t.router.bannered.has(banner{e.Number, c.ID}) {
		return nil
	}
	if left, _ := quota.Left(t.intake.Quota(t.who()), t.Now); left <= leftForAnswer {
		return nil
	}
	text, err := t.channel.Playbook.Banner(t.vars(c))
	if err != nil {
		return fmt.Errorf("writing the banner: %w", err)
	}
	if text == "" {
		return nil
	}
	said, err := t.sayText(ctx, c, store.BannerKey(e.Number, c.ID), text)
	if err != nil {
		return err
	}
	if said {
		t.done.banners++
	}
	t.done.bannered = append(t.done.bannered, banner{e.Number, c.ID})
	return nil
}

// banneredAtOnce notes that the connector has told the customer already.
func (t *turn) banneredAtOnce(ctx context.Context, c db.Conversation, emergency int64) error {
	first, err := t.SaidElsewhere(ctx, c, store.BannerKey(emergency, c.ID))
	if err != nil {
		return err
	}
	if first {
		t.done.banners++
	}
	t.done.bannered = append(t.done.bannered, banner{emergency, c.ID})
	return nil
}

// emergency is the one that concerns a conversation.
func (t *turn) emergency(c db.Conversation) (db.Emergency, bool) {
	for _, e := range *t.router.emergencies.Load() {
		if e.EndedAt != nil {
			continue
		}
		if e.SkillGroup == burst.Brand || e.SkillGroup == t.goesTo(c) {
			return e, true
		}
	}
	return db.Emergency{}, false
}

// goesTo is the group of a conversation, or the one that it would be given to now.
func (t *turn) goesTo(c db.Conversation) string {
	if c.State != store.StateBot {
		return c.SkillGroup
	}
	return t.snapshot.Route(t.channel, t.intake.Contact(t.who()).SessionFrom, t.in.Content.Text, c.Topic).Group
}

// banner is who was told of which emergency.
type banner struct {
	emergency    int64
	conversation uuid.UUID
}

// bannered remembers who was told, so that their next messages cost no statement. The database knows of the others.
type bannered struct {
	mu   sync.Mutex
	told map[banner]struct{}
}

func (b *bannered) has(who banner) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, told := b.told[who]
	return told
}

// add notes who was told by a transaction that is committed.
func (b *bannered) add(who []banner) {
	if len(who) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told == nil {
		b.told = map[banner]struct{}{}
	}
	for _, one := range who {
		b.told[one] = struct{}{}
	}
}

// keep forgets who was told of emergencies that are over.
func (b *bannered) keep(on map[int64]bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for one := range b.told {
		if !on[one.emergency] {
			delete(b.told, one)
		}
	}
}
