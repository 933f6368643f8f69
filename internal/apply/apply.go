// Package apply is the one way by which controllers write to the API server.
//
// Everything goes out as a server-side apply under the field manager yingda/<controller>, with only the fields that the
// controller owns. Before a write the live object in the cache is compared; when it already has what would be applied,
// and the manager owns nothing beyond it, nothing is sent: reconciling an unchanged object writes nothing.
//
// What the operator did not make it neither takes over nor deletes: an object of the wanted name that belongs to
// somebody else is answered with ErrForeign, and pruning looks only at objects which the owner controls.
//
// The package decides nothing about content; rendering is the controllers' work.
package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// ErrForeign says that an object of the wanted name exists and is controlled by something else.
var ErrForeign = errors.New("an object of this name belongs to somebody else")

// managers is how the names of the operator's field managers start.
const managers = "yingda/"

// Applier writes on behalf of one controller.
type Applier struct {
	client  client.Client
	live    client.Reader
	manager string
	// compared are the objects that were found to be as they are rendered.
	compared compared
	// echoes are the writes that the cache has yet to show.
	echoes echoes
}

// New makes the applier of a controller. The client reads from the cache; live reads past it, and is asked only before
// an object is made, since a cache that is filtered by label cannot tell "absent" from "somebody else's".
func New(c client.Client, live client.Reader, controller string) *Applier {
	return &Applier{client: c, live: live, manager: managers + controller}
}

// Object brings a rendered object that owner controls to the server, unless it is there already.
func (a *Applier) Object(ctx context.Context, owner client.Object, rendered runtime.ApplyConfiguration) error {
	encoded, err := json.Marshal(rendered)
	if err != nil {
		return fmt.Errorf("encoding what is to be applied: %w", err)
	}
	want, err := metadataOf(rendered)
	if err != nil {
		return err
	}
	where := want.Kind + " " + want.Name
	current, err := a.cached(ctx, want)
	if err != nil {
		return fmt.Errorf("reading %s: %w", where, err)
	}
	switch {
	case current == nil:
		if err := a.refuseForeign(ctx, owner, want); err != nil {
			return fmt.Errorf("making %s: %w", where, err)
		}
	case !metav1.IsControlledBy(current, owner):
		return fmt.Errorf("applying %s: %w", where, ErrForeign)
	case a.compared.known(current, encoded):
		return nil
	}
	desired, err := decode(encoded)
	if err != nil {
		return err
	}
	if current != nil {
		same, err := upToDate(desired, current, a.manager, "")
		if err != nil {
			return fmt.Errorf("comparing %s: %w", where, err)
		}
		if same {
			a.compared.note(current, encoded)
			return nil
		}
	}
	ctx, span := otel.Tracer("yingda/apply").Start(ctx, "apply "+want.Kind, trace.WithAttributes(attribute.String("yingda.object", want.Name)))
	defer span.End()
	applied := &unstructured.Unstructured{Object: desired}
	err = a.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(a.manager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("applying %s: %w", where, err)
	}
	a.echoes.note(applied)
	return nil
}

// LookAgain is after how long to try again what was in the way: it carries no label of ours, so that no watch tells of its
// end.
const LookAgain = 30 * time.Second

// atOnce is how many objects of one owner are brought to the server at the same time.
const atOnce = 8

// Phase is rendered objects of which none needs another one.
type Phase = []runtime.ApplyConfiguration

// Objects brings all of the rendered objects to the server: those of one phase at the same time, after those of the phase
// before. Those in whose place there is an object of somebody else are left out and named, by kind and name. Of a phase of which
// the server refuses an object the error is a RefusedError, unless something else failed besides.
func (a *Applier) Objects(ctx context.Context, owner client.Object, phases ...Phase) (inTheWay []string, err error) {
	for _, phase := range phases {
		names, err := a.phase(ctx, owner, phase)
		inTheWay = append(inTheWay, names...)
		if err != nil {
			return inTheWay, err
		}
	}
	return inTheWay, nil
}

func (a *Applier) phase(ctx context.Context, owner client.Object, rendered Phase) (inTheWay []string, err error) {
	left := make([]error, len(rendered))
	var applying errgroup.Group
	applying.SetLimit(atOnce)
	for i, object := range rendered {
		applying.Go(func() error {
			err := a.Object(ctx, owner, object)
			if errors.Is(err, ErrForeign) || refused(err) {
				left[i] = err
				return nil
			}
			return err
		})
	}
	err = applying.Wait()
	var refusals []Refusal
	for i, object := range rendered {
		if left[i] == nil {
			continue
		}
		name, nameErr := nameOf(object)
		err = errors.Join(err, nameErr)
		if refused(left[i]) {
			refusals = append(refusals, Refusal{Object: name, Err: left[i]})
		} else {
			inTheWay = append(inTheWay, name)
		}
	}
	if err == nil && len(refusals) > 0 {
		err = &RefusedError{Refusals: refusals}
	}
	return inTheWay, err
}

// Refusable brings a rendered object to the server that the cluster may refuse, by its own checks or somebody's policy, and
// returns why it did; empty when it did not.
func (a *Applier) Refusable(ctx context.Context, owner client.Object, rendered runtime.ApplyConfiguration) (refusal string, err error) {
	err = a.Object(ctx, owner, rendered)
	switch {
	case errors.Is(err, ErrForeign):
		return "its name is somebody else's", nil
	case refused(err):
		return err.Error(), nil
	}
	return "", err
}

// InTheWay names the objects of somebody else, by kind and name, that are in the place of rendered ones. It writes nothing.
func (a *Applier) InTheWay(ctx context.Context, owner client.Object, rendered ...runtime.ApplyConfiguration) ([]string, error) {
	var names []string
	for _, object := range rendered {
		want, err := metadataOf(object)
		if err != nil {
			return nil, err
		}
		current, err := a.cached(ctx, want)
		if err != nil {
			return nil, fmt.Errorf("reading %s %s: %w", want.Kind, want.Name, err)
		}
		switch {
		case current == nil:
			err = a.refuseForeign(ctx, owner, want)
		case !metav1.IsControlledBy(current, owner):
			err = ErrForeign
		}
		if errors.Is(err, ErrForeign) {
			var name string
			name, err = nameOf(object)
			names = append(names, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}

// nameOf names a rendered object by kind and name.
func nameOf(rendered runtime.ApplyConfiguration) (string, error) {
	reference, err := ReferenceTo(rendered)
	return reference.Kind.Kind + " " + reference.Name, err
}

// Create makes an object that must not exist yet. It is for content which can be made only once, such as a token: an
// apply on a stale cache would replace it.
func (a *Applier) Create(ctx context.Context, obj client.Object) error {
	ctx, span := a.span(ctx, "create", obj)
	defer span.End()
	if err := a.client.Create(ctx, obj, client.FieldOwner(a.manager)); err != nil {
		return fmt.Errorf("creating %s: %w", obj.GetName(), err)
	}
	return nil
}

// Delete removes exactly the object that was seen, with its dependents. One that is gone already is no error.
func (a *Applier) Delete(ctx context.Context, seen client.Object) error {
	ctx, span := a.span(ctx, "delete", seen)
	defer span.End()
	uid := seen.GetUID()
	err := a.client.Delete(ctx, seen, client.PropagationPolicy(metav1.DeletePropagationBackground), client.Preconditions{UID: &uid})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return fmt.Errorf("deleting %s: %w", seen.GetName(), err)
	}
	return nil
}

// span tells of a write in the trace of the pass that it belongs to.
func (a *Applier) span(ctx context.Context, verb string, obj client.Object) (context.Context, trace.Span) {
	what := verb
	if gvk, err := a.client.GroupVersionKindFor(obj); err == nil {
		what += " " + gvk.Kind
	}
	return otel.Tracer("yingda/apply").Start(ctx, what, //nolint:spancheck // The caller ends it.
		trace.WithAttributes(attribute.String("yingda.object", obj.GetName())))
}

// Outcome is what became of a status.
type Outcome int

// The outcomes.
const (
	// Unchanged is that of a status which is there already.
	Unchanged Outcome = iota
	Written
	// Behind says that the cache was behind, or the object is gone.
	Behind
)

// CatchUp is when to look again after Behind.
const CatchUp = 100 * time.Millisecond

// Status applies the whole status of an object that was read from the cache, and says what became of it. A status type belongs
// to one controller, so that the apply holds every field of it.
//
// The apply holds for the version that was read. When the cache was behind nothing is written: a status made from an old one
// would forget transitions and announce them twice. The controller looks again, since what it wrote itself may not wake it.
func (a *Applier) Status(ctx context.Context, seen client.Object, status any) (Outcome, error) {
	gvk, err := a.client.GroupVersionKindFor(seen)
	if err != nil {
		return Unchanged, fmt.Errorf("finding the kind of %s: %w", seen.GetName(), err)
	}
	content, err := toMap(status)
	if err != nil {
		return Unchanged, err
	}
	same, err := upToDate(map[string]any{"status": content}, seen, a.manager, "status")
	if err != nil {
		return Unchanged, fmt.Errorf("comparing the status of %s %s: %w", gvk.Kind, seen.GetName(), err)
	}
	if same {
		return Unchanged, nil
	}
	applied := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": gvk.GroupVersion().String(),
		"kind":       gvk.Kind,
		"metadata": map[string]any{
			"name": seen.GetName(), "namespace": seen.GetNamespace(), "resourceVersion": seen.GetResourceVersion(),
		},
		"status": content,
	}}
	ctx, span := otel.Tracer("yingda/apply").Start(ctx, "status")
	defer span.End()
	err = a.client.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(applied), client.FieldOwner(a.manager), client.ForceOwnership)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return Behind, nil
	}
	if err != nil {
		return Unchanged, fmt.Errorf("applying the status of %s %s: %w", gvk.Kind, seen.GetName(), err)
	}
	a.echoes.note(applied)
	return Written, nil
}

// cached returns the object as the cache has it, to be looked at alone, nil when it has none.
func (a *Applier) cached(ctx context.Context, want client.Object) (client.Object, error) {
	kind := want.GetObjectKind().GroupVersionKind()
	made, err := a.client.Scheme().New(kind)
	if err != nil {
		return nil, fmt.Errorf("making an empty object: %w", err)
	}
	current, ok := made.(client.Object)
	if !ok {
		return nil, fmt.Errorf("%s is no object", kind.Kind)
	}
	if err := a.client.Get(ctx, client.ObjectKeyFromObject(want), current, client.UnsafeDisableDeepCopy); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil // Absence is an answer, not a failure.
		}
		return nil, fmt.Errorf("getting from the cache: %w", err)
	}
	return current, nil
}

func (a *Applier) refuseForeign(ctx context.Context, owner, want client.Object) error {
	there := &metav1.PartialObjectMetadata{}
	there.SetGroupVersionKind(want.GetObjectKind().GroupVersionKind())
	err := a.live.Get(ctx, client.ObjectKeyFromObject(want), there)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("looking for one of the same name: %w", err)
	case !metav1.IsControlledBy(there, owner):
		return ErrForeign
	}
	return nil
}

// toMap turns a typed value into the map that its JSON describes, with integers kept as int64.
func toMap(value any) (map[string]any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("encoding what is to be applied: %w", err)
	}
	return decode(data)
}

func decode(data []byte) (map[string]any, error) {
	var out map[string]any
	if err := utiljson.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("decoding what is to be applied: %w", err)
	}
	return out, nil
}

// Reference names a rendered object.
type Reference struct {
	Kind schema.GroupKind
	Name string
}

// ReferenceTo names what a rendered object will be.
func ReferenceTo(rendered runtime.ApplyConfiguration) (Reference, error) {
	obj, err := metadataOf(rendered)
	if err != nil {
		return Reference{}, err
	}
	return Reference{Kind: obj.GroupVersionKind().GroupKind(), Name: obj.Name}, nil
}

// named is what every generated apply configuration of an object can say.
type named interface {
	GetAPIVersion() *string
	GetKind() *string
	GetNamespace() *string
	GetName() *string
}

// metadataOf says which object is rendered, without encoding all of it: passes ask for that far more often than they write.
func metadataOf(rendered runtime.ApplyConfiguration) (*metav1.PartialObjectMetadata, error) {
	n, ok := rendered.(named)
	if !ok {
		return nil, fmt.Errorf("%T is not the apply configuration of an object", rendered)
	}
	obj := &metav1.PartialObjectMetadata{}
	for field, value := range map[*string]*string{
		&obj.APIVersion: n.GetAPIVersion(), &obj.Kind: n.GetKind(), &obj.Namespace: n.GetNamespace(), &obj.Name: n.GetName(),
	} {
		if value != nil {
			*field = *value
		}
	}
	return obj, nil
}
