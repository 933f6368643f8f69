package router

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

// service is the brand's official account.
func service() *yingdav1.Channel {
	return &yingdav1.Channel{ObjectMeta: metav1.ObjectMeta{Name: "service", Namespace: "lumi", Generation: 1}, Spec: yingdav1.ChannelSpec{
		BrandRef: yingdav1.BrandReference{Name: "lumi"}, Type: yingdav1.ChannelTypeOfficialAccount,
		OfficialAccount: &yingdav1.OfficialAccountSpec{MessagesPerContact: 20},
	}}
}

func newWorldOfTwoChannels(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.Catalog.Set(append(brand(), client.Object(service()))...)
	return w
}

// does of a channel is an envelope of what a customer did there.
func (w *world) envelope(channel, customer string, content message.Content) message.Envelope {
	w.t.Helper()
	id := uuid.NewString()
	in := message.Inbound{Channel: channel, Customer: customer, MessageID: id, SentAt: w.now, ReceivedAt: w.now, Content: content}
	e, err := message.New(id, message.TypeInbound, "/test", channel, message.CustomerKey(channel, customer), w.now, in)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

func text(words string) message.Content { return message.Content{Kind: message.KindText, Text: words} }

// tells is what a connector writes down once the platform said who a contact is.
func (w *world) tells(channel, customer, unionID string) {
	w.t.Helper()
	asked := w.asked()
	for _, one := range asked {
		if one.Channel == channel && one.ExternalID == customer {
			told := store.ToldProfile{UnionID: unionID, SubscribedAt: w.now, SubscribeScene: "ADD_SCENE_QR_CODE"}
			if err := w.Store.TellProfile(w.t.Context(), one, told, w.now); err != nil {
				w.t.Fatal(err)
			}
			return
		}
	}
	w.t.Fatalf("nobody wants to know who %s on %s is, but of %v", customer, channel, asked)
}

// asked are those of whom the connectors would ask the platform now.
func (w *world) asked() []store.ProfileToAsk {
	w.t.Helper()
	rows, err := w.Store.LeaseProfiles(w.t.Context(), []string{"shop", "service"}, w.now, w.now, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return rows
}

// customers are the ids of the customers that contacts and conversations belong to, by Channel.
func (w *world) customers(from string) map[string]uuid.UUID {
	w.t.Helper()
	rows, err := w.Store.Pool().Query(w.t.Context(), "SELECT channel, customer_id FROM "+from)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	customers := map[string]uuid.UUID{}
	for rows.Next() {
		var channel string
		var id uuid.UUID
		if err := rows.Scan(&channel, &id); err != nil {
			w.t.Fatal(err)
		}
		customers[channel] = id
	}
	return customers
}

func TestOnePersonOnTwoChannelsIsOneCustomer(t *testing.T) {
	w := newWorldOfTwoChannels(t)
	w.handles(w.envelope("service", "fan", text("你好")))
	w.handles(w.envelope("shop", "guest", message.Content{Kind: message.KindEntered, SessionFrom: "order:1", LoginCode: "code"}))
	w.handles(w.envelope("shop", "guest", text("我要退款")))
	before := w.customers("contact")
	if before["service"] == before["shop"] {
		t.Fatal("they are one customer before anybody could know")
	}
	w.tells("service", "fan", "union")
	w.tells("shop", "guest", "union")
	for range 2 { // The second time changes nothing.
		if err := w.recognise(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := map[string]uuid.UUID{"service": before["service"], "shop": before["service"]}
		if diff := cmp.Diff(want, w.customers("contact")); diff != "" {
			t.Errorf("contacts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, w.customers("conversation WHERE state <> 'closed'")); diff != "" {
			t.Errorf("open conversations (-want +got):\n%s", diff)
		}
	}
	// What comes later belongs to them, too.
	w.closes("guest")
	w.handles(w.envelope("shop", "guest", text("还有问题")))
	if got := w.customers("conversation WHERE state <> 'closed'"); got["shop"] != before["service"] {
		t.Errorf("the next conversation is of %s, want %s", got["shop"], before["service"])
	}
}

func TestPlatformsAreAskedOfWhoIsNewAndOfNobodyElse(t *testing.T) {
	w := newWorldOfTwoChannels(t)
	asked := func(want ...string) {
		t.Helper()
		var got []string
		for _, one := range w.asked() {
			got = append(got, one.Channel+"/"+one.ExternalID+" "+one.LoginCode)
			if err := w.Store.TellProfile(t.Context(), one, store.ToldProfile{}, w.now); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	}
	later := func() { w.now = w.now.Add(time.Minute) }
	w.handles(w.envelope("service", "fan", text("你好")))
	asked("service/fan ")
	later()
	w.handles(w.envelope("service", "fan", text("在吗")))
	asked()
	later()
	w.handles(w.envelope("service", "fan", message.Content{Kind: message.KindFollowed}))
	asked("service/fan ")
	later()
	w.handles(w.envelope("shop", "guest", text("你好")))
	asked() // A mini-program says nothing of who has not logged in.
	later()
	w.handles(w.envelope("shop", "guest", message.Content{Kind: message.KindEntered, LoginCode: "code"}))
	asked("shop/guest code")
	var kept int
	err := w.Store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM profile WHERE login_code <> ''").Scan(&kept)
	if err != nil || kept != 0 {
		t.Errorf("%d codes are kept, err %v", kept, err)
	}
}

// TestOnePersonWritesOnTwoChannelsToTwoRouters plays what happens at once: messages of both Channels, taken in by two routers,
// while both learn who wrote. Whatever the order, there is one customer in the end, and both conversations go on.
func TestOnePersonWritesOnTwoChannelsToTwoRouters(t *testing.T) {
	w := newWorldOfTwoChannels(t)
	config := w.Config
	config.Logger, config.Metrics = slog.New(slog.DiscardHandler), NewMetrics(prometheus.NewRegistry())
	routers := []*Router{w.Router, New(config)}
	const people = 20
	for i := range people {
		fan, guest, union := fmt.Sprint("fan-", i), fmt.Sprint("guest-", i), fmt.Sprint("union-", i)
		// Both are known to the router, and told of, before either is taken in.
		w.handles(w.envelope("service", fan, text("你好")))
		w.handles(w.envelope("shop", guest, message.Content{Kind: message.KindEntered, LoginCode: "code"}))
		w.closes(guest) // The next message opens a conversation while contacts merge.
		w.tells("service", fan, union)
		w.tells("shop", guest, union)
		batches := [][]message.Envelope{
			{w.envelope("service", fan, text("一")), w.envelope("service", fan, text("二"))},
			{w.envelope("shop", guest, text("我要退款")), w.envelope("shop", guest, text("快点"))},
		}
		var running sync.WaitGroup
		start := make(chan struct{})
		try := func(what string, f func(ctx context.Context) error) {
			running.Go(func() {
				<-start
				if err := f(t.Context()); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		for n, router := range routers {
			try("taking in", func(ctx context.Context) error { return router.Handle(ctx, 0, batches[n]) })
			try("recognising", router.recognise)
		}
		close(start)
		running.Wait()
	}
	if err := w.recognise(t.Context()); err != nil {
		t.Fatal(err)
	}
	var persons, customers, open, strays, heard int
	err := w.Store.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM person), (SELECT count(DISTINCT customer_id) FROM contact),
		(SELECT count(*) FROM conversation WHERE state <> 'closed'),
		(SELECT count(*) FROM conversation v JOIN contact c ON c.channel = v.channel AND c.external_id = v.external_id WHERE v.customer_id <> c.customer_id),
		(SELECT count(*) FROM message WHERE direction = 'inbound')`).Scan(&persons, &customers, &open, &strays, &heard)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{"persons": persons, "customers": customers, "open": open, "strays": strays, "heard": heard}
	want := map[string]int{"persons": people, "customers": people, "open": 2 * people, "strays": 0, "heard": 5 * people}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
}
