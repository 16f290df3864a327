package discovery

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	maxTyped     = 32
	maxTypedSize = 512
)

// typedAddr is either a peer at a place, or endpoints to ask who is there.
type typedAddr struct {
	text  string
	peer  peer.ID
	place place
	ask   []netip.AddrPort
}

// typedList holds what people typed.
type typedList struct {
	loopback bool // asking there makes sense

	mu    sync.Mutex // guards addrs
	addrs []typedAddr
}

func (t *typedList) add(text string) error {
	a, err := parseTyped(strings.TrimSpace(text))
	if err != nil {
		return err
	}
	if len(a.ask) > 0 && a.ask[0].Addr().IsLoopback() && !t.loopback {
		return fmt.Errorf("address %q: it means this device, and this node was not told to use loopback; type the other device's address, or add /p2p/ and the peer ID", text)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if slices.ContainsFunc(t.addrs, func(o typedAddr) bool { return o.text == a.text }) {
		return nil
	}
	if len(t.addrs) >= maxTyped {
		t.addrs = t.addrs[1:] // the oldest is the one least likely still meant
	}
	t.addrs = append(t.addrs, a)
	return nil
}

func (t *typedList) list() []typedAddr {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.addrs)
}

// open reports whether a typed address has no link yet.
func (t *typedList) open(b *book) bool {
	for _, a := range t.list() {
		if !b.linked(a) {
			return true
		}
	}
	return false
}

func parseTyped(text string) (typedAddr, error) {
	t := typedAddr{text: text}
	if len(text) > maxTypedSize {
		return t, fmt.Errorf("address of %d characters: the longest is %d, check what was pasted", len(text), maxTypedSize)
	}
	if strings.HasPrefix(text, "/") {
		return parseTypedMultiaddr(t)
	}
	host, portText, err := net.SplitHostPort(text)
	if err != nil { // no port, which is fine
		host, portText = strings.Trim(text, "[]"), ""
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return t, fmt.Errorf("address %q: names cannot be looked up here; type an IP address such as 192.168.49.1, [fe80::1%%wlan0]:4450, or a multiaddr such as /ip4/192.168.49.1/tcp/4001", text)
	}
	port := uint64(BeaconPort)
	if portText != "" {
		if port, err = strconv.ParseUint(portText, 10, 16); err != nil || port == 0 {
			return t, fmt.Errorf("address %q: the port must be a number from 1 to 65535; leave it out to use %d", text, BeaconPort)
		}
	}
	return t, t.asking(ip.Unmap(), uint16(port))
}

// asking sets the endpoints to ask: the given port and the beacon's own, since people type the port they see.
func (t *typedAddr) asking(ip netip.Addr, port uint16) error {
	switch {
	case ip.IsUnspecified() || ip.IsMulticast():
		return fmt.Errorf("address %q: %v is not the address of one device; type the one its status shows", t.text, ip)
	case ip.Is6() && ip.IsLinkLocalUnicast() && ip.Zone() == "":
		return fmt.Errorf("address %q: a link-local address needs the interface it is on; write %v%%wlan0 with the name of yours", t.text, ip)
	}
	t.ask = []netip.AddrPort{netip.AddrPortFrom(ip, port)}
	if port != BeaconPort {
		t.ask = append(t.ask, netip.AddrPortFrom(ip, BeaconPort))
	}
	return nil
}

func parseTypedMultiaddr(t typedAddr) (typedAddr, error) {
	m, err := ma.NewMultiaddr(t.text)
	if err != nil {
		return t, fmt.Errorf("address %q: %w; an example is /ip4/192.168.49.1/tcp/4001", t.text, err)
	}
	p, ok := placeOf(m)
	if !ok {
		return t, fmt.Errorf("address %q: only TCP and QUIC at an IP address can be dialled; examples are /ip4/192.168.49.1/tcp/4001 and /ip4/192.168.49.1/udp/4001/quic-v1", t.text)
	}
	port := max(p.TCP, p.QUIC)
	if err := t.asking(p.IP, port); err != nil {
		return t, err
	}
	if id, err := peer.IDFromP2PAddr(m); err == nil {
		t.peer, t.place, t.ask = id, p, nil
	}
	return t, nil
}

// linked reports whether a link is up to a typed peer, or to one found at a typed endpoint.
func (b *book) linked(t typedAddr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.peer != "" {
		return b.open[t.peer]
	}
	for p := range b.open {
		e := b.peers[p]
		if e == nil {
			continue
		}
		for _, k := range e.places {
			if k.place.IP.WithZone("") == t.ask[0].Addr().WithZone("") {
				return true
			}
		}
	}
	return false
}
