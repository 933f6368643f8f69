package host_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// shopWith returns a served Channel whose customer has just written.
func shopWith(t *testing.T, customers ...string) (*world, *replica, *app) {
	t.Helper()
	w := newWorld(t)
	r := w.replica()
	shop := w.app("shop")
	shop.serve(r)
	for _, c := range customers {
		shop.meet(c)
	}
	return w, r, shop
}

func (a *app) calls(name string) int {
	_, byApp := a.w.sim.Stats()
	return byApp[a.config.AppID].Calls[name]
}

func (a *app) duplicates() int {
	_, byApp := a.w.sim.Stats()
	return byApp[a.config.AppID].Duplicates
}

func TestAgentsReplyReachesTheCustomersPhone(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	id := shop.say("customer1", `看<a href="https://lumi.example/?a=1&b=2">这里</a>`)
	report := w.lastReport(id, message.DeliveryDelivered)
	if report.Channel != "shop" || report.Customer != "customer1" || report.Code != 0 || report.At.IsZero() {
		t.Errorf("report = %+v", report)
	}
	if diff := cmp.Diff([]string{`看<a href="https://lumi.example/?a=1&b=2">这里</a>`}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	if got := shop.ledger("customer1").Remaining; got != 4 {
		t.Errorf("%d messages remain, want 4", got)
	}
	w.eventually("the row is marked as reported", func() bool {
		rows, err := w.owner.UnreportedDeliveries(t.Context(), pool, -time.Hour, 10)
		return err == nil && len(rows) == 0
	})
}

func TestOneCustomersRepliesLeaveInOrderFromManyReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := w.replica()
	shop := w.app("shop")
	shop.serve(one)
	w.replica()
	var last []uuid.UUID
	const customers, each = 10, 5
	for c := range customers {
		shop.meet(fmt.Sprintf("customer%d", c))
	}
	for n := range each {
		for c := range customers {
			id := shop.say(fmt.Sprintf("customer%d", c), fmt.Sprintf("reply %d", n))
			if n == each-1 {
				last = append(last, id)
			}
		}
	}
	for _, id := range last {
		w.lastReport(id, message.DeliveryDelivered)
	}
	want := []string{"reply 0", "reply 1", "reply 2", "reply 3", "reply 4"}
	for c := range customers {
		if diff := cmp.Diff(want, shop.received(fmt.Sprintf("customer%d", c))); diff != "" {
			t.Errorf("customer %d (-want +got):\n%s", c, diff)
		}
	}
}

func TestRepeatedKafkaRecordIsSentOnce(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	out := message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "customer1", Content: message.Content{Kind: message.KindText, Text: "once"}}
	shop.publish(out)
	shop.publish(out)
	w.lastReport(shop.say("customer1", "after"), message.DeliveryDelivered)
	if diff := cmp.Diff([]string{"once", "after"}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
}

func TestAccessTokenThatIsRevokedInTheMiddleCostsNothing(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	for i, end := range []wechatsim.TokenEnd{wechatsim.TokensRevoked, wechatsim.TokensExpired} {
		if err := w.sim.EndTokens(shop.config.AppID, end); err != nil {
			t.Fatal(err)
		}
		w.lastReport(shop.say("customer1", strconv.Itoa(i)), message.DeliveryDelivered)
	}
	// Now the platform refuses a token that it still gives out: only a forced refresh helps, and only one in 30 s.
	shop.fault(wechatsim.Fault{ErrCode: 40001})
	before := shop.calls("stable_token")
	w.lastReport(shop.say("customer1", "2"), message.DeliveryDelivered)
	if got := shop.calls("stable_token") - before; got != 2 {
		t.Errorf("%d tokens were asked for, want a normal one and a forced one", got)
	}
	if diff := cmp.Diff([]string{"0", "1", "2"}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	// Refused again at once: no replica may force, so the message waits and is not lost.
	shop.fault(wechatsim.Fault{ErrCode: 40001})
	id := shop.say("customer1", "3")
	if report := w.lastReport(id, message.DeliveryDeferred); report.Reason != "AccessTokenRefused" {
		t.Errorf("report = %+v", report)
	}
	w.lastReport(id, message.DeliveryDelivered)
}

func TestClosedWindowIsSeenWithoutACall(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	shop.grant("customer1", quota.Grant(quota.State{}, quota.Rules{}, quota.UserMessage, time.Now().Add(-49*time.Hour)))
	if report := w.lastReport(shop.say("customer1", "late"), message.DeliveryFailed); report.Reason != "WindowClosed" {
		t.Errorf("report = %+v", report)
	}
	if got := shop.calls("send"); got != 0 {
		t.Errorf("the platform was called %d times, want never", got)
	}
}

func TestSpentQuotaIsSeenWithoutACall(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	for i := range 5 {
		shop.say("customer1", strconv.Itoa(i))
	}
	if report := w.lastReport(shop.say("customer1", "6"), message.DeliveryFailed); report.Reason != "QuotaSpent" {
		t.Errorf("report = %+v", report)
	}
	if got := shop.calls("send"); got != 5 {
		t.Errorf("the platform was called %d times, want 5", got)
	}
}

func TestThePlatformsWordCorrectsOurLedger(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "closed", "spent")
	shop.fault(wechatsim.Fault{OpenID: "closed", ErrCode: 45015})
	shop.fault(wechatsim.Fault{OpenID: "spent", ErrCode: 45047})
	if report := w.lastReport(shop.say("closed", "x"), message.DeliveryFailed); report.Code != 45015 || report.Reason != "WindowClosed" {
		t.Errorf("report = %+v", report)
	}
	if report := w.lastReport(shop.say("spent", "x"), message.DeliveryFailed); report.Code != 45047 || report.Reason != "QuotaSpent" {
		t.Errorf("report = %+v", report)
	}
	if got := quota.Check(shop.ledger("closed"), time.Now()); got != quota.WindowClosed {
		t.Errorf("the ledger says %s", got)
	}
	if got := quota.Check(shop.ledger("spent"), time.Now()); got != quota.QuotaSpent {
		t.Errorf("the ledger says %s", got)
	}
}

func TestMessageWhoseAnswerIsLostBecomesUnknownAndIsNeverSentTwice(t *testing.T) {
	t.Parallel()
	w, r, shop := shopWith(t, "customer1")
	shop.fault(wechatsim.Fault{When: wechatsim.FaultAfter, Drop: true})
	id := shop.say("customer1", "did it arrive?")
	w.lastReport(id, message.DeliveryUnknown)
	// What comes later goes on, and neither it nor another replica brings the unknown one back.
	w.replica()
	w.lastReport(shop.say("customer1", "the next"), message.DeliveryDelivered)
	if diff := cmp.Diff([]string{"did it arrive?", "the next"}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	if got := shop.duplicates(); got != 0 {
		t.Errorf("%d duplicates", got)
	}
	if got := r.metric("yingda_connector_deliveries_total", "state=unknown"); got != 1 {
		t.Errorf("%v unknown deliveries are counted, want 1", got)
	}
}

func TestReplicaThatDiedWhileSendingLeavesAnUnknownMessage(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	id := uuid.New()
	_, err := w.owner.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, owner, attempts, updated_at, reported)
		VALUES ($1, $2, 'shop', 'customer1', 'sending', '{}', 'dead', 1, now() - interval '1 minute', true)`, id, pool)
	if err != nil {
		t.Fatal(err)
	}
	if report := w.lastReport(id, message.DeliveryUnknown); report.Reason != "ConnectorLost" {
		t.Errorf("report = %+v", report)
	}
	w.lastReport(shop.say("customer1", "the next"), message.DeliveryDelivered)
	if diff := cmp.Diff([]string{"the next"}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
}

func TestReplicaThatIsSendingKeepsItsCustomersOrder(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1", "customer2")
	// Another replica is at the customer's first message, and alive.
	_, err := w.owner.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, owner, attempts, updated_at, reported)
		VALUES ($1, $2, 'shop', 'customer1', 'sending', '{}', 'alive', 1, now() - interval '20 seconds', true)`, uuid.New(), pool)
	if err != nil {
		t.Fatal(err)
	}
	id := shop.say("customer1", "second")
	w.lastReport(shop.say("customer2", "not held up"), message.DeliveryDelivered)
	if got := shop.received("customer1"); len(got) != 0 {
		t.Errorf("the second message overtook the first: %q", got)
	}
	w.lastReport(id, message.DeliveryDelivered)
}

func TestDeferredMessageHoldsUpItsOwnCustomerOnly(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1", "customer2")
	shop.fault(wechatsim.Fault{OpenID: "customer1", ErrCode: -1, Count: 2})
	first, second := shop.say("customer1", "first"), shop.say("customer1", "second")
	w.lastReport(first, message.DeliveryDeferred)
	w.lastReport(shop.say("customer2", "at once"), message.DeliveryDelivered)
	if got := shop.received("customer1"); len(got) != 0 {
		t.Errorf("customer1 received %q while the first message was deferred", got)
	}
	w.lastReport(second, message.DeliveryDelivered)
	if diff := cmp.Diff([]string{"first", "second"}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
	if got := shop.ledger("customer1").Remaining; got != 3 {
		t.Errorf("%d messages remain, want 3: refused tries cost nothing", got)
	}
}

func TestPlatformThatCannotBeReachedDefersAndSendsLater(t *testing.T) {
	t.Parallel()
	const nowhere = "http://127.0.0.1:1"
	w := newWorld(t)
	r := w.replica(func(o *host.Options) { o.AllowedBaseURLs = append(o.AllowedBaseURLs, nowhere) })
	shop := w.app("shop")
	shop.serve(r)
	shop.meet("customer1")
	away := shop.channel()
	if err := w.kube.Get(t.Context(), objectKey(away), away); err != nil {
		t.Fatal(err)
	}
	home := away.Spec.MiniProgram.APIBaseURL
	away.Generation, away.Spec.MiniProgram.APIBaseURL = 2, nowhere
	w.update(away)
	w.eventually("the address is in force", func() bool { return r.host.Report().Objects["Channel/shop"] == 2 })
	id := shop.say("customer1", "patience")
	w.lastReport(id, message.DeliveryDeferred)
	away.Generation, away.Spec.MiniProgram.APIBaseURL = 3, home
	w.update(away)
	w.lastReport(id, message.DeliveryDelivered)
}

func TestRefusedCredentialsStopTheirOwnChannelOnly(t *testing.T) {
	t.Parallel()
	w, r, shop := shopWith(t, "customer1")
	other := w.app("other")
	other.serve(r)
	other.meet("customer1")
	// The secret is changed in the console, and the old token dies with it.
	shop.config.AppSecret = "changed-in-the-console"
	shop.put()
	if err := w.sim.EndTokens(shop.config.AppID, wechatsim.TokensRevoked); err != nil {
		t.Fatal(err)
	}
	waiting := shop.say("customer1", "waits")
	if report := w.lastReport(waiting, message.DeliveryDeferred); report.Reason != "InvalidAppSecret" {
		t.Errorf("report = %+v", report)
	}
	if got := r.host.Report().Channels["shop"]; got.Credentials != "Rejected" || !strings.Contains(got.Message, "InvalidAppSecret") {
		t.Errorf("report = %+v, want rejected credentials", got)
	}
	w.lastReport(other.say("customer1", "goes on"), message.DeliveryDelivered)
	if push := shop.write("customer1", "still taken"); push.State != wechatsim.PushDelivered {
		t.Errorf("push = %+v, want success: receiving needs no app secret", push)
	}
	w.update(shop.secret())
	w.lastReport(waiting, message.DeliveryDelivered)
}

func TestAccountThatIsRefusedAtASendIsTriedWithOneMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ahead atomic.Int64
	r := w.replica(func(o *host.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	shop := w.app("shop")
	shop.serve(r)
	for _, c := range []string{"customer1", "customer2", "customer3"} {
		shop.meet(c)
	}
	shop.fault(wechatsim.Fault{ErrCode: 48001})
	waiting := []uuid.UUID{shop.say("customer1", "first")}
	if report := w.lastReport(waiting[0], message.DeliveryDeferred); report.Reason != "APINotAuthorized" {
		t.Errorf("report = %+v", report)
	}
	if got := r.host.Report().Channels["shop"]; got.Credentials != "Accepted" || !slices.Equal(got.Denied, []string{"send"}) {
		t.Errorf("report = %+v, want good credentials without the right to send", got)
	}
	waiting = append(waiting, shop.say("customer2", "second"), shop.say("customer3", "third"))
	w.eventually("all are taken over", func() bool {
		var n int
		err := w.owner.Pool().QueryRow(t.Context(), "SELECT count(*) FROM delivery").Scan(&n)
		return err == nil && n == len(waiting)
	})
	if got := shop.calls("send"); got != 1 {
		t.Errorf("%d calls while the account is refused, want the first alone", got)
	}
	// Refused once more, then mended: each pause costs one call.
	shop.fault(wechatsim.Fault{ErrCode: 48001})
	ahead.Store(int64(time.Minute))
	w.eventually("one message tries", func() bool { return shop.calls("send") == 2 })
	ahead.Store(int64(time.Hour))
	for _, id := range waiting {
		w.lastReport(id, message.DeliveryDelivered)
	}
	if got := shop.calls("send"); got != 5 {
		t.Errorf("%d calls, want 5", got)
	}
	if got := r.host.Report().Channels["shop"]; got.Credentials != "Accepted" {
		t.Errorf("report = %+v, want accepted credentials", got)
	}
}

func TestLimitOfTheAccountHoldsUpAllItsCustomers(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1", "customer2")
	shop.fault(wechatsim.Fault{OpenID: "customer1", ErrCode: 45033})
	limited := w.lastReport(shop.say("customer1", "too fast"), message.DeliveryDeferred)
	after := w.lastReport(shop.say("customer2", "waits too"), message.DeliveryDelivered)
	if waited := after.At.Sub(limited.At); waited < 500*time.Millisecond {
		t.Errorf("the other customer's message went out %s after the limit was reached, want about a second", waited)
	}
}

func TestReplicaWhoseClockIsWrongLosesNoMessageOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica(func(o *host.Options) { o.Clock = func() time.Time { return time.Now().Add(2 * time.Minute) } })
	shop := w.app("shop")
	shop.serve(r)
	shop.meet("customer1")
	shop.meet("customer2")
	sending := uuid.New()
	_, err := w.owner.Pool().Exec(t.Context(), `INSERT INTO delivery (message_id, pool, channel, external_id, state, outbound, owner, attempts, updated_at, reported)
		VALUES ($1, $2, 'shop', 'customer1', 'sending', '{}', 'alive', 1, now(), true)`, sending, pool)
	if err != nil {
		t.Fatal(err)
	}
	shop.say("customer1", "second") // It makes the replica look at the first.
	w.lastReport(shop.say("customer2", "not held up"), message.DeliveryDelivered)
	w.eventually("both are taken over", func() bool {
		var n int
		err := w.owner.Pool().QueryRow(t.Context(), "SELECT count(*) FROM delivery WHERE external_id = 'customer1'").Scan(&n)
		return err == nil && n == 2
	})
	claim, err := w.owner.ClaimDelivery(t.Context(), store.ClaimRequest{
		Contact: store.Contact{Channel: "shop", ExternalID: "customer1"}, Owner: "wrong", Now: time.Now().Add(2 * time.Minute), LostAfter: 30 * time.Second,
	})
	if err != nil || claim.Outcome != store.ClaimIdle {
		t.Errorf("claimed %v, err %v, want nothing: the other replica is sending", claim.Outcome, err)
	}
	var state string
	if err := w.owner.Pool().QueryRow(t.Context(), "SELECT state FROM delivery WHERE message_id = $1", sending).Scan(&state); err != nil {
		t.Fatal(err)
	}
	if state != "sending" {
		t.Errorf("the message that another replica is sending is %s", state)
	}
}

func TestReplicaThatIsToldToStopFinishesWhatItSends(t *testing.T) {
	t.Parallel()
	w, r, shop := shopWith(t, "customer1")
	shop.fault(wechatsim.Fault{Delay: wechatsim.Duration(2 * time.Second)})
	id := shop.say("customer1", "slow")
	w.eventually("it is being sent", func() bool {
		var n int
		err := w.owner.Pool().QueryRow(t.Context(), "SELECT count(*) FROM delivery WHERE state = 'sending'").Scan(&n)
		return err == nil && n == 1
	})
	r.stop()
	var state string
	var reported bool
	if err := w.owner.Pool().QueryRow(t.Context(), "SELECT state, reported FROM delivery WHERE message_id = $1", id).Scan(&state, &reported); err != nil {
		t.Fatal(err)
	}
	if state != "delivered" || !reported {
		t.Errorf("after the stop the message is %s, reported %t, want delivered and reported", state, reported)
	}
	if err := r.host.Ready(t.Context()); err == nil {
		t.Error("a stopped replica says that it is ready")
	}
}

func TestTypingIsShownWhileThereIsTime(t *testing.T) {
	t.Parallel()
	w, r, shop := shopWith(t, "customer1")
	typing := message.Content{Kind: message.KindTyping}
	shop.publish(message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "customer1", Content: typing, NotAfter: time.Now().Add(-time.Second)})
	shop.publish(message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "stranger", Content: typing, NotAfter: time.Now().Add(time.Minute)})
	shop.publish(message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: "customer1", Content: typing, NotAfter: time.Now().Add(time.Minute)})
	w.eventually("all three are dealt with", func() bool {
		return r.metric("yingda_connector_typing_total", "outcome=shown") == 1 && r.metric("yingda_connector_typing_total", "outcome=late") == 1 &&
			r.metric("yingda_connector_typing_total", "outcome=windowClosed") == 1
	})
	if got := shop.calls("typing"); got != 1 {
		t.Errorf("the platform was called %d times, want once", got)
	}
	if got := shop.ledger("customer1").Remaining; got != 5 {
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
	_, err := a.w.owner.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, content_type, data, created_at) VALUES ($1, $2, 'stored', 'image/png', $3, now())`, id, a.name, picture(t))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPicturesAreUploadedOnceAndAgainWhenThePlatformHasLostThem(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	show := message.Content{Kind: message.KindImage, Media: &message.Media{ID: shop.storedPicture(t)}}
	w.lastReport(shop.sayContent("customer1", show), message.DeliveryDelivered)
	w.lastReport(shop.sayContent("customer1", show), message.DeliveryDelivered)
	if got := shop.calls("upload"); got != 1 {
		t.Errorf("%d uploads, want 1", got)
	}
	shop.fault(wechatsim.Fault{ErrCode: 40007})
	w.lastReport(shop.sayContent("customer1", show), message.DeliveryDelivered)
	if got := shop.calls("upload"); got != 2 {
		t.Errorf("%d uploads, want 2", got)
	}
	other := message.Content{Kind: message.KindImage, Media: &message.Media{ID: uuid.New()}}
	if report := w.lastReport(shop.sayContent("customer1", other), message.DeliveryFailed); report.Reason != "FileMissing" {
		t.Errorf("report = %+v", report)
	}
	if got := len(shop.received("customer1")); got != 3 {
		t.Errorf("the phone shows %d pictures, want 3", got)
	}
}

func TestLinksAndPagesReachThePhone(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t, "customer1")
	link := message.Content{Kind: message.KindLink, Link: &message.Link{Title: "开发票", Description: "三分钟", URL: "https://lumi.example/invoice", ThumbURL: "https://lumi.example/i.png"}}
	page := message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Title: "订单", Path: "pages/order?id=1", Thumb: &message.Media{ID: shop.storedPicture(t)}}}
	bare := message.Content{Kind: message.KindMiniProgramPage, Page: &message.Page{Title: "订单", Path: "pages/order?id=1"}}
	w.lastReport(shop.sayContent("customer1", link), message.DeliveryDelivered)
	w.lastReport(shop.sayContent("customer1", page), message.DeliveryDelivered)
	if report := w.lastReport(shop.sayContent("customer1", bare), message.DeliveryFailed); report.Reason != "ThumbMissing" {
		t.Errorf("report = %+v", report)
	}
	if diff := cmp.Diff([]string{"开发票\n三分钟\nhttps://lumi.example/invoice", "订单"}, shop.received("customer1")); diff != "" {
		t.Errorf("phone (-want +got):\n%s", diff)
	}
}

func TestCustomersPictureIsFetchedAndStored(t *testing.T) {
	t.Parallel()
	w, _, shop := shopWith(t)
	shop.fault(wechatsim.Fault{On: "media", HTTPStatus: 500})
	data := picture(t)
	if _, err := w.sim.Write(t.Context(), shop.config.AppID, "customer1", wechatsim.Message{Type: wechatsim.TypeImage, Image: data}); err != nil {
		t.Fatal(err)
	}
	w.eventually("the message is published", func() bool { return len(w.messages()) == 1 })
	media := w.messages()[0].Content.Media
	lost := uuid.New()
	// The router makes the rows.
	_, err := w.owner.Pool().Exec(t.Context(), `INSERT INTO media (id, channel, state, platform_id, created_at) VALUES ($1, 'shop', 'fetch', $2, now()), ($3, 'shop', 'fetch', 'nobody-knows-it', now())`, media.ID, media.PlatformID, lost)
	if err != nil {
		t.Fatal(err)
	}
	state := func(id uuid.UUID) (state, reason, contentType string, stored []byte) {
		if err := w.owner.Pool().QueryRow(t.Context(), "SELECT state, reason, content_type, coalesce(data, '') FROM media WHERE id = $1", id).Scan(&state, &reason, &contentType, &stored); err != nil {
			t.Fatal(err)
		}
		return state, reason, contentType, stored
	}
	w.eventually("the picture is stored", func() bool { s, _, _, _ := state(media.ID); return s == "stored" })
	if _, _, contentType, stored := state(media.ID); contentType != "image/png" || !bytes.Equal(stored, data) {
		t.Errorf("stored %d bytes of %s, want the picture", len(stored), contentType)
	}
	w.eventually("the one that the platform does not know is given up", func() bool { s, reason, _, _ := state(lost); return s == "failed" && reason == "MediaGone" })
}
