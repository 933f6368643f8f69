package host

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/yingda-dev/yingda/connectors"
)

// tracerName names the package in spans.
const tracerName = "github.com/yingda-dev/yingda/connectors/host"

func tracer() trace.Tracer { return otel.Tracer(tracerName) }

// The reasons of webhook calls that the host itself turns away.
const (
	reasonUnknownChannel = "UnknownChannel"
	reasonNotLoaded      = "NotLoaded"
	reasonNoWebhook      = "NoWebhook"
	reasonNotDurable     = "NotDurable"
)

// webhooks serves /<namespace>/<channel>.
type webhooks struct {
	namespace string
	table     *table
	ingest    *ingest
	revoker   revoker
	// atOnce is nil where the platform takes no words in its answer.
	atOnce  *atOnce
	clock   func() time.Time
	metrics *metrics
	logger  *slog.Logger
}

var _ http.Handler = (*webhooks)(nil)

// ServeHTTP answers one call of a platform.
func (h *webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	namespace, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	connector, ok := h.table.find(name)
	if namespace != h.namespace || !ok {
		// The name came from a stranger: it is no label.
		h.refuse(w, "", connectors.RefusedError{Status: http.StatusNotFound, Reason: reasonUnknownChannel})
		return
	}
	webhook, ok := connector.(connectors.Webhook)
	if !ok {
		refusal := connectors.RefusedError{Status: http.StatusNotFound, Reason: reasonNoWebhook}
		if connector == nil {
			refusal = connectors.RefusedError{Status: http.StatusServiceUnavailable, Reason: reasonNotLoaded}
		}
		h.refuse(w, name, refusal)
		return
	}
	h.serve(w, r, name, webhook)
}

func (h *webhooks) refuse(w http.ResponseWriter, channel string, refusal connectors.RefusedError) {
	h.metrics.webhooks.WithLabelValues(channel, outcomeRefused, refusal.Reason).Inc()
	http.Error(w, http.StatusText(refusal.Status), refusal.Status)
}

func (h *webhooks) serve(w http.ResponseWriter, r *http.Request, name string, webhook connectors.Webhook) {
	began := h.clock()
	ctx, span := tracer().Start(r.Context(), "webhook", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("yingda.channel", name)))
	defer span.End()
	received, err := webhook.Receive(r.WithContext(ctx))
	if err != nil {
		refusal, ok := errors.AsType[*connectors.RefusedError](err)
		if !ok {
			refusal = &connectors.RefusedError{Status: http.StatusBadRequest, Reason: "Unreadable"}
		}
		span.SetStatus(codes.Error, refusal.Reason)
		h.refuse(w, name, *refusal)
		return
	}
	h.table.called(name)
	outcome := outcomeVerified
	said, silent := atOnceNothing, func() {}
	if h.atOnce != nil && received.Reply != nil && len(received.Messages) == 1 {
		said, silent = h.atOnce.speak(ctx, began, &received)
	}
	if len(received.Messages) > 0 {
		outcome = outcomeRepeated
		if unkept := h.unkept(received); len(unkept.Messages) > 0 {
			outcome = outcomeReceived
			if err := h.ingest.keep(ctx, unkept.Messages); err != nil {
				span.SetStatus(codes.Error, reasonNotDurable)
				h.metrics.webhooks.WithLabelValues(name, outcomeFailed, reasonNotDurable).Inc()
				h.logger.ErrorContext(ctx, "Cannot keep a message, the platform will deliver it again", "Channel", name, "error", err)
				http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
				if said != atOnceNothing {
					_ = http.NewResponseController(w).Flush() // Whoever called is not to wait for what follows.
					silent()
				}
				return
			}
		}
	}
	if err := h.undelivered(ctx, name, received.Undelivered); err != nil {
		h.metrics.webhooks.WithLabelValues(name, outcomeFailed, reasonNotDurable).Inc()
		h.logger.ErrorContext(ctx, "Cannot note that a notice did not arrive, the platform will say it again", "Channel", name, "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	h.metrics.webhooks.WithLabelValues(name, outcome, "").Inc()
	// The answer may be text that came with the call: no browser may take it for a page.
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	gone := r.Context().Err() != nil || write(w, received.Answer) != nil
	if gone && said == atOnceSaid {
		// The platform calls again, and is answered as repeated; or it does not, and the words are sent.
		h.metrics.atOnce.WithLabelValues(name, string(atOnceUnheard)).Inc()
		silent()
	}
	if said == atOnceFailed {
		silent()
	}
}

// write writes the answer out, as far as the platform's end of the network.
func write(w http.ResponseWriter, answer string) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	if _, err := io.WriteString(w, answer); err != nil {
		return err //nolint:wrapcheck // Nobody reads it.
	}
	return http.NewResponseController(w).Flush() //nolint:wrapcheck // Nobody reads it.
}

// unkept leaves out what is durable already.
func (h *webhooks) unkept(received connectors.Received) connectors.Received {
	out := connectors.Received{}
	for _, in := range received.Messages {
		if !h.ingest.repeated(in) {
			out.Messages = append(out.Messages, in)
		}
	}
	return out
}
