// Package workflowtest is what tests of workflows on real servers stand on: a brand with its database, its Temporal namespace and a
// relay; workers of their own processes, to be killed; and the histories that a later version must be able to replay. It is for
// tests alone: nothing else imports it.
//
// A package's TestMain calls Main, for a worker that is to be killed is the package's test binary run again. Under has something break
// while workflows run: play the same life Under Nothing and under each fault, and compare the ends. What the servers are, and that none
// of them outlives the test process, internal/testenv says; neither does a worker.
package workflowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	workflowservice "go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/outbox"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
	"github.com/yingda-dev/yingda/internal/temporal"
	"github.com/yingda-dev/yingda/internal/testenv"
)

// Patience is for what takes seconds; it only bounds a failing test.
const Patience = time.Minute

// Brand is one brand on real servers: shop/lumi, with the one Channel mini.
type Brand struct {
	T     *testing.T
	Store *store.Store
	// Client is nil for a brand without workflows.
	Client client.Client

	url, address, namespace string
}

// Migrate makes the tables of a database.
func Migrate(ctx context.Context, url string) error { return store.Migrate(ctx, url, "") }

// NewStore is a brand without workflows.
func NewStore(t *testing.T) *Brand {
	t.Helper()
	return openStore(t, testenv.Database(t, Migrate))
}

func openStore(t *testing.T, url string) *Brand {
	t.Helper()
	b := &Brand{T: t, url: url}
	var err error
	if b.Store, err = store.Open(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Store.Close)
	return b
}

// NewBrand is a brand with a relay, on the servers that the tests of a package share.
func NewBrand(t *testing.T) *Brand {
	t.Helper()
	return NewBrandOn(t, testenv.Database(t, Migrate), testenv.Temporal(t))
}

// NewBrandOn is a brand with a relay, whose migrated database and Temporal server are those.
func NewBrandOn(t *testing.T, url, address string) *Brand {
	t.Helper()
	b := openStore(t, url)
	b.address, b.namespace = address, testenv.Unique("brand")
	dial := connection(b.address, b.namespace)
	err := temporal.EnsureNamespace(t.Context(), dial, temporal.Retention)
	if err != nil {
		t.Fatal(err)
	}
	if b.Client, err = temporal.Dial(dial); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Client.Close)
	b.Run(outbox.New(outbox.Config{
		Store: b.Store, Publisher: nowhere{}, Workflows: b.Client, TaskQueue: temporal.TaskQueue, Source: "/shop/lumi/router",
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(), Now: time.Now,
	}).Run)
	return b
}

func connection(address, namespace string) temporal.Options {
	return temporal.Options{Address: address, Namespace: namespace, Identity: "worker", Logger: slog.New(slog.DiscardHandler)}
}

// nowhere is a broker that takes everything.
type nowhere struct{}

func (nowhere) Publish(context.Context, string, ...message.Envelope) error { return nil }

// Run runs something until the test ends.
func (b *Brand) Run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(b.T.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	b.T.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.T.Error(err)
		}
	})
}

// Try runs a transaction as a router or a desk would.
func (b *Brand) Try(f func(ctx context.Context, u *store.Unit) error) error {
	return b.Store.Do(b.T.Context(), store.Scope{Events: "events", Source: "/shop/lumi/router", Now: time.Now().UTC()}, f)
}

// Do is Try for what must succeed.
func (b *Brand) Do(f func(ctx context.Context, u *store.Unit) error) {
	b.T.Helper()
	if err := b.Try(f); err != nil {
		b.T.Fatal(err)
	}
}

// Insist is Do that tries again for as long as a server may be away.
func (b *Brand) Insist(f func(ctx context.Context, u *store.Unit) error) {
	b.T.Helper()
	b.Eventually("a transaction", func() error { return b.Try(f) })
}

// With is the same brand for a subtest.
func (b *Brand) With(t *testing.T) *Brand {
	t.Helper()
	same := *b
	same.T = t
	return &same
}

// Signal signals a workflow through the outbox.
func (b *Brand) Signal(id, name string, argument any) {
	b.T.Helper()
	b.Insist(func(ctx context.Context, u *store.Unit) error { return u.SignalWorkflow(ctx, id, name, argument) })
}

// Result waits for the good end of a workflow that may not have begun yet, and reads what it returned.
func (b *Brand) Result(id string, into any) {
	b.T.Helper()
	b.Eventually("the workflow's end", func() error {
		ctx, cancel := context.WithTimeout(b.T.Context(), 10*time.Second)
		defer cancel()
		return b.Client.GetWorkflow(ctx, id, "").Get(ctx, into)
	})
}

// Eventually waits until try has no error.
func (b *Brand) Eventually(what string, try func() error) {
	b.T.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	timeout := time.After(Patience)
	for {
		last := try()
		if last == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-timeout:
			b.T.Fatalf("waited %s for %s: %v", Patience, what, last)
		}
	}
}

// Await waits until what read returns is as it should be, and returns that.
func Await[Row any](b *Brand, what string, read func(context.Context) (Row, error), ok func(Row) bool) (row Row) {
	b.T.Helper()
	b.Eventually(what, func() (err error) {
		if row, err = read(b.T.Context()); err == nil && !ok(row) {
			err = fmt.Errorf("last it was %+v", row)
		}
		return err
	})
	return row
}

// Read reads something, and tries again for as long as a server may be away.
func Read[Row any](b *Brand, what string, read func(context.Context) (Row, error)) Row {
	b.T.Helper()
	return Await(b, what, read, func(Row) bool { return true })
}

// AwaitListed waits until Temporal lists one workflow for which all of these hold.
func (b *Brand) AwaitListed(conditions ...string) {
	b.T.Helper()
	query := strings.Join(conditions, " AND ")
	Await(b, "a workflow with "+query, func(ctx context.Context) (*workflowservice.CountWorkflowExecutionsResponse, error) {
		return b.Client.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: query})
	}, func(answer *workflowservice.CountWorkflowExecutionsResponse) bool { return answer.GetCount() == 1 })
}

// Converse opens a conversation that agent an has, with a customer who may be told so many things.
func (b *Brand) Converse(customer string, messages int32) uuid.UUID {
	b.T.Helper()
	id := uuid.Must(uuid.NewV7())
	b.Insist(func(ctx context.Context, u *store.Unit) error {
		if _, err := u.ConversationGet(ctx, id); err == nil {
			return nil // It was committed though the answer was lost.
		}
		c, err := u.ConversationAdd(ctx, db.ConversationAddParams{
			ID: id, Channel: "mini", ExternalID: customer, CustomerID: uuid.Must(uuid.NewV7()), OpenedAt: u.Now,
		})
		if err != nil {
			return err
		}
		agent := "an"
		c.State, c.SkillGroup, c.Agent, c.AssignedAt = store.StateAssigned, "after-sales", &agent, &u.Now
		if _, err = u.Save(ctx, c); err != nil || messages == 0 {
			return err
		}
		return u.QuotaSet(ctx, db.QuotaSetParams{
			Channel: "mini", ExternalID: customer, WindowEnds: u.Now.Add(48 * time.Hour), Remaining: messages, Granted: max(messages, 5),
		})
	})
	return id
}

// Said are the words of a conversation, each after its kind.
func (b *Brand) Said(conversation uuid.UUID) (said []string) {
	b.T.Helper()
	messages := Read(b, "what was said", func(ctx context.Context) ([]db.TranscriptRow, error) {
		return b.Store.Queries().Transcript(ctx, conversation, 100)
	})
	for _, m := range messages {
		var content message.Content
		if err := json.Unmarshal(m.Content, &content); err != nil {
			b.T.Fatal(err)
		}
		said = append(said, string(content.Kind)+" "+content.Text)
	}
	return said
}

// History is what happened to a case, in order: each step, by whom, and the state and note that it left.
func (b *Brand) History(id string) (history []string) {
	b.T.Helper()
	events := Read(b, "the history", func(ctx context.Context) ([]db.ServiceCaseEvent, error) {
		return b.Store.Queries().CaseEvents(ctx, id, 1000)
	})
	for _, e := range events {
		history = append(history, strings.ReplaceAll(e.Step, id, "case")+" by "+e.Actor+": "+e.State+" "+e.Note)
	}
	return history
}

// Steps are what happened to a case, in order.
func (b *Brand) Steps(ctx context.Context, id string) (steps []string, err error) {
	events, err := b.Store.Queries().CaseEvents(ctx, id, 1000)
	for _, e := range events {
		steps = append(steps, e.Step)
	}
	return steps, err
}

// News are the frames of a kind that an agent's desk was sent: what their payloads hold.
func News[Payload any](b *Brand, agent string, kind message.FrameKind) (news []Payload) {
	b.T.Helper()
	frames := Read(b, "news", func(ctx context.Context) ([]db.Frame, error) {
		return b.Store.Queries().FramesAfter(ctx, agent, 0, 10_000)
	})
	for _, f := range frames {
		if f.Kind != string(kind) {
			continue
		}
		var payload Payload
		if err := json.Unmarshal(f.Payload, &payload); err != nil {
			b.T.Fatal(err)
		}
		news = append(news, payload)
	}
	return news
}
