package discovery_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"longear/node/discovery"
)

func announced(w *discovery.Watcher, p discovery.Ports) string {
	var out []string
	for _, a := range w.Announce(p) {
		out = append(out, a.String())
	}
	return strings.Join(out, " ")
}

func TestAnnounce(t *testing.T) {
	down := wlan("10.8.0.1/24")
	down.Flags = 0
	lo := discovery.Interface{Index: 1, Name: "lo", Flags: net.FlagUp | net.FlagLoopback, Addrs: wlan("127.0.0.1/8").Addrs}
	w := watcher(lo, down, wlan("192.168.49.2/24", "fe80::1/64", "fd00::5/64", "169.254.3.4/16"))
	for _, c := range []struct {
		ports discovery.Ports
		want  string
	}{
		// Live addresses only: no loopback, no interface that is down, no link-local IPv6.
		{discovery.Ports{TCP: 4001}, "/ip4/169.254.3.4/tcp/4001 /ip4/192.168.49.2/tcp/4001 /ip6/fd00::5/tcp/4001"},
		// Not listening: nothing to announce.
		{discovery.Ports{}, ""},
	} {
		if got := announced(w, c.ports); got != c.want {
			t.Errorf("ports %v: %q, want %q", c.ports, got, c.want)
		}
	}
	w = watcher(wlan("192.168.49.2/24"))
	if got, want := announced(w, ports()), "/ip4/192.168.49.2/udp/4001/quic-v1 /ip4/192.168.49.2/tcp/4001"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now atomic.Pointer[[]discovery.Interface]
		var calls atomic.Int32
		now.Store(&[]discovery.Interface{wlan("10.0.0.1/24")})
		var fail atomic.Bool
		w := discovery.NewWatcher(func() ([]discovery.Interface, error) {
			calls.Add(1)
			if fail.Load() {
				return nil, errors.New("too many open files")
			}
			return *now.Load(), nil
		})
		l := newLadder(t, discovery.Config{Self: peerID(t, 1), Dialer: &dialer{}, Watcher: w, Off: quiet})
		stop := start(t, l)
		changed := w.Changed()
		time.Sleep(5 * time.Second)
		select {
		case <-changed:
			t.Error("change reported though nothing changed")
		default:
		}
		// A changed prefix length is a change.
		now.Store(&[]discovery.Interface{wlan("10.0.0.1/16")})
		began := time.Now()
		<-changed
		if d := time.Since(began); d > time.Second {
			t.Errorf("change noticed after %v, want at most 1 s", d)
		}
		// An error keeps what was known.
		fail.Store(true)
		time.Sleep(2 * time.Second)
		if w.Err() == nil || len(w.Interfaces()) != 1 {
			t.Errorf("after a failed poll: error %v, interfaces %v", w.Err(), w.Interfaces())
		}
		// Pushed interfaces end polling.
		l.SetInterfaces([]discovery.Interface{wlan("10.0.0.9/24")})
		time.Sleep(2 * time.Second)
		before := calls.Load()
		time.Sleep(time.Minute)
		if n := calls.Load() - before; n != 0 {
			t.Errorf("source asked %d times after interfaces were pushed", n)
		}
		if got := announced(w, discovery.Ports{TCP: 4001}); got != "/ip4/10.0.0.9/tcp/4001" {
			t.Errorf("announced %q", got)
		}
		stop()
	})
}

// More interfaces and addresses than any machine needs are cut, not kept.
func TestInterfacesBounded(t *testing.T) {
	var many []discovery.Interface
	for k := range 1000 {
		i := wlan("10.0.0.1/24")
		i.Index = k + 1
		for range 6 {
			i.Addrs = append(i.Addrs, i.Addrs...)
		}
		many = append(many, i)
	}
	w := watcher(many...)
	if n := len(w.Interfaces()); n != 16 {
		t.Errorf("%d interfaces, want 16", n)
	}
	if n := len(w.Interfaces()[0].Addrs); n != 16 {
		t.Errorf("%d addresses, want 16", n)
	}
}

func TestNewRefuses(t *testing.T) {
	good := discovery.Config{Self: peerID(t, 1), Dialer: &dialer{}, Ports: ports, Watcher: watcher(), Off: quiet}
	for _, c := range []struct {
		name   string
		change func(*discovery.Config)
	}{
		{"no identity", func(c *discovery.Config) { c.Self = "" }},
		{"no dialer", func(c *discovery.Config) { c.Dialer = nil }},
		{"no ports", func(c *discovery.Config) { c.Ports = nil }},
		{"an address that cannot be", func(c *discovery.Config) { c.Typed = []string{"somewhere"} }},
	} {
		cfg := good
		c.change(&cfg)
		if _, err := discovery.New(cfg); err == nil {
			t.Errorf("%s: no error", c.name)
		}
	}
	l := newLadder(t, good)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := l.Run(ctx); err == nil {
		t.Error("second Run: no error")
	}
}
