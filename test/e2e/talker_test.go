//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

const (
	replyEvery = 200 * time.Millisecond
	retryEvery = 250 * time.Millisecond
	// patience is how long the agent's browser tries to get an answer to the desk.
	patience = time.Minute
)

// talker is an agent who answers one customer of the load after the other, through whatever happens. Like the page in the
// browser it tries again with the same key until the desk has taken the answer.
type talker struct {
	trial   *trial
	cancel  context.CancelFunc
	ended   chan struct{}
	replies []sent
}

// sent is an answer with where it went.
type sent struct {
	reply
	conversation conversation
}

func startTalker(t *testing.T, r *trial) *talker {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &talker{trial: r, cancel: cancel, ended: make(chan struct{})}
	go k.talk(ctx)
	t.Cleanup(func() {
		cancel()
		<-k.ended
	})
	return k
}

// stop ends the talk and returns what was said; only then may it be read.
func (k *talker) stop() []sent {
	k.cancel()
	<-k.ended
	return k.replies
}

func (k *talker) talk(ctx context.Context) {
	defer close(k.ended)
	ticker := time.NewTicker(replyEvery)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// A desk that cannot be asked now is asked again at the next tick.
		mine, err := k.customers(ctx)
		if err != nil || len(mine) == 0 {
			continue
		}
		one := sent{reply{text: fmt.Sprintf("答复 %d %s", n, k.trial.prefix)}, mine[n%len(mine)]}
		// What was begun is finished, or nobody would know whether it was taken.
		one.accepted = k.send(context.WithoutCancel(ctx), one)
		k.replies = append(k.replies, one)
	}
}

// customers are the conversations of this trial that the agent has.
func (k *talker) customers(ctx context.Context) ([]conversation, error) {
	all, err := k.trial.agent.mine(ctx)
	var mine []conversation
	for _, c := range all {
		if strings.HasPrefix(c.Customer, k.trial.prefix) {
			mine = append(mine, c)
		}
	}
	return mine, err
}

func (k *talker) send(ctx context.Context, one sent) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(retryEvery)
	defer ticker.Stop()
	for key := uuid.NewString(); ; {
		err := k.trial.agent.send(ctx, one.conversation.ID, key, one.text)
		if err == nil {
			return true
		}
		if refused, ok := errors.AsType[*statusError](err); ok && refused.status < http.StatusInternalServerError {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

// whatBecameOf returns what the desk shows of each answer, and how often each came to its customer's phone.
func (r *trial) whatBecameOf(t *testing.T, all []sent) (shown map[string]delivery, arrived map[string]int) {
	t.Helper()
	shown, arrived = map[string]delivery{}, map[string]int{}
	read := map[string]bool{}
	for _, one := range all {
		if read[one.conversation.ID] {
			continue
		}
		read[one.conversation.ID] = true
		th, err := r.agent.thread(t.Context(), one.conversation.ID)
		must(t, err)
		for _, m := range th.Messages {
			if m.Direction == "outbound" && m.Delivery != nil {
				shown[m.Content.Text] = *m.Delivery
			}
		}
		lines, err := r.app.customer(one.conversation.Customer).received(t.Context())
		must(t, err)
		for _, l := range lines {
			arrived[l.Text]++
		}
	}
	return shown, arrived
}

func repliesOf(all []sent) []reply {
	replies := make([]reply, 0, len(all))
	for _, one := range all {
		replies = append(replies, one.reply)
	}
	return replies
}
