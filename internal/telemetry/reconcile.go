package telemetry

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Traced gives each pass of a controller a span of its own; what the pass writes are spans below it.
func Traced[R comparable](controller string, passes reconcile.TypedReconciler[R]) reconcile.TypedReconciler[R] {
	tracer := otel.Tracer("yingda/controllers")
	return reconcile.TypedFunc[R](func(ctx context.Context, request R) (reconcile.Result, error) {
		ctx, span := tracer.Start(ctx, "reconcile "+controller, trace.WithNewRoot(), trace.WithAttributes(
			attribute.String("yingda.object", fmt.Sprint(request))))
		defer span.End()
		result, err := passes.Reconcile(ctx, request)
		if err != nil {
			span.SetStatus(codes.Error, "the pass is tried again")
		}
		return result, err //nolint:wrapcheck // Seen through, not handled.
	})
}
