package discovery

import (
	"fmt"
	"net/netip"
	"strconv"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// place is where a peer may be reached: one IP address and up to one port per transport. Link-local IPv6 carries the
// interface name as zone, everything else none.
type place struct {
	IP netip.Addr
	Ports
}

// sighting is one hint that a peer is at a place.
type sighting struct {
	rung     Rung
	peer     peer.ID
	place    place
	met      bool // the peer is in the book, the place is not
	answered bool // the place answered a datagram we sent there: its address is not forged
	hinted   bool
	count    uint32
	digest   [8]byte
}

// multiaddrs returns the place as go-libp2p dials it. A link-local address becomes a synthetic one if w knows its
// interface, and then only TCP: the QUIC transport has no place for the dialer that undoes it. With a nil w link-local
// addresses are written bare.
func (p place) multiaddrs(w *Watcher) []ma.Multiaddr {
	ip, quic := p.IP, p.QUIC
	if w != nil && ip.Is6() && ip.IsLinkLocalUnicast() {
		i, ok := w.byZone(ip.Zone())
		if !ok {
			return nil
		}
		if ip, ok = SyntheticAddr(ip, i.Index); !ok {
			return nil
		}
		quic = 0
	}
	proto := "ip4"
	if ip.Is6() {
		proto = "ip6"
	}
	base := fmt.Sprintf("/%s/%s", proto, ip.WithZone(""))
	var out []ma.Multiaddr
	for _, s := range []struct {
		port   uint16
		format string
	}{{quic, "%s/udp/%d/quic-v1"}, {p.TCP, "%s/tcp/%d"}} {
		if s.port == 0 {
			continue
		}
		if m, err := ma.NewMultiaddr(fmt.Sprintf(s.format, base, s.port)); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// placeOf reads the IP address and port of a TCP or QUIC multiaddr and ignores a trailing peer ID. It reports
// false for everything else: names need a resolver, relays and browsers' transports are not for discovery.
func placeOf(m ma.Multiaddr) (place, bool) {
	var p place
	var zone string
	var udp uint16
	ok := true
	ma.ForEach(m, func(c ma.Component) bool {
		switch c.Code() {
		case ma.P_IP6ZONE:
			zone = c.Value()
		case ma.P_IP4, ma.P_IP6:
			ip, valid := netip.AddrFromSlice(c.RawValue())
			ok = ok && valid && !p.IP.IsValid()
			p.IP = ip.Unmap()
		case ma.P_TCP:
			p.TCP = port(c)
		case ma.P_UDP:
			udp = port(c)
		case ma.P_QUIC_V1:
			p.QUIC = udp
		case ma.P_P2P:
		default:
			ok = false
		}
		return ok
	})
	if p.IP.Is6() && p.IP.IsLinkLocalUnicast() {
		p.IP = p.IP.WithZone(zone)
	}
	return p, ok && p.IP.IsValid() && (p.TCP != 0 || p.QUIC != 0)
}

func port(c ma.Component) uint16 {
	n, err := strconv.ParseUint(c.Value(), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(n)
}

// remoteIP reads the address of a connection's remote end, whatever the transport.
func remoteIP(m ma.Multiaddr) netip.Addr {
	if m == nil {
		return netip.Addr{}
	}
	var ip netip.Addr
	var zone string
	ma.ForEach(m, func(c ma.Component) bool {
		switch c.Code() {
		case ma.P_IP6ZONE:
			zone = c.Value()
			return true
		case ma.P_IP4, ma.P_IP6:
			ip, _ = netip.AddrFromSlice(c.RawValue())
		}
		return false
	})
	if ip = ip.Unmap(); ip.Is6() && ip.IsLinkLocalUnicast() {
		ip = ip.WithZone(zone)
	}
	return ip
}
