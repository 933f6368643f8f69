package controllers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
)

func TestABrandsFolderBecomesReadyAndThenNothingIsWritten(t *testing.T) {
	w := newWorld(t)
	// In the order in which nothing resolves at first.
	w.create(
		agent("xiaomei", "lumi", map[string]string{"team": "after-sales"}),
		channel("shop", "lumi", func(c *v1alpha1.Channel) {
			c.Spec.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"}
			c.Spec.Routing = []v1alpha1.RoutingRule{{
				Name: "refunds", When: v1alpha1.RoutingMatch{Keywords: []string{"退款"}},
				SkillGroupRef: v1alpha1.SkillGroupReference{Name: "after-sales"},
			}}
		}),
		skillGroup("after-sales", "lumi"), skillGroup("lumi-everybody", "lumi"),
		brand("lumi", func(b *v1alpha1.Brand) {
			b.Spec.Defaults.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"}
			b.Spec.Defaults.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
		}),
		naming(alwaysOpen("online"), w.namespace), playbook("shop"), serviceLevel("standard"),
		secret("lumi-postgres"), secret("shop-wechat"),
	)
	w.createCalendar(calendar(w.namespace, day("2026-10-01", v1alpha1.CalendarDayOff)))
	w.data.say("shop", accepted())
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk", "lumi-miniprogram")
	all := map[string]client.Object{
		"lumi": &v1alpha1.Brand{}, "shop": &v1alpha1.Channel{}, "after-sales": &v1alpha1.SkillGroup{}, "xiaomei": &v1alpha1.Agent{},
		"online": &v1alpha1.ShiftSchedule{}, "standard": &v1alpha1.ServiceLevel{}, w.namespace: &v1alpha1.HolidayCalendar{},
	}
	for name, obj := range all {
		w.waitFor(obj, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}
	w.waitFor(&v1alpha1.Playbook{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.settled()

	t.Run("a second look at everything writes nothing", func(t *testing.T) {
		before := w.writes.count()
		// A label that nobody cares for makes every controller look again.
		for name, obj := range all {
			nudge(w, name, obj)
		}
		nudge(w, "shop", &v1alpha1.Playbook{})
		w.settled()
		if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
	t.Run("a restart writes nothing", func(t *testing.T) {
		w.halt()
		before := w.writes.count()
		w.start()
		w.settled()
		if diff := cmp.Diff([]string(nil), w.writes.since(before), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
	t.Run("the status says where to go", func(t *testing.T) {
		shop, lumi, online := &v1alpha1.Channel{}, &v1alpha1.Brand{}, &v1alpha1.ShiftSchedule{}
		if err := errors.Join(w.get("shop", shop), w.get("lumi", lumi), w.get("online", online)); err != nil {
			t.Fatal(err)
		}
		if url := shop.Status.WebhookURL; !strings.HasPrefix(url, "http://127.0.0.1:3") || !strings.HasSuffix(url, "/"+w.namespace+"/shop") {
			t.Errorf("webhookURL is %q", url)
		}
		if !strings.HasPrefix(lumi.Status.DeskURL, "http://127.0.0.1:3") {
			t.Errorf("deskURL is %q", lumi.Status.DeskURL)
		}
		if diff := cmp.Diff(&v1alpha1.ConnectorStatus{Name: "lumi-miniprogram", ReplicasStatus: v1alpha1.ReplicasStatus{WantedReplicas: 1, ReadyReplicas: 1, Reason: "as many as always run"}}, shop.Status.Connector); diff != "" {
			t.Errorf("connector (-want +got):\n%s", diff)
		}
		if online.Status.Open != metav1.ConditionTrue || online.Status.CurrentShift != "all-day" {
			t.Errorf("schedule status is %+v", online.Status)
		}
	})
	t.Run("what somebody else changes is put back", func(*testing.T) {
		change(w, "lumi-router", &appsv1.Deployment{}, func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Containers[0].Image = "elsewhere:latest"
		})
		w.eventually(func() error {
			d := &appsv1.Deployment{}
			if err := w.get("lumi-router", d); err != nil {
				return err
			}
			if image := d.Spec.Template.Spec.Containers[0].Image; image != "yingda:test" {
				return fmt.Errorf("image is %s", image)
			}
			return nil
		})
	})
}

func nudge(w *world, name string, obj client.Object) {
	w.t.Helper()
	change(w, name, obj, func(obj client.Object) {
		labels := obj.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels["nudged"] = "true"
		obj.SetLabels(labels)
	})
}

func TestAChannelIsReadyOnlyOnceEveryReplicaServesItsGeneration(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	shop := &v1alpha1.Channel{}

	w.data.hold("Channel", "shop", 1)
	change(w, "shop", shop, func(c *v1alpha1.Channel) { c.Spec.DisplayName = "露米商城" })
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonAwaitingReload)
	w.data.release("Channel", "shop")
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)

	w.data.say("shop", configz.Channel{Credentials: configz.CredentialsRejected, Message: "40001 invalid credential", WebhookCalled: true})
	nudge(w, "shop", shop)
	rejected := w.waitFor(shop, "shop", v1alpha1.ConditionCredentialsValid, v1alpha1.ReasonRejected)
	if want := "The platform refused the credentials: 40001 invalid credential"; rejected.Message != want {
		t.Errorf("message is %q, want %q", rejected.Message, want)
	}
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonRejected)
	w.waitFor(shop, "shop", v1alpha1.ConditionWebhookVerified, v1alpha1.ReasonVerified)
	// A restarted replica has forgotten who called.
	w.data.say("shop", accepted())
	nudge2(w, shop)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(shop, "shop", v1alpha1.ConditionWebhookVerified, v1alpha1.ReasonVerified)
}

func TestAnEditThatReplicasLoadInAMomentIsOneStatus(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.settled()
	shop := &v1alpha1.Channel{}

	w.data.hold("Channel", "shop", 1)
	writes, asked := w.writes.count(), w.data.asks()
	change(w, "shop", shop, func(c *v1alpha1.Channel) { c.Spec.DisplayName = "露米商城" })
	w.eventually(func() error {
		if w.data.asks() == asked {
			return errors.New("nobody was asked for the edit")
		}
		return nil
	})
	w.data.release("Channel", "shop")
	w.eventually(func() error {
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(shop), shop); err != nil {
			return err
		}
		if shop.Status.ObservedGeneration != shop.Generation {
			return fmt.Errorf("the status is of generation %d, want %d", shop.Status.ObservedGeneration, shop.Generation)
		}
		return nil
	})
	w.settled()
	want := []string{"PATCH /apis/yingda.dev/v1alpha1/namespaces/" + w.namespace + "/channels/shop/status"}
	if diff := cmp.Diff(want, w.writes.since(writes)); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// nudge2 makes the controller of a Channel look again.
func nudge2(w *world, shop *v1alpha1.Channel) {
	w.t.Helper()
	change(w, shop.Name, shop, func(c *v1alpha1.Channel) { c.Labels = map[string]string{"nudged": "again"} })
}

func TestReferencesHealAtOnce(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.data.say("shop", accepted())
	w.create(channel("shop", "lumi", func(c *v1alpha1.Channel) {
		c.Spec.PlaybookRef = &v1alpha1.PlaybookReference{Name: "shop"}
		c.Spec.ServiceLevelRef = &v1alpha1.ServiceLevelReference{Name: "standard"}
		c.Spec.MiniProgram.APIBaseURL = "http://10.97.0.1:8090"
	}))
	w.run("lumi-miniprogram")
	shop := &v1alpha1.Channel{}
	missing := w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	for _, want := range []string{"Secret shop-wechat", "Playbook shop", "ServiceLevel standard"} {
		if !strings.Contains(missing.Message, want) {
			t.Errorf("message %q does not name %s", missing.Message, want)
		}
	}
	credentials := unlabelledSecret("shop-wechat")
	w.create(playbook("shop"), serviceLevel("standard"), credentials)
	w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotLabelled)
	role := &rbacv1.Role{}
	if err := w.get("lumi-miniprogram", role); err != nil {
		t.Fatal(err)
	}
	if len(secretRules(role)) != 0 {
		t.Errorf("the pool may read a Secret without the label: %+v", role.Rules)
	}
	change(w, "shop-wechat", credentials, func(s *corev1.Secret) { s.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"} })
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.eventually(func() error {
		if err := w.get("lumi-miniprogram", role); err != nil {
			return err
		}
		if diff := cmp.Diff([]string{"shop-wechat"}, secretRules(role)); diff != "" {
			return fmt.Errorf("Secrets that the pool may read (-want +got):\n%s", diff)
		}
		return nil
	})
}

func secretRules(role *rbacv1.Role) []string {
	var names []string
	for _, rule := range role.Rules {
		for _, kind := range rule.Resources {
			if kind == "secrets" {
				names = append(names, rule.ResourceNames...)
			}
		}
	}
	return names
}

func TestCustomersWhomNoRuleClaimsNeedAGroup(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	lumi, shop := &v1alpha1.Brand{}, &v1alpha1.Channel{}

	w.create(skillGroup("theirs", "moon"))
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Defaults.SkillGroupRef.Name = "theirs" })
	foreign := w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
	if want := "ReferencesResolved: SkillGroup theirs belongs to Brand moon, not to Brand lumi"; foreign.Message != want {
		t.Errorf("message is %q, want %q", foreign.Message, want)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.Defaults.SkillGroupRef = nil })
	missing := w.waitFor(shop, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "set spec.defaults.skillGroupRef of Brand lumi"; !strings.Contains(missing.Message, want) {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) {
		b.Spec.Defaults.SkillGroupRef = &v1alpha1.SkillGroupReference{Name: "lumi-everybody"}
	})
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestAnAddressThatIsNotAllowedIsACondition(t *testing.T) {
	w := newWorld(t)
	w.create(channel("shop", "lumi", func(c *v1alpha1.Channel) { c.Spec.MiniProgram.APIBaseURL = "https://evil.example" }),
		secret("shop-wechat"), brand("lumi"))
	w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonAddressNotAllowed)
}

func TestOfTwoChannelsWithOneAccountTheLaterIsBlamed(t *testing.T) {
	w := newWorld(t)
	appID := uniqueAppID()
	same := func(c *v1alpha1.Channel) { c.Spec.MiniProgram.AppID = appID }
	w.create(secret("lumi-postgres"), brand("lumi"), secret("first-wechat"), secret("second-wechat"))
	w.create(channel("first", "lumi", same), channel("second", "lumi", same))
	w.waitFor(&v1alpha1.Channel{}, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateAccount)
	w.waitFor(&v1alpha1.Channel{}, "first", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	w.remove(&v1alpha1.Channel{}, "first")
	w.waitFor(&v1alpha1.Channel{}, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}

func TestAnAccountIsFreeOnceEveryReplicaConfirmsThatItsChannelIsDeleted(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("first", "lumi")
	first, second := &v1alpha1.Channel{}, &v1alpha1.Channel{}
	if err := w.get("first", first); err != nil {
		t.Fatal(err)
	}
	w.create(secret("second-wechat"), channel("second", "lumi", func(c *v1alpha1.Channel) {
		c.Spec.MiniProgram.AppID = first.Spec.MiniProgram.AppID
	}))
	w.waitFor(second, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateAccount)
	// It is on its way out, but a replica still answers for it.
	w.data.owe(1)
	w.data.hold("Channel", "first", first.Generation)
	w.remove(first, "first")
	w.waitFor(first, "first", v1alpha1.ConditionReady, v1alpha1.ReasonDraining)
	nudge(w, "second", second)
	w.eventually(func() error {
		if err := w.get("second", second); err != nil {
			return err
		}
		blamed, _ := conditions.Find(second.Status.Conditions, v1alpha1.ConditionReferencesResolved)
		if want := "Channel first has this appID until every replica has confirmed that it is being deleted"; blamed.Message != want {
			return fmt.Errorf("message is %q, want %q", blamed.Message, want)
		}
		return nil
	})
	// It takes nothing more, and goes once it has drained.
	w.data.release("Channel", "first")
	w.waitFor(second, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	if err := w.get("first", first); err != nil {
		t.Errorf("the Channel of before is gone, though a message is on its way: %v", err)
	}
	w.data.owe(0)
	w.gone(first, "first")
}

func TestABrandStaysWhileChannelsReferToIt(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	lumi := &v1alpha1.Brand{}
	w.remove(lumi, "lumi")
	blocked := w.waitFor(lumi, "lumi", v1alpha1.ConditionReady, v1alpha1.ReasonDeletionBlocked)
	if !strings.Contains(blocked.Message, "shop") {
		t.Errorf("message %q does not name the Channel", blocked.Message)
	}
	w.remove(&v1alpha1.Channel{}, "shop")
	w.gone(lumi, "lumi")
}

func TestAPoolGoesWithItsLastChannel(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.data.say("outlet", accepted())
	w.create(secret("outlet-wechat"), channel("outlet", "lumi", func(c *v1alpha1.Channel) { c.Spec.Scaling.MinReplicas = 3 }))
	w.waitFor(&v1alpha1.Channel{}, "outlet", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	pool := &appsv1.Deployment{}
	w.eventually(func() error {
		if err := w.get("lumi-miniprogram", pool); err != nil {
			return err
		}
		if *pool.Spec.Replicas != 3 {
			return fmt.Errorf("the pool has %d replicas, want the 3 that its second Channel asks for", *pool.Spec.Replicas)
		}
		return nil
	})
	template := pool.Spec.Template
	w.remove(&v1alpha1.Channel{}, "outlet")
	w.eventually(func() error {
		if err := w.get("lumi-miniprogram", pool); err != nil {
			return err
		}
		if *pool.Spec.Replicas != 1 {
			return fmt.Errorf("the pool still has %d replicas", *pool.Spec.Replicas)
		}
		return nil
	})
	if diff := cmp.Diff(template, pool.Spec.Template); diff != "" {
		t.Errorf("a Channel came and went, and the pods are rolled (-before +after):\n%s", diff)
	}
	w.remove(&v1alpha1.Channel{}, "shop")
	w.gone(&appsv1.Deployment{}, "lumi-miniprogram")
	w.gone(&corev1.Service{}, "lumi-miniprogram")
	w.gone(&rbacv1.Role{}, "lumi-miniprogram")
	w.gone(&corev1.ServiceAccount{}, "lumi-miniprogram")
	if err := w.get("lumi-router", &appsv1.Deployment{}); err != nil {
		t.Errorf("the Brand's own router went with the pool: %v", err)
	}
}

func TestWhatBecomesOfAPoolWakesItsChannelsAndNotItsBrand(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.servedChannel("shop", "lumi")
	w.settled()
	before := w.data.lookedAtBrands()
	const changes = 4
	for i := range changes {
		change(w, "lumi-miniprogram", &corev1.Service{}, func(s *corev1.Service) {
			s.Annotations = map[string]string{"changed": strconv.Itoa(i)}
		})
		w.settled()
	}
	if looks := w.data.lookedAtBrands() - before; looks >= changes {
		t.Errorf("the Brand was looked at %d times for %d changes of its pool", looks, changes)
	}
}

func TestAFailedSetupSaysWhyAndIsTriedAgain(t *testing.T) {
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

func TestWhatABrandKeepsFromStartingNamesTheBrandAndHealsWithIt(t *testing.T) {
	w := newWorld(t)
	w.data.say("shop", accepted())
	w.create(secret("shop-wechat"), skillGroup("lumi-everybody", "lumi"), agent("xiaomei", "lumi", nil), channel("shop", "lumi"), brand("lumi"))
	kept := map[string]client.Object{"shop": &v1alpha1.Channel{}, "lumi-everybody": &v1alpha1.SkillGroup{}, "xiaomei": &v1alpha1.Agent{}}
	for name, obj := range kept {
		found := w.waitFor(obj, name, v1alpha1.ConditionReady, v1alpha1.ReasonBrandNotReady)
		if want := "Brand lumi is not ready (NotFound)"; !strings.Contains(found.Message, want) {
			t.Errorf("%s says %q, want %q", name, found.Message, want)
		}
	}
	w.create(secret("lumi-postgres"))
	w.finishSetup("lumi")
	w.run("lumi-router", "lumi-workflows", "lumi-desk", "lumi-miniprogram")
	for name, obj := range kept {
		w.waitFor(obj, name, v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	}
}

func TestASetupThatGoesOnTryingSaysWhatKeepsIt(t *testing.T) {
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
	w.finishSetup("lumi")
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
}

func TestAnotherConnectionIsSetUpAnewBeforePodsRoll(t *testing.T) {
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

func TestATrialTokenIsMadeOnceAndAgainWhenItsSecretGoes(t *testing.T) {
	w := newWorld(t)
	w.create(brand("lumi"), agent("xiaomei", "lumi", nil))
	first := w.token("xiaomei")
	w.settled()
	if second := w.token("xiaomei"); second != first {
		t.Error("the token changed by itself")
	}
	w.remove(&corev1.Secret{}, "xiaomei-trial-token")
	w.eventually(func() error {
		if w.token("xiaomei") == first {
			return errors.New("the old token is still in force")
		}
		return nil
	})
}

// token waits until the status speaks of the token that the Secret holds, and returns it.
func (w *world) token(name string) string {
	w.t.Helper()
	var token string
	w.eventually(func() error {
		s, a := &corev1.Secret{}, &v1alpha1.Agent{}
		if err := errors.Join(w.get(name+"-trial-token", s), w.get(name, a)); err != nil {
			return err
		}
		token = string(s.Data["token"])
		sum := sha256.Sum256([]byte(token))
		if a.Status.TrialToken == nil || a.Status.TrialToken.SHA256 != hex.EncodeToString(sum[:]) || a.Status.TrialToken.SecretName != s.Name {
			return fmt.Errorf("status is %+v", a.Status.TrialToken)
		}
		return nil
	})
	return token
}

func TestASecretOfSomebodyElseIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	mine := unlabelledSecret("xiaomei-trial-token")
	w.create(brand("lumi"), mine, agent("xiaomei", "lumi", nil))
	found := w.waitFor(&v1alpha1.Agent{}, "xiaomei", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonInvalid)
	if !strings.Contains(found.Message, "xiaomei-trial-token") {
		t.Errorf("message %q does not name the Secret", found.Message)
	}
	kept := &corev1.Secret{}
	if err := w.get(mine.Name, kept); err != nil || kept.UID != mine.UID {
		t.Errorf("the Secret is not the one of before: %v", err)
	}
}

func TestAnAgentWhoseTokenCannotBeMadeIsNotReady(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	none := corev1.ResourceList{corev1.ResourceSecrets: resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "none"}, Spec: corev1.ResourceQuotaSpec{Hard: none}}
	w.create(quota)
	quota.Status = corev1.ResourceQuotaStatus{Hard: none, Used: none}
	if err := w.client.Status().Update(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	w.eventually(func() error {
		probe := unlabelledSecret("probe")
		probe.Namespace = w.namespace
		if err := w.client.Create(t.Context(), probe, client.DryRunAll); err == nil {
			return errors.New("the quota is not in force")
		}
		return nil
	})
	w.create(agent("xiaomei", "lumi", nil))
	found := w.waitFor(&v1alpha1.Agent{}, "xiaomei", v1alpha1.ConditionReady, v1alpha1.ReasonTokenNotMade)
	if want := "ReferencesResolved: Secret xiaomei-trial-token with the trial token cannot be made: the API server says Forbidden"; found.Message != want {
		t.Errorf("message is %q, want %q", found.Message, want)
	}
	if err := w.client.Delete(t.Context(), quota); err != nil {
		t.Fatal(err)
	}
	w.waitFor(&v1alpha1.Agent{}, "xiaomei", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestADeploymentOfSomebodyElseIsNotTakenOver(t *testing.T) {
	w := newWorld(t)
	labels := map[string]string{"app": "other"}
	foreign := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "lumi-router"}, Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "other", Image: "other:1"}},
		}},
	}}
	pool := foreign.DeepCopy()
	pool.Name = "lumi-miniprogram"
	w.create(foreign, pool, secret("lumi-postgres"), skillGroup("lumi-everybody", "lumi"), brand("lumi"), secret("shop-wechat"), channel("shop", "lumi"))
	w.finishSetup("lumi")
	taken := w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNameTaken)
	if want := "Deployment lumi-router belongs to somebody else; delete or rename it"; taken.Message != want {
		t.Errorf("message is %q, want %q", taken.Message, want)
	}
	taken = w.waitFor(&v1alpha1.Channel{}, "shop", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNameTaken)
	if want := "Deployment lumi-miniprogram belongs to somebody else; delete or rename it"; taken.Message != want {
		t.Errorf("message is %q, want %q", taken.Message, want)
	}
	// What nobody is in the way of is made.
	w.run("lumi-workflows", "lumi-desk")
	w.waitFor(&v1alpha1.Brand{}, "lumi", v1alpha1.ConditionDeskAvailable, v1alpha1.ReasonAvailable)
	w.settled()
	now := &appsv1.Deployment{}
	if err := w.get("lumi-router", now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(foreign.Spec, now.Spec); diff != "" {
		t.Errorf("the Deployment changed (-before +after):\n%s", diff)
	}
}

func TestKindsWithoutABrandSayThatTheyWaitForOne(t *testing.T) {
	w := newWorld(t)
	w.create(playbook("shop"), serviceLevel("standard"), alwaysOpen("online"))
	w.waitFor(&v1alpha1.Playbook{}, "shop", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.waitFor(&v1alpha1.ServiceLevel{}, "standard", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.waitFor(&v1alpha1.ShiftSchedule{}, "online", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	w.servedBrand("lumi")
	w.waitFor(&v1alpha1.Playbook{}, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(&v1alpha1.ServiceLevel{}, "standard", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.waitFor(&v1alpha1.ShiftSchedule{}, "online", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestWhatASchemaCannotCheckIsAConditionToo(t *testing.T) {
	w := newWorld(t)
	broken := playbook("broken")
	broken.Spec.Texts.Welcome = "{{.Nobody}}"
	nowhere := alwaysOpen("nowhere")
	nowhere.Spec.TimeZone = "Mars/Olympus"
	broken.Spec.Rules = []v1alpha1.PlaybookRule{{Name: "hello", Match: v1alpha1.PlaybookMatch{Keywords: []string{"hi"}}, Reply: &v1alpha1.BotReply{Text: "hi"}}}
	w.data.hold("Playbook", "broken", 0)
	w.data.hold("ShiftSchedule", "nowhere", 0)
	w.servedBrand("lumi")
	w.create(broken, nowhere)
	w.waitFor(&v1alpha1.Playbook{}, "broken", v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	w.waitFor(&v1alpha1.ShiftSchedule{}, "nowhere", v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	for name, obj := range map[string]client.Object{"broken": broken, "nowhere": nowhere} {
		refused := w.waitFor(obj, name, v1alpha1.ConditionAcknowledged, v1alpha1.ReasonInvalid)
		if want := "Not served: invalid"; refused.Message != want {
			t.Errorf("%s: message is %q, want %q", name, refused.Message, want)
		}
	}
	if broken.Status.Rules != 0 {
		t.Errorf("%d rules are in force, want 0", broken.Status.Rules)
	}
	w.data.release("Playbook", "broken")
	change(w, "broken", broken, func(p *v1alpha1.Playbook) { p.Spec.Texts.Welcome = "" })
	w.waitFor(broken, "broken", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.data.hold("Playbook", "broken", broken.Generation)
	change(w, "broken", broken, func(p *v1alpha1.Playbook) { p.Spec.Texts.Welcome, p.Spec.Rules = "{{.Nobody}}", nil })
	refused := w.waitFor(broken, "broken", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonInvalid)
	if want := "Not served: invalid; the last valid generation stays in force"; refused.Message != want || broken.Status.Rules != 1 {
		t.Errorf("message is %q with %d rules, want %q with the rule of before", refused.Message, broken.Status.Rules, want)
	}
}

func TestAPlaybookSaysWhatOfItNobodyGetsTo(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	reply := &v1alpha1.BotReply{Text: "开票入口:"}
	shop := playbook("shop")
	shop.Spec.Rules = []v1alpha1.PlaybookRule{
		{Name: "invoice", Match: v1alpha1.PlaybookMatch{Keywords: []string{"票"}}, Reply: reply},
		{Name: "tickets", Match: v1alpha1.PlaybookMatch{Keywords: []string{"门票"}}, Reply: reply},
	}
	shop.Spec.FAQ = []v1alpha1.FAQEntry{{Name: "return", Question: "怎么退货", Answer: "签收七天内……"}}
	w.create(shop)
	w.waitFor(shop, "shop", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	shadowed := w.waitFor(shop, "shop", v1alpha1.ConditionRulesReachable, v1alpha1.ReasonShadowed)
	if want := "rule tickets never matches: every text with one of its keywords is for rule invoice before it; put it first, or remove it"; shadowed.Message != want {
		t.Errorf("message is %q, want %q", shadowed.Message, want)
	}
	if shop.Status.Rules != 2 || shop.Status.FAQEntries != 1 {
		t.Errorf("%d rules and %d questions are in force, want 2 and 1", shop.Status.Rules, shop.Status.FAQEntries)
	}
	change(w, "shop", shop, func(p *v1alpha1.Playbook) { p.Spec.Rules = p.Spec.Rules[1:] })
	w.waitFor(shop, "shop", v1alpha1.ConditionRulesReachable, v1alpha1.ReasonReachable)
}

func TestAGroupNeedsTheScheduleThatItIsServedBy(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi, group := &v1alpha1.Brand{}, &v1alpha1.SkillGroup{}
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	// Replicas do not report a group whose schedule they have not.
	w.data.hold("SkillGroup", "lumi-everybody", 0)
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) {
		b.Spec.Defaults.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
	})
	missing := w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "ShiftSchedule online does not exist in this namespace"; missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	served := w.waitFor(group, "lumi-everybody", v1alpha1.ConditionAcknowledged, v1alpha1.ReasonAwaitingReferences)
	if want := "Without its ShiftSchedule the group is served around the clock, not as declared"; served.Message != want {
		t.Errorf("message is %q, want %q", served.Message, want)
	}
	online := alwaysOpen("online")
	online.Spec.TimeZone = "Mars/Olympus"
	w.create(online)
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonInvalid)
	w.data.release("SkillGroup", "lumi-everybody")
	change(w, "online", online, func(s *v1alpha1.ShiftSchedule) { s.Spec.TimeZone = "Asia/Shanghai" })
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
}

func TestAGroupIsNotReadyWhileItsScheduleLacksACalendar(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	online, group := naming(alwaysOpen("online"), w.namespace), &v1alpha1.SkillGroup{}
	w.create(online)
	change(w, "lumi-everybody", group, func(g *v1alpha1.SkillGroup) {
		g.Spec.ScheduleRef = &v1alpha1.ShiftScheduleReference{Name: "online"}
	})
	missing := w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	if want := "ShiftSchedule online is in force in part: HolidayCalendar " + w.namespace + " does not exist"; missing.Message != want {
		t.Errorf("message is %q, want %q", missing.Message, want)
	}
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
	// What it wants is known all the same.
	w.wants("lumi-everybody", 1, "The schedule wants 1 (shift all-day)")

	w.createCalendar(calendar(w.namespace, day("2026-02-30", v1alpha1.CalendarDayOff)))
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonInvalid)
	change(w, w.namespace, &v1alpha1.HolidayCalendar{}, func(c *v1alpha1.HolidayCalendar) { c.Spec.Days[0].Date = "2026-02-28" })
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonReady)
	w.remove(&v1alpha1.HolidayCalendar{}, w.namespace)
	w.waitFor(group, "lumi-everybody", v1alpha1.ConditionReady, v1alpha1.ReasonNotFound)
}

func TestAGroupCountsTheAgentsThatItsSelectorChooses(t *testing.T) {
	w := newWorld(t)
	w.create(brand("lumi"), skillGroup("after-sales", "lumi"),
		agent("xiaomei", "lumi", map[string]string{"team": "after-sales"}), agent("laozhang", "lumi", map[string]string{"team": "other"}))
	w.agents("after-sales", 1)
	change(w, "laozhang", &v1alpha1.Agent{}, func(a *v1alpha1.Agent) { a.Labels = map[string]string{"team": "after-sales"} })
	w.agents("after-sales", 2)
}

func (w *world) agents(group string, want int32) {
	w.t.Helper()
	w.eventually(func() error {
		g := &v1alpha1.SkillGroup{}
		if err := w.get(group, g); err != nil {
			return err
		}
		if g.Status.Agents != want {
			return fmt.Errorf("%d agents, want %d", g.Status.Agents, want)
		}
		return nil
	})
}

func TestReadyIsAnnouncedOnce(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	w.settled()
	w.eventually(func() error {
		events, err := listed(t.Context(), w.client, &corev1.EventList{}, w.namespace)
		if err != nil {
			return err
		}
		ready := 0
		for _, e := range events {
			if event, ok := e.(*corev1.Event); ok && event.InvolvedObject.Name == "lumi" && event.Reason == v1alpha1.ReasonReady {
				ready++
			}
		}
		if ready != 1 {
			return fmt.Errorf("%d events say that the Brand is ready, want 1", ready)
		}
		return nil
	})
}

func alwaysOpen(name string) *v1alpha1.ShiftSchedule {
	return &v1alpha1.ShiftSchedule{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.ShiftScheduleSpec{
		Shifts: []v1alpha1.WeeklyShift{{
			Days: []v1alpha1.Weekday{
				v1alpha1.Monday, v1alpha1.Tuesday, v1alpha1.Wednesday, v1alpha1.Thursday, v1alpha1.Friday, v1alpha1.Saturday, v1alpha1.Sunday,
			},
			Shift: v1alpha1.Shift{Name: "all-day", Start: "00:00", Duration: "24h"},
		}},
	}}
}

func TestAWebhookThatMayNotBeCalledIsSaidAndHoldsNothingUp(t *testing.T) {
	w := newWorld(t)
	w.servedBrand("lumi")
	lumi := &v1alpha1.Brand{}
	refused := pagedAt("https://evil.example:8443/call", "lumi-pager")
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { refused(b) })
	found := w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonAddressNotAllowed)
	if !strings.Contains(found.Message, "allowedWebhookHosts") || !strings.Contains(found.Message, "evil.example:8443") {
		t.Errorf("message %q does not say what to do", found.Message)
	}
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { b.Spec.OnCall.Webhook.URL = "https://pager.example/call" })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	w.waitFor(lumi, "lumi", v1alpha1.ConditionProvisioned, v1alpha1.ReasonProvisioned)
	w.create(secret("lumi-pager"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
	trusted := trusting("pager-ca")
	change(w, "lumi", lumi, func(b *v1alpha1.Brand) { trusted(b) })
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonNotFound)
	w.create(secret("pager-ca"))
	w.waitFor(lumi, "lumi", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonResolved)
}
