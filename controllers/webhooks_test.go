package controllers_test

import (
	"fmt"
	"strings"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	webhooks "github.com/yingda-dev/yingda/controllers/admission"
	"github.com/yingda-dev/yingda/internal/conditions"
)

// gate is what the API server asks the world's operator before it takes an object.
type gate struct {
	*world

	// other is a second namespace of the operator.
	other   string
	install envtest.WebhookInstallOptions
}

// newGate runs an operator that answers for two namespaces; the API server does not ask it before close.
func newGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{}
	g.world = newWorld(t, func(w *world) {
		other := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "other-"}}
		if err := w.client.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		g.other = other.Name
		g.install.ValidatingWebhooks = []*admissionregistrationv1.ValidatingWebhookConfiguration{asks(w.namespace, g.other)}
		if err := g.install.PrepWithoutInstalling(); err != nil {
			t.Fatal(err)
		}
		w.also = []string{g.other}
		w.webhooks = &webhook.Options{Host: g.install.LocalServingHost, Port: g.install.LocalServingPort, CertDir: g.install.LocalServingCertDir}
	})
	t.Cleanup(func() {
		if err := g.install.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// asks is the configuration by which an API server asks about all kinds in the namespaces.
func asks(namespaces ...string) *admissionregistrationv1.ValidatingWebhookConfiguration {
	none, ignore := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Ignore
	configuration := &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: namespaces[0]}}
	for resource, path := range map[string]string{
		"brands": webhooks.PathBrand, "channels": webhooks.PathChannel, "skillgroups": webhooks.PathSkillGroup,
		"shiftschedules": webhooks.PathShiftSchedule, "playbooks": webhooks.PathPlaybook, "servicelevels": webhooks.PathServiceLevel,
		"holidaycalendars": webhooks.PathHolidayCalendar,
	} {
		path = strings.TrimPrefix(path, "/") // what makes an address of it adds its own
		configuration.Webhooks = append(configuration.Webhooks, admissionregistrationv1.ValidatingWebhook{
			Name: resource + ".yingda.dev",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				Service: &admissionregistrationv1.ServiceReference{Namespace: "yingda", Name: "operator", Path: &path},
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create, admissionregistrationv1.Update},
				Rule: admissionregistrationv1.Rule{
					APIGroups: []string{"yingda.dev"}, APIVersions: []string{"v1alpha1"}, Resources: []string{resource},
				},
			}},
			FailurePolicy: &ignore, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			NamespaceSelector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
				Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: namespaces,
			}}},
		})
	}
	return configuration
}

// close has the API server ask from now on.
func (g *gate) close() {
	g.t.Helper()
	configuration := g.install.ValidatingWebhooks[0]
	if err := g.client.Create(g.t.Context(), configuration); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() {
		if err := g.client.Delete(g.t.Context(), configuration); err != nil && g.t.Context().Err() == nil {
			g.t.Error(err)
		}
	})
	for _, object := range []client.Object{blocking(), nowhere(), odd()} {
		g.eventually(func() error {
			if g.try(object) == nil {
				return fmt.Errorf("the API server does not ask about %T yet", object)
			}
			return nil
		})
	}
}

// try writes an object without keeping it.
func (g *gate) try(object client.Object) error {
	object = object.DeepCopyObject().(client.Object)
	if object.GetNamespace() == "" {
		object.SetNamespace(g.namespace)
	}
	return g.client.Create(g.t.Context(), object, client.DryRunAll)
}

// blocking is a Playbook that puts questions between the customer and the human.
func blocking() *v1alpha1.Playbook {
	p := playbook("blocking")
	p.Spec.Rules = []v1alpha1.PlaybookRule{{
		Name: "questions", Match: v1alpha1.PlaybookMatch{Keywords: []string{"转人工"}}, Reply: &v1alpha1.BotReply{Text: "请先回答三个问题"},
	}}
	return p
}

func nowhere() *v1alpha1.ShiftSchedule {
	s := alwaysOpen("nowhere")
	s.Spec.TimeZone = "Mars/Olympus"
	return s
}

// odd is a SkillGroup with a selector that no schema refuses.
func odd() *v1alpha1.SkillGroup {
	g := skillGroup("odd", "lumi")
	g.Spec.AgentSelector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Near"}}
	return g
}

func TestWebhooksRefuseWhatASchemaCannotSee(t *testing.T) {
	g := newGate(t)
	appID := uniqueAppID()
	same := func(c *v1alpha1.Channel) { c.Spec.MiniProgram.AppID = appID }
	prod := func(b *v1alpha1.Brand) { b.Spec.Temporal.Namespace = "prod" }
	g.create(channel("first", "lumi", same), brand("moon", prod))
	g.close()
	elsewhere := func(object client.Object) client.Object { object.SetNamespace(g.other); return object }
	text := playbook("text")
	text.Spec.Texts.Welcome = "{{.Nobody}}"
	for name, tt := range map[string]struct {
		object client.Object
		want   string
	}{
		"a Channel of another account": {channel("second", "lumi"), ""},
		"a Channel of an account that is taken": {
			channel("second", "lumi", same), "spec.miniProgram.appID: Forbidden: Channel first has this appID already; an account belongs to one Channel: use another one, or delete that Channel",
		},
		"a Channel of an account that is taken in another namespace": {
			elsewhere(channel("second", "lumi", same)), "appID: Forbidden: a Channel of another namespace has this appID already",
		},
		"a Channel that calls a simulator on the list": {
			channel("third", "lumi", func(c *v1alpha1.Channel) { c.Spec.MiniProgram.APIBaseURL = "http://10.97.0.1:8090" }), "",
		},
		"a Channel that calls somebody else": {
			channel("third", "lumi", func(c *v1alpha1.Channel) { c.Spec.MiniProgram.APIBaseURL = "https://evil.example" }),
			"spec.miniProgram.apiBaseURL: Forbidden: apiBaseURL https://evil.example is not on the operator's list of allowed addresses: leave it out",
		},
		"a Channel that refers to what is not there yet": {channel("fourth", "nobody", func(c *v1alpha1.Channel) {
			c.Spec.PlaybookRef = &v1alpha1.PlaybookReference{Name: "nobody"}
		}), ""},
		"a Brand with connections of its own": {brand("lumi"), ""},
		"a Brand in a Temporal namespace that is taken": {
			brand("lumi", prod), "spec.temporal: Forbidden: Brand moon has the Temporal namespace prod of temporal.infra:7233 already",
		},
		"a Brand in one that is taken in another namespace": {
			elsewhere(brand("lumi", prod)), "spec.temporal: Forbidden: a Brand of another namespace has the Temporal namespace prod",
		},
		"a Brand with a webhook at a host on the list": {brand("lumi", pagedAt("https://pager.example/yingda", "pager")), ""},
		"a Brand with a webhook at somebody else's": {
			brand("lumi", pagedAt("https://evil.example:8443/", "pager")),
			"spec.onCall.webhook.url: Forbidden: onCall.webhook.url is of evil.example:8443, which is not on the operator's list of allowed hosts: have it added to the chart's allowedWebhookHosts",
		},
		"a Brand with a provider at a host on the list": {brand("lumi", providedAt("https://pager.example/yingda")), ""},
		"a Brand with a provider at somebody else's": {
			brand("lumi", providedAt("https://evil.example:8443/")),
			"spec.provider.url: Forbidden: provider.url is of evil.example:8443, which is not on the operator's list of allowed hosts: have it added to the chart's allowedWebhookHosts",
		},
		"a Brand with a mail server on the list": {mailed(func(m *v1alpha1.BrandMail) { m.Host, m.Port = "pager.example", 443 }), ""},
		"a Brand with somebody else's mail server": {
			mailed(), "spec.mail.host: Forbidden: mail.host is of smtp.example:587, which is not on the operator's list of allowed hosts: have it added to the chart's allowedWebhookHosts",
		},
		"a Brand with a database that is taken": {
			brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Postgres.SecretRef.Name = "moon-postgres" }),
			"spec.postgres: Forbidden: Brand moon has the database of Secret moon-postgres already",
		},
		"a Brand with a Secret of that name in another namespace": {
			elsewhere(brand("lumi", func(b *v1alpha1.Brand) { b.Spec.Postgres.SecretRef.Name = "moon-postgres" })), "",
		},
		"a Playbook": {playbook("shop"), ""},
		"a Playbook that keeps customers from a human": {
			blocking(), `spec.rules[0].match.keywords[0]: Invalid value: "转人工": rule questions: who writes this asks for a human (人工), and a reply may not come between; set handOff instead of reply, or remove the keyword`,
		},
		"a Playbook whose text cannot be written": {text, "spec.texts.welcome: Invalid value: \"{{.Nobody}}\": unknown variable .Nobody: there are"},
		"a ShiftSchedule":                         {alwaysOpen("online"), ""},
		"a ShiftSchedule of no time zone":         {nowhere(), "spec.timeZone: Invalid value: \"Mars/Olympus\": write an IANA time zone, for example Asia/Shanghai"},
		"a HolidayCalendar":                       {calendar("china", day("2028-02-29", v1alpha1.CalendarDayOff)), ""},
		"a HolidayCalendar of no such date":       {calendar("china", day("2027-02-29", v1alpha1.CalendarDayOff)), "spec.days[0].date: Invalid value: \"2027-02-29\": day 2027-02-29: write a date that exists"},
		"a SkillGroup":                            {skillGroup("after-sales", "lumi"), ""},
		"a SkillGroup whose selector is none":     {odd(), `spec.agentSelector: Invalid value: reading agentSelector: "Near" is not a valid label selector operator`},
		"a ServiceLevel":                          {serviceLevel("standard"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			(&admission{t: t}).check(g.try(tt.object), tt.want)
		})
	}
}

func TestWebhooksJudgeOnlyWhatAWriteChanges(t *testing.T) {
	g := newGate(t)
	appID := uniqueAppID()
	wrong := func(c *v1alpha1.Channel) {
		c.Spec.MiniProgram.AppID, c.Spec.MiniProgram.APIBaseURL = appID, "https://evil.example"
	}
	shared := func(b *v1alpha1.Brand) {
		b.Spec.Temporal.Namespace, b.Spec.Postgres.SecretRef.Name = "shared", "shared"
	}
	// All of it was there before the API server asked, and all of it is wrong.
	g.create(channel("first", "lumi", wrong), channel("second", "lumi", wrong), brand("lumi", shared), brand("moon", shared),
		brand("star"), blocking(), nowhere(), odd())
	g.close()
	for name, object := range map[string]client.Object{
		"first": &v1alpha1.Channel{}, "second": &v1alpha1.Channel{}, "lumi": &v1alpha1.Brand{}, "moon": &v1alpha1.Brand{},
		"blocking": &v1alpha1.Playbook{}, "nowhere": &v1alpha1.ShiftSchedule{}, "odd": &v1alpha1.SkillGroup{},
	} {
		t.Run("a label of "+name, func(*testing.T) { nudge(g.world, name, object) })
	}
	for name, tt := range map[string]struct {
		name   string
		object client.Object
		edit   func(client.Object)
		want   string
	}{
		"another name of a Channel whose account is taken": {
			"second", &v1alpha1.Channel{}, func(o client.Object) { spec[v1alpha1.Channel](o).Spec.DisplayName = "露米商城" }, "",
		},
		"another address that is not on the list": {
			"second", &v1alpha1.Channel{}, func(o client.Object) { spec[v1alpha1.Channel](o).Spec.MiniProgram.APIBaseURL = "https://worse.example" },
			"apiBaseURL https://worse.example is not on the operator's list",
		},
		"an address on the list": {
			"second", &v1alpha1.Channel{}, func(o client.Object) {
				spec[v1alpha1.Channel](o).Spec.MiniProgram.APIBaseURL = v1alpha1.DefaultWeChatAPIBaseURL
			}, "",
		},
		"more replicas of a Brand whose connections are taken": {
			"moon", &v1alpha1.Brand{}, func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Desk.Replicas = 2 }, "",
		},
		"a database that is taken, of a Brand that had its own": {
			"star", &v1alpha1.Brand{}, func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Postgres.SecretRef.Name = "shared" },
			"spec.postgres: Forbidden: Brand lumi has the database of Secret shared already",
		},
		"a database of its own": {
			"moon", &v1alpha1.Brand{}, func(o client.Object) { spec[v1alpha1.Brand](o).Spec.Postgres.SecretRef.Name = "moon-postgres" }, "",
		},
		"a Playbook that is made better": {
			"blocking", &v1alpha1.Playbook{}, func(o client.Object) { spec[v1alpha1.Playbook](o).Spec.Rules[0].Match.Keywords[0] = "发票" }, "",
		},
		"a Playbook that is not": {
			"blocking", &v1alpha1.Playbook{}, func(o client.Object) { spec[v1alpha1.Playbook](o).Spec.Texts.Welcome = "您好" }, "rule questions",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var answer error
			g.eventually(func() error {
				if err := g.get(tt.name, tt.object); err != nil {
					return err
				}
				tt.edit(tt.object)
				if answer = g.client.Update(t.Context(), tt.object, client.DryRunAll); apierrors.IsConflict(answer) {
					return answer
				}
				return nil
			})
			(&admission{t: t}).check(answer, tt.want)
		})
	}
	t.Run("what goes may lose its finalizers", func(*testing.T) {
		for name, object := range map[string]client.Object{"moon": &v1alpha1.Brand{}, "blocking": &v1alpha1.Playbook{}} {
			g.remove(object, name)
			g.gone(object, name)
		}
	})
}

func TestOfTwoChannelsAtOnceOneIsRefusedOrBlamed(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	g.close()
	appID, made := uniqueAppID(), make(chan error)
	names := []string{"first", "second"}
	for _, name := range names {
		object := channel(name, "lumi", func(c *v1alpha1.Channel) { c.Spec.MiniProgram.AppID = appID })
		object.Namespace = g.namespace
		go func() { made <- g.client.Create(t.Context(), object) }()
	}
	refused := 0
	for range names {
		if err := <-made; err != nil {
			refused++
			(&admission{t: t}).check(err, "has this appID already")
		}
	}
	g.eventually(func() error {
		var messages []string
		for _, name := range names {
			shop := &v1alpha1.Channel{}
			if err := g.get(name, shop); err != nil {
				continue
			}
			resolved, _ := conditions.Find(shop.Status.Conditions, v1alpha1.ConditionReferencesResolved)
			messages = append(messages, resolved.Message)
		}
		blamed := strings.Count(strings.Join(messages, " "), "has this appID already")
		if refused+blamed != 1 || refused+len(messages) != 2 {
			return fmt.Errorf("%d are refused, and the messages are %q", refused, messages)
		}
		return nil
	})
}

func TestWithItsWebhooksAwayObjectsApplyAndConditionsTell(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	g.close()
	g.halt()
	appID := uniqueAppID()
	same := func(c *v1alpha1.Channel) { c.Spec.MiniProgram.AppID = appID }
	g.create(secret("lumi-postgres"), brand("lumi"), secret("first-wechat"), secret("second-wechat"))
	g.create(channel("first", "lumi", same), channel("second", "lumi", same), blocking(), nowhere(), odd())
	g.start()
	g.waitFor(&v1alpha1.Channel{}, "second", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonDuplicateAccount)
	kept := g.waitFor(&v1alpha1.Playbook{}, "blocking", v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	if want := "rule questions: who writes this asks for a human"; !strings.Contains(kept.Message, want) {
		t.Errorf("message is %q, want %q in it", kept.Message, want)
	}
	g.waitFor(&v1alpha1.ShiftSchedule{}, "nowhere", v1alpha1.ConditionValid, v1alpha1.ReasonInvalid)
	group := &v1alpha1.SkillGroup{}
	selector := g.waitFor(group, "odd", v1alpha1.ConditionReferencesResolved, v1alpha1.ReasonInvalid)
	if want := "agentSelector cannot be used"; !strings.Contains(selector.Message, want) {
		t.Errorf("message is %q, want %q in it", selector.Message, want)
	}
}
