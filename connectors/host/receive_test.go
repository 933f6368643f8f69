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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors/conformance/world"
	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/connectors/wechat"
	"github.com/yingda-dev/yingda/hack/wechatsim"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/message"
)

func TestCustomersMessageIsInKafkaBeforeThePlatformHearsSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	for _, mode := range []v1alpha1.MessageMode{v1alpha1.MessageModeSecure, v1alpha1.MessageModeCompatible, v1alpha1.MessageModePlaintext} {
		for _, format := range []wechatsim.Format{wechatsim.FormatJSON, wechatsim.FormatXML} {
			name := strings.ToLower(string(mode) + string(format))
			a := w.app(name, func(a *wechatsim.App) {
				a.Mode, a.Format = wechatsim.Mode(strings.ToLower(string(mode))), format
			})
			a.serve(r)
			push := a.write("customer1", "在吗 <b>&]]>")
			if push.State != wechatsim.PushDelivered || len(push.Attempts) != 1 {
				t.Fatalf("%s: push = %+v, want one attempt that succeeds", name, push)
			}
			var in message.Inbound
			w.Eventually("the message is in the inbound topic", func() bool {
				for _, m := range w.Messages() {
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
	if e := w.Envelopes()[0]; e.Key != "securejson/customer1" || e.TraceParent == "" || e.Subject != "securejson" {
		t.Errorf("envelope = %+v, want key, subject and trace", e)
	}
}

func TestEverythingACustomerCanDoIsUnderstood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	shop := w.app("shop")
	shop.serve(r)
	for _, m := range []wechatsim.Message{
		{Type: wechatsim.TypeEnter, SessionFrom: "order:42"},
		{Type: wechatsim.TypeImage},
		{Type: wechatsim.TypeMiniProgramPage, Title: "订单", PagePath: "pages/order?id=42"},
		{Type: wechatsim.TypeRaw, MsgType: "voice", Fields: map[string]any{"MediaId": "m1", "Format": "amr"}},
	} {
		if push, err := w.Sim.Write(t.Context(), shop.App.AppID, "customer1", m); err != nil || push.State != wechatsim.PushDelivered {
			t.Fatalf("%s: %+v, %v", m.Type, push, err)
		}
	}
	w.Eventually("all four are published", func() bool { return len(w.Messages()) == 4 })
	in := w.Messages()
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

func TestTokenAndAppSecretAreChangedInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	shop := w.app("shop")
	shop.serve(r)
	shop.App.Token, shop.App.AppSecret = "anotherToken", "another-secret"
	shop.Put()
	w.Update(shop.secret())
	w.Eventually("pushes with the new token are taken", func() bool {
		return shop.write("customer1", "signed with the new token").State == wechatsim.PushDelivered
	})
	r.Accepts("shop")
}

func TestBrokenSecretLeavesTheChannelAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	shop := w.app("shop")
	shop.serve(r)
	secret := shop.secret()
	secret.Data["encodingAESKey"] = []byte("too short")
	w.Update(secret)
	w.Eventually("the mistake is reported", func() bool { return r.Host.Report().Channels["shop"].Credentials == "Rejected" })
	if got := r.Host.Report().Channels["shop"].Message; !strings.Contains(got, "encodingAESKey") || strings.Contains(got, "too short") {
		t.Errorf("message = %q, want the key's name and not its value", got)
	}
	if push := shop.write("customer1", "still served"); push.State != wechatsim.PushDelivered {
		t.Errorf("push = %+v, want success", push)
	}
	w.Update(shop.secret())
	w.Eventually("the mended Secret is accepted", func() bool { return r.Host.Report().Channels["shop"].Credentials == "Accepted" })
}

func TestOnlyLabelledSecretsAndAllowedAddressesAreUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	unlabelled, elsewhere := w.app("unlabelled"), w.app("elsewhere")
	secret := unlabelled.secret()
	secret.Labels = nil
	channel := elsewhere.channel()
	channel.Spec.MiniProgram.APIBaseURL = "http://192.0.2.1"
	w.Create(secret, unlabelled.channel(), elsewhere.secret(), channel)
	w.Eventually("both are known", func() bool {
		return len(r.Host.Report().Channels) == 2 && r.Host.Report().Channels["elsewhere"].Message != ""
	})
	w.Eventually("the reason is told", func() bool { return strings.Contains(r.Host.Report().Channels["unlabelled"].Message, "label") })
	if objects := r.Host.Report().Objects; len(objects) != 0 {
		t.Errorf("served: %v, want nothing", objects)
	}
	unlabelled.CallAt(r.URL(unlabelled.name))
	if push := unlabelled.write("customer1", "hello"); push.Attempts[0].Status != http.StatusServiceUnavailable {
		t.Errorf("push = %+v, want 503", push)
	}
	w.Update(unlabelled.secret())
	w.Eventually("with its label it is served", func() bool { return r.Host.Report().Objects["Channel/unlabelled"] == 1 })
}

func TestChannelIsServedWhenMadeAndForgottenWhenDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	w.Eventually("a replica without Channels is ready", func() bool { return r.Host.Ready(t.Context()) == nil })
	shop := w.app("shop")
	shop.CallAt(r.URL(shop.name))
	if result, err := w.Sim.Verify(t.Context(), shop.App.AppID); err != nil || result.Status != http.StatusNotFound {
		t.Fatalf("before it is made: %+v, %v, want 404", result, err)
	}
	shop.serve(r)
	if r.Host.Report().Channels["shop"].WebhookCalled {
		t.Error("the webhook counts as called before it was")
	}
	if result, err := w.Sim.Verify(t.Context(), shop.App.AppID); err != nil || !result.OK {
		t.Fatalf("verification: %+v, %v", result, err)
	}
	if !r.Host.Report().Channels["shop"].WebhookCalled {
		t.Error("the webhook does not count as called")
	}
	channel := w.Current("shop")
	channel.Generation, channel.Spec.DisplayName = 2, "商城"
	w.Update(channel)
	w.Eventually("the new generation is in force", func() bool { return r.Host.Report().Objects["Channel/shop"] == 2 })
	if got := r.Host.Report().Channels["shop"].Credentials; got != "Accepted" {
		t.Errorf("a change of no concern to the credentials makes them %s", got)
	}
	if err := w.Kube.Delete(t.Context(), channel); err != nil {
		t.Fatal(err)
	}
	w.Eventually("it is forgotten", func() bool { return len(r.Host.Report().Channels) == 0 })
}

func TestReplicaServesTheChannelsOfItsOwnPoolOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	shop, flagship := w.app("shop"), w.app("flagship")
	dedicated := flagship.channel()
	dedicated.Spec.Isolation = v1alpha1.IsolationDedicated
	w.Create(dedicated)
	shop.serve(r)
	if _, served := r.Host.Report().Channels["flagship"]; served {
		t.Error("the shared pool serves a Dedicated Channel")
	}
}

func TestReplicaWhoseBotSpeaksTellsOfAllThatItSpeaksBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	meta := func(name string, generation int64) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: w.Names.Namespace, Name: name, Generation: generation}
	}
	brand := v1alpha1.BrandReference{Name: w.Names.Brand}
	view := catalog.Fixed(w.Names.Namespace, w.Names.Brand,
		&v1alpha1.Brand{ObjectMeta: meta(w.Names.Brand, 2)}, &v1alpha1.Playbook{ObjectMeta: meta("shop", 3)},
		&v1alpha1.SkillGroup{ObjectMeta: meta("day", 4), Spec: v1alpha1.SkillGroupSpec{BrandRef: brand}},
		&v1alpha1.ShiftSchedule{ObjectMeta: meta("online", 5), Spec: v1alpha1.ShiftScheduleSpec{TimeZone: "Asia/Shanghai"}},
		&v1alpha1.HolidayCalendar{ObjectMeta: metav1.ObjectMeta{Name: "china", Generation: 6}},
		// The table has not taken it: nobody is served by it.
		&v1alpha1.Channel{ObjectMeta: meta("unserved", 7), Spec: v1alpha1.ChannelSpec{BrandRef: brand, Type: v1alpha1.ChannelTypeOfficialAccount}})
	said := w.Replica(func(o *host.Options) { o.Catalog = view }).Host.Report()
	want := map[string]int64{"Brand/" + w.Names.Brand: 2, "Playbook/shop": 3, "SkillGroup/day": 4, "ShiftSchedule/online": 5, "HolidayCalendar/china": 6}
	if diff := cmp.Diff(want, said.Objects); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(view.Kinds(), said.Kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	if silent := w.Replica().Host.Report(); silent.Kinds != nil {
		t.Errorf("a replica whose bot does not speak tells of %q", silent.Kinds)
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
	query := fmt.Sprintf("timestamp=%s&nonce=n1&signature=%s", timestamp, wechat.Sign(a.App.Token, timestamp, "n1"))
	return strings.Join(append([]string{query}, extra...), "&")
}

// sealed is a body in secure mode, with its query.
func sealed(t *testing.T, a *app, receiver, plain string) (query, body string) {
	t.Helper()
	key, err := wechat.ParseKey(a.App.EncodingAESKey)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := key.Encrypt([16]byte{}, []byte(plain), receiver)
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	return fmt.Sprintf("timestamp=%s&nonce=n1&signature=%s&encrypt_type=aes&msg_signature=%s", timestamp,
		wechat.Sign(a.App.Token, timestamp, "n1"), wechat.Sign(a.App.Token, timestamp, "n1", encrypted)), `{"Encrypt":"` + encrypted + `"}`
}

func TestForgedAndBrokenCallsAreRefusedAndCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.Replica()
	plain := w.app("plain", func(a *wechatsim.App) { a.Mode = wechatsim.ModePlaintext })
	secure := w.app("secure")
	plain.serve(r)
	secure.serve(r)
	const marker = "the-customers-own-words"
	good := `{"FromUserName":"o1","CreateTime":1482048670,"MsgType":"text","MsgId":1,"Content":"` + marker + `"}`
	wrongReceiver, wrongReceiverBody := sealed(t, secure, "wx0000000000000000", good)
	rightQuery, rightBody := sealed(t, secure, secure.App.AppID, good)
	bombQuery, bombBody := sealed(t, secure, secure.App.AppID, `<!DOCTYPE x [<!ENTITY a "`+marker+`">]><xml><Content>&a;</Content></xml>`)
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
		before := r.Metric("yingda_connector_webhook_requests_total", "channel="+tc.app.name, "outcome=refused", "reason="+tc.reason)
		status, answer := post(t, r.URL(tc.app.name)+"?"+tc.query, tc.body)
		if status != tc.want || strings.Contains(answer, marker) {
			t.Errorf("%s: answer = %d %q, want %d", name, status, answer, tc.want)
		}
		after := r.Metric("yingda_connector_webhook_requests_total", "channel="+tc.app.name, "outcome=refused", "reason="+tc.reason)
		if after != before+1 {
			t.Errorf("%s: %s is counted %v times, want once", name, tc.reason, after-before)
		}
	}
	if status, _ := post(t, r.URL(plain.name)+"/more?"+signed(plain, time.Now()), good); status != http.StatusNotFound {
		t.Errorf("a path below a Channel's: %d, want 404", status)
	}
	if logs := r.Logs.String(); strings.Contains(logs, marker) {
		t.Error("the logs hold a customer's words")
	}
	if got := len(w.Messages()); got != 0 {
		t.Errorf("%d messages were published, want none", got)
	}
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), world.Patience)
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
