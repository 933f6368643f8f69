package channel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/yingda-dev/yingda/api/v1alpha1"
	"github.com/yingda-dev/yingda/internal/ack"
	"github.com/yingda-dev/yingda/internal/configz"
	"github.com/yingda-dev/yingda/internal/dataplane"
)

// How the replicas of a pool are asked again while a Channel waits for them: after a moment, then with pauses that double up to
// quickest while it may be a matter of a moment, up to slowest when it is not.
const (
	firstPause = 50 * time.Millisecond
	quickest   = time.Second
	slowest    = 5 * time.Second
	// aMoment is for how long a Channel is waited for impatiently.
	aMoment = 10 * time.Second
)

// following knows what the last pass over each Channel was told by replicas, so that they are asked once for all Channels of
// their pool, and only those Channels are looked at again of which they say something else:
//
//	new Channel ──expect──┐                      ┌── served by all, or said anew: a pass
//	a pass over it ─heard─┴─> pool asked again ──┴── nothing new: asked again later
//
// It is safe for concurrent use.
type following struct {
	mu       sync.Mutex
	channels map[types.NamespacedName]*followed
	pools    map[PoolKey]*followedPool
	// ask has the replicas of a pool asked after a while, look has a Channel looked at; nil until their controllers run.
	ask  func(pool PoolKey, after time.Duration)
	look func(channel types.NamespacedName)
}

// followed is a Channel.
type followed struct {
	pool       PoolKey
	generation int64
	word
	// since is when it began to wait, or the generation came.
	since time.Time
}

// word is what the last pass over a Channel was told.
type word struct {
	// told is empty before the first pass.
	told string
	// waits says that replicas may say something else in a moment.
	waits bool
}

type followedPool struct {
	members map[types.NamespacedName]*followed
	// pause is the last one while a Channel waits, 0 while none does.
	pause time.Duration
}

func newFollowing() *following {
	return &following{channels: map[types.NamespacedName]*followed{}, pools: map[PoolKey]*followedPool{}}
}

func poolKeyOf(channel *v1alpha1.Channel) PoolKey {
	return PoolKey{Namespace: channel.Namespace, Brand: channel.Spec.BrandRef.Name, Pool: dataplane.PoolOf(channel)}
}

// expect has the replicas of a new Channel asked until all of them serve it, before any pass.
func (f *following) expect(channel *v1alpha1.Channel, now time.Time) {
	f.heard(channel, word{waits: true}, now)
}

// heard notes what a pass was told, and returns since when it waits for something else.
func (f *following) heard(channel *v1alpha1.Channel, said word, now time.Time) time.Time {
	key, at := types.NamespacedName{Namespace: channel.Namespace, Name: channel.Name}, poolKeyOf(channel)
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.channels[key]
	if c == nil || c.pool != at {
		f.drop(key)
		c = f.add(key, at)
	}
	if c.generation != channel.Generation || said.waits && !c.waits {
		c.since = now
		if said.waits {
			f.askSoon(at)
		}
	}
	c.generation, c.word = channel.Generation, said
	return c.since
}

func (f *following) add(key types.NamespacedName, at PoolKey) *followed {
	c := &followed{pool: at}
	f.channels[key] = c
	if f.pools[at] == nil {
		f.pools[at] = &followedPool{members: map[types.NamespacedName]*followed{}}
		f.askSoon(at)
	}
	f.pools[at].members[key] = c
	return c
}

// askSoon has a pool asked after the first pause, or within the one that is on.
func (f *following) askSoon(key PoolKey) {
	if f.ask != nil {
		f.ask(key, max(firstPause, min(f.pools[key].pause, quickest)))
	}
}

// forget ends the following of a Channel that is gone or going.
func (f *following) forget(key types.NamespacedName) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(key)
}

func (f *following) drop(key types.NamespacedName) {
	c := f.channels[key]
	if c == nil {
		return
	}
	delete(f.channels, key)
	delete(f.pools[c.pool].members, key)
	if len(f.pools[c.pool].members) == 0 {
		delete(f.pools, c.pool)
	}
}

// has says whether a pool has a Channel that is followed.
func (f *following) has(key PoolKey) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pools[key] != nil
}

// ofBrand are the pools of a Brand that have Channels which are followed.
func (f *following) ofBrand(namespace, brand string) []PoolKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []PoolKey
	for key := range f.pools {
		if key.Namespace == namespace && key.Brand == brand {
			found = append(found, key)
		}
	}
	return found
}

// compare has those Channels of a pool looked at of which its replicas say something new, and returns when to ask them again;
// 0 for not until one of them comes or goes.
func (f *following) compare(key PoolKey, answers answers, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	pool := f.pools[key]
	if pool == nil {
		return 0
	}
	waits, impatient := false, false
	for name, c := range pool.members {
		if news(name.Name, c, answers) && f.look != nil {
			f.look(name)
		}
		waits = waits || c.waits
		impatient = impatient || c.waits && now.Sub(c.since) < aMoment
	}
	switch {
	case len(answers.pool) == 0:
		// The first replica of the pool has it asked: what the others say brings nobody further until then.
		pool.pause = 0
		return 0
	case !waits:
		pool.pause = 0
		return ack.CredentialsInterval
	case impatient:
		pool.pause = max(firstPause, min(2*pool.pause, quickest))
	default:
		pool.pause = min(2*max(firstPause, pool.pause), slowest)
	}
	return pool.pause
}

// news says whether a pass over a Channel would be told something new. One that had no pass yet is spared those which would
// find replicas that have not loaded it.
func news(name string, c *followed, answers answers) bool {
	if c.told == "" {
		return answers.judge(name, c.generation).Status == metav1.ConditionTrue
	}
	return c.told != answers.say(name)
}

// askBy says how to have pools asked, lookBy how to have Channels looked at: both once their controllers run.
func (f *following) askBy(ask func(PoolKey, time.Duration)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ask = ask
	for key := range f.pools {
		ask(key, firstPause)
	}
}

func (f *following) lookBy(look func(types.NamespacedName)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.look = look
}

// lookAt has Channels looked at for news that are not their replicas'. Before its start their controller needs no call: it then
// looks at all of them.
func (f *following) lookAt(channels []v1alpha1.Channel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.look == nil {
		return
	}
	for i := range channels {
		f.look(types.NamespacedName{Namespace: channels[i].Namespace, Name: channels[i].Name})
	}
}

// say condenses what replicas say of a Channel: what is equal leads to one status. Those who say the same count as one, so that
// another replica, or one less, is nothing new.
func (a answers) say(channel string) string {
	var said strings.Builder
	key := configz.ObjectKey("Channel", channel)
	for i, group := range a.groups() {
		words := make([]string, 0, len(group.Answers))
		for _, answer := range group.Answers {
			word := "silent"
			if answer.Err == nil {
				word = strconv.FormatInt(answer.Report.Objects[key], 10)
			}
			if report, knows := answer.Report.Channels[channel]; knows && i == 0 {
				word += " " + strings.Join([]string{
					string(report.Credentials), report.SecretVersion, strconv.FormatBool(report.WebhookCalled), report.Message, report.Reason,
					strings.Join(report.Denied, "+"), strings.Join(report.Limited, "+"), sayMenu(report.Menu),
				}, " ")
			}
			words = append(words, word)
		}
		slices.Sort(words)
		said.WriteString(group.Name + ":" + strings.Join(slices.Compact(words), ",") + ";")
	}
	return said.String()
}

// sayMenu is what a replica says of a menu.
func sayMenu(menu *configz.Menu) string {
	if menu == nil {
		return ""
	}
	return fmt.Sprintf("%+v", *menu)
}
