// Package telemetry gives every component the same eyes: structured logs, traces, metrics and a health server.
//
// It must never see customer data: what goes into logs, spans, metrics and health answers is for operators. Keys of
// logs and attributes are names of objects and counts; message bodies, customer ids and secrets have no place in them.
package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// NewLogger writes JSON lines to w: one record a line, message capitalised, no customer data.
func NewLogger(w io.Writer, level slog.Leveler, component string) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})).With("component", component)
}

// NewRegistry returns a metrics registry with the Go runtime's and the process's own metrics.
func NewRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

const traceShutdown = 5 * time.Second

// StartTracing sets the process's tracer provider and W3C propagation. Spans are exported by OTLP over gRPC to endpoint
// (host:port); with an empty endpoint traces still get ids, which travel in message headers, but are not exported.
// The returned function flushes and stops.
func StartTracing(ctx context.Context, component, brand, endpoint string) (stop func(), err error) {
	res := resource.NewSchemaless(
		attribute.String("service.name", "yingda-"+component),
		attribute.String("yingda.brand", brand),
	)
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	if endpoint != "" {
		exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure())
		if err != nil {
			return nil, fmt.Errorf("making the trace exporter: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	provider := sdktrace.NewTracerProvider(options...)
	otel.SetTracerProvider(provider)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return func() {
		stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), traceShutdown)
		defer cancel()
		if err := provider.Shutdown(stopCtx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			otel.Handle(err)
		}
	}, nil
}
