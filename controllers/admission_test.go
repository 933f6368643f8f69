package controllers_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/controllers"
)

// admission is a namespace without an operator, in which objects are only tried.
type admission struct {
	t         *testing.T
	client    client.Client
	namespace string
}

func newAdmission(t *testing.T) *admission {
	t.Helper()
	scheme, err := controllers.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(apiServer, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &admission{t: t, client: c, namespace: metav1.NamespaceDefault}
}

// check compares the server's answer with the wanted message; empty means that the object is accepted.
func (a *admission) check(err error, want string) {
	a.t.Helper()
	switch {
	case want == "" && err != nil:
		a.t.Errorf("refused: %v", err)
	case want != "" && err == nil:
		a.t.Errorf("accepted, want a refusal with %q", want)
	case want != "" && !strings.Contains(err.Error(), want):
		a.t.Errorf("refused with %v, want %q", err, want)
	}
}

// attempt is an object to try, and the message of its refusal; empty means that it is accepted.
type attempt struct {
	object client.Object
	want   string
}

// tries creates objects, without keeping them.
func (a *admission) tries(attempts map[string]attempt) {
	a.t.Helper()
	for name, tt := range attempts {
		a.t.Run(name, func(t *testing.T) {
			(&admission{t: t}).check(a.create(t, tt.object), tt.want)
		})
	}
}

// create tries an object, without keeping it.
func (a *admission) create(t *testing.T, object client.Object) error {
	t.Helper()
	object.SetNamespace(a.namespace)
	return a.client.Create(t.Context(), object, client.DryRunAll)
}
