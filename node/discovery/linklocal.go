package discovery

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
)

// A link-local IPv6 address means nothing without an interface, and go-libp2p dials none of the ways to write both.
// So discovery hands it an address that looks like a unique local one (RFC 4193) and holds interface index and
// interface identifier; LinkLocalDialer, given to the TCP transport, turns it back:
//
//	fd4c:4541:iiii:iiii:hhhh:hhhh:hhhh:hhhh  <->  fe80::hhhh:hhhh:hhhh:hhhh%i
//
// Such addresses are made here from a datagram's source, live in this process only, and are refused from anyone else.
var syntheticPrefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 0x4c, 0x45, 0x41}), 32)

// SyntheticAddr packs a link-local IPv6 address (fe80::/64; any zone is dropped) and an interface index into an
// address that go-libp2p dials. It reports false for every other address and for an index below 1.
func SyntheticAddr(ip netip.Addr, index int) (netip.Addr, bool) {
	b := ip.As16()
	if !ip.Is6() || index < 1 || index > 1<<31-1 || binary.BigEndian.Uint64(b[:8]) != 0xfe80<<48 {
		return netip.Addr{}, false
	}
	p := syntheticPrefix.Addr().As16()
	copy(b[:4], p[:4])
	binary.BigEndian.PutUint32(b[4:], uint32(index))
	return netip.AddrFrom16(b), true
}

// LinkLocalAddr is the inverse of [SyntheticAddr]. The zone is the index in decimal, which the net package takes
// wherever it takes an interface name, also where apps may not look names up (Android).
func LinkLocalAddr(ip netip.Addr) (netip.Addr, bool) {
	if !syntheticPrefix.Contains(ip) {
		return netip.Addr{}, false
	}
	b := ip.As16()
	index := binary.BigEndian.Uint32(b[4:])
	if index < 1 || index > 1<<31-1 {
		return netip.Addr{}, false
	}
	binary.BigEndian.PutUint64(b[:8], 0xfe80<<48)
	return netip.AddrFrom16(b).WithZone(strconv.FormatUint(uint64(index), 10)), true
}

// LinkLocalDialer dials like its net.Dialer, except that a synthetic address becomes the link-local one it stands for.
// It is all the state there is, so every address may share one:
//
//	tcp.WithDialerForAddr(func(ma.Multiaddr) (tcp.ContextDialer, error) { return discovery.LinkLocalDialer{}, nil })
type LinkLocalDialer struct{ net.Dialer }

// DialContext implements go-libp2p's tcp.ContextDialer.
func (d LinkLocalDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		if ip, ok := LinkLocalAddr(ap.Addr()); ok {
			address = netip.AddrPortFrom(ip, ap.Port()).String()
		}
	}
	return d.Dialer.DialContext(ctx, network, address)
}
