package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Header is one header of a Kafka record.
type Header struct {
	Key   string
	Value string
}

// The headers of the CloudEvents 1.0 Kafka protocol binding in binary mode, and of W3C Trace Context.
const (
	headerSpecVersion = "ce_specversion"
	headerID          = "ce_id"
	headerType        = "ce_type"
	headerSource      = "ce_source"
	headerSubject     = "ce_subject"
	headerTime        = "ce_time"
	headerContentType = "content-type"
	headerTraceParent = "traceparent"
	headerTraceState  = "tracestate"

	specVersion     = "1.0"
	jsonContentType = "application/json"
)

// ErrNotEnvelope says that a record is none of ours: it can never be understood and belongs in the dead-letter topic.
var ErrNotEnvelope = errors.New("record is not a CloudEvents 1.0 envelope")

// New makes an envelope around a payload.
func New(id string, typ Type, source, subject, key string, at time.Time, payload any) (Envelope, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return Envelope{}, fmt.Errorf("encoding the payload of %s: %w", typ, err)
	}
	return Envelope{ID: id, Type: typ, Source: source, Subject: subject, Key: key, Time: at.UTC(), Data: data}, nil
}

// Headers returns the record headers of the envelope, always in the same order.
func (e *Envelope) Headers() []Header {
	headers := []Header{
		{headerSpecVersion, specVersion},
		{headerID, e.ID},
		{headerType, string(e.Type)},
		{headerSource, e.Source},
		{headerSubject, e.Subject},
		{headerTime, e.Time.UTC().Format(time.RFC3339Nano)},
		{headerContentType, jsonContentType},
	}
	if e.TraceParent != "" {
		headers = append(headers, Header{headerTraceParent, e.TraceParent})
	}
	if e.TraceState != "" {
		headers = append(headers, Header{headerTraceState, e.TraceState})
	}
	return headers
}

// Decode rebuilds an envelope from a record. It returns ErrNotEnvelope for what it can never read; unknown headers and
// unknown types are no error.
func Decode(key, value []byte, headers []Header) (Envelope, error) {
	e := Envelope{Key: string(key), Data: value}
	var version string
	for _, h := range headers {
		switch h.Key {
		case headerSpecVersion:
			version = h.Value
		case headerID:
			e.ID = h.Value
		case headerType:
			e.Type = Type(h.Value)
		case headerSource:
			e.Source = h.Value
		case headerSubject:
			e.Subject = h.Value
		case headerTime:
			at, err := time.Parse(time.RFC3339Nano, h.Value)
			// At the edges a zone's offset leads to a year that could not be written again.
			if err != nil || at.UTC().Year() < 0 || at.UTC().Year() > 9999 {
				return Envelope{}, fmt.Errorf("%w: bad ce_time", ErrNotEnvelope)
			}
			e.Time = at.UTC()
		case headerTraceParent:
			e.TraceParent = h.Value
		case headerTraceState:
			e.TraceState = h.Value
		}
	}
	switch {
	case version != specVersion:
		return Envelope{}, fmt.Errorf("%w: ce_specversion is not 1.0", ErrNotEnvelope)
	case e.ID == "":
		return Envelope{}, fmt.Errorf("%w: no ce_id", ErrNotEnvelope)
	case e.Type == "":
		return Envelope{}, fmt.Errorf("%w: no ce_type", ErrNotEnvelope)
	}
	return e, nil
}

// Payload decodes the data of an envelope of the given type.
func Payload[T any](e Envelope, typ Type) (T, error) {
	var payload T
	if e.Type != typ {
		return payload, fmt.Errorf("%w: type %q where %q is due", ErrNotEnvelope, e.Type, typ)
	}
	if err := json.Unmarshal(e.Data, &payload); err != nil {
		return payload, fmt.Errorf("%w: the data of %s is not its JSON", ErrNotEnvelope, typ)
	}
	return payload, nil
}
