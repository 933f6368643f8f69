package catalog_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// link is a connection to a server that a test can cut.
type link struct {
	t       *testing.T
	target  string
	address string

	mu       sync.Mutex
	whole    bool
	listener net.Listener
	conns    []net.Conn
	runners  sync.WaitGroup
}

func newLink(t *testing.T, target string) *link {
	t.Helper()
	l := &link{t: t, target: target, address: "127.0.0.1:0"}
	l.restore()
	l.address = l.listener.Addr().String()
	t.Cleanup(l.cut)
	return l
}

// cut ends all connections and refuses new ones.
func (l *link) cut() {
	l.mu.Lock()
	l.whole = false
	l.listener.Close()
	for _, conn := range l.conns {
		conn.Close()
	}
	l.conns = nil
	l.mu.Unlock()
	l.runners.Wait()
}

func (l *link) restore() {
	l.t.Helper()
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		l.t.Fatal(err)
	}
	l.listener, l.whole = listener, true
	l.runners.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			l.join(near)
		}
	})
}

// join carries bytes between a connection and the server.
func (l *link) join(near net.Conn) {
	far, err := net.Dial("tcp", l.target)
	if err != nil {
		near.Close()
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.whole {
		near.Close()
		far.Close()
		return
	}
	l.conns = append(l.conns, near, far)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		l.runners.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // It ends when one of the two is closed, and then both are.
			way[0].Close()
			way[1].Close()
		})
	}
}
