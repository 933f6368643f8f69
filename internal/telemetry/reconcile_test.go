package telemetry

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestAPassIsASpanAndWhatItWritesIsBelow(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))
	t.Cleanup(func() { otel.SetTracerProvider(before) })

	failure := errors.New("the server is away")
	passes := Traced("channel", reconcile.TypedFunc[string](func(ctx context.Context, _ string) (reconcile.Result, error) {
		_, span := otel.Tracer("test").Start(ctx, "apply Deployment")
		span.End()
		return reconcile.Result{}, failure
	}))
	if _, err := passes.Reconcile(t.Context(), "lumi/shop"); !errors.Is(err, failure) {
		t.Errorf("error %v, want that of the pass", err)
	}
	type span struct{ Name, Parent, Status string }
	var got []span
	names := map[string]string{}
	for _, s := range recorder.Ended() {
		names[s.SpanContext().SpanID().String()] = s.Name()
	}
	for _, s := range recorder.Ended() {
		got = append(got, span{s.Name(), names[s.Parent().SpanID().String()], s.Status().Code.String()})
	}
	want := []span{{"apply Deployment", "reconcile channel", "Unset"}, {"reconcile channel", "", "Error"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
