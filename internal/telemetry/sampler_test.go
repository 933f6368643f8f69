package telemetry

import (
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

func TestNewTracesAreLimitedAndTheirSpansAreNot(t *testing.T) {
	const allowed = 3
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(limitedSampler{rate.NewLimiter(0, allowed)})))
	tracer := provider.Tracer("test")
	for i := range 2 * allowed {
		ctx, root := tracer.Start(t.Context(), "root")
		_, child := tracer.Start(trace.ContextWithRemoteSpanContext(ctx, root.SpanContext()), "child")
		want := i < allowed
		for name, span := range map[string]trace.Span{"root": root, "child": child} {
			if got := span.SpanContext().IsSampled(); got != want {
				t.Errorf("trace %d: the %s is sampled: %t, want %t", i, name, got, want)
			}
			if !span.SpanContext().TraceID().IsValid() {
				t.Errorf("trace %d: the %s has no id for the logs", i, name)
			}
			span.End()
		}
	}
}
