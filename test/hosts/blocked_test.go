//go:build linux

package hosts_test

import (
	"testing"
	"time"
)

// TestBlocked: where UDP does not pass, TCP does.
func TestBlocked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		block     bool
		flags     []string
		typed     bool // B is told A's address, as no datagram of discovery arrives either
		transport string
	}{
		// Nothing blocked: shows that QUIC would work where the other rows have none.
		{name: "open", flags: []string{"--listen", "/ip4/0.0.0.0/udp/4550/quic-v1"}, transport: "quic-v1"},
		{name: "udp-dropped", block: true, transport: "tcp"},
		{name: "udp-dropped-typed", block: true, typed: true, transport: "tcp"},
		{name: "no-quic", flags: []string{"--no-quic"}, transport: "tcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			street := w.network("10.7.0.0/24")
			a, b := w.host("a"), w.host("b")
			for _, h := range []*host{a, b} {
				h.join(street)
				if c.block {
					h.dropUDP()
				}
			}
			flags, rung := c.flags, "beacon"
			if c.typed {
				flags, rung = alone("typed"), "typed"
			} else {
				flags = append(flags, alone("beacon")...)
			}
			node := a.relay(flags...)
			if c.typed {
				flags = append(flags, "--connect", node.addr("/tcp/"))
			}
			start := time.Now()
			b.relay(flags...)
			met(t, rung, a, b)
			figure(t, "blocked/"+c.name+"/link", time.Since(start).Seconds(), "s")
			for _, p := range append(a.peers(), b.peers()...) {
				if p.Transport != c.transport {
					t.Errorf("the link is %+v, want %s", p, c.transport)
				}
			}
			atA, atB := a.watch(), b.watch()
			atB.hears(a.send("from a"), 5*time.Second)
			atA.hears(b.send("from b"), 5*time.Second)
			for _, h := range []*host{a, b} {
				if n := h.status().Messages; n != 2 {
					t.Errorf("%s has %d messages", h.name, n)
				}
			}
		})
	}
}

// TestBlockedForReal: the firewall of TestBlocked lets no QUIC pass.
func TestBlockedForReal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	street := w.network("10.7.0.0/24")
	for _, name := range []string{"a", "b"} {
		h := w.host(name)
		h.join(street)
		h.dropUDP()
		h.relay("--listen", "/ip4/0.0.0.0/udp/4550/quic-v1")
		defer func() {
			if p := h.peers(); len(p) > 0 {
				t.Errorf("QUIC passed the firewall: %+v", p)
			}
		}()
	}
	pause(t, 15*time.Second)
}
