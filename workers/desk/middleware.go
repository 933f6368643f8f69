package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/semaphore"

	"github.com/yingda-dev/yingda/internal/formlink"
)

const (
	streamPath  = "/api/stream"
	sessionPath = "/api/session"
	mediaPath   = "/api/media"
	// requestTimeout bounds the work of one request; sockets are left out.
	requestTimeout = 15 * time.Second
	// answerTimeout bounds reading the request and writing the answer, for slow lines and hostile clients.
	answerTimeout = 60 * time.Second
	// exportPath ends the path of what may take exportTimeout.
	exportPath = "/export"
	// contentPolicy lets the page use its own files and nothing else: no inline script, no frame, no other host.
	contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

// visit is what the layers of one request tell each other. The request itself is not copied on its way, so that the outer
// layers see the pattern that the inner ones found.
type visit struct {
	principal *principal
	remote    string
	host      string
	secure    bool
	// release gives back what the request holds when it has been answered.
	release []func()
}

// hold takes part of a budget until the request is answered. It waits for as long as the request may take.
func (v *visit) hold(ctx context.Context, budget *budget, amount int64) error {
	amount = min(amount, budget.most)
	if err := budget.Acquire(ctx, amount); err != nil {
		return refusal(http.StatusServiceUnavailable, "Busy", "too many files are on their way; try again")
	}
	v.release = append(v.release, func() { budget.Release(amount) })
	return nil
}

// holdNow takes part of a budget until the request is answered; ok is false where others have it.
func (v *visit) holdNow(budget *budget, amount int64) (ok bool) {
	if ok = budget.TryAcquire(amount); ok {
		v.release = append(v.release, func() { budget.Release(amount) })
	}
	return ok
}

// alone keeps others with the same key out until the request is answered; ok is false where one is inside already.
func (v *visit) alone(in *exclusive[formlink.Customer], key formlink.Customer) (ok bool) {
	leave, ok := in.enter(key)
	if ok {
		v.release = append(v.release, leave)
	}
	return ok
}

func (v *visit) done() {
	for _, release := range v.release {
		release()
	}
}

// budget is an amount of memory that requests share.
type budget struct {
	*semaphore.Weighted
	most int64
}

func newBudget(most int64) *budget { return &budget{semaphore.NewWeighted(most), most} }

type visitKey struct{}

func visitOf(ctx context.Context) *visit {
	v, _ := ctx.Value(visitKey{}).(*visit)
	return v
}

// principalOf is who sends the request; not nil behind the door.
func principalOf(ctx context.Context) *principal { return visitOf(ctx).principal }

// middleware puts around the routes what holds for all of them.
func (d *Desk) middleware(routes http.Handler) http.Handler {
	guarded := d.measured(d.guarded(routes))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{remote: r.RemoteAddr, host: r.Host, secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"}
		defer v.done()
		ctx := context.WithValue(r.Context(), visitKey{}, v)
		if r.URL.Path != streamPath {
			work, answer := requestTimeout, answerTimeout
			if strings.HasSuffix(r.URL.Path, exportPath) {
				work, answer = exportTimeout, exportTimeout+answerTimeout
			}
			withTimeout, cancel := context.WithTimeout(ctx, work)
			defer cancel()
			ctx = withTimeout
			mayTake(w, answer)
		}
		setSecurityHeaders(w.Header(), v.secure)
		guarded.ServeHTTP(w, r.WithContext(ctx))
	})
}

// mayTake bounds what is written from now on; a ResponseWriter without deadlines is a test's.
func mayTake(w http.ResponseWriter, timeout time.Duration) {
	deadline := time.Now().Add(timeout) //nolint:forbidigo // The network knows the machine's clock only.
	_ = http.NewResponseController(w).SetWriteDeadline(deadline)
}

func setSecurityHeaders(h http.Header, secure bool) { //nolint:revive // secure says how the request came.
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	if secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// guarded lets only those behind the door who may come in. What is not under /api holds no data, but for /forms/, where a link is the key.
func (d *Desk) guarded(routes http.Handler) http.Handler {
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api" && !strings.HasPrefix(r.URL.Path, "/api/") {
			routes.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if d.letsIn(w, r) {
			if r.Method == http.MethodOptions {
				answerPreflight(w)
				return
			}
		} else if err := foreign.Check(r); err != nil {
			writeProblem(w, problem(http.StatusForbidden, "CrossOrigin", "the request comes from another site"))
			return
		}
		if r.Method == http.MethodPost && r.URL.Path == sessionPath {
			routes.ServeHTTP(w, r)
			return
		}
		if isProviders(r.URL.Path) {
			if d.signedByProvider(w, r) {
				routes.ServeHTTP(w, r)
			}
			return
		}
		p, err := d.authenticate(r)
		if err != nil {
			d.refuse(w, r, err)
			return
		}
		v := visitOf(r.Context())
		v.principal = p
		if r.Method == http.MethodPost && r.URL.Path == mediaPath {
			// The body is read before the route's own code runs.
			if err := v.hold(r.Context(), d.taken, maxUpload*copies); err != nil {
				d.refuse(w, r, err)
				return
			}
		}
		routes.ServeHTTP(w, r)
	})
}

func (d *Desk) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var tooMany *tooManyError
	var refused *huma.ErrorModel
	switch {
	case errors.Is(err, errNobody):
		w.Header().Set("WWW-Authenticate", `Bearer realm="yingda"`)
		writeProblem(w, problem(http.StatusUnauthorized, "SignInFirst", "sign in with a trial token: POST /api/session, or Authorization: Bearer"))
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", tooMany.seconds())
		writeProblem(w, tooManyProblem())
	case errors.As(err, &refused):
		writeProblem(w, refused)
	default:
		writeProblem(w, d.unexpected(r.Context(), "authenticate", err))
	}
}

func (e *tooManyError) seconds() string { return strconv.Itoa(int(math.Ceil(e.wait.Seconds()))) }

func tooManyProblem() *huma.ErrorModel {
	return problem(http.StatusTooManyRequests, "TooManyFailures", "too many wrong tokens were tried; wait a little")
}

// measured counts requests by route and traces what is no socket.
func (d *Desk) measured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		if r.URL.Path == streamPath {
			next.ServeHTTP(recorder, r)
			d.Metrics.requests.WithLabelValues(routeOf(r), strconv.Itoa(recorder.status)).Inc()
			return
		}
		started := d.Now()
		ctx, span := d.tracer.Start(r.Context(), "desk request", trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		traced := r.WithContext(ctx)
		next.ServeHTTP(recorder, traced)
		route := routeOf(traced)
		span.SetName("desk " + route)
		span.SetAttributes(attribute.Int("http.response.status_code", recorder.status))
		if recorder.status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, http.StatusText(recorder.status))
		}
		d.Metrics.requests.WithLabelValues(route, strconv.Itoa(recorder.status)).Inc()
		d.Metrics.requestSeconds.WithLabelValues(route).Observe(d.Now().Sub(started).Seconds())
	})
}

// routeOf is the pattern that served the request: a bounded set, unlike paths.
func routeOf(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets sockets and deadlines get to the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// problem is an answer of RFC 9457; its type ends with a reason that clients may branch on.
func problem(status int, reason, detail string) *huma.ErrorModel {
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Type: problemType + reason, Detail: detail}
}

func writeProblem(w http.ResponseWriter, p *huma.ErrorModel) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) //nolint:errchkjson // A problem can be encoded, and the client may be gone.
}

// statusGone counts requests whose client did not wait for the answer; it is nginx's number for them.
const statusGone = 499

// unexpected logs what a client must not see and returns what it may.
func (d *Desk) unexpected(ctx context.Context, operation string, err error) *huma.ErrorModel {
	if errors.Is(ctx.Err(), context.Canceled) {
		d.Logger.Debug("A client left before the answer", "operation", operation)
		return problem(statusGone, "ClientGone", "the request was cancelled")
	}
	d.Logger.Error("A request failed", "operation", operation, "error", err)
	return problem(http.StatusServiceUnavailable, "TryAgain", "the desk cannot do this now; try again")
}

// refusal is an error for the client.
func refusal(status int, reason, format string, args ...any) error {
	return problem(status, reason, fmt.Sprintf(format, args...))
}
