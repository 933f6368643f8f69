package apply

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// forbidden is the API server's refusal of a Service, for the causes if any.
func forbidden(causes ...metav1.CauseType) error {
	err := apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "a", errors.New("no"))
	for _, cause := range causes {
		err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: cause})
	}
	return err
}

func TestTheEndOfANamespaceIsNoErrorAndNoRefusal(t *testing.T) {
	for name, tt := range map[string]struct {
		answer           error
		ignored, refused bool
	}{
		"taken":                                {nil, true, false},
		"in a namespace that is being deleted": {forbidden(corev1.NamespaceTerminatingCause), true, false},
		"forbidden":                            {forbidden(), false, true},
		"forbidden for another cause":          {forbidden("Other"), false, true},
		"out of reach":                         {errors.New("connection refused"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := interceptor.NewClient(fake.NewClientBuilder().Build(), interceptor.Funcs{
				Apply: func(context.Context, client.WithWatch, runtime.ApplyConfiguration, ...client.ApplyOption) error {
					return tt.answer
				},
			})
			owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "owner", UID: "1"}}
			refusal, err := New(c, c, "channel").Refusable(t.Context(), owner, corev1ac.Service("a", "lumi"))
			if (refusal != "") != tt.refused || tt.refused && err != nil {
				t.Errorf("refusal %q and error %v, want a refusal: %t", refusal, err, tt.refused)
			}
			if tt.answer != nil {
				tt.answer = fmt.Errorf("making it: %w", tt.answer)
			}
			if got := IgnoreNamespaceEnd(tt.answer); (got == nil) != tt.ignored {
				t.Errorf("what is left is %v, want nothing: %t", got, tt.ignored)
			}
		})
	}
}
