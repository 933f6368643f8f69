package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// fault is what goes wrong in one call.
type fault struct {
	// unread: the database cannot be read. unanswered: it does what it is told, and its answer is lost.
	unread, unanswered bool
	// gone: the platform hangs up before the answer. That is noted late where the next call comes first.
	gone, late bool
}

func (f fault) String() string {
	text := ""
	for name, is := range map[string]bool{"unread": f.unread, "unanswered": f.unanswered, "gone": f.gone, "late": f.late} {
		if is {
			text = strings.TrimSpace(text + " " + name)
		}
	}
	return text
}

var errFault = errors.New("a test's fault")

// faulty is a database in which one fault happens.
type faulty struct {
	memory
	fault fault
	// later is what is noted late.
	later *[]func() error
}

func (m faulty) Standing(ctx context.Context, in message.Inbound) (store.Standing, error) {
	if m.fault.unread {
		return store.Standing{}, errFault
	}
	return m.memory.Standing(ctx, in) //nolint:wrapcheck // A test's.
}

func (m faulty) ReplyAtOnce(ctx context.Context, in message.Inbound, saying store.Saying, now time.Time) (bool, error) {
	first, err := m.memory.ReplyAtOnce(ctx, in, saying, now)
	if m.fault.unanswered {
		return false, errFault
	}
	return first, err //nolint:wrapcheck // A test's.
}

func (m faulty) ReplyAgain(ctx context.Context, in message.Inbound, call uuid.UUID) (bool, error) {
	ok, err := m.memory.ReplyAgain(ctx, in, call)
	if m.fault.unanswered {
		return false, errFault
	}
	return ok, err //nolint:wrapcheck // A test's.
}

func (m faulty) Unheard(ctx context.Context, in message.Inbound, call uuid.UUID) error {
	note := func() error { return m.memory.Unheard(context.WithoutCancel(ctx), in, call) }
	if m.fault.late {
		*m.later = append(*m.later, note)
		return nil
	}
	return note() //nolint:wrapcheck // A test's.
}

// follower is a customer who is greeted once, whatever goes wrong.
type follower struct {
	*counterDesk
	router *store.Store
	in     message.Inbound
	later  []func() error
	// heard is how often the platform got the greeting in an answer, sent how often the router has sent it.
	heard, sent int
	routed      bool
}

// follows has the platform call a replica; it says whether the platform got an answer, and so calls no more.
func (f *follower) follows(what fault) (answered bool) {
	f.t.Helper()
	ctx, hangUp := context.WithCancel(f.t.Context())
	defer hangUp()
	h := f.replica(faulty{f.atOnce.memory, what, &f.later})
	f.kept.meanwhile = nil
	if what.gone {
		f.kept.meanwhile = hangUp
		f.calls(ctx, h, f.in)
		return false
	}
	if f.calls(ctx, h, f.in) == greeting {
		f.heard++
	}
	return true
}

// route has the router take in what is durable first, as workers/router does.
func (f *follower) route() {
	f.t.Helper()
	if f.routed || len(f.kept.messages) == 0 {
		return
	}
	f.routed = true
	in := f.kept.messages[0]
	err := f.router.Do(f.t.Context(), store.Scope{Now: f.now}, func(ctx context.Context, u *store.Unit) error {
		if in.Reply == nil && in.InDoubt != uuid.Nil {
			said, err := u.Doubted(ctx, in)
			if err != nil {
				return err //nolint:wrapcheck // A test's.
			}
			in.Reply = said
		}
		if _, err := u.ProcessedAdd(ctx, store.ConsumerRouter, in.Channel, in.MessageID, f.now); err != nil {
			return err //nolint:wrapcheck // A test's.
		}
		if in.Reply == nil {
			f.sent++
			return nil
		}
		return u.DeliveryReplied(ctx, db.DeliveryRepliedParams{ //nolint:wrapcheck // A test's.
			MessageID: in.Reply.MessageIDs[0], Pool: "officialaccount", Channel: in.Channel, ExternalID: in.Customer, Outbound: json.RawMessage("{}"),
		})
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// sweep sends what nobody has heard.
func (f *follower) sweep() {
	f.t.Helper()
	if _, err := f.router.SendUnheard(f.t.Context(), "officialaccount", []string{"service"}, 0, 100); err != nil {
		f.t.Fatal(err)
	}
}

// queued is how many messages a connector has to send to the customer.
func (f *follower) queued() int {
	f.t.Helper()
	var n int
	err := f.owner.QueryRow(f.t.Context(), `SELECT count(*) FROM delivery WHERE external_id = $1 AND state = 'queued'`, f.in.Customer).Scan(&n)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestWhateverGoesWrongTheWordsAreSaidOnce(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	router, err := store.Open(t.Context(), d.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(router.Close)
	var faults []fault
	for _, of := range []fault{{}, {unread: true}, {unanswered: true}} {
		for _, gone := range []fault{{}, {gone: true}, {gone: true, late: true}} {
			faults = append(faults, fault{unread: of.unread, unanswered: of.unanswered, gone: gone.gone, late: gone.late})
		}
	}
	// What happens between the calls, beside them: nothing, the router takes the message in, nobody calls for long, or both.
	between := map[string]func(*follower){
		"": func(*follower) {}, "routed": (*follower).route, "swept": (*follower).sweep,
		"routed, swept": func(f *follower) { f.route(); f.sweep() }, "swept, routed": func(f *follower) { f.sweep(); f.route() },
	}
	cases := 0
	for first, then := range between {
		for _, one := range faults {
			for _, two := range faults {
				cases++
				d.kept.messages = nil
				name := fmt.Sprintf("call:%s; %s; call:%s", one, first, two)
				f := &follower{counterDesk: d, router: router, in: message.Inbound{
					Customer: fmt.Sprint("o", cases), MessageID: fmt.Sprint("m", cases), Content: message.Content{Kind: message.KindFollowed},
				}}
				answered := f.follows(one)
				then(f)
				if !answered {
					f.follows(two)
				}
				for _, note := range f.later {
					if err := note(); err != nil {
						t.Fatal(err)
					}
				}
				f.sweep()
				f.route()
				f.sweep()
				if got := f.heard + f.sent + f.queued(); got != 1 {
					t.Errorf("%s: said %d times: %d in an answer, %d by the router, %d by a connector", name, got, f.heard, f.sent, f.queued())
				}
				if answered && (len(one.String()) == 0 && f.heard != 1) {
					t.Errorf("%s: it was not said in the answer", name)
				}
			}
		}
	}
	t.Logf("%d cases", cases)
}

func TestOfTwoCallsAtOnceBothSayTheSame(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	slow := &overtaken{memory: d.atOnce.memory}
	slow.first = func() {
		if got := d.does(d.replica(d.atOnce.memory), "m1", message.Content{Kind: message.KindFollowed}); got != greeting {
			t.Errorf("the faster call is answered %q", got)
		}
	}
	if got := d.does(d.replica(slow), "m1", message.Content{Kind: message.KindFollowed}); got != greeting {
		t.Errorf("the slower call is answered %q", got)
	}
	for _, in := range d.kept.messages {
		if in.Reply == nil {
			t.Error("a message says that nothing was said")
		}
	}
}

// overtaken lets another call be faster, once it has looked.
type overtaken struct {
	memory
	first func()
}

func (m *overtaken) ReplyAtOnce(ctx context.Context, in message.Inbound, saying store.Saying, now time.Time) (bool, error) {
	m.first()
	return m.memory.ReplyAtOnce(ctx, in, saying, now) //nolint:wrapcheck // A test's.
}

func TestAPlatformThatHangsUpIsNoticed(t *testing.T) {
	t.Parallel()
	d := newCounterDesk(t)
	hungUp := make(chan struct{})
	in := message.Inbound{Channel: "service", Customer: "o1", MessageID: "m1", Content: message.Content{Kind: message.KindFollowed}}
	served, ended := make(chan struct{}), make(chan struct{})
	d.kept.meanwhile = func() {
		// The platform's patience ends while the message is kept.
		close(hungUp)
		<-ended
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(served)
		context.AfterFunc(r.Context(), func() { close(ended) })
		d.serve(w, r, "service", pushed{in})
	}))
	t.Cleanup(server.Close)
	ctx, hangUp := context.WithCancel(t.Context())
	go func() { <-hungUp; hangUp() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := server.Client().Do(req); err == nil {
		_ = res.Body.Close()
		t.Fatal("the platform got an answer")
	}
	<-served
	var unheard bool
	if err := d.owner.QueryRow(t.Context(), `SELECT unheard_since IS NOT NULL FROM passive_reply WHERE message_id = 'm1'`).Scan(&unheard); err != nil || !unheard {
		t.Errorf("noted as unheard: %t (%v)", unheard, err)
	}
}
