//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	enumspb "go.temporal.io/api/enums/v1"
	temporalclient "go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	// casesAScript times the number of scripts are open at once.
	casesAScript = 12
	// movesAtOnce are as many as some agents make.
	movesAtOnce = 8
	// struckFor is until when workers are killed: all deadlines and some of what follows lie within.
	struckFor = 60 * time.Second
	// caseOutage is how long a server is away, twice; caseOutageAfter is how long it was there before. So one of them begins before
	// anything is due, and reminders, breaches and rungs are overdue when it is back.
	caseOutage      = 15 * time.Second
	caseOutageAfter = 5 * time.Second
)

// caseTrial is one fault while cases are open.
type caseTrial struct {
	*stack
	t         *testing.T
	db        *pgxpool.Pool
	workflows temporalclient.Client
	provider  *provider
	prefix    string
	players   []*player
	kills     int
}

// TestFaultsOfCases plays the same cases without a fault and with each: killed workers, Temporal and Postgres away while timers
// are pending. Every case must come to the same end, each deadline be kept once, and money move once.
func TestFaultsOfCases(t *testing.T) {
	s := open(t)
	db, err := pgxpool.New(t.Context(), s.env["DATABASE_URL"])
	must(t, err)
	t.Cleanup(db.Close)
	s.staffed(t)
	trials := &caseTrial{stack: s, db: db, workflows: s.temporal(t), provider: openProvider(t, s)}
	change(t, s.kube, levelName, &v1alpha1.ServiceLevel{}, quickly)
	var wanted map[string]caseEnd
	var outcomes []caseOutcome
	for _, fault := range []struct {
		name string
		// strike goes on while the cases are open, until it is done or ctx ends.
		strike func(*caseTrial, context.Context) error
	}{
		{"none", func(*caseTrial, context.Context) error { return nil }},
		{"workers killed", (*caseTrial).killWorkers},
		{"Temporal killed", func(r *caseTrial, ctx context.Context) error { return r.killServer(ctx, "temporal") }},
		{"Postgres killed", func(r *caseTrial, ctx context.Context) error { return r.killServer(ctx, "postgres") }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			one := *trials
			one.t, one.prefix = t, fmt.Sprintf("o-%s-%s-", s.run, strings.ReplaceAll(fault.name, " ", "-"))
			before, _ := one.provider.called()
			took := one.play(fault.strike)
			ends := one.ends()
			if wanted == nil {
				wanted = map[string]caseEnd{}
				for _, end := range ends {
					wanted[end.Script] = end
				}
			}
			calls, wrong := one.provider.called()
			result := caseOutcome{Fault: fault.name, Kills: one.kills, Calls: calls - before, Took: took, Cases: auditCases(wanted, ends)}
			outcomes = append(outcomes, result)
			for _, finding := range slices.Concat(result.Cases.Findings, wrong) {
				t.Log(finding)
			}
			if result.Cases.failed() || len(wrong) > 0 || len(ends) != len(one.players) {
				t.Error("cases got lost or came to another end, or something was done or said twice or never")
			}
		})
	}
	if t.Failed() {
		t.Logf("what cases come to without a fault: %s", describe(wanted))
	}
	report(t, s, casesHeading, aboutCases, outcomes)
}

// play opens the cases, has the fault strike, and makes every move. It returns how long that took.
func (r *caseTrial) play(strike func(*caseTrial, context.Context) error) time.Duration {
	t := r.t
	r.kube.fresh(t)
	r.clearDesk(t)
	cleanly(t, r.cleared)
	r.meet()
	began := time.Now()
	must(t, r.each(t.Context(), func(ctx context.Context, p *player) error {
		return p.script.open(ctx, r, p)
	}))
	t.Logf("%d cases were opened within %s", len(r.players), time.Since(began).Round(digits))
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	struck := make(chan error, 1)
	go func() { struck <- strike(r, ctx) }()
	left, ok := watch(ctx, drainLimit, r.goOn, func(left []string) bool { return len(left) == 0 })
	cancel()
	if err := <-struck; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("striking: %v", err)
	}
	if !ok {
		// The counts say what is lacking.
		t.Errorf("after %s still open: %s", drainLimit, left)
	}
	took := time.Since(began)
	r.podsReady(t)
	if seen, ok := watch(t.Context(), recovery, r.underWay, func(n int) bool { return n == 0 }); !ok {
		t.Errorf("still under way: %s", seen)
	}
	return took
}

// meet has every customer write, and waits until the agent has the conversations.
func (r *caseTrial) meet() {
	t := r.t
	for _, script := range caseScripts() {
		for n := range casesAScript {
			c := r.app.customer(fmt.Sprintf("%s%s-%d", r.prefix, script.name, n))
			r.players = append(r.players, &player{script: script, customer: c, number: strings.ToUpper(strings.ReplaceAll(c.openid, "-", "")), key: uuid.New()})
		}
	}
	must(t, r.each(t.Context(), func(ctx context.Context, p *player) error {
		_, err := p.customer.send(ctx, map[string]any{"content": p.script.writes})
		return err
	}))
	mine := await(t, "the agent has every conversation", drainLimit, r.agent.mine, func(all []conversation) bool { return len(all) == len(r.players) })
	for _, p := range r.players {
		i := slices.IndexFunc(mine, func(c conversation) bool { return c.Customer == p.customer.openid })
		if i < 0 {
			t.Fatalf("the agent does not have the conversation of %s", p.customer.openid)
		}
		p.conversation = mine[i].ID
	}
}

// each does something for every player, some at once.
func (r *caseTrial) each(ctx context.Context, f func(context.Context, *player) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(movesAtOnce)
	for _, p := range r.players {
		group.Go(func() error { return f(ctx, p) })
	}
	return group.Wait()
}

// stands is where a case stands.
type stands struct {
	id, customer, state string
	closed, late        bool
	// states and steps are what happened to it.
	states, steps []string
}

// open says whether the move can be made.
func (m *move) open(s stands) bool {
	if s.closed || s.state != m.state {
		return false
	}
	if m.after == "enter" {
		// Each state is entered once; what follows a state goes by a higher number.
		return slices.ContainsFunc(s.steps, func(step string) bool { return step == fmt.Sprintf("enter/%d", s.step()) })
	}
	return slices.Contains(s.steps, m.after)
}

// step is the number of the state that it is in.
func (s *stands) step() int { return len(slices.Compact(slices.Clone(s.states))) - 1 }

// cases returns where this trial's cases stand.
func (r *caseTrial) cases(ctx context.Context) ([]stands, error) {
	rows, err := r.db.Query(ctx, `SELECT c.id, c.external_id, c.state, c.closed_at IS NOT NULL, c.breached_at IS NOT NULL,
			array_agg(e.state ORDER BY e.revision), array_agg(e.step ORDER BY e.revision)
		FROM service_case c JOIN service_case_event e ON e.case_id = c.id WHERE starts_with(c.external_id, $1)
		GROUP BY c.id ORDER BY c.external_id, c.id`, r.prefix)
	if err != nil {
		return nil, fmt.Errorf("reading cases: %w", err)
	}
	defer rows.Close()
	var all []stands
	for rows.Next() {
		var s stands
		if err := rows.Scan(&s.id, &s.customer, &s.state, &s.closed, &s.late, &s.states, &s.steps); err != nil {
			return nil, fmt.Errorf("reading cases: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// goOn makes the moves that can be made, and returns which cases have not come to their end.
func (r *caseTrial) goOn(ctx context.Context) ([]string, error) {
	all, err := r.cases(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]stands{}
	for _, one := range all {
		of[one.customer] = one
	}
	var mu sync.Mutex
	var left []string
	err = r.each(ctx, func(ctx context.Context, p *player) error {
		now := of[p.customer.openid]
		if p.made < len(p.script.moves) && p.script.moves[p.made].open(now) {
			if err := r.make(ctx, p, now.id); err != nil {
				return err
			}
		}
		if p.ended = p.ended || now.closed && r.completed(ctx, now.id); !p.ended {
			mu.Lock()
			defer mu.Unlock()
			left = append(left, p.customer.openid+" "+now.state)
		}
		return nil
	})
	slices.Sort(left)
	return left, err
}

// make makes a player's next move. What nobody answers is tried again with the same key; what is refused is the product's fault.
func (r *caseTrial) make(ctx context.Context, p *player, id string) error {
	err := p.script.moves[p.made].make(ctx, r, p, id)
	if err == nil {
		p.made, p.key = p.made+1, uuid.New()
		return nil
	}
	if refused, ok := errors.AsType[*statusError](err); ok && refused.status < http.StatusInternalServerError {
		return fmt.Errorf("move %d of %s: %w", p.made+1, p.customer.openid, err)
	}
	return nil
}

// completed says whether the workflow of a case has come to its end.
func (r *caseTrial) completed(ctx context.Context, id string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	described, err := r.workflows.DescribeWorkflowExecution(ctx, id, "")
	return err == nil && described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
}

// underWay counts what waits in the outbox, and at the connectors for this trial's customers.
func (r *caseTrial) underWay(ctx context.Context) (int, error) {
	return (&trial{stack: r.stack, db: r.db, prefix: r.prefix}).underWay(ctx)
}

// killWorkers ends the worker with SIGKILL as soon as it runs, again and again. Its pod is replaced each time: Kubernetes lets
// what crashes often wait for minutes.
func (r *caseTrial) killWorkers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, struckFor)
	defer cancel()
	ticker := time.NewTicker(killEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := r.killWorker(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
}

func (r *caseTrial) killWorker(ctx context.Context) error {
	pods, err := r.kube.pods(ctx)
	if err != nil {
		return err
	}
	for i := range pods {
		if pods[i].Labels["app.kubernetes.io/component"] != "workflows" {
			continue
		}
		n, err := victims{[]string{string(pods[i].UID)}}.kill("workflows")
		if err != nil {
			return err
		}
		if n == 0 {
			continue // It does not run yet.
		}
		r.kills += n
		if err := client.IgnoreNotFound(r.kube.Delete(ctx, &pods[i], client.GracePeriodSeconds(0))); err != nil {
			return fmt.Errorf("replacing a worker's pod: %w", err)
		}
	}
	return nil
}

// killServer ends a server with SIGKILL and starts it again, twice.
func (r *caseTrial) killServer(ctx context.Context, name string) error {
	for range 2 {
		if !passing(ctx, caseOutageAfter) {
			return ctx.Err()
		}
		if err := r.program(ctx, "local", "stop", name); err != nil {
			return err
		}
		r.kills++
		passing(ctx, caseOutage)
		// Starting what runs is harmless; leaving it away is not.
		if err := r.program(context.WithoutCancel(ctx), "local", "start", name); err != nil {
			return err
		}
	}
	return nil
}

// passing lets time go by; false where ctx has ended before.
func passing(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ends are what this trial's cases came to.
func (r *caseTrial) ends() []caseEnd {
	t := r.t
	all, err := r.cases(t.Context())
	must(t, err)
	news, err := r.news(t.Context())
	must(t, err)
	ends := make([]caseEnd, len(all))
	for i, one := range all {
		p := r.players[slices.IndexFunc(r.players, func(p *player) bool { return p.customer.openid == one.customer })]
		lines, err := p.customer.received(t.Context())
		must(t, err)
		read := map[string]int{}
		for _, l := range lines {
			read[l.Text]++
		}
		ends[i] = caseEnd{
			Customer: one.customer, Script: p.script.name, Ended: one.closed && r.completed(t.Context(), one.id), Late: one.late,
			States: slices.Compact(one.states), Steps: stepsAlike(one.steps), Told: news[one.id], Moved: r.provider.did(one.id), Read: read,
		}
	}
	return ends
}

// news counts what agents' desks were told of each case, by agent and step.
func (r *caseTrial) news(ctx context.Context) (map[string]map[string]int, error) {
	rows, err := r.db.Query(ctx, `SELECT c.id, f.agent, e.step FROM frame f
			JOIN service_case c ON c.id = f.payload->>'id' AND starts_with(c.external_id, $1)
			JOIN service_case_event e ON e.case_id = c.id AND e.revision = (f.payload->>'revision')::int
		WHERE f.kind = 'case' AND NOT starts_with(e.step, $2)
		UNION ALL
		SELECT c.id, f.agent, 'complaint' FROM frame f JOIN service_case c ON c.id = f.payload->>'id' AND starts_with(c.external_id, $1)
		WHERE f.kind = 'complaint'`, r.prefix, toldStep)
	if err != nil {
		return nil, fmt.Errorf("reading frames: %w", err)
	}
	defer rows.Close()
	news := map[string]map[string]int{}
	for rows.Next() {
		var id, agent, step string
		if err := rows.Scan(&id, &agent, &step); err != nil {
			return nil, fmt.Errorf("reading frames: %w", err)
		}
		if news[id] == nil {
			news[id] = map[string]int{}
		}
		news[id][agent+" "+ownParts.ReplaceAllString(step, "*")]++
	}
	return news, rows.Err()
}
