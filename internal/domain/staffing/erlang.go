package staffing

// ErlangC is the probability that a contact waits, with a number of servers and the offered load in erlangs. It is 1 where the
// servers do not suffice, and 0 where nothing is offered.
func ErlangC(servers int, offered float64) float64 {
	line := newErlang(offered)
	line.grow(servers)
	return line.wait()
}

// erlang carries Erlang B, the probability that a contact finds every server busy if nobody queues, from one number of servers
// to the next. The recursion has only positive terms of at most 1: nothing overflows, nothing cancels out.
type erlang struct {
	offered  float64
	servers  int
	blocking float64
}

func newErlang(offered float64) erlang { return erlang{offered: offered, blocking: 1} }

// grow goes on to a number of servers that is not smaller than before.
func (e *erlang) grow(servers int) {
	for ; e.servers < servers && e.blocking > 0; e.servers++ {
		busy := e.offered * e.blocking
		e.blocking = busy / (float64(e.servers+1) + busy)
	}
	e.servers = max(e.servers, servers)
}

// wait is Erlang C.
func (e *erlang) wait() float64 {
	if e.offered <= 0 {
		return 0
	}
	utilization := e.offered / float64(e.servers)
	if utilization >= 1 {
		return 1
	}
	return e.blocking / (1 - utilization*(1-e.blocking))
}
