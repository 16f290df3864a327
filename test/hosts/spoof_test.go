//go:build linux

package hosts_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"longear/node/discovery"
)

const (
	floodRate = 5000             // announcements a second
	floodFor  = 10 * time.Second // and longer, until the honest peer is found
)

// A plant is where a forged announcement wants the crowd to knock.
type plant struct {
	kind string
	at   netip.AddrPort
}

// TestSpoof: somebody announces thousands of peers a second that do not exist, at addresses of others, from
// addresses of others. The node stays small, knocks at no public address and at no privileged port, and still finds the one
// peer that is real. It runs before the parallel tests, because it takes a core.
func TestSpoof(t *testing.T) {
	for _, rung := range []string{"mdns", "beacon"} {
		t.Run(rung, func(t *testing.T) {
			w := newWorld(t)
			street := w.network("10.7.0.0/24")
			victim, honest, liar := w.host("victim"), w.host("honest"), w.host("liar")
			victim.join(street)
			honest.join(street)
			lair := liar.join(street)
			plants := planted(t, victim, liar, lair.addr)

			node := victim.relay()
			before := memory(t, node)
			wire := liar.tap(t)
			f := &flood{rung: rung, wire: wire, plants: plants, stop: make(chan struct{})}
			var running sync.WaitGroup
			running.Go(f.send)
			running.Go(func() { f.listen(liar.tap(t)) })

			most := before
			grow := func(d time.Duration) {
				for end := time.Now().Add(d); time.Now().Before(end); pause(t, 200*time.Millisecond) {
					most = max(most, memory(t, node))
				}
			}
			grow(floodFor / 2)
			honest.relay()
			self := honest.status().Peer
			found := eventually(t, 45*time.Second, "the victim to find the honest peer", func() bool {
				return strings.Contains(victim.must("peers", "--json"), self)
			})
			grow(floodFor/2 - min(found, floodFor/2))
			close(f.stop)
			running.Wait()

			figure(t, "spoof/"+rung+"/announcements", float64(f.sent.Load()), "packets")
			figure(t, "spoof/"+rung+"/memory-before", float64(before)/(1<<20), "MiB")
			figure(t, "spoof/"+rung+"/memory-growth", float64(most-before)/(1<<20), "MiB")
			if growth := most - before; growth > 64<<20 {
				t.Errorf("the flood made the node %d MiB larger", growth>>20)
			}
			seconds(t, "spoof/"+rung+"/honest-peer-found", found, 30*time.Second)
			f.report(t)
		})
	}
}

// planted gives the liar's interface the addresses that it wants the crowd to knock at, so that every knock can be counted,
// and the victim a route to the public one: without it there would be nothing to refuse.
func planted(t *testing.T, victim, liar *host, own netip.Addr) []plant {
	public := netip.MustParseAddr("8.8.8.8")
	ip(t, "-n %s addr add %s/32 dev eth0", liar.ns, public)
	ip(t, "-n %s route add %s/32 dev eth0", victim.ns, public)
	plants := []plant{
		{"public", netip.AddrPortFrom(public, 4001)},
		{"public", netip.AddrPortFrom(public, 443)},
		{"privileged", netip.AddrPortFrom(own, 22)},
		{"privileged", netip.AddrPortFrom(own, 443)},
	}
	// Any port of a neighbour may be a node's. Here only the rate is bounded.
	for n := range 100 {
		neighbour := netip.AddrFrom4([4]byte{10, 7, 0, byte(100 + n)})
		ip(t, "-n %s addr add %s/32 dev eth0", liar.ns, neighbour)
		plants = append(plants, plant{"neighbour", netip.AddrPortFrom(neighbour, 8080)})
	}
	return plants
}

// A flood is the liar at work.
type flood struct {
	rung   string
	wire   *tap
	plants []plant
	stop   chan struct{}
	sent   atomic.Int64

	mu     sync.Mutex // guards knocks
	knocks map[string]int
	err    error
}

// send forges announcements until stop. A third of them are about the forbidden plants.
func (f *flood) send() {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-f.stop:
			return
		case <-tick.C:
		}
		for range floodRate / 100 {
			p := f.plants[rand.IntN(len(f.plants))]
			if rand.IntN(3) == 0 {
				p = f.plants[rand.IntN(4)]
			}
			if err := f.announce(p.at); err != nil {
				f.mu.Lock()
				f.err = err
				f.mu.Unlock()
				continue
			}
			f.sent.Add(1)
		}
	}
}

func (f *flood) announce(at netip.AddrPort) error {
	if f.rung == "mdns" {
		data, err := forgedMDNS(at.Addr(), at.Port())
		if err != nil {
			return err
		}
		return f.wire.multicast(netip.AddrPortFrom(at.Addr(), 5353), netip.MustParseAddrPort("224.0.0.251:5353"), 255, data)
	}
	data, err := forgedBeacon(at.Port())
	if err != nil {
		return err
	}
	group := netip.AddrPortFrom(netip.MustParseAddr(discovery.BeaconGroup4), discovery.BeaconPort)
	return f.wire.multicast(netip.AddrPortFrom(at.Addr(), discovery.BeaconPort), group, 1, data)
}

// listen counts knocks at the plants until stop.
func (f *flood) listen(wire *tap) {
	buf := make([]byte, 2048)
	for {
		select {
		case <-f.stop:
			return
		default:
		}
		k, ok := wire.read(buf)
		if !ok {
			continue
		}
		for _, p := range f.plants {
			if p.at.Addr() != k.to.Addr() || p.kind == "privileged" && p.at.Port() != k.to.Port() {
				continue
			}
			f.mu.Lock()
			if f.knocks == nil {
				f.knocks = make(map[string]int)
			}
			f.knocks[k.protocol+" "+p.kind]++
			f.mu.Unlock()
			break
		}
	}
}

// report notes the knocks and fails the test for those that must not be.
func (f *flood) report(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		t.Error("forge an announcement:", f.err)
	}
	if n := f.sent.Load(); n < 10000 {
		t.Errorf("only %d announcements: no flood", n)
	}
	for _, protocol := range []string{"tcp", "udp"} {
		for _, kind := range []string{"public", "privileged", "neighbour"} {
			n := f.knocks[protocol+" "+kind]
			figure(t, fmt.Sprintf("spoof/%s/%s-knocks-%s", f.rung, protocol, kind), float64(n), "packets")
			if kind != "neighbour" && n > 0 {
				t.Errorf("%d %s packets went to the planted %s addresses", n, protocol, kind)
			}
		}
	}
}

// memory is what a node has resident, in bytes.
func memory(t *testing.T, r *relay) int64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
