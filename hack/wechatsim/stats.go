package wechatsim

import (
	"maps"
	"strconv"
	"sync"
)

// Stats counts what happened, of one app or of all together.
type Stats struct {
	// pushes is the number of messages and events that customers caused; attempts includes retries and repeats.
	Pushes    int `json:"pushes"`
	Attempts  int `json:"attempts"`
	Retries   int `json:"retries"`
	Successes int `json:"successes"`
	// gaveUp got no answer in all attempts, invalidAnswers got one that the platform does not understand,
	// suppressed were never tried because the callback had failed too often (MarkFail).
	GaveUp         int `json:"gaveUp"`
	InvalidAnswers int `json:"invalidAnswers"`
	Suppressed     int `json:"suppressed"`
	// passiveReplies is how many answers of official accounts customers saw, templatesSent how many template messages.
	PassiveReplies int `json:"passiveReplies"`
	TemplatesSent  int `json:"templatesSent"`
	// sends counts calls of custom/send by the code that was answered; "drop" and "http-500" come from faults.
	SendsAccepted int            `json:"sendsAccepted"`
	SendsByCode   map[string]int `json:"sendsByCode"`
	// duplicates is how many accepted messages had content that the same customer had received before.
	Duplicates int `json:"duplicates"`
	// calls counts all calls of the platform's API by name.
	Calls map[string]int `json:"calls"`
}

// add sums up two counts.
func (s Stats) add(o Stats) Stats {
	s.Pushes += o.Pushes
	s.Attempts += o.Attempts
	s.Retries += o.Retries
	s.Successes += o.Successes
	s.GaveUp += o.GaveUp
	s.InvalidAnswers += o.InvalidAnswers
	s.Suppressed += o.Suppressed
	s.PassiveReplies += o.PassiveReplies
	s.TemplatesSent += o.TemplatesSent
	s.SendsAccepted += o.SendsAccepted
	s.Duplicates += o.Duplicates
	s.SendsByCode = sumMaps(s.SendsByCode, o.SendsByCode)
	s.Calls = sumMaps(s.Calls, o.Calls)
	return s
}

func sumMaps(a, b map[string]int) map[string]int {
	sum := map[string]int{}
	maps.Copy(sum, a)
	for k, n := range b {
		sum[k] += n
	}
	return sum
}

// stats is a Stats that many may write to.
type stats struct {
	mu sync.Mutex
	s  Stats
}

func newStats() *stats {
	return &stats{s: Stats{SendsByCode: map[string]int{}, Calls: map[string]int{}}}
}

func (s *stats) change(f func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.s)
}

func (s *stats) snapshot() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.s.add(Stats{})
}

func (s *stats) call(op, outcome string) {
	s.change(func(c *Stats) {
		c.Calls[op]++
		if op == opSend {
			c.SendsByCode[outcome]++
		}
	})
}

func codeLabel(code int) string { return strconv.Itoa(code) }

// Stats gives the counts of all apps together and of each.
func (s *Server) Stats() (total Stats, byApp map[string]Stats) {
	total = s.stray.snapshot()
	byApp = map[string]Stats{}
	for _, acc := range s.sortedAccounts() {
		one := acc.stats.snapshot()
		byApp[acc.config().AppID] = one
		total = total.add(one)
	}
	return total, byApp
}
