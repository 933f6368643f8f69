package ack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

const (
	askTimeout = 2 * time.Second
	// One report answers for all objects that are reconciled together (a brand's folder holds a dozen objects, and each report
	// holds all of them) for freshFor times as long as it took to get, from leastFresh to mostFresh. So a replica is asked for a
	// hundredth of the time at most: the busier the two of them, and the longer the reports, the less often.
	freshFor   = 100
	leastFresh = 50 * time.Millisecond
	mostFresh  = time.Second
	// freshFailure is for how long a replica that could not be asked is not asked again. Each question costs askTimeout: asked
	// for every object anew, one replica behind a broken network would hold up all that is reconciled.
	freshFailure = 5 * time.Second
	// most replicas of a workload that are asked at the same time.
	atOnce = 16
)

// Pods asks the pods themselves, found in the cache.
type Pods struct {
	reader client.Reader
	http   *http.Client
	now    func() time.Time

	mu      sync.Mutex
	reports map[string]*asked
	// swept is when old reports were forgotten.
	swept time.Time
}

type asked struct {
	// ready says that the replica was ready. One that was not may not have listened yet: who comes when it is asks anew.
	ready  bool
	done   chan struct{}
	at     time.Time
	took   time.Duration
	report configz.Report
	err    error
}

var _ Asker = (*Pods)(nil)

// NewPods makes an Asker over the pods that reader knows.
func NewPods(reader client.Reader, now func() time.Time) *Pods {
	return &Pods{
		reader: reader,
		http: &http.Client{
			Timeout: askTimeout,
			// A replica has no business to send the operator elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
		},
		now:     now,
		reports: map[string]*asked{},
	}
}

// Ask returns the answers of the target's pods that are ready, or of all that run.
func (p *Pods) Ask(ctx context.Context, target Target) ([]Answer, error) {
	var pods corev1.PodList
	selector := client.MatchingLabels(dataplane.Selector(target.Brand, target.Component, target.Pool))
	if err := p.reader.List(ctx, &pods, client.InNamespace(target.Namespace), selector, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the replicas of %s: %w", target.Component, err)
	}
	var ready []*corev1.Pod
	for i := range pods.Items {
		if Ready(&pods.Items[i]) || target.Unready && running(&pods.Items[i]) {
			ready = append(ready, &pods.Items[i])
		}
	}
	answers := make([]Answer, len(ready))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, pod := range ready {
		group.Go(func() error {
			report, err := p.ask(ctx, pod)
			answers[i] = Answer{Report: report, Err: err}
			return nil
		})
	}
	_ = group.Wait() // the functions report their errors in the answers
	return answers, nil
}

// ask shares one question among all who ask at the same time.
func (p *Pods) ask(ctx context.Context, pod *corev1.Pod) (configz.Report, error) {
	key, ready := string(pod.UID), Ready(pod)
	p.mu.Lock()
	if a, there := p.reports[key]; there && !a.stale(p.now()) && (a.ready || !ready) {
		p.mu.Unlock()
		select {
		case <-a.done:
			return a.report, a.err
		case <-ctx.Done():
			return configz.Report{}, fmt.Errorf("waiting for a replica's answer: %w", ctx.Err())
		}
	}
	a := &asked{ready: ready, done: make(chan struct{})}
	p.forgetOld()
	p.reports[key] = a
	p.mu.Unlock()

	// The answer is for everybody who waits, so that it must not end with the one who happened to come first.
	shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer cancel()
	began := p.now()
	report, err := configz.Ask(shared, p.http, "http://"+net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(configz.HealthPort)))

	p.mu.Lock()
	a.report, a.err, a.at = report, err, p.now()
	a.took = a.at.Sub(began)
	p.mu.Unlock()
	close(a.done)
	return report, err
}

// stale says whether the answer is too old for those who ask now; one under way never is.
func (a *asked) stale(now time.Time) bool {
	if a.at.IsZero() {
		return false
	}
	age := min(max(freshFor*a.took, leastFresh), mostFresh)
	if a.err != nil {
		age = freshFailure
	}
	return now.Sub(a.at) >= age
}

// forgetOld looks at all reports, so not at every question.
func (p *Pods) forgetOld() {
	now := p.now()
	if now.Sub(p.swept) < mostFresh {
		return
	}
	p.swept = now
	for key, a := range p.reports {
		if a.stale(now) {
			delete(p.reports, key)
		}
	}
}

// running says whether a pod may answer, though it may not be ready.
func running(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.PodIP != "" && pod.Status.Phase == corev1.PodRunning
}

// Ready says whether a pod serves now.
func Ready(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.PodIP == "" {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
