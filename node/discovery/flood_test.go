package discovery_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"longear/node/discovery"
)

// flood sends forged announcements, each with a new peer ID, from the given sources in turn.
type flood struct {
	Group   string // where to
	Sources []string
	PerSec  int
}

func (f flood) run() error {
	to, err := net.ResolveUDPAddr("udp4", f.Group)
	if err != nil {
		return err
	}
	var conns []*net.UDPConn
	for _, s := range f.Sources {
		from := &net.UDPAddr{IP: net.ParseIP(s)}
		if to.Port == 5353 {
			from.Port = 5353
		}
		c, err := net.DialUDP("udp4", from, to)
		if err != nil {
			return err
		}
		conns = append(conns, c)
	}
	fmt.Println("id flood")
	began, sent := time.Now(), 0
	for {
		for due := int(time.Since(began).Seconds() * float64(f.PerSec)); sent < due; sent++ {
			_, _ = conns[sent%len(conns)].Write(f.packet(sent))
		}
		if sent > 0 && sent/f.PerSec != (sent-1)/f.PerSec {
			fmt.Println("sent", sent)
		}
		<-time.After(time.Millisecond)
	}
}

func (f flood) packet(n int) []byte {
	id := fakeID()
	if strings.HasSuffix(f.Group, ":5353") {
		return discovery.MDNSRecords(fmt.Sprintf("f%d", n), 120, []string{"dnsaddr=/ip4/10.9.0.99/tcp/4001/p2p/" + id.String()}, []netip.Addr{netip.MustParseAddr("10.9.0.99")})
	}
	p, err := discovery.Beacon{Peer: id, Ports: discovery.Ports{TCP: 4001}}.Append(nil)
	if err != nil {
		panic(err)
	}
	return p
}

// 20,000 forged announcements a second, as real datagrams from one address or from two hundred: a real peer that starts
// amid them is connected within 30 s, and the heap stays where it was.
func TestNamespaceFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	var crowd []string
	for k := range 200 {
		crowd = append(crowd, fmt.Sprintf("10.9.0.%d", k+20))
	}
	for _, c := range []struct {
		name    string
		rung    discovery.Rung
		group   string
		sources []string
	}{
		{"beacon/one source", discovery.Beacons, "239.255.76.69:4450", crowd[:1]},
		{"beacon/200 sources", discovery.Beacons, "239.255.76.69:4450", crowd},
		{"mdns/one source", discovery.MDNS, "224.0.0.251:5353", crowd[:1]},
		{"mdns/200 sources", discovery.MDNS, "224.0.0.251:5353", crowd},
	} {
		t.Run(c.name, func(t *testing.T) {
			victim, liars := pair(t)
			victim.ip("addr add 10.9.0.1/24 dev w0")
			// The real peer has an address of its own and sits behind the same cable.
			liars.ip("addr add 10.9.0.2/24 dev w0")
			victim.ip("link set w0 up")
			liars.ip("link set w0 up")
			for _, s := range c.sources {
				liars.ip("addr add " + s + "/32 dev w0")
			}
			// Both rungs run, as in a node; the flood hits one of them.
			pv := victim.start(child{Off: without(discovery.Beacons, discovery.MDNS), Stats: true})
			<-time.After(2 * time.Second)
			calm := statsOf(t, pv)
			pf := liars.start(child{Flood: flood{Group: c.group, Sources: c.sources, PerSec: 20_000}})
			<-time.After(10 * time.Second)
			began := time.Now()
			off := without(c.rung) // only the flooded rung can find it
			if c.rung == discovery.MDNS {
				off = without(discovery.Beacons, discovery.MDNS) // the answer that proves an address is a beacon
			}
			pr := liars.start(child{Off: off})
			pv.expect("connected "+pr.id, 30*time.Second)
			found := time.Since(began)
			storm := statsOf(t, pv)
			t.Logf("found after %v; heap %+d KiB; %d dials, %d announcements heard", found.Round(time.Millisecond),
				(storm[0]-calm[0])/1024, storm[1]-calm[1], storm[2]-calm[2])
			pf.kill()
			if grown := storm[0] - calm[0]; grown > 16<<20 {
				t.Errorf("heap grew by %d bytes", grown)
			}
			if storm[2]-calm[2] < 50_000 {
				t.Errorf("only %d announcements heard: that was no flood", storm[2]-calm[2])
			}
		})
	}
}

// statsOf returns the newest statistics of a child: those still to come, not those waiting to be read.
func statsOf(t *testing.T, p *proc) [3]int64 {
	t.Helper()
	for len(p.lines) > 0 {
		<-p.lines
	}
	var out [3]int64
	if _, err := fmt.Sscanf(p.expect("stats ", 20*time.Second), "stats %d %d %d", &out[0], &out[1], &out[2]); err != nil {
		t.Fatal(err)
	}
	return out
}
