package discovery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sync/errgroup"
)

// maxDatagram: mDNS allows 9000 bytes, no sane announcement of one service needs more than this. Longer ones are cut
// and then fail to parse.
const maxDatagram = 4096

// maxSourcesEach: own IPv4 addresses on one interface that are announced.
const maxSourcesEach = 4

// datagram is what a socket received, and where a reply would leave.
type datagram struct {
	data []byte // valid until the handler returns
	from netip.AddrPort
	to   netip.Addr // destination; invalid where the system does not tell
	via  Interface
	sock *socket
}

// socket is one UDP socket of one family that knows interfaces.
type socket struct {
	v4   *ipv4.PacketConn // one of the two is nil
	v6   *ipv6.PacketConn
	conn net.PacketConn
}

// listen opens a socket. At a multicast address the net package binds to the wildcard with address reuse: several nodes and other
// mDNS software share the port, and each gets every multicast datagram.
func listen(ctx context.Context, at netip.AddrPort) (*socket, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, network, at.String())
	if err != nil {
		return nil, err
	}
	s := &socket{conn: c}
	if at.Addr().Is6() {
		s.v6 = ipv6.NewPacketConn(c)
		// Errors: some systems cannot tell, then the interface is found by subnet.
		_ = s.v6.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true)
		_ = s.v6.SetMulticastLoopback(true) // other nodes on this machine
	} else {
		s.v4 = ipv4.NewPacketConn(c)
		_ = s.v4.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true)
		_ = s.v4.SetMulticastLoopback(true)
	}
	return s, nil
}

// hops sets the hop limit of multicast: 1 for our own, 255 for mDNS (RFC 6762, 11).
func (s *socket) hops(n int) {
	if s.v6 != nil {
		_ = s.v6.SetMulticastHopLimit(n)
		return
	}
	_ = s.v4.SetMulticastTTL(n)
}

// join joins a group on an interface. Being a member already is success.
func (s *socket) join(i Interface, group netip.Addr) error {
	ni := &net.Interface{Index: i.Index, Name: i.Name, Flags: i.Flags}
	to := &net.UDPAddr{IP: group.AsSlice()}
	var err error
	if s.v6 != nil {
		err = s.v6.JoinGroup(ni, to)
	} else {
		err = s.v4.JoinGroup(ni, to)
	}
	if err != nil && !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("join %v on %s: %w", group, i.Name, err)
	}
	return nil
}

// write sends one datagram out of an interface (index 0: by route). A valid src becomes its source, so that an
// answer leaves from the address that was asked.
func (s *socket) write(p []byte, to netip.AddrPort, via int, src netip.Addr) error {
	dst := net.UDPAddrFromAddrPort(to)
	var ip net.IP
	if src.IsValid() {
		ip = src.AsSlice()
	}
	var err error
	if s.v6 != nil {
		_, err = s.v6.WriteTo(p, &ipv6.ControlMessage{IfIndex: via, Src: ip}, dst)
	} else {
		_, err = s.v4.WriteTo(p, &ipv4.ControlMessage{IfIndex: via, Src: ip}, dst)
	}
	return err
}

// read receives one datagram; the interface is left as a bare index.
func (s *socket) read(buf []byte) (datagram, error) {
	d := datagram{sock: s}
	var n int
	var src net.Addr
	var err error
	var to net.IP
	if s.v6 != nil {
		var cm *ipv6.ControlMessage
		if n, cm, src, err = s.v6.ReadFrom(buf); cm != nil {
			d.via.Index, to = cm.IfIndex, cm.Dst
		}
	} else {
		var cm *ipv4.ControlMessage
		if n, cm, src, err = s.v4.ReadFrom(buf); cm != nil {
			d.via.Index, to = cm.IfIndex, cm.Dst
		}
	}
	if err != nil {
		return d, err
	}
	if u, ok := src.(*net.UDPAddr); ok {
		ap := u.AddrPort()
		d.from = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
	}
	if ip, ok := netip.AddrFromSlice(to); ok {
		d.to = ip.Unmap()
	}
	d.data = buf[:n]
	return d, nil
}

// station speaks one protocol on multicast groups over a set of interfaces, from one change of these to the next.
type station struct {
	watch   *Watcher
	ifaces  []Interface
	trouble error     // of opening, with which it works all the same
	joined  int       // groups
	groups  []*socket // bound to the group's port, at most one per family
	plain   []*socket // on a port of the system's choice, likewise; none for a protocol that must send from its own port
}

// renewEvery: an access point that snoops on group memberships forgets them when nobody asks it not to; joining anew
// tells it.
const renewEvery = 10 * time.Minute

// errChanged ends a station that is to be opened again at once.
var errChanged = errors.New("interfaces changed")

// serve reads until the interfaces change, ctx ends or a socket breaks. handle gets every datagram, from one goroutine
// per socket. tick is called now, after each poke, and whenever the time it returned has passed; last is called
// before the sockets close if ctx ended. A socket's buffer that overflows drops datagrams, as the air does.
func (s *station) serve(ctx context.Context, poke <-chan struct{}, d duties) error {
	g, ctx2 := errgroup.WithContext(ctx)
	for _, sock := range append(s.groups[:len(s.groups):len(s.groups)], s.plain...) {
		g.Go(func() error {
			buf := make([]byte, maxDatagram)
			for {
				dg, err := sock.read(buf)
				if err != nil {
					return fmt.Errorf("receive: %w", err)
				}
				if s.locate(&dg) {
					d.handle(dg)
				}
			}
		})
	}
	g.Go(func() error {
		defer s.close() // ends the readers
		timer, renew := time.NewTimer(0), time.NewTimer(jitter(renewEvery))
		defer timer.Stop()
		defer renew.Stop()
		for {
			select {
			case <-renew.C:
				return errChanged
			case <-ctx2.Done():
				if ctx.Err() != nil {
					d.last()
				}
				return ctx2.Err()
			case <-d.changed:
				return errChanged
			case <-poke:
			case <-timer.C:
			}
			timer.Reset(d.tick(time.Now()))
		}
	})
	return g.Wait()
}

// duties are what a protocol does on its station.
type duties struct {
	changed <-chan struct{}
	handle  func(datagram)
	tick    func(now time.Time) time.Duration
	last    func()
}

// locate completes the interface of a datagram. A datagram from an interface that is not ours to use is dropped, which
// keeps a loopback-only node deaf to the network.
func (s *station) locate(d *datagram) bool {
	for _, i := range s.ifaces {
		if d.via.Index == i.Index {
			d.via = i
			return true
		}
	}
	if d.via.Index == 0 {
		i, ok := s.watch.onLink(d.from.Addr())
		d.via = i
		return ok
	}
	return false
}

func (s *station) close() {
	for _, sock := range append(s.groups[:len(s.groups):len(s.groups)], s.plain...) {
		_ = sock.conn.Close()
	}
}

// openGroups opens one socket per family and joins the group on every interface that has the family. The station is
// usable if any of it worked; the first error is returned beside it. A kernel without IPv6, an interface that just
// vanished or has no route are everyday.
func (s *station) openGroups(ctx context.Context, groups []netip.AddrPort, hops int) error {
	var first error
	for _, group := range groups {
		sock, err := listen(ctx, group)
		if err != nil {
			first = cmp.Or(first, err)
			continue
		}
		sock.hops(hops)
		for _, i := range s.ifaces {
			if !i.has(group.Addr().Is6()) {
				continue
			}
			err := sock.join(i, group.Addr())
			if err == nil {
				s.joined++
			} else if !i.loopback() {
				first = cmp.Or(first, err)
			}
		}
		s.groups = append(s.groups, sock) // even with nothing joined: unicast arrives
	}
	return first
}

// openPlain opens one socket per family on a port of the system's choice: what is sent from there is answered to this
// process, also when several share the group's port.
func (s *station) openPlain(ctx context.Context, hops int) error {
	var first error
	for _, ip := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		sock, err := listen(ctx, netip.AddrPortFrom(ip, 0))
		if err != nil {
			first = cmp.Or(first, err)
			continue
		}
		sock.hops(hops)
		s.plain = append(s.plain, sock)
	}
	return first
}

// multicast sends p to the group of one family on one interface. IPv4 is sent from each address there, so that
// neighbours in each subnet see a source they can dial; left alone the kernel takes one of another interface where
// loopback is concerned. IPv6 leaves from the link-local address by itself.
func multicast(socks []*socket, p []byte, group netip.AddrPort, i Interface) error {
	ip6 := group.Addr().Is6()
	k := slices.IndexFunc(socks, func(s *socket) bool { return (s.v6 != nil) == ip6 })
	if k < 0 {
		return nil // its opening was reported
	}
	var sources []netip.Addr
	if ip6 {
		group = netip.AddrPortFrom(group.Addr().WithZone(i.Name), group.Port())
		sources = []netip.Addr{{}}
	} else {
		for _, pre := range i.Addrs {
			if pre.Addr().Is4() && len(sources) < maxSourcesEach {
				sources = append(sources, pre.Addr())
			}
		}
	}
	var first error
	for _, src := range sources {
		if err := socks[k].write(p, group, i.Index, src); err != nil {
			first = cmp.Or(first, fmt.Errorf("send on %s: %w", i.Name, err))
		}
	}
	return first
}
