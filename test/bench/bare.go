package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"
)

// bare is the way from a webhook to a frame with nothing of the product in it: HTTP, a topic, a row that is committed, a second topic,
// a WebSocket; by the bare clients with the product's settings, in one process. What it takes, two hops and a commit take on this
// machine.
type bare struct {
	first, second *floor
	rows          *pgxpool.Pool
	server        *httptest.Server
	pusher        *pusher
	// fetched are values of the first topic, frames those of the second; of one measurement, so that none takes what is another's.
	fetched, frames chan string
}

const (
	// committers commit at once: as many as the first topic has partitions, which the product commits for one by one.
	committers = deskPartitions
	// together is how many values share a commit and a write, if so many are there.
	together = 200
)

func newBare(ctx context.Context, brokers, databaseURL string) (_ *bare, err error) {
	r := &bare{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close(context.WithoutCancel(ctx)))
		}
	}()
	if r.first, err = newFloor(ctx, brokers, deskPartitions); err != nil {
		return nil, err
	}
	if r.second, err = newFloor(ctx, brokers, deskPartitions); err != nil {
		return nil, err
	}
	if r.rows, err = pgxpool.New(ctx, databaseURL); err != nil {
		return nil, fmt.Errorf("reaching the database: %w", err)
	}
	if _, err = r.rows.Exec(ctx, "CREATE TABLE IF NOT EXISTS bench_bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value text NOT NULL)"); err != nil {
		return nil, fmt.Errorf("making the bare way's table: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /", r.webhook)
	mux.HandleFunc("GET /stream", r.stream)
	r.server = httptest.NewServer(mux)
	webhook, err := url.Parse(r.server.URL + "/")
	if err != nil {
		return nil, fmt.Errorf("reading the bare webhook's URL: %w", err)
	}
	r.pusher = &pusher{dialect: miniProgram(), webhook: webhook, idle: make(chan *pushConn, 256)}
	return r, nil
}

func (r *bare) webhook(w http.ResponseWriter, req *http.Request) {
	value, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err == nil {
		err = write(req.Context(), r.first.writer, req.URL.Query().Get("openid"), string(value))
	}
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, "success") // Who does not read it is counted as not answered.
}

func (r *bare) stream(w http.ResponseWriter, req *http.Request) {
	conn, err := websocket.Accept(w, req, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	frames, closed := r.frames, conn.CloseRead(req.Context())
	for {
		select {
		case value := <-frames:
			if conn.Write(closed, websocket.MessageText, []byte(value)) != nil {
				return
			}
		case <-closed.Done():
			return
		}
	}
}

// work commits what was fetched and writes it to the second topic, whatever is there in one go.
func (r *bare) work(ctx context.Context) error {
	for {
		values, ok := r.next(ctx)
		if !ok {
			return nil
		}
		rows := pgx.Batch{}
		records := make([]kafka.Message, len(values))
		for i, value := range values {
			rows.Queue("INSERT INTO bench_bare (value) VALUES ($1)", value)
			key, _, _ := strings.Cut(value, " ")
			records[i] = kafka.Message{Key: []byte(key), Value: []byte(value)}
		}
		// A batch is one round trip and one transaction.
		if err := r.rows.SendBatch(ctx, &rows).Close(); err != nil {
			return fmt.Errorf("committing: %w", err)
		}
		// A measurement ends when the last frame was read, which may be before its writer hears of it.
		if err := r.second.writer.WriteMessages(ctx, records...); err != nil && ctx.Err() == nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
}

// next waits for a value and takes what is there with it.
func (r *bare) next(ctx context.Context) (values []string, ok bool) {
	select {
	case value := <-r.fetched:
		values = append(values, value)
	case <-ctx.Done():
		return nil, false
	}
	for len(values) < together {
		select {
		case value := <-r.fetched:
			values = append(values, value)
		default:
			return values, true
		}
	}
	return values, true
}

// measure sends messages at a rate and returns how long each took until its frame was read.
func (r *bare) measure(ctx context.Context, b *bench, rate int) (percentiles, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := newArrivals(rate * int(b.length.Seconds()))
	r.fetched, r.frames = make(chan string, together), make(chan string, together)
	var running errgroup.Group
	for topic, into := range map[*floor]chan string{r.first: r.fetched, r.second: r.frames} {
		joined := make(chan struct{})
		running.Go(func() error {
			return topic.fetchAll(ctx, func() { close(joined) }, func(value string, _ time.Time) {
				select {
				case into <- value:
				case <-ctx.Done():
				}
			})
		})
		<-joined
	}
	for range committers {
		running.Go(func() error { return r.work(ctx) })
	}
	conn, _, err := websocket.Dial(ctx, strings.Replace(r.server.URL, "http", "ws", 1)+"/stream", nil) //nolint:bodyclose // The body of a handshake that succeeded is the connection.
	if err != nil {
		return percentiles{}, fmt.Errorf("opening the bare stream: %w", err)
	}
	defer conn.CloseNow()
	running.Go(func() error {
		for {
			_, value, err := conn.Read(ctx)
			if err != nil {
				return nil //nolint:nilerr // It ends with the measurement; what is missing is seen there.
			}
			a.arrived(string(value), time.Now())
		}
	})
	time.Sleep(warmUp) //nolint:forbidigo // Connections and caches warm up; nothing tells when they have.
	began := time.Now()
	_, err = b.pace(ctx, rate, func(ctx context.Context, n int) error {
		value := fmt.Sprintf("%d %s", n, floorValue(n))
		a.sent(value, began.Add(time.Duration(n)*time.Second/time.Duration(rate)))
		target := "/?openid=" + customerName(b.pusher.run, n%customers)
		return r.pusher.send(ctx, push{request: request(r.pusher.webhook.Host, target, []byte(value))})
	})
	if err != nil {
		return percentiles{}, err
	}
	p, err := a.wait(ctx)
	cancel()
	return p, errors.Join(err, running.Wait())
}

func (r *bare) close(ctx context.Context) error {
	var errs []error
	if r.server != nil {
		r.server.CloseClientConnections()
		r.server.Close()
	}
	if r.rows != nil {
		_, err := r.rows.Exec(ctx, "DROP TABLE IF EXISTS bench_bare")
		errs = append(errs, err)
		r.rows.Close()
	}
	for _, topic := range []*floor{r.first, r.second} {
		if topic != nil {
			errs = append(errs, topic.close(ctx))
		}
	}
	return errors.Join(errs...)
}
