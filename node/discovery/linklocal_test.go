package discovery_test

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"longear/node/discovery"
)

func TestSyntheticAddr(t *testing.T) {
	for _, c := range []struct {
		in    string
		index int
		want  string // "": refused
	}{
		{"fe80::1", 3, "fd4c:4541:0:3::1"},
		{"fe80::8861:89ff:fee7:32d5%w0", 70000, "fd4c:4541:1:1170:8861:89ff:fee7:32d5"},
		{"fe80::1", 0, ""},            // no interface
		{"fe80::1", -1, ""},           // not an index
		{"fe80:0:0:1::1", 3, ""},      // bits that would be lost
		{"fd00::1", 3, ""},            // not link-local
		{"169.254.1.1", 3, ""},        // not IPv6
		{"::ffff:169.254.1.1", 3, ""}, // nor this
		{"fd4c:4541:0:3::1", 3, ""},   // already mapped
	} {
		got, ok := discovery.SyntheticAddr(netip.MustParseAddr(c.in), c.index)
		if ok != (c.want != "") || ok && got != netip.MustParseAddr(c.want) {
			t.Errorf("%s on %d: %v, %v; want %q", c.in, c.index, got, ok, c.want)
			continue
		}
		if !ok {
			continue
		}
		want := netip.MustParseAddr(c.in).WithZone(strconv.Itoa(c.index))
		if back, ok := discovery.LinkLocalAddr(got); !ok || back != want {
			t.Errorf("%v back: %v, %v; want %v", got, back, ok, want)
		}
	}
	for _, s := range []string{"fd4c:4541::1", "fd4c:4542:0:3::1", "fe80::1", "10.0.0.1", "fd4c:4541:ffff:ffff::1"} {
		if got, ok := discovery.LinkLocalAddr(netip.MustParseAddr(s)); ok {
			t.Errorf("%s became %v", s, got)
		}
	}
}

// The dialer reaches a listener through the synthetic address of a real link-local one.
func TestLinkLocalDialer(t *testing.T) {
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range list {
		addrs, err := i.Addrs()
		if err != nil || i.Flags&net.FlagUp == 0 {
			continue
		}
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err != nil || !p.Addr().Is6() || !p.Addr().IsLinkLocalUnicast() {
				continue
			}
			ln, err := net.Listen("tcp6", net.JoinHostPort(p.Addr().WithZone(i.Name).String(), "0"))
			if err != nil {
				continue
			}
			defer ln.Close()
			port := ln.Addr().(*net.TCPAddr).Port
			ip, ok := discovery.SyntheticAddr(p.Addr(), i.Index)
			if !ok {
				t.Fatalf("%v on %d refused", p.Addr(), i.Index)
			}
			c, err := discovery.LinkLocalDialer{}.DialContext(context.Background(), "tcp6", netip.AddrPortFrom(ip, uint16(port)).String())
			if err != nil {
				t.Fatal(err)
			}
			if got, want := c.RemoteAddr().String(), netip.AddrPortFrom(p.Addr().WithZone(i.Name), uint16(port)).String(); got != want {
				t.Errorf("reached %s, want %s", got, want)
			}
			_ = c.Close()
			return
		}
	}
	t.Skip("SKIPPED: no interface of this machine has a link-local IPv6 address; TestNamespaces covers the same with one")
}
