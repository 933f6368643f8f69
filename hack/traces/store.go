package traces

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits bound what a Store keeps.
type Limits struct {
	// Traces at most; the one that began to arrive first goes first.
	Traces int
	// Spans of all traces together, at most.
	Spans int
	// SpansPerTrace at most; further ones are dropped.
	SpansPerTrace int
}

// DefaultLimits hold some minutes of a benchmark in about 100 MB.
func DefaultLimits() Limits { return Limits{Traces: 5000, Spans: 100_000, SpansPerTrace: 1000} }

// Span is one span as it is shown.
type Span struct {
	ID string `json:"id"`
	// Parent is empty for a root.
	Parent     string            `json:"parent,omitempty"`
	Name       string            `json:"name"`
	Service    string            `json:"service"`
	Kind       string            `json:"kind"`
	Start      time.Time         `json:"start"`
	DurationMs float64           `json:"durationMs"`
	Error      string            `json:"error,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// End is when the span ended.
func (s Span) End() time.Time { return s.Start.Add(s.duration()) }

func (s Span) duration() time.Duration {
	return time.Duration(s.DurationMs * float64(time.Millisecond))
}

// Summary is a trace in a list.
type Summary struct {
	ID string `json:"id"`
	// Name is that of the root: the span without a parent, or the first one while that has not arrived.
	Name     string    `json:"name"`
	Services []string  `json:"services"`
	Start    time.Time `json:"start"`
	// DurationMs is from the first start to the last end.
	DurationMs float64 `json:"durationMs"`
	Spans      int     `json:"spans"`
}

// Trace is a trace with its spans in the order of their starts.
type Trace struct {
	Summary
	Spans []Span `json:"spans"`
}

// Path returns a span's ancestors and the span itself, the root first; it begins later when an ancestor has not arrived.
func (t Trace) Path(id string) []Span {
	var path []Span
	// A path is no longer than the trace has spans, whatever the spans say of each other.
	for range t.Spans {
		i := slices.IndexFunc(t.Spans, func(s Span) bool { return s.ID == id })
		if i < 0 {
			break
		}
		path = append(path, t.Spans[i])
		id = t.Spans[i].Parent
	}
	slices.Reverse(path)
	return path
}

// trace is what arrived of one trace.
type trace struct {
	id    string
	spans map[string]Span
}

// Store keeps the newest traces. It is safe for concurrent use.
type Store struct {
	limits Limits

	mu     sync.Mutex
	traces map[string]*trace
	// order holds the traces as they began to arrive.
	order []*trace
	spans int
}

// NewStore returns an empty store.
func NewStore(limits Limits) *Store {
	return &Store{limits: limits, traces: map[string]*trace{}}
}

// add keeps a span of a trace.
func (s *Store) add(id string, span Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.traces[id]
	if !ok {
		t = &trace{id: id, spans: map[string]Span{}}
		s.traces[id] = t
		s.order = append(s.order, t)
	}
	if _, repeated := t.spans[span.ID]; repeated || len(t.spans) >= s.limits.SpansPerTrace {
		return
	}
	t.spans[span.ID] = span
	s.spans++
	for len(s.order) > s.limits.Traces || s.spans > s.limits.Spans && len(s.order) > 1 {
		oldest := s.order[0]
		s.order[0] = nil // The array behind the slice lives on until append moves it.
		s.order = s.order[1:]
		s.spans -= len(oldest.spans)
		delete(s.traces, oldest.id)
	}
}

// Query says which traces a list holds.
type Query struct {
	// Name is a part of the root's name; empty for all.
	Name string
	// Since is the earliest start.
	Since time.Time
	// Limit is the most that is listed; the newest are.
	Limit int
}

// List returns traces, the one that started last first.
func (s *Store) List(q Query) []Summary {
	s.mu.Lock()
	list := make([]Summary, 0, len(s.order))
	for _, t := range s.order {
		summary := t.summary()
		if strings.Contains(summary.Name, q.Name) && !summary.Start.Before(q.Since) {
			list = append(list, summary)
		}
	}
	s.mu.Unlock()
	slices.SortStableFunc(list, func(a, b Summary) int { return b.Start.Compare(a.Start) })
	return list[:min(len(list), q.Limit)]
}

// Get returns one trace.
func (s *Store) Get(id string) (Trace, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.traces[id]
	if !ok {
		return Trace{}, false
	}
	spans := make([]Span, 0, len(t.spans))
	for _, span := range t.spans {
		spans = append(spans, span)
	}
	slices.SortFunc(spans, byStart)
	return Trace{t.summary(), spans}, true
}

// byStart orders spans as they started; ids break ties, so that the order is always the same.
func byStart(a, b Span) int {
	return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(b.DurationMs, a.DurationMs), cmp.Compare(a.ID, b.ID))
}

func (t *trace) summary() Summary {
	var first, root *Span
	var end time.Time
	services := map[string]bool{}
	for _, span := range t.spans {
		if first == nil || byStart(span, *first) < 0 {
			first = &span
		}
		if span.Parent == "" && (root == nil || byStart(span, *root) < 0) {
			root = &span
		}
		if span.End().After(end) {
			end = span.End()
		}
		services[span.Service] = true
	}
	out := Summary{
		ID: t.id, Name: cmp.Or(root, first).Name, Start: first.Start, Spans: len(t.spans),
		DurationMs: milliseconds(end.Sub(first.Start)), Services: make([]string, 0, len(services)),
	}
	for service := range services {
		out.Services = append(out.Services, service)
	}
	slices.Sort(out.Services)
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
