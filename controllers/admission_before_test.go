package controllers_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	channelcontroller "github.com/yingda-dev/yingda/controllers/channel"
)

// beforeGroup has a kind of its own, so that its rules can be changed under an object while other tests have the real ones.
const beforeGroup = "before.yingda.dev"

func TestADedicatedChannelOfBeforeWithALongNameCanBeReportedOnAndGo(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(apiServer, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	crd := channelsOfBefore(t)
	rules := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.XValidations
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.XValidations = nil
	if err := c.Create(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	of := func(name string) *unstructured.Unstructured {
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(dedicatedAccount(name))
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{Object: object}
		u.SetAPIVersion(beforeGroup + "/v1alpha1")
		u.SetKind("Channel")
		u.SetNamespace(metav1.NamespaceDefault)
		u.SetFinalizers([]string{channelcontroller.Finalizer})
		return u
	}
	w := &world{t: t}
	long := of(strings.Repeat("a", 43))
	w.eventually(func() error { return c.Create(t.Context(), long) })

	if err := c.Get(t.Context(), client.ObjectKeyFromObject(crd), crd); err != nil {
		t.Fatal(err)
	}
	crd.Spec.Versions[0].Schema.OpenAPIV3Schema.XValidations = rules
	if err := c.Update(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() error {
		if err := c.Create(t.Context(), of(strings.Repeat("b", 43)), client.DryRunAll); !apierrors.IsInvalid(err) {
			return errors.New("the rule is not in force")
		}
		return nil
	})

	status := map[string]any{"observedGeneration": int64(1)}
	if err := unstructured.SetNestedMap(long.Object, status, "status"); err != nil {
		t.Fatal(err)
	}
	if err := c.Status().Update(t.Context(), long); err != nil {
		t.Errorf("its status cannot be written: %v", err)
	}
	long.SetFinalizers(nil)
	if err := c.Update(t.Context(), long); err != nil {
		t.Errorf("its finalizer cannot be removed: %v", err)
	}
}

// channelsOfBefore is the definition of Channels under a group of their own.
func channelsOfBefore(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "config", "crd", "bases", "yingda.dev_channels.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(content, crd); err != nil {
		t.Fatal(err)
	}
	crd.Spec.Group = beforeGroup
	crd.Spec.Names.ShortNames, crd.Spec.Names.Categories = nil, nil
	crd.Name = crd.Spec.Names.Plural + "." + beforeGroup
	return crd
}
