package catalog_test

import (
	"context"
	"log/slog"
	"net/url"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
)

const (
	// soon is how long an edit may take to be in force.
	soon = time.Second
	// soonBack is how long it may take after the API server's return.
	soonBack = 3 * time.Second
	patience = 60 * time.Second
	step     = 10 * time.Millisecond
)

// A real API server, because what is tested is how informers and it get on with each other.
func TestEditIsInForceWithinASecondAlsoAfterTheAPIServerWasAway(t *testing.T) {
	env, api := startAPIServer(t)
	config := env.Config
	agent := anAgent("xiaomei", map[string]string{"team": "sales"})
	create(t, api, agent, aGroup("sales", map[string]string{"team": "sales"}), aGroup("night", map[string]string{"team": "night"}))

	server, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	wire := newLink(t, server.Host)
	linked := rest.CopyConfig(config)
	linked.Host = "https://" + wire.address
	var lines logLines
	c := run(t, linked, &lines)
	if _, ok := c.Snapshot().Agent("xiaomei"); !ok || !c.Following() {
		t.Fatal("the catalog does not know the Agent although it has synced, or says that it may not")
	}

	agent.Spec.Capacity = 7
	update(t, api, agent)
	await(t, soon, "a new capacity", func() bool { return capacity(c) == 7 })
	agent.Labels = map[string]string{"team": "night"}
	update(t, api, agent)
	await(t, soon, "a new label", func() bool { return len(groupsOf(c)) == 1 && groupsOf(c)[0] == "night" })

	for outage := range 2 {
		want := int32(90 + outage)
		before := reflectors()
		lines.forget()
		wire.cut()
		agent.Spec.Capacity = want
		update(t, api, agent)
		// Long enough for informers to make long pauses, were they left to themselves.
		await(t, patience, "eight vain probes", func() bool { return lines.count(slog.LevelDebug) >= 8 })
		if capacity(c) == want || c.Following() {
			t.Error("the link is not cut, or nobody is told")
		}
		if capacity(c) == 0 {
			t.Error("the last state is not served while the API server is away")
		}
		wire.restore()
		await(t, soonBack, "the edit of that time", func() bool { return capacity(c) == want && c.Following() })
		await(t, soon, "a line that it is back", func() bool { return lines.count(slog.LevelInfo) == 1 })
		if got := lines.count(slog.LevelWarn); got != 1 {
			t.Errorf("%d lines say that the API server is away, want 1", got)
		}
		await(t, soon, "an end of the informers of before", func() bool { return reflectors() == before })
	}
	agent.Spec.Capacity = 11
	update(t, api, agent)
	await(t, soon, "the next edit", func() bool { return capacity(c) == 11 })
	if err := api.Delete(t.Context(), agent); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "the deletion", func() bool { return capacity(c) == 0 })
}

func TestEditOfAnyKindIsInForceAndReportedWithinASecond(t *testing.T) {
	env, api := startAPIServer(t)
	meta := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "lumi", Name: name} }
	lumi := &yingdav1.Brand{ObjectMeta: meta("lumi"), Spec: yingdav1.BrandSpec{
		DisplayName: "露米", Kafka: yingdav1.KafkaConnection{BootstrapServers: []string{"kafka.infra:9092"}},
		Temporal: yingdav1.TemporalConnection{Address: "temporal.infra:7233"},
		Postgres: yingdav1.PostgresConnection{SecretRef: yingdav1.CredentialsReference{Name: "lumi-postgres"}},
	}}
	channel := &yingdav1.Channel{ObjectMeta: meta("shop"), Spec: yingdav1.ChannelSpec{
		BrandRef: yingdav1.BrandReference{Name: "lumi"}, Type: yingdav1.ChannelTypeMiniProgram,
		PlaybookRef: &yingdav1.PlaybookReference{Name: "shop"}, ServiceLevelRef: &yingdav1.ServiceLevelReference{Name: "standard"},
		MiniProgram: &yingdav1.MiniProgramSpec{WeChatAccount: yingdav1.WeChatAccount{
			AppID: "wx0123456789abcdef", CredentialsSecretRef: yingdav1.CredentialsReference{Name: "shop-wechat"},
		}},
	}}
	playbook := &yingdav1.Playbook{ObjectMeta: meta("shop"), Spec: yingdav1.PlaybookSpec{Texts: yingdav1.PlaybookTexts{Welcome: "您好。"}}}
	level := &yingdav1.ServiceLevel{ObjectMeta: meta("standard")}
	group, agent := aGroup("sales", map[string]string{"team": "sales"}), anAgent("xiaomei", map[string]string{"team": "sales"})
	group.Spec.ScheduleRef = &yingdav1.ShiftScheduleReference{Name: "online"}
	online := &yingdav1.ShiftSchedule{ObjectMeta: meta("online"), Spec: yingdav1.ShiftScheduleSpec{Shifts: []yingdav1.WeeklyShift{{
		Days: []yingdav1.Weekday{yingdav1.Monday}, Shift: yingdav1.Shift{Name: "day", Start: "09:00", Duration: "8h"},
	}}}}
	create(t, api, lumi, channel, playbook, level, group, agent, online, anAgent("laozhang", map[string]string{"team": "night"}))
	c := run(t, env.Config, &logLines{})
	evening := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // A Monday, 20:00 in Shanghai.

	for name, tt := range map[string]struct {
		object  client.Object
		key     string
		edit    func()
		inForce func(s *catalog.Snapshot) bool
	}{
		"a Playbook: the bot says what is new": {playbook, "Playbook/shop", func() { playbook.Spec.Texts.Welcome = "欢迎光临{{.Brand}}。" }, func(s *catalog.Snapshot) bool {
			shop, known := s.Channel("shop")
			if !known {
				return false
			}
			said, err := shop.Playbook.Welcome(s.Vars(shop, "sales", evening))
			return err == nil && said == "欢迎光临露米。"
		}},
		"a SkillGroup: others are its members": {group, "SkillGroup/sales", func() { group.Spec.AgentSelector.MatchLabels = map[string]string{"team": "night"} }, func(s *catalog.Snapshot) bool {
			return slices.Equal(s.GroupAgents("sales"), []string{"laozhang"})
		}},
		"a ShiftSchedule: the group is open for longer": {online, "ShiftSchedule/online", func() { online.Spec.Shifts[0].Duration = "12h" }, func(s *catalog.Snapshot) bool {
			sales, known := s.Group("sales")
			return known && sales.Open(evening)
		}},
		"a ServiceLevel: complaints are followed up sooner": {level, "ServiceLevel/standard", func() { level.Spec.Complaint.FollowUpWithinDays = 1 }, func(s *catalog.Snapshot) bool {
			shop, known := s.Channel("shop")
			return known && shop.ServiceLevel.Complaint.FollowUpWithinDays == 1
		}},
		"an Agent: they take more customers": {agent, "Agent/xiaomei", func() { agent.Spec.Capacity = 7 }, func(s *catalog.Snapshot) bool {
			xiaomei, known := s.Agent("xiaomei")
			return known && xiaomei.Spec.Capacity == 7
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.inForce(c.Snapshot()) {
				t.Fatal("it is so before the edit")
			}
			tt.edit()
			update(t, api, tt.object)
			await(t, soon, "the edit", func() bool { return tt.inForce(c.Snapshot()) })
			if got, want := c.Snapshot().Generations()[tt.key], tt.object.GetGeneration(); got != want {
				t.Errorf("generation %d is reported, want %d", got, want)
			}
		})
	}
}

// The right to read calendars is given for the cluster, the others for a namespace: it can be missing alone.
func TestWithoutTheRightToReadCalendarsTheRestIsServedAndTheyComeWithIt(t *testing.T) {
	env, api := startAPIServer(t)
	may := func(resources ...string) []rbacv1.PolicyRule {
		return []rbacv1.PolicyRule{{APIGroups: []string{yingdav1.GroupName}, Resources: resources, Verbs: []string{"get", "list", "watch"}}}
	}
	router := rbacv1.Subject{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "router"}
	online := &yingdav1.ShiftSchedule{ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "online"}}
	online.Spec.CalendarRefs = []yingdav1.HolidayCalendarReference{{Name: "china"}}
	china := &yingdav1.HolidayCalendar{ObjectMeta: metav1.ObjectMeta{Name: "china"}}
	create(t, api, anAgent("xiaomei", nil), online, china,
		&rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "router"},
			Rules:      may("agents", "brands", "channels", "playbooks", "servicelevels", "shiftschedules", "skillgroups"),
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: "router"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "router"},
			Subjects:   []rbacv1.Subject{router},
		})
	user, err := env.AddUser(envtest.User{Name: router.Name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines logLines
	c := run(t, user.Config(), &lines)
	served := func() map[string]int64 { return c.Snapshot().Generations() }
	if diff := cmp.Diff(map[string]int64{"Agent/xiaomei": 1}, served()); diff != "" {
		t.Errorf("generations without the right (-want +got):\n%s", diff)
	}
	if got := lines.count(slog.LevelWarn); got != 1 {
		t.Errorf("%d lines say that calendars cannot be read, want 1", got)
	}

	create(t, api,
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "calendars"}, Rules: may("holidaycalendars")},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "calendars"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "calendars"},
			Subjects:   []rbacv1.Subject{router},
		})
	await(t, patience, "the calendar", func() bool { return served()["HolidayCalendar/china"] == 1 && served()["ShiftSchedule/online"] == 1 })
	china.Spec.Days = []yingdav1.CalendarDay{{Date: "2026-10-01", Kind: yingdav1.CalendarDayOff}}
	update(t, api, china)
	await(t, soon, "its edit", func() bool { return served()["HolidayCalendar/china"] == 2 })
	if err := api.Delete(t.Context(), china); err != nil {
		t.Fatal(err)
	}
	await(t, soon, "its end", func() bool { return served()["HolidayCalendar/china"] == 0 && served()["ShiftSchedule/online"] == 0 })
}

// startAPIServer starts one with the kinds and the namespace lumi.
func startAPIServer(t *testing.T) (*envtest.Environment, client.Client) {
	t.Helper()
	log.SetLogger(logr.Discard())
	env := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		BinaryAssetsDirectory: filepath.Join("..", "..", "bin", "k8s"),
	}
	config, err := env.Start()
	if err != nil {
		t.Fatalf("starting the API server (make bin/k8s builds it): %v", err)
	}
	t.Cleanup(func() {
		if err := env.Stop(); err != nil {
			t.Error(err)
		}
	})
	objects := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, yingdav1.AddToScheme} {
		if err := add(objects); err != nil {
			t.Fatal(err)
		}
	}
	api, err := client.New(config, client.Options{Scheme: objects})
	if err != nil {
		t.Fatal(err)
	}
	create(t, api, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "lumi"}})
	return env, api
}

// run runs a Catalog until the test ends, and returns it once it has synced.
func run(t *testing.T, config *rest.Config, lines *logLines) *catalog.Catalog {
	t.Helper()
	c := catalog.New("lumi", "lumi", slog.New(lines))
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var runner sync.WaitGroup
	t.Cleanup(runner.Wait)
	t.Cleanup(cancel)
	synced := make(chan struct{})
	runner.Go(func() {
		if err := c.Run(ctx, config, func() { close(synced) }); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-synced:
	case <-time.After(patience):
		t.Fatal("the catalog did not sync")
	}
	return c
}

// logLines counts what is logged.
type logLines struct {
	slog.Handler // Nil: neither attributes nor groups are added to it.

	mu     sync.Mutex
	counts map[slog.Level]int
}

func (*logLines) Enabled(context.Context, slog.Level) bool { return true }

func (l *logLines) Handle(_ context.Context, record slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[slog.Level]int{}
	}
	l.counts[record.Level]++
	return nil
}

func (l *logLines) count(level slog.Level) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts[level]
}

func (l *logLines) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts = nil
}

// reflectors counts the running ones.
func reflectors() int {
	buffer := make([]byte, 4<<20)
	return strings.Count(string(buffer[:goruntime.Stack(buffer, true)]), "(*Reflector).RunWithContext(")
}

func capacity(c *catalog.Catalog) int32 {
	agent, ok := c.Snapshot().Agent("xiaomei")
	if !ok {
		return 0
	}
	return agent.Spec.Capacity
}

func groupsOf(c *catalog.Catalog) []string { return c.Snapshot().GroupsOf("xiaomei") }

func anAgent(name string, labels map[string]string) *yingdav1.Agent {
	return &yingdav1.Agent{
		ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: name, Labels: labels},
		Spec:       yingdav1.AgentSpec{BrandRef: yingdav1.BrandReference{Name: "lumi"}, DisplayName: "小美", Capacity: 3},
	}
}

func aGroup(name string, chosen map[string]string) *yingdav1.SkillGroup {
	return &yingdav1.SkillGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: name},
		Spec: yingdav1.SkillGroupSpec{
			BrandRef: yingdav1.BrandReference{Name: "lumi"}, DisplayName: name, AgentSelector: metav1.LabelSelector{MatchLabels: chosen},
		},
	}
}

func create(t *testing.T, api client.Client, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := api.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

func update(t *testing.T, api client.Client, object client.Object) {
	t.Helper()
	if err := api.Update(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-deadline.C:
			t.Fatalf("%s did not come within %s", what, within)
		}
	}
}
