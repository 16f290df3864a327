package hotspot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/jsimonetti/rtnetlink/v2"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// links tells when something about interfaces or their addresses has changed. What, its reader looks up: then a lost notice
// costs nothing.
type links struct {
	conn    *netlink.Conn
	changed chan struct{} // one place: a notice that waits stands for all that follow
}

func watchLinks() (*links, error) {
	conn, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR})
	if err != nil {
		return nil, err
	}
	return &links{conn: conn, changed: make(chan struct{}, 1)}, nil
}

// run reads notices until ctx ends.
func (l *links) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	defer stop()
	for {
		_, err := l.conn.Receive()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, unix.ENOBUFS) { // that many at once: look
			return fmt.Errorf("watch interfaces: %w", err)
		}
		select {
		case l.changed <- struct{}{}:
		default:
		}
	}
}

// ourAddr is the hub's address for an interface, as netlink wants it.
func ourAddr(index int) *rtnetlink.AddressMessage {
	addr, last := network().Addr().As4(), network().Masked().Addr().As4()
	last[3] = 255
	return &rtnetlink.AddressMessage{
		Family: unix.AF_INET, PrefixLength: uint8(network().Bits()), Scope: unix.RT_SCOPE_UNIVERSE, Index: uint32(index),
		Attributes: &rtnetlink.AddressAttributes{Address: addr[:], Local: addr[:], Broadcast: last[:]},
	}
}

func addAddr(index int) error {
	return withRoute(func(c *rtnetlink.Conn) error { return c.Address.New(ourAddr(index)) })
}

// removeAddr takes the address away again. An interface that is gone has taken it along.
func removeAddr(index int) error {
	err := withRoute(func(c *rtnetlink.Conn) error { return c.Address.Delete(ourAddr(index)) })
	if err == nil || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EADDRNOTAVAIL) {
		return nil
	}
	return fmt.Errorf("remove the hub's address: %w", err)
}

func withRoute(do func(*rtnetlink.Conn) error) error {
	c, err := rtnetlink.Dial(nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// warnOfForwarding tells the operator when the machine would pass guests on to its other networks. Whether it should is theirs to say.
func (h *hotspot) warnOfForwarding() {
	b, err := os.ReadFile("/proc/sys/net/ipv4/conf/" + h.iface + "/forwarding")
	if err == nil && strings.TrimSpace(string(b)) == "1" {
		h.cfg.Log.Warn("this machine forwards what guests send to its other networks", "interface", h.iface,
			"fix", "sysctl net.ipv4.conf."+h.iface+".forwarding=0")
	}
}

// sockets are all that is listened on.
type sockets struct {
	dhcp, dns *net.UDPConn
	dnsTCP    net.Listener
	pages     []net.Listener
}

func (s *sockets) close() {
	for _, c := range []*net.UDPConn{s.dhcp, s.dns} {
		if c != nil {
			c.Close()
		}
	}
	for _, l := range append(s.pages, s.dnsTCP) {
		if l != nil {
			l.Close()
		}
	}
}
