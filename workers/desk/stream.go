package desk

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"go.opentelemetry.io/otel/trace"
)

const (
	pingEvery   = 20 * time.Second
	pingTimeout = 10 * time.Second
	// writeTimeout is how long one message may take to get into the client's buffers.
	writeTimeout = 10 * time.Second
)

// stream serves GET /api/stream: a WebSocket with the agent's frames.
func (d *Desk) stream(w http.ResponseWriter, r *http.Request) {
	p := principalOf(r.Context())
	after, ok := parseAfter(r.URL.Query().Get("after"))
	if !ok {
		writeProblem(w, problem(http.StatusBadRequest, "BadAfter", "after is the number of the last frame that you have"))
		return
	}
	sub, ok := d.hub.join(p)
	if !ok {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problem(http.StatusServiceUnavailable, "NoRoom", "the desk goes away, or you have too many sockets open"))
		return
	}
	defer d.hub.leave(sub)
	// It refuses a browser's request from another origin than the desk's own.
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	d.Metrics.sockets.Inc()
	defer d.Metrics.sockets.Dec()
	why := d.follow(r.Context(), conn, sub, after)
	d.Metrics.socketEnds.WithLabelValues(why.String()).Inc()
	_ = conn.Close(why.code(), why.String()) // The other side may be gone already.
}

func parseAfter(value string) (after *int64, ok bool) {
	if value == "" {
		return nil, true
	}
	seq, err := strconv.ParseInt(value, 10, 64)
	return &seq, err == nil && seq >= 0
}

// follow sends the agent's frames over the socket and returns why it ended.
func (d *Desk) follow(ctx context.Context, conn *websocket.Conn, sub *subscription, after *int64) ending {
	// Clients have nothing to say here; reading answers pings and notices when they leave.
	ctx, cancel := context.WithCancel(conn.CloseRead(ctx))
	var pings sync.WaitGroup
	defer pings.Wait()
	defer cancel()
	pings.Go(func() {
		defer cancel()
		ping(ctx, conn)
	})
	hello, err := json.Marshal(map[string]any{"agent": agentView(sub.principal)})
	if err != nil {
		return endFailed
	}
	f := &follower{
		feed: d.Store.Queries(), sub: sub, hello: hello,
		send: func(ctx context.Context, out outgoing) error { return d.write(ctx, conn, out) },
	}
	err = f.run(ctx, after)
	var ended *endedError
	switch {
	case errors.As(err, &ended):
		return ended.why
	case ctx.Err() == nil && websocket.CloseStatus(err) == -1:
		d.Logger.Warn("A socket cannot go on", "Agent", sub.principal.agent.Name, "error", err)
	}
	return endFailed
}

func ping(ctx context.Context, conn *websocket.Conn) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		pingCtx, cancel := context.WithTimeout(ctx, pingTimeout)
		err := conn.Ping(pingCtx)
		cancel()
		if err != nil {
			return
		}
	}
}

// write sends one message. For a live frame it is the end of the trace that began at the platform's webhook.
func (d *Desk) write(ctx context.Context, conn *websocket.Conn, out outgoing) error {
	if out.span.IsValid() {
		spanCtx, span := d.tracer.Start(trace.ContextWithRemoteSpanContext(ctx, out.span), "desk frame", trace.WithSpanKind(trace.SpanKindConsumer))
		defer span.End()
		ctx = spanCtx
	}
	text, err := json.Marshal(out.wire)
	if err != nil {
		return err
	}
	writeCtx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := conn.Write(writeCtx, websocket.MessageText, text); err != nil {
		return err
	}
	if out.source != "" {
		d.Metrics.sent(out.source, d.Now().Sub(out.At), out.resuming)
	}
	return nil
}
