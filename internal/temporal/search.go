package temporal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	workflowservice "go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/yingda-dev/yingda/internal/wait"
)

// The search attributes, by which people find promises in Temporal. They are not encrypted: nothing of a customer is in them.
const (
	AttributeBrand    = "YingdaBrand"
	AttributeKind     = "YingdaKind"
	AttributeState    = "YingdaState"
	AttributeOwner    = "YingdaOwner"
	AttributeDeadline = "YingdaDeadline"
)

// Attributes are what can be asked of a running promise. A field that is empty or zero is taken away from what was said before.
type Attributes struct {
	// Brand is <namespace>/<name>.
	Brand string
	// Kind is what it is (complaint), State where it stands, in the words of its own contract.
	Kind, State string
	// Owner is the role or agent who has to act; never a customer.
	Owner string
	// Deadline is when something is due next.
	Deadline time.Time
}

// Upsert writes the attributes, from workflow code.
func (a Attributes) Upsert(ctx workflow.Context) error {
	deadline := sdk.NewSearchAttributeKeyTime(AttributeDeadline)
	due := deadline.ValueUnset()
	if !a.Deadline.IsZero() {
		due = deadline.ValueSet(a.Deadline)
	}
	return workflow.UpsertTypedSearchAttributes(ctx,
		word(AttributeBrand, a.Brand), word(AttributeKind, a.Kind), word(AttributeState, a.State), word(AttributeOwner, a.Owner), due)
}

func word(name, value string) sdk.SearchAttributeUpdate {
	key := sdk.NewSearchAttributeKeyKeyword(name)
	if value == "" {
		return key.ValueUnset()
	}
	return key.ValueSet(value)
}

func attributeTypes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		AttributeBrand: enumspb.INDEXED_VALUE_TYPE_KEYWORD, AttributeKind: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeState: enumspb.INDEXED_VALUE_TYPE_KEYWORD, AttributeOwner: enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		AttributeDeadline: enumspb.INDEXED_VALUE_TYPE_DATETIME,
	}
}

// ErrAttributes says that the service has not the search attributes, and does not let them be added.
var ErrAttributes = errors.New("the Temporal service refuses to add search attributes")

// attributesInterval is how often it is asked whether they can be used.
const attributesInterval = 200 * time.Millisecond

// ensureAttributes adds the search attributes and waits until they can be used: a cluster takes a while to hear of them, and of a
// namespace that was just made.
func (o *Options) ensureAttributes(ctx context.Context, c client.Client) error {
	for added := false; ; {
		err := inTime(ctx, func(ctx context.Context) error { return o.useAttributes(ctx, c) })
		if unheardOf(err) && !added {
			if refused := inTime(ctx, func(ctx context.Context) error { return o.addAttributes(ctx, c) }); refused != nil {
				err = refused
			} else {
				added = true
			}
		}
		if err == nil {
			return nil
		}
		if !unheardOf(err) || errors.Is(err, ErrAttributes) || !wait.For(ctx, attributesInterval) {
			return fmt.Errorf("preparing the namespace %s of Temporal at %s: %w", o.Namespace, o.Address, err)
		}
	}
}

// unheardOf says whether the service answered that it does not know what it will know soon.
func unheardOf(err error) bool {
	_, attributes := errors.AsType[*serviceerror.InvalidArgument](err)
	_, namespace := errors.AsType[*serviceerror.NamespaceNotFound](err)
	return attributes || namespace
}

// useAttributes asks for promises by all attributes, which fails where one is not known.
func (o *Options) useAttributes(ctx context.Context, c client.Client) error {
	query := fmt.Sprintf("%s = '' AND %s = '' AND %s = '' AND %s = '' AND %s < '2026-01-01T00:00:00Z'",
		AttributeBrand, AttributeKind, AttributeState, AttributeOwner, AttributeDeadline)
	_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: o.Namespace, Query: query})
	if err != nil {
		return fmt.Errorf("asking by the search attributes: %w", err)
	}
	return nil
}

func (o *Options) addAttributes(ctx context.Context, c client.Client) error {
	_, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: o.Namespace, SearchAttributes: attributeTypes(),
	})
	_, invalid := errors.AsType[*serviceerror.InvalidArgument](err)
	_, denied := errors.AsType[*serviceerror.PermissionDenied](err)
	_, unknown := errors.AsType[*serviceerror.Unimplemented](err)
	_, known := errors.AsType[*serviceerror.AlreadyExists](err)
	switch {
	case err == nil, known:
		return nil
	case invalid, denied, unknown:
		return fmt.Errorf("%w (%w): add them by hand to its namespace %s: %s", ErrAttributes, err, o.Namespace, listOfAttributes())
	default:
		return fmt.Errorf("adding the search attributes: %w", err)
	}
}

func listOfAttributes() string {
	types := attributeTypes()
	var list []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		list = append(list, name+" ("+types[name].String()+")")
	}
	return strings.Join(list, ", ")
}
