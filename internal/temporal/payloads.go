package temporal

import (
	"context"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/tink"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

// encrypted is the encoding that marks a payload as the product's own. Histories hold it: it never changes.
const encrypted = "binary/yingda-aead"

// errUndecipherable says that a payload was encrypted by a key that this process has not, or was changed on its way.
var errUndecipherable = errors.New("a payload of Temporal's cannot be decrypted by the brand's keys")

// encrypt makes a client encrypt all that it hands to the service: arguments and results, signals, queries, memos, and what
// errors say.
func encrypt(options *client.Options, keys tink.AEAD) {
	plain := converter.GetDefaultDataConverter()
	options.DataConverter = payloads{
		DataConverter: converter.NewCodecDataConverter(plain, NewCodec(keys)),
		inWorkflow:    converter.NewCodecDataConverter(plain, insistent{NewCodec(keys)}),
	}
	options.FailureConverter = sdk.NewDefaultFailureConverter(sdk.DefaultFailureConverterOptions{
		DataConverter: options.DataConverter, EncodeCommonAttributes: true,
	})
}

// payloads is a data converter of which workflows get another one.
type payloads struct {
	converter.DataConverter
	inWorkflow converter.DataConverter
}

var _ converter.ContextAware = payloads{}

// WithWorkflowContext implements converter.ContextAware.
func (p payloads) WithWorkflowContext(converter.WorkflowContext) converter.DataConverter {
	return p.inWorkflow
}

// WithContext implements converter.ContextAware.
func (p payloads) WithContext(context.Context) converter.DataConverter { return p }

// insistent panics over what it cannot decrypt. In a workflow an error would end a promise for good or drop a signal; a panic
// has the task tried again, until a worker comes that has the keys.
type insistent struct{ converter.PayloadCodec }

func (i insistent) Decode(of []*commonpb.Payload) ([]*commonpb.Payload, error) {
	decoded, err := i.PayloadCodec.Decode(of)
	if err != nil {
		panic(err) //nolint:forbidigo // The SDK's way to fail the task and not the workflow.
	}
	return decoded, nil
}

// NewCodec returns what encrypts payloads, and decrypts those that carry its mark. Others pass: they are of before.
func NewCodec(keys tink.AEAD) converter.PayloadCodec { return codec{keys} }

type codec struct{ keys tink.AEAD }

// Encode implements converter.PayloadCodec.
func (c codec) Encode(of []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(of, c.encode)
}

// Decode implements converter.PayloadCodec.
func (c codec) Decode(of []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(of, c.decode)
}

func each(of []*commonpb.Payload, change func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	changed := make([]*commonpb.Payload, len(of))
	for i, payload := range of {
		var err error
		if changed[i], err = change(payload); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// encode encrypts the whole payload, its own encoding included.
func (c codec) encode(payload *commonpb.Payload) (*commonpb.Payload, error) {
	content, err := proto.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encoding a payload: %w", err)
	}
	data, err := c.keys.Encrypt(content, purpose())
	if err != nil {
		return nil, fmt.Errorf("encrypting a payload: %w", err)
	}
	return &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encrypted)}, Data: data}, nil
}

func (c codec) decode(payload *commonpb.Payload) (*commonpb.Payload, error) {
	if string(payload.GetMetadata()[converter.MetadataEncoding]) != encrypted {
		return payload, nil
	}
	content, err := c.keys.Decrypt(payload.GetData(), purpose())
	if err != nil {
		return nil, errUndecipherable
	}
	plain := &commonpb.Payload{}
	if err := proto.Unmarshal(content, plain); err != nil {
		return nil, errUndecipherable
	}
	return plain, nil
}

// purpose keeps something else that the same keys encrypted from being taken for a payload.
func purpose() []byte { return []byte("yingda.dev/temporal-payload") }
