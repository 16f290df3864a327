package hotspot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// rights is how a program comes to them.
const rights = "run it as root, or: setcap cap_net_admin,cap_net_bind_service=+ep longear (in a systemd service: AmbientCapabilities=)"

// whoHas says who usually has a port, and how to find out.
func whoHas(network string, port uint16) string {
	usual := "a web server"
	switch port {
	case 53:
		usual = "dnsmasq, NetworkManager's shared mode (nmcli connection modify NAME ipv4.method disabled) or another server of names"
	case 67:
		usual = "dnsmasq, a DHCP server or NetworkManager's shared mode (nmcli connection modify NAME ipv4.method disabled)"
	}
	flag := "-lunp"
	if network == "tcp" {
		flag = "-ltnp"
	}
	return fmt.Sprintf("stop it on this interface: usually %s; see: ss %s sport = :%d", usual, flag, port)
}

// listeners opens sockets on one interface.
type listeners struct {
	iface string
	lc    net.ListenConfig
}

// open opens everything, or says what is in the way.
func open(ctx context.Context, iface string, pagePort uint16) (s *sockets, err error) {
	on := listeners{iface: iface, lc: net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			// By index inside the kernel: a new interface of the same name needs a new socket.
			failed = unix.BindToDevice(int(fd), iface)
		})
		return errors.Join(err, failed)
	}}}
	s = &sockets{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	// Addresses, not wildcards, where clients can only mean the one address: then a server of names that this machine has for itself
	// on another address is not in the way. DHCP is asked by broadcast.
	if s.dhcp, err = on.udp(ctx, netip.IPv4Unspecified(), 67); err != nil {
		return s, err
	}
	if s.dns, err = on.udp(ctx, Addr(), 53); err != nil {
		return s, err
	}
	if s.dnsTCP, err = on.tcp(ctx, "tcp4", Addr(), 53); err != nil {
		return s, err
	}
	for _, port := range []uint16{80, pagePort} {
		if port == 0 {
			continue
		}
		l, err := on.tcp(ctx, "tcp4", Addr(), port)
		if err != nil {
			return s, err
		}
		s.pages = append(s.pages, l)
		// The link-local address may not be there yet, or never: whoever comes by IPv6 is welcome, and no phone needs it.
		if l, err = on.tcp(ctx, "tcp6", netip.IPv6Unspecified(), port); err == nil {
			s.pages = append(s.pages, l)
		}
	}
	return s, nil
}

func (on listeners) udp(ctx context.Context, addr netip.Addr, port uint16) (*net.UDPConn, error) {
	c, err := on.lc.ListenPacket(ctx, "udp4", netip.AddrPortFrom(addr, port).String())
	if err != nil {
		return nil, on.trouble("udp", port, err)
	}
	return c.(*net.UDPConn), nil
}

func (on listeners) tcp(ctx context.Context, network string, addr netip.Addr, port uint16) (net.Listener, error) {
	l, err := on.lc.Listen(ctx, network, netip.AddrPortFrom(addr, port).String())
	if err != nil {
		return nil, on.trouble("tcp", port, err)
	}
	return l, nil
}

func (on listeners) trouble(network string, port uint16, err error) error {
	what := fmt.Sprintf("%s port %d on %s cannot be served", network, port, on.iface)
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return &Trouble{fmt.Sprintf("%s port %d on %s is in use by another program", network, port, on.iface), whoHas(network, port), err}
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return &Trouble{what, rights, err}
	}
	return &Trouble{What: what, Fix: "longear doctor", Err: err}
}

// noAddr says that the interface could not be given the hub's address.
func noAddr(iface string, err error) error {
	t := &Trouble{What: fmt.Sprintf("%s cannot be given the address %v", iface, Addr()), Fix: "give it by hand: ip address add " + network().String() + " dev " + iface, Err: err}
	if errors.Is(err, unix.EPERM) {
		t.Fix = rights
	}
	return t
}
