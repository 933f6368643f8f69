package desk

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/yingda-dev/yingda/internal/message"
	"github.com/yingda-dev/yingda/internal/store/db"
)

// shelf is a feed in memory: frames first..head.
type shelf struct {
	mu          sync.Mutex
	first, head int64
	reads       int
}

func (s *shelf) FeedHead(context.Context, string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, nil
}

func (s *shelf) FramesAfter(_ context.Context, _ string, after int64, most int32) ([]db.Frame, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	var rows []db.Frame
	for seq := max(after+1, s.first); seq <= s.head && len(rows) < int(most); seq++ {
		rows = append(rows, db.Frame{Seq: seq, Kind: "message"})
	}
	return rows, nil
}

func (s *shelf) DeskVisible(_ context.Context, ids []uuid.UUID, _ []string, _ string) ([]uuid.UUID, error) {
	return ids, nil
}

func (s *shelf) grow() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head++
	return s.head
}

// journey is a follower whose client writes down what it gets.
type journey struct {
	t     *testing.T
	shelf *shelf
	sub   *subscription
	mu    sync.Mutex
	got   []int64
	kinds []string
	ended chan error
}

func follows(t *testing.T, s *shelf, after *int64) *journey {
	t.Helper()
	j := &journey{t: t, shelf: s, sub: newSubscription(&principal{agent: agent("xiaomei", "after-sales")}), ended: make(chan error, 1)}
	f := &follower{feed: s, sub: j.sub, send: func(_ context.Context, out outgoing) error {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.kinds = append(j.kinds, out.Kind)
		if out.source != "" {
			j.got = append(j.got, out.Seq)
		}
		return nil
	}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	go func() { j.ended <- f.run(ctx, after) }()
	t.Cleanup(func() {
		cancel()
		<-j.ended //nolint:errcheck // how it ended, its test looks at.
	})
	j.waits(func() bool { return len(j.kinds) > 0 })
	return j
}

func (j *journey) waits(until func() bool) {
	j.t.Helper()
	deadline := time.After(patience)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		j.mu.Lock()
		done := until()
		j.mu.Unlock()
		if done {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			j.t.Fatal("waited in vain")
		}
	}
}

func frameOf(seq int64) live { return live{Frame: message.Frame{Seq: seq, Kind: message.FrameMessage}} }

func through(last int64) (seqs []int64) {
	for seq := int64(1); seq <= last; seq++ {
		seqs = append(seqs, seq)
	}
	return seqs
}

// TestFramesComeOnceAndInOrderWhateverKafkaDoes loses, repeats and delays live frames at random, and announces heads at
// random: what the client gets is always all frames, once, in order.
func TestFramesComeOnceAndInOrderWhateverKafkaDoes(t *testing.T) {
	const frames = 1000
	for seed := range uint64(10) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := &shelf{first: 1}
		j := follows(t, s, new(int64))
		var delayed []int64
		for range frames {
			seq := s.grow()
			switch random.IntN(5) {
			case 0: // lost
			case 1:
				delayed = append(delayed, seq)
			case 2:
				j.sub.push(frameOf(seq))
				j.sub.push(frameOf(seq))
			default:
				j.sub.push(frameOf(seq))
			}
			if random.IntN(10) == 0 && len(delayed) > 0 {
				j.sub.push(frameOf(delayed[0]))
				delayed = delayed[1:]
			}
			if random.IntN(50) == 0 {
				j.sub.announce(seq)
			}
			if random.IntN(20) == 0 { // A client that keeps up.
				j.sub.announce(seq)
				j.waits(func() bool { return len(j.got) > 0 && j.got[len(j.got)-1] >= seq })
			}
		}
		j.sub.announce(frames)
		j.waits(func() bool { return len(j.got) >= frames })
		if diff := cmp.Diff(through(frames), j.got); diff != "" {
			t.Fatalf("seed %d: frames (-want +got):\n%s", seed, diff)
		}
	}
}

func TestWhereAFollowerBegins(t *testing.T) {
	number := func(n int64) *int64 { return &n }
	tests := map[string]struct {
		shelf *shelf
		after *int64
		kinds []string
		got   []int64
	}{
		"without a number it begins now":            {&shelf{first: 1, head: 3}, nil, []string{"hello"}, nil},
		"with the newest there is nothing to send":  {&shelf{first: 1, head: 3}, number(3), []string{"hello"}, nil},
		"what came since is sent":                   {&shelf{first: 1, head: 3}, number(1), []string{"hello", "message", "message"}, []int64{2, 3}},
		"what is no longer kept resets":             {&shelf{first: 3, head: 4}, number(1), []string{"hello", "reset"}, nil},
		"an empty feed that has been used resets":   {&shelf{first: 9, head: 4}, number(1), []string{"hello", "reset"}, nil},
		"a number from another life resets":         {&shelf{first: 1, head: 4}, number(9), []string{"hello", "reset"}, nil},
		"an agent without news has nothing to send": {&shelf{first: 1}, number(0), []string{"hello"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			j := follows(t, test.shelf, test.after)
			j.waits(func() bool { return len(j.kinds) >= len(test.kinds) })
			// One more, to see that nothing came in between.
			seq := test.shelf.grow()
			j.sub.push(frameOf(seq))
			j.waits(func() bool { return len(j.got) > len(test.got) })
			if diff := cmp.Diff(append(test.kinds, "message"), j.kinds); diff != "" {
				t.Errorf("kinds (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append(test.got, seq), j.got); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
		})
	}
}

func TestABufferThatIsFull(t *testing.T) {
	fill := func(s *subscription) {
		for seq := range int64(maxPending + 10) {
			s.push(frameOf(seq + 1))
		}
	}
	t.Run("ends a client that does not keep up", func(t *testing.T) {
		s := newSubscription(&principal{})
		s.setReading(false)
		fill(s)
		if _, _, why := s.take(); why == nil || *why != endSlow {
			t.Errorf("ended with %v, want too slow", why)
		}
	})
	t.Run("is no harm while frames are read from Postgres", func(t *testing.T) {
		s := newSubscription(&principal{})
		fill(s)
		frames, head, why := s.take()
		if why != nil || len(frames) != maxPending || head != maxPending+10 {
			t.Errorf("%d frames, head %d, ended %v", len(frames), head, why)
		}
	})
}

func TestALiveFrameNeedsNoDatabase(t *testing.T) {
	s := &shelf{first: 1}
	j := follows(t, s, nil)
	for range 10 {
		j.sub.push(frameOf(s.grow()))
	}
	j.waits(func() bool { return len(j.got) == 10 })
	if s.reads != 0 {
		t.Errorf("%d reads for frames that came in order, want none", s.reads)
	}
}

func TestAnEndedSubscriptionEndsItsFollower(t *testing.T) {
	j := follows(t, &shelf{first: 1}, nil)
	j.sub.end(endSignedOut)
	err := <-j.ended
	var ended *endedError
	if !errors.As(err, &ended) || ended.why != endSignedOut {
		t.Errorf("ended with %v, want signed out", err)
	}
	j.ended <- err // for the cleanup
}

func TestTheHub(t *testing.T) {
	h := newHub()
	p := &principal{agent: agent("xiaomei", "after-sales"), session: []byte("s")}
	var sockets []*subscription
	for range maxSockets {
		s, ok := h.join(p)
		if !ok {
			t.Fatal("no room for a socket")
		}
		sockets = append(sockets, s)
	}
	if _, ok := h.join(p); ok {
		t.Error("an agent may open sockets without end")
	}
	h.announce("xiaomei", 7)
	for _, s := range sockets {
		if _, head, _ := s.take(); head != 7 {
			t.Errorf("head %d, want 7", head)
		}
		h.leave(s)
	}
	if agents, sessions := h.present(); len(agents) != 0 || len(sessions) != 0 {
		t.Errorf("present: %v %v, want nobody", agents, sessions)
	}
	h.shut()
	if _, ok := h.join(p); ok {
		t.Error("a hub that is shut lets sockets in")
	}
}

func TestFailuresAreCountedPerNetworkInBoundedMemory(t *testing.T) {
	now := noon()
	l := newFailureLimit(func() time.Time { return now })
	count := func(remote string, tries int) (allowed int) {
		for range tries {
			if _, ok := l.failed(remote); ok {
				allowed++
			}
		}
		return allowed
	}
	if got := count("192.0.2.1:1", 50); got != failuresPerAddress {
		t.Errorf("one address: %d failures pass, want %d", got, failuresPerAddress)
	}
	if got := count("[2001:db8::1]:1", 5) + count("[2001:db8::2]:1", 50); got != failuresPerAddress {
		t.Errorf("one IPv6 network: %d failures pass, want %d", got, failuresPerAddress)
	}
	total := 2 * failuresPerAddress
	for i := range 3 * maxAddresses {
		total += count(remoteOf(i), 1)
	}
	if total != failuresInTotal {
		t.Errorf("everywhere: %d failures pass, want %d", total, failuresInTotal)
	}
	if len(l.of) > maxAddresses {
		t.Errorf("%d addresses are kept, want at most %d", len(l.of), maxAddresses)
	}
	now = now.Add(time.Hour)
	if got := count("192.0.2.1:1", 1); got != 1 {
		t.Error("an hour later the address is still refused")
	}
}

func remoteOf(i int) string {
	return "10." + itoa(int64(i>>16&255)) + "." + itoa(int64(i>>8&255)) + "." + itoa(int64(i&255)) + ":9"
}
