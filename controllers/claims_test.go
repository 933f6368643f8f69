package controllers_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// connectedAs gives a Brand the connections of another one.
func connectedAs(other string) map[string]func(*v1alpha1.Brand) {
	return map[string]func(*v1alpha1.Brand){
		v1alpha1.ReasonDuplicateTemporalNamespace: func(b *v1alpha1.Brand) { b.Spec.Temporal.Namespace = b.Namespace + "-" + other },
		v1alpha1.ReasonDuplicateDatabase:          func(b *v1alpha1.Brand) { b.Spec.Postgres.SecretRef.Name = other + "-postgres" },
	}
}

func TestOfTwoBrandsWithOneConnectionTheLaterWaits(t *testing.T) {
	t.Parallel()
	for reason, connected := range connectedAs("lumi") {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.servedBrand("lumi")
			// Later by name, should both be of one second.
			later := brand("moon")
			later.Namespace = w.namespace
			connected(later)
			w.create(secret("moon-postgres"), skillGroup("moon-everybody", "moon"), later, secret("shop-wechat"), channel("shop", "moon"))
			moon := &v1alpha1.Brand{}
			blamed := w.waitFor(moon, "moon", v1alpha1.ConditionReferencesResolved, reason)
			if !strings.Contains(blamed.Message, "Brand lumi has ") {
				t.Errorf("message %q does not name the Brand that has it", blamed.Message)
			}
			w.waitFor(moon, "moon", v1alpha1.ConditionProvisioned, v1alpha1.ReasonAwaitingReferences)
			w.settled()
			w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
			if err := w.nothingRuns("moon"); err != nil {
				t.Error(err)
			}

			w.remove(&v1alpha1.Brand{}, "lumi")
			w.waitFor(moon, "moon", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
			w.finishSetup("moon")
			w.run("moon-router", "moon-workflows", "moon-desk", "moon-miniprogram")
			w.waitFor(moon, "moon", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		})
	}
}

// nothingRuns says whether a Brand has neither a setup nor pods of its own.
func (w *world) nothingRuns(brand string) error {
	var jobs batchv1.JobList
	var deployments appsv1.DeploymentList
	ofBrand := client.MatchingLabels{dataplane.LabelBrand: brand}
	for _, list := range []client.ObjectList{&jobs, &deployments} {
		if err := w.client.List(w.t.Context(), list, client.InNamespace(w.namespace), ofBrand); err != nil {
			return err
		}
	}
	if len(jobs.Items)+len(deployments.Items) > 0 {
		return errors.New("the Brand is set up, or served")
	}
	return nil
}

func TestABrandThatTakesAnothersConnectionIsNotRolledAndThePoolNeither(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedBrand("moon")
	w.servedChannel("shop", "moon")
	before := w.template("moon-router")
	moon := &v1alpha1.Brand{}
	change(w, "moon", moon, connectedAs("lumi")[v1alpha1.ReasonDuplicateDatabase])
	w.waitFor(moon, "moon", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateDatabase)
	change(w, "shop", &v1alpha1.Channel{}, func(c *v1alpha1.Channel) { c.Spec.Scaling.MinReplicas = 3 })
	w.settled()
	after, pool := w.template("moon-router"), &appsv1.Deployment{}
	if err := w.get("moon-miniprogram", pool); err != nil {
		t.Fatal(err)
	}
	if mounts := mounted(after.Spec); after.Spec.Containers[0].Image != before.Spec.Containers[0].Image || mounts[0] != "moon-postgres" {
		t.Errorf("the router was rolled: it mounts %v", mounts)
	}
	if mounts := mounted(pool.Spec.Template.Spec); *pool.Spec.Replicas != 1 || mounts[0] != "moon-postgres" {
		t.Errorf("the pool was rolled: %d replicas mount %v", *pool.Spec.Replicas, mounts)
	}
	change(w, "moon", moon, connectedAs("moon")[v1alpha1.ReasonDuplicateDatabase])
	w.waitFor(moon, "moon", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}

func TestAnOlderBrandThatComesToAYoungersDatabaseGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedBrand("moon")
	lumi, moon := &v1alpha1.Brand{}, &v1alpha1.Brand{}
	change(w, "lumi", lumi, connectedAs("moon")[v1alpha1.ReasonDuplicateDatabase])
	blamed := w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateDatabase)
	if want := "Brand moon has the database of Secret moon-postgres already"; !strings.Contains(blamed.Message, want) {
		t.Errorf("message %q does not say that %q", blamed.Message, want)
	}
	// Whatever else changes of the younger one, it stays where it was set up.
	change(w, "moon", moon, func(b *v1alpha1.Brand) { b.Spec.DisplayName = "月亮" })
	w.settled()
	w.waitFor(moon, "moon", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateDatabase)
	if mounts := mounted(w.template("lumi-router").Spec); mounts[0] != "lumi-postgres" {
		t.Errorf("the router was rolled: it mounts %v", mounts)
	}
}

func TestADatabaseIsFreeOnceItsBrandIsSetUpElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi, moon := &v1alpha1.Brand{}, &v1alpha1.Brand{}
	w.create(secret("elsewhere"))
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Postgres.SecretRef.Name = "elsewhere" })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioning)
	w.create(skillGroup("moon-everybody", "moon"), brand("moon", connectedAs("lumi")[v1alpha1.ReasonDuplicateDatabase]))
	w.waitFor(moon, "moon", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateDatabase)
	w.finishSetup("lumi")
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
	w.waitFor(moon, "moon", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}

func TestABrandTakesNothingAlongThatAnotherOneDeclares(t *testing.T) {
	t.Parallel()
	for reason, connected := range connectedAs("lumi") {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.servedBrand("lumi")
			moon := brand("moon", removable)
			moon.Namespace = w.namespace
			connected(moon)
			w.create(secret("moon-postgres"), skillGroup("moon-everybody", "moon"), moon)
			w.waitFor(&v1alpha1.Brand{}, "moon", v1alpha1.ConditionReferencesResolved, reason)
			w.remove(&v1alpha1.Brand{}, "moon")
			w.gone(&v1alpha1.Brand{}, "moon")
			w.eventually(func() error {
				if notes := w.events(v1alpha1.ReasonTeardownIncomplete); len(notes) != 1 || !strings.Contains(notes[0], "another Brand declares the same") {
					return fmt.Errorf("events are %q, want one that says why the data is left", notes)
				}
				return nil
			})
			if err := w.nothingRuns("moon"); err != nil {
				t.Error(err)
			}
			w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
		})
	}
}
