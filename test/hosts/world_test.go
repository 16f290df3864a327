//go:build linux

package hosts_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"longear/test/rig"
)

// A world is what one test plays in: networks, and hosts that join and leave them. Worlds cannot reach each other, nor the
// machine's own networks.
type world struct {
	t    *testing.T
	name string
	dir  string
	nets int
	addr int // last part of the newest host address; unique in a world, so that any two networks may be joined
}

var worlds atomic.Int64

func newWorld(t *testing.T) *world {
	t.Helper()
	need(t)
	n := worlds.Add(1)
	w := &world{t: t, name: fmt.Sprintf("%s.%d.", run.Name, n), dir: filepath.Join(run.Dir, fmt.Sprint(n))}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		rig.RemoveNamespaces(w.name)
		os.RemoveAll(w.dir)
	})
	return w
}

// ip runs one ip command, written as on a command line.
func ip(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", line, err, out)
	}
}

// A network is one bridge in a namespace of its own: an access point or a switch, with nothing behind it.
type network struct {
	w      *world
	ns     string
	subnet netip.Prefix // zero: nobody gives out addresses, link-local IPv6 is all there is
	cables int
}

// network makes a network. An empty subnet is one without addresses.
func (w *world) network(subnet string) *network {
	w.t.Helper()
	w.nets++
	n := &network{w: w, ns: fmt.Sprintf("%snet%d", w.name, w.nets)}
	if subnet != "" {
		n.subnet = netip.MustParsePrefix(subnet)
	}
	ip(w.t, "netns add %s", n.ns)
	// Without snooping: there is no querier here, and a bridge that forgets who listens is not what is tested.
	ip(w.t, "-n %s link add br0 type bridge mcast_snooping 0", n.ns)
	ip(w.t, "-n %s link set br0 up", n.ns)
	return n
}

// cable joins two networks until it is unplugged.
func (n *network) cable(other *network) *port {
	n.w.t.Helper()
	n.cables++
	p := &port{n: n, name: fmt.Sprintf("cable%d", n.cables)}
	far := p.name + "far"
	ip(n.w.t, "link add %s netns %s type veth peer name %s netns %s", p.name, n.ns, far, other.ns)
	ip(n.w.t, "-n %s link set %s master br0 up", other.ns, far)
	ip(n.w.t, "-n %s link set %s master br0 up", n.ns, p.name)
	return p
}

// A port is where a host, or another network, is attached to a network.
type port struct {
	n    *network
	name string
}

// unplug cuts the link so that both ends notice: the carrier is gone.
func (p *port) unplug() { ip(p.n.w.t, "-n %s link set %s down", p.n.ns, p.name) }

// plug undoes unplug.
func (p *port) plug() { ip(p.n.w.t, "-n %s link set %s up", p.n.ns, p.name) }

// mute cuts the link so that nobody notices, as when a device is carried out of reach: the interface stays up and
// nothing passes.
func (p *port) mute() { ip(p.n.w.t, "-n %s link set %s nomaster", p.n.ns, p.name) }

// unmute undoes mute.
func (p *port) unmute() { ip(p.n.w.t, "-n %s link set %s master br0", p.n.ns, p.name) }

// A host is one machine: a namespace and a home for its longear.
type host struct {
	t    *testing.T
	w    *world
	name string
	ns   string
	home string
	nics int
}

// host makes a machine that is not on any network yet.
func (w *world) host(name string) *host {
	w.t.Helper()
	h := &host{t: w.t, w: w, name: name, ns: w.name + name, home: filepath.Join(w.dir, name)}
	ip(w.t, "netns add %s", h.ns)
	ip(w.t, "-n %s link set lo up", h.ns)
	return h
}

// A nic is a host's interface on one network.
type nic struct {
	*port // the other end
	h     *host
	name  string
	addr  netip.Addr // zero on a network without addresses
}

// join attaches the host to a network and brings the interface up.
func (h *host) join(n *network) *nic {
	h.t.Helper()
	h.w.addr++
	c := &nic{
		port: &port{n: n, name: fmt.Sprintf("%s%d", h.name, h.nics)},
		h:    h, name: fmt.Sprintf("eth%d", h.nics),
	}
	h.nics++
	ip(h.t, "link add %s netns %s type veth peer name %s netns %s", c.port.name, n.ns, c.name, h.ns)
	ip(h.t, "-n %s link set %s master br0 up", n.ns, c.port.name)
	if n.subnet.IsValid() {
		b := n.subnet.Addr().AsSlice()
		b[len(b)-1] = byte(h.w.addr)
		c.addr, _ = netip.AddrFromSlice(b)
		ip(h.t, "-n %s addr add %s/%d dev %s", h.ns, c.addr, n.subnet.Bits(), c.name)
	}
	ip(h.t, "-n %s link set %s up", h.ns, c.name)
	h.noWayOut()
	return c
}

// down switches the interface off at the host.
func (c *nic) down() { ip(c.h.t, "-n %s link set %s down", c.h.ns, c.name) }

// leave removes the interface, as when a Wi-Fi stick is pulled out.
func (c *nic) leave() { ip(c.h.t, "-n %s link del %s", c.h.ns, c.name) }

// noWayOut checks what the whole rig rests on: there is no default route.
func (h *host) noWayOut() {
	h.t.Helper()
	for _, family := range []string{"-4", "-6"} {
		out, err := exec.Command("ip", "-n", h.ns, family, "route", "show", "default").Output()
		if err != nil || len(out) > 0 {
			h.t.Fatalf("%s has a default route: %s %v", h.name, out, err)
		}
	}
}

// dropUDP makes the host's firewall drop datagrams to it without a word, except multicast and the discovery ports. Routing
// rules do it, so that no firewall tool is needed: the lookup of local addresses moves behind one that swallows UDP.
func (h *host) dropUDP() {
	h.t.Helper()
	ip(h.t, "-n %s rule add pref 90 lookup local", h.ns)
	for i, port := range []int{4450, 5353} {
		ip(h.t, "-n %s rule add pref %d ipproto udp dport %d lookup local", h.ns, 1+i, port)
	}
	ip(h.t, "-n %s rule add pref 10 iif eth0 ipproto udp blackhole", h.ns)
	ip(h.t, "-n %s rule del pref 0", h.ns)
}

// pause lets real time pass: the nodes are other processes with clocks of their own.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal("the test ended")
	}
}

// eventually waits until ok says so, and returns how long that took.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		pause(t, 50*time.Millisecond)
	}
	return time.Since(start)
}
