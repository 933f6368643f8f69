package testenv

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// Relay is a way to a server that can be cut, as a network can. It is cut when the test ends.
func Relay(t testing.TB, server string) (address string, cut func()) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String(), relay(t, listener, server)
}

// relay carries what comes in at the listener to the server until it is cut, at the latest when the test ends.
func relay(t testing.TB, listener net.Listener, server string) (cut func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var carriers sync.WaitGroup
	carriers.Go(func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				return
			}
			carriers.Go(func() { carry(ctx, outside, server) })
		}
	})
	cut = sync.OnceFunc(func() {
		cancel()
		listener.Close()
		carriers.Wait()
	})
	t.Cleanup(cut)
	return cut
}

// carry copies both ways until either side, or ctx, ends.
func carry(ctx context.Context, outside net.Conn, server string) {
	defer outside.Close()
	inside, err := (&net.Dialer{}).DialContext(ctx, "tcp", server)
	if err != nil {
		return
	}
	end := context.AfterFunc(ctx, func() { outside.Close(); inside.Close() })
	defer end()
	var upward sync.WaitGroup
	upward.Go(func() {
		_, _ = io.Copy(inside, outside)
		inside.Close()
	})
	_, _ = io.Copy(outside, inside)
	outside.Close()
	upward.Wait()
	inside.Close()
}
