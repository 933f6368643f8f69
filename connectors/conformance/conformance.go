package conformance

import (
	"maps"
	"testing"
	"time"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/connectors/conformance/world"
	"github.com/yingda-dev/yingda/internal/domain/quota"
)

// Subject is a connector with the other side of its wire.
type Subject struct {
	Type connectors.Type
	// NewPlatform starts the other side for one check.
	NewPlatform func(t testing.TB) Platform
	// Gaps are the checks that the connector does not pass, each with the reason.
	Gaps map[Check]string
}

// Check is one thing that every connector does.
type Check string

// The checks.
const (
	MessagesAreDurableFirst    Check = "a message is in Kafka before the platform hears that it is taken"
	MessagesKeepTheirOrder     Check = "what one customer writes keeps its order"
	RedeliveriesAreOneMessage  Check = "deliveries of one message that meet two replicas are one message"
	UnknownTypesAreKept        Check = "what is of an unknown type is kept"
	SpoolKeepsOrder            Check = "while Kafka is away messages wait in the spool and follow in order"
	WhatCannotBeKeptIsRefused  Check = "with Kafka and Postgres away nothing is taken"
	BadCallsAreRefused         Check = "bad calls are refused after a bounded read, and nothing of them is logged"
	RepliesKeepTheirOrder      Check = "what is said to one customer leaves in order from many replicas"
	RepeatedRecordsAreSentOnce Check = "a repeated record is sent once"
	LostAnswersAreUnknown      Check = "a message whose answer is lost is unknown and never sent again"
	LostReplicasLeaveUnknown   Check = "sending is committed before the call, so a replica that is lost leaves an unknown message"
	FailuresHoldUpOneCustomer  Check = "a failure that may pass holds up its own customer only"
	ClosedWindowsAreRespected  Check = "a closed window and a spent quota are seen without a call"
	ThePlatformCorrectsLedgers Check = "the platform's word on window and quota corrects the ledger"
	NoticesNeedNoWindow        Check = "a notice needs no window, costs nothing and holds no talk up, and one without a template fails"
	LateFailuresAreTold        Check = "a notice of which the platform says later that it did not arrive has failed, and is told once"
	StoppingFinishesSends      Check = "a replica that is told to stop finishes what it sends"
	DeletionDrains             Check = "a Channel that is being deleted takes nothing more and sends what is on its way"
	KeysAreRotatedInPlace      Check = "keys are changed without a restart and without a message lost"
	RevocationStopsOneChannel  Check = "refused credentials stop their own Channel only"
)

// checks are all checks, in the order in which they are told.
func checks() []struct {
	name Check
	run  func(*stage)
} {
	return []struct {
		name Check
		run  func(*stage)
	}{
		{MessagesAreDurableFirst, messagesAreDurableFirst},
		{MessagesKeepTheirOrder, messagesKeepTheirOrder},
		{RedeliveriesAreOneMessage, redeliveriesAreOneMessage},
		{UnknownTypesAreKept, unknownTypesAreKept},
		{SpoolKeepsOrder, spoolKeepsOrder},
		{WhatCannotBeKeptIsRefused, whatCannotBeKeptIsRefused},
		{BadCallsAreRefused, badCallsAreRefused},
		{RepliesKeepTheirOrder, repliesKeepTheirOrder},
		{RepeatedRecordsAreSentOnce, repeatedRecordsAreSentOnce},
		{LostAnswersAreUnknown, lostAnswersAreUnknown},
		{LostReplicasLeaveUnknown, lostReplicasLeaveUnknown},
		{FailuresHoldUpOneCustomer, failuresHoldUpOneCustomer},
		{ClosedWindowsAreRespected, closedWindowsAreRespected},
		{ThePlatformCorrectsLedgers, thePlatformCorrectsLedgers},
		{NoticesNeedNoWindow, noticesNeedNoWindow},
		{LateFailuresAreTold, lateFailuresAreTold},
		{StoppingFinishesSends, stoppingFinishesSends},
		{DeletionDrains, deletionDrains},
		{KeysAreRotatedInPlace, keysAreRotatedInPlace},
		{RevocationStopsOneChannel, revocationStopsOneChannel},
	}
}

// Run checks a connector: a subtest a check.
func Run(t *testing.T, s Subject) {
	t.Helper()
	strange := maps.Clone(s.Gaps)
	for _, c := range checks() {
		reason, gap := s.Gaps[c.name]
		delete(strange, c.name)
		t.Run(string(c.name), func(t *testing.T) {
			t.Parallel()
			if gap {
				t.Skip("declared gap: " + reason)
			}
			c.run(&stage{T: t, subject: s, platform: s.NewPlatform(t)})
		})
	}
	for check := range strange {
		t.Errorf("a gap is declared of a check that there is none of: %q", check)
	}
}

// stage is where one check plays.
type stage struct {
	*testing.T
	subject  Subject
	platform Platform
	*world.World
}

// build makes the world. kafka is a broker of the check's own, or "".
func (s *stage) build(kafka string) {
	s.Helper()
	o := world.Options{Type: s.subject.Type, Kafka: kafka}
	if address := s.platform.APIBaseURL(); address != "" {
		o.APIBaseURLs = []string{address}
	}
	s.World = world.New(s.T, o)
}

// channel is a Channel with its account.
type channel struct {
	Account
	s    *stage
	name string
}

// open opens an account, makes its Channel and has a replica serve it.
func (s *stage) open(name string, r *world.Replica) *channel {
	s.Helper()
	c := &channel{Account: s.platform.Open(name), s: s, name: name}
	object := s.Channel(name, c.Spec())
	s.Create(s.Secret(c.secretName(object), c.Secret()), object)
	c.CallAt(r.URL(name))
	r.Accepts(name)
	return c
}

func (c *channel) secretName(object *v1alpha1.Channel) string {
	c.s.Helper()
	needs, err := c.s.subject.Type.Needs(object)
	if err != nil {
		c.s.Fatal(err)
	}
	return needs.SecretName
}

// declare puts what the Secret should hold now into force.
func (c *channel) declare() {
	c.s.Helper()
	c.s.Update(c.s.Secret(c.secretName(c.s.Current(c.name)), c.Secret()))
}

// meet lets customers write, and gives our ledger the grant, as the router does. It returns their ids.
func (c *channel) meet(customers ...int) []string {
	c.s.Helper()
	var ids []string
	for _, n := range customers {
		id := c.s.platform.Customer(n)
		if written := c.Write(id, "你好"); !written.Taken {
			c.s.Fatalf("what customer %d wrote was not taken: %+v", n, written)
		}
		c.s.Grant(c.name, id, quota.State{WindowEnds: time.Now().Add(time.Hour), Remaining: 5, Granted: 5})
		ids = append(ids, id)
	}
	return ids
}

// can is what an account must be able to do for a check.
func can[T any](c *channel) T {
	c.s.Helper()
	able, ok := c.Account.(T)
	if !ok {
		c.s.Fatalf("the account (%T) cannot do what this check needs: implement it, or declare the gap", c.Account)
	}
	return able
}
