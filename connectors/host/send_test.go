package host_test

import (
	"bytes"
	"image"
	"image/png"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/connectors/conformance/world"
	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// shopWith returns a served Channel whose customer has just written.
func shopWith(t *testing.T, customers ...string) (*wechatWorld, *world.Replica, *app) {
	t.Helper()
	w := newWorld(t)
	r := w.Replica()
	shop := w.app("shop")
	shop.serve(r)
	for _, c := range customers {
		shop.meet(c)
	}
	return w, r, shop
}

func TestAgentsReplyReachesTheCustomersPhone(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	id := w.Say("shop", "customer1", `看<a href="https://lumi.example/?a=1&b=2">这里</a>`)
	report := w.Report(id, message.DeliveryDelivered)
	if report.Channel != "shop" || report.Customer != "customer1" || report.Code != 0 || report.At.IsZero() {
		t.Errorf("report = %+v", report)
	}
	if diff := cmp.Diff([]string{`看<a href="https://lumi.example/?a=1&b=2">这里</a>`}, shop.Received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	if got := w.Ledger("shop", "customer1").Remaining; got != 4 {
		t.Errorf("%d messages remain, want 4", got)
	}
	w.Eventually("the row is marked as reported", func() bool {
		rows, err := w.Owner.UnreportedDeliveries(t.Context(), w.Pool, -time.Hour, 10)
		return err == nil && len(rows) == 0
	})
}

func TestAccessTokenThatIsRevokedInTheMiddleCostsNothing(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	for i, end := range []wechatsim.TokenEnd{wechatsim.TokensRevoked, wechatsim.TokensExpired} {
		if err := w.Sim.EndTokens(shop.App.AppID, end); err != nil {
			t.Fatal(err)
		}
		w.Report(w.Say("shop", "customer1", strconv.Itoa(i)), message.DeliveryDelivered)
	}
	// Now the platform refuses a token that it still gives out: only a forced refresh helps, and only one in 30 s.
	shop.Fault(wechatsim.Fault{ErrCode: 40001})
	before := shop.Calls("stable_token")
	w.Report(w.Say("shop", "customer1", "2"), message.DeliveryDelivered)
	if got := shop.Calls("stable_token") - before; got != 2 {
		t.Errorf("%d tokens were asked for, want a normal one and a forced one", got)
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, shop.Received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	// Refused again at once: no replica may force, so the message waits and is not lost.
	shop.Fault(wechatsim.Fault{ErrCode: 40001})
	id := w.Say("shop", "customer1", "3")
	if report := w.Report(id, message.DeliveryDeferred); report.Reason != "AccessTokenRefused" {
		t.Errorf("report = %+v", report)
	}
	w.Report(id, message.DeliveryDelivered)
}

func TestReplicaThatIsSendingKeepsItsCustomersOrder(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1", "customer2")
	// Another replica is at the customer's first message, and alive.
	_, err := w.Owner.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, owner, attempts, updated_at, reported)
		VALUES ($1, $2, 'shop', 'customer1', 'sending', '{}', 'alive', 1, now() - interval '20 seconds', true)`, uuid.New(), w.Pool)
	if err != nil {
		t.Fatal(err)
	}
	id := w.Say("shop", "customer1", "second")
	w.Report(w.Say("shop", "customer2", "not held up"), message.DeliveryDelivered)
	if got := shop.Received("customer1"); len(got) != 0 {
		t.Errorf("the second message overtook the first: %q", got)
	}
	w.Report(id, message.DeliveryDelivered)
}

func TestPlatformThatCannotBeReachedDefersAndSendsLater(t *testing.T) {
	t.Parallel()
	const nowhere = "http://127.0.0.1:1"
	w := newWorld(t)
	r := w.Replica(func(o *host.Options) { o.AllowedBaseURLs = append(o.AllowedBaseURLs, nowhere) })
	shop := w.app("shop")
	shop.serve(r)
	shop.meet("customer1")
	away := w.Current("shop")
	home := away.Spec.MiniProgram.APIBaseURL
	away.Generation, away.Spec.MiniProgram.APIBaseURL = 2, nowhere
	w.Update(away)
	w.Eventually("the address is in force", func() bool { return r.Host.Report().Objects["Channel/shop"] == 2 })
	id := w.Say("shop", "customer1", "world.Patience")
	w.Report(id, message.DeliveryDeferred)
	away.Generation, away.Spec.MiniProgram.APIBaseURL = 3, home
	w.Update(away)
	w.Report(id, message.DeliveryDelivered)
}

func TestAPlaceInTheQueueThatWaitsForItsTurnIsNotToldOnceAnAgentIsThere(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1", "customer2")
	const refused = 40001 // Twice: the first is tried again with another token.
	shop.Fault(wechatsim.Fault{OpenID: "customer1", ErrCode: refused})
	shop.Fault(wechatsim.Fault{OpenID: "customer1", ErrCode: refused})
	conversation := uuid.New()
	stands := func(state string) {
		t.Helper()
		_, err := w.Owner.Pool().Exec(t.Context(), `INSERT INTO conversation (id, channel, external_id, customer_id, state, agent, opened_at, last_message_at)
			VALUES ($1, 'shop', 'customer1', gen_random_uuid(), $2, CASE WHEN $2 = 'assigned' THEN 'an' END, now(), now())
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, agent = excluded.agent`, conversation, state)
		if err != nil {
			t.Fatal(err)
		}
	}
	stands(store.StateQueued)
	waiting := func(text string) uuid.UUID {
		id := uuid.New()
		w.Publish(message.Outbound{
			MessageID: id, Channel: "shop", Customer: "customer1", Conversation: conversation,
			Content: message.Content{Kind: message.KindText, Text: text}, WhileWaiting: true,
		})
		return id
	}
	place := waiting("前面 3 位")
	w.Report(place, message.DeliveryDeferred)
	left := w.Ledger("shop", "customer1").Remaining
	stands(store.StateAssigned)
	w.Report(w.Say("shop", "customer1", "您好"), message.DeliveryDelivered)
	if report := w.Report(place, message.DeliverySuperseded); report.Reason != store.ReasonAssigned {
		t.Errorf("report = %+v", report)
	}
	w.Report(waiting("前面 1 位"), message.DeliverySuperseded)
	stands(store.StateQueued)
	w.Report(waiting("前面 0 位"), message.DeliveryDelivered)
	if diff := cmp.Diff([]string{"您好", "前面 0 位"}, shop.Received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	if got := w.Ledger("shop", "customer1").Remaining; got != left-2 {
		t.Errorf("%d messages remain of %d, want two less: what is not sent costs nothing", got, left)
	}
}

func TestAccountThatIsRefusedAtASendIsTriedWithOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ahead atomic.Int64
	r := w.Replica(func(o *host.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	shop := w.app("shop")
	shop.serve(r)
	for _, c := range []string{"customer1", "customer2", "customer3"} {
		shop.meet(c)
	}
	shop.Fault(wechatsim.Fault{ErrCode: 48001})
	waiting := []uuid.UUID{w.Say("shop", "customer1", "first")}
	if report := w.Report(waiting[0], message.DeliveryDeferred); report.Reason != "APINotAuthorized" {
		t.Errorf("report = %+v", report)
	}
	if got := r.Host.Report().Channels["shop"]; got.Credentials != "Accepted" || !slices.Equal(got.Denied, []string{"send"}) {
		t.Errorf("report = %+v, want good credentials without the right to send", got)
	}
	waiting = append(waiting, w.Say("shop", "customer2", "second"), w.Say("shop", "customer3", "third"))
	w.Eventually("all are taken over", func() bool {
		var n int
		err := w.Owner.Pool().QueryRow(t.Context(), "SELECT count(*) FROM delivery").Scan(&n)
		return err == nil && n == len(waiting)
	})
	if got := shop.Calls("send"); got != 1 {
		t.Errorf("%d calls while the account is refused, want the first alone", got)
	}
	// Refused once more, then mended: each pause costs one call.
	shop.Fault(wechatsim.Fault{ErrCode: 48001})
	ahead.Store(int64(time.Minute))
	w.Eventually("one message has tried", func() bool {
		var n int
		err := w.Owner.Pool().QueryRow(t.Context(), "SELECT count(*) FROM delivery WHERE state = 'deferred' AND attempts = 2").Scan(&n)
		return err == nil && n == 1
	})
	ahead.Store(int64(time.Hour))
	for _, id := range waiting {
		w.Report(id, message.DeliveryDelivered)
	}
	if got := shop.Calls("send"); got != 5 {
		t.Errorf("%d calls, want 5", got)
	}
	if got := r.Host.Report().Channels["shop"]; got.Credentials != "Accepted" {
		t.Errorf("report = %+v, want accepted credentials", got)
	}
}

func TestLimitOfTheAccountHoldsUpAllItsCustomers(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1", "customer2")
	shop.Fault(wechatsim.Fault{OpenID: "customer1", ErrCode: 45033})
	limited := w.Report(w.Say("shop", "customer1", "too fast"), message.DeliveryDeferred)
	after := w.Report(w.Say("shop", "customer2", "waits too"), message.DeliveryDelivered)
	if waited := after.At.Sub(limited.At); waited < 500*time.Millisecond {
		t.Errorf("the other customer's message went out %s after the limit was reached, want about a second", waited)
	}
}

func TestReplicaWhoseClockIsWrongLosesNoMessageOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica(func(o *host.Options) { o.Clock = func() time.Time { return time.Now().Add(2 * time.Minute) } })
	shop := w.app("shop")
	shop.serve(r)
	shop.meet("customer1")
	shop.meet("customer2")
	sending := uuid.New()
	_, err := w.Owner.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, owner, attempts, updated_at, reported)
		VALUES ($1, $2, 'shop', 'customer1', 'sending', '{}', 'alive', 1, now(), true)`, sending, w.Pool)
	if err != nil {
		t.Fatal(err)
	}
	w.Say("shop", "customer1", "second") // It makes the replica look at the first.
	w.Report(w.Say("shop", "customer2", "not held up"), message.DeliveryDelivered)
	w.Eventually("both are taken over", func() bool {
		var n int
		err := w.Owner.Pool().QueryRow(t.Context(), "SELECT count(*) FROM delivery WHERE external_id = 'customer1'").Scan(&n)
		return err == nil && n == 2
	})
	claim, err := w.Owner.ClaimDelivery(t.Context(), store.ClaimRequest{
		Contact: store.Contact{Channel: "shop", ExternalID: "customer1"}, Owner: "wrong", Now: time.Now().Add(2 * time.Minute), LostAfter: 30 * time.Second,
	})
	if err != nil || claim.Outcome != store.ClaimIdle {
		t.Errorf("claimed %v, err %v, want nothing: the other replica is sending", claim.Outcome, err)
	}
	var state string
	if err := w.Owner.Pool().QueryRow(t.Context(), "SELECT state FROM delivery WHERE message_id = $1", sending).Scan(&state); err != nil {
		t.Fatal(err)
	}
	if state != "sending" {
		t.Errorf("the message that another replica is sending is %s", state)
	}
}

func TestTypingIsShownWhileThereIsTime(t *testing.T) {
	t.Parallel()
	w, r, shop := shopWith(t, "customer1")
	typing := message.Content{Kind: message.KindTyping}
	w.Publish(message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "customer1", Content: typing, NotAfter: time.Now().Add(-time.Second)})
	w.Publish(message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "stranger", Content: typing, NotAfter: time.Now().Add(time.Minute)})
	w.Publish(message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "customer1", Content: typing, NotAfter: time.Now().Add(time.Minute)})
	w.Eventually("all three are dealt with", func() bool {
		return r.Metric("yingda_connector_typing_total", "outcome=shown") == 1 && r.Metric("yingda_connector_typing_total", "outcome=late") == 1 &&
			r.Metric("yingda_connector_typing_total", "outcome=windowClosed") == 1
	})
	if got := shop.Calls("typing"); got != 1 {
		t.Errorf("the platform was called %d times, want once", got)
	}
	if got := w.Ledger("shop", "customer1").Remaining; got != 5 {
		t.Errorf("%d messages remain, want all 5", got)
	}
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (a *app) storedPicture(t *testing.T) uuid.UUID {
	t.Helper()
	id := uuid.New()
	_, err := a.w.Owner.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, content_type, data, created_at) VALUES ($1, $2, 'stored', 'image/png', $3, now())`, id, a.name, picture(t))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPicturesAreUploadedOnceAndAgainWhenThePlatformHasLostThem(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	show := message.Content{Kind: message.KindImage, Media: &message.Media{ID: shop.storedPicture(t)}}
	w.Report(w.SayContent("shop", "customer1", show), message.DeliveryDelivered)
	w.Report(w.SayContent("shop", "customer1", show), message.DeliveryDelivered)
	if got := shop.Calls("upload"); got != 1 {
		t.Errorf("%d uploads, want 1", got)
	}
	shop.Fault(wechatsim.Fault{ErrCode: 40007})
	w.Report(w.SayContent("shop", "customer1", show), message.DeliveryDelivered)
	if got := shop.Calls("upload"); got != 2 {
		t.Errorf("%d uploads, want 2", got)
	}
	other := message.Content{Kind: message.KindImage, Media: &message.Media{ID: uuid.New()}}
	if report := w.Report(w.SayContent("shop", "customer1", other), message.DeliveryFailed); report.Reason != "FileMissing" {
		t.Errorf("report = %+v", report)
	}
	if got := len(shop.Received("customer1")); got != 3 {
		t.Errorf("the phone shows %d pictures, want 3", got)
	}
}

func TestLinksAndPagesReachThePhone(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	link := message.Content{Kind: message.KindLink, Link: &message.Link{Title: "开发票", Description: "三分钟", URL: "https://lumi.example/invoice", ThumbURL: "https://lumi.example/i.png"}}
	page := message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Title: "订单", Path: "pages/order?id=1", Thumb: &message.Media{ID: shop.storedPicture(t)}}}
	bare := message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Title: "订单", Path: "pages/order?id=1"}}
	w.Report(w.SayContent("shop", "customer1", link), message.DeliveryDelivered)
	w.Report(w.SayContent("shop", "customer1", page), message.DeliveryDelivered)
	if report := w.Report(w.SayContent("shop", "customer1", bare), message.DeliveryFailed); report.Reason != "ThumbMissing" {
		t.Errorf("report = %+v", report)
	}
	if diff := cmp.Diff([]string{"开发票\n三分钟\nhttps://lumi.example/invoice", "订单"}, shop.Received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
}

func TestCustomersPictureIsFetchedAndStored(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t)
	shop.Fault(wechatsim.Fault{On: "media", HTTPStatus: 500})
	data := picture(t)
	if _, err := w.Sim.Write(t.Context(), shop.App.AppID, "customer1", wechatsim.Message{Type: wechatsim.TypeImage, Image: data}); err != nil {
		t.Fatal(err)
	}
	w.Eventually("the message is published", func() bool { return len(w.Messages()) == 1 })
	media := w.Messages()[0].Content.Media
	lost := uuid.New()
	// The router makes the rows.
	_, err := w.Owner.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, platform_id, created_at) VALUES ($1, 'shop', 'fetch', $2, now()), ($3, 'shop', 'fetch', 'nobody-knows-it', now())`, media.ID, media.PlatformID, lost)
	if err != nil {
		t.Fatal(err)
	}
	state := func(id uuid.UUID) (state, reason, contentType string, stored []byte) {
		if err := w.Owner.Pool().QueryRow(t.Context(), "SELECT state, reason, content_type, coalesce(data, '') FROM media WHERE id = $1", id).Scan(&state, &reason, &contentType, &stored); err != nil {
			t.Fatal(err)
		}
		return state, reason, contentType, stored
	}
	w.Eventually("the picture is stored", func() bool { s, _, _, _ := state(media.ID); return s == "stored" })
	if _, _, contentType, stored := state(media.ID); contentType != "image/png" || !bytes.Equal(stored, data) {
		t.Errorf("stored %d bytes of %s, want the picture", len(stored), contentType)
	}
	w.Eventually("the one that the platform does not know is given up", func() bool { s, reason, _, _ := state(lost); return s == "failed" && reason == "MediaGone" })
}
