package conformance

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/yingda-dev/yingda/connectors/conformance/world"
	"github.com/yingda-dev/yingda/connectors/host"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/testenv"
)

const (
	// inTime is well below the time after which a platform gives a call up.
	inTime = 4 * time.Second
	// boundedRead is more than any platform sends in one call, and what the network between may hold.
	boundedRead = 8 << 20
)

func messagesAreDurableFirst(s *stage) {
	s.build("")
	r := s.Replica()
	shop := s.open("shop", r)
	customer := s.platform.Customer(1)
	written := shop.Write(customer, "在吗 <b>&]]>")
	if !written.Taken || written.Tries != 1 {
		s.Fatalf("it was %+v, want taken at once", written)
	}
	// Not eventually: the platform has heard that it is taken.
	if got := s.Published(); got != 1 {
		s.Errorf("the platform was told that its message is taken, and Kafka holds %d", got)
	}
	s.Eventually("it can be read", func() bool { return len(s.Messages()) == 1 })
	in := s.Messages()[0]
	want := message.Inbound{
		Channel: "shop", Customer: customer, MessageID: written.MessageID, SentAt: in.SentAt, ReceivedAt: in.ReceivedAt,
		Content: message.Content{Kind: message.KindText, Text: "在吗 <b>&]]>"},
	}
	if diff := cmp.Diff(want, in); diff != "" {
		s.Errorf("inbound (-want +got):\n%s", diff)
	}
	if age := in.ReceivedAt.Sub(in.SentAt); age < -inTime || age > inTime {
		s.Errorf("it was sent %s before it was received", age)
	}
	if e := s.Envelopes()[0]; e.Key != message.CustomerKey("shop", customer) || e.Subject != "shop" {
		s.Errorf("the envelope's key is %s, its subject %s", e.Key, e.Subject)
	}
}

func messagesKeepTheirOrder(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	const customers, each = 5, 5
	want := map[string][]string{}
	var writing sync.WaitGroup
	for n := range customers {
		customer := s.platform.Customer(n)
		var texts []string
		for i := range each {
			texts = append(texts, fmt.Sprintf("message %d", i))
		}
		want[customer] = texts
		writing.Go(func() {
			for _, text := range texts {
				if written := shop.Write(customer, text); !written.Taken {
					s.Errorf("%s was not taken: %+v", text, written)
				}
			}
		})
	}
	writing.Wait()
	s.Eventually("all are published", func() bool { return len(s.Messages()) == customers*each })
	if diff := cmp.Diff(want, textsByCustomer(s)); diff != "" {
		s.Errorf("order (-want +got):\n%s", diff)
	}
}

// textsByCustomer are what customers wrote as a router sees it: without repetitions.
func textsByCustomer(s *stage) map[string][]string {
	s.Helper()
	seen, texts := map[string]bool{}, map[string][]string{}
	for _, in := range s.Messages() {
		if !seen[in.MessageID] {
			seen[in.MessageID] = true
			texts[in.Customer] = append(texts[in.Customer], in.Content.Text)
		}
	}
	return texts
}

func redeliveriesAreOneMessage(s *stage) {
	s.build("")
	one, two := s.Replica(), s.Replica()
	shop := s.open("shop", one)
	repeater := can[Repeater](shop)
	s.Eventually("the second replica serves it too", func() bool { return two.Generation("shop") == 1 })
	written := shop.Write(s.platform.Customer(1), "三次")
	for _, r := range []*world.Replica{two, one} {
		if !repeater.Repeat(written, r.URL("shop")) {
			s.Fatal("a repetition was not taken")
		}
	}
	s.Eventually("both replicas have published it", func() bool { return len(s.Envelopes()) == 2 })
	// The router dedupes: it sees one message id, and one event id.
	if all := s.Envelopes(); all[0].ID != all[1].ID || s.Messages()[0].MessageID != s.Messages()[1].MessageID {
		s.Errorf("the two events differ: %+v", all)
	}
	if got := one.Metric(webhookMetric, "outcome=repeated"); got != 1 {
		s.Errorf("the first replica counts %v repetitions, want 1", got)
	}
}

const webhookMetric = "yingda_connector_webhook_requests_total"

func unknownTypesAreKept(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	const words = "words-of-a-later-version"
	if written := can[Unusual](shop).WriteUnknown(s.platform.Customer(1), words); !written.Taken {
		s.Fatalf("it was %+v, want taken", written)
	}
	s.Eventually("it is published", func() bool { return len(s.Messages()) == 1 })
	if c := s.Messages()[0].Content; c.Kind != message.KindUnsupported || c.RawType == "" || !strings.Contains(c.Raw, words) {
		s.Errorf("content = %+v, want the platform's own text, and the name of its type", c)
	}
}

func spoolKeepsOrder(s *stage) {
	kafka := testenv.NewServer(s.T, testenv.StartKafka)
	s.build(kafka.Address())
	r := s.Replica()
	shop := s.open("shop", r)
	customer := s.platform.Customer(1)
	shop.Write(customer, "0")
	s.Eventually("the first message is published", func() bool { return len(s.Messages()) == 1 })
	if err := kafka.Kill(); err != nil {
		s.Fatal(err)
	}
	want := []string{"0"}
	const spooled = 5
	for i := range spooled {
		text := strconv.Itoa(i + 1)
		if written := shop.Write(customer, text); !written.Taken || written.Tries != 1 || written.Took > inTime {
			s.Fatalf("message %s was %+v, want taken at once", text, written)
		}
		want = append(want, text)
	}
	if got := s.SpoolDepth(); got != spooled {
		s.Fatalf("the spool holds %d, want %d", got, spooled)
	}
	if err := r.Host.Ready(s.Context()); err != nil {
		s.Errorf("a replica that can keep messages is not ready: %v", err)
	}
	if err := kafka.Restart(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.Eventually("all messages are published", func() bool { return len(textsByCustomer(s)[customer]) == len(want) })
	if diff := cmp.Diff(want, textsByCustomer(s)[customer]); diff != "" {
		s.Errorf("order (-want +got):\n%s", diff)
	}
	s.Eventually("the spool is empty", func() bool { return s.SpoolDepth() == 0 })
}

func whatCannotBeKeptIsRefused(s *stage) {
	kafka := testenv.NewServer(s.T, testenv.StartKafka)
	s.build(kafka.Address())
	r := s.Replica(func(o *host.Options) {
		// Nobody listens there.
		nowhere, err := store.OpenLazily(s.Context(), "postgres://u:p@127.0.0.1:1/none")
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(nowhere.Close)
		o.Store = nowhere
	})
	shop := s.open("shop", r)
	customer := s.platform.Customer(1)
	if written := shop.Write(customer, "kept in Kafka alone"); !written.Taken {
		s.Fatalf("with Kafka alone it was %+v, want taken", written)
	}
	if err := kafka.Kill(); err != nil {
		s.Fatal(err)
	}
	written := shop.Write(customer, "lost?")
	if written.Taken {
		s.Fatalf("with nothing to keep it in, a message was %+v", written)
	}
	if got := r.Metric(webhookMetric, "outcome=failed", "reason=NotDurable"); got != float64(written.Tries) {
		s.Errorf("%v calls are counted as failed, want %d", got, written.Tries)
	}
	if err := kafka.Restart(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.Eventually("the platform's next try is taken", func() bool { return can[Repeater](shop).Repeat(written, r.URL("shop")) })
}

func badCallsAreRefused(s *stage) {
	s.build("")
	r := s.Replica()
	shop := s.open("shop", r)
	const words = "the-customers-own-words"
	endless := false
	for _, call := range can[Exposed](shop).BadCalls(words) {
		before := r.Metric(webhookMetric, "channel=shop", "outcome=refused")
		answer, err := call.Call(s.Context(), r.URL("shop"))
		if err != nil {
			s.Errorf("%s: %v", call.Name, err)
			continue
		}
		if !answer.Refused || strings.Contains(answer.Text, words) {
			s.Errorf("%s: the answer is %+v, want a refusal that does not repeat it", call.Name, answer)
		}
		if answer.Sent > boundedRead {
			s.Errorf("%s: %d bytes were read before it was refused", call.Name, answer.Sent)
		}
		endless = endless || call.Endless
		if counted := r.Metric(webhookMetric, "channel=shop", "outcome=refused") - before; counted != 1 {
			s.Errorf("%s: %v refusals are counted, want 1", call.Name, counted)
		}
	}
	if !endless {
		s.Error("none of the bad calls is endless")
	}
	if strings.Contains(r.Logs.String(), words) {
		s.Error("the logs hold a customer's words")
	}
	if got := len(s.Messages()); got != 0 {
		s.Errorf("%d messages were published, want none", got)
	}
}
