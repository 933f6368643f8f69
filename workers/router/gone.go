package router

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/yingda-dev/yingda/internal/catalog"
	"github.com/yingda-dev/yingda/internal/store"
	"github.com/yingda-dev/yingda/internal/store/db"
)

const (
	// channelGoneAfter is how long a Channel must be missing, and silent, before its conversations end: longer than it takes to see
	// that the API server is away, so that one which was made again there is not taken for one that is gone.
	channelGoneAfter = time.Minute
	// talkingInterval is how often it is looked on which Channels conversations are open.
	talkingInterval = 5 * time.Second
)

// endGone ends the open conversations of Channels that were deleted: nobody can answer in them, and whoever waits there keeps
// places and clocks for nothing. A Channel that is being deleted is still there, and its agents' last words are sent.
//
// What a customer writes on a Channel of the same name that was made again meanwhile is new, and stays until the Channel was
// missing for as long again.
func (c *clock) endGone(ctx context.Context, snapshot *catalog.Snapshot) error {
	if !c.Catalog.Following() {
		// What was made since is not known.
		clear(c.absent)
		return nil
	}
	now := c.Now().UTC()
	if now.Sub(c.talkingSeen) < talkingInterval {
		return nil
	}
	talking, err := c.Store.Queries().ChannelsTalking(ctx)
	if err != nil {
		return fmt.Errorf("asking which Channels have conversations: %w", err)
	}
	absent, more := map[string]time.Time{}, false
	var failed []error
	for _, channel := range talking {
		if !snapshot.Lacks(channel) {
			continue
		}
		since, before := c.absent[channel]
		if !before {
			since = now
		}
		absent[channel] = since
		if now.Sub(since) < channelGoneAfter {
			continue
		}
		ended, err := c.endConversations(ctx, channel, now.Add(-channelGoneAfter))
		failed, more = append(failed, err), more || ended == batchRows
	}
	c.absent = absent
	if !more {
		c.talkingSeen = now
	}
	return errors.Join(failed...)
}

// endConversations ends conversations of a Channel in which nothing was said since then, so many that the clock gets on with the rest.
func (c *clock) endConversations(ctx context.Context, channel string, before time.Time) (ended int, err error) {
	ids, err := c.Store.Queries().ConversationsOfChannel(ctx, channel, before, batchRows)
	if err != nil {
		return 0, fmt.Errorf("finding the conversations of a deleted channel: %w", err)
	}
	err = c.each(ctx, ids, func(ctx context.Context, u *store.Unit, row db.Conversation) error {
		if row.State == store.StateClosed || !row.LastMessageAt.Before(before) {
			return nil
		}
		_, err := u.CloseGone(ctx, row)
		return err
	})
	if err == nil && len(ids) > 0 {
		c.Logger.Info("Ended the conversations of a Channel that was deleted", "channel", channel, "conversations", len(ids))
	}
	return len(ids), err
}
