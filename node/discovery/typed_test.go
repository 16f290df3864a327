package discovery_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node/discovery"
)

func TestAddTyped(t *testing.T) {
	id := peerID(t, 1).String()
	l := newLadder(t, discovery.Config{Self: peerID(t, 0), Dialer: &dialer{}, Watcher: watcher()})
	for _, c := range []struct {
		addr string
		hint string // in the error; "": accepted
	}{
		{"192.168.49.1", ""},
		{" 192.168.49.1:4450 ", ""}, // pasted with blanks
		{"localhost", "type the other device's address"},
		{"/ip4/127.0.0.1/tcp/4001/p2p/" + id, ""}, // asks nobody
		{"fd00::1", ""},
		{"[fd00::1]:5000", ""},
		{"fe80::1%wlan0", ""},
		{"[fe80::1%wlan0]:4450", ""},
		{"8.8.8.8", ""}, // a person may type what discovery would not dial
		{"/ip4/192.168.49.1/tcp/4001", ""},
		{"/ip4/192.168.49.1/udp/4001/quic-v1/p2p/" + id, ""},
		{"/ip6zone/wlan0/ip6/fe80::1/tcp/4001/p2p/" + id, ""},
		{"", "type an IP address"},
		{"hub.local", "type an IP address"},
		{"192.168.49.1:http", "number from 1 to 65535"},
		{"192.168.49.1:0", "number from 1 to 65535"},
		{"192.168.49.1:70000", "number from 1 to 65535"},
		{"fe80::1", "write fe80::1%wlan0"},
		{"0.0.0.0", "not the address of one device"},
		{"239.255.76.69", "not the address of one device"},
		{"/ip4/192.168.49.1", "/ip4/192.168.49.1/tcp/4001"},
		{"/ip4/192.168.49.300/tcp/4001", "an example is"},
		{"/dns4/example.org/tcp/4001", "at an IP address"},
		{"/ip4/192.168.49.1/tcp/4001/p2p/nonsense", "an example is"},
		{strings.Repeat("1", 600), "the longest is"},
	} {
		err := l.AddTyped(c.addr)
		switch {
		case c.hint == "" && err != nil:
			t.Errorf("%q: %v", c.addr, err)
		case c.hint != "" && (err == nil || !strings.Contains(err.Error(), c.hint)):
			t.Errorf("%q: error %v, want one that says %q", c.addr, err, c.hint)
		}
	}
}

// A typed address with a peer ID is dialled until there is a link, whatever network it is in and above the degree too.
// With the rung off it is not.
func TestTypedPeer(t *testing.T) {
	for _, off := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const addr = "/ip4/203.0.113.5/tcp/4001"
			typed := peerID(t, 1)
			var up atomic.Bool
			d := &dialer{err: func(info peer.AddrInfo) error {
				if !up.Load() && info.ID == typed {
					return errors.New("no route to host")
				}
				return nil
			}}
			cfg := discovery.Config{
				Self: peerID(t, 0), Dialer: d, Degree: 1,
				Watcher: watcher(), // no network: the bubble's clock stands still while a socket is read
				Typed:   []string{addr + "/p2p/" + typed.String()},
				Off:     []discovery.Rung{discovery.Remembered, discovery.Gateway, discovery.Beacons, discovery.MDNS},
			}
			if off {
				cfg.Off = append(cfg.Off, discovery.Typed)
			}
			l := newLadder(t, cfg)
			d.noted = l
			stop := start(t, l)
			defer stop()
			d.met(peerID(t, 2), nil) // one link is the degree
			time.Sleep(5 * time.Minute)
			n := len(d.to(typed))
			if off && n != 0 || !off && (n < 8 || n > 60) {
				t.Errorf("off %v: %d dials in five minutes", off, n)
			}
			if off {
				return
			}
			if got := d.made()[0].info.Addrs[0].String(); got != addr {
				t.Errorf("dialled %s, want %s", got, addr)
			}
			up.Store(true)
			time.Sleep(time.Minute)
			n = len(d.to(typed))
			time.Sleep(10 * time.Minute)
			if got := len(d.to(typed)); got != n || !d.Connected(typed) || l.Found(typed) != discovery.Typed {
				t.Errorf("%d dials after the link came up, found by %q", got-n, l.Found(typed))
			}
		})
	}
}
