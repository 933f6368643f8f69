package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/keys"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/workers/workflows/task"
)

const (
	namespace = "bench-lumi"
	source    = "/bench/lumi/bench"
	events    = "events"
)

// product is a brand's database, its outbox relay and its workflow worker, in this process.
type product struct {
	store  *store.Store
	relay  *outbox.Relay
	client client.Client
	stop   context.CancelFunc
	group  *errgroup.Group
}

// startProduct sets up a brand as the setup Job does, and runs what its router and its workflow worker do with cases.
func startProduct(ctx context.Context, s *servers) (*product, error) {
	if err := store.Migrate(ctx, s.postgres, ""); err != nil {
		return nil, err
	}
	dial := temporal.Options{Address: s.temporal, Namespace: namespace, Owner: "bench/lumi", Logger: slog.New(slog.DiscardHandler)}
	if err := temporal.EnsureNamespace(ctx, dial, temporal.Retention); err != nil {
		return nil, err
	}
	database, err := store.Open(ctx, s.postgres)
	if err != nil {
		return nil, err
	}
	if err := keys.Ensure(ctx, database, keys.Wrapping{}); err != nil {
		return nil, err
	}
	if dial.Keys, err = keys.Load(ctx, database, keys.Wrapping{}); err != nil {
		return nil, err
	}
	c, err := temporal.Dial(dial)
	if err != nil {
		return nil, err
	}
	p := &product{store: database, client: c}
	p.relay = outbox.New(outbox.Config{
		Store: database, Publisher: nobody{}, Workflows: c, TaskQueue: temporal.TaskQueue, Source: source,
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Now: time.Now,
	})
	activities := &task.Activities{
		Store: database, Directory: people{}, Events: events, Source: source, Now: time.Now,
		Logger: slog.New(slog.DiscardHandler), Metrics: task.NewMetrics(prometheus.NewRegistry()),
	}
	running := temporal.NewWorker(c, slog.New(slog.DiscardHandler), func(r worker.Registry) { task.Register(r, activities) })
	ctx, p.stop = context.WithCancel(ctx)
	p.group, ctx = errgroup.WithContext(ctx)
	p.group.Go(func() error { return p.relay.Run(ctx) })
	p.group.Go(func() error { return running.Run(ctx) })
	return p, nil
}

func (p *product) end() error {
	p.stop()
	err := p.group.Wait()
	p.client.Close()
	p.store.Close()
	return err
}

// do runs a transaction as the desk does.
func (p *product) do(ctx context.Context, f func(context.Context, *store.Unit) error) error {
	return p.store.Do(ctx, store.Scope{Events: events, Source: source, Now: time.Now().UTC(), Relay: p.relay}, f)
}

// owe opens a case of an agent who has promised something until then.
func (p *product) owe(ctx context.Context, id, owner string, due time.Time) error {
	return p.do(ctx, func(ctx context.Context, u *store.Unit) error {
		_, fresh, err := u.OpenCase(ctx, store.Case{
			ID: id, Kind: promise.CasePromise, State: string(promise.TaskOpen), Owner: owner, SkillGroup: "after-sales", OpenedAt: u.Now, Due: &due,
		}, store.Taking{Step: "open", Actor: owner})
		if err != nil || !fresh {
			return err
		}
		return u.StartWorkflow(ctx, id, promise.TaskWorkflow, promise.TaskInput{
			ID: id, Kind: promise.CasePromise, Channel: "shop", Customer: "o-bench", SkillGroup: "after-sales", Owner: owner, StartedAt: u.Now, Due: due,
		})
	})
}

// keep ends it, as the agent who has done what they promised.
func (p *product) keep(ctx context.Context, id, owner string) error {
	return p.do(ctx, func(ctx context.Context, u *store.Unit) error {
		_, _, err := u.ChangeCase(ctx, id, store.Taking{Step: "end", Actor: owner}, func(c *store.Case) error {
			c.State, c.ClosedAt, c.Due = string(promise.TaskDone), &u.Now, nil
			return nil
		})
		if err != nil {
			return err
		}
		return u.SignalWorkflow(ctx, id, promise.SignalTaskEnd, promise.TaskEnd{By: owner, State: promise.TaskDone})
	})
}

// turn takes n cases from their start to their end.
func (p *product) turn(ctx context.Context, turn string, n int) (taken, error) {
	began := time.Now()
	id := func(i int) string { return fmt.Sprintf("task/%s/%d", turn, i) }
	if err := errors.Join(
		each(n, func(i int) error { return p.owe(ctx, id(i), agent(i), time.Now().Add(time.Hour).UTC()) }),
		p.sent(ctx),
	); err != nil {
		return taken{}, err
	}
	started := time.Since(began)
	err := errors.Join(
		each(n, func(i int) error { return p.keep(ctx, id(i), agent(i)) }),
		p.sent(ctx),
		each(n, func(i int) error { return p.client.GetWorkflow(ctx, id(i), "").Get(ctx, nil) }),
	)
	return taken{n, started, time.Since(began)}, err
}

// sent waits until the relay has handed over what was committed.
func (p *product) sent(ctx context.Context) error {
	return await(ctx, 20*time.Millisecond, func() (bool, error) {
		depths, err := p.store.Queries().OutboxDepth(ctx)
		return len(depths) == 0, err
	})
}

// late is how many deadlines of a turn were marked as missed.
func (p *product) late(ctx context.Context, turn string) (count int, err error) {
	err = p.store.Pool().QueryRow(ctx, "SELECT count(*) FROM service_case WHERE id LIKE 'task/' || $1 || '/%' AND breached_at IS NOT NULL", turn).Scan(&count)
	return count, err
}

// lags is how long after they were due the deadlines of a turn were marked, in order.
func (p *product) lags(ctx context.Context, turn string) ([]time.Duration, error) {
	rows, err := p.store.Pool().Query(ctx, "SELECT breached_at - due_at FROM service_case WHERE id LIKE 'task/' || $1 || '/%' ORDER BY 1", turn)
	if err != nil {
		return nil, fmt.Errorf("reading when deadlines were marked: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[time.Duration])
}

// nobody takes the frames of desks.
type nobody struct{}

func (nobody) Publish(context.Context, string, ...message.Envelope) error { return nil }

// agent is whose a case is: as many agents are at work as calls are under way at once, for nobody does two things at a time.
func agent(i int) string { return fmt.Sprintf("agent-%02d", i%parallel) }

// people is a brand with its agents and one supervisor.
type people struct{}

func (people) Agents(string) []string { return []string{"laozhang"} }

func (people) GroupAgents(string) []string {
	agents := make([]string, parallel)
	for i := range agents {
		agents[i] = agent(i)
	}
	return agents
}

func (people) Supervisors(string) []string { return []string{"laozhang"} }

func (people) Opening(string, time.Time, time.Time) (time.Time, bool) { return time.Time{}, false }

func (people) OutboundTopic(string) (string, bool) { return "", false }
