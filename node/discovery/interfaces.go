package discovery

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

const (
	// pollEvery is how long a changed interface may go unnoticed. People walk past each other in seconds.
	pollEvery = time.Second
	// A machine full of containers has hundreds of interfaces; Linux allows 20 IPv4 groups per socket.
	maxInterfaces = 16
	maxPrefixes   = 16
)

// Interface is one network interface as discovery sees it.
type Interface struct {
	Index int
	Name  string
	Flags net.Flags
	Addrs []netip.Prefix // own address and prefix length; link-local IPv6 without zone
}

// loopback reports whether i reaches only this machine.
func (i Interface) loopback() bool { return i.Flags&net.FlagLoopback != 0 }

// has reports whether i has an address of the family.
func (i Interface) has(ip6 bool) bool {
	return slices.ContainsFunc(i.Addrs, func(p netip.Prefix) bool { return p.Addr().Is6() == ip6 })
}

// Source lists the machine's interfaces. Android apps may not read them from the kernel and hand in their own.
type Source func() ([]Interface, error)

// Watcher knows the live interfaces. It is made before the libp2p host, whose announced addresses come from
// [Watcher.Announce], and then given to the [Ladder], which keeps it fresh while it runs.
type Watcher struct {
	source Source

	mu      sync.Mutex // guards the fields below
	live    []Interface
	err     error
	pushed  bool          // Set was called: source is not asked any more
	polled  bool          // run keeps live fresh
	changed chan struct{} // closed and replaced at each change
}

// NewWatcher returns a watcher that has polled source once. A nil source asks the operating system.
func NewWatcher(source Source) *Watcher {
	if source == nil {
		source = systemInterfaces
	}
	w := &Watcher{source: source, changed: make(chan struct{})}
	w.Poll()
	return w
}

// Interfaces returns the interfaces that are up and have an address. The caller must not change the result.
func (w *Watcher) Interfaces() []Interface {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live
}

// Err returns the error of the last poll, if it failed. The interfaces of the poll before it stay.
func (w *Watcher) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Changed returns a channel that is closed at the next change. Take it before [Watcher.Interfaces] to miss nothing.
func (w *Watcher) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Set replaces the interfaces and ends polling: from now on the caller is the source.
func (w *Watcher) Set(list []Interface) {
	live := usable(list)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pushed = true
	w.err = nil
	w.update(live)
}

// Poll asks the source now, unless the interfaces were pushed.
func (w *Watcher) Poll() {
	if w.isPushed() {
		return
	}
	list, err := w.source()
	live := usable(list)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pushed {
		return
	}
	if w.err = err; err == nil {
		w.update(live)
	}
}

// update runs with mu held.
func (w *Watcher) update(live []Interface) {
	if slices.EqualFunc(w.live, live, equalInterface) {
		return
	}
	w.live = live
	close(w.changed)
	w.changed = make(chan struct{})
}

// Announce returns the addresses of the live interfaces with the given ports, for the host to tell connected peers.
// Loopback is left out, and so is link-local IPv6, which means nothing without the receiver's own interface index. With every
// rung off nobody polls, and this asks the source itself.
func (w *Watcher) Announce(p Ports) []ma.Multiaddr {
	if !w.isPolled() {
		w.Poll()
	}
	var out []ma.Multiaddr
	for _, i := range w.Interfaces() {
		if i.loopback() {
			continue
		}
		for _, pre := range i.Addrs {
			if a := pre.Addr(); !a.IsLinkLocalUnicast() || a.Is4() {
				out = append(out, place{IP: a, Ports: p}.multiaddrs(nil)...)
			}
		}
	}
	return out
}

// run polls until ctx ends. It stops waking up once interfaces are pushed.
func (w *Watcher) run(ctx context.Context) error {
	w.setPolled(true)
	defer w.setPolled(false)
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		if w.isPushed() {
			t.Stop()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			w.Poll()
		}
	}
}

func (w *Watcher) setPolled(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.polled = yes
}

func (w *Watcher) isPolled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.polled
}

func (w *Watcher) isPushed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pushed
}

// byIndex returns the live interface with the kernel's index, if any.
func (w *Watcher) byIndex(index int) (Interface, bool) {
	for _, i := range w.Interfaces() {
		if i.Index == index {
			return i, true
		}
	}
	return Interface{}, false
}

// byZone returns the live interface an IPv6 zone names, by name or by number.
func (w *Watcher) byZone(zone string) (Interface, bool) {
	for _, i := range w.Interfaces() {
		if i.Name == zone || strconv.Itoa(i.Index) == zone {
			return i, true
		}
	}
	return Interface{}, false
}

// onLink returns the live interface whose subnet holds ip. Link-local IPv6 needs a zone to be on any.
func (w *Watcher) onLink(ip netip.Addr) (Interface, bool) {
	if ip.Zone() != "" {
		return w.byZone(ip.Zone())
	}
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		return Interface{}, false
	}
	for _, i := range w.Interfaces() {
		for _, p := range i.Addrs {
			if p.Contains(ip) {
				return i, true
			}
		}
	}
	return Interface{}, false
}

// usable keeps what is up and addressed, in a stable order, within the bounds above. Loopback and then real
// interfaces come first because the kernel numbers them first.
func usable(list []Interface) []Interface {
	var out []Interface
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || len(i.Addrs) == 0 || i.Index <= 0 {
			continue
		}
		i.Addrs = slices.Clone(i.Addrs)
		for k, p := range i.Addrs {
			i.Addrs[k] = netip.PrefixFrom(p.Addr().Unmap().WithZone(""), p.Bits())
		}
		slices.SortFunc(i.Addrs, comparePrefix)
		i.Addrs = i.Addrs[:min(len(i.Addrs), maxPrefixes)]
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Interface) int { return a.Index - b.Index })
	return out[:min(len(out), maxInterfaces)]
}

func comparePrefix(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

func equalInterface(a, b Interface) bool {
	return a.Index == b.Index && a.Name == b.Name && a.Flags == b.Flags && slices.Equal(a.Addrs, b.Addrs)
}

// systemInterfaces asks the operating system. An interface that vanishes between the two questions is left out.
func systemInterfaces() ([]Interface, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var out []Interface
	for _, ni := range list {
		addrs, err := ni.Addrs()
		if err != nil {
			continue
		}
		i := Interface{Index: ni.Index, Name: ni.Name, Flags: ni.Flags}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				if p, ok := prefixOf(n); ok {
					i.Addrs = append(i.Addrs, p)
				}
			}
		}
		out = append(out, i)
	}
	return out, nil
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	ip, ok := netip.AddrFromSlice(n.IP)
	ones, bits := n.Mask.Size()
	if !ok || bits == 0 {
		return netip.Prefix{}, false
	}
	if ip = ip.Unmap(); ip.Is4() && bits == 128 {
		ones -= 96
	}
	p := netip.PrefixFrom(ip, ones)
	return p, p.IsValid()
}
