//go:build linux

package hosts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// alone are the flags that leave a node one way of finding peers.
func alone(rung string) []string {
	flags := []string{"--no-gateway", "--no-remember", "--no-mdns", "--no-beacon"}
	return slices.DeleteFunc(flags, func(f string) bool { return f == "--no-"+rung })
}

// TestMeet: two hosts on one network, whatever addresses it has. What is sent at one is read at the other within a second.
// It runs before the parallel tests, because it measures time.
func TestMeet(t *testing.T) {
	for _, c := range []struct {
		name   string
		subnet string
		rung   string
		no6    bool
	}{
		{"mdns", "10.7.0.0/24", "mdns", false},
		{"beacon", "10.7.0.0/24", "beacon", false},
		// No DHCP, no router: what two laptops with a cable have.
		{"link-local-beacon", "", "beacon", false},
		{"link-local-mdns", "", "mdns", false},
		// The addresses of an ad-hoc network on a system with IPv6 switched off.
		{"ipv4-link-local", "169.254.7.0/16", "beacon", true},
		// A router that hands out IPv6 only.
		{"unique-local", "fd07::/64", "beacon", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			street := w.network(c.subnet)
			a, b := w.host("a"), w.host("b")
			for _, h := range []*host{a, b} {
				if c.no6 {
					h.sh("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
				}
				h.join(street)
				h.relay(alone(c.rung)...)
			}
			start := time.Now()
			met(t, c.rung, a, b)
			figure(t, "meet/"+c.name+"/found", time.Since(start).Seconds(), "s")
			if c.subnet == "" && !strings.HasPrefix(a.peers()[0].Addr, "/ip6zone/") {
				t.Errorf("on a network without addresses the link is %+v", a.peers()[0])
			}

			heard := b.watch()
			heard.hears(a.send("is anybody there?"), 5*time.Second)
			var afterStart, afterEnd []time.Duration
			for n := range 9 {
				start, end := sendAndHear(t, a, heard, fmt.Sprintf("water at gate %d", n))
				afterStart, afterEnd = append(afterStart, start), append(afterEnd, end)
			}
			seconds(t, "meet/"+c.name+"/send-to-watch-median", median(afterEnd), time.Second)
			seconds(t, "meet/"+c.name+"/send-to-watch-worst", slices.Max(afterEnd), time.Second)
			seconds(t, "meet/"+c.name+"/enter-to-watch-median", median(afterStart), time.Second)
		})
	}
}

// met waits until two nodes have a link and checks that the rung found it.
func met(t *testing.T, rung string, a, b *host) {
	t.Helper()
	var all []link
	eventually(t, 30*time.Second, "a link between "+a.name+" and "+b.name, func() bool {
		pa, pb := a.peers(), b.peers()
		all = append(pa, pb...)
		return len(pa) > 0 && len(pb) > 0
	})
	if !slices.ContainsFunc(all, func(p link) bool { return p.Via == rung }) {
		t.Errorf("met by %+v, not by %s", all, rung)
	}
	for _, p := range all {
		if p.Via != rung && p.Via != "came to us" {
			t.Errorf("%s says it met %s by %s, which is switched off", t.Name(), p.Peer, p.Via)
		}
	}
}

// sendAndHear returns the time from the start and from the end of send at one host to the line in watch at another. The line
// can come before send has ended: then the second is 0.
func sendAndHear(t *testing.T, from *host, to *watcher, text string) (afterStart, afterEnd time.Duration) {
	t.Helper()
	start := time.Now()
	id := from.send(text)
	end := time.Now()
	m, at := to.hears(id, 10*time.Second)
	if m.Type != "message" || m.Text != text || m.Channel != "#water" || !m.Verified || m.Author == "" || m.Created == "" || m.Received == "" {
		t.Errorf("%q was heard as %+v", text, m)
	}
	return at.Sub(start), max(0, at.Sub(end))
}

// TestLateInterface: the node is there before the network is.
func TestLateInterface(t *testing.T) {
	t.Parallel()
	for _, rung := range []string{"mdns", "beacon"} {
		t.Run(rung, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			street := w.network("10.7.0.0/24")
			a, b := w.host("a"), w.host("b")
			a.join(street)
			a.relay(alone(rung)...)
			b.relay(alone(rung)...)
			id := a.send("who comes late hears it too")
			pause(t, 10*time.Second)
			if n := b.status().Peers; n != 0 {
				t.Fatalf("%d peers without a network", n)
			}
			heard := b.watch()
			up := time.Now()
			b.join(street)
			_, at := heard.hears(id, 30*time.Second)
			seconds(t, "late-interface/"+rung+"/up-to-message", at.Sub(up), 10*time.Second)
			met(t, rung, a, b)
		})
	}
}
