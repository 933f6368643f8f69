package traces

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

const (
	// maxRequest is far above a batch of the SDK's exporter (512 spans).
	maxRequest    = 4 << 20
	maxStreams    = 64
	maxText       = 256
	maxAttributes = 32
	idBytes       = 16
	spanIDBytes   = 8
	serviceName   = "service.name"
)

// receiver is the OTLP side of a Store.
type receiver struct {
	collectorpb.UnimplementedTraceServiceServer

	store *Store
}

// NewReceiver returns a gRPC server that takes OTLP spans into the store.
func NewReceiver(store *Store) *grpc.Server {
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxRequest), grpc.MaxConcurrentStreams(maxStreams))
	collectorpb.RegisterTraceServiceServer(server, &receiver{store: store})
	return server
}

// Export takes one batch.
func (r *receiver) Export(_ context.Context, req *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	var rejected int64
	for _, resource := range req.GetResourceSpans() {
		service := "unknown"
		for _, attribute := range resource.GetResource().GetAttributes() {
			if attribute.GetKey() == serviceName {
				service = text(attribute.GetValue())
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				if len(span.GetTraceId()) != idBytes || len(span.GetSpanId()) != spanIDBytes {
					rejected++
					continue
				}
				r.store.add(hex.EncodeToString(span.GetTraceId()), spanOf(service, span))
			}
		}
	}
	resp := &collectorpb.ExportTraceServiceResponse{}
	if rejected > 0 {
		resp.PartialSuccess = &collectorpb.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: "spans without ids"}
	}
	return resp, nil
}

func spanOf(service string, in *tracepb.Span) Span {
	start := unixNano(in.GetStartTimeUnixNano())
	out := Span{
		ID: hex.EncodeToString(in.GetSpanId()), Parent: hex.EncodeToString(in.GetParentSpanId()),
		Name: short(in.GetName()), Service: service, Kind: kindOf(in.GetKind()),
		Start: start, DurationMs: max(0, milliseconds(unixNano(in.GetEndTimeUnixNano()).Sub(start))),
	}
	if in.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		out.Error = short(in.GetStatus().GetMessage())
		if out.Error == "" {
			out.Error = "error"
		}
	}
	for i, attribute := range in.GetAttributes() {
		if i == maxAttributes {
			break
		}
		if out.Attributes == nil {
			out.Attributes = map[string]string{}
		}
		out.Attributes[short(attribute.GetKey())] = text(attribute.GetValue())
	}
	return out
}

func unixNano(nanos uint64) time.Time { return time.Unix(0, int64(nanos)).UTC() }

// kindOf turns SPAN_KIND_SERVER into server.
func kindOf(kind tracepb.Span_SpanKind) string {
	return strings.ToLower(strings.TrimPrefix(kind.String(), "SPAN_KIND_"))
}

// text is a value as people read it.
func text(value *commonpb.AnyValue) string {
	switch v := value.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return short(v.StringValue)
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *commonpb.AnyValue_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	case *commonpb.AnyValue_BytesValue:
		return short(base64.StdEncoding.EncodeToString(v.BytesValue[:min(len(v.BytesValue), maxText)]))
	case *commonpb.AnyValue_ArrayValue:
		var parts []string
		for i, element := range v.ArrayValue.GetValues() {
			if i == maxAttributes {
				break
			}
			parts = append(parts, text(element))
		}
		return short(strings.Join(parts, ", "))
	case *commonpb.AnyValue_KvlistValue:
		return fmt.Sprintf("%d values", len(v.KvlistValue.GetValues()))
	default:
		return ""
	}
}

// short cuts what is too long to keep, between two characters.
func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.Clone(s[:cut]) + "…"
}
