package main

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	utiliptables "k8s.io/kubernetes/pkg/util/iptables"
)

const (
	guardChain = utiliptables.Chain("YINGDA-GUARD")
	podsChain  = utiliptables.Chain("YINGDA-PODS")
	tableRaw   = utiliptables.Table("raw")
	// podRouteMetric is high: the CNI bridge's own route wins once it is up.
	podRouteMetric = 4096
)

// bridgeOwner returns the run directory that the host bridge is marked with.
func bridgeOwner() (owner string, exists bool, err error) {
	link, err := netlink.LinkByName(hostBridge)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("looking for the bridge %s: %w", hostBridge, err)
	}
	return link.Attrs().Alias, true, nil
}

// ensureNetwork makes the host's side of the cluster network. Its bridge holds
// the address that pods reach, and the routes keep what is sent to a Service or
// a pod that is not there from leaving by the default gateway.
func (c *cluster) ensureNetwork() error {
	link, err := ensureBridge(c.layout.dir)
	if err != nil {
		return err
	}
	address, err := netlink.ParseAddr(hostAddress + "/32")
	if err != nil {
		return fmt.Errorf("parsing the host address: %w", err)
	}
	if err := netlink.AddrReplace(link, address); err != nil {
		return fmt.Errorf("giving %s its address: %w", hostBridge, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bringing %s up: %w", hostBridge, err)
	}
	for _, route := range []struct {
		cidr   string
		metric int
	}{{serviceCIDR, 0}, {podCIDR, podRouteMetric}} {
		_, destination, err := net.ParseCIDR(route.cidr)
		if err != nil {
			return fmt.Errorf("parsing a route: %w", err)
		}
		if err := netlink.RouteReplace(&netlink.Route{
			LinkIndex: link.Attrs().Index, Dst: destination, Priority: route.metric, Scope: netlink.SCOPE_LINK,
		}); err != nil {
			return fmt.Errorf("routing %s to %s: %w", route.cidr, hostBridge, err)
		}
	}
	return ensureFirewall()
}

func ensureBridge(owner string) (netlink.Link, error) {
	bridge := &netlink.Bridge{LinkAttrs: netlink.NewLinkAttrs()}
	bridge.Name = hostBridge
	if err := netlink.LinkAdd(bridge); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("making the bridge %s: %w", hostBridge, err)
	}
	link, err := netlink.LinkByName(hostBridge)
	if err != nil {
		return nil, fmt.Errorf("finding the bridge %s: %w", hostBridge, err)
	}
	if err := netlink.LinkSetAlias(link, owner); err != nil {
		return nil, fmt.Errorf("marking the bridge %s: %w", hostBridge, err)
	}
	return link, nil
}

// ensureFirewall closes the cluster's addresses to every other interface, and
// lets pods through on machines whose own rules forward nothing.
func ensureFirewall() error {
	ipt := utiliptables.New(utiliptables.ProtocolIPv4)
	// Before connection tracking and address translation, so that a Service
	// address cannot be used as a way around it.
	guard := [][]string{
		// kube-proxy sets route_localnet for NodePorts on 127.0.0.1: without this
		// a neighbour on the wire could send to that address and be answered.
		{"!", "-i", "lo", "-d", "127.0.0.0/8", "-j", "DROP"},
	}
	for _, inside := range []string{"lo", hostBridge, podBridge, "veth+"} {
		guard = append(guard, []string{"-i", inside, "-j", "RETURN"})
	}
	for _, own := range []string{hostAddress + "/32", serviceCIDR, podCIDR} {
		guard = append(guard, []string{"-d", own, "-j", "DROP"})
	}
	if err := ensureChain(ipt, tableRaw, guardChain, guard, utiliptables.ChainPrerouting); err != nil {
		return err
	}
	return ensureChain(ipt, utiliptables.TableFilter, podsChain,
		[][]string{{"-i", podBridge, "-j", "ACCEPT"}, {"-o", podBridge, "-j", "ACCEPT"}},
		utiliptables.ChainForward, utiliptables.ChainInput)
}

func ensureChain(ipt utiliptables.Interface, table utiliptables.Table, chain utiliptables.Chain, rules [][]string, from ...utiliptables.Chain) error {
	if _, err := ipt.EnsureChain(table, chain); err != nil {
		return fmt.Errorf("making the iptables chain %s: %w", chain, err)
	}
	for _, rule := range rules {
		if _, err := ipt.EnsureRule(utiliptables.Append, table, chain, rule...); err != nil {
			return fmt.Errorf("filling the iptables chain %s: %w", chain, err)
		}
	}
	for _, parent := range from {
		if _, err := ipt.EnsureRule(utiliptables.Prepend, table, parent, "-j", string(chain)); err != nil {
			return fmt.Errorf("calling the iptables chain %s: %w", chain, err)
		}
	}
	return nil
}

// removeNetwork takes away every device and chain of the cluster. The host
// bridge goes last: as long as it is there, it says whose the rest is.
func removeNetwork() error {
	// kube-proxy writes its chains for both protocols. A chain that stays would
	// still translate Service addresses: then the routes must stay too, or what
	// is sent to a pod would leave by the default gateway.
	if err := errors.Join(
		removeChains("iptables-save", utiliptables.ProtocolIPv4), removeChains("ip6tables-save", utiliptables.ProtocolIPv6),
	); err != nil {
		return err
	}
	return errors.Join(removePorts(podBridge), removeLink(podBridge), removeLink(hostBridge))
}

// removePorts deletes the veth devices that a killed runtime left in a bridge.
func removePorts(bridge string) error {
	parent, err := netlink.LinkByName(bridge)
	if err != nil {
		return nil //nolint:nilerr // without the bridge there are no ports
	}
	links, err := netlink.LinkList()
	if err != nil {
		return fmt.Errorf("listing network devices: %w", err)
	}
	var errs []error
	for _, link := range links {
		if link.Attrs().MasterIndex == parent.Attrs().Index {
			errs = append(errs, removeLink(link.Attrs().Name))
		}
	}
	return errors.Join(errs...)
}

func removeLink(name string) error {
	link, err := netlink.LinkByName(name)
	if _, missing := errors.AsType[netlink.LinkNotFoundError](err); missing {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("removing the network device %s: %w", name, err)
	}
	return nil
}

func removeChains(saveProgram string, protocol utiliptables.Protocol) error {
	saved, err := run(saveProgram)
	if err != nil {
		return err
	}
	script := removalScript(string(saved))
	if script == "" {
		return nil
	}
	ipt := utiliptables.New(protocol)
	if err := ipt.RestoreAll([]byte(script), utiliptables.NoFlushTables, utiliptables.NoRestoreCounters); err != nil {
		return fmt.Errorf("removing the %s chains: %w", protocol, err)
	}
	return nil
}

// ownChain says whether a chain is made by kube-proxy, a CNI plugin or us.
func ownChain(name string) bool {
	for _, prefix := range []string{"KUBE-", "CNI-", "YINGDA-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// removalScript turns the output of iptables-save into an input for
// iptables-restore --noflush that takes our chains away and nothing else:
// first the rules of other chains that jump to ours, then the chains.
func removalScript(saved string) string {
	var script strings.Builder
	var deletions, flushes, removals []string
	for line := range strings.Lines(saved) {
		line = strings.TrimRight(line, "\n")
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "*"):
			deletions, flushes, removals = []string{line}, nil, nil
		case strings.HasPrefix(line, ":") && ownChain(fields[0][1:]):
			flushes = append(flushes, fields[0]+" - [0:0]")
			removals = append(removals, "-X "+fields[0][1:])
		case strings.HasPrefix(line, "-A ") && !ownChain(fields[1]) && ownChain(jumpTarget(fields)):
			deletions = append(deletions, "-D"+strings.TrimPrefix(line, "-A"))
		case line == "COMMIT" && len(removals) > 0:
			// Declaring a chain without --noflush empties it, so that no rule
			// refers to any of ours when they are removed.
			parts := append(append(append([]string{deletions[0]}, flushes...), deletions[1:]...), removals...)
			script.WriteString(strings.Join(parts, "\n") + "\nCOMMIT\n")
		}
	}
	return script.String()
}

func jumpTarget(fields []string) string {
	for i, field := range fields[:len(fields)-1] {
		if field == "-j" || field == "-g" {
			return fields[i+1]
		}
	}
	return ""
}

// freeAddress fails when another program already listens on the address.
func freeAddress(address string) error {
	listener, err := net.Listen("tcp", address) //nolint:noctx // closed at once
	if errors.Is(err, unix.EADDRINUSE) {
		return fmt.Errorf("%s is in use by another program (ss -ltnp shows which): stop it first", address)
	}
	if err != nil {
		return fmt.Errorf("trying %s: %w", address, err)
	}
	if err := listener.Close(); err != nil {
		return fmt.Errorf("trying %s: %w", address, err)
	}
	return nil
}

// foreignKubernetes says whether chains of a kube-proxy are there that cannot be ours.
func foreignKubernetes() (bool, error) {
	saved, err := run("iptables-save", "-t", "nat")
	return strings.Contains(string(saved), "\n:KUBE-SERVICES "), err
}
