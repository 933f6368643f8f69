package wechatsim

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxLoadMessages = 500_000
	maxLoadRate     = 10_000
	maxLoads        = 20
	loadTick        = time.Millisecond
)

// LoadSpec asks for a stream of texts: customers take turns, every content is unique unless the spec says otherwise.
type LoadSpec struct {
	// customers is how many write (default 10); their openids are the prefix and a number.
	Customers int `json:"customers,omitempty"`
	// ratePerSecond of all customers together (default 10).
	RatePerSecond float64 `json:"ratePerSecond,omitempty"`
	// seconds that the load lasts (default 10).
	Seconds float64 `json:"seconds,omitempty"`
	// openidPrefix defaults to the load's id.
	OpenIDPrefix string `json:"openidPrefix,omitempty"`
	// padding makes every content at least this many bytes long (at most 4096).
	Padding int `json:"padding,omitempty"`
	// content of every text (default "{load} customer {customer} message {message}", with these three replaced).
	Content string `json:"content,omitempty"`
}

// LoadMessage is one text of a load.
type LoadMessage struct {
	OpenID string `json:"openid"`
	// seq is its place among the customer's messages, from 1.
	Seq     int    `json:"seq"`
	MsgID   string `json:"msgId"`
	Content string `json:"content"`
	// acknowledged means that the callback answered success.
	Acknowledged bool      `json:"acknowledged"`
	Done         bool      `json:"done"`
	At           time.Time `json:"at"`
	Attempts     int       `json:"attempts"`
	// latencyMs runs from writing to the acknowledgement, with waiting and retries; answerMs is the last attempt alone.
	LatencyMS float64 `json:"latencyMs"`
	AnswerMS  float64 `json:"answerMs"`
	// reply is the beginning of the passive reply that the customer saw.
	Reply   string `json:"reply,omitempty"`
	Replied bool   `json:"replied,omitempty"`
}

// Percentiles of a set of latencies, in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// LoadReport says how a load goes or went.
type LoadReport struct {
	ID           string      `json:"id"`
	AppID        string      `json:"appid"`
	State        LoadState   `json:"state"`
	Spec         LoadSpec    `json:"spec"`
	Planned      int         `json:"planned"`
	Written      int         `json:"written"`
	Acknowledged int         `json:"acknowledged"`
	Failed       int         `json:"failed"`
	Retried      int         `json:"retried"`
	Replied      int         `json:"replied"`
	Latency      Percentiles `json:"latencyMs"`
	Answer       Percentiles `json:"answerMs"`
	// replyMs are the answers that were passive replies.
	Reply    Percentiles   `json:"replyMs"`
	Messages []LoadMessage `json:"messages,omitempty"`
}

// LoadState is running, done or stopped.
type LoadState string

// The states of a load; it is done when the last push has come to its end.
const (
	LoadRunning LoadState = "running"
	LoadDone    LoadState = "done"
	LoadStopped LoadState = "stopped"
)

type load struct {
	id, appID string
	spec      LoadSpec
	planned   int
	stop      chan struct{}
	stopOnce  sync.Once
	pending   sync.WaitGroup

	mu       sync.Mutex
	state    LoadState
	messages []LoadMessage
}

func (spec *LoadSpec) prepare(id string) (int, error) {
	setDefault(&spec.Customers, 10)
	setDefault(&spec.RatePerSecond, 10)
	setDefault(&spec.Seconds, 10)
	setDefault(&spec.OpenIDPrefix, id+"-")
	setDefault(&spec.Content, "{load} customer {customer} message {message}")
	planned := int(spec.RatePerSecond * spec.Seconds)
	switch {
	case spec.Customers < 1 || spec.Customers > maxCustomers:
		return 0, problemf(http.StatusBadRequest, "customers must be 1 to %d", maxCustomers)
	case spec.RatePerSecond <= 0 || spec.RatePerSecond > maxLoadRate:
		return 0, problemf(http.StatusBadRequest, "ratePerSecond must be above 0 and at most %d", maxLoadRate)
	case planned < 1 || planned > maxLoadMessages:
		return 0, problemf(http.StatusBadRequest, "ratePerSecond times seconds must be 1 to %d", maxLoadMessages)
	case len(spec.Content) > maxContent:
		return 0, problemf(http.StatusBadRequest, "content must have at most %d bytes", maxContent)
	case spec.Padding < 0 || spec.Padding > 4096:
		return 0, problemf(http.StatusBadRequest, "padding must be 0 to 4096")
	}
	return planned, nil
}

// StartLoad begins a load in the background and returns its first report.
func (s *Server) StartLoad(ctx context.Context, appID string, spec LoadSpec) (LoadReport, error) {
	acc, err := s.account(appID)
	if err != nil {
		return LoadReport{}, err
	}
	if acc.config().CallbackURL == "" {
		return LoadReport{}, errNoCallback
	}
	l := &load{id: "load" + randomID()[:8], appID: appID, state: LoadRunning, stop: make(chan struct{})}
	l.planned, err = spec.prepare(l.id)
	if err != nil {
		return LoadReport{}, err
	}
	l.spec = spec
	s.mu.Lock()
	if len(s.loads) >= maxLoads && !s.forgetLoadLocked() {
		s.mu.Unlock()
		return LoadReport{}, problemf(http.StatusTooManyRequests, "%d loads are running", maxLoads)
	}
	s.loads = append(s.loads, l)
	s.mu.Unlock()
	if !s.background(ctx, func(ctx context.Context) { s.runLoad(ctx, l) }) {
		return LoadReport{}, errStopping
	}
	return l.report(CountsOnly), nil
}

// forgetLoadLocked drops the oldest load that has ended.
func (s *Server) forgetLoadLocked() bool {
	for i, l := range s.loads {
		if l.report(CountsOnly).State != LoadRunning {
			s.loads = slices.Delete(s.loads, i, i+1)
			return true
		}
	}
	return false
}

func (s *Server) load(id string) (*load, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.loads {
		if l.id == id {
			return l, nil
		}
	}
	return nil, problemf(http.StatusNotFound, "no such load")
}

// Load reports on a load, with or without its messages.
func (s *Server) Load(id string, detail LoadDetail) (LoadReport, error) {
	l, err := s.load(id)
	if err != nil {
		return LoadReport{}, err
	}
	return l.report(detail), nil
}

// LoadDetail says how much of a load is reported.
type LoadDetail string

// The details of a report.
const (
	WithMessages LoadDetail = "messages"
	CountsOnly   LoadDetail = "counts"
)

// StopLoad ends a load early; messages under way come to their end.
func (s *Server) StopLoad(id string) error {
	l, err := s.load(id)
	if err != nil {
		return err
	}
	l.stopOnce.Do(func() { close(l.stop) })
	return nil
}

// runLoad writes what is due at every tick, and waits for the last answer.
func (s *Server) runLoad(ctx context.Context, l *load) {
	ticker := time.NewTicker(loadTick)
	defer ticker.Stop()
	state := LoadDone
	start := <-ticker.C
	for now := start; len(l.messages) < l.planned && state == LoadDone; {
		due := min(l.planned, int(now.Sub(start).Seconds()*l.spec.RatePerSecond)+1)
		for len(l.messages) < due {
			s.writeOne(ctx, l)
		}
		select {
		case now = <-ticker.C:
		case <-l.stop:
			state = LoadStopped
		case <-ctx.Done():
			state = LoadStopped
		}
	}
	l.pending.Wait()
	l.mu.Lock()
	l.state = state
	l.mu.Unlock()
}

// writeOne lets the next customer write; only runLoad appends, so it may read the length without the lock.
func (s *Server) writeOne(ctx context.Context, l *load) {
	index := len(l.messages)
	m := LoadMessage{
		OpenID: l.spec.OpenIDPrefix + strconv.Itoa(index%l.spec.Customers+1),
		Seq:    index/l.spec.Customers + 1,
		At:     s.opts.Clock(),
	}
	m.Content = strings.NewReplacer(
		"{load}", l.id, "{customer}", strconv.Itoa(index%l.spec.Customers+1), "{message}", strconv.Itoa(m.Seq),
	).Replace(l.spec.Content)
	for len(m.Content) < l.spec.Padding {
		m.Content += "。"
	}
	l.mu.Lock()
	l.messages = append(l.messages, m)
	l.mu.Unlock()
	l.pending.Add(1)
	push, err := s.WriteAsync(ctx, l.appID, m.OpenID, Message{Type: TypeText, Content: m.Content}, func(p Push) {
		defer l.pending.Done()
		l.finish(index, p)
	})
	if err != nil {
		l.finish(index, Push{State: PushFailed})
		l.pending.Done()
		return
	}
	l.mu.Lock()
	l.messages[index].MsgID = push.MsgID
	l.mu.Unlock()
}

func (l *load) finish(index int, p Push) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &l.messages[index]
	m.Done = true
	m.Acknowledged = p.State == PushDelivered
	m.Attempts = len(p.Attempts)
	m.LatencyMS = p.LatencyMS
	if m.Attempts > 0 {
		m.AnswerMS = p.Attempts[m.Attempts-1].LatencyMS
	}
	if p.Reply != nil {
		m.Replied, m.Reply = true, shorten(p.Reply.Text)
	}
}

func (l *load) report(detail LoadDetail) LoadReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := LoadReport{
		ID: l.id, AppID: l.appID, State: l.state, Spec: l.spec, Planned: l.planned, Written: len(l.messages),
	}
	var latencies, answers, replies []float64
	for _, m := range l.messages {
		switch {
		case m.Acknowledged:
			r.Acknowledged++
			latencies = append(latencies, m.LatencyMS)
			answers = append(answers, m.AnswerMS)
		case m.Done:
			r.Failed++
		}
		if m.Replied {
			r.Replied++
			replies = append(replies, m.AnswerMS)
		}
		if m.Attempts > 1 {
			r.Retried++
		}
	}
	r.Latency, r.Answer, r.Reply = percentiles(latencies), percentiles(answers), percentiles(replies)
	if detail == WithMessages {
		r.Messages = slices.Clone(l.messages)
	}
	return r
}

func percentiles(values []float64) Percentiles {
	if len(values) == 0 {
		return Percentiles{}
	}
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(q*float64(len(values)-1))] }
	return Percentiles{P50: at(0.5), P90: at(0.9), P99: at(0.99), Max: values[len(values)-1]}
}
