package router

import (
	"github.com/yingda-dev/yingda/internal/domain/quota"
	"github.com/yingda-dev/yingda/internal/message"
)

// grant notes what the platform now lets us send to the customer, by what they did.
func (t *turn) grant() {
	kind, counts := contactKind(t.in.Content)
	switch {
	case t.in.Content.Kind == message.KindUnfollowed:
		t.intake.Unfollow(t.who(), t.in.SentAt)
	case counts:
		t.intake.Grant(t.who(), t.channel.Quota, kind, t.in.SentAt)
	}
}

// contactKind is what the platform counts what a customer did as; false for what it does not count. A choice that is tapped
// comes as a text and counts as a tap.
func contactKind(c message.Content) (kind quota.Contact, counts bool) {
	switch {
	case c.IsEvent(), c.Kind == message.KindPosition, c.Kind == message.KindUnfollowed:
		return 0, false
	case c.Kind == message.KindEntered:
		return quota.EnterSession, true
	case c.Kind == message.KindFollowed:
		return quota.Follow, true
	case c.Kind == message.KindScanned:
		return quota.Scan, true
	case c.Kind == message.KindMenuTap, c.Choice != "":
		return quota.MenuTap, true
	default:
		return quota.UserMessage, true
	}
}
