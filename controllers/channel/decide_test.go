package channel

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/conditions"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
	"github.com/yingda-dev/yingda/internal/refs"
)

func settings() dataplane.Settings {
	return dataplane.Settings{
		AllowedAPIBaseURLs: []string{v1alpha1.DefaultWeChatAPIBaseURL},
		ServiceType:        corev1.ServiceTypeNodePort, NodePortHost: "127.0.0.1",
	}
}

// sceneOf is a Channel that works, changed by the edits.
func sceneOf(edits ...func(*scene)) *scene {
	secret := refs.SecretMetadata()
	secret.Labels = map[string]string{v1alpha1.CredentialsLabel: "true"}
	secret.ResourceVersion = "7"
	seen := &scene{
		channel: &v1alpha1.Channel{
			ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "shop", Generation: 2, CreationTimestamp: metav1.NewTime(time.Unix(100, 0))},
			Spec: v1alpha1.ChannelSpec{
				BrandRef: v1alpha1.BrandReference{Name: "lumi"}, Type: v1alpha1.ChannelTypeMiniProgram,
				MiniProgram: &v1alpha1.MiniProgramSpec{WeChatAccount: v1alpha1.WeChatAccount{
					AppID: "wx0123456789abcdef", CredentialsSecretRef: v1alpha1.CredentialsReference{Name: "shop-wechat"},
					APIBaseURL: v1alpha1.DefaultWeChatAPIBaseURL,
				}},
			},
		},
		brand: &v1alpha1.Brand{ObjectMeta: metav1.ObjectMeta{Name: "lumi"}, Spec: v1alpha1.BrandSpec{
			Defaults: v1alpha1.BrandDefaults{SkillGroupRef: &v1alpha1.SkillGroupReference{Name: "pre-sales"}},
		}},
		secret: secret, groups: map[string]*v1alpha1.SkillGroup{"after-sales": group("after-sales", "lumi"), "other": group("other", "moon")},
		deployment: &appsv1.Deployment{Status: appsv1.DeploymentStatus{ReadyReplicas: 1}},
		service:    &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", NodePort: 30001}}}},
		looked:     true,
		answers: answers{
			pool: []ack.Answer{connector(configz.CredentialsAccepted, "7")},
			serving: []ack.Group{
				{Name: "router", Answers: []ack.Answer{knowing(2)}},
				{Name: "desk", Answers: []ack.Answer{knowing(2)}},
				{Name: "workflows", Answers: []ack.Answer{knowing(2)}},
			},
		},
	}
	for _, edit := range edits {
		edit(seen)
	}
	return seen
}

// knowing is a replica that serves a generation of the Channel.
func knowing(generation int64) ack.Answer {
	return ack.Answer{Report: configz.Report{Objects: map[string]int64{"Channel/shop": generation}}}
}

func group(name, brand string) *v1alpha1.SkillGroup {
	return &v1alpha1.SkillGroup{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1alpha1.SkillGroupSpec{BrandRef: v1alpha1.BrandReference{Name: brand}}}
}

func connector(credentials configz.Credentials, version string) ack.Answer {
	return ack.Answer{Report: configz.Report{
		Objects:  map[string]int64{"Channel/shop": 2},
		Channels: map[string]configz.Channel{"shop": {Credentials: credentials, SecretVersion: version}},
	}}
}

func finding(t *testing.T, decided verdict, conditionType string) conditions.Condition {
	t.Helper()
	for _, f := range decided.findings {
		if f.Type == conditionType {
			return f
		}
	}
	t.Fatalf("no condition %s", conditionType)
	return conditions.Condition{}
}

func TestDecideReferences(t *testing.T) {
	route := func(group string) func(*scene) {
		return func(s *scene) {
			s.channel.Spec.Routing = []v1alpha1.RoutingRule{{Name: "rule", SkillGroupRef: v1alpha1.SkillGroupReference{Name: group}}}
		}
	}
	same := func(namespace, name string, made int64) func(*scene) {
		return func(s *scene) {
			other := v1alpha1.Channel{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, CreationTimestamp: metav1.NewTime(time.Unix(made, 0))}}
			s.sameAccount = []v1alpha1.Channel{other}
		}
	}
	for name, tt := range map[string]struct {
		edit    func(*scene)
		reason  string
		message string
	}{
		"everything is there":         {func(*scene) {}, "Resolved", "Everything that is referred to exists"},
		"no Brand":                    {func(s *scene) { s.brand = nil }, "NotFound", "Brand lumi does not exist in this namespace"},
		"a Service of somebody else":  {func(s *scene) { s.met.inTheWay = []string{"Service lumi-miniprogram"} }, "NameTaken", "Service lumi-miniprogram belongs to somebody else; delete or rename it"},
		"a Service that is refused":   {func(s *scene) { s.met.refused = []string{"Service lumi-miniprogram (Forbidden)"} }, "NotAccepted", "the API server refuses Service lumi-miniprogram (Forbidden)"},
		"no default group":            {func(s *scene) { s.brand.Spec.Defaults.SkillGroupRef = nil }, "NotFound", "nobody would serve who no routing rule claims: set spec.defaults.skillGroupRef of Brand lumi"},
		"no Secret":                   {func(s *scene) { s.secret = nil }, "NotFound", "Secret shop-wechat does not exist in this namespace"},
		"a Secret without the label":  {func(s *scene) { s.secret.Labels = nil }, "NotLabelled", `Secret shop-wechat does not carry the label yingda.dev/credentials: "true"`},
		"a label with another value":  {func(s *scene) { s.secret.Labels[v1alpha1.CredentialsLabel] = "yes" }, "NotLabelled", `Secret shop-wechat does not carry the label yingda.dev/credentials: "true"`},
		"an address not on the list":  {func(s *scene) { s.channel.Spec.MiniProgram.APIBaseURL = "https://evil.example" }, "AddressNotAllowed", "apiBaseURL https://evil.example is not on the operator's list of allowed addresses: leave it out to call the platform itself, or have the address added to the operator's --allowed-api-base-urls"},
		"a group that exists":         {route("after-sales"), "Resolved", "Everything that is referred to exists"},
		"a group that does not":       {route("nobody"), "NotFound", "SkillGroup nobody does not exist in this namespace"},
		"a group of another Brand":    {route("other"), "NotFound", "SkillGroup other belongs to Brand moon, not to Brand lumi"},
		"a Playbook that is missing":  {func(s *scene) { s.channel.Spec.PlaybookRef = &v1alpha1.PlaybookReference{Name: "p"} }, "NotFound", "Playbook p does not exist in this namespace"},
		"an earlier Channel":          {same("lumi", "first", 99), "DuplicateAccount", "Channel first has this appID already; an account belongs to one Channel: use another one, or delete that Channel"},
		"an earlier one elsewhere":    {same("moon", "first", 99), "DuplicateAccount", "a Channel of another namespace has this appID already; an account belongs to one Channel: use another one, or delete that Channel"},
		"a later Channel":             {same("lumi", "second", 101), "Resolved", "Everything that is referred to exists"},
		"one of the same second":      {same("lumi", "a-shop", 100), "DuplicateAccount", "Channel a-shop has this appID already; an account belongs to one Channel: use another one, or delete that Channel"},
		"a later one by its name":     {same("lumi", "the-shop", 100), "Resolved", "Everything that is referred to exists"},
		"two problems are both named": {func(s *scene) { s.brand = nil; s.secret = nil }, "NotFound", "Brand lumi does not exist in this namespace; Secret shop-wechat does not exist in this namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			got := finding(t, decide(sceneOf(tt.edit), settings()), v1alpha1.ConditionReferencesResolved)
			if diff := cmp.Diff([]string{tt.reason, tt.message}, []string{got.Reason, got.Message}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecideCredentials(t *testing.T) {
	accepted, rejected, untried := configz.CredentialsAccepted, configz.CredentialsRejected, configz.CredentialsNotYetTried
	for name, tt := range map[string]struct {
		pool    []ack.Answer
		reason  string
		pending bool
	}{
		"accepted":                                {[]ack.Answer{connector(accepted, "7")}, "Accepted", false},
		"a refusal wins":                          {[]ack.Answer{connector(accepted, "7"), connector(rejected, "7")}, "Rejected", false},
		"nobody tried":                            {[]ack.Answer{connector(untried, "7")}, "NotYetTried", true},
		"one tried":                               {[]ack.Answer{connector(untried, "7"), connector(accepted, "7")}, "Accepted", true},
		"a refusal of the Secret of before":       {[]ack.Answer{connector(rejected, "6"), connector(accepted, "7")}, "Accepted", true},
		"only the Secret of before was tried":     {[]ack.Answer{connector(accepted, "6"), connector(untried, "7")}, "Accepted", true},
		"a replica that does not know it":         {[]ack.Answer{{}}, "NotYetTried", true},
		"a replica that does not answer":          {[]ack.Answer{{Err: errors.New("refused")}}, "NotYetTried", true},
		"nobody is ready, so nobody can be asked": {nil, "NotYetTried", false},
	} {
		t.Run(name, func(t *testing.T) {
			decided := decide(sceneOf(func(s *scene) {
				s.pool = tt.pool
				s.channel.Generation = 2
			}), settings())
			if got := finding(t, decided, v1alpha1.ConditionCredentialsValid); got.Reason != tt.reason {
				t.Errorf("reason %s, want %s", got.Reason, tt.reason)
			}
			if decided.pending != tt.pending {
				t.Errorf("pending is %v, want %v", decided.pending, tt.pending)
			}
		})
	}
}

func TestDecideWebhook(t *testing.T) {
	called := func(s *scene) {
		s.pool = []ack.Answer{{Report: configz.Report{Channels: map[string]configz.Channel{"shop": {WebhookCalled: true}}}}}
	}
	before := func(url string) func(*scene) {
		return func(s *scene) {
			s.channel.Status.WebhookURL = url
			s.channel.Status.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionWebhookVerified, Status: metav1.ConditionTrue}}
		}
	}
	for name, tt := range map[string]struct {
		edit   func(*scene)
		reason string
	}{
		"nobody called":                     {func(*scene) {}, "NotYetCalled"},
		"a replica was called":              {called, "Verified"},
		"one was called before":             {before("http://127.0.0.1:30001/lumi/shop"), "Verified"},
		"one was called at another address": {before("http://127.0.0.1:30002/lumi/shop"), "NotYetCalled"},
	} {
		t.Run(name, func(t *testing.T) {
			decided := decide(sceneOf(tt.edit), settings())
			if got := finding(t, decided, v1alpha1.ConditionWebhookVerified); got.Reason != tt.reason {
				t.Errorf("reason %s, want %s", got.Reason, tt.reason)
			}
			if want := "http://127.0.0.1:30001/lumi/shop"; decided.webhookURL != want {
				t.Errorf("webhookURL %s, want %s", decided.webhookURL, want)
			}
		})
	}
}

func TestEverybodyWhoWorksByAChannelIsAsked(t *testing.T) {
	for i, name := range []string{"router", "desk", "workflows"} {
		got := finding(t, decide(sceneOf(func(s *scene) { s.serving[i].Answers = []ack.Answer{knowing(1)} }), settings()), v1alpha1.ConditionAcknowledged)
		if want := "A replica of the " + name + " does not serve this generation yet"; got.Message != want {
			t.Errorf("message is %q, want %q", got.Message, want)
		}
	}
}

func TestTheWebhookMessageSaysWhatToDo(t *testing.T) {
	for serviceType, want := range map[corev1.ServiceType]string{
		corev1.ServiceTypeNodePort: "Enter status.webhookURL in the platform's console (开发 → 开发管理 → 消息推送 → 启用); it has not called yet",
		corev1.ServiceTypeClusterIP: "status.webhookURL is inside the cluster: route a public host to Service lumi-miniprogram, port 8080, " +
			"and enter that host with the path /lumi/shop in the platform's console (开发 → 开发管理 → 消息推送 → 启用); it has not called yet",
	} {
		s := settings()
		s.ServiceType = serviceType
		if diff := cmp.Diff(want, finding(t, decide(sceneOf(), s), v1alpha1.ConditionWebhookVerified).Message); diff != "" {
			t.Errorf("%s (-want +got):\n%s", serviceType, diff)
		}
	}
}

func TestReadyNeedsNoWebhookCall(t *testing.T) {
	if ready := finding(t, decide(sceneOf(), settings()), v1alpha1.ConditionReady); ready.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %+v", ready)
	}
}

func TestWhatMayPassInAMomentIsNotSaidAtOnce(t *testing.T) {
	const ms = time.Millisecond
	ready, gone := conditions.True("Ready", v1alpha1.ReasonReady, ""), conditions.False("Ready", v1alpha1.ReasonNotFound, "")
	loading, untried := conditions.False("Ready", v1alpha1.ReasonAwaitingReload, ""), conditions.Unknown("Ready", v1alpha1.ReasonNotYetTried, "")
	starting, awaiting := conditions.False("Ready", v1alpha1.ReasonNoReadyReplica, ""), conditions.False("Ready", v1alpha1.ReasonAwaitingReplicas, "")
	never := conditions.Condition{}
	for name, tt := range map[string]struct {
		said, ready conditions.Condition
		pending     bool
		// unnamed says that its pool may not read its Secret yet.
		unnamed bool
		// waited is how long ago it began to wait, or the status changed last.
		waited time.Duration
		want   time.Duration
	}{
		"replicas may be loading it":                {never, loading, true, false, 100 * ms, 2900 * ms},
		"replicas may be loading an edit":           {ready, loading, true, false, 100 * ms, 2900 * ms},
		"replicas may be trying its credentials":    {never, untried, true, false, 0, 3000 * ms},
		"one of many, whose Secret comes last":      {never, untried, true, true, 3000 * ms, 8000 * ms},
		"replicas have had seconds":                 {never, loading, true, false, 3200 * ms, 0},
		"its replicas may be starting":              {never, starting, false, false, 1000 * ms, 2000 * ms},
		"its replicas take long to start":           {never, starting, false, false, 3000 * ms, 0},
		"its replicas have made a step":             {starting, awaiting, false, false, 1000 * ms, 19000 * ms},
		"its replicas have made a step at last":     {starting, awaiting, false, false, 20000 * ms, 0},
		"its replicas went":                         {ready, starting, false, false, 0, 0},
		"its Secret may be on its way":              {never, gone, false, false, 100 * ms, 900 * ms},
		"its Secret is not there":                   {never, gone, false, false, 1000 * ms, 0},
		"its Secret went while replicas load":       {ready, gone, true, false, 0, 0},
		"its Secret went while replicas start":      {starting, gone, false, false, 0, 0},
		"its Secret came, and replicas start":       {gone, starting, false, false, 0, 0},
		"it is Ready":                               {never, ready, false, false, 0, 0},
		"it is Ready, and Secrets are loaded still": {ready, ready, true, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Unix(100, 0)
			seen := sceneOf(func(s *scene) {
				if tt.said != never {
					s.channel.Status.Conditions = conditions.Merge(nil, 1, began.Add(-time.Hour), tt.said)
					s.channel.ManagedFields = []metav1.ManagedFieldsEntry{{Subresource: "status", Time: &metav1.Time{Time: began}}}
				}
			})
			seen.unnamed = tt.unnamed
			decided := verdict{findings: []conditions.Condition{tt.ready}, pending: tt.pending}
			if got := hold(seen, decided, tt.waited, began.Add(tt.waited)); got != tt.want {
				t.Errorf("held for %s, want %s", got, tt.want)
			}
		})
	}
}

func TestTheFirstPodOfItsOwnPoolHasTimeToStart(t *testing.T) {
	starting, loading := conditions.False("Ready", v1alpha1.ReasonNoReadyReplica, ""), conditions.False("Ready", v1alpha1.ReasonAwaitingReload, "")
	for name, tt := range map[string]struct {
		ready   conditions.Condition
		pending bool
		waited  time.Duration
		want    time.Duration
	}{
		"it may be starting":         {starting, false, time.Second, 10 * time.Second},
		"it started and may load":    {loading, true, 5 * time.Second, 6 * time.Second},
		"it takes long to start":     {starting, false, 11 * time.Second, 0},
		"its Brand is not ready":     {conditions.False("Ready", v1alpha1.ReasonBrandNotReady, ""), false, 3 * time.Second, 0},
		"what it needs is not there": {conditions.False("Ready", v1alpha1.ReasonNotFound, ""), false, time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			seen := sceneOf(func(s *scene) { s.channel.Spec.Isolation = v1alpha1.IsolationDedicated })
			decided := verdict{findings: []conditions.Condition{tt.ready}, pending: tt.pending}
			if got := hold(seen, decided, tt.waited, time.Unix(100, 0)); got != tt.want {
				t.Errorf("held for %s, want %s", got, tt.want)
			}
		})
	}
}

func TestWhatNeedsALookAtThePoolWaitsForIt(t *testing.T) {
	ready, starting := conditions.True("Ready", v1alpha1.ReasonReady, ""), conditions.False("Ready", v1alpha1.ReasonNoReadyReplica, "")
	missing := conditions.False("Ready", v1alpha1.ReasonNotFound, "")
	references := func(reason string) conditions.Condition {
		return conditions.False(v1alpha1.ConditionReferencesResolved, reason, "")
	}
	for name, tt := range map[string]struct {
		said   []conditions.Condition
		ready  conditions.Condition
		waited time.Duration
		want   time.Duration
	}{
		"a new one that starts":                       {nil, starting, 5 * time.Second, 15 * time.Second},
		"a new one that starts, and no look comes":    {nil, starting, 20 * time.Second, 0},
		"a new one whose Secret is not there":         {nil, missing, time.Second, 0},
		"one of which something was in the way":       {[]conditions.Condition{missing, references(v1alpha1.ReasonNameTaken)}, ready, time.Second, 19 * time.Second},
		"one of which something was refused":          {[]conditions.Condition{missing, references(v1alpha1.ReasonNotAccepted)}, starting, 0, 20 * time.Second},
		"one of which nothing was in the way":         {[]conditions.Condition{missing, references(v1alpha1.ReasonNotFound)}, ready, 0, 0},
		"one that starts, as was said":                {[]conditions.Condition{missing}, starting, 0, 0},
		"one that was Ready, and whose replicas went": {[]conditions.Condition{ready}, starting, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(100, 0)
			seen := sceneOf(func(s *scene) { s.channel.Status.Conditions = conditions.Merge(nil, 1, now, tt.said...) })
			seen.looked = false
			if got := hold(seen, verdict{findings: []conditions.Condition{tt.ready}}, tt.waited, now); got != tt.want {
				t.Errorf("held for %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAPoolWithoutUsableSecretsMayReadNone(t *testing.T) {
	if rules := secretRules(nil); len(rules) != 0 {
		t.Errorf("rules %+v, want none: one without names is for every Secret", rules)
	}
}
