package channel

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
)

// loaded is what replicas say that serve a generation of the Channel.
func loaded(generation int64) answers {
	return answers{pool: []ack.Answer{knowing(generation)}, serving: []ack.Group{{Name: "router", Answers: []ack.Answer{knowing(generation)}}}}
}

func TestOnlyAChannelThatReplicasSayNewsOfIsLookedAt(t *testing.T) {
	half := loaded(2)
	half.serving[0].Answers = []ack.Answer{knowing(0)}
	another := loaded(2)
	another.pool = append(another.pool, knowing(2))
	silent := loaded(2)
	silent.pool = append(silent.pool, ack.Answer{Err: errors.New("no route")})
	refused := loaded(2)
	refused.pool = []ack.Answer{connector(configz.CredentialsRejected, "7")}
	for name, tt := range map[string]struct {
		told string
		now  answers
		want bool
	}{
		"a new one that nobody serves":         {"", loaded(0), false},
		"a new one that some serve":            {"", half, false},
		"a new one that all serve":             {"", loaded(2), true},
		"a new one without replicas":           {"", answers{serving: []ack.Group{{Name: "router"}}}, false},
		"one that is served as before":         {loaded(2).say("shop"), loaded(2), false},
		"one that another replica serves, too": {loaded(2).say("shop"), another, false},
		"one that a replica is silent about":   {loaded(2).say("shop"), silent, true},
		"one whose edit is loaded":             {loaded(1).say("shop"), loaded(2), true},
		"one whose credentials are refused":    {loaded(2).say("shop"), refused, true},
		"one whose last replica goes":          {loaded(2).say("shop"), answers{serving: []ack.Group{{Name: "router"}}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			f, channel := newFollowing(), sceneOf().channel
			var looked []types.NamespacedName
			f.lookBy(func(key types.NamespacedName) { looked = append(looked, key) })
			f.heard(channel, word{told: tt.told}, time.Unix(100, 0))
			f.compare(poolKeyOf(channel), tt.now, time.Unix(100, 0))
			want := []types.NamespacedName{{Namespace: "lumi", Name: "shop"}}
			if !tt.want {
				want = nil
			}
			if diff := cmp.Diff(want, looked); diff != "" {
				t.Errorf("looked at (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplicasAreAskedSoonWhileAChannelWaits(t *testing.T) {
	f, channel, began := newFollowing(), sceneOf().channel, time.Unix(100, 0)
	pool := poolKeyOf(channel)
	var soon []time.Duration
	f.askBy(func(_ PoolKey, after time.Duration) { soon = append(soon, after) })
	f.expect(channel, began)
	if len(soon) == 0 || soon[0] != firstPause {
		t.Errorf("asked after %v, want the first after %s", soon, firstPause)
	}
	var pauses []time.Duration
	for range 7 {
		pauses = append(pauses, f.compare(pool, loaded(0), began))
	}
	late := began.Add(aMoment)
	pauses = append(pauses, f.compare(pool, loaded(0), late), f.compare(pool, loaded(0), late), f.compare(pool, loaded(0), late))
	const ms = time.Millisecond
	want := []time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 5000 * ms}
	if diff := cmp.Diff(want, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	f.heard(channel, word{loaded(2).say("shop"), false}, late)
	if got := f.compare(pool, loaded(2), late); got != ack.CredentialsInterval {
		t.Errorf("asked again after %s, want %s: nobody waits", got, ack.CredentialsInterval)
	}
	if got := f.compare(pool, answers{serving: []ack.Group{{Name: "router"}}}, late); got != 0 {
		t.Errorf("asked again after %s, want not at all: there is nobody", got)
	}
	f.forget(types.NamespacedName{Namespace: "lumi", Name: "shop"})
	if f.has(pool) || len(f.channels) > 0 {
		t.Error("a Channel that is gone is followed still")
	}
}

func TestAChannelWaitsSinceItsGenerationCame(t *testing.T) {
	f, channel, began := newFollowing(), sceneOf().channel, time.Unix(100, 0)
	f.expect(channel, began)
	if got := f.heard(channel, word{"nothing", true}, began.Add(time.Second)); got != began {
		t.Errorf("waits since %s, want since it came", got)
	}
	f.heard(channel, word{"served", false}, began.Add(2*time.Second))
	if got := f.heard(channel, word{"silent", true}, began.Add(time.Minute)); got != began.Add(time.Minute) {
		t.Errorf("waits since %s, want since a replica fell silent", got)
	}
	channel.Generation++
	if got := f.heard(channel, word{"silent", true}, began.Add(time.Hour)); got != began.Add(time.Hour) {
		t.Errorf("waits since %s, want since the edit", got)
	}
}
