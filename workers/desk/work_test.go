package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/intake"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

func png() []byte { return []byte("\x89PNG\r\n\x1a\n" + "the rest of a picture") }

func TestAPictureGoesOut(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path := "/api/conversations/" + id.String()
	v := d.as("xiaomei")
	file := asks[FileView](v, http.StatusCreated, http.MethodPost, "/api/media", png())
	if file.ContentType != "image/png" || file.Size != len(png()) {
		t.Errorf("uploaded %+v", file)
	}
	image := func() map[string]any {
		return map[string]any{"key": uuid.New(), "content": map[string]any{"kind": "image", "media": map[string]any{"id": file.ID}}}
	}
	asks[refused](d.as("laowang"), http.StatusUnprocessableEntity, http.MethodPost, path+"/messages", image()) // not theirs
	where := "/api/media/" + file.ID.String() + "?conversation=" + id.String()
	asks[refused](v, http.StatusNotFound, http.MethodGet, where, nil) // not sent yet
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", image())

	response := v.sends(http.MethodGet, where, nil)
	if !bytes.Equal(response.body, png()) || response.header.Get("Content-Type") != "image/png" || response.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("file: %d bytes, headers %v", len(response.body), response.header)
	}
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, where, nil)
	other := w.assigned("pre-sales", "xiaohong", "other")
	asks[refused](d.as("xiaohong"), http.StatusNotFound, http.MethodGet, "/api/media/"+file.ID.String()+"?conversation="+other.String(), nil)

	// The connector finds it under the Channel of the conversation.
	if _, data, ok, err := w.store.ReadFile(t.Context(), "shop", file.ID); err != nil || !ok || !bytes.Equal(data, png()) {
		t.Errorf("as a connector reads it: %d bytes, found %t, err %v", len(data), ok, err)
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	d := newWorld(t).starts()
	tests := map[string]struct {
		body []byte
		want int
	}{
		"a page":                     {[]byte("<html><script>alert(1)</script>"), http.StatusUnsupportedMediaType},
		"a drawing that runs script": {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), http.StatusUnsupportedMediaType},
		"too much":                   {append(png(), make([]byte, maxUpload)...), http.StatusRequestEntityTooLarge},
	}
	for name, test := range tests {
		if got := d.as("xiaomei").sends(http.MethodPost, "/api/media", test.body); got.status != test.want {
			t.Errorf("%s: status %d, want %d", name, got.status, test.want)
		}
	}
}

func TestACustomersFileNeverRuns(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	file := uuid.New()
	w.hears(id, message.Content{Kind: message.KindImage, Media: &message.Media{ID: file, PlatformID: "m"}})
	where := "/api/media/" + file.String() + "?conversation=" + id.String()
	if err := w.store.Queries().MediaExpect(t.Context(), file, "shop", "m", noon()); err != nil {
		t.Fatal(err)
	}
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodGet, where, nil); got.Type != "urn:yingda:problem:NotFetchedYet" {
		t.Errorf("before it was fetched: %+v", got)
	}
	if err := w.store.StoreFile(t.Context(), file, "text/html", []byte("<script>alert(1)</script>")); err != nil {
		t.Fatal(err)
	}
	response := d.as("xiaomei").sends(http.MethodGet, where, nil)
	got := map[string]string{}
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Security-Policy", "Cache-Control"} {
		got[name] = response.header.Get(name)
	}
	want := map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": "attachment",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, max-age=86400, immutable",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestAVideoIsPlayedFromWhereThePlayerWantsIt(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	file, video := uuid.New(), make([]byte, 2*pieceSize+100)
	for i := range video {
		video[i] = byte(i / 1000)
	}
	w.hears(id, message.Content{Kind: message.KindVideo, Media: &message.Media{ID: file, PlatformID: "m"}})
	if err := w.store.Queries().MediaExpect(t.Context(), file, "shop", "m", noon()); err != nil {
		t.Fatal(err)
	}
	if err := w.store.StoreFile(t.Context(), file, "video/mp4", video); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]struct {
		status int
		length string
		body   []byte
	}{
		"":                      {http.StatusOK, "", video},
		"bytes=0-1":             {http.StatusPartialContent, "bytes 0-1/1048676", video[:2]},
		"bytes=524000-1048600":  {http.StatusPartialContent, "bytes 524000-1048600/1048676", video[524000:1048601]},
		"bytes=1048600-1048675": {http.StatusPartialContent, "bytes 1048600-1048675/1048676", video[1048600:]},
		"bytes=-10":             {http.StatusPartialContent, "bytes 1048666-1048675/1048676", video[len(video)-10:]},
	} {
		v := d.as("xiaomei")
		v.headers.Set("Range", asked)
		got := v.sends(http.MethodGet, "/api/media/"+file.String()+"?conversation="+id.String(), nil)
		if got.status != want.status || got.header.Get("Content-Range") != want.length || !bytes.Equal(got.body, want.body) {
			t.Errorf("%q: status %d, %s, %d bytes; want %d, %s, %d", asked, got.status, got.header.Get("Content-Range"), len(got.body), want.status, want.length, len(want.body))
		}
		headers := []string{got.header.Get("Content-Type"), got.header.Get("Content-Disposition"), got.header.Get("X-Content-Type-Options"), got.header.Get("Content-Security-Policy")}
		if diff := cmp.Diff([]string{"video/mp4", "inline", "nosniff", "default-src 'none'; sandbox"}, headers); diff != "" {
			t.Errorf("%q: headers (-want +got):\n%s", asked, diff)
		}
	}
}

func TestFilesOnTheirWayHaveABoundedShareOfTheMemory(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	file := uuid.New()
	w.hears(id, message.Content{Kind: message.KindImage, Media: &message.Media{ID: file, PlatformID: "m"}})
	if err := w.store.Queries().MediaExpect(t.Context(), file, "shop", "m", noon()); err != nil {
		t.Fatal(err)
	}
	if err := w.store.StoreFile(t.Context(), file, "image/png", png()); err != nil {
		t.Fatal(err)
	}
	asking := func(method, path string, body []byte) int {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		request := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
		request.Header = d.as("xiaomei").headers
		recorder := httptest.NewRecorder()
		d.Handler().ServeHTTP(recorder, request)
		return recorder.Code
	}
	where := "/api/media/" + file.String() + "?conversation=" + id.String()
	asks[MeView](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/me", nil)
	for name, test := range map[string]struct {
		budget       *budget
		method, path string
		free         int
	}{
		"what is shown":    {d.shown, http.MethodGet, where, http.StatusOK},
		"what is uploaded": {d.taken, http.MethodPost, "/api/media", http.StatusCreated},
	} {
		if !test.budget.TryAcquire(test.budget.most) {
			t.Fatalf("%s: the budget is in use", name)
		}
		if got := asking(test.method, test.path, png()); got != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d when others have all the memory, want 503", name, got)
		}
		test.budget.Release(test.budget.most)
		if got := d.as("xiaomei").sends(test.method, test.path, png()); got.status != test.free {
			t.Errorf("%s: status %d when there is memory, want %d: %s", name, got.status, test.free, got.body)
		}
		// What the answered request held comes back when its handler has returned.
		eventually(t, "the memory comes back", func() bool {
			back := test.budget.TryAcquire(test.budget.most)
			if back {
				test.budget.Release(test.budget.most)
			}
			return back
		})
	}
}

func TestAnAgentUploadsOnlySoMuchWithoutSendingIt(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	add := func(owner string) {
		_, err := w.store.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, platform_id, data, created_at)
			SELECT gen_random_uuid(), '', 'stored', $1, convert_to(repeat('x', 10485760), 'UTF8'), now() FROM generate_series(1, 5)`, owner)
		if err != nil {
			t.Fatal(err)
		}
	}
	add("agent/xiaohong")
	asks[FileView](d.as("xiaomei"), http.StatusCreated, http.MethodPost, "/api/media", png())
	add("agent/xiaomei")
	if got := asks[refused](d.as("xiaomei"), http.StatusConflict, http.MethodPost, "/api/media", png()); got.Type != "urn:yingda:problem:TooManyUnsent" {
		t.Errorf("refused with %+v", got)
	}
}

func TestAComplaintIsResolvedOnceAndFollowedUp(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, v := "/api/conversations/"+id.String(), d.as("xiaomei")
	resolve := map[string]string{"resolution": "已换货"}
	asks[refused](v, http.StatusNotFound, http.MethodPost, path+"/complaint/resolve", resolve)

	workflow := promise.ComplaintID("lumi", "lumi", id)
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, err := u.ComplaintOpen(ctx, db.ComplaintOpenParams{ID: workflow, ConversationID: id, Channel: "shop", ExternalID: "c", SkillGroup: "after-sales", OpenedAt: noon()})
		return err
	})
	type listed struct{ Complaints []store.Complaint }
	for name, want := range map[string]int{"xiaomei": 1, "xiaohong": 0, "laowang": 1} {
		if got := asks[listed](d.as(name), http.StatusOK, http.MethodGet, "/api/complaints", nil); len(got.Complaints) != want {
			t.Errorf("%s sees %d complaints, want %d", name, len(got.Complaints), want)
		}
	}
	// The complaint goes with its conversation, whatever group it was opened in.
	other := w.queues("pre-sales", "d")
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, err := u.ComplaintOpen(ctx, db.ComplaintOpenParams{ID: "moved", ConversationID: other, Channel: "shop", ExternalID: "d", SkillGroup: "after-sales", OpenedAt: noon()})
		return err
	})
	for name, want := range map[string]int{"xiaomei": 1, "xiaohong": 1, "laowang": 2} {
		if got := asks[listed](d.as(name), http.StatusOK, http.MethodGet, "/api/complaints", nil); len(got.Complaints) != want {
			t.Errorf("%s sees %d complaints after one was moved, want %d", name, len(got.Complaints), want)
		}
	}
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path+"/complaint/follow-up", nil); got.Type != "urn:yingda:problem:NotResolved" {
		t.Errorf("following up too early: %+v", got)
	}
	// Two settle it at once: one of them is told that it was settled.
	var answers [2]answer
	var settling sync.WaitGroup
	for i, name := range []string{"xiaomei", "laowang"} {
		settling.Go(func() {
			answers[i] = d.as(name).sends(http.MethodPost, path+"/complaint/resolve", map[string]string{"resolution": "by " + name})
		})
	}
	settling.Wait()
	if statuses := answers[0].status + answers[1].status; statuses != http.StatusAccepted+http.StatusConflict {
		t.Fatalf("answers %d %s and %d %s", answers[0].status, answers[0].body, answers[1].status, answers[1].body)
	}
	winner := "xiaomei"
	if answers[1].status == http.StatusAccepted {
		winner = "laowang"
	}
	signals := w.outboxOf(store.TargetSignal + promise.SignalResolve)
	var sent promise.Resolve
	if len(signals) != 1 || json.Unmarshal(signals[0], &sent) != nil || sent != (promise.Resolve{By: winner, Resolution: "by " + winner, At: noon()}) {
		t.Errorf("signals %s", signals)
	}
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path+"/complaint/follow-up", nil); got.Type != "urn:yingda:problem:NotDueYet" {
		t.Errorf("following up before the process knows: %+v", got)
	}

	// The process does its part: it adds the day of the follow-up to what the desk has written, once.
	process := func() (db.Complaint, error) {
		return w.store.Queries().ComplaintResolve(t.Context(), db.ComplaintResolveParams{
			ID: workflow, ResolvedAt: noon().Add(time.Minute), ResolvedBy: "somebody", Resolution: "else", FollowUpDue: noon().Add(72 * time.Hour),
		})
	}
	row, err := process()
	if err != nil || row.ResolvedBy != winner || row.Resolution != "by "+winner || !row.ResolvedAt.Equal(noon()) || row.FollowUpDue == nil {
		t.Fatalf("recorded %+v, err %v", row, err)
	}
	if _, err := process(); !errors.Is(err, pgx.ErrNoRows) {
		t.Errorf("recorded twice: err %v", err)
	}
	if got := asks[refused](v, http.StatusConflict, http.MethodPost, path+"/complaint/resolve", resolve); got.Type != "urn:yingda:problem:AlreadyResolved" {
		t.Errorf("resolving again: %+v", got)
	}
	for range 2 { // The client did not hear the answer to the first.
		asks[store.Complaint](v, http.StatusAccepted, http.MethodPost, path+"/complaint/follow-up", nil)
	}
	if got := asks[refused](d.as("laowang"), http.StatusConflict, http.MethodPost, path+"/complaint/follow-up", nil); got.Type != "urn:yingda:problem:AlreadyFollowedUp" {
		t.Errorf("following up again, before the process knows: %+v", got)
	}
	if got := w.outboxOf(store.TargetSignal + promise.SignalFollowedUp); len(got) != 1 {
		t.Errorf("%d signals, want 1", len(got))
	}
	type shown struct{ Complaint *store.Complaint }
	if got := asks[shown](v, http.StatusOK, http.MethodGet, path, nil); got.Complaint == nil || got.Complaint.State != "resolved" {
		t.Errorf("shown: %+v", got.Complaint)
	}
}

func TestADeskSaysThatTheChannelIsGone(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	w.does(func(ctx context.Context, u *store.Unit) error {
		_, err := u.ComplaintOpen(ctx, db.ComplaintOpenParams{ID: "c", ConversationID: id, Channel: "shop", ExternalID: "c", SkillGroup: "after-sales", OpenedAt: noon()})
		return err
	})
	type listed struct{ Complaints []ListedComplaint }
	type shown struct {
		Conversation store.Conversation
		ChannelGone  bool
	}
	look := func() (shown, bool) {
		t.Helper()
		complaints := asks[listed](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/complaints", nil).Complaints
		if len(complaints) != 1 {
			t.Fatalf("%d complaints, want 1", len(complaints))
		}
		return asks[shown](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/conversations/"+id.String(), nil), complaints[0].ChannelGone
	}
	if got, complaint := look(); got.ChannelGone || complaint {
		t.Errorf("the Channel is gone while it is there: %+v", got)
	}
	w.catalog.Set(slices.DeleteFunc(brand(), func(o client.Object) bool { _, is := o.(*yingdav1.Channel); return is })...)
	if got, complaint := look(); !got.ChannelGone || !complaint || got.Conversation.State != store.StateAssigned {
		t.Errorf("before the conversation ends it shows as %+v, the complaint's Channel gone: %t", got, complaint)
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err == nil {
			_, err = u.CloseGone(ctx, c)
		}
		return err
	})
	if got, complaint := look(); got.Conversation.CloseReason != store.CloseReasonChannelGone || !complaint {
		t.Errorf("when it has ended the conversation shows as %+v, the complaint's Channel gone: %t", got, complaint)
	}
	w.catalog.Set(brand()...)
	if got, complaint := look(); got.ChannelGone || complaint || got.Conversation.CloseReason != store.CloseReasonChannelGone {
		t.Errorf("when the Channel is there again it shows as %+v, the complaint's Channel gone: %t", got, complaint)
	}
}

func TestATranscriptShowsWhatBecameOfEachMessage(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	id := w.assigned("after-sales", "xiaomei", "c")
	path, v := "/api/conversations/"+id.String(), d.as("xiaomei")
	w.hears(id, text("在吗"))
	if err := w.store.Queries().QuotaSet(t.Context(), db.QuotaSetParams{
		Channel: "shop", ExternalID: "c", WindowEnds: noon().Add(time.Hour), Remaining: 4, SessionEnds: noon(), SessionRemaining: 2,
	}); err != nil {
		t.Fatal(err)
	}
	w.passes(time.Second)
	said := asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", say(uuid.New(), "您好"))
	_, err := w.store.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, code, reason, updated_at)
		VALUES ($1, 'miniprogram', 'shop', 'c', 'unknown', '{}', 0, 'ConnectorLost', now())`, said.ID)
	if err != nil {
		t.Fatal(err)
	}
	type shown struct {
		Conversation store.Conversation
		Messages     []store.Message
		Window       Window
	}
	got := asks[shown](v, http.StatusOK, http.MethodGet, path, nil)
	if len(got.Messages) != 2 || got.Messages[0].Sender != "customer" || got.Messages[0].Delivery != nil {
		t.Fatalf("messages %+v", got.Messages)
	}
	want := &store.DeliveryOutcome{Message: said.ID, Conversation: id, State: message.DeliveryUnknown, Reason: "ConnectorLost"}
	if diff := cmp.Diff(want, got.Messages[1].Delivery); diff != "" {
		t.Errorf("delivery (-want +got):\n%s", diff)
	}
	until := noon().Add(time.Hour)
	if diff := cmp.Diff(Window{Verdict: "Allowed", Remaining: 4, Until: &until}, got.Window); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
	if !got.Conversation.LastMessageAt.Equal(noon().Add(time.Second)) {
		t.Errorf("last message at %s, want the reply's time", got.Conversation.LastMessageAt)
	}
}

func TestTheDeskShowsWhatACustomerHasTold(t *testing.T) {
	w := newWorld(t)
	id := w.assigned("after-sales", "xiaomei", "openid-1")
	card := &intake.Card{
		Fields: []yingdav1.IntakeField{yingdav1.IntakeOrderNumber, yingdav1.IntakeProblemType},
		Values: map[yingdav1.IntakeField]string{yingdav1.IntakeOrderNumber: "20241122001"}, Said: "20241122001", Asked: true,
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		c, err := u.ConversationForUpdate(ctx, id)
		if err != nil {
			return err
		}
		if c.Intake, err = card.Encode(); err != nil {
			return err
		}
		_, err = u.Save(ctx, c)
		return err
	})
	xiaomei, path := w.starts().as("xiaomei"), "/api/conversations/"+id.String()
	shown := asks[struct{ Conversation store.Conversation }](xiaomei, 200, "GET", path, nil)
	if diff := cmp.Diff(card, shown.Conversation.Intake); diff != "" {
		t.Errorf("the card (-want +got):\n%s", diff)
	}
	asks[store.Message](xiaomei, 202, "POST", path+"/messages", map[string]any{"key": uuid.New(), "content": map[string]any{"kind": "text", "text": "您好"}})
	card.Closed = true
	shown = asks[struct{ Conversation store.Conversation }](xiaomei, 200, "GET", path, nil)
	if diff := cmp.Diff(card, shown.Conversation.Intake); diff != "" {
		t.Errorf("the card, once the agent has spoken (-want +got):\n%s", diff)
	}
}

// surveying has the Channel's Playbook ask how customers were served.
func surveying(objects []client.Object) {
	for _, object := range objects {
		if playbook, ok := object.(*yingdav1.Playbook); ok {
			playbook.Spec.Survey = &yingdav1.SurveySpec{Scale: yingdav1.SurveyThreeLevels, RemindAfter: "24h"}
			playbook.Spec.Texts.Survey = new("{{.Brand}}请您评价:{{.RatingAnswers}}。")
		}
	}
}

func TestWhoseConversationAnAgentEndsIsAskedHowItWas(t *testing.T) {
	const question = "露米请您评价:满意、一般或不满意。"
	tests := map[string]struct {
		left   int32 // of the messages that the platform lets through
		agent  string
		closes string
		want   string
	}{
		"by the agent who served them":     {5, "xiaomei", "xiaomei", question},
		"by a supervisor":                  {5, "xiaomei", "laowang", question},
		"one message is left for an agent": {2, "xiaomei", "xiaomei", question},
		"not with the last message":        {1, "xiaomei", "xiaomei", ""},
		"not when nothing is let through":  {0, "xiaomei", "xiaomei", ""},
		"not who was never served":         {5, "", "laowang", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.catalog = catalog.Fixed("lumi", "lumi", brand(surveying)...)
			var id uuid.UUID
			if test.agent == "" {
				id = w.queues("after-sales", "c")
			} else {
				id = w.assigned("after-sales", test.agent, "c")
			}
			left := db.QuotaSetParams{Channel: "shop", ExternalID: "c", WindowEnds: noon().Add(time.Hour), Remaining: test.left, Granted: 5}
			if err := w.store.Queries().QuotaSet(t.Context(), left); err != nil {
				t.Fatal(err)
			}
			d, path := w.starts(), "/api/conversations/"+id.String()
			asks[store.Conversation](d.as(test.closes), http.StatusOK, http.MethodPost, path+"/close", nil)
			type shown struct {
				Messages []store.Message
				Rating   *store.Survey
			}
			got := asks[shown](d.as("laowang"), http.StatusOK, http.MethodGet, path, nil)
			if test.want == "" {
				if len(got.Messages) != 0 || got.Rating != nil {
					t.Errorf("asked: %+v, %+v", got.Messages, got.Rating)
				}
				return
			}
			var content message.Content
			if len(got.Messages) != 1 || json.Unmarshal(got.Messages[0].Content, &content) != nil || content.Text != test.want {
				t.Fatalf("said %+v, want %q", got.Messages, test.want)
			}
			want := &store.Survey{
				Conversation: id, Channel: "shop", Customer: "c", SkillGroup: "after-sales", Agent: "xiaomei", Scale: "ThreeLevels", AskedAt: noon(),
			}
			if diff := cmp.Diff(want, got.Rating); diff != "" {
				t.Errorf("rating (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoCanHearOnlyWhatTheAgentHasJustSaidIsNotAskedHowItWas(t *testing.T) {
	w := newWorld(t)
	w.catalog = catalog.Fixed("lumi", "lumi", brand(surveying)...)
	path := "/api/conversations/" + w.assigned("after-sales", "xiaomei", "c").String()
	left := db.QuotaSetParams{Channel: "shop", ExternalID: "c", WindowEnds: noon().Add(time.Hour), Remaining: 2, Granted: 5}
	if err := w.store.Queries().QuotaSet(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	v := w.starts().as("xiaomei")
	asks[store.Message](v, http.StatusAccepted, http.MethodPost, path+"/messages", map[string]any{"key": uuid.New(), "content": map[string]any{"kind": "text", "text": "再见"}})
	asks[store.Conversation](v, http.StatusOK, http.MethodPost, path+"/close", nil)
	if got := len(w.outboxOf("dev.yingda.outbound.v1")); got != 1 {
		t.Errorf("%d messages go out, want the agent's alone: one is left for an agent", got)
	}
}

func TestSupervisorsSeePoorRatings(t *testing.T) {
	w := newWorld(t)
	for customer, rating := range map[string]int32{"content": 5, "discontent": 1} {
		id := w.assigned("after-sales", "xiaomei", customer)
		w.does(func(ctx context.Context, u *store.Unit) error {
			err := u.SurveyAdd(ctx, db.SurveyAddParams{
				ConversationID: id, Channel: "shop", ExternalID: customer, SkillGroup: "after-sales", Agent: "xiaomei", Scale: "FiveStars", AskedAt: noon(),
			})
			if err != nil {
				return err
			}
			return u.SurveyRate(ctx, rating, noon(), rating < 3, id)
		})
	}
	d := w.starts()
	type listed struct{ Ratings []store.Survey }
	got := asks[listed](d.as("laowang"), http.StatusOK, http.MethodGet, "/api/ratings/poor", nil)
	if len(got.Ratings) != 1 || got.Ratings[0].Customer != "discontent" || *got.Ratings[0].Rating != 1 {
		t.Errorf("the supervisor sees %+v", got.Ratings)
	}
	if got := asks[refused](d.as("xiaomei"), http.StatusForbidden, http.MethodGet, "/api/ratings/poor", nil); got.Type != "urn:yingda:problem:SupervisorsOnly" {
		t.Errorf("the agent is refused with %+v", got)
	}
}
