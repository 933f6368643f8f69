package temporal

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/yingda-dev/yingda/internal/tlsfiles"
)

// reason keeps what the last try of a call failed of. The SDK repeats calls until their time is over, and then says just that.
type reason struct {
	secured bool

	mu     sync.Mutex
	text   string
	advice string
}

func (r *reason) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(r.listen)}
}

// listen is an interceptor below the SDK's own, which sees every try.
func (r *reason) listen(ctx context.Context, method string, request, reply any, c *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	err := invoke(ctx, method, request, reply, c, options...)
	// A try that was cut off knows less than the one before.
	if err != nil && ctx.Err() == nil {
		r.note(status.Convert(err).Message())
	}
	return err
}

// note keeps a text that there is advice on, as the same refusal may be told in several ways.
func (r *reason) note(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	advice := r.advise(text)
	if advice != "" || r.advice == "" {
		r.text, r.advice = text, advice
	}
}

func (r *reason) advise(text string) string {
	const field = "spec.temporal.tls"
	if !r.secured {
		// A server of TLS ends a connection that begins otherwise.
		if strings.Contains(text, "error reading server preface") {
			return "if the frontend wants TLS, set " + field
		}
		return ""
	}
	return tlsfiles.Advice(text, field)
}

// explain adds to the error of a call why its tries failed, and what to do about it.
func (r *reason) explain(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || r.text == "" {
		return err
	}
	if !strings.Contains(err.Error(), r.text) {
		err = fmt.Errorf("%w: %s", err, r.text)
	}
	advice := r.advice
	if advice == "" && r.secured && endedOnUs(r.text) {
		advice = tlsfiles.Refused("spec.temporal.tls")
	}
	if advice == "" {
		return err
	}
	return fmt.Errorf("%w: %s", err, advice)
}

// endedOnUs says that the connection was made and then ended.
func endedOnUs(text string) bool {
	return strings.Contains(text, "EOF") || strings.Contains(text, "connection reset") || strings.Contains(text, "broken pipe")
}
