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
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
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

const (
	traceShutdown = 5 * time.Second
	// exportInterval lets a trace be seen soon after it happened.
	exportInterval = time.Second
	// tracesPerSecond bounds what traces cost a busy process; a quiet one has a trace of everything.
	tracesPerSecond = 20
)

// StartTracing sets the process's tracer provider and W3C propagation. Spans are exported by OTLP over gRPC to endpoint
// (http://host:port as OTEL_EXPORTER_OTLP_ENDPOINT has it, https for TLS, or host:port); with an empty endpoint traces still
// get ids, which travel in message headers, but are not exported. Beyond tracesPerSecond new traces are not exported either.
// The returned function flushes and stops.
func StartTracing(ctx context.Context, component, brand, endpoint string) (stop func(), err error) {
	res := resource.NewSchemaless(
		attribute.String("service.name", "yingda-"+component),
		attribute.String("yingda.brand", brand),
	)
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(res),
		sdktrace.WithSampler(sdktrace.ParentBased(limitedSampler{rate.NewLimiter(tracesPerSecond, tracesPerSecond)})),
	}
	if endpoint != "" {
		if !strings.Contains(endpoint, "://") {
			endpoint = "http://" + endpoint
		}
		exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpointURL(endpoint))
		if err != nil {
			return nil, fmt.Errorf("making the trace exporter: %w", err)
		}
		options = append(options, sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(exportInterval)))
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

// limitedSampler lets new traces through at a limited rate.
type limitedSampler struct{ limiter *rate.Limiter }

var _ sdktrace.Sampler = limitedSampler{}

// ShouldSample decides about a trace that begins here.
func (s limitedSampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	decision := sdktrace.Drop
	if s.limiter.Allow() {
		decision = sdktrace.RecordAndSample
	}
	return sdktrace.SamplingResult{Decision: decision, Tracestate: trace.SpanContextFromContext(p.ParentContext).TraceState()}
}

// Description names the sampler.
func (s limitedSampler) Description() string {
	return fmt.Sprintf("at most %v traces a second", s.limiter.Limit())
}
