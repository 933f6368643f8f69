package channel

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

func TestWhatADeletionWaitsFor(t *testing.T) {
	router := func(unread *float64, onTheWay *int64) ack.Answer {
		answer := knowing(2)
		answer.Report.Channels = map[string]configz.Channel{"shop": {UnreadSeconds: unread, OnTheWay: onTheWay}}
		return answer
	}
	const (
		spooled   = "messages of customers wait in the spool, or no router could say that it has read all of them"
		beingRead = "the last messages of customers are being read"
	)
	for name, tt := range map[string]struct {
		confirmed time.Duration
		routers   []ack.Answer
		want      string
	}{
		"all is read and settled":            {5 * time.Second, []ack.Answer{router(new(0.5), new(int64(0)))}, ""},
		"the last webhooks may be under way": {4 * time.Second, []ack.Answer{router(new(0.5), new(int64(0)))}, beingRead},
		"what is read was marked before":     {30 * time.Second, []ack.Answer{router(new(28.0), new(int64(0)))}, beingRead},
		"the spool is not empty":             {30 * time.Second, []ack.Answer{router(nil, new(int64(0)))}, spooled},
		"the router that looked last knows":  {30 * time.Second, []ack.Answer{router(nil, new(int64(0))), router(new(1.0), new(int64(0)))}, ""},
		"what was read is answered":          {30 * time.Second, []ack.Answer{router(new(1.0), new(int64(2)))}, "messages to customers are on their way: 2"},
		"one that counted none may be late":  {30 * time.Second, []ack.Answer{router(new(1.0), new(int64(0))), router(new(1.0), new(int64(1)))}, "messages to customers are on their way: 1"},
		"one that could not count":           {30 * time.Second, []ack.Answer{router(new(1.0), nil)}, "no router could say how many messages to customers are on their way"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := sceneOf(func(s *scene) {
				s.channel.DeletionTimestamp = &metav1.Time{}
				s.pool = []ack.Answer{knowing(2)}
				s.serving = []ack.Group{{Name: dataplane.Router, Answers: tt.routers}}
			})
			if got := waitsFor(seen, tt.confirmed); got != tt.want {
				t.Errorf("it waits for %q, want %q", got, tt.want)
			}
		})
	}
}
