package conformance

import (
	"strings"

	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/message"
)

func stoppingFinishesSends(s *stage) {
	s.build("")
	r := s.Replica()
	shop := s.open("shop", r)
	customer := shop.meet(1)[0]
	can[Failing](shop).FailNext(customer, AnswerLate)
	id := s.Say("shop", customer, "slow")
	s.Eventually("it is being sent", func() bool { return s.DeliveryState(id) == message.DeliverySending })
	r.Stop()
	if got := s.DeliveryState(id); got != message.DeliveryDelivered {
		s.Errorf("after the stop the message is %s, want %s", got, message.DeliveryDelivered)
	}
	if got := s.Unreported(); got != 0 {
		s.Errorf("after the stop %d reports are missing", got)
	}
	if err := r.Host.Ready(s.Context()); err == nil {
		s.Error("a stopped replica says that it is ready")
	}
}

func deletionDrains(s *stage) {
	s.build("")
	r := s.Replica()
	shop := s.open("shop", r)
	customer := shop.meet(1)[0]
	deletion := s.Delete("shop")
	s.Eventually("the deletion is in force", func() bool { return r.Generation("shop") == deletion })
	if written := shop.Write(customer, "too late"); written.Taken {
		s.Errorf("what came after the deletion was %+v", written)
	}
	s.Report(s.Say("shop", customer, "再见"), message.DeliveryDelivered)
	shop.got(customer, "再见")
}

func keysAreRotatedInPlace(s *stage) {
	s.build("")
	r := s.Replica()
	own, other := s.open("shop", r), s.open("other", r)
	rotator := can[Rotator](own)
	customer := s.platform.Customer(1)
	taken := func(what string, by *channel) {
		if written := by.Write(customer, what); !written.Taken || written.Tries != 1 {
			s.Errorf("what was written %s was %+v, want taken at once", what, written)
		}
	}
	// The brand enters the new key beside the old one, then changes it in the console, then forgets the old one.
	before := r.Host.Report().Channels["shop"].SecretVersion
	reloaded := func() bool { return r.Host.Report().Channels["shop"].SecretVersion != before }
	rotator.Announce()
	own.declare()
	s.Eventually("the new keys are in force", reloaded)
	taken("with the old key", own)
	rotator.Rotate()
	taken("with the new key", own)
	before = r.Host.Report().Channels["shop"].SecretVersion
	own.declare()
	s.Eventually("the old keys are forgotten", reloaded)
	taken("with the new key alone", own)
	taken("meanwhile", other)
	r.Accepts("shop")
}

func revocationStopsOneChannel(s *stage) {
	s.build("")
	r := s.Replica()
	shop, other := s.open("shop", r), s.open("other", r)
	customer, elsewhere := shop.meet(1)[0], other.meet(1)[0]
	can[Revoker](shop).Revoke()
	waiting := s.Say("shop", customer, "waits")
	reason := s.Report(waiting, message.DeliveryDeferred).Reason
	if got := r.Host.Report().Channels["shop"]; got.Credentials != configz.CredentialsRejected || reason == "" || !strings.Contains(got.Message, reason) {
		s.Errorf("the replica says %+v, want that the credentials are refused for %q", got, reason)
	}
	s.Report(s.Say("other", elsewhere, "goes on"), message.DeliveryDelivered)
	if got := r.Credentials("other"); got != configz.CredentialsAccepted {
		s.Errorf("the other Channel's credentials are %s, want %s", got, configz.CredentialsAccepted)
	}
	shop.declare()
	s.Report(waiting, message.DeliveryDelivered)
	shop.got(customer, "waits")
}
