// Package desk is the agents' workbench: an HTTP API, a WebSocket that brings each agent their news, and a web page.
//
// What an agent does is one transaction with outbox rows, like the router's; the package itself sends nothing to Kafka and
// nothing to Temporal. It routes nothing either: it only gives the next waiting conversation to whoever became free.
//
// Invariants:
//   - No token, no data: every path under /api but the sign-in wants an Agent's trial token or a session made from it, and
//     a session dies with its token and with its Agent. Under /forms a signed link lets one customer open one case, shows it
//     as long as it is kept, and takes what customers may do with it; under /api/provider counts what the Brand's provider has signed, and nothing else.
//   - An agent sees the conversations of their groups and those that they serve; what they may not see does not exist (404).
//   - A socket sends the frames of its agent in order, each once, without a gap: Kafka brings them quickly, Postgres
//     whatever Kafka did not bring. A stored frame shows what the agent may see now, not what they once might.
//   - Another site may ask for nothing, but Temporal's web UI for what an admin sees of Temporal's payloads.
//   - Nothing that a customer wrote is ever markup: the page shows it as text, files are sent with a type of ours.
package desk

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/bus"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outcall"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	// checkInterval bounds how long a frame that Kafka did not bring, or a session that ended, stays unnoticed.
	checkInterval  = 3 * time.Second
	upkeepInterval = time.Hour
	// uploadsKept is how long a picture that nobody sent is kept, piecesKept how long what came of a video.
	uploadsKept = 24 * time.Hour
	piecesKept  = time.Hour
	// checkTimeout bounds what is asked of Postgres in one round, stuckAfter is when a round that did not end says that the
	// process is beyond help.
	checkTimeout = 10 * time.Second
	stuckAfter   = 2 * time.Minute
	// absentAfter is when an agent of whom nothing is heard goes off duty; seenInterval is how often it is noted that
	// something was.
	absentAfter  = 5 * time.Minute
	seenInterval = 30 * time.Second
)

// Config is what a Desk works with.
type Config struct {
	Cluster bus.Cluster
	Names   bus.Names
	Store   *store.Store
	// Catalog is followed by somebody else.
	Catalog *catalog.Catalog
	// Payloads decrypt what Temporal keeps, for admins; nil shows it to nobody.
	Payloads converter.PayloadCodec
	// TemporalUI is the origin of Temporal's web UI, whose page may have payloads decrypted; empty for none.
	TemporalUI string
	// Provider holds the key by which the Brand's provider signs what it tells the desk, and the desk what it asks about orders; of
	// ProviderHosts alone, with a port if it is not 443.
	Provider      outcall.Files
	ProviderHosts []string
	Now           func() time.Time
	Logger        *slog.Logger
	Metrics       *Metrics
}

// Desk is one replica of the workbench.
type Desk struct {
	Config
	hub      *hub
	failures *failureLimit
	typing   *recently[uuid.UUID]
	seen     *recently[string]
	known    *agentSet
	readers  *agentSet
	// onDuty holds the names of the Agents on duty, as Postgres had them a round ago; nil when it could not be asked.
	onDuty atomic.Pointer[[]string]
	// shown and taken are the memory of files on their way out and in, exported that of conversations that are taken out.
	shown, taken, exported *budget
	// forms is the page of customers' forms, formKey signs the links to them, formed is the memory of their files on their way in. handedIn and
	// filling keep one customer, to whom the bot gives as many links as they ask for, from taking it from all others.
	forms    *template.Template
	formKey  formKey
	formed   *budget
	handedIn *recently[formlink.Customer]
	filling  *exclusive[formlink.Customer]
	tracer   trace.Tracer
	handler  http.Handler
	// hearing says that every event from now on is heard, beat is when the last round began.
	hearing atomic.Bool
	beat    atomic.Int64
}

// New returns a Desk; Handler serves it and Run keeps it supplied.
func New(config Config) (*Desk, error) {
	d := &Desk{
		Config: config, hub: newHub(), failures: newFailureLimit(config.Now),
		typing: newRecently[uuid.UUID](typingInterval, config.Now), seen: newRecently[string](seenInterval, config.Now),
		known: newAgentSet(), readers: newAgentSet(), shown: newBudget(maxShown), taken: newBudget(maxTaken), exported: newBudget(maxExported),
		formed:   newBudget(maxForms),
		handedIn: newRecently[formlink.Customer](formInterval, config.Now), filling: newExclusive[formlink.Customer](), tracer: otel.Tracer("yingda/desk"),
	}
	page, err := newPage()
	if err != nil {
		return nil, err
	}
	if d.forms, err = newForms(); err != nil {
		return nil, err
	}
	d.handler = d.middleware(d.routes(page))
	config.Catalog.Subscribe(func(s *catalog.Snapshot) {
		d.hub.endWhere(func(p *principal) bool { return !p.holdsIn(s) }, endSignedOut)
		d.hub.endWhere(func(p *principal) bool { return !p.seesTheSameIn(s) }, endChanged)
	})
	return d, nil
}

// Handler serves the API, the WebSocket and the page.
func (d *Desk) Handler() http.Handler { return d.handler }

// SignedInAgents are the names of the Agents who have come to the desk at least once.
func (d *Desk) SignedInAgents() []string { return d.known.names() }

// OnDutyAgents are the names of the Agents who are on duty, at any replica of the desk; nil when nobody can say.
func (d *Desk) OnDutyAgents() []string {
	if names := d.onDuty.Load(); names != nil {
		return *names
	}
	return nil
}

// Ready says whether the desk can serve: it hears events, and Postgres answers. Kafka may go away later: the checks bring
// what it does not.
func (d *Desk) Ready(ctx context.Context) error {
	if !d.hearing.Load() {
		return errors.New("the events are not read yet")
	}
	return d.Store.Ping(ctx)
}

// Alive says whether the rounds still come.
func (d *Desk) Alive() error {
	if beat := d.beat.Load(); beat != 0 && d.Now().Sub(time.Unix(0, beat)) > stuckAfter {
		return fmt.Errorf("no check has ended for %s", stuckAfter)
	}
	return nil
}

// Run brings frames to the sockets until ctx ends; then it closes all sockets and waits for them.
func (d *Desk) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := bus.Tail(ctx, d.Cluster, d.Names.Events(), d.Logger, func() { d.hearing.Store(true) },
			func(e message.Envelope) { d.hear(ctx, e) })
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("reading the events: %w", err)
		}
		return nil
	})
	group.Go(func() error { d.tick(ctx); return nil })
	group.Go(func() error {
		<-ctx.Done()
		d.hub.shut()
		return nil
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("running the desk: %w", err)
	}
	return nil
}

// tick looks after sockets and sessions until ctx ends.
func (d *Desk) tick(ctx context.Context) {
	checks, upkeep := time.NewTicker(checkInterval), time.NewTicker(upkeepInterval)
	defer checks.Stop()
	defer upkeep.Stop()
	d.learn(ctx)
	for {
		d.beat.Store(d.Now().UnixNano())
		select {
		case <-ctx.Done():
			return
		case <-checks.C:
			d.round(ctx)
		case <-upkeep.C:
			d.upkeep(ctx)
		}
	}
}

func (d *Desk) round(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := d.check(within); err != nil && ctx.Err() == nil {
		d.Logger.Warn("Looking after the sockets failed, trying again", "error", err)
	}
	if err := d.relieve(within); err != nil && ctx.Err() == nil {
		d.Logger.Warn("Taking absent agents off duty failed, trying again", "error", err)
	}
	d.learn(within)
}

// check tells every socket how far its agent's feed has come, whatever Kafka brought, and ends those whose session is over.
func (d *Desk) check(ctx context.Context) error {
	agents, sessions := d.hub.present()
	if len(agents) == 0 {
		return nil
	}
	if err := d.notice(ctx, agents...); err != nil {
		return err
	}
	heads, err := d.Store.Queries().FeedHeads(ctx, agents)
	if err != nil {
		return fmt.Errorf("reading the heads of the feeds: %w", err)
	}
	for _, head := range heads {
		d.hub.announce(head.Agent, head.Seq)
	}
	if len(sessions) == 0 {
		return nil
	}
	alive, err := d.Store.Queries().SessionsAlive(ctx, sessions, d.Now())
	if err != nil {
		return fmt.Errorf("reading the sessions: %w", err)
	}
	lives := make(map[string]bool, len(alive))
	for _, token := range alive {
		lives[string(token)] = true
	}
	asked := make(map[string]bool, len(sessions))
	for _, token := range sessions {
		asked[string(token)] = true
	}
	// A socket that came after the question was not asked about.
	d.hub.endWhere(func(p *principal) bool {
		return p.session != nil && asked[string(p.session)] && !lives[string(p.session)]
	}, endSignedOut)
	return nil
}

// notice notes that agents were seen, for all replicas.
func (d *Desk) notice(ctx context.Context, agents ...string) error {
	agents = slices.DeleteFunc(slices.Clone(agents), func(agent string) bool { return !d.seen.first(agent) })
	if len(agents) == 0 {
		return nil
	}
	now := d.Now().UTC()
	if err := d.Store.Queries().PresenceSeen(ctx, now, agents, now.Add(-seenInterval)); err != nil {
		return fmt.Errorf("noting who was seen: %w", err)
	}
	return nil
}

// relieve takes off duty who is gone: without a socket or a call anywhere for a while, or no Agent any more.
func (d *Desk) relieve(ctx context.Context) error {
	snapshot := d.Catalog.Snapshot()
	if snapshot.Brand == nil {
		// Nothing was read yet.
		return nil
	}
	names := []string{}
	for _, agent := range snapshot.Agents() {
		names = append(names, agent.Name)
	}
	now := d.Now().UTC()
	count, err := d.Store.Queries().PresenceExpire(ctx, now, now.Add(-absentAfter), names)
	if err != nil {
		return fmt.Errorf("taking absent agents off duty: %w", err)
	}
	if count > 0 {
		d.Logger.Info("Took absent agents off duty", "count", count)
	}
	return nil
}

// learn reads who has come to any replica of the desk, and who is on duty.
func (d *Desk) learn(ctx context.Context) {
	rows, err := d.Store.Queries().PresenceAgents(ctx)
	if err != nil {
		d.onDuty.Store(nil)
		if ctx.Err() == nil {
			d.Logger.Warn("Cannot read who has signed in", "error", err)
		}
		return
	}
	onDuty := []string{}
	for _, row := range rows {
		d.known.add(row.Agent)
		if row.OnDuty {
			onDuty = append(onDuty, row.Agent)
		}
	}
	d.onDuty.Store(&onDuty)
}

func (d *Desk) upkeep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	now, queries := d.Now().UTC(), d.Store.Queries()
	if _, err := queries.SessionsPrune(ctx, now); err != nil && ctx.Err() == nil {
		d.Logger.Warn("Cannot delete sessions that are over", "error", err)
	}
	if _, err := queries.UploadsPrune(ctx, now.Add(-uploadsKept)); err != nil && ctx.Err() == nil {
		d.Logger.Warn("Cannot delete pictures that nobody sent", "error", err)
	}
	if err := queries.PiecesPrune(ctx, now.Add(-piecesKept)); err != nil && ctx.Err() == nil {
		d.Logger.Warn("Cannot delete what came of videos", "error", err)
	}
}

// scope is the surroundings of a unit that starts now.
func (d *Desk) scope() store.Scope {
	return store.Scope{
		Events: d.Names.Events(),
		Source: fmt.Sprintf("/%s/%s/desk", d.Names.Namespace, d.Names.Brand),
		Now:    d.Now().UTC(),
	}
}
