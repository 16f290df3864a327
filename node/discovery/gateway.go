package discovery

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// accessPoints are the addresses phones give themselves when they are the access point: Wi-Fi Direct group owner (and
// every longear hub), Android hotspot before version 11, iPhone hotspot. They are asked when one of our interfaces is
// in their subnet, because in a network without internet DHCP often names no gateway.
var accessPoints = []netip.Addr{
	netip.MustParseAddr("192.168.49.1"),
	netip.MustParseAddr("192.168.43.1"),
	netip.MustParseAddr("172.20.10.1"),
}

// routeFile is where Linux lists its IPv4 routes. Other systems, and Android for apps, have no such file.
const routeFile = "/proc/net/route"

// gateways returns the endpoints to ask: access points of live subnets and default gateways. Never our own addresses.
func gateways(live []Interface) []netip.AddrPort {
	found := slices.Clone(accessPoints)
	if f, err := os.Open(routeFile); err == nil {
		found = append(found, ParseRoutes(io.LimitReader(f, 64<<10))...)
		_ = f.Close()
	}
	var out []netip.AddrPort
	for _, ip := range found {
		ep := netip.AddrPortFrom(ip, BeaconPort)
		if near(live, ip) && !slices.Contains(out, ep) {
			out = append(out, ep)
		}
	}
	return out
}

// near reports whether ip is in a live subnet and not ours.
func near(live []Interface, ip netip.Addr) bool {
	in := false
	for _, i := range live {
		for _, p := range i.Addrs {
			if p.Addr() == ip {
				return false
			}
			in = in || p.Contains(ip)
		}
	}
	return in
}

// ParseRoutes returns the gateways of the default routes in the format of Linux's /proc/net/route, at most 8. Lines it
// does not understand are skipped.
func ParseRoutes(r io.Reader) []netip.Addr {
	var out []netip.Addr
	sc := bufio.NewScanner(r)
	for sc.Scan() && len(out) < 8 {
		f := strings.Fields(sc.Text()) // Iface Destination Gateway Flags RefCnt Use Metric Mask ...
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		b, err := hex.DecodeString(f[2])
		if err != nil || len(b) != 4 {
			continue
		}
		// The kernel prints the address as one number in the machine's byte order.
		var ip [4]byte
		binary.NativeEndian.PutUint32(ip[:], binary.BigEndian.Uint32(b))
		if a := netip.AddrFrom4(ip); !a.IsUnspecified() {
			out = append(out, a)
		}
	}
	return out
}
