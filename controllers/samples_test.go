package controllers_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/configz"
)

// sample reads the objects of a folder under config/samples, as kubectl apply -k would send them into the namespace.
func sample(t *testing.T, folder string) []client.Object {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "config", "samples", folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sample %s: %v", folder, err)
	}
	var objects []client.Object
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
		for {
			obj := &unstructured.Unstructured{}
			if err := reader.Decode(obj); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if kind := obj.GetKind(); kind != "Kustomization" && kind != "Namespace" {
				objects = append(objects, obj)
			}
		}
	}
	return objects
}

func TestTheSampleBrandAppliesAsItIsAndBecomesReady(t *testing.T) {
	w := newWorld(t)
	strict := client.WithFieldValidation(w.client, "Strict")
	for _, obj := range sample(t, "lumi") {
		obj.SetNamespace(w.namespace)
		if err := strict.Create(t.Context(), obj); err != nil {
			t.Fatal(err)
		}
	}
	w.data.say("shop", configz.Channel{Credentials: configz.CredentialsAccepted, WebhookCalled: true})
	w.create(secret("lumi-postgres"), secret("lumi-postgres-connector"))
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk", "lumi-miniprogram")
	for _, list := range []client.ObjectList{
		&v1alpha1.BrandList{}, &v1alpha1.ChannelList{}, &v1alpha1.SkillGroupList{}, &v1alpha1.ShiftScheduleList{},
		&v1alpha1.AgentList{}, &v1alpha1.PlaybookList{}, &v1alpha1.ServiceLevelList{},
	} {
		objects, err := listed(t.Context(), w.client, list, w.namespace)
		if err != nil {
			t.Fatal(err)
		}
		if len(objects) == 0 {
			t.Errorf("the sample has no %T", list)
		}
		for _, obj := range objects {
			w.waitFor(obj, obj.GetName(), v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		}
	}
	if err := w.get("xiaomei-trial-token", &corev1.Secret{}); err != nil {
		t.Error(err)
	}
}
