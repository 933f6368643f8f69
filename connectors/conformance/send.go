package conformance

import (
	"fmt"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
)

func repliesKeepTheirOrder(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	s.Replica()
	var last []uuid.UUID
	customers := shop.meet(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	const each = 5
	for n := range each {
		for _, customer := range customers {
			id := s.Say("shop", customer, fmt.Sprintf("reply %d", n))
			if n == each-1 {
				last = append(last, id)
			}
		}
	}
	for _, id := range last {
		s.Report(id, message.DeliveryDelivered)
	}
	for _, customer := range customers {
		shop.got(customer, "reply 0", "reply 1", "reply 2", "reply 3", "reply 4")
	}
}

// got compares what a customer received.
func (c *channel) got(customer string, want ...string) {
	c.s.Helper()
	if diff := cmp.Diff(want, c.Received(customer)); diff != "" {
		c.s.Errorf("%s received (-want +got):\n%s", customer, diff)
	}
}

func repeatedRecordsAreSentOnce(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	customer := shop.meet(1)[0]
	out := message.Outbound{MessageID: uuid.New(), Channel: "shop", Customer: customer, Content: message.Content{Kind: message.KindText, Text: "once"}}
	s.Publish(out)
	s.Publish(out)
	s.Report(s.Say("shop", customer, "after"), message.DeliveryDelivered)
	shop.got(customer, "once", "after")
}

func lostAnswersAreUnknown(s *stage) {
	s.build("")
	r := s.Replica()
	shop := s.open("shop", r)
	customer := shop.meet(1)[0]
	can[Failing](shop).FailNext(customer, AnswerLost)
	s.Report(s.Say("shop", customer, "did it arrive?"), message.DeliveryUnknown)
	// What comes later goes on, and neither it nor another replica brings the unknown one back.
	s.Replica()
	s.Report(s.Say("shop", customer, "next"), message.DeliveryDelivered)
	shop.got(customer, "did it arrive?", "next")
	shop.sent(2)
	if got := r.Metric("yingda_connector_deliveries_total", "state=unknown"); got != 1 {
		s.Errorf("%v unknown deliveries are counted, want 1", got)
	}
}

// sent compares how often the platform was asked to send.
func (c *channel) sent(want int) {
	c.s.Helper()
	if got := c.Sends(); got != want {
		c.s.Errorf("the platform was asked to send %d times, want %d", got, want)
	}
}

func lostReplicasLeaveUnknown(s *stage) {
	s.build("")
	doomed, crash := s.Doomed()
	shop := s.open("shop", doomed)
	customer := shop.meet(1)[0]
	can[Failing](shop).FailNext(customer, AnswerLate)
	id := s.Say("shop", customer, "said?")
	s.Eventually("the platform has it and does not answer yet", func() bool { return len(shop.Received(customer)) == 1 })
	if got := s.DeliveryState(id); got != message.DeliverySending {
		s.Errorf("while the platform is called, the message is %s, want %s", got, message.DeliverySending)
	}
	crash()
	s.Age(id, time.Minute)
	s.Replica()
	s.Report(id, message.DeliveryUnknown)
	s.Report(s.Say("shop", customer, "next"), message.DeliveryDelivered)
	shop.got(customer, "said?", "next")
	shop.sent(2)
}

func failuresHoldUpOneCustomer(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	customers := shop.meet(1, 2)
	unlucky, other := customers[0], customers[1]
	can[Failing](shop).FailNext(unlucky, Busy)
	can[Failing](shop).FailNext(unlucky, Busy)
	first, second := s.Say("shop", unlucky, "first"), s.Say("shop", unlucky, "second")
	s.Report(first, message.DeliveryDeferred)
	s.Report(s.Say("shop", other, "at once"), message.DeliveryDelivered)
	if got := shop.Received(unlucky); len(got) != 0 {
		s.Errorf("%q was received while the first message was deferred", got)
	}
	s.Report(second, message.DeliveryDelivered)
	shop.got(unlucky, "first", "second")
	if got := s.Ledger("shop", unlucky).Remaining; got != 3 {
		s.Errorf("%d messages remain, want 3: refused tries cost nothing", got)
	}
}

func closedWindowsAreRespected(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	customers := shop.meet(1, 2)
	late, greedy := customers[0], customers[1]
	s.Grant("shop", late, quota.State{WindowEnds: time.Now().Add(-time.Second), Remaining: 5, Granted: 5})
	if report := s.Report(s.Say("shop", late, "late"), message.DeliveryFailed); report.Reason != quota.WindowClosed.String() {
		s.Errorf("report = %+v", report)
	}
	s.Grant("shop", greedy, quota.State{WindowEnds: time.Now().Add(time.Hour), Remaining: 2, Granted: 5})
	s.Say("shop", greedy, "one")
	s.Say("shop", greedy, "two")
	if report := s.Report(s.Say("shop", greedy, "three"), message.DeliveryFailed); report.Reason != quota.QuotaSpent.String() {
		s.Errorf("report = %+v", report)
	}
	shop.got(greedy, "one", "two")
	shop.sent(2)
}

func thePlatformCorrectsLedgers(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	customers := shop.meet(1, 2)
	for n, c := range []struct {
		how    Failure
		ledger quota.Verdict
	}{{WindowClosed, quota.WindowClosed}, {QuotaSpent, quota.QuotaSpent}} {
		can[Failing](shop).FailNext(customers[n], c.how)
		if report := s.Report(s.Say("shop", customers[n], "x"), message.DeliveryFailed); report.Reason != c.ledger.String() {
			s.Errorf("report = %+v, want %s", report, c.ledger)
		}
		if got := quota.Check(s.Ledger("shop", customers[n]), time.Now()); got != c.ledger {
			s.Errorf("the ledger says %s, want %s", got, c.ledger)
		}
	}
}

func noticesNeedNoWindow(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	customers := shop.meet(1, 2)
	noticing := can[Noticing](shop)
	notice, read := noticing.Notice()
	tell := func(customer string, notice message.Notice) uuid.UUID {
		return s.SayContent("shop", customer, message.Content{Kind: message.KindNotice, Text: read, Notice: &notice})
	}
	// The ledger says that nothing may be said, and stays as it is.
	late := customers[0]
	spent := quota.State{WindowEnds: time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond), Granted: 5}
	s.Grant("shop", late, spent)
	s.Report(tell(late, notice), message.DeliveryDelivered)
	undeclared := message.Notice{Name: "nobodyDeclaresThis", Values: notice.Values}
	if report := s.Report(tell(late, undeclared), message.DeliveryFailed); report.Reason != connectors.ReasonNoTemplate {
		s.Errorf("report = %+v, want %s", report, connectors.ReasonNoTemplate)
	}
	shop.got(late, read)
	ledger := s.Ledger("shop", late)
	if ledger.Remaining != spent.Remaining || !ledger.WindowEnds.Equal(spent.WindowEnds) {
		s.Errorf("the ledger is %+v, want it as it was", ledger)
	}
	// A notice that has to wait lets the talk pass, and is sent in the end.
	talking := customers[1]
	noticing.RefuseNotice(talking)
	waiting := tell(talking, notice)
	s.Report(waiting, message.DeliveryDeferred)
	s.Report(s.Say("shop", talking, "在的"), message.DeliveryDelivered)
	shop.got(talking, "在的")
	if got := s.Ledger("shop", talking).Remaining; got != 4 {
		s.Errorf("%d messages remain, want 4: notices cost nothing, refused or not", got)
	}
	s.Due(waiting)
	s.Report(waiting, message.DeliveryDelivered)
	shop.got(talking, "在的", read)
}

func lateFailuresAreTold(s *stage) {
	s.build("")
	shop := s.open("shop", s.Replica())
	customers := shop.meet(1, 2)
	noticing := can[Noticing](shop)
	notice, read := noticing.Notice()
	tell := func(customer string) uuid.UUID {
		return s.SayContent("shop", customer, message.Content{Kind: message.KindNotice, Text: read, Notice: &notice})
	}
	noticing.BlockNotices(customers[0])
	blocked, arrived := tell(customers[0]), tell(customers[1])
	if report := s.Report(blocked, message.DeliveryFailed); report.Reason != connectors.ReasonBlockedByCustomer {
		s.Errorf("report = %+v, want %s", report, connectors.ReasonBlockedByCustomer)
	}
	s.Report(arrived, message.DeliveryDelivered)
	s.Eventually("all is told", func() bool { return s.Unreported() == 0 })
	failures := 0
	for _, report := range s.Reports(blocked) {
		if report.State == message.DeliveryFailed {
			failures++
		}
	}
	if failures != 1 || s.DeliveryState(blocked) != message.DeliveryFailed || s.DeliveryState(arrived) != message.DeliveryDelivered {
		s.Errorf("%d reports that it failed; it is %s, and the other one %s", failures, s.DeliveryState(blocked), s.DeliveryState(arrived))
	}
}
