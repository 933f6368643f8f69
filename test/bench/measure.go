package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"golang.org/x/sync/errgroup"

	"github.com/yingda-dev/yingda/internal/bus"
)

const (
	writers        = 64
	customers      = 50
	deskPartitions = 4
	warmUp         = 2 * time.Second
	// drainTime is how long the last messages of a measurement may take to arrive.
	drainTime = 15 * time.Second
)

type bench struct {
	*environment
	rounds int
	length time.Duration
	pusher *pusher
	// asker pushes to the official account what it answers at once.
	asker  *pusher
	floor  *floor
	bare   *bare
	before string
}

// prepare gives the agent room for all customers and waits until each of them is served.
func (b *bench) prepare(ctx context.Context) error {
	var err error
	if b.pusher, err = newPusher(b.shop, miniProgram()); err != nil {
		return err
	}
	if b.asker, err = newPusher(b.service, officialAccount()); err != nil {
		return err
	}
	if b.floor, err = newFloor(ctx, b.brokers, deskPartitions); err != nil {
		return err
	}
	if b.bare, err = newBare(ctx, b.brokers, b.databaseURL); err != nil {
		return err
	}
	if b.before, err = b.kubectl(ctx, "get", "agent/"+agent, "-o", "jsonpath={.spec.capacity}"); err != nil {
		return err
	}
	if _, err := b.kubectl(ctx, "patch", "agent/"+agent, "--type=merge", "-p", `{"spec":{"capacity":100}}`); err != nil {
		return err
	}
	if err := b.desk(ctx, "PUT", "/api/duty", map[string]bool{"onDuty": true}, nil); err != nil {
		return err
	}
	for i := range customers {
		if err := b.pusher.send(ctx, b.pusher.prepare(customerName(b.pusher.run, i))); err != nil {
			return err
		}
	}
	return await(ctx, "every customer to be served", time.Minute, func() (bool, error) {
		served, err := b.served(ctx)
		return len(served) == customers, err
	})
}

// served returns the conversations of this run's customers that are with the agent.
func (b *bench) served(ctx context.Context) ([]string, error) {
	var list struct {
		Conversations []struct {
			ID       string `json:"id"`
			Customer string `json:"customer"`
		} `json:"conversations"`
	}
	if err := b.desk(ctx, "GET", "/api/conversations?state=assigned&mine=true&limit=200", nil, &list); err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range list.Conversations {
		if strings.HasPrefix(c.Customer, customerName(b.pusher.run, 0)[:len("o-bench-")+len(b.pusher.run)]) {
			ids = append(ids, c.ID)
		}
	}
	return ids, nil
}

// close puts back what prepare changed.
func (b *bench) close(ctx context.Context) error {
	errs := []error{b.startRouter(ctx)}
	if b.pusher != nil {
		ids, err := b.served(ctx)
		errs = append(errs, err)
		for _, id := range ids {
			errs = append(errs, b.desk(ctx, "POST", "/api/conversations/"+id+"/close", nil, nil))
		}
	}
	if b.before != "" {
		_, err := b.kubectl(ctx, "patch", "agent/"+agent, "--type=merge", "-p", `{"spec":{"capacity":`+b.before+`}}`)
		errs = append(errs, err)
	}
	if b.floor != nil {
		errs = append(errs, b.floor.close(ctx))
	}
	if b.bare != nil {
		errs = append(errs, b.bare.close(ctx))
	}
	return errors.Join(errs...)
}

func customerName(run string, i int) string { return fmt.Sprintf("o-bench-%s-%02d", run, i) }

// ingestRate compares how many messages a second are durable when 64 writers send one after the other.
func (b *bench) ingestRate(ctx context.Context, report *strings.Builder) error {
	var floorRates, productRates []float64
	var floorCosts, productCosts []map[string]float64
	for round := range b.rounds {
		before := usages()
		rate, err := b.saturate(ctx, func(ctx context.Context, writer, n int) error {
			return write(ctx, b.floor.lingering, customerName(b.pusher.run, writer%customers), floorValue(n))
		})
		if err != nil {
			return err
		}
		floorRates = append(floorRates, rate)
		floorCosts = append(floorCosts, perThousand(before, rate*b.length.Seconds()))
		prepared := b.prepareFor(b.pusher, int(rate*b.length.Seconds()))
		var next atomic.Int64
		before = usages()
		rate, err = b.saturate(ctx, func(ctx context.Context, _, _ int) error {
			i := next.Add(1) - 1
			if int(i) >= len(prepared) {
				return b.pusher.send(ctx, b.pusher.prepare(customerName(b.pusher.run, int(i)%customers)))
			}
			return b.pusher.send(ctx, prepared[i])
		})
		if err != nil {
			return err
		}
		productRates = append(productRates, rate)
		productCosts = append(productCosts, perThousand(before, rate*b.length.Seconds()))
		fmt.Printf("ingest rate, round %d: floor %.0f/s, product %.0f/s\n", round+1, floorRates[round], rate)
	}
	f, p := median(floorRates), median(productRates)
	fmt.Fprintf(report, "## Webhook ingest, 64 at once\n\n| | messages/s (median of %d) |\n|---|---|\n| floor: 64 goroutines, one message each, acks=all | %.0f |\n| product: 64 webhooks at once, secure mode | %.0f |\n| ratio (at least 0.4 asked) | **%.2f** |\n\n", b.rounds, f, p, p/f)
	fmt.Fprintf(report, "The router rests meanwhile, as the floor has no consumer either. Processor seconds per 1,000 messages:\n\n- floor: %s\n- product: %s\n\nResident memory afterwards: %s.\n\n",
		costOf(floorCosts), costOf(productCosts), describe(memory(), "%.0f MiB"))
	return nil
}

// prepareFor encrypts messages ahead of a measurement.
func (b *bench) prepareFor(p *pusher, n int) []push {
	out := make([]push, n)
	var group errgroup.Group
	group.SetLimit(2)
	const chunk = 1000
	for start := 0; start < n; start += chunk {
		group.Go(func() error {
			for i := start; i < min(n, start+chunk); i++ {
				out[i] = p.prepare(customerName(p.run, i%customers))
			}
			return nil
		})
	}
	_ = group.Wait() // The functions return no errors.
	return out
}

// saturate runs f from 64 goroutines, each one call after the other, and returns calls a second.
func (b *bench) saturate(ctx context.Context, f func(ctx context.Context, writer, n int) error) (float64, error) {
	var done atomic.Int64
	group, groupCtx := errgroup.WithContext(ctx)
	began := time.Now()
	for writer := range writers {
		group.Go(func() error {
			for n := 0; time.Since(began) < b.length; n++ {
				if err := f(groupCtx, writer, n); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), err
}

// ingestLatency compares how long one message takes to be durable at 500 a second.
func (b *bench) ingestLatency(ctx context.Context, report *strings.Builder) error {
	return b.webhookLatency(ctx, report, b.pusher, "Webhook ingest", 3)
}

// replyLatency compares with that how long it takes until a customer of the official account has read the bot's answer, which
// goes out in the answer to the push: found, remembered, kept and encrypted.
func (b *bench) replyLatency(ctx context.Context, report *strings.Builder) error {
	return b.webhookLatency(ctx, report, b.asker, "Passive reply of an official account", 4)
}

// webhookLatency compares a webhook at 500 calls a second with the floor; asked is the ratio of the 99th percentiles that may not be
// exceeded.
func (b *bench) webhookLatency(ctx context.Context, report *strings.Builder, pusher *pusher, what string, asked int) error {
	const rate = 500
	var floors, products []percentiles
	var floorCosts, productCosts []map[string]float64
	messages := rate * b.length.Seconds()
	for round := range b.rounds {
		before := usages()
		f, err := b.pace(ctx, rate, func(ctx context.Context, n int) error {
			return write(ctx, b.floor.writer, customerName(b.pusher.run, n%customers), floorValue(n))
		})
		if err != nil {
			return err
		}
		floorCosts = append(floorCosts, perThousand(before, messages))
		prepared := b.prepareFor(pusher, int(messages))
		before = usages()
		p, err := b.pace(ctx, rate, func(ctx context.Context, n int) error { return pusher.send(ctx, prepared[n]) })
		if err != nil {
			return err
		}
		productCosts = append(productCosts, perThousand(before, messages))
		floors, products = append(floors, f), append(products, p)
		fmt.Printf("%s, round %d: floor %s, product %s\n", what, round+1, f, p)
	}
	f, p := medianOf(floors), medianOf(products)
	fmt.Fprintf(report, "## %s at %d/s\n\n| | p50 | p99 | max |\n|---|---|---|---|\n| floor | %s | %s | %s |\n| product | %s | %s | %s |\n| ratio (p99 at most %d asked) | %.2f | **%.2f** | |\n\nWeChat gives up after 5 s. Processor seconds per 1,000 messages:\n\n- floor: %s\n- product: %s\n\n",
		what, rate, ms(f.p50), ms(f.p99), ms(f.max), ms(p.p50), ms(p.p99), ms(p.max), asked, ratio(p.p50, f.p50), ratio(p.p99, f.p99),
		costOf(floorCosts), costOf(productCosts))
	return nil
}

// pace calls f at a steady rate, whatever it takes, and returns how long the calls took from when they were due.
func (b *bench) pace(ctx context.Context, rate int, f func(ctx context.Context, n int) error) (percentiles, error) {
	total := rate * int(b.length.Seconds())
	took := make([]time.Duration, total)
	group, groupCtx := errgroup.WithContext(ctx)
	began := time.Now()
	for n := range total {
		due := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(due)) //nolint:forbidigo // An open load has a beat; there is nothing to wait for.
		group.Go(func() error {
			err := f(groupCtx, n)
			took[n] = time.Since(due)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return percentiles{}, err
	}
	return percentilesOf(took), nil
}

// deskLatency compares the way from webhook to the agent's WebSocket frame with the way from produce to group fetch, and with the bare
// way of two hops and a commit.
func (b *bench) deskLatency(ctx context.Context, report *strings.Builder) error {
	fmt.Fprintf(report, "## Webhook to the agent's WebSocket frame\n\n| rate | floor p50 | p99 | bare p50 | p99 | product p50 | p99 | ratio p50 | ratio p99 | asked |\n|---|---|---|---|---|---|---|---|---|---|\n")
	var costs strings.Builder
	for _, rate := range []int{50, 200, 1000} {
		var floors, bares, products []percentiles
		var floorCosts, bareCosts, productCosts []map[string]float64
		var overload error
		messages := float64(rate) * b.length.Seconds()
		for round := range b.rounds {
			before := usages()
			f, err := b.floorFetch(ctx, rate)
			if err != nil {
				return err
			}
			floorCosts = append(floorCosts, perThousand(before, messages))
			before = usages()
			bare, err := b.bare.measure(ctx, b, rate)
			if err != nil {
				return err
			}
			bareCosts = append(bareCosts, perThousand(before, messages))
			before = usages()
			p, err := b.productFrame(ctx, rate)
			if err != nil && ctx.Err() == nil {
				overload = err
				fmt.Printf("desk latency at %d/s, round %d: floor %s, product did not keep up: %v\n", rate, round+1, f, err)
				break
			}
			if err != nil {
				return err
			}
			productCosts = append(productCosts, perThousand(before, messages))
			floors, bares, products = append(floors, f), append(bares, bare), append(products, p)
			fmt.Printf("desk latency at %d/s, round %d: floor %s, bare %s, product %s\n", rate, round+1, f, bare, p)
			if err := b.settle(ctx); err != nil {
				return err
			}
		}
		if overload != nil {
			fmt.Fprintf(report, "| %d/s | | | | | not sustained on this machine: %v | | | | 4 |\n", rate, overload)
			if err := b.settle(ctx); err != nil {
				return err
			}
			continue
		}
		f, bare, p := medianOf(floors), medianOf(bares), medianOf(products)
		fmt.Fprintf(report, "| %d/s | %s | %s | %s | %s | %s | %s | **%.2f** | **%.2f** | 4 |\n",
			rate, ms(f.p50), ms(f.p99), ms(bare.p50), ms(bare.p99), ms(p.p50), ms(p.p99), ratio(p.p50, f.p50), ratio(p.p99, f.p99))
		fmt.Fprintf(&costs, "- %d/s, floor: %s\n- %d/s, bare: %s\n- %d/s, product: %s\n", rate, costOf(floorCosts), rate, costOf(bareCosts), rate, costOf(productCosts))
	}
	fmt.Fprintf(report, "\nBare is the same way with nothing of the product in it, in one process: HTTP, a topic, a row that is committed, a second topic, a WebSocket.\n"+
		"Processor seconds per 1,000 messages, what the processes do at rest included:\n\n%s\nResident memory afterwards: %s.\n\n",
		costs.String(), describe(memory(), "%.0f MiB"))
	return nil
}

// arrivals matches what was sent with when it arrived.
type arrivals struct {
	mu   sync.Mutex
	due  map[string]time.Time
	took []time.Duration
	all  chan struct{}
	want int
}

func newArrivals(want int) *arrivals {
	return &arrivals{due: make(map[string]time.Time, want), want: want, all: make(chan struct{})}
}

func (a *arrivals) sent(content string, due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due[content] = due
}

func (a *arrivals) arrived(content string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	due, ok := a.due[content]
	if !ok {
		return
	}
	delete(a.due, content)
	a.took = append(a.took, at.Sub(due))
	if len(a.took) == a.want {
		close(a.all)
	}
}

// wait returns once everything arrived; what is missing after the drain time is an error, for it would be lost.
func (a *arrivals) wait(ctx context.Context) (percentiles, error) {
	select {
	case <-a.all:
		return percentilesOf(a.took), nil
	case <-ctx.Done():
		return percentiles{}, ctx.Err()
	case <-time.After(drainTime):
		a.mu.Lock()
		defer a.mu.Unlock()
		return percentiles{}, fmt.Errorf("%d of %d messages did not arrive within %s", a.want-len(a.took), a.want, drainTime)
	}
}

func (b *bench) floorFetch(ctx context.Context, rate int) (percentiles, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := newArrivals(rate * int(b.length.Seconds()))
	joined := make(chan struct{})
	var fetching errgroup.Group
	fetching.Go(func() error { return b.floor.fetchAll(ctx, func() { close(joined) }, a.arrived) })
	<-joined
	time.Sleep(warmUp) //nolint:forbidigo // Connections and caches warm up; nothing tells when they have.
	began := time.Now()
	_, err := b.pace(ctx, rate, func(ctx context.Context, n int) error {
		value := fmt.Sprintf("%d %s", began.UnixNano()+int64(n), floorValue(n))
		a.sent(value, began.Add(time.Duration(n)*time.Second/time.Duration(rate)))
		return write(ctx, b.floor.writer, customerName(b.pusher.run, n%customers), value)
	})
	if err != nil {
		return percentiles{}, err
	}
	p, err := a.wait(ctx)
	cancel()
	return p, errors.Join(err, fetching.Wait())
}

func (b *bench) productFrame(ctx context.Context, rate int) (percentiles, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(b.deskURL, "http", "ws", 1)+"/api/stream", &websocket.DialOptions{ //nolint:bodyclose // The body of a handshake that succeeded is the connection.
		HTTPHeader: map[string][]string{"Authorization": {"Bearer " + b.agentToken}},
	})
	if err != nil {
		return percentiles{}, fmt.Errorf("opening the stream: %w", err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	total := rate * int(b.length.Seconds())
	a := newArrivals(total)
	go readFrames(ctx, conn, a)
	time.Sleep(warmUp) //nolint:forbidigo // Connections and caches warm up; nothing tells when they have.
	prepared := b.prepareFor(b.pusher, total)
	began := time.Now()
	_, err = b.pace(ctx, rate, func(ctx context.Context, n int) error {
		a.sent(prepared[n].content, began.Add(time.Duration(n)*time.Second/time.Duration(rate)))
		return b.pusher.send(ctx, prepared[n])
	})
	if err != nil {
		// The error quotes the request; the report needs only what became of it.
		return percentiles{}, errors.New("a webhook was not answered within 5 s")
	}
	return a.wait(ctx)
}

// readFrames notes the arrival of each message frame until the connection ends.
func readFrames(ctx context.Context, conn *websocket.Conn, a *arrivals) {
	for {
		var frame struct {
			Kind    string `json:"kind"`
			Payload struct {
				Content struct {
					Text string `json:"text"`
				} `json:"content"`
			} `json:"payload"`
		}
		if err := wsjson.Read(ctx, conn, &frame); err != nil {
			return
		}
		if frame.Kind == "message" {
			a.arrived(frame.Payload.Content.Text, time.Now())
		}
	}
}

// settle waits until router and relay have worked off what a measurement left behind, so that it does not weigh on the next.
func (b *bench) settle(ctx context.Context) error {
	quiet := 0
	last := usages()["router"].cpuSeconds
	return await(ctx, "the router to come to rest", 5*time.Minute, func() (bool, error) {
		now := usages()["router"].cpuSeconds
		if now-last < 0.02 {
			quiet++
		} else {
			quiet = 0
		}
		last = now
		return quiet >= 10, nil
	})
}

func (b *bench) header(report *strings.Builder) {
	fmt.Fprintf(report, "# Performance\n\nPrinted by `go run ./test/bench -rounds %d -seconds %.0f` (`make bench` without the flags) on %s: the product as `make up`\ninstalls it, on one machine with everything else of the stack.\n", b.rounds, b.length.Seconds(), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(report, "Floor and product alternate on the same broker (%s); medians of %d rounds of %s. The floor is the raw kafka-go client with the\n", b.kafka, b.rounds, b.length)
	fmt.Fprintf(report, "product's settings: acks=all, BatchTimeout %s, BatchSize %d, MinBytes 1, MaxWait 250 ms; messages of %d bytes.\nWhere 64 write at once its BatchTimeout is %s: the product gathers what they write before its Writer, which is given whole batches.\n\n", bus.BatchTimeout, bus.BatchSize, contentSize, floorLinger)
}

func floorValue(n int) string {
	text := fmt.Sprintf("floor %d ", n)
	return text + strings.Repeat("x", contentSize-len(text))
}
