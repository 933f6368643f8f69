package apply

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

func invalid(errs ...*field.Error) error {
	return apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "a", errs)
}

func TestWhatIsRefusedIsNamedInTheOrderInWhichItIsRendered(t *testing.T) {
	long := field.Invalid(field.NewPath("metadata", "name"), "long", "must be no more than 63 characters")
	for name, tt := range map[string]struct {
		answers map[string]error
		// want are the objects that are refused with why, nil where the error is another one, if there is any.
		want   []string
		fails  bool
		writes int
	}{
		"everything is taken":                      {nil, nil, false, 4},
		"one is invalid":                           {map[string]error{"b": invalid(long)}, []string{`Service b: Invalid: metadata.name: Invalid value: "long": must be no more than 63 characters`}, true, 3},
		"one is invalid, of which nothing is said": {map[string]error{"b": invalid()}, []string{"Service b: Invalid"}, true, 3},
		"all are forbidden":                        {map[string]error{"a": forbidden(), "b": forbidden(), "c": forbidden()}, []string{"ServiceAccount a: Forbidden", "Service b: Forbidden", "ConfigMap c: Forbidden"}, true, 3},
		"one of the next phase is forbidden":       {map[string]error{"d": forbidden()}, []string{"Pod d: Forbidden"}, true, 4},
		"another one cannot be reached":            {map[string]error{"a": errors.New("connection refused"), "b": forbidden()}, nil, true, 3},
		"the namespace is being deleted":           {map[string]error{"a": forbidden(corev1.NamespaceTerminatingCause)}, nil, true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			server := make(chan string, 4)
			c := interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
				Apply: func(_ context.Context, _ client.WithWatch, object runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
					encoded, err := json.Marshal(object)
					if err != nil {
						return err
					}
					var sent metav1.PartialObjectMetadata
					if err := json.Unmarshal(encoded, &sent); err != nil {
						return err
					}
					server <- sent.Name
					return tt.answers[sent.Name]
				},
			})
			owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "owner", UID: "1"}}
			identity := Phase{corev1ac.ServiceAccount("a", "lumi"), corev1ac.Service("b", "lumi"), corev1ac.ConfigMap("c", "lumi")}
			_, err := New(c, c, "channel").Objects(t.Context(), owner, identity, Phase{corev1ac.Pod("d", "lumi")})
			var got []string
			if refusals, ok := errors.AsType[*RefusedError](err); ok {
				for _, refusal := range refusals.Refusals {
					got = append(got, refusal.Object+": "+refusal.Why())
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
			if (err != nil) != tt.fails || len(server) != tt.writes {
				t.Errorf("error %v after %d writes, want one: %t, after %d", err, len(server), tt.fails, tt.writes)
			}
		})
	}
}
