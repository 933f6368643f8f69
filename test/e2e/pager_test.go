//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/oncall"
)

const (
	pagerName  = "e2e-pager"
	groupName  = "after-sales"
	pagerKey   = "the key of this test"
	pagerLimit = 3 * time.Minute
)

// pager is a receiver of calls for help. It refuses all until it is told to take them.
type pager struct {
	outsider

	mu    sync.Mutex
	takes bool
	calls []pagerCall
}

type pagerCall struct {
	header http.Header
	body   []byte
	at     time.Time
}

// openPager has one listen where the pods of the local cluster find it.
func openPager(t *testing.T, s *stack) *pager {
	t.Helper()
	p := &pager{}
	p.outsider = openOutsider(t, s, p)
	return p
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, pagerCall{r.Header.Clone(), body, time.Now()})
	if !p.takes {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (p *pager) take() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.takes = true
}

func (p *pager) called(context.Context) ([]pagerCall, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls, nil
}

// calledAtThePager has a group lack agents: the Brand's webhook, which has a certificate of a private authority, is called,
// refuses the call, which the group says, and takes it when it comes again. For the five minutes that a group lacks agents before
// anybody is called the test does not wait: it writes into the status that they are over.
func (s *story) calledAtThePager() {
	t := s.t
	p := openPager(t, s.stack)
	s.creates(t, pagerName, map[string][]byte{"key": []byte(pagerKey), "ca.crt": p.authority})
	change(t, s.kube, supervisorName, &v1alpha1.Agent{}, func(agent *v1alpha1.Agent) { agent.Spec.OnCall = v1alpha1.OnCallWhenShort })
	change(t, s.kube, brandName, &v1alpha1.Brand{}, func(brand *v1alpha1.Brand) {
		ref := &v1alpha1.CredentialsReference{Name: pagerName}
		brand.Spec.OnCall = &v1alpha1.BrandOnCall{Webhook: v1alpha1.OnCallWebhook{
			URL: p.url + "/call", SecretRef: ref, CASecretRef: ref,
		}}
	})
	group := &v1alpha1.SkillGroup{}
	change(t, s.kube, groupName, group, func(group *v1alpha1.SkillGroup) { group.Spec.Seats.Min = new(int32(5)) })
	s.says(t, group, "agents are missing", v1alpha1.ConditionStaffed, v1alpha1.ReasonUnderstaffed)
	base := group.DeepCopy()
	group.Status.Seats.ShortSince = new(metav1.NewTime(time.Now().Add(-6 * time.Minute).UTC().Truncate(time.Second)))
	must(t, s.kube.Status().Patch(t.Context(), group, client.MergeFrom(base)))
	// What a test wrote, no one else would take away.
	cleanly(t, func(ctx context.Context) error {
		return s.kube.Status().Patch(ctx, &v1alpha1.SkillGroup{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: groupName}},
			client.RawPatch(types.MergePatchType, []byte(`{"status":{"seats":{"shortSince":null}}}`)))
	})

	s.says(t, group, "those on call are called", v1alpha1.ConditionStaffed, v1alpha1.ReasonOnCallCalled)
	s.says(t, group, "the group says that the webhook refuses the call", v1alpha1.ConditionOnCallReached, v1alpha1.ReasonWebhookRefused)
	p.take()
	s.says(t, group, "the group says that the webhook took it", v1alpha1.ConditionOnCallReached, v1alpha1.ReasonWebhookDelivered)

	calls, err := p.called(t.Context())
	must(t, err)
	for _, call := range calls {
		var notice oncall.Notice
		must(t, json.Unmarshal(call.body, &notice))
		if notice.SkillGroup != groupName || notice.Wanted != 5 || len(notice.OnCall) != 1 || notice.OnCall[0] != supervisorName {
			t.Errorf("the webhook was told %s", call.body)
		}
		if got := call.header.Get(oncall.HeaderIdempotencyKey); got != notice.ID || notice.ID == "" {
			t.Errorf("the call %s came under the id %q", call.body, got)
		}
		if !genuine(call) {
			t.Errorf("the call %s is signed %q", call.body, call.header.Get(oncall.HeaderSignature))
		}
	}
}

// genuine says whether a call was signed with the key within the time that it took to arrive.
func genuine(call pagerCall) bool {
	for age := range 10 {
		if call.header.Get(oncall.HeaderSignature) == oncall.Sign([]byte(pagerKey), call.body, call.at.Add(-time.Duration(age)*time.Second)) {
			return true
		}
	}
	return false
}

// says waits until a group's condition has a reason.
func (s *story) says(t *testing.T, group *v1alpha1.SkillGroup, what, condition, reason string) {
	t.Helper()
	await(t, what, pagerLimit, func(ctx context.Context) (string, error) {
		if err := s.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: groupName}, group); err != nil {
			return "", fmt.Errorf("getting the SkillGroup: %w", err)
		}
		if found := meta.FindStatusCondition(group.Status.Conditions, condition); found != nil {
			return found.Reason, nil
		}
		return "", nil
	}, func(found string) bool { return found == reason })
}
