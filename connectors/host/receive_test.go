package host_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

func TestCustomersMessageIsInKafkaBeforeThePlatformHearsSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	for _, mode := range []v1alpha1.MessageMode{v1alpha1.MessageModeSecure, v1alpha1.MessageModeCompatible, v1alpha1.MessageModePlaintext} {
		for _, format := range []wechatsim.Format{wechatsim.FormatJSON, wechatsim.FormatXML} {
			name := strings.ToLower(string(mode) + string(format))
			a := w.app(name, func(a *app) {
				a.mode, a.config.Mode, a.config.Format = mode, wechatsim.Mode(strings.ToLower(string(mode))), format
			})
			a.serve(r)
			push := a.write("customer1", "在吗 <b>&]]>")
			if push.State != wechatsim.PushDelivered || len(push.Attempts) != 1 {
				t.Fatalf("%s: push = %+v, want one attempt that succeeds", name, push)
			}
			var in message.Inbound
			w.eventually("the message is in the inbound topic", func() bool {
				for _, m := range w.messages() {
					if m.Channel == name {
						in = m
					}
				}
				return in.Channel != ""
			})
			want := message.Inbound{
				Channel: name, Customer: "customer1", MessageID: push.MsgID, SentAt: in.SentAt, ReceivedAt: in.ReceivedAt,
				Content: message.Content{Kind: message.KindText, Text: "在吗 <b>&]]>"},
			}
			if diff := cmp.Diff(want, in); diff != "" {
				t.Errorf("%s: inbound (-want +got):\n%s", name, diff)
			}
		}
	}
	if e := w.envelopes()[0]; e.Key != "securejson/customer1" || e.TraceParent == "" || e.Subject != "securejson" {
		t.Errorf("envelope = %+v, want key, subject and trace", e)
	}
}

func TestEverythingACustomerCanDoIsUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	shop := w.app("shop")
	shop.serve(r)
	for _, m := range []wechatsim.Message{
		{Type: wechatsim.TypeEnter, SessionFrom: "order:42"},
		{Type: wechatsim.TypeImage},
		{Type: wechatsim.TypeMiniProgramPage, Title: "订单", PagePath: "pages/order?id=42"},
		{Type: wechatsim.TypeRaw, MsgType: "voice", Fields: map[string]any{"MediaId": "m1", "Format": "amr"}},
	} {
		if push, err := w.sim.Write(t.Context(), shop.config.AppID, "customer1", m); err != nil || push.State != wechatsim.PushDelivered {
			t.Fatalf("%s: %+v, %v", m.Type, push, err)
		}
	}
	w.eventually("all four are published", func() bool { return len(w.messages()) == 4 })
	in := w.messages()
	if c := in[0].Content; c.Kind != message.KindEntered || c.SessionFrom != "order:42" || !strings.HasPrefix(in[0].MessageID, "customer1") {
		t.Errorf("entering = %+v", in[0])
	}
	if c := in[1].Content; c.Kind != message.KindImage || c.Media == nil || c.Media.PlatformID == "" {
		t.Errorf("picture = %+v", in[1])
	}
	if c := in[2].Content; c.Kind != message.KindMiniProgramPage || c.Page == nil || c.Page.Path != "pages/order?id=42" || c.Page.Thumb == nil {
		t.Errorf("page = %+v", in[2])
	}
	if c := in[3].Content; c.Kind != message.KindUnsupported || c.RawType != "voice" || !strings.Contains(c.Raw, "amr") {
		t.Errorf("voice = %+v", in[3])
	}
}

func TestWhileKafkaIsAwayMessagesWaitInTheSpoolAndFollowInOrder(t *testing.T) {
	t.Parallel()
	kafka := testenv.NewServer(t, testenv.StartKafka)
	w := newWorldWith(t, kafka.Address())
	r := w.replica()
	shop := w.app("shop")
	shop.serve(r)
	shop.write("customer1", "0")
	w.eventually("the first message is published", func() bool { return len(w.messages()) == 1 })
	if err := kafka.Kill(); err != nil {
		t.Fatal(err)
	}
	want := []string{"0"}
	for i := 1; i <= 5; i++ {
		push := shop.write("customer1", strconv.Itoa(i))
		if push.State != wechatsim.PushDelivered || len(push.Attempts) != 1 || push.Attempts[0].LatencyMS > 4000 {
			t.Fatalf("push %d = %+v, want one attempt that succeeds in 4 s", i, push)
		}
		want = append(want, strconv.Itoa(i))
	}
	if depth, err := w.owner.Queries().SpoolDepth(t.Context(), pool); err != nil || depth.Rows != 5 {
		t.Fatalf("the spool holds %d, %v, want 5", depth.Rows, err)
	}
	if err := r.host.Ready(t.Context()); err != nil {
		t.Errorf("a replica that can keep messages is not ready: %v", err)
	}
	if err := kafka.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	texts := func() []string {
		seen, all := map[string]bool{}, []string{}
		for _, m := range w.messages() {
			if !seen[m.MessageID] {
				seen[m.MessageID] = true
				all = append(all, m.Content.Text)
			}
		}
		return all
	}
	w.eventually("all messages are published", func() bool { return len(texts()) == 6 })
	if diff := cmp.Diff(want, texts()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	w.eventually("the spool is empty", func() bool {
		depth, err := w.owner.Queries().SpoolDepth(t.Context(), pool)
		return err == nil && depth.Rows == 0
	})
}

func TestWithKafkaAndPostgresAwayThePlatformHearsNoSuccess(t *testing.T) {
	t.Parallel()
	kafka := testenv.NewServer(t, testenv.StartKafka)
	w := newWorldWith(t, kafka.Address())
	r := w.replica(func(o *host.Options) {
		// Nobody listens there.
		nowhere, err := store.OpenLazily(t.Context(), "postgres://u:p@127.0.0.1:1/none")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nowhere.Close)
		o.Store = nowhere
	})
	shop := w.app("shop")
	shop.serve(r)
	if push := shop.write("customer1", "kept in Kafka alone"); push.State != wechatsim.PushDelivered {
		t.Fatalf("with Kafka alone: %+v, want success", push)
	}
	if err := kafka.Kill(); err != nil {
		t.Fatal(err)
	}
	push := shop.write("customer1", "lost?")
	if push.State != wechatsim.PushFailed || len(push.Attempts) != 4 || push.Attempts[0].Status != http.StatusServiceUnavailable {
		t.Fatalf("push = %+v, want four attempts that are refused", push)
	}
	if got := r.metric("yingda_connector_webhook_requests_total", "outcome=failed", "reason=NotDurable"); got != 4 {
		t.Errorf("%v calls are counted as failed, want 4", got)
	}
	if err := kafka.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.eventually("the platform's next try is taken", func() bool {
		attempts, err := w.sim.RepeatPush(t.Context(), shop.config.AppID, push.ID, wechatsim.Repeat{})
		return err == nil && attempts[0].Outcome == wechatsim.OutcomeSuccess
	})
}

func TestThreeDeliveriesOfOneMessageMeetTwoReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.replica(), w.replica()
	shop := w.app("shop")
	shop.serve(one)
	w.eventually("the second replica serves it too", func() bool { return two.host.Report().Objects["Channel/shop"] == 1 })
	push := shop.write("customer1", "三次")
	for _, r := range []*replica{two, one} {
		attempts, err := w.sim.RepeatPush(t.Context(), shop.config.AppID, push.ID, wechatsim.Repeat{CallbackURL: r.url(shop)})
		if err != nil || attempts[0].Outcome != wechatsim.OutcomeSuccess {
			t.Fatalf("repetition: %+v, %v, want success", attempts, err)
		}
	}
	w.eventually("both replicas have published it", func() bool { return len(w.envelopes()) == 2 })
	// The router dedupes: it sees one message id, and one event id.
	if all := w.envelopes(); all[0].ID != all[1].ID || w.messages()[0].MessageID != w.messages()[1].MessageID {
		t.Errorf("the two events differ: %+v", all)
	}
	if got := one.metric("yingda_connector_webhook_requests_total", "outcome=repeated"); got != 1 {
		t.Errorf("the first replica counts %v repetitions, want 1", got)
	}
}

func TestSecretIsRotatedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	shop, other := w.app("shop"), w.app("other")
	shop.serve(r)
	other.serve(r)
	before := r.host.Report().Channels["shop"].SecretVersion

	// The brand enters the new key beside the old one, then changes it in the console.
	secret := shop.secret()
	secret.Data["encodingAESKey"], secret.Data["previousEncodingAESKey"] = []byte(keyTwo), []byte(keyOne)
	w.update(secret)
	w.eventually("the Secret is in force", func() bool { return r.host.Report().Channels["shop"].SecretVersion != before })
	if push := shop.write("customer1", "sealed with the old key"); push.State != wechatsim.PushDelivered {
		t.Errorf("old key: %+v", push)
	}
	shop.config.EncodingAESKey = keyTwo
	shop.put()
	if push := shop.write("customer1", "sealed with the new key"); push.State != wechatsim.PushDelivered {
		t.Errorf("new key: %+v", push)
	}

	// The token and the app secret are changed too; nothing restarts.
	shop.config.Token, shop.config.AppSecret = "anotherToken", "another-secret"
	shop.put()
	w.update(shop.secret())
	w.eventually("pushes with the new token are taken", func() bool {
		return shop.write("customer1", "signed with the new token").State == wechatsim.PushDelivered
	})
	w.eventually("the new app secret is accepted", func() bool { return r.host.Report().Channels["shop"].Credentials == "Accepted" })
	if push := other.write("customer1", "meanwhile"); push.State != wechatsim.PushDelivered {
		t.Errorf("the other Channel: %+v", push)
	}
}

func (w *world) update(object client.Object) {
	w.t.Helper()
	if err := w.kube.Update(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

func TestBrokenSecretLeavesTheChannelAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	shop := w.app("shop")
	shop.serve(r)
	secret := shop.secret()
	secret.Data["encodingAESKey"] = []byte("too short")
	w.update(secret)
	w.eventually("the mistake is reported", func() bool { return r.host.Report().Channels["shop"].Credentials == "Rejected" })
	if got := r.host.Report().Channels["shop"].Message; !strings.Contains(got, "encodingAESKey") || strings.Contains(got, "too short") {
		t.Errorf("message = %q, want the key's name and not its value", got)
	}
	if push := shop.write("customer1", "still served"); push.State != wechatsim.PushDelivered {
		t.Errorf("push = %+v, want success", push)
	}
	w.update(shop.secret())
	w.eventually("the mended Secret is accepted", func() bool { return r.host.Report().Channels["shop"].Credentials == "Accepted" })
}

func TestOnlyLabelledSecretsAndAllowedAddressesAreUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	unlabelled, elsewhere := w.app("unlabelled"), w.app("elsewhere")
	secret := unlabelled.secret()
	secret.Labels = nil
	channel := elsewhere.channel()
	channel.Spec.MiniProgram.APIBaseURL = "http://192.0.2.1"
	w.create(secret, unlabelled.channel(), elsewhere.secret(), channel)
	w.eventually("both are known", func() bool {
		return len(r.host.Report().Channels) == 2 && r.host.Report().Channels["elsewhere"].Message != ""
	})
	w.eventually("the reason is told", func() bool { return strings.Contains(r.host.Report().Channels["unlabelled"].Message, "label") })
	if objects := r.host.Report().Objects; len(objects) != 0 {
		t.Errorf("served: %v, want nothing", objects)
	}
	unlabelled.pushTo(r)
	if push := unlabelled.write("customer1", "hello"); push.Attempts[0].Status != http.StatusServiceUnavailable {
		t.Errorf("push = %+v, want 503", push)
	}
	w.update(unlabelled.secret())
	w.eventually("with its label it is served", func() bool { return r.host.Report().Objects["Channel/unlabelled"] == 1 })
}

func TestChannelIsServedWhenMadeAndForgottenWhenDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	w.eventually("a replica without Channels is ready", func() bool { return r.host.Ready(t.Context()) == nil })
	shop := w.app("shop")
	shop.pushTo(r)
	if result, err := w.sim.Verify(t.Context(), shop.config.AppID); err != nil || result.Status != http.StatusNotFound {
		t.Fatalf("before it is made: %+v, %v, want 404", result, err)
	}
	shop.serve(r)
	if r.host.Report().Channels["shop"].WebhookCalled {
		t.Error("the webhook counts as called before it was")
	}
	if result, err := w.sim.Verify(t.Context(), shop.config.AppID); err != nil || !result.OK {
		t.Fatalf("verification: %+v, %v", result, err)
	}
	if !r.host.Report().Channels["shop"].WebhookCalled {
		t.Error("the webhook does not count as called")
	}
	channel := &v1alpha1.Channel{}
	if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(shop.channel()), channel); err != nil {
		t.Fatal(err)
	}
	channel.Generation, channel.Spec.DisplayName = 2, "商城"
	w.update(channel)
	w.eventually("the new generation is in force", func() bool { return r.host.Report().Objects["Channel/shop"] == 2 })
	if got := r.host.Report().Channels["shop"].Credentials; got != "Accepted" {
		t.Errorf("a change of no concern to the credentials makes them %s", got)
	}
	if err := w.kube.Delete(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	w.eventually("it is forgotten", func() bool { return len(r.host.Report().Channels) == 0 })
}

func TestChannelThatIsBeingDeletedTakesNothingMoreAndSendsWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	w, r, shop := shopWith(t, "customer1")
	shop.pushTo(r)
	channel := &v1alpha1.Channel{}
	if err := w.kube.Get(t.Context(), client.ObjectKeyFromObject(shop.channel()), channel); err != nil {
		t.Fatal(err)
	}
	channel.Generation, channel.Finalizers = 2, []string{"yingda.dev/channel"}
	w.update(channel)
	if err := w.kube.Delete(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	w.eventually("it takes no calls", func() bool {
		result, err := w.sim.Verify(t.Context(), shop.config.AppID)
		return err == nil && result.Status == http.StatusNotFound
	})
	if got := r.host.Report().Objects["Channel/shop"]; got != 2 {
		t.Errorf("generation %d is in force, want that of the deletion", got)
	}
	w.lastReport(shop.say("customer1", "再见"), message.DeliveryDelivered)
}

func TestReplicaServesTheChannelsOfItsOwnPoolOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	shop, flagship := w.app("shop"), w.app("flagship")
	dedicated := flagship.channel()
	dedicated.Spec.Isolation = v1alpha1.IsolationDedicated
	w.create(dedicated)
	shop.serve(r)
	if _, served := r.host.Report().Channels["flagship"]; served {
		t.Error("the shared pool serves a Dedicated Channel")
	}
}

// call is a push as a stranger could make one.
type call struct {
	query, body string
	want        int
	reason      string
}

func signed(a *app, at time.Time, extra ...string) string {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	query := fmt.Sprintf("timestamp=%s&nonce=n1&signature=%s", timestamp, wechat.Sign(a.config.Token, timestamp, "n1"))
	return strings.Join(append([]string{query}, extra...), "&")
}

// sealed is a body in secure mode, with its query.
func sealed(t *testing.T, a *app, receiver, plain string) (query, body string) {
	t.Helper()
	key, err := wechat.ParseKey(a.config.EncodingAESKey)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := key.Encrypt([16]byte{}, []byte(plain), receiver)
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	return fmt.Sprintf("timestamp=%s&nonce=n1&signature=%s&encrypt_type=aes&msg_signature=%s", timestamp,
		wechat.Sign(a.config.Token, timestamp, "n1"), wechat.Sign(a.config.Token, timestamp, "n1", encrypted)), `{"Encrypt":"` + encrypted + `"}`
}

func TestForgedAndBrokenCallsAreRefusedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.replica()
	plain := w.app("plain", func(a *app) { a.mode, a.config.Mode = v1alpha1.MessageModePlaintext, wechatsim.ModePlaintext })
	secure := w.app("secure")
	plain.serve(r)
	secure.serve(r)
	const marker = "the-customers-own-words"
	good := `{"FromUserName":"o1","CreateTime":1482048670,"MsgType":"text","MsgId":1,"Content":"` + marker + `"}`
	wrongReceiver, wrongReceiverBody := sealed(t, secure, "wx0000000000000000", good)
	rightQuery, rightBody := sealed(t, secure, secure.config.AppID, good)
	bombQuery, bombBody := sealed(t, secure, secure.config.AppID, `<!DOCTYPE x [<!ENTITY a "`+marker+`">]><xml><Content>&a;</Content></xml>`)
	for name, tc := range map[string]struct {
		app *app
		call
	}{
		"a bad signature":                    {plain, call{"timestamp=1&nonce=1&signature=" + strings.Repeat("0", 40), good, 403, "BadSignature"}},
		"no signature":                       {plain, call{"", good, 403, "BadSignature"}},
		"eleven minutes old":                 {plain, call{signed(plain, time.Now().Add(-11*time.Minute)), good, 403, "StaleTimestamp"}},
		"eleven minutes ahead":               {plain, call{signed(plain, time.Now().Add(11*time.Minute)), good, 403, "StaleTimestamp"}},
		"broken XML":                         {plain, call{signed(plain, time.Now()), "<xml><Content>" + marker, 400, "BrokenBody"}},
		"an entity bomb":                     {plain, call{signed(plain, time.Now()), `<!DOCTYPE x [<!ENTITY a "` + marker + `">]><xml><Content>&a;</Content></xml>`, 400, "DoctypeOrEntity"}},
		"no fields":                          {plain, call{signed(plain, time.Now()), `{"Content":"` + marker + `"}`, 400, "MissingFields"}},
		"a body over the limit":              {plain, call{signed(plain, time.Now()), `{"Content":"` + strings.Repeat(marker, 1<<16) + `"}`, 413, "BodyTooLarge"}},
		"encrypted without a key's mode":     {secure, call{signed(secure, time.Now(), "encrypt_type=aes"), good, 403, "PlaintextRefused"}},
		"plaintext to a secure Channel":      {secure, call{signed(secure, time.Now()), good, 403, "PlaintextRefused"}},
		"a good body under another one's":    {secure, call{rightQuery, strings.Replace(rightBody, `{"Encrypt":"`, `{"Encrypt":"A`, 1), 403, "BadSignature"}},
		"sealed for another account":         {secure, call{wrongReceiver, wrongReceiverBody, 403, "WrongReceiver"}},
		"an entity bomb under the seal":      {secure, call{bombQuery, bombBody, 400, "DoctypeOrEntity"}},
		"a plain signature on a sealed body": {secure, call{signed(secure, time.Now(), "encrypt_type=aes"), rightBody, 403, "BadSignature"}},
	} {
		before := r.metric("yingda_connector_webhook_requests_total", "channel="+tc.app.name, "outcome=refused", "reason="+tc.reason)
		status, answer := post(t, r.url(tc.app)+"?"+tc.query, tc.body)
		if status != tc.want || strings.Contains(answer, marker) {
			t.Errorf("%s: answer = %d %q, want %d", name, status, answer, tc.want)
		}
		after := r.metric("yingda_connector_webhook_requests_total", "channel="+tc.app.name, "outcome=refused", "reason="+tc.reason)
		if after != before+1 {
			t.Errorf("%s: %s is counted %v times, want once", name, tc.reason, after-before)
		}
	}
	if status, _ := post(t, r.url(plain)+"/more?"+signed(plain, time.Now()), good); status != http.StatusNotFound {
		t.Errorf("a path below a Channel's: %d, want 404", status)
	}
	if logs := r.logs.String(); strings.Contains(logs, marker) {
		t.Error("the logs hold a customer's words")
	}
	if got := len(w.messages()); got != 0 {
		t.Errorf("%d messages were published, want none", got)
	}
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}
