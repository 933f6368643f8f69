package host

import (
	"context"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/inquiry"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
)

const (
	// answerBy is when an answer has to leave: a second before WeChat hangs up.
	answerBy = 4 * time.Second
	// decideBy leaves the message the time to become durable, in Kafka or in the spool, before the answer has to leave.
	decideBy = answerBy - kafkaDeadline - spoolDeadline
)

// The outcomes of looking for something to say at once.
const (
	atOnceSaid    = "said"
	atOnceNothing = "nothing"
	atOnceFailed  = "failed"
)

// atOnce says what the bot has to say in the answer to the platform's call, which costs no message of the quota.
//
//	call ──> who has the conversation? ──a human──────────────────────────> "success"
//	              │ nobody, the bot         │ said before: the same again
//	              v                         v
//	         the bot decides ──nothing──> "success"; the router sends what there is
//	              │ words                   ^ no later than decideBy
//	              v                         │
//	         remember them in Postgres, then in the message ──> durable ──> the words
//
// What is said is remembered before the message is durable, and is part of the message: the router does not send it again,
// and a call that is repeated, to whichever replica, gets the same answer. Whatever fails or takes too long here costs the
// customer nothing: the message then says that nothing was said, and the router sends the words.
type atOnce struct {
	view   func() *catalog.Snapshot
	memory memory
	// durable says whether a message was kept before.
	durable func(message.Inbound) bool
	clock   func() time.Time
	metrics *metrics
	log     *steadyLog
}

// memory is what of store.Store is used here.
type memory interface {
	Standing(ctx context.Context, in message.Inbound) (store.Standing, error)
	ReplyAtOnce(ctx context.Context, in message.Inbound, key string, reply message.Reply, now time.Time) (bool, error)
}

var _ memory = (*store.Store)(nil)

// speak makes the answer to a call say what there is to say; its message says from then on what that is.
func (a *atOnce) speak(ctx context.Context, began time.Time, received *connectors.Received) {
	in := &received.Messages[0]
	ctx, cancel := context.WithTimeout(ctx, began.Add(decideBy).Sub(a.clock()))
	defer cancel()
	reply, answer, err := a.find(ctx, *in, received.Reply)
	a.log.note(err)
	switch {
	case err != nil:
		a.metrics.atOnce.WithLabelValues(in.Channel, atOnceFailed).Inc()
	case reply == nil:
		a.metrics.atOnce.WithLabelValues(in.Channel, atOnceNothing).Inc()
	default:
		a.metrics.atOnce.WithLabelValues(in.Channel, atOnceSaid).Inc()
		in.Reply, received.Answer = reply, answer
	}
}

// find returns what is said to the customer, and the answer that says it; nil for nothing.
func (a *atOnce) find(ctx context.Context, in message.Inbound, encode func([]message.Content) (string, bool)) (*message.Reply, string, error) {
	snapshot := a.view()
	channel, known := snapshot.Channel(in.Channel)
	if !known {
		return nil, "", nil
	}
	standing, err := a.memory.Standing(ctx, in)
	if err != nil {
		return nil, "", err
	}
	if said := standing.Reply; said != nil {
		answer, ok := encode(said.Contents)
		if !ok {
			return nil, "", nil
		}
		return said, answer, nil
	}
	if a.durable(in) || standing.Taken || standing.State != "" && standing.State != store.StateBot {
		return nil, "", nil
	}
	key, reply, err := words(snapshot, channel, standing, in, a.clock())
	if err != nil || reply == nil {
		return nil, "", err
	}
	answer, ok := encode(reply.Contents)
	if !ok {
		return nil, "", nil
	}
	first, err := a.memory.ReplyAtOnce(ctx, in, key, *reply, a.clock().UTC())
	if err != nil || !first {
		return nil, "", err
	}
	return reply, answer, nil
}

// words are what the bot says to a customer who is with nobody yet, and the key by which it is said once; nil for nothing.
func words(snapshot *catalog.Snapshot, channel *catalog.Channel, standing store.Standing, in message.Inbound, now time.Time) (key string, reply *message.Reply, err error) {
	switch in.Content.Kind {
	case message.KindFollowed, message.KindScanned, message.KindEntered:
		text, err := channel.Playbook.Welcome(snapshot.Vars(channel, snapshot.DefaultGroup(), now))
		if err != nil {
			return "", nil, fmt.Errorf("writing the welcome: %w", err)
		}
		return "welcome/" + in.MessageID, replyOf(message.ReplyWelcome, text), nil
	case message.KindUnfollowed, message.KindPosition:
		return "", nil, nil
	default:
		return decided(snapshot, channel, standing, in, now)
	}
}

// decided are the words that follow from what the Playbook says of a message or a tap.
func decided(snapshot *catalog.Snapshot, channel *catalog.Channel, standing store.Standing, in message.Inbound, now time.Time) (key string, reply *message.Reply, err error) {
	if channel.Survey != nil && in.Content.Kind == message.KindText && survey.MayBe(in.Content.Text) {
		// Only the router knows whether the customer was asked how they were served: who answers 5 in the night is to be thanked,
		// not told that nobody is there.
		return "", nil, nil
	}
	if inquiry.Asked(in.Content.Text) {
		// Only the router knows what the customer waits for.
		return "", nil, nil
	}
	switch decision := channel.Decide(in.Content).(type) {
	case bot.Answer:
		if decision.FAQ != "" {
			return "faq/" + decision.FAQ, ruled(decision), nil
		}
		return "rule/" + in.MessageID, ruled(decision), nil
	case bot.HandOff:
		return offHours(snapshot, channel, standing, in, decision.Topic, now)
	default:
		if in.Content.Kind == message.KindMenuTap || in.Content.IsEvent() {
			// Nobody is asked for anything.
			return "", nil, nil
		}
		return offHours(snapshot, channel, standing, in, "", now)
	}
}

// ruled is what a rule, or an entry of the FAQ, answers.
func ruled(answer bot.Answer) *message.Reply {
	reply := replyOf(message.ReplyRule, answer.Text)
	if answer.Link != nil && reply != nil {
		reply.Contents = append(reply.Contents, message.Content{
			Kind: message.KindLink, Link: &message.Link{Title: answer.Link.Title, URL: answer.Link.URL},
		})
	}
	return reply
}

// offHours are the words for a customer who is to be given to a human while none of the group serves.
func offHours(snapshot *catalog.Snapshot, channel *catalog.Channel, standing store.Standing, in message.Inbound, topic string, now time.Time) (string, *message.Reply, error) {
	if topic == "" {
		topic = standing.Topic
	}
	name := snapshot.Route(channel, standing.SessionFrom, in.Content.Text, topic).Group
	group, known := snapshot.Group(name)
	if !known || group.Open(now) {
		return "", nil, nil
	}
	text, err := channel.Playbook.OffHours(snapshot.Vars(channel, name, now))
	if err != nil {
		return "", nil, fmt.Errorf("writing the off-hours text: %w", err)
	}
	key := "off-hours"
	if opening, ok := group.Schedule.NextOpening(now); ok {
		key += "/" + opening.UTC().Format(time.RFC3339)
	}
	return key, replyOf(message.ReplyOffHours, text), nil
}

// replyOf is a text; nil for "", which is not sent.
func replyOf(reason message.ReplyReason, text string) *message.Reply {
	if text == "" {
		return nil
	}
	return &message.Reply{Reason: reason, Contents: []message.Content{{Kind: message.KindText, Text: text}}}
}
