package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// signsIn makes a session and returns a client with its cookie.
func (d *desk) signsIn(agentName string) *visitor {
	d.t.Helper()
	v := &visitor{d, http.Header{}}
	response := v.sends(http.MethodPost, "/api/session", map[string]string{"token": tokenOf(agentName)})
	if response.status != http.StatusOK || len(response.cookies) != 1 {
		d.t.Fatalf("signing in: status %d, %d cookies", response.status, len(response.cookies))
	}
	cookie := response.cookies[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		d.t.Errorf("cookie %v: want HttpOnly and SameSite=Strict", cookie)
	}
	v.headers.Set("Cookie", cookie.Name+"="+cookie.Value)
	return v
}

// rotated gives an Agent another token.
func rotated(objects []client.Object, name string) []client.Object {
	for _, o := range objects {
		if a, ok := o.(*yingdav1.Agent); ok && a.Name == name {
			a.Status.TrialToken.SHA256 = strings.Repeat("0", 64)
		}
	}
	return objects
}

func without(objects []client.Object, name string) []client.Object {
	var rest []client.Object
	for _, o := range objects {
		if o.GetName() != name {
			rest = append(rest, o)
		}
	}
	return rest
}

func say(key uuid.UUID, words string) map[string]any {
	return map[string]any{"key": key, "content": map[string]any{"kind": "text", "text": words}}
}

func TestWithoutATokenThereIsNoData(t *testing.T) {
	d := newWorld(t).starts()
	for _, path := range []string{"/api/me", "/api/conversations", "/api/stream", "/api/media/" + uuid.NewString(), "/api/nothing", "/api"} {
		got := asks[refused](&visitor{d, http.Header{}}, http.StatusUnauthorized, http.MethodGet, path, nil)
		if got.Status != http.StatusUnauthorized || got.Detail == "" {
			t.Errorf("%s: %+v, want a problem that says what to do", path, got)
		}
	}
}

func TestSigningIn(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	problem := asks[json.RawMessage](&visitor{d, http.Header{}}, http.StatusUnprocessableEntity, http.MethodPost, "/api/session", map[string]string{"token": "secret", "as": "xiaomei"})
	if strings.Contains(string(problem), "secret") || !strings.Contains(string(problem), "unexpected property") {
		t.Errorf("the refusal of an unknown field is %s", problem)
	}
	if got := asks[refused](&visitor{d, http.Header{}}, http.StatusUnauthorized, http.MethodPost, "/api/session", map[string]string{"token": "wrong"}); got.Status != 401 {
		t.Errorf("a wrong token: %+v", got)
	}
	v := d.signsIn("xiaomei")
	want := MeView{AgentView: AgentView{Name: "xiaomei", DisplayName: "客服 xiaomei", Role: "Agent", Groups: []string{"after-sales"}, Capacity: 2}}
	if diff := cmp.Diff(want, asks[MeView](v, http.StatusOK, http.MethodGet, "/api/me", nil)); diff != "" {
		t.Errorf("me (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"xiaomei"}, d.SignedInAgents()); diff != "" {
		t.Errorf("signed in (-want +got):\n%s", diff)
	}
	other := w.starts()
	other.learn(t.Context())
	if diff := cmp.Diff([]string{"xiaomei"}, other.SignedInAgents()); diff != "" {
		t.Errorf("signed in, as another replica knows (-want +got):\n%s", diff)
	}
	w.catalog.Set(rotated(brand(), "xiaomei")...)
	asks[refused](v, http.StatusUnauthorized, http.MethodGet, "/api/me", nil)
	asks[refused](d.as("xiaomei"), http.StatusUnauthorized, http.MethodGet, "/api/me", nil)
	w.catalog.Set(brand()...)
	w.passes(sessionFor)
	asks[refused](v, http.StatusUnauthorized, http.MethodGet, "/api/me", nil)
}

func TestTooManyWrongTokens(t *testing.T) {
	d := newWorld(t).starts()
	stranger := &visitor{d, http.Header{}}
	for range failuresPerAddress {
		asks[refused](stranger, http.StatusUnauthorized, http.MethodPost, "/api/session", map[string]string{"token": "wrong"})
	}
	response := stranger.sends(http.MethodPost, "/api/session", map[string]string{"token": "wrong"})
	if response.status != http.StatusTooManyRequests || response.header.Get("Retry-After") == "" {
		t.Errorf("status %d, want 429 with Retry-After", response.status)
	}
	d.signsIn("xiaomei") // Who has a right token is not locked out by others.
}

func TestAnAgentHasOnlySoManySessions(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	other := d.signsIn("xiaohong")
	sessions := []*visitor{}
	for range maxSessions + 1 {
		sessions = append(sessions, d.signsIn("xiaomei"))
		w.passes(time.Second)
	}
	asks[refused](sessions[0], http.StatusUnauthorized, http.MethodGet, "/api/me", nil)
	for _, v := range append(sessions[1:], other) {
		asks[MeView](v, http.StatusOK, http.MethodGet, "/api/me", nil)
	}
}

func TestWrongCookiesCountAsFailures(t *testing.T) {
	d := newWorld(t).starts()
	for name, value := range map[string]string{
		"made up, of the right form": strings.Repeat("x", cookieLength),
		"too long":                   strings.Repeat("x", 4000),
		"of other characters":        strings.Repeat("~", cookieLength),
	} {
		t.Run(name, func(_ *testing.T) {
			d.failures = newFailureLimit(d.Now)
			stranger := &visitor{d, http.Header{"Cookie": {cookieName + "=" + value}}}
			for range failuresPerAddress {
				asks[refused](stranger, http.StatusUnauthorized, http.MethodGet, "/api/me", nil)
			}
			asks[refused](stranger, http.StatusTooManyRequests, http.MethodGet, "/api/me", nil)
		})
	}
	d.signsIn("xiaomei")
}

func TestAClientThatLeavesIsNoFailure(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	var logs bytes.Buffer
	d.Logger = slog.New(slog.NewTextHandler(&logs, nil))
	asks[MeView](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/me", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/api/me", "/api/conversations", "/api/conversations/" + uuid.NewString()} {
		request := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
		request.Header = d.as("xiaomei").headers
		recorder := httptest.NewRecorder()
		d.Handler().ServeHTTP(recorder, request)
		if recorder.Code != statusGone {
			t.Errorf("%s: status %d, want %d", path, recorder.Code, statusGone)
		}
	}
	if logs.Len() > 0 {
		t.Errorf("logged: %s", logs.String())
	}
}

func TestAnAgentSeesOnlyTheirGroups(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.hears(id, text("我要退款"))
	path := "/api/conversations/" + id.String()
	stranger := d.as("xiaohong")
	asks[refused](stranger, http.StatusNotFound, http.MethodGet, path, nil)
	asks[refused](stranger, http.StatusNotFound, http.MethodGet, path+"/canned-replies", nil)
	asks[refused](stranger, http.StatusNotFound, http.MethodPost, path+"/messages", say(uuid.New(), "你好"))
	asks[refused](stranger, http.StatusNotFound, http.MethodPost, path+"/typing", nil)
	asks[refused](stranger, http.StatusNotFound, http.MethodPost, path+"/close", nil)
	asks[refused](stranger, http.StatusNotFound, http.MethodPost, path+"/complaint/resolve", map[string]string{"resolution": "x"})
	type listed struct{ Conversations []ListedConversation }
	for name, want := range map[string]int{"xiaohong": 0, "xiaomei": 1, "laowang": 1} {
		if got := asks[listed](d.as(name), http.StatusOK, http.MethodGet, "/api/conversations", nil); len(got.Conversations) != want {
			t.Errorf("%s sees %d conversations, want %d", name, len(got.Conversations), want)
		}
	}
	got := asks[listed](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/conversations?state=assigned&mine=true&limit=10", nil)
	if len(got.Conversations) != 1 || got.Conversations[0].LastMessage == nil || got.Conversations[0].LastMessage.Text != "我要退款" {
		t.Errorf("listed: %+v", got)
	}
}

func TestAGroupThatLacksAgentsCallsThoseOnCall(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	onCall := func(a *yingdav1.Agent) { a.Spec.OnCall = yingdav1.OnCallWhenShort }
	declared := func(reason string) []client.Object {
		objects := append(changed("xiaohong", onCall), agent("xiaoli", "after-sales", onCall))
		for _, o := range objects {
			if group, ok := o.(*yingdav1.SkillGroup); ok && group.Name == "after-sales" {
				group.Status.Conditions = []metav1.Condition{{Type: yingdav1.ConditionStaffed, Reason: reason}}
			}
		}
		return objects
	}
	calling := func(name string) (groups []string) {
		t.Helper()
		type listed struct{ Groups []GroupView }
		for _, group := range asks[listed](d.as(name), http.StatusOK, http.MethodGet, "/api/groups", nil).Groups {
			if group.CallsForHelp {
				groups = append(groups, group.Name)
			}
		}
		return groups
	}
	for reason, want := range map[string]map[string][]string{
		yingdav1.ReasonUnderstaffed: {"xiaomei": nil, "xiaoli": nil, "xiaohong": nil, "laowang": nil},
		yingdav1.ReasonOnCallCalled: {"xiaomei": nil, "xiaoli": {"after-sales"}, "xiaohong": nil, "laowang": nil},
	} {
		w.catalog.Set(declared(reason)...)
		for name, groups := range want {
			if diff := cmp.Diff(groups, calling(name)); diff != "" {
				t.Errorf("while the group is %s, %s is called by (-want +got):\n%s", reason, name, diff)
			}
		}
	}
}

func TestSendingTwiceWithOneKeySendsOnce(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, key := "/api/conversations/"+id.String()+"/messages", uuid.New()
	var senders sync.WaitGroup
	got := make([]store.Message, 8)
	for i := range got {
		senders.Go(func() {
			got[i] = asks[store.Message](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, path, say(key, "您好"))
		})
	}
	senders.Wait()
	for _, m := range got[1:] {
		if m.ID != got[0].ID || m.Delivery == nil || m.Delivery.State != message.DeliveryQueued {
			t.Errorf("answer %+v, want the message %s, queued", m, got[0].ID)
		}
	}
	if sent := w.outboxOf(string(message.TypeOutbound)); len(sent) != 1 {
		t.Errorf("%d messages in the outbox, want 1", len(sent))
	}
	type shown struct{ Messages []store.Message }
	transcript := asks[shown](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/conversations/"+id.String(), nil)
	if len(transcript.Messages) != 1 || transcript.Messages[0].ID != got[0].ID {
		t.Errorf("transcript %+v, want that one message", transcript)
	}
	other := w.assigned("after-sales", "xiaomei", "c2")
	problem := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, "/api/conversations/"+other.String()+"/messages", say(key, "您好"))
	if problem.Type != "urn:yingda:problem:KeyUsed" {
		t.Errorf("the key in another conversation: %+v", problem)
	}
}

func TestWhatCannotBeSaid(t *testing.T) {
	w := newWorld(t)
	w.catalog.Set(append(brand(), agent("xiaoli", "after-sales"))...)
	d := w.starts()
	mine, closed, waiting := w.assigned("after-sales", "xiaomei", "a"), w.assigned("after-sales", "xiaomei", "b"), w.queues("after-sales", "c")
	asks[store.Conversation](d.as("xiaomei"), http.StatusOK, http.MethodPost, "/api/conversations/"+closed.String()+"/close", nil)
	// Closing drains the queue; the third waits for xiaoli, who is off duty, only while xiaomei is full.
	content := func(c map[string]any) map[string]any { return map[string]any{"key": uuid.New(), "content": c} }
	tests := map[string]struct {
		as     string
		to     uuid.UUID
		body   map[string]any
		status int
		reason string
	}{
		"an empty text":              {"xiaomei", mine, say(uuid.New(), " \n"), 422, "BadContent"},
		"a text that is too long":    {"xiaomei", mine, say(uuid.New(), strings.Repeat("好", 683)), 422, "TextTooLong"},
		"a text with a NUL":          {"xiaomei", mine, say(uuid.New(), "a\x00b"), 422, "BadContent"},
		"a link to a script":         {"xiaomei", mine, content(map[string]any{"kind": "link", "link": map[string]any{"title": "x", "url": "javascript:alert(1)"}}), 422, "BadContent"},
		"a picture nobody uploaded":  {"xiaomei", mine, content(map[string]any{"kind": "image", "media": map[string]any{"id": uuid.New()}}), 422, "NoSuchPicture"},
		"a closed conversation":      {"xiaomei", closed, say(uuid.New(), "你好"), 409, "Closed"},
		"a colleague's conversation": {"xiaoli", mine, say(uuid.New(), "你好"), 409, "NotYours"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := asks[refused](d.as(test.as), test.status, http.MethodPost, "/api/conversations/"+test.to.String()+"/messages", test.body)
			if got.Type != "urn:yingda:problem:"+test.reason {
				t.Errorf("refused with %s, want %s", got.Type, test.reason)
			}
		})
	}
	if c := conversation(t, w, waiting); c.State != store.StateAssigned {
		t.Errorf("the waiting conversation is %s after a slot became free", c.State)
	}
	asks[store.Message](d.as("laowang"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+mine.String()+"/messages", say(uuid.New(), "我是主管"))
}

func conversation(t *testing.T, w *world, id uuid.UUID) store.Conversation {
	t.Helper()
	c, err := w.store.Queries().ConversationGet(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return store.ConversationView(c)
}

func TestDutyDrainsTheQueueWithinCapacity(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	for i := range 3 {
		w.queues("after-sales", strconv.Itoa(i))
	}
	v := d.as("xiaomei")
	me := asks[MeView](v, http.StatusOK, http.MethodPut, "/api/duty", map[string]bool{"onDuty": true})
	if !me.OnDuty || me.Used != 2 {
		t.Errorf("me %+v, want on duty with 2 conversations", me)
	}
	type groups struct{ Groups []GroupView }
	since := w.clock()
	want := []GroupView{{Name: "after-sales", DisplayName: "after-sales", Open: true, Waiting: 1, OldestWaitingSince: &since}}
	if diff := cmp.Diff(want, asks[groups](v, http.StatusOK, http.MethodGet, "/api/groups", nil).Groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	me = asks[MeView](v, http.StatusOK, http.MethodPut, "/api/duty", map[string]bool{"onDuty": false})
	if me.OnDuty || me.Used != 2 {
		t.Errorf("me %+v, want off duty, still with 2 conversations", me)
	}
}

func TestGroupsSayWhenTheirQueueNeedsMoreHands(t *testing.T) {
	w := newWorld(t)
	v := w.starts().as("xiaomei")
	type groups struct{ Groups []GroupView }
	alert := func() string {
		t.Helper()
		return asks[groups](v, http.StatusOK, http.MethodGet, "/api/groups", nil).Groups[0].Alert
	}
	for i := range 5 {
		w.queues("after-sales", strconv.Itoa(i))
	}
	if got := alert(); got != "" {
		t.Errorf("five who have just come: %q", got)
	}
	w.passes(5*time.Minute + time.Second)
	if got := alert(); got != "Slow" {
		t.Errorf("five who have waited for more than five minutes: %q", got)
	}
	w.queues("after-sales", "sixth")
	if got := alert(); got != "Long" {
		t.Errorf("six: %q", got)
	}
}

// TestCapacityHoldsWhileDesksRace lets two desks close and assign at once, and looks at the counters after every step.
func TestCapacityHoldsWhileDesksRace(t *testing.T) {
	w := newWorld(t)
	desks := []*desk{w.starts(), w.starts()}
	const customers = 30
	for i := range customers {
		w.queues("after-sales", strconv.Itoa(i))
	}
	var racers sync.WaitGroup
	for i := range 6 {
		racers.Go(func() {
			v := desks[i%2].as("xiaomei")
			for served(t, w) < customers {
				asks[MeView](v, http.StatusOK, http.MethodPut, "/api/duty", map[string]bool{"onDuty": true})
				closeOne(v)
				var used, held int
				err := w.store.Pool().QueryRow(t.Context(), `SELECT used, (SELECT count(*) FROM conversation WHERE state = 'assigned')
					FROM presence WHERE agent = 'xiaomei'`).Scan(&used, &held)
				if err != nil || used > 2 || used != held {
					t.Errorf("%d slots in use and %d conversations held, of 2: %v", used, held, err)
					return
				}
			}
		})
	}
	racers.Wait()
}

func closeOne(v *visitor) {
	type listed struct{ Conversations []ListedConversation }
	for _, c := range asks[listed](v, http.StatusOK, http.MethodGet, "/api/conversations?state=assigned&mine=true", nil).Conversations {
		// Another racer may have closed it: 409.
		v.sends(http.MethodPost, "/api/conversations/"+c.ID.String()+"/close", nil)
		return
	}
}

func served(t *testing.T, w *world) (n int) {
	t.Helper()
	if err := w.store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM conversation WHERE state = 'closed'").Scan(&n); err != nil {
		t.Error(err)
		return 1 << 20
	}
	return n
}

func TestTypingIsPassedOnNowAndThen(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String() + "/typing"
	for range 3 {
		asks[any](d.as("xiaomei"), http.StatusNoContent, http.MethodPost, path, nil)
	}
	w.passes(typingInterval)
	asks[any](d.as("xiaomei"), http.StatusNoContent, http.MethodPost, path, nil)
	sent := w.outboxOf(string(message.TypeOutbound))
	if len(sent) != 2 {
		t.Fatalf("%d in the outbox, want 2", len(sent))
	}
	var out message.Outbound
	if err := json.Unmarshal(sent[0], &out); err != nil || out.Content.Kind != message.KindTyping || !out.NotAfter.Equal(noon().Add(typingFor)) {
		t.Errorf("sent %+v, err %v", out, err)
	}
}

func TestCannedRepliesComeFromThePlaybook(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	type canned struct{ CannedReplies []CannedReply }
	got := asks[canned](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/conversations/"+id.String()+"/canned-replies", nil)
	if diff := cmp.Diff([]CannedReply{{Code: "hi", Title: "问候", Text: "您好!"}}, got.CannedReplies); diff != "" {
		t.Errorf("canned replies (-want +got):\n%s", diff)
	}
}

func TestSecurityHeadersAndThePage(t *testing.T) {
	d := newWorld(t).starts()
	v := &visitor{d, http.Header{}}
	for path, status := range map[string]int{"/": 200, "/openapi.json": 200, "/docs": 404, "/nothing": 404, "/../desk.go": 404} {
		response := v.sends(http.MethodGet, path, nil)
		if response.status != status {
			t.Errorf("%s: status %d, want %d", path, response.status, status)
		}
		if got := response.header.Get("Content-Security-Policy"); got != contentPolicy {
			t.Errorf("%s: policy %q", path, got)
		}
	}
	crossSite := d.signsIn("xiaomei")
	crossSite.headers.Set("Sec-Fetch-Site", "cross-site")
	asks[refused](crossSite, http.StatusForbidden, http.MethodPut, "/api/duty", map[string]bool{"onDuty": true})
}
