//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

const (
	loadLength    = 60 * time.Second
	loadCustomers = 50
	loadPerSecond = 100
	// outage is how long a server stays away, from outageAfter into the load.
	outage      = 30 * time.Second
	outageAfter = 10 * time.Second
	// killEvery spreads the kills over the load, component after component.
	killEvery = 5 * time.Second
	// slowAnswer is how long the platform takes to say that it has sent a reply, so that crashes find some under way.
	slowAnswer = 500 * time.Millisecond
	// drainLimit is how long the simulator may retry, crashed pods may back off and the backlog may take.
	drainLimit = 5 * time.Minute
)

// trial is one fault under load.
type trial struct {
	*stack
	t      *testing.T
	db     *pgxpool.Pool
	prefix string
	kills  int
}

// TestFaults breaks what the product runs on while customers write and an agent answers, and counts every message.
// E2E_REPORT names a file, relative to the root of the checkout, for the counts as Markdown.
func TestFaults(t *testing.T) {
	s := open(t)
	db, err := pgxpool.New(t.Context(), s.env["DATABASE_URL"])
	must(t, err)
	t.Cleanup(db.Close)
	s.staffed(t)
	var outcomes []outcome
	for _, fault := range []struct {
		name string
		// strike runs while the load does.
		strike func(*trial)
	}{
		{"kills", (*trial).killAll},
		{"kills without the operator", (*trial).killWithoutOperator},
		{"kafka away", (*trial).kafkaAway},
		{"apiserver away", (*trial).apiServerAway},
	} {
		t.Run(fault.name, func(t *testing.T) {
			one := &trial{stack: s, t: t, db: db}
			result := one.play(fault.name, fault.strike)
			outcomes = append(outcomes, result)
			for _, finding := range slices.Concat(result.Messages.Findings, result.Replies.Findings) {
				t.Log(finding)
			}
			if result.failed() {
				t.Error("messages or replies got lost, doubled or out of order")
			}
		})
	}
	report(t, s, messagesHeading, aboutMessages, outcomes)
}

// report prints the outcomes, and writes them into their chapter of the file that E2E_REPORT names.
func report[L tableLine](t *testing.T, s *stack, heading, about string, outcomes []L) {
	t.Helper()
	var table strings.Builder
	must(t, printTable(&table, outcomes))
	t.Logf("broker %s\n%s", s.env["KAFKA"], &table)
	file := os.Getenv("E2E_REPORT")
	if file == "" {
		return
	}
	file = filepath.Join(s.root, file)
	before, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	chapter := markdown(heading, s.env["KAFKA"], about, outcomes)
	must(t, os.WriteFile(file, []byte(withChapter(string(before), heading, chapter)), 0o644))
}

// play runs the load with the fault and counts.
func (r *trial) play(name string, strike func(*trial)) outcome {
	t := r.t
	r.kube.fresh(t)
	r.clearDesk(t)
	cleanly(t, r.cleared)
	r.prefix = fmt.Sprintf("o-%s-%s-", r.run, strings.ReplaceAll(name, " ", "-"))
	started, err := r.app.startLoad(t.Context(), r.prefix, loadCustomers, loadPerSecond, loadLength)
	must(t, err)
	talker := startTalker(t, r)
	strike(r)
	ended := await(t, "the load has ended", drainLimit,
		func(ctx context.Context) (load, error) { return r.sim.load(ctx, started.ID, "false") },
		func(l load) bool { return l.State != "running" })
	last := time.Now()
	replies := talker.stop()
	t.Logf("load: %d written, %d acknowledged, %d failed", ended.Written, ended.Acknowledged, ended.Failed)
	r.podsReady(t)
	ended, err = r.sim.load(t.Context(), started.ID, "true")
	must(t, err)
	all := writtenOf(ended)
	transcript := r.settle(t, all)
	settled := time.Since(last)
	r.liveAgain(t)
	live := time.Since(last)
	shown, arrived := r.whatBecameOf(t, replies)
	return outcome{
		Fault: name, Kills: r.kills, Settled: settled, Live: live,
		Messages: auditMessages(all, transcript), Replies: auditReplies(repliesOf(replies), shown, arrived),
	}
}

func writtenOf(l load) []written {
	all := make([]written, 0, len(l.Messages))
	for _, m := range l.Messages {
		all = append(all, written{m.OpenID, m.MsgID, m.Seq, m.Acknowledged})
	}
	return all
}

// killAll ends connector, router and desk, one after the other, again and again.
func (r *trial) killAll() {
	t := r.t
	prey := findVictims(t, r.kube)
	r.app.fault(t, map[string]any{"on": "send", "when": "after", "delay": slowAnswer.String(), "count": loadPerSecond * int(loadLength.Seconds())})
	components := []string{"connector", "router", "desk"}
	ticker := time.NewTicker(killEvery)
	defer ticker.Stop()
	struck := map[string]int{}
	for i := range int(loadLength/killEvery) - 1 {
		<-ticker.C
		component := components[i%len(components)]
		// A process that its pod has not started again yet has nothing to lose.
		n, err := prey.kill(component)
		must(t, err)
		struck[component] += n
		r.kills += n
	}
	must(t, r.app.clearFaults(t.Context()))
	for _, component := range components {
		if struck[component] == 0 {
			t.Errorf("no %s was ever killed", component)
		}
	}
}

func (r *trial) killWithoutOperator() {
	t := r.t
	operator := &appsv1.Deployment{}
	operator.Namespace, operator.Name = operatorNamespace, operatorName
	scale := func(ctx context.Context, replicas int32) error {
		patch := fmt.Sprintf(`{"spec":{"replicas":%d}}`, replicas)
		return r.kube.Patch(ctx, operator, client.RawPatch("application/merge-patch+json", []byte(patch)))
	}
	must(t, r.kube.Get(t.Context(), client.ObjectKeyFromObject(operator), operator))
	before := *operator.Spec.Replicas
	must(t, scale(t.Context(), 0))
	back := func(ctx context.Context) error {
		if err := scale(ctx, before); err != nil {
			return err
		}
		if seen, ok := watch(ctx, cleanupLimit, r.operator, func(ready int32) bool { return ready == before }); !ok {
			return fmt.Errorf("the operator did not come back: %s of %d replicas are ready", seen, before)
		}
		return nil
	}
	cleanly(t, back)
	await(t, "the operator is gone", soon, r.operator, func(ready int32) bool { return ready == 0 })
	r.killAll()
	// Whether edits are served again only the operator can tell.
	must(t, back(t.Context()))
}

func (r *trial) operator(ctx context.Context) (int32, error) {
	d := &appsv1.Deployment{}
	err := r.kube.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}, d)
	return d.Status.ReadyReplicas, err
}

func (r *trial) kafkaAway() {
	r.away(
		func(ctx context.Context) error { return r.program(ctx, "local", "stop", "kafka") },
		func(ctx context.Context) error { return r.program(ctx, "local", "start", "kafka") })
}

func (r *trial) apiServerAway() {
	dir := filepath.Join(r.root, ".run")
	r.away(
		func(ctx context.Context) error {
			return r.program(ctx, "cluster", "stop-component", "--kill", "--dir", dir, "kube-apiserver")
		},
		func(ctx context.Context) error {
			return r.program(ctx, "cluster", "start-component", "--dir", dir, "kube-apiserver")
		})
}

// away takes a server away for a while.
func (r *trial) away(stop, start func(context.Context) error) {
	t := r.t
	pass(t, outageAfter)
	// Starting what runs is harmless; leaving it away is not.
	cleanly(t, start)
	must(t, stop(t.Context()))
	pass(t, outage)
	must(t, start(t.Context()))
}

// pass lets time go by: the length of an outage is what the test is about, not a condition to wait for.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

// podsReady waits until what was killed is back.
func (s *stack) podsReady(t *testing.T) {
	t.Helper()
	await(t, "every pod is Ready again", drainLimit, s.kube.unready, func(unready []string) bool { return len(unready) == 0 })
}

// liveAgain waits until all is as it was before the fault: every replica takes edits, every object is Ready, and an agent
// who looks at the desk sees a new message at once, not when the desk looks into the database by itself.
func (r *trial) liveAgain(t *testing.T) {
	t.Helper()
	const quickly = time.Second
	r.takesEdits(t)
	r.kube.allReady(t, drainLimit)
	stream := r.agent.listen(t, fromNow)
	defer stream.close()
	await(t, "a new message is on the agent's screen within "+quickly.String(), drainLimit, func(ctx context.Context) (time.Duration, error) {
		c := r.customer("live")
		began := time.Now()
		if _, err := c.send(ctx, map[string]any{"content": "还在吗?"}); err != nil {
			return 0, err
		}
		f := stream.given(t, c, soon)
		given, _ := payload[conversation](f, "conversation")
		return f.came.Sub(began), r.agent.close(ctx, given.ID)
	}, func(took time.Duration) bool { return took < quickly })
}

// takesEdits edits an object and waits until every replica serves it.
func (r *trial) takesEdits(t *testing.T) {
	t.Helper()
	agent := &v1alpha1.Agent{}
	r.kube.get(t, agentName, agent)
	base := agent.DeepCopy()
	// From the most to one less, and back.
	agent.Spec.Capacity = 2*manyAtATime - 1 - agent.Spec.Capacity
	must(t, r.kube.patch(t.Context(), agent, base))
	await(t, "every replica serves an edited object", drainLimit, r.kube.conditions(agent), isReady)
}

// settle waits until nothing is under way any more, for a while, and returns the transcripts as they are then.
func (r *trial) settle(t *testing.T, all []written) []kept {
	t.Helper()
	seen, ok := watch(t.Context(), drainLimit, func(ctx context.Context) (int, error) {
		underWay, err := r.underWay(ctx)
		if err != nil {
			return 0, err
		}
		transcript, err := r.transcript(ctx)
		return underWay + auditMessages(all, transcript).Missing, err
	}, func(left int) bool { return left == 0 })
	if !ok {
		// The counts say what is lacking.
		t.Errorf("after %s still under way or missing: %s", drainLimit, seen)
	}
	transcript, err := r.transcript(t.Context())
	must(t, err)
	return transcript
}

// underWay counts what waits in the spool, the outbox, and at the connectors for this trial's customers.
func (r *trial) underWay(ctx context.Context) (int, error) {
	var n int
	err := r.db.QueryRow(ctx, `SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM outbox) +
		(SELECT count(*) FROM message m LEFT JOIN delivery d ON d.message_id = m.id
		 WHERE m.direction = 'outbound' AND starts_with(m.external_id, $1)
		   AND coalesce(d.state, 'queued') IN ('queued', 'sending', 'deferred'))`, r.prefix).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting what is under way: %w", err)
	}
	return n, nil
}

// transcript returns what this trial's customers wrote, in the order in which desks show it.
func (r *trial) transcript(ctx context.Context) ([]kept, error) {
	rows, err := r.db.Query(ctx, `SELECT external_id, platform_message_id FROM message
		WHERE direction = 'inbound' AND starts_with(external_id, $1)
		ORDER BY external_id, sent_at, platform_message_id, id`, r.prefix)
	if err != nil {
		return nil, fmt.Errorf("reading transcripts: %w", err)
	}
	defer rows.Close()
	var all []kept
	for rows.Next() {
		var k kept
		if err := rows.Scan(&k.customer, &k.id); err != nil {
			return nil, fmt.Errorf("reading transcripts: %w", err)
		}
		all = append(all, k)
	}
	return all, rows.Err()
}
