package discovery_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"longear/node/discovery"
)

func TestMayBeDialled(t *testing.T) {
	lo := discovery.Interface{Index: 1, Name: "lo", Flags: net.FlagUp | net.FlagLoopback}
	lo.Addrs = append(lo.Addrs, wlan("127.0.0.1/8").Addrs...)
	for _, c := range []struct {
		addr           string
		loopback, only bool
		want           string // dialled; "": refused
	}{
		{addr: "/ip4/192.168.1.7/tcp/4001", want: "/ip4/192.168.1.7/tcp/4001"},
		{addr: "/ip4/192.168.1.7/udp/4001/quic-v1", want: "/ip4/192.168.1.7/udp/4001/quic-v1"},
		{addr: "/ip6/fd00::7/tcp/4001", want: "/ip6/fd00::7/tcp/4001"},
		{addr: "/ip6zone/wlan0/ip6/fe80::7/tcp/4001", want: "/ip6/fd4c:4541:0:7::7/tcp/4001"},
		{addr: "/ip4/192.168.1.1/tcp/4002", want: "/ip4/192.168.1.1/tcp/4002"}, // another node on this machine
		{addr: "/ip4/192.168.1.1/tcp/4001"},                                    // ourselves
		{addr: "/ip4/192.168.2.7/tcp/4001"},                                    // foreign subnet
		{addr: "/ip4/10.0.0.7/tcp/4001"},                                       // private, elsewhere
		{addr: "/ip4/8.8.8.8/tcp/4001"},                                        // public
		{addr: "/ip4/198.51.100.7/tcp/4001"},                                   // public, though in our subnet
		{addr: "/ip6/2001:db8::7/tcp/4001"},                                    // public
		{addr: "/ip4/192.168.1.255/tcp/4001"},                                  // broadcast
		{addr: "/ip4/192.168.1.0/tcp/4001"},                                    // network
		{addr: "/ip4/255.255.255.255/tcp/4001"},                                // everyone
		{addr: "/ip4/239.255.76.69/tcp/4001"},                                  // multicast
		{addr: "/ip6/ff02::1/tcp/4001"},                                        // multicast
		{addr: "/ip4/0.0.0.0/tcp/4001"},                                        // unspecified
		{addr: "/ip6/::/tcp/4001"},                                             // unspecified
		{addr: "/ip4/192.168.1.7/tcp/22"},                                      // somebody's ssh
		{addr: "/ip4/192.168.1.7/tcp/1023"},                                    // privileged
		{addr: "/ip6/fe80::7/tcp/4001"},                                        // link-local on no interface
		{addr: "/ip6zone/eth9/ip6/fe80::7/tcp/4001"},                           // on one that is gone
		{addr: "/ip6/fd4c:4541:0:7::7/tcp/4001"},                               // synthetic, not made by us
		{addr: "/ip4/127.0.0.1/tcp/4002"},                                      // loopback, not allowed
		{addr: "/ip4/127.0.0.1/tcp/4002", loopback: true, want: "/ip4/127.0.0.1/tcp/4002"},
		{addr: "/ip4/127.0.0.1/tcp/4002", only: true, want: "/ip4/127.0.0.1/tcp/4002"},
		{addr: "/ip4/192.168.1.7/tcp/4001", only: true}, // a loopback-only node stays inside
		{addr: "/dns4/example.org/tcp/4001"},            // names are not looked up
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &dialer{}
			l := newLadder(t, discovery.Config{
				Self: peerID(t, 0), Dialer: d, Off: quiet, Loopback: c.loopback, LoopbackOnly: c.only,
				Watcher: watcher(lo, wlan("192.168.1.1/24", "fe80::1/64", "fd00::1/64", "198.51.100.1/24", "2001:db8::1/64")),
			})
			start(t, l)
			see(l, at(peerID(t, 1), c.addr))
			time.Sleep(3 * time.Second)
			got := ""
			if made := d.made(); len(made) > 0 {
				got = made[0].info.Addrs[0].String()
			}
			if got != c.want {
				t.Errorf("%+v: dialled %q, want %q", c, got, c.want)
			}
		})
	}
}

// fakeID is cheap to make: 34 bytes of a SHA-256 multihash of nothing.
func fakeID() peer.ID {
	b := [34]byte{0x12, 32}
	for k := 2; k < len(b); k++ {
		b[k] = byte(rand.Uint32())
	}
	return peer.ID(b[:])
}

// 20,000 forged announcements a second from one address cost little memory and few dials, and a real peer is
// still dialled within 30 s.
func TestFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		real := peerID(t, 1)
		d := &dialer{took: time.Minute} // nobody ever answers
		d.took = 3 * time.Second
		d.err = func(info peer.AddrInfo) error {
			if info.ID == real {
				return nil
			}
			return fmt.Errorf("nobody there")
		}
		l := rig(t, peerID(t, 0), d, 0)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		liar := []ma.Multiaddr{ma.StringCast("/ip4/10.0.6.6/tcp/4001")}
		began := time.Now()
		for k := range 30 * 100 { // 30 s
			for range 200 {
				see(l, peer.AddrInfo{ID: fakeID(), Addrs: liar})
			}
			if k%500 == 250 { // a beacon every 5 s, lost in the noise
				see(l, at(real, "/ip4/10.0.0.2/tcp/4001"))
			}
			time.Sleep(10 * time.Millisecond)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		got := d.to(real)
		if len(got) == 0 {
			t.Fatalf("the real peer was not dialled; %d dials", len(d.made()))
		}
		t.Logf("dialled after %v, %d dials in all, heap %+d KiB", got[0].at.Sub(began), len(d.made()), (int64(after.HeapAlloc)-int64(before.HeapAlloc))/1024)
		if n := len(d.made()); n > 60 {
			t.Errorf("%d dials in 30 s, want at most 60", n)
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
			t.Errorf("heap grew by %d bytes", grown)
		}
		if s := line(t, l, discovery.WifiDirect); s.Limited < 500_000 {
			t.Errorf("only %d turned away", s.Limited)
		}
	})
}

// A minute's budget is thirty strangers; those who wait get in as it refills, in virtual time to the second.
func TestThirtyAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{}
		l := rig(t, peerID(t, 0), d, 1000)
		hear := func() {
			for k := range 100 {
				see(l, at(peerID(t, k+1), fmt.Sprintf("/ip4/10.0.1.%d/tcp/4001", k+2)))
			}
		}
		hear()
		time.Sleep(time.Second / 2)
		hear()
		for range 12 {
			time.Sleep(5 * time.Second)
			hear()
		}
		if n := len(d.made()); n < 55 || n > 61 {
			t.Errorf("%d peers dialled in the first minute, want 30 at once and 30 as time passes", n)
		}
		for range 36 {
			time.Sleep(5 * time.Second)
			hear()
		}
		if n := len(d.made()); n != 100 {
			t.Errorf("%d peers dialled in four minutes, want all 100", n)
		}
	})
}

// What is heard of a peer stays bounded, and an address that worked is not washed out by ones that were only heard.
func TestPlacesBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{}
		l := rig(t, peerID(t, 0), d, 0)
		p := peerID(t, 1)
		see(l, at(p, "/ip4/10.0.0.2/tcp/4001"))
		time.Sleep(3 * time.Second)
		for k := range 500 {
			see(l, at(p, fmt.Sprintf("/ip4/10.0.9.%d/tcp/%d", k%200+2, 5000+k)))
			time.Sleep(time.Second)
		}
		d.drop(p)
		time.Sleep(3 * time.Second)
		made := d.made()
		last := made[len(made)-1].info
		if len(made) != 2 || len(last.Addrs) != 8 || last.Addrs[0].String() != "/ip4/10.0.0.2/tcp/4001" {
			t.Errorf("%d dials, the last to %v; want two, the last to 8 addresses with the one that worked first", len(made), last.Addrs)
		}
	})
}
