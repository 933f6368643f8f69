// Package listen reads and picks the addresses that the stack's servers listen on. It must never hand out an address
// that means "every interface": what the stack serves is for this machine and its pods alone.
package listen

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
)

// Ports below the kernel's ephemeral range (32768 up): no outgoing connection can take one between picking and binding.
const (
	firstPort = 20000
	lastPort  = 31999
	attempts  = 200
)

// Parse reads "ip:port". Port 0 means a free port, picked here so that every server can be told its port before it starts.
func Parse(ctx context.Context, address string) (netip.AddrPort, error) {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("reading listen address %q: %w", address, err)
	}
	if parsed.Addr().IsUnspecified() {
		return netip.AddrPort{}, fmt.Errorf("reading listen address %q: it means every interface; name one", address)
	}
	if parsed.Port() != 0 {
		return parsed, nil
	}
	return FreePort(ctx, parsed.Addr())
}

// FreePort finds a port of ip that nothing listens on.
func FreePort(ctx context.Context, ip netip.Addr) (netip.AddrPort, error) {
	var failures []error
	for range attempts {
		//nolint:gosec // G404: which free port it is is no secret.
		candidate := firstPort + rand.IntN(lastPort-firstPort+1)
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(ip.String(), strconv.Itoa(candidate)))
		if err != nil {
			failures = append(failures, err)
			continue
		}
		picked, err := netip.ParseAddrPort(listener.Addr().String())
		if err := errors.Join(err, listener.Close()); err != nil {
			return netip.AddrPort{}, fmt.Errorf("picking a free port: %w", err)
		}
		return picked, nil
	}
	return netip.AddrPort{}, fmt.Errorf("picking a free port of %s after %d attempts: %w", ip, attempts, failures[len(failures)-1])
}
