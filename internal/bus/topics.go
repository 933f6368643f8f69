package bus

import "fmt"

// Names builds the names of a brand's topics and consumer groups.
type Names struct {
	Prefix, Namespace, Brand string
}

// Inbound is the topic of what customers do, and of delivery reports; keyed by customer.
func (n Names) Inbound() string { return n.name("inbound") }

// Events is the topic of frames for the desks; keyed by agent.
func (n Names) Events() string { return n.name("events") }

// DeadLetter is the topic of records that can never be processed, each with its reason.
func (n Names) DeadLetter() string { return n.name("dead-letter") }

// Outbound is the topic of what a pool's connectors are to say; keyed by customer.
func (n Names) Outbound(pool string) string { return n.name("outbound." + pool) }

// RouterGroup is the consumer group of the routers.
func (n Names) RouterGroup() string { return n.name("router") }

// ConnectorGroup is the consumer group of a pool's connectors.
func (n Names) ConnectorGroup(pool string) string { return n.name("connector." + pool) }

func (n Names) name(suffix string) string {
	return fmt.Sprintf("%s.%s.%s.%s", n.Prefix, n.Namespace, n.Brand, suffix)
}
