package controllers_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// sample builds the objects of a folder under config/samples, as kubectl apply -k sends them into the namespace.
func sample(t *testing.T, folder string) []client.Object {
	t.Helper()
	build := exec.CommandContext(t.Context(), filepath.Join("..", "bin", "k8s", "kubectl"), "kustomize", filepath.Join("..", "config", "samples", folder))
	var said bytes.Buffer
	build.Stderr = &said
	text, err := build.Output()
	if err != nil {
		t.Fatalf("building %s (make bin/k8s builds kubectl): %v\n%s", folder, err, &said)
	}
	objects := objectsIn(t, folder, text)
	return slices.DeleteFunc(objects, func(obj client.Object) bool { return obj.GetObjectKind().GroupVersionKind().Kind == "Namespace" })
}

// calendars are the cluster's, which no brand's folder brings.
func calendars(t *testing.T) []client.Object {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "config", "calendars", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no calendars: %v", err)
	}
	var objects []client.Object
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, objectsIn(t, file, text)...)
	}
	return objects
}

// objectsIn reads YAML of the name.
func objectsIn(t *testing.T, name string, text []byte) []client.Object {
	t.Helper()
	var objects []client.Object
	reader := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		obj := &unstructured.Unstructured{}
		if err := reader.Decode(obj); errors.Is(err, io.EOF) {
			return objects
		} else if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		objects = append(objects, obj)
	}
}

// every lists the objects of a kind; a sample without any is missing something.
func (w *world) every(list client.ObjectList) []client.Object {
	w.t.Helper()
	objects, err := listed(w.t.Context(), w.client, list, w.namespace)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(objects) == 0 {
		w.t.Errorf("the sample has no %T", list)
	}
	return objects
}

// kinds are those that a brand's folder has.
func kinds() []client.ObjectList {
	return []client.ObjectList{
		&v1alpha1.BrandList{}, &v1alpha1.ChannelList{}, &v1alpha1.SkillGroupList{}, &v1alpha1.ShiftScheduleList{},
		&v1alpha1.AgentList{}, &v1alpha1.PlaybookList{}, &v1alpha1.ServiceLevelList{},
		&v1alpha1.HolidayCalendarList{},
	}
}

// apply brings a folder to Ready, as it is.
func (w *world) apply(folder string) {
	w.t.Helper()
	strict := client.WithFieldValidation(w.client, "Strict")
	for _, obj := range calendars(w.t) {
		if err := strict.Create(w.t.Context(), obj); err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() {
			if err := w.client.Delete(context.Background(), obj); err != nil {
				w.t.Error(err)
			}
		})
	}
	for _, obj := range sample(w.t, folder) {
		obj.SetNamespace(w.namespace)
		if err := strict.Create(w.t.Context(), obj); err != nil {
			w.t.Fatal(err)
		}
	}
	var pools []string
	for _, obj := range w.every(&v1alpha1.ChannelList{}) {
		w.data.say(obj.GetName(), configz.Channel{Credentials: configz.CredentialsAccepted, WebhookCalled: true})
		pools = append(pools, dataplane.PoolOf(obj.(*v1alpha1.Channel)))
	}
	for _, obj := range w.every(&v1alpha1.BrandList{}) {
		brand := obj.GetName()
		w.makeLogins(obj.(*v1alpha1.Brand))
		w.finishSetup(brand)
		w.run(brand+"-router", brand+"-workflows", brand+"-desk")
		for _, pool := range pools {
			w.run(dataplane.WorkloadName(brand, pool))
		}
	}
	for _, list := range kinds() {
		for _, obj := range w.every(list) {
			w.waitFor(obj, obj.GetName(), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		}
	}
}

func TestEverySampleAppliesAsItIsAndBecomesReady(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join("..", "config", "samples"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			w := newWorld(t)
			w.apply(folder.Name())
			for _, obj := range w.every(&v1alpha1.AgentList{}) {
				if err := w.get(obj.GetName()+"-trial-token", &corev1.Secret{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestASampleGoesSecretsAndAllInAnyOrder(t *testing.T) {
	for order, arrange := range map[string]func([]client.Object){
		"as it was applied": func([]client.Object) {},
		"backwards":         slices.Reverse[[]client.Object],
	} {
		t.Run(order, func(t *testing.T) {
			w := newWorld(t)
			w.apply("qiming")
			objects := sample(t, "qiming")
			arrange(objects)
			for _, obj := range objects {
				w.remove(obj, obj.GetName())
			}
			for _, obj := range objects {
				w.gone(obj, obj.GetName())
			}
			if notes := w.events(v1alpha1.ReasonDrainIncomplete); len(notes) > 0 {
				t.Errorf("a Channel with nothing on its way is said not to have drained: %q", notes)
			}
		})
	}
}

// makeLogins makes the Secrets of the database that the folder leaves to whoever makes the database.
func (w *world) makeLogins(brand *v1alpha1.Brand) {
	w.t.Helper()
	names := []string{brand.Spec.Postgres.SecretRef.Name}
	if ref := brand.Spec.Postgres.ConnectorSecretRef; ref != nil {
		names = append(names, ref.Name)
	}
	for _, name := range names {
		if err := w.get(name, &corev1.Secret{}); apierrors.IsNotFound(err) {
			w.create(secret(name))
		} else if err != nil {
			w.t.Fatal(err)
		}
	}
}
