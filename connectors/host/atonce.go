package host

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/connectors"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/burst"
	"github.com/yingda-dev/yingda/internal/domain/inquiry"
	"github.com/yingda-dev/yingda/internal/domain/survey"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/wait"
)

const (
	// answerBy is when an answer has to leave: a second before WeChat hangs up.
	answerBy = 4 * time.Second
	// decideBy leaves the message the time to become durable, in Kafka or in the spool, before the answer has to leave.
	decideBy = answerBy - kafkaDeadline - spoolDeadline
)

// atOnceOutcome is what came of looking for something to say at once.
type atOnceOutcome string

const (
	atOnceSaid    atOnceOutcome = "said"
	atOnceNothing atOnceOutcome = "nothing"
	atOnceFailed  atOnceOutcome = "failed"
	// atOnceUnheard is counted beside atOnceSaid.
	atOnceUnheard atOnceOutcome = "unheard"
)

// unheardAtOnce is how many calls are noted side by side that ended without their answers.
const unheardAtOnce = 16

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
//
// Who says it is decided in one row of Postgres a message, which names the last call that says it, so that it is never said
// twice:
//
//	call ──> row ──> durable ──> answer ──> heard
//	                   └─the platform is gone, or the row not known of─> unheard ──10 s, no call again──> withdrawn, and sent
//	call again ──> row: this call, heard until told otherwise ──> the same answer; once withdrawn, "success"
//	whether there is a row is not known ──> message: in doubt ──> router: withdrawn, it sends the words; or another call says them
//
// A call that ends without its answer unsays nothing that a later call says.
type atOnce struct {
	view   func() *catalog.Snapshot
	memory memory
	// durable says whether a message was kept before.
	durable func(message.Inbound) bool
	clock   func() time.Time
	metrics *metrics
	log     *steadyLog
	turns   chan struct{}
}

func newAtOnce(view func() *catalog.Snapshot, memory memory, durable func(message.Inbound) bool, clock func() time.Time, m *metrics, logger *slog.Logger) *atOnce {
	return &atOnce{
		view: view, memory: memory, durable: durable, clock: clock, metrics: m, log: newSteadyLog(logger, "answer customers at once"),
		turns: make(chan struct{}, unheardAtOnce),
	}
}

// memory is what of store.Store is used here.
type memory interface {
	Standing(ctx context.Context, in message.Inbound) (store.Standing, error)
	ReplyAtOnce(ctx context.Context, in message.Inbound, saying store.Saying, now time.Time) (bool, error)
	ReplyAgain(ctx context.Context, in message.Inbound, call uuid.UUID) (bool, error)
	Unheard(ctx context.Context, in message.Inbound, call uuid.UUID) error
}

var _ memory = (*store.Store)(nil)

// spoken is what is said to a message.
type spoken struct {
	reply *message.Reply
	// answer says it in this call; "" where it is said otherwise.
	answer string
}

// speak makes the answer to a call say what there is to say; its message says from then on what that is. silent is to be called
// where the call ends without that answer.
func (a *atOnce) speak(ctx context.Context, began time.Time, received *connectors.Received) (outcome atOnceOutcome, silent func()) {
	in := &received.Messages[0]
	call := uuid.New()
	silent = func() { a.unheard(ctx, *in, call) }
	ctx, cancel := context.WithTimeout(ctx, began.Add(decideBy).Sub(a.clock()))
	defer cancel()
	said, err := a.find(ctx, *in, call, received.Reply)
	a.log.note(err)
	in.Reply, outcome = said.reply, atOnceNothing
	switch {
	case err != nil:
		in.InDoubt, outcome = call, atOnceFailed
	case said.answer != "":
		received.Answer, outcome = said.answer, atOnceSaid
	}
	a.metrics.atOnce.WithLabelValues(in.Channel, string(outcome)).Inc()
	return outcome, silent
}

// find returns what is said to the customer, nothing where there is nothing to say.
func (a *atOnce) find(ctx context.Context, in message.Inbound, call uuid.UUID, encode func([]message.Content) (string, bool)) (spoken, error) {
	snapshot := a.view()
	channel, known := snapshot.Channel(in.Channel)
	if !known {
		return spoken{}, nil
	}
	standing, err := a.memory.Standing(ctx, in)
	if err != nil {
		return spoken{}, err
	}
	if standing.Reply != nil || standing.Withdrawn {
		return a.again(ctx, in, call, standing, encode)
	}
	if a.durable(in) || standing.Taken || standing.State != "" && standing.State != store.StateBot {
		return spoken{}, nil
	}
	key, reply, err := words(snapshot, channel, standing, in, a.clock())
	if err != nil || reply == nil {
		return spoken{}, err
	}
	first, err := withBanner(snapshot, channel, standing, in, reply, a.clock())
	if err != nil {
		return spoken{}, err
	}
	answer, ok := encode(first.Contents)
	if ok {
		reply = first
	} else if answer, ok = encode(reply.Contents); !ok {
		// Where one answer does not hold both, the banner is left to the router; where it holds neither, all is.
		return spoken{}, nil
	}
	for range reply.Contents {
		reply.MessageIDs = append(reply.MessageIDs, uuid.New())
	}
	remembered, err := a.memory.ReplyAtOnce(ctx, in, store.Saying{Key: key, Call: call, Reply: *reply}, a.clock().UTC())
	if err != nil {
		return spoken{}, err
	}
	if remembered {
		return spoken{reply, answer}, nil
	}
	// Something like it was said before, or another call with the message was faster.
	if standing, err = a.memory.Standing(ctx, in); err != nil || standing.Reply == nil {
		return spoken{}, err
	}
	return a.again(ctx, in, call, standing, encode)
}

// again says what was said to the message before, unless it is said otherwise by now.
func (a *atOnce) again(ctx context.Context, in message.Inbound, call uuid.UUID, standing store.Standing, encode func([]message.Content) (string, bool)) (spoken, error) {
	said := spoken{reply: standing.Reply}
	if standing.Withdrawn {
		return said, nil
	}
	answer, ok := encode(said.reply.Contents)
	if !ok {
		return said, nil
	}
	taken, err := a.memory.ReplyAgain(ctx, in, call)
	if err != nil {
		return spoken{}, err
	}
	if taken {
		said.answer = answer
	}
	return said, nil
}

// unheard notes that a call ended without an answer that says something, if it is remembered to have.
func (a *atOnce) unheard(ctx context.Context, in message.Inbound, call uuid.UUID) {
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	default:
		// There are many, which is when the database is away: calls that hang would keep it so.
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	for {
		err := a.memory.Unheard(ctx, in, call)
		a.log.note(err)
		if err == nil || !wait.For(ctx, settlePause) {
			return
		}
	}
}

// words are what the bot says to a customer who is with nobody yet, and the key by which it is said once; nil for nothing. What
// leads to the customer's own form is the router's: connectors have no key to sign its address by.
func words(snapshot *catalog.Snapshot, channel *catalog.Channel, standing store.Standing, in message.Inbound, now time.Time) (key string, reply *message.Reply, err error) {
	switch in.Content.Kind {
	case message.KindFollowed, message.KindScanned, message.KindEntered:
		if channel.Playbook.WelcomeLeads() {
			return "", nil, nil
		}
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
		if decision.Form {
			return "", nil, nil
		}
		answer, err := channel.Playbook.Fill(decision, snapshot.Vars(channel, snapshot.DefaultGroup(), now))
		if err != nil {
			return "", nil, fmt.Errorf("writing an answer: %w", err)
		}
		if answer.FAQ != "" {
			return "faq/" + answer.FAQ, ruled(answer), nil
		}
		return "rule/" + in.MessageID, ruled(answer), nil
	case bot.HandOff:
		if decision.Topic == v1alpha1.TopicComplaint {
			// Who complains hears first that they were heard: that the router says, and then this.
			return "", nil, nil
		}
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
	if !known || group.Open(now) || channel.Playbook.OffHoursLeads() {
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

// withBanner tells a customer first of the emergency that concerns them, if they were not told. It must find the same one as the router.
func withBanner(snapshot *catalog.Snapshot, channel *catalog.Channel, standing store.Standing, in message.Inbound, reply *message.Reply, now time.Time) (*message.Reply, error) {
	goesTo := snapshot.Route(channel, cmp.Or(in.Content.SessionFrom, standing.SessionFrom), in.Content.Text, standing.Topic).Group
	at := slices.IndexFunc(standing.Emergencies, func(e store.Emergency) bool { return e.SkillGroup == burst.Brand || e.SkillGroup == goesTo })
	if at < 0 || standing.Emergencies[at].Told {
		return reply, nil
	}
	text, err := channel.Playbook.Banner(snapshot.Vars(channel, snapshot.DefaultGroup(), now))
	if err != nil {
		return nil, fmt.Errorf("writing the banner: %w", err)
	}
	first := replyOf(reply.Reason, text)
	if first == nil {
		return reply, nil
	}
	first.Contents = append(first.Contents, reply.Contents...)
	first.Banner = standing.Emergencies[at].Number
	return first, nil
}

// replyOf is a text; nil for "", which is not sent.
func replyOf(reason message.ReplyReason, text string) *message.Reply {
	if text == "" {
		return nil
	}
	return &message.Reply{Reason: reason, Contents: []message.Content{{Kind: message.KindText, Text: text}}}
}
