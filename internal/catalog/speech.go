package catalog

import (
	"time"

	"github.com/yingda-dev/yingda/internal/domain/bot"
	"github.com/yingda-dev/yingda/internal/domain/routing"
	"github.com/yingda-dev/yingda/internal/message"
)

// What the bot says and to whom a customer goes is found here, for routers and for connectors which answer at once: they must
// not differ.

// Decide finds what the bot does with what a customer does.
func (c *Channel) Decide(content message.Content) bot.Decision {
	switch content.Kind {
	case message.KindText, message.KindVoice:
		// What a voice message says is there where the platform has understood it.
		return c.Playbook.Decide(content.Text)
	case message.KindMenuTap:
		return c.Playbook.DecideTap(content.MenuKey)
	default:
		return bot.NoMatch{}
	}
}

// Vars are the variables of the Playbook's texts for a Channel's customers whom the group serves.
func (s *Snapshot) Vars(channel *Channel, group string, now time.Time) bot.Vars {
	v := bot.Vars{Channel: channel.DisplayName()}
	if s.Brand != nil {
		v.Brand = s.Brand.Spec.DisplayName
	}
	if g, ok := s.Group(group); ok && g.Schedule != nil {
		v.Hours = g.Schedule.Hours(now)
		if next, ok := g.Schedule.NextOpening(now); ok {
			v.NextOpening = openingText(now.In(g.Schedule.Location()), next.In(g.Schedule.Location()))
		}
	}
	return v
}

// openingText is a time as people say it: today's without the date.
func openingText(now, opening time.Time) string {
	if now.Format(time.DateOnly) == opening.Format(time.DateOnly) {
		return opening.Format("15:04")
	}
	return opening.Format("1月2日 15:04")
}

// Route finds the group of a customer who came from somewhere and wrote something, with the topic of their conversation.
func (s *Snapshot) Route(channel *Channel, sessionFrom, text, topic string) routing.Result {
	return routing.Group(routing.Input{
		Routing: channel.Spec.Routing, EntryPoints: channel.Spec.EntryPoints, Default: s.DefaultGroup(),
		SessionFrom: sessionFrom, Text: text, Topic: topic,
	})
}

// HasNotice says whether customers of the Channel can be sent notices of that name.
func (c *Channel) HasNotice(name string) bool { return c.Spec.Notice(name) != nil }
