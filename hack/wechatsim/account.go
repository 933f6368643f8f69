package wechatsim

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"
)

const (
	maxCustomers  = 20_000
	maxListed     = 500
	maxQueue      = 10_000
	maxKeptPushes = 20_000
	historySlack  = 2 // a history is cut once it is this many times its limit, so that cutting is rare
)

// What the phone shows when a push has failed.
const (
	systemErrorMsg        = "该小程序客服暂时无法提供服务，请稍后再试"
	systemErrorMsgAccount = "该公众号暂时无法提供服务，请稍后再试"
)

func systemError(kind Kind) string {
	if kind == KindOfficialAccount {
		return systemErrorMsgAccount
	}
	return systemErrorMsg
}

// account is an App with all that happens to it at run time; mu guards everything below it.
type account struct {
	stats   *stats
	history int

	mu        sync.Mutex
	app       App
	customers map[string]*customer
	tokens    tokenBook
	media     mediaStore
	faults    []*Fault
	pushes    pushLog
	quota     quotaBook
	menus     Menus
	logins    map[string]login
	failures  int       // messages given up in a row
	silentTil time.Time // no pushes before this moment (MarkFail)
}

func newAccount(app App, opts Options) *account {
	return &account{
		stats:     newStats(),
		history:   opts.History,
		app:       app,
		customers: map[string]*customer{},
		tokens:    newTokenBook(),
		media:     newMediaStore(opts.PublicURL),
		pushes:    newPushLog(),
		quota:     quotaBook{used: map[string]int{}},
		logins:    map[string]login{},
	}
}

func (a *account) config() App {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.app
}

// Speaker says who a line of the chat comes from.
type Speaker string

// The speakers of a chat.
const (
	FromCustomer Speaker = "customer"
	FromAccount  Speaker = "account"
	FromSystem   Speaker = "system"
)

// Way says how a line of the account's came to the customer.
type Way string

// The ways of a line.
const (
	ViaSend     Way = "send"     // custom/send
	ViaPassive  Way = "passive"  // the answer to a push
	ViaTemplate Way = "template" // message/template/send
	ViaMenu     Way = "menu"     // a menu button that holds a medium or an article
)

// Entry is one line of a customer's chat.
type Entry struct {
	// seq counts all lines of the chat from 1.
	Seq int `json:"seq"`
	// n counts, from 1, the lines that the account sent; `received?after=` refers to it.
	N    int       `json:"n,omitempty"`
	At   time.Time `json:"at"`
	From Speaker   `json:"from"`
	Via  Way       `json:"via,omitempty"`
	// type is the message type, or "event".
	Type string `json:"type"`
	// text is what the phone shows.
	Text       string `json:"text"`
	MsgID      string `json:"msgID,omitempty"`
	PictureURL string `json:"pictureURL,omitempty"`
	// state of a line of the customer's: sending, delivered or failed.
	State PushState `json:"state,omitempty"`
	// body is the request of the account as it came.
	Body json.RawMessage `json:"body,omitempty"`
	// latencyMs is how long the callback took for a passive reply.
	LatencyMS float64 `json:"latencyMs,omitempty"`
	// options are the items of a msgmenu, which the customer can tap.
	Options []MenuOption `json:"options,omitempty"`
	// kfAccount is who signed the message.
	KFAccount string `json:"kfAccount,omitempty"`
}

// MenuOption is one item of a msgmenu.
type MenuOption struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// customer is one user of an app; the account's mutex guards it.
type customer struct {
	openID       string
	profile      Profile
	ledger       ledger
	lastExchange time.Time
	typingUntil  time.Time
	chat         []Entry
	lastSeq      int
	lastReceived int
	seen         map[[sha256.Size]byte]int // how often the account sent this content
	changed      chan struct{}             // closed and replaced when the chat changes
	queue        []*job
	pushing      bool
}

// customerLocked finds a customer or makes one: whoever writes exists. The caller holds a.mu.
func (a *account) customerLocked(openID string) (*customer, error) {
	if c, ok := a.customers[openID]; ok {
		return c, nil
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(openID) {
		return nil, problemf(http.StatusBadRequest, "openid must be 1 to 64 letters, digits, - or _")
	}
	if len(a.customers) >= maxCustomers {
		return nil, problemf(http.StatusTooManyRequests, "there are %d customers already", maxCustomers)
	}
	c := &customer{
		openID:  openID,
		ledger:  ledger{},
		seen:    map[[sha256.Size]byte]int{},
		changed: make(chan struct{}),
	}
	a.customers[openID] = c
	return c, nil
}

// appendLocked adds a line, drops the oldest ones beyond the limit, and wakes whoever waits.
func (a *account) appendLocked(c *customer, e Entry) {
	c.lastSeq++
	e.Seq = c.lastSeq
	if e.From == FromAccount {
		c.lastReceived++
		e.N = c.lastReceived
	}
	c.chat = append(c.chat, e)
	if len(c.chat) > historySlack*a.history {
		c.chat = append([]Entry(nil), c.chat[len(c.chat)-a.history:]...)
		c.seen = map[[sha256.Size]byte]int{}
		for _, kept := range c.chat {
			if kept.Via == ViaSend {
				c.seen[sha256.Sum256(kept.Body)]++
			}
		}
	}
	c.wake()
}

// markLocked changes the state of a line if it is still remembered.
func (c *customer) markLocked(seq int, state PushState) {
	for i := len(c.chat) - 1; i >= 0; i-- {
		if c.chat[i].Seq == seq {
			c.chat[i].State = state
			c.wake()
			return
		}
	}
}

func (c *customer) wake() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// entriesLocked copies the lines that match, oldest first.
func (c *customer) entriesLocked(match func(Entry) bool) []Entry {
	found := []Entry{}
	for _, e := range c.chat {
		if match(e) {
			found = append(found, e)
		}
	}
	return found
}

// customerInfos lists the first customers by openid.
func (a *account) customerInfos(now time.Time) []CustomerInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	infos := []CustomerInfo{}
	for _, openID := range slices.Sorted(maps.Keys(a.customers)) {
		if len(infos) == maxListed {
			break
		}
		infos = append(infos, a.infoLocked(a.customers[openID], now))
	}
	return infos
}

func (a *account) infoLocked(c *customer, now time.Time) CustomerInfo {
	info := CustomerInfo{
		OpenID: c.openID, Profile: c.profile, UnionID: a.unionIDLocked(c),
		Windows: map[string]window{}, Typing: now.Before(c.typingUntil), Lines: c.lastSeq,
	}
	for t, w := range c.ledger {
		if now.Before(w.Expires) {
			info.Windows[string(t)] = w
		}
	}
	return info
}
