// Package refs resolves references between resources, and says who keeps what only one of them may have.
//
// References name objects of the same namespace, and calendars of the cluster. A Secret that lacks the label yingda.dev/credentials: "true" is treated
// as if it did not exist, and only the metadata of Secrets is ever read: nothing here can see their contents.
package refs

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// Problem says why a reference does not resolve.
type Problem struct {
	// Reason is a condition reason.
	Reason string
	// Message names the object.
	Message string
}

// Finding is the condition ReferencesResolved: the first problem explains it.
func Finding(problems []Problem) conditions.Condition {
	if len(problems) == 0 {
		return conditions.True(v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved, "Everything that is referred to exists")
	}
	messages := make([]string, 0, len(problems))
	for _, p := range problems {
		messages = append(messages, p.Message)
	}
	return conditions.False(v1alpha1.ConditionReferencesResolved, problems[0].Reason, strings.Join(messages, "; "))
}

// NotFound is the problem of a missing object.
func NotFound(kind, name string) Problem {
	return Problem{Reason: v1alpha1.ReasonNotFound, Message: kind + " " + name + " does not exist in this namespace"}
}

// NotFoundInCluster is the problem of a missing object that belongs to no namespace.
func NotFoundInCluster(kind, name string) Problem {
	return Problem{Reason: v1alpha1.ReasonNotFound, Message: kind + " " + name + " does not exist"}
}

// OfAnotherBrand is the problem of a SkillGroup that exists and serves somebody else.
func OfAnotherBrand(group *v1alpha1.SkillGroup, brand string) Problem {
	return Problem{
		Reason:  v1alpha1.ReasonNotFound,
		Message: "SkillGroup " + group.Name + " belongs to Brand " + group.Spec.BrandRef.Name + ", not to Brand " + brand,
	}
}

// NamesTaken are the problems of objects, each by kind and name, that are somebody else's and in the way.
func NamesTaken(objects []string) []Problem {
	problems := make([]Problem, 0, len(objects))
	for _, object := range objects {
		problems = append(problems, Problem{Reason: v1alpha1.ReasonNameTaken, Message: object + " belongs to somebody else; delete or rename it"})
	}
	return problems
}

// Refused are the problems of objects, each by kind and name and with the reason, that the API server refuses.
func Refused(objects []string) []Problem {
	problems := make([]Problem, 0, len(objects))
	for _, object := range objects {
		problems = append(problems, Problem{Reason: v1alpha1.ReasonNotAccepted, Message: "the API server refuses " + object})
	}
	return problems
}

// Get reads an object into obj and says whether it exists.
func Get(ctx context.Context, reader client.Reader, key types.NamespacedName, obj client.Object) (bool, error) {
	return get(ctx, reader, key, obj)
}

// Look is Get for an object that is only looked at: it is the cache's own and must not be changed.
func Look(ctx context.Context, reader client.Reader, key types.NamespacedName, obj client.Object) (bool, error) {
	return get(ctx, reader, key, obj, client.UnsafeDisableDeepCopy)
}

func get(ctx context.Context, reader client.Reader, key types.NamespacedName, obj client.Object, options ...client.GetOption) (bool, error) {
	err := reader.Get(ctx, key, obj, options...)
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading %s: %w", key.Name, err)
	}
	return true, nil
}

// Secret reads the metadata of a Secret, to be looked at alone; nil when there is none.
func Secret(ctx context.Context, reader client.Reader, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	secret := SecretMetadata()
	exists, err := Look(ctx, reader, key, secret)
	if err != nil || !exists {
		return nil, err
	}
	return secret, nil
}

// Secrets reads the metadata of Secrets of a namespace, by name; those that do not exist are left out.
func Secrets(ctx context.Context, reader client.Reader, namespace string, names ...string) (map[string]*metav1.PartialObjectMetadata, error) {
	found := map[string]*metav1.PartialObjectMetadata{}
	for _, name := range names {
		secret, err := Secret(ctx, reader, types.NamespacedName{Namespace: namespace, Name: name})
		if err != nil {
			return nil, err
		}
		if secret != nil {
			found[name] = secret
		}
	}
	return found, nil
}

// SecretMetadata is an empty object by which the metadata of a Secret is read and watched.
func SecretMetadata() *metav1.PartialObjectMetadata {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "Secret"})
	return secret
}

// CheckCredentials says what keeps a Secret from being used as credentials; nil when nothing does.
func CheckCredentials(name string, secret *metav1.PartialObjectMetadata) *Problem {
	if secret == nil {
		problem := NotFound("Secret", name)
		return &problem
	}
	if secret.Labels[v1alpha1.CredentialsLabel] != "true" {
		return &Problem{
			Reason:  v1alpha1.ReasonNotLabelled,
			Message: "Secret " + name + " does not carry the label " + v1alpha1.CredentialsLabel + `: "true"`,
		}
	}
	return nil
}
