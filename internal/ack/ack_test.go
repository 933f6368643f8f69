package ack_test

import (
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func serving(generation int64) ack.Answer {
	return ack.Answer{Report: configz.Report{Objects: map[string]int64{"Playbook/shop": generation}}}
}

func TestJudge(t *testing.T) {
	router := func(answers ...ack.Answer) ack.Group { return ack.Group{Name: "router", Answers: answers} }
	desk := func(answers ...ack.Answer) ack.Group { return ack.Group{Name: "desk", Answers: answers} }
	workflows := func(answers ...ack.Answer) ack.Group {
		return ack.Group{Name: "workflows", Beside: true, Answers: answers}
	}
	for name, tt := range map[string]struct {
		groups []ack.Group
		reason string
	}{
		"who serves beside does":                          {[]ack.Group{router(serving(2)), workflows(serving(2))}, "Acknowledged"},
		"who serves beside is behind":                     {[]ack.Group{router(serving(2)), workflows(serving(1))}, "AwaitingReload"},
		"who serves beside does not answer":               {[]ack.Group{router(serving(2)), workflows(ack.Answer{Err: errors.New("refused")})}, "AwaitingReload"},
		"who serves beside is not there":                  {[]ack.Group{router(serving(2)), workflows()}, "Acknowledged"},
		"nobody is there but who serves beside":           {[]ack.Group{router(), workflows(serving(2))}, "AwaitingReplicas"},
		"all replicas serve it":                           {[]ack.Group{router(serving(2), serving(2)), desk(serving(2))}, "Acknowledged"},
		"one replica serves the last generation":          {[]ack.Group{router(serving(2), serving(1))}, "AwaitingReload"},
		"one replica does not know it":                    {[]ack.Group{router(serving(2), ack.Answer{})}, "AwaitingReload"},
		"a later generation is of an object that is gone": {[]ack.Group{router(serving(3))}, "AwaitingReload"},
		"one replica does not answer":                     {[]ack.Group{router(serving(2), ack.Answer{Err: errors.New("refused")})}, "AwaitingReload"},
		"a group without a replica":                       {[]ack.Group{router(serving(1)), desk()}, "AwaitingReplicas"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ack.Judge("Playbook", "shop", 2, tt.groups...); got.Reason != tt.reason {
				t.Errorf("reason %s (%s), want %s", got.Reason, got.Message, tt.reason)
			}
		})
	}
}

func TestJudgeBrands(t *testing.T) {
	of := func(router, desk []ack.Answer) []ack.Group {
		return []ack.Group{{Name: "router", Answers: router}, {Name: "desk", Answers: desk}}
	}
	at := func(generation int64) []ack.Answer { return []ack.Answer{serving(generation)} }
	and := func(groups []ack.Group, workflows []ack.Answer) []ack.Group {
		return append(groups, ack.Group{Name: "workflows", Beside: true, Answers: workflows})
	}
	for name, tt := range map[string]struct {
		brands [][]ack.Group
		reason string
	}{
		"no Brand":                    {nil, "AwaitingReferences"},
		"one Brand that serves":       {[][]ack.Group{of(at(2), at(2))}, "Acknowledged"},
		"a Brand that does not run":   {[][]ack.Group{of(nil, nil), of(at(2), at(2))}, "Acknowledged"},
		"a Brand that is behind":      {[][]ack.Group{of(at(1), at(2)), of(at(2), at(2))}, "AwaitingReload"},
		"a desk that is behind":       {[][]ack.Group{of(at(2), at(1))}, "AwaitingReload"},
		"a Brand that half runs":      {[][]ack.Group{of(at(2), nil)}, "AwaitingReplicas"},
		"only Brands that do not run": {[][]ack.Group{of(nil, nil), of(nil, nil)}, "AwaitingReplicas"},

		"a Brand whose workflows are behind":          {[][]ack.Group{and(of(at(2), at(2)), at(1))}, "AwaitingReload"},
		"a Brand without workflows":                   {[][]ack.Group{and(of(at(2), at(2)), nil)}, "Acknowledged"},
		"a Brand of which nothing runs but workflows": {[][]ack.Group{and(of(nil, nil), at(1)), of(at(2), at(2))}, "Acknowledged"},
		"only Brands of which only workflows run":     {[][]ack.Group{and(of(nil, nil), at(2))}, "AwaitingReplicas"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ack.JudgeBrands("Playbook", "shop", 2, tt.brands); got.Reason != tt.reason {
				t.Errorf("reason %s (%s), want %s", got.Reason, got.Message, tt.reason)
			}
		})
	}
}

func TestWhatIsInvalidIsNotAskedForAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  ack.Answer
		message string
	}{
		"it never was valid":       {serving(0), "Not served: invalid"},
		"a replica did not answer": {ack.Answer{Err: errors.New("refused")}, "Not served: invalid"},
		"it was valid before":      {serving(1), "Not served: invalid; the last valid generation stays in force"},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := ack.NotServed("Playbook", "shop", [][]ack.Group{{{Name: "router", Answers: []ack.Answer{tt.answer}}}})
			if got.Message != tt.message || ack.Pending(got) {
				t.Errorf("%+v, pending %v; want %q and no more questions", got, ack.Pending(got), tt.message)
			}
		})
	}
}

func TestBackoffGrowsAndStartsOver(t *testing.T) {
	b, shop := ack.NewBackoff(), types.NamespacedName{Namespace: "lumi", Name: "shop"}
	next := func(generation int64, times int) []time.Duration {
		var waits []time.Duration
		for range times {
			waits = append(waits, b.Next(shop, generation))
		}
		return waits
	}
	const ms = time.Millisecond
	want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5000 * ms, 5000 * ms}
	if diff := cmp.Diff(want, next(1, 8)); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:1], next(2, 1)); diff != "" {
		t.Errorf("a new generation (-want +got):\n%s", diff)
	}
	b.Forget(shop)
	if diff := cmp.Diff(want[:2], next(2, 2)); diff != "" {
		t.Errorf("after it was acknowledged (-want +got):\n%s", diff)
	}
}

// replica is a pod on an address of the loopback network.
func replica(name, ip string, ready corev1.ConditionStatus, labels map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "lumi", Name: name, UID: types.UID(name), Labels: labels},
		Status:     corev1.PodStatus{PodIP: ip, Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}}},
	}
}

// answering serves a replica's report from an address until the test ends.
func answering(t *testing.T, ip string, report func() configz.Report) {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", net.JoinHostPort(ip, "8081"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: configz.Handler(report)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
}

func TestPodsAreAskedOnceForAllWhoWantToKnow(t *testing.T) {
	const ip = "127.0.0.37" // The health port is fixed; an address of our own keeps it free.
	var asked atomic.Int32
	answering(t, ip, func() configz.Report {
		asked.Add(1)
		return configz.Report{Objects: map[string]int64{"Playbook/shop": 7}}
	})

	router := dataplane.Labels("lumi", dataplane.Router, "")
	reader := fake.NewClientBuilder().WithObjects(
		replica("ready", ip, corev1.ConditionTrue, router),
		replica("starting", "127.0.0.38", corev1.ConditionFalse, router),
		replica("desk", "127.0.0.39", corev1.ConditionTrue, dataplane.Labels("lumi", dataplane.Desk, "")),
		replica("other-brand", "127.0.0.40", corev1.ConditionTrue, dataplane.Labels("moon", dataplane.Router, "")),
	).Build()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	pods := ack.NewPods(reader, func() time.Time { return now })
	target := ack.Target{Namespace: "lumi", Brand: "lumi", Component: dataplane.Router}
	ask := func() {
		t.Helper()
		answers, err := pods.Ask(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]ack.Answer{serving(7)}, answers); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
	}
	ask()
	ask()
	if n := asked.Load(); n != 1 {
		t.Errorf("the replica was asked %d times at once, want 1", n)
	}
	now = now.Add(time.Second)
	ask()
	if n := asked.Load(); n != 2 {
		t.Errorf("the replica was asked %d times in all, want 2", n)
	}
}

func TestAReplicaThatDoesNotAnswerIsLeftInPeaceForAWhile(t *testing.T) {
	const ip = "127.0.0.41"
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", net.JoinHostPort(ip, "8081"))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-served
	})
	reader := fake.NewClientBuilder().WithObjects(replica("broken", ip, corev1.ConditionTrue, dataplane.Labels("lumi", dataplane.Router, ""))).Build()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	pods := ack.NewPods(reader, func() time.Time { return now })
	failsAfter := func(wait time.Duration) int32 {
		t.Helper()
		now = now.Add(wait)
		before := asked.Load()
		answers, err := pods.Ask(t.Context(), ack.Target{Namespace: "lumi", Brand: "lumi", Component: dataplane.Router})
		if err != nil || len(answers) != 1 || answers[0].Err == nil {
			t.Fatalf("answers are %+v, %v; want one failure", answers, err)
		}
		return asked.Load() - before
	}
	if n := failsAfter(0); n == 0 {
		t.Error("the replica was not asked at first")
	}
	if n := failsAfter(time.Second); n != 0 {
		t.Errorf("the replica was asked %d times a second after it failed, want 0", n)
	}
	if n := failsAfter(5 * time.Second); n == 0 {
		t.Error("the replica was not asked again")
	}
}

func TestAReplicaThatDidNotListenYetIsAskedOnceItIsReady(t *testing.T) {
	const ip = "127.0.0.42"
	starting := replica("starting", ip, corev1.ConditionFalse, dataplane.Labels("lumi", dataplane.Router, ""))
	starting.Status.Phase = corev1.PodRunning
	reader := fake.NewClientBuilder().WithObjects(starting).Build()
	now := time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	pods := ack.NewPods(reader, func() time.Time { return now })
	target := ack.Target{Namespace: "lumi", Brand: "lumi", Component: dataplane.Router}
	unready := target
	unready.Unready = true
	if answers, err := pods.Ask(t.Context(), unready); err != nil || len(answers) != 1 || answers[0].Err == nil {
		t.Fatalf("answers are %+v, %v; want one failure", answers, err)
	}

	answering(t, ip, func() configz.Report { return configz.Report{Objects: map[string]int64{"Playbook/shop": 7}} })
	starting.Status.Conditions[0].Status = corev1.ConditionTrue
	if err := reader.Status().Update(t.Context(), starting); err != nil {
		t.Fatal(err)
	}
	answers, err := pods.Ask(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ack.Answer{serving(7)}, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}
