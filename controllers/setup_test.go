package controllers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
)

func TestAFailedSetupSaysWhyAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(secret("lumi-postgres"), brand("lumi"))
	failed := w.failSetup("lumi", "connecting to postgres://lumi:hunter2@db: connection refused")
	lumi := &v1alpha1.Brand{}
	found := w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed)
	if want := "connecting to postgres://***@db: connection refused"; found.Message != want {
		t.Errorf("message is %q, want %q", found.Message, want)
	}
	if err := w.get("lumi-router", &appsv1.Deployment{}); err == nil {
		t.Error("the router runs though nothing is set up")
	}
	w.clock.advance(time.Minute)
	nudge(w, "lumi", lumi)
	w.eventually(func() error {
		if job := w.setupJob("lumi"); job.UID == failed.UID {
			return errors.New("the failed Job is still there")
		}
		return nil
	})
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed)
	w.finishSetup("lumi")
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
}

func TestASetupThatGoesOnTryingSaysWhatKeepsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.data.fail("Kafka is out of reach: dial tcp: lookup kafka.infra: no such host; check spec.kafka.bootstrapServers and the network")
	w.create(secret("lumi-postgres"), brand("lumi"))
	lumi := &v1alpha1.Brand{}
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioning)
	w.runPod("lumi-setup-pod", w.setupJob("lumi").Spec.Template.Labels)
	found := w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed)
	if !strings.HasPrefix(found.Message, "Kafka is out of reach") {
		t.Errorf("message is %q", found.Message)
	}
	w.settled()
	before := w.writes.count()
	nudge(w, "lumi", lumi)
	w.settled()
	if writes := w.writes.since(before); len(writes) > 0 {
		t.Errorf("as long as it is kept by the same, the operator writes %q", writes)
	}

	w.data.fail("Temporal is out of reach")
	w.eventually(func() error {
		if found = w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioningFailed); found.Message != "Temporal is out of reach" {
			return fmt.Errorf("message is %q", found.Message)
		}
		return nil
	})
	w.data.do("the index seen_by of contact (building index: scanning table, 40 %)")
	found = w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioning)
	if !strings.HasSuffix(found.Message, " are being set up: the index seen_by of contact (building index: scanning table, 40 %)") {
		t.Errorf("message is %q", found.Message)
	}
	w.finishSetup("lumi")
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
}

func TestAnotherConnectionIsSetUpAnewBeforePodsRoll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	before := w.setupJob("lumi")
	change(w, "lumi", &v1alpha1.Brand{}, func(b *v1alpha1.Brand) { b.Spec.Kafka.BootstrapServers = []string{"kafka.other:9092"} })
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioning)
	w.eventually(func() error {
		if job := w.setupJob("lumi"); job.Name == before.Name {
			return errors.New("the Job of the old connection is still there")
		}
		return nil
	})
	router := &appsv1.Deployment{}
	if err := w.get("lumi-router", router); err != nil {
		t.Fatal(err)
	}
	if args := strings.Join(router.Spec.Template.Spec.Containers[0].Args, " "); strings.Contains(args, "kafka.other") {
		t.Errorf("the router was rolled before the setup was done: %s", args)
	}
	w.finishSetup("lumi")
	w.eventually(func() error {
		if err := w.get("lumi-router", router); err != nil {
			return err
		}
		if args := strings.Join(router.Spec.Template.Spec.Containers[0].Args, " "); !strings.Contains(args, "kafka.other") {
			return fmt.Errorf("the router has %s", args)
		}
		return nil
	})
}
