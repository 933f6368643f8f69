package router

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	yingdav1 "github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/formlink"
	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// turn is one thing that a customer did, and all that is known around it.
type turn struct {
	*store.Unit
	router   *Router
	snapshot *catalog.Snapshot
	channel  *catalog.Channel
	in       message.Inbound
	intake   *store.Intake
	done     *tally
}

// inbound takes in what a customer did; it returns the skill group whose queue changed.
func (r *Router) inbound(ctx context.Context, u *store.Unit, intake *store.Intake, snapshot *catalog.Snapshot, done *tally, in message.Inbound) (queued string, err error) {
	if !intake.Fresh(in.Channel, in.MessageID) {
		done.duplicates++
		return "", nil
	}
	clean(&in.Content)
	t := &turn{Unit: u, intake: intake, router: r, snapshot: snapshot, channel: channelOf(snapshot, in.Channel), in: in, done: done}
	if err := t.meet(ctx); err != nil {
		return "", err
	}
	if err := t.endDoubt(ctx); err != nil {
		return "", err
	}
	switch {
	case in.Content.Kind == message.KindPosition:
		return "", nil
	case in.Content.Kind == message.KindUnfollowed:
		return "", t.unfollowed(ctx)
	case in.Content.IsEvent(), t.tapsInVain():
		return "", t.note(ctx)
	}
	if over, err := t.rate(ctx); over || err != nil {
		return "", err
	}
	c, err := t.conversation(ctx)
	if err != nil {
		return "", err
	}
	if comes(in.Content.Kind) {
		return "", t.welcome(ctx, c)
	}
	if err := t.expectMedia(ctx); err != nil {
		return "", err
	}
	if in.SentAt.After(c.LastMessageAt) {
		c.LastMessageAt = in.SentAt
	}
	if err := u.Hear(ctx, c, in); err != nil {
		return "", err
	}
	done.messages++
	if err := t.replied(ctx, c); err != nil {
		return "", err
	}
	if err := t.banner(ctx, c); err != nil {
		return "", err
	}
	return t.answer(ctx, c)
}

// channelOf never fails: a message of a Channel that was deleted, or that this replica has not heard of yet, still goes
// to a human.
func channelOf(snapshot *catalog.Snapshot, name string) *catalog.Channel {
	if channel, ok := snapshot.Channel(name); ok {
		return channel
	}
	channel := &yingdav1.Channel{}
	channel.Name = name
	return catalog.Bare(channel)
}

// clean drops what Postgres cannot keep in JSON: customers can send U+0000.
func clean(c *message.Content) {
	drop := func(s *string) { *s = strings.ReplaceAll(*s, "\x00", "") }
	drop(&c.Text)
	drop(&c.SessionFrom)
	drop(&c.LoginCode)
	drop(&c.MenuKey)
	drop(&c.Choice)
	drop(&c.Raw)
	drop(&c.RawType)
	if c.Page != nil {
		drop(&c.Page.Title)
		drop(&c.Page.Path)
	}
	if c.Link != nil {
		drop(&c.Link.Title)
		drop(&c.Link.Description)
		drop(&c.Link.URL)
	}
}

// meet notes where the contact came from and what the platform now lets us send to them, and asks who they are.
func (t *turn) meet(ctx context.Context) error {
	t.grant()
	if err := t.wonder(ctx); err != nil {
		return err
	}
	if t.in.Content.SessionFrom == "" {
		return nil
	}
	return t.intake.Entered(ctx, t.who(), t.in.Content.SessionFrom)
}

func (t *turn) who() store.Contact {
	return store.Contact{Channel: t.in.Channel, ExternalID: t.in.Customer}
}

// note shows an event in the contact's open conversation, if there is one. It asks for no answer: it opens no conversation,
// keeps none open, and takes nobody's time.
func (t *turn) note(ctx context.Context) error {
	c, open := t.intake.Conversation(t.who())
	if !open {
		return nil
	}
	return t.Hear(ctx, c, t.in)
}

// conversation returns the contact's open conversation, or a new one, locked.
func (t *turn) conversation(ctx context.Context) (db.Conversation, error) {
	if c, open := t.intake.Conversation(t.who()); open {
		return c, nil
	}
	t.done.opened++
	return t.intake.Open(ctx, t.who())
}

// welcome greets who opened the chat and is with nobody yet.
func (t *turn) welcome(ctx context.Context, c db.Conversation) error {
	if err := t.replied(ctx, c); err != nil {
		return err
	}
	if err := t.banner(ctx, c); err != nil {
		return err
	}
	if c.State != store.StateBot || t.saidAtOnce(message.ReplyWelcome) {
		return nil
	}
	text, err := t.channel.Playbook.Welcome(t.vars(c))
	if err != nil {
		return fmt.Errorf("writing the welcome: %w", err)
	}
	_, err = t.sayText(ctx, c, "welcome/"+t.in.MessageID, text)
	return err
}

// expectMedia asks the connectors for the files that came with the message.
func (t *turn) expectMedia(ctx context.Context) error {
	files := []*message.Media{t.in.Content.Media, t.in.Content.Thumb}
	if t.in.Content.Page != nil {
		files = append(files, t.in.Content.Page.Thumb)
	}
	for _, file := range files {
		if file == nil || file.PlatformID == "" {
			continue
		}
		if err := t.MediaExpect(ctx, file.ID, t.in.Channel, file.PlatformID, t.Now); err != nil {
			return fmt.Errorf("asking for a file: %w", err)
		}
	}
	return nil
}

// answer lets the bot decide what to do with a message that was heard.
func (t *turn) answer(ctx context.Context, c db.Conversation) (queued string, err error) {
	decision := t.channel.Decide(t.in.Content)
	handOff, _ := decision.(bot.HandOff)
	told, err := t.tellProgress(ctx, c, decision)
	if err != nil {
		return "", err
	}
	if told && c.State == store.StateBot {
		_, err := t.Save(ctx, c)
		return "", err
	}
	if c.State != store.StateBot {
		return t.goOn(ctx, c, handOff.Topic)
	}
	switch decision := decision.(type) {
	case bot.Answer:
		answered, err := t.reply(ctx, c, decision)
		if answered || err != nil {
			return "", err
		}
		c.Topic = cmp.Or(decision.Topic, c.Topic)
	case bot.NoMatch:
		if t.saidAtOnce(message.ReplyRule) {
			// By a rule that is gone since.
			_, err := t.Save(ctx, c)
			return "", err
		}
	}
	// A supervisor may have answered while the bot had it.
	t.ask(&c)
	return t.handOff(ctx, c, cmp.Or(handOff.Topic, c.Topic))
}

// goOn takes in what somebody wrote who waits for a human, or has one.
func (t *turn) goOn(ctx context.Context, c db.Conversation, topic string) (queued string, err error) {
	if c, err = t.hearDetails(ctx, c); err != nil {
		return "", err
	}
	t.ask(&c)
	taken, err := t.takeBack(ctx, &c)
	if err != nil {
		return "", err
	}
	if topic != "" && topic != c.Topic {
		return t.retopic(ctx, c, topic)
	}
	if topic != "" {
		if c, err = t.complainAgain(ctx, c); err != nil {
			return "", err
		}
	}
	if taken {
		return "", t.closeOne(ctx, c)
	}
	t.intake.Touch(c)
	return "", nil
}

// ask starts the clock of an agent's answer, unless it runs already. It runs in the queue, too, for who had an answer before: it would
// start with the next agent, and what was asked until then be nothing that anybody left unanswered. Nobody is reminded of it there.
func (t *turn) ask(c *db.Conversation) {
	if c.AskedSince != nil || c.State != store.StateAssigned && c.AnsweredAt == nil {
		return
	}
	c.AskedSince = &t.Now
	if c.State == store.StateAssigned {
		group, _ := t.snapshot.Group(c.SkillGroup)
		c.RemindAt = group.Due(t.Now, t.channel.Clocks.Reply.WarnAfter)
	}
}

// reply sends the bot's answer; the conversation stays with the bot. An entry of the FAQ is sent once in a conversation: who
// asks again was not helped by it, and a human is to answer; as one is where the form that it leads to is reached by nobody.
func (t *turn) reply(ctx context.Context, c db.Conversation, answer bot.Answer) (answered bool, err error) {
	vars := t.vars(c)
	leadsNowhere := answer.Form && vars.AfterSalesForm == ""
	if answer, err = t.channel.Playbook.Fill(answer, vars); err != nil {
		return false, fmt.Errorf("writing an answer: %w", err)
	}
	if (leadsNowhere || answer.Text == "") && !t.saidAtOnce(message.ReplyRule) {
		return false, nil
	}
	key := "rule/" + t.in.MessageID
	if answer.FAQ != "" {
		key = "faq/" + c.ID.String() + "/" + answer.FAQ
	}
	var said bool
	if t.saidAtOnce(message.ReplyRule) {
		said, err = t.SaidElsewhere(ctx, c, key)
	} else {
		said, err = t.sayText(ctx, c, key, answer.Text)
	}
	if err != nil || answer.FAQ != "" && !said {
		return false, err
	}
	if answer.Link != nil && !t.saidAtOnce(message.ReplyRule) {
		link := message.Content{Kind: message.KindLink, Link: &message.Link{Title: answer.Link.Title, URL: answer.Link.URL}}
		if _, err := t.say(ctx, c, "link/"+t.in.MessageID, link); err != nil {
			return false, err
		}
	}
	c.Topic = cmp.Or(answer.Topic, c.Topic)
	t.done.answered(answer)
	_, err = t.Save(ctx, c)
	return true, err
}

// sayText sends a text, "" excepted; said is false where it was said before.
func (t *turn) sayText(ctx context.Context, c db.Conversation, key, text string) (said bool, err error) {
	if text == "" {
		return false, nil
	}
	return t.say(ctx, c, key, message.Content{Kind: message.KindText, Text: text})
}

// sayWaiting is sayText of what is not said any more once an agent has the conversation.
func (t *turn) sayWaiting(ctx context.Context, c db.Conversation, key, text string) error {
	if text == "" {
		return nil
	}
	_, _, err := t.Say(ctx, c, store.Words{
		Key: key, Topic: t.router.Names.Outbound(t.channel.Pool), Sender: store.SenderBot,
		Content: message.Content{Kind: message.KindText, Text: text}, WhileWaiting: true,
	})
	return err
}

func (t *turn) say(ctx context.Context, c db.Conversation, key string, content message.Content) (said bool, err error) {
	words := store.Words{Key: key, Topic: t.router.Names.Outbound(t.channel.Pool), Sender: store.SenderBot, Content: content}
	_, said, err = t.Say(ctx, c, words)
	return said, err
}

// vars are the variables of the Playbook's texts.
func (t *turn) vars(c db.Conversation) bot.Vars {
	return t.varsOf(c, t.snapshot.DefaultGroup())
}

// varsOf are those for a customer whom the group serves.
func (t *turn) varsOf(c db.Conversation, group string) bot.Vars {
	v := t.snapshot.Vars(t.channel, group, t.Now)
	v.AfterSalesForm = t.form(c)
	return v
}

// form is the address of the customer's own form for after-sales, "" where customers reach none. Each message gets one of its own,
// by which one case is opened.
func (t *turn) form(c db.Conversation) string {
	brand := t.snapshot.Brand
	if brand == nil || brand.Spec.Desk.FormsURL == "" || t.router.FormKey == nil {
		return ""
	}
	link := formlink.Link{
		Expires: t.Now.Add(formlink.Lasts), Conversation: c.ID, ID: uuid.NewSHA1(c.ID, []byte("form/bot/"+t.in.MessageID)),
	}
	return t.router.FormKey.Address(brand.Spec.Desk.FormsURL, link, formlink.Customer{Channel: c.Channel, ExternalID: c.ExternalID})
}
