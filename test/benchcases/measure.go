package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/temporal"
)

// settle is added to the time that starts are expected to take, before the first deadline.
const settle = 15 * time.Second

// measured is what a run found.
type measured struct {
	options
	// steps and tasks are those of one case's history.
	steps []string
	tasks int
	// floor and product are the turns at cases, rates of cases a second.
	floor, product []float64
	// slowest is how long one start took where they took longest.
	slowest time.Duration
	// lags are those of deadlines spread over time, in order.
	lags []time.Duration
	// floorBurst and productBurst are how long after one common time everything was handled.
	floorBurst, productBurst time.Duration
}

func run(ctx context.Context, o options) (err error) {
	s, err := startServers(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	p, err := startProduct(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.end()) }()
	floor, err := startFloor(p.client, temporal.WorkerOptions())
	if err != nil {
		return err
	}
	defer floor.Stop()
	m := &measured{options: o}
	if err := m.throughput(ctx, p); err != nil {
		return err
	}
	if o.deadlines > 0 {
		if err := errors.Join(m.spreadOut(ctx, p), m.burst(ctx, p)); err != nil {
			return err
		}
	}
	return m.write()
}

// throughput lets floor and product take turns at cases.
func (m *measured) throughput(ctx context.Context, p *product) error {
	warm, err := p.turn(ctx, "warm", parallel)
	if err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	progress("warm after %s", warm.whole.Round(time.Millisecond))
	if m.steps, m.tasks, err = script(ctx, p.client, "task/warm/0"); err != nil {
		return err
	}
	if _, err := floorTurn(ctx, p.client, "warm", m.steps, parallel); err != nil {
		return fmt.Errorf("warming the floor up: %w", err)
	}
	for round := range m.rounds {
		turn := fmt.Sprintf("round-%d", round)
		floor, err := floorTurn(ctx, p.client, turn, m.steps, m.cases)
		if err != nil {
			return fmt.Errorf("measuring the floor: %w", err)
		}
		product, err := p.turn(ctx, turn, m.cases)
		if err != nil {
			return fmt.Errorf("measuring the product: %w", err)
		}
		m.floor, m.product = append(m.floor, floor.rate()), append(m.product, product.rate())
		m.slowest = max(m.slowest, floor.started/time.Duration(floor.n), product.started/time.Duration(product.n))
		progress("round %d: floor %.1f cases/s, product %.1f (started in %s and %s)", round+1, floor.rate(), product.rate(),
			floor.started.Round(time.Millisecond), product.started.Round(time.Millisecond))
	}
	return nil
}

// starting is how long so many starts take, with room to spare.
func (m *measured) starting(n int) time.Duration {
	return 2*time.Duration(n)*m.slowest + settle
}

// open opens n cases, which are due from then on, as far apart.
func (m *measured) open(ctx context.Context, p *product, turn string, apart time.Duration) (due time.Time, err error) {
	due = time.Now().Add(m.starting(m.deadlines)).UTC().Truncate(time.Millisecond)
	err = errors.Join(
		each(m.deadlines, func(i int) error {
			return p.owe(ctx, fmt.Sprintf("task/%s/%d", turn, i), agent(i), due.Add(time.Duration(i)*apart))
		}),
		p.sent(ctx),
	)
	if err == nil && time.Until(due) <= 0 {
		err = errors.New("cases were due before all of them ran: allow more time to start them")
	}
	progress("%d cases are open, the first is due in %s", m.deadlines, time.Until(due).Round(time.Second))
	return due, err
}

// marked waits until every deadline of a turn was marked as missed. It counts them all each time, so it does not ask often: the
// database is to be busy with cases.
func (m *measured) marked(ctx context.Context, p *product, turn string) error {
	return await(ctx, time.Second, func() (bool, error) {
		late, err := p.late(ctx, turn)
		return late == m.deadlines, err
	})
}

// spreadOut measures how late deadlines are handled that are due one after the other.
func (m *measured) spreadOut(ctx context.Context, p *product) error {
	if _, err := m.open(ctx, p, "spread", m.spread/time.Duration(m.deadlines)); err != nil {
		return err
	}
	if err := m.marked(ctx, p, "spread"); err != nil {
		return err
	}
	var err error
	m.lags, err = p.lags(ctx, "spread")
	progress("spread: p99 lag %s", m.lags[len(m.lags)*99/100].Round(time.Millisecond))
	return err
}

// burst measures how long it takes to handle deadlines that are due at once, and as many plain timers.
func (m *measured) burst(ctx context.Context, p *product) error {
	var err error
	m.floorBurst, err = floorDeadlines(ctx, p.client, "burst", time.Now().Add(m.starting(m.deadlines)), m.deadlines)
	if err != nil {
		return err
	}
	due, err := m.open(ctx, p, "burst", 0)
	if err != nil {
		return err
	}
	if err := m.marked(ctx, p, "burst"); err != nil {
		return err
	}
	m.productBurst = time.Since(due)
	progress("burst: floor %s, product %s", m.floorBurst.Round(time.Millisecond), m.productBurst.Round(time.Millisecond))
	return nil
}
