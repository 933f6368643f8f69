package desk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/domain/aftersales"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/promise"
	"github.com/yingda-dev/yingda/internal/store"
)

// customer opens pages without signing in.
type customer struct {
	desk   *desk
	client *http.Client
}

func (d *desk) customer() *customer { return &customer{d, &http.Client{}} }

func (c *customer) does(request *http.Request) (status int, page string) {
	c.desk.t.Helper()
	response, err := c.client.Do(request)
	if err != nil {
		c.desk.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		c.desk.t.Fatal(err)
	}
	if policy := response.Header.Get("Content-Security-Policy"); policy != contentPolicy {
		c.desk.t.Errorf("the page may do %q", policy)
	}
	return response.StatusCode, string(content)
}

func (c *customer) opens(address string) (status int, page string) {
	c.desk.t.Helper()
	request, err := http.NewRequestWithContext(c.desk.t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		c.desk.t.Fatal(err)
	}
	return c.does(request)
}

// sendsFirst looks for an answer once the request is sent to its end, as browsers do.
type sendsFirst struct{}

func (sendsFirst) RoundTrip(r *http.Request) (*http.Response, error) {
	conn, err := new(net.Dialer).DialContext(r.Context(), "tcp", r.URL.Host)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(r.Context(), func() { _ = conn.Close() })
	if err := r.Write(conn); err != nil {
		return nil, err
	}
	return http.ReadResponse(bufio.NewReader(conn), r)
}

// hands in a form; after it the client has followed the redirect.
func (c *customer) hands(address string, values map[string]string, photos ...[]byte) (status int, page string) {
	c.desk.t.Helper()
	files := make([]chosen, len(photos))
	for i, photo := range photos {
		files[i] = chosen{"photos", photo}
	}
	return c.handsFiles(address, values, files...)
}

// chosen is a file in an input of a form.
type chosen struct {
	input   string
	content []byte
}

func (c *customer) handsFiles(address string, values map[string]string, files ...chosen) (status int, page string) {
	c.desk.t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for name, value := range values {
		if err := writer.WriteField(name, value); err != nil {
			c.desk.t.Fatal(err)
		}
	}
	for _, file := range files {
		part, err := writer.CreateFormFile(file.input, "p.png")
		if err == nil {
			_, err = part.Write(file.content)
		}
		if err != nil {
			c.desk.t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		c.desk.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(c.desk.t.Context(), http.MethodPost, address, &body)
	if err != nil {
		c.desk.t.Fatal(err)
	}
	request.Header.Set("Content-Type", writer.FormDataContentType())
	return c.does(request)
}

func filled(change map[string]string) map[string]string {
	values := map[string]string{
		"order": "LM20261120001", "kind": "Return", "reason": "Quality", "paid": "99.50", "delivered": "2026-11-21", "item": "真丝衬衫", "description": "领口<开线>",
	}
	maps.Copy(values, change)
	return values
}

func picture(size int) []byte {
	return append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, size)...)
}

// link sends a link in a conversation and returns the address that the customer gets.
func (w *world) link(d *desk, conversation uuid.UUID) string {
	w.t.Helper()
	asks[store.Message](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales-form", map[string]any{"key": uuid.New()})
	sent := w.outboxOf(string(message.TypeOutbound))
	var out message.Outbound
	if err := json.Unmarshal(sent[len(sent)-1], &out); err != nil {
		w.t.Fatal(err)
	}
	return out.Content.Link.URL
}

func TestAgentsDoNotReadTheLinkOfACustomersForm(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	_, token, _ := strings.Cut(w.link(d, conversation), formlink.Path)
	for _, who := range []string{"xiaomei", "laowang"} {
		shown := asks[struct{ Messages []store.Message }](d.as(who), http.StatusOK, http.MethodGet, "/api/conversations/"+conversation.String(), nil)
		last := string(shown.Messages[len(shown.Messages)-1].Content)
		if strings.Contains(last, token) || !strings.Contains(last, formlink.Path+"…") {
			t.Errorf("%s reads %s", who, last)
		}
	}
	for _, frame := range w.outboxOf(string(message.TypeFrame)) {
		if strings.Contains(string(frame), token) {
			t.Errorf("a frame has %s", frame)
		}
	}
}

func TestACustomerAppliesByTheFormThatAnAgentSent(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	address := w.link(d, conversation)
	if !strings.HasPrefix(address, d.url+"/forms/after-sales/") || strings.Contains(address, conversation.String()) {
		t.Fatalf("the link is %s", address)
	}
	c := d.customer()
	if status, page := c.opens(address); status != http.StatusOK || !strings.Contains(page, "露米") || !strings.Contains(page, `name="order"`) {
		t.Fatalf("the form: %d %s", status, page)
	}
	if status, page := c.hands(address, filled(map[string]string{"email": "zhang@mail.example"}), picture(100), picture(200)); status != http.StatusOK || !strings.Contains(page, "申请已提交") || !strings.Contains(page, "LM****0001") {
		t.Fatalf("handed in: %d %s", status, page)
	}
	started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow)
	if len(started) != 1 {
		t.Fatalf("%d processes were started, want 1", len(started))
	}
	var input promise.AfterSalesInput
	if err := json.Unmarshal(started[0], &input); err != nil {
		t.Fatal(err)
	}
	a := input.Application
	if a.Source != aftersales.FromCustomer || a.Order.Paid != 9950 || a.Description != "领口<开线>" || len(a.Evidence) != 2 || a.Contact.Email != "" || input.OpenedBy != "" || input.SkillGroup != "after-sales" || input.Customer != "c" {
		t.Errorf("the process was started with %+v", input)
	}
	if email := w.emailOf(input.ID); email != "zhang@mail.example" {
		t.Errorf("the customer is written to at %q", email)
	}
	// The link opens one case, however often it is used; it shows how that stands.
	w.passes(formInterval)
	if status, page := c.hands(address, filled(map[string]string{"order": "OTHER-1"})); status != http.StatusOK || !strings.Contains(page, "LM****0001") {
		t.Errorf("handed in again: %d %s", status, page)
	}
	if again := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow); len(again) != 1 {
		t.Errorf("%d processes were started by one link", len(again))
	}
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+d.nameOf(input.ID), nil)
	file := "/api/cases/" + shown.Name + "/evidence/" + a.Evidence[1].Media.String()
	if got := d.as("xiaomei").sends(http.MethodGet, file, nil); got.status != http.StatusOK || !bytes.Equal(got.body, picture(200)) {
		t.Errorf("the second photo: %d, %d bytes", got.status, len(got.body))
	}
}

func TestALinkToAFormIsOneOfOursAndWorksForADay(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	address := w.link(d, conversation)
	root, token := address[:strings.LastIndex(address, "/")+1], address[strings.LastIndex(address, "/")+1:]
	other := []byte(token)
	other[len(other)-2] ^= 1
	later := []byte(token)
	later[4] ^= 1
	c := d.customer()
	for name, tc := range map[string]struct {
		address string
		status  int
	}{
		"with another signature":  {root + string(other), http.StatusNotFound},
		"with another expiry":     {root + string(later), http.StatusNotFound},
		"that is cut off":         {root + token[:40], http.StatusNotFound},
		"that is no base64":       {root + strings.Repeat("!", len(token)), http.StatusNotFound},
		"as it was sent":          {address, http.StatusOK},
		"as it was sent, by POST": {address, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			status, page := c.opens(tc.address)
			if status != tc.status || status != http.StatusOK && strings.Contains(page, "<form") {
				t.Errorf("status %d, want %d: %s", status, tc.status, page)
			}
		})
	}
	// Another replica signs by the same key.
	another := w.starts()
	if status, _ := another.customer().opens(another.url + "/forms/after-sales/" + token); status != http.StatusOK {
		t.Errorf("another replica answers %d", status)
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		locked, err := u.ConversationForUpdate(ctx, conversation)
		if err != nil {
			return err
		}
		_, err = u.Close(ctx, locked)
		return err
	})
	if status, _ := c.opens(address); status != http.StatusOK {
		t.Errorf("after the conversation ended: %d", status)
	}
	w.passes(formlink.Lasts)
	if status, page := c.opens(address); status != http.StatusGone || !strings.Contains(page, "已过期") {
		t.Errorf("after a day: %d %s", status, page)
	}
	if status, _ := c.hands(address, filled(nil)); status != http.StatusGone {
		t.Errorf("handed in after a day: %d", status)
	}
}

func TestACustomerGoesOnWithTheirCaseByTheLinkThatOpenedIt(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	address, c := w.link(d, w.assigned("after-sales", "xiaomei", "c")), d.customer()
	status, page := c.hands(address, filled(nil)) // For what is broken photos are asked for.
	shownKey := regexp.MustCompile(`name="key" value="([^"]+)"`)
	does := func(action, key string, photos ...[]byte) (status int, page string) {
		t.Helper()
		w.passes(formInterval)
		return c.hands(address, map[string]string{"action": action, "key": key}, photos...)
	}
	offers := func(want ...string) (key string) {
		t.Helper()
		var got []string
		for _, act := range regexp.MustCompile(`name="action" value="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			got = append(got, act[1])
		}
		if diff := cmp.Diff(want, got); status != http.StatusOK || diff != "" {
			t.Fatalf("status %d, the page offers (-want +got):\n%s", status, diff)
		}
		return shownKey.FindStringSubmatch(page)[1]
	}
	key := offers("addEvidence", "withdraw")
	if status, page := does("addEvidence", key); status != http.StatusUnprocessableEntity || !strings.Contains(page, "请选择照片") {
		t.Errorf("without a photo: %d %s", status, page)
	}
	if status, page := does("approve", key); status != http.StatusUnprocessableEntity || !strings.Contains(page, "现在不能进行这项操作") {
		t.Errorf("what is the agents': %d %s", status, page)
	}
	// The link is too old for an application by then.
	w.passes(2 * formlink.Lasts)
	for range 2 {
		status, page = does("addEvidence", key, picture(100))
	}
	// Other photos on the page of before are no repetition.
	status, page = does("addEvidence", key, picture(200))
	key = offers("addEvidence", "withdraw")
	started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow)
	var input promise.AfterSalesInput
	if len(started) != 1 || json.Unmarshal(started[0], &input) != nil {
		t.Fatalf("%d processes were started, want 1", len(started))
	}
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+d.nameOf(input.ID), nil)
	if shown.State != string(aftersales.StateReview) || len(w.outboxOf(store.TargetSignal+promise.SignalAct)) != 2 {
		t.Errorf("the case is %s, its process was told %d times", shown.State, len(w.outboxOf(store.TargetSignal+promise.SignalAct)))
	}
	if status, page = does("withdraw", key); status != http.StatusOK || !strings.Contains(page, "已撤销") || strings.Contains(page, "<form") {
		t.Errorf("withdrawn: %d %s", status, page)
	}
	shown = asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+d.nameOf(input.ID), nil)
	if shown.State != string(aftersales.StateWithdrawn) {
		t.Errorf("the case is %s", shown.State)
	}
}

func TestWhatIsWrongInAFormIsSaidAndNothingOfItIsLost(t *testing.T) {
	for name, tc := range map[string]struct {
		change map[string]string
		photos [][]byte
		field  string
		want   string
	}{
		"no order number":               {map[string]string{"order": " "}, nil, "order", "请填写订单号"},
		"an order number with a space":  {map[string]string{"order": "LM 1"}, nil, "order", "中间不要有空格"},
		"an order number half unseen":   {map[string]string{"order": "LM\u200b1"}, nil, "order", "只能有字母、数字、汉字和 -_./#"},
		"no amount":                     {map[string]string{"paid": "一百"}, nil, "paid", "请填写实付金额"},
		"more back than was paid":       {map[string]string{"amount": "100"}, nil, "amount", "退款金额不能超过实付金额"},
		"a day that there is not":       {map[string]string{"delivered": "2026-11-31"}, nil, "delivered", "请检查签收日期"},
		"a delivery tomorrow":           {map[string]string{"delivered": "2026-11-24"}, nil, "delivered", "签收日期不能晚于今天,还没有签收请不填"},
		"goods back that are not there": {map[string]string{"delivered": ""}, nil, "delivered", "请填写签收日期"},
		"an address that is none":       {map[string]string{"email": "zhang"}, nil, "email", "请检查邮箱"},
		"an address with a header":      {map[string]string{"email": "zhang@mail.example\r\nBcc: all@mail.example"}, nil, "email", "请检查邮箱"},
		"a novel":                       {map[string]string{"description": "领口<开线>" + strings.Repeat("长", 500)}, nil, "description", "内容过长,最多 500 字"},
		"a name that is a novel":        {map[string]string{"item": strings.Repeat("长", 101)}, nil, "item", "内容过长,最多 100 字"},
		"a kind of somebody's own":      {map[string]string{"kind": "Everything"}, nil, "kind", "请选择申请类型"},
		"a file that is no photo":       {nil, [][]byte{[]byte("<script>")}, "photos", "只能上传"},
		"a photo that is too large":     {nil, [][]byte{picture(maxUpload)}, "photos", "照片过大"},
		"more photos than are taken":    {nil, [][]byte{picture(1), picture(1), picture(1), picture(1), picture(1), picture(1), picture(1)}, "photos", "最多上传 6 张照片"},
		"a body without an end":         {nil, slices.Repeat([][]byte{picture(maxUpload)}, maxForm/maxUpload+1), "photos", "照片过大"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.mails()
			d := w.starts()
			address := w.link(d, w.assigned("after-sales", "xiaomei", "c"))
			values := filled(tc.change)
			status, page := d.customer().hands(address, values, tc.photos...)
			marked := regexp.MustCompile(`name="` + tc.field + `"[^>]* aria-invalid="true"[^>]*>[^\n]*<span class="wrong">([^<]*)</span></label>\n`).FindStringSubmatch(page)
			if status != http.StatusUnprocessableEntity || marked == nil || !strings.Contains(marked[1], tc.want) {
				t.Errorf("status %d, want %q at %s in %s", status, tc.want, tc.field, page)
			}
			if strings.Count(page, "aria-invalid") != 1 {
				t.Errorf("more is marked than is wrong: %s", page)
			}
			if !strings.Contains(page, "领口&lt;开线&gt;") {
				t.Errorf("the description is lost, or markup: %s", page)
			}
			if started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow); len(started) != 0 {
				t.Errorf("%d processes were started", len(started))
			}
		})
	}
}

func TestAllThatIsWrongInAFormIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	address := w.link(d, w.assigned("after-sales", "xiaomei", "c"))
	wrong := filled(map[string]string{"paid": "", "delivered": "2026-12-01", "item": strings.Repeat("长", 101)})
	status, page := d.customer().hands(address, wrong, []byte("no photo"))
	if n := strings.Count(page, `class="wrong"`); status != http.StatusUnprocessableEntity || n != 4 {
		t.Errorf("status %d, %d fields are marked, want 4: %s", status, n, page)
	}
	// What is put right is taken; a delivery of today is no delivery in the future.
	w.passes(formInterval)
	if status, page := d.customer().hands(address, filled(map[string]string{"delivered": "2026-11-23"})); status != http.StatusOK || !strings.Contains(page, "待补充凭证") {
		t.Errorf("put right: %d %s", status, page)
	}
}

func TestACustomerHasOneFormOnItsWay(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	done, ok := d.filling.enter(formlink.Customer{Channel: "shop", ExternalID: "c"})
	if !ok {
		t.Fatal("somebody hands in a form already")
	}
	other := w.link(d, w.assigned("after-sales", "xiaomei", "k"))
	mine := w.link(d, conversation)
	if status, page := d.customer().hands(mine, filled(nil)); status != http.StatusTooManyRequests || !strings.Contains(page, "您刚刚提交过") {
		t.Errorf("a second one beside the first: %d %s", status, page)
	}
	if status, page := d.customer().hands(other, filled(nil)); status != http.StatusOK {
		t.Errorf("another customer's: %d %s", status, page)
	}
	w.does(func(ctx context.Context, u *store.Unit) error {
		locked, err := u.ConversationForUpdate(ctx, conversation)
		if err != nil {
			return err
		}
		_, err = u.Close(ctx, locked)
		return err
	})
	later := w.link(d, w.assigned("after-sales", "xiaomei", "c"))
	if status, page := d.customer().hands(later, filled(nil)); status != http.StatusTooManyRequests {
		t.Errorf("a second one, of another conversation: %d %s", status, page)
	}
	done()
	if status, page := d.customer().hands(mine, filled(nil)); status != http.StatusOK {
		t.Errorf("after the first: %d %s", status, page)
	}
}

func TestAFormOpensOneCaseHoweverManyHandItInAtOnce(t *testing.T) {
	w := newWorld(t)
	replicas := []*desk{w.starts(), w.starts(), w.starts()}
	address := w.link(replicas[0], w.assigned("after-sales", "xiaomei", "c"))
	token := address[strings.LastIndex(address, "/"):]
	var group sync.WaitGroup
	for _, d := range replicas {
		group.Go(func() {
			if status, page := d.customer().hands(d.url+"/forms/after-sales"+token, filled(nil), picture(10)); status != http.StatusOK {
				t.Errorf("handed in: %d %s", status, page)
			}
		})
	}
	group.Wait()
	if started := w.outboxOf(store.TargetStart + promise.AfterSalesWorkflow); len(started) != 1 {
		t.Errorf("%d processes were started, want 1", len(started))
	}
	// What is long is refused in words, too, and not by hanging up while it is sent: a browser shows nothing then.
	again := replicas[0].customer()
	again.client.Transport = sendsFirst{}
	photo := picture(maxUpload - 100)
	status, page := again.hands(replicas[0].url+"/forms/after-sales"+token, filled(nil), photo, photo, photo)
	if status != http.StatusTooManyRequests || !strings.Contains(page, "您刚刚提交过") {
		t.Errorf("handed in twice in a moment: %d %s", status, page)
	}
}

func TestTheCustomersWordAlonePaysNothingBack(t *testing.T) {
	quick := func(objects []client.Object) {
		for _, object := range objects {
			switch object := object.(type) {
			case *yingdav1.Brand:
				object.Spec.Defaults.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: "quick"}
			case *yingdav1.ServiceLevel:
				object.Spec.AfterSales.Policy.RefundSpeeds = []yingdav1.TierRefundSpeed{{Speed: yingdav1.RefundInstant}}
			}
		}
	}
	w := newWorld(t)
	level := &yingdav1.ServiceLevel{}
	level.Name, level.Namespace, level.Generation = "quick", "lumi", 1
	objects := append(brand(), level)
	quick(objects)
	w.catalog.Set(objects...)
	d := w.starts()
	conversation := w.assigned("after-sales", "xiaomei", "c")
	named := wanted(func(r *OpenAfterSalesRequest) { r.Order.Items = []NewItem{{Name: "真丝衬衫 M"}} })
	byAgent := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/conversations/"+conversation.String()+"/after-sales", named)
	if byAgent.State != string(aftersales.StateRefunding) {
		t.Errorf("what an agent has checked is in %s, want refunding", byAgent.State)
	}
	if status, page := d.customer().hands(w.link(d, conversation), filled(map[string]string{"reason": "NoReason", "order": "LM2"})); status != http.StatusOK || !strings.Contains(page, "审核中") {
		t.Errorf("what the customer says: %d %s", status, page)
	}
}

// declares changes what the Brand declares.
func (w *world) declares(change func(*yingdav1.BrandSpec)) {
	objects := brand()
	for _, object := range objects {
		if b, ok := object.(*yingdav1.Brand); ok {
			change(&b.Spec)
		}
	}
	w.catalog.Set(objects...)
}

func (w *world) mails() { w.declares(func(b *yingdav1.BrandSpec) { b.Mail = &yingdav1.BrandMail{} }) }

func TestAnAddressIsAskedForWhereThereIsAMailServer(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	address := w.link(d, w.assigned("after-sales", "xiaomei", "c"))
	if _, page := d.customer().opens(address); strings.Contains(page, `name="email"`) {
		t.Errorf("nobody would write there: %s", page)
	}
	w.mails()
	if _, page := d.customer().opens(address); !strings.Contains(page, `name="email"`) {
		t.Errorf("no address is asked for: %s", page)
	}
}

func TestACustomerSaysThatTheOrderIsInsuredAndTheReviewerLooksIntoIt(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	address := w.link(d, w.assigned("after-sales", "xiaomei", "c"))
	applies := map[string]string{"reason": "NoReason", "insured": "yes", "paid": "一百"}
	if status, page := d.customer().hands(address, filled(applies)); status != http.StatusUnprocessableEntity || !strings.Contains(page, `value="yes" checked`) {
		t.Errorf("filled in wrongly: %d %s", status, page)
	}
	w.passes(formInterval)
	applies["paid"] = "100"
	if status, page := d.customer().hands(address, filled(applies)); status != http.StatusOK {
		t.Fatalf("handed in: %d %s", status, page)
	}
	open := asks[listedCases](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases", nil).Cases
	shown := asks[CaseDetail](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases/"+open[0].Name, nil)
	if now := inside(t, shown); now.State != aftersales.StateReview || now.Decision.Freight != aftersales.FreightInsurance || !strings.Contains(now.Decision.Agent, "客户自述") {
		t.Errorf("the case is in %s, decided %+v", now.State, now.Decision)
	}
	approved := asks[CaseDetail](d.as("xiaomei"), http.StatusAccepted, http.MethodPost, "/api/cases/"+shown.Name+"/actions",
		CaseActionRequest{Key: uuid.New(), Action: "approve", Freight: aftersales.FreightBuyer})
	if _, page := d.customer().opens(address); inside(t, approved).Decision.Freight != aftersales.FreightBuyer || !strings.Contains(page, "运费由您承担") {
		t.Errorf("found to be wrong, the customer reads %s", page)
	}
}

func TestACustomerSaysWhatTheWayBackCostAndAnAgentWhatIsPaidBackOfIt(t *testing.T) {
	w := newWorld(t)
	d := w.starts()
	address, c := w.link(d, w.assigned("after-sales", "xiaomei", "c")), d.customer()
	if status, page := c.hands(address, filled(nil), picture(100)); status != http.StatusOK {
		t.Fatalf("handed in: %d %s", status, page)
	}
	name := asks[listedCases](d.as("xiaomei"), http.StatusOK, http.MethodGet, "/api/cases", nil).Cases[0].Name
	acts := func(status int, request CaseActionRequest) (now CaseDetail) {
		t.Helper()
		request.Key = uuid.New()
		return asks[CaseDetail](d.as("xiaomei"), status, http.MethodPost, "/api/cases/"+name+"/actions", request)
	}
	acts(http.StatusAccepted, CaseActionRequest{Action: "approve", ReturnGoods: true})
	_, page := c.opens(address)
	key := regexp.MustCompile(`name="action" value="sent">\s*<input type="hidden" name="key" value="([^"]+)"`).FindStringSubmatch(page)
	if key == nil || !strings.Contains(page, "最多 20 元") || !strings.Contains(page, `name="freight"`) {
		t.Fatalf("the customer reads %s", page)
	}
	sent := map[string]string{"action": "sent", "key": key[1], "tracking": "SF1", "freight": "三十"}
	w.passes(formInterval)
	if status, page := c.hands(address, sent); status != http.StatusUnprocessableEntity || !strings.Contains(page, "请检查运费金额") {
		t.Errorf("an amount that is none: %d %s", status, page)
	}
	w.passes(formInterval)
	sent["freight"] = "30"
	if status, page := c.hands(address, sent); status != http.StatusOK || !strings.Contains(page, "SF1") {
		t.Errorf("sent: %d %s", status, page)
	}
	received := acts(http.StatusAccepted, CaseActionRequest{Action: "receive"})
	if diff := cmp.Diff(AllowedAction{Action: "accept", Needs: []string{"freightAmount"}}, received.Allowed[0]); diff != "" || inside(t, received).Parcel.Freight != 30_00 {
		t.Errorf("the parcel is %+v; what accepting needs (-want +got):\n%s", inside(t, received).Parcel, diff)
	}
	acts(http.StatusUnprocessableEntity, CaseActionRequest{Action: "accept"})
	acts(http.StatusUnprocessableEntity, CaseActionRequest{Action: "accept", FreightAmount: new(int64(30_00))})
	accepted := acts(http.StatusAccepted, CaseActionRequest{Action: "accept", FreightAmount: new(int64(20_00))})
	if now := inside(t, accepted); now.State != aftersales.StateRefunding || now.Decision.FreightAmount != 20_00 || now.Decision.Amount != 99_50 {
		t.Errorf("the case is in %s, decided %+v", now.State, now.Decision)
	}
}

func TestNobodyIsAskedForAnInsuranceThatIsNotClaimed(t *testing.T) {
	w := newWorld(t)
	level := &yingdav1.ServiceLevel{}
	level.Name, level.Namespace, level.Generation = "uninsured", "lumi", 1
	level.Spec.AfterSales.Policy.FreightInsurance = yingdav1.FreightInsuranceIgnore
	objects := append(brand(), level)
	for _, object := range objects {
		if b, ok := object.(*yingdav1.Brand); ok {
			b.Spec.Defaults.ServiceLevelRef = &yingdav1.ServiceLevelReference{Name: level.Name}
		}
	}
	d := w.starts()
	address := w.link(d, w.assigned("after-sales", "xiaomei", "c"))
	if _, page := d.customer().opens(address); !strings.Contains(page, `name="insured"`) {
		t.Errorf("nobody is asked: %s", page)
	}
	w.catalog.Set(objects...)
	if _, page := d.customer().opens(address); strings.Contains(page, `name="insured"`) {
		t.Errorf("somebody is asked: %s", page)
	}
}

func TestLinksBeginWhereTheBrandSays(t *testing.T) {
	w := newWorld(t)
	w.declares(func(b *yingdav1.BrandSpec) { b.Desk.FormsURL = "https://service.lumi.example/" })
	d := w.starts()
	if address := w.link(d, w.assigned("after-sales", "xiaomei", "c")); !strings.HasPrefix(address, "https://service.lumi.example/forms/after-sales/") {
		t.Errorf("the link is %s", address)
	}
}
