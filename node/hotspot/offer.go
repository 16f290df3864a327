package hotspot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"
	"golang.org/x/time/rate"
)

// What phones are told, and why.
//
//   - The hub is the gateway, though nothing is behind it. Android takes a network without a default route for one that failed, and leaves
//     (LinkProperties.isIpv4Provisioned in AOSP wants an address, a default route and a server of names); iOS asks only its default
//     network whether there is internet, and only a phone that asks opens the sign-in window.
//   - The hub is the server of names, and resolves all to itself: see names.go.
//   - No option 114 (RFC 8910): the address in it must be https with a certificate that phones trust (RFC 8908), which a place without
//     internet cannot have; and "there is no portal", the other thing that it can say, would keep the sign-in window shut.

// maxPacket is the longest packet that is read. Phones send less than 600 bytes.
const maxPacket = 1500

// answerRate and answerBurst bound what is answered: an answer is a broadcast, which costs the air of everybody. 50 phones that come at once
// need 100.
const answerRate, answerBurst = 100, 200

// dhcpServer answers phones that ask for an address.
type dhcpServer struct {
	leases *leases
	now    func() time.Time
	log    *slog.Logger

	// Owned by serve.
	pace   *rate.Limiter
	warned time.Time // when the log was last told that there is no address left
}

// serve answers until ctx ends.
func (d *dhcpServer) serve(ctx context.Context, conn *net.UDPConn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	buf := make([]byte, maxPacket)
	for {
		n, _, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what phones ask: %w", err)
		}
		if reply, to := d.paced(buf[:n]); reply != nil {
			// An answer that cannot be sent is one that is lost on the air: the phone asks again.
			_, _ = conn.WriteToUDPAddrPort(reply, to)
		}
	}
}

// paced answers a packet unless too much was answered just now. Then it is not even looked at: nobody is given an address, or the promise
// of one, who is not told, and a flood costs no more than to read it.
func (d *dhcpServer) paced(packet []byte) ([]byte, netip.AddrPort) {
	now := d.now()
	if d.pace.TokensAt(now) < 1 {
		return nil, netip.AddrPort{}
	}
	reply, to := d.answer(packet)
	if reply != nil {
		d.pace.AllowN(now, 1)
	}
	return reply, to
}

// answer is what a packet is answered with, and where that goes: never out of this network. Nil: nothing.
func (d *dhcpServer) answer(packet []byte) ([]byte, netip.AddrPort) {
	m, err := dhcpv4.FromBytes(packet)
	if err != nil {
		return nil, netip.AddrPort{}
	}
	who, ok := asker(m)
	if !ok {
		return nil, netip.AddrPort{}
	}
	reply := d.reply(m, who)
	if reply == nil {
		return nil, netip.AddrPort{}
	}
	// A phone without an address hears broadcasts; one that has an address is answered there.
	to := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if at := addrFrom(m.ClientIPAddr); inNetwork(at) && reply.MessageType() == dhcpv4.MessageTypeAck {
		to = at
	}
	return reply.ToBytes(), netip.AddrPortFrom(to, dhcpv4.ClientPort)
}

// asker is who sent a packet. Relays are not served: their answers would go elsewhere.
func asker(m *dhcpv4.DHCPv4) (mac, bool) {
	if m.OpCode != dhcpv4.OpcodeBootRequest || m.HWType != iana.HWTypeEthernet || len(m.ClientHWAddr) != len(mac{}) {
		return mac{}, false
	}
	if gw := addrFrom(m.GatewayIPAddr); gw.IsValid() && !gw.IsUnspecified() {
		return mac{}, false
	}
	who := mac(m.ClientHWAddr)
	return who, who != mac{} && who[0]&1 == 0 // nobody is a group
}

// reply is the answer to a message, nil for none.
func (d *dhcpServer) reply(m *dhcpv4.DHCPv4, who mac) *dhcpv4.DHCPv4 {
	held, want := addrFrom(m.ClientIPAddr), addrFrom(m.RequestedIPAddress())
	switch m.MessageType() {
	case dhcpv4.MessageTypeDiscover:
		if addr, ok := d.leases.offer(who, want); ok {
			return compose(m, dhcpv4.MessageTypeOffer, addr)
		}
		if now := d.now(); now.Sub(d.warned) > time.Minute {
			d.warned = now
			d.log.Warn("no address is left for a phone", "addresses", poolSize)
		}
	case dhcpv4.MessageTypeRequest:
		if id := addrFrom(m.ServerIdentifier()); id.IsValid() && !id.IsUnspecified() && id != Addr() {
			return nil // it has chosen another server
		}
		if !want.IsValid() || want.IsUnspecified() {
			want = held
		}
		if !want.IsValid() || want.IsUnspecified() {
			return nil
		}
		if d.leases.take(who, want) {
			d.leases.save() // before the phone knows: a hub that dies now must not give the address to another
			return compose(m, dhcpv4.MessageTypeAck, want)
		}
		return compose(m, dhcpv4.MessageTypeNak, netip.Addr{})
	case dhcpv4.MessageTypeDecline:
		d.leases.refuse(who, want)
	case dhcpv4.MessageTypeRelease:
		d.leases.release(who, held)
	case dhcpv4.MessageTypeInform:
		if inNetwork(held) {
			return compose(m, dhcpv4.MessageTypeAck, netip.Addr{})
		}
	}
	return nil
}

// compose makes an answer. An address comes with its lease.
func compose(m *dhcpv4.DHCPv4, kind dhcpv4.MessageType, addr netip.Addr) *dhcpv4.DHCPv4 {
	hub, last := net.IP(Addr().AsSlice()), network().Addr().As4()
	last[3] = 255
	mods := []dhcpv4.Modifier{dhcpv4.WithMessageType(kind), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(hub))}
	if kind != dhcpv4.MessageTypeNak {
		mods = append(mods,
			dhcpv4.WithServerIP(hub),
			dhcpv4.WithOption(dhcpv4.OptSubnetMask(net.CIDRMask(network().Bits(), 32))),
			dhcpv4.WithOption(dhcpv4.OptBroadcastAddress(last[:])),
			dhcpv4.WithOption(dhcpv4.OptRouter(hub)),
			dhcpv4.WithOption(dhcpv4.OptDNS(hub)),
		)
	}
	if addr.IsValid() {
		mods = append(mods, dhcpv4.WithYourIP(addr.AsSlice()), dhcpv4.WithLeaseTime(uint32(leaseTime/time.Second)))
	}
	reply, err := dhcpv4.NewReplyFromRequest(m, mods...)
	if err != nil {
		return nil
	}
	// An answer echoes what a relay added; nobody here is one.
	reply.Options.Del(dhcpv4.OptionRelayAgentInformation)
	if kind == dhcpv4.MessageTypeNak {
		reply.SetBroadcast() // RFC 2131 section 4.3.2
	}
	return reply
}

// addrFrom is an IPv4 address as other parts know it; invalid for none.
func addrFrom(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip.To4())
	return a
}

// inNetwork reports whether an address is one that a phone here can have.
func inNetwork(a netip.Addr) bool {
	last := byte(0)
	if a.Is4() {
		last = a.As4()[3]
	}
	return network().Contains(a) && a != Addr() && last != 0 && last != 255
}
