package bench_test

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime/debug"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node"
	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
	"longear/test/bench/figure"
)

// BenchmarkDelivery lets 100 nodes with 8 links each, on loopback TCP in this process, gossip at full speed with 30 messages
// under way. A delivery's CPU is held against one signature check of the standard library, since each node has to make
// one. The collector is set as on a hub.
func BenchmarkDelivery(b *testing.B) {
	const nodes, links, messages, window = 100, 8, 400, 30
	defer debug.SetGCPercent(debug.SetGCPercent(hubGrowth))
	members := crowd(b, nodes, links)
	channel, err := protocol.PublicChannel("water")
	if err != nil {
		b.Fatal(err)
	}
	<-time.After(15 * time.Second) // the mesh has settled
	idle := spent(func() { <-time.After(5 * time.Second) })
	total, reach := 0, time.Duration(0)
	var ratio, each []float64
	for b.Loop() {
		began := delivered(members)
		before, check := counters(members), verifyStandard(b)
		got := spent(func() {
			for i := range messages {
				body := fmt.Appendf(nil, "%0*d", 70, total)
				if _, err := members[i%nodes].Publish(b.Context(), protocol.Draft{Channel: channel, Body: body}); err != nil {
					b.Fatal(err)
				}
				total++
				await(b, "room in the window", time.Minute, func() bool {
					return delivered(members)-began >= int64(i+1-window)*nodes
				})
			}
			await(b, "the last deliveries", time.Minute, func() bool { return delivered(members)-began >= messages*nodes })
		})
		reach += got.wall
		after := counters(members)
		one := got.cpu.Seconds() / (messages * (nodes - 1))
		each = append(each, one*1e6)
		ratio = append(ratio, one/((check+verifyStandard(b))/2)) // before and after: a machine that others use changes meanwhile
		all := float64(messages * (nodes - 1))
		figure.Report(b, "duplicates-a-delivery", float64(after.duplicates-before.duplicates)/all, "x", figure.AtMost(1.5))
		figure.Report(b, "by-sync", float64(after.bySync-before.bySync)/all, "x", figure.None)
		figure.Report(b, "dropped-rpcs", float64(after.dropped-before.dropped), "n", figure.None)
	}
	figure.Report(b, "cpu-a-delivery", figure.Median(each), "us", figure.None)
	figure.Report(b, "cpu-over-standard-verify", figure.Median(ratio), "x", figure.AtMost(2))
	figure.Report(b, "rate", float64(total)/reach.Seconds(), "msg/s", figure.None)
	figure.Report(b, "idle-cpu-a-node", 1000*idle.cpu.Seconds()/idle.wall.Seconds()/nodes, "ms/s", figure.None)
}

// crowd starts nodes with stores in memory, each with about so many links, until the benchmark ends.
func crowd(b *testing.B, nodes, links int) []running {
	b.Helper()
	members := make([]running, nodes)
	for i := range members {
		st, err := store.Open(store.Config{})
		if err != nil {
			b.Fatal(err)
		}
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			b.Fatal(err)
		}
		members[i] = start(b, node.Config{Store: st, Key: key, NoQUIC: true, Discovery: settled()})
		b.Cleanup(func() {
			members[i].stop()
			closeStore(b, st)
		})
	}
	rng := rand.New(rand.NewPCG(1, 2))
	seen := make(map[[2]int]bool)
	for i := 0; len(seen) < nodes*links/2; i = (i + 1) % nodes {
		j := rng.IntN(nodes)
		pair := [2]int{min(i, j), max(i, j)}
		if i != j && !seen[pair] {
			seen[pair] = true
			connect(b, members[i], addr(members[j]))
		}
	}
	await(b, "all links", 2*time.Minute, func() bool {
		have := 0
		for _, m := range members {
			have += m.Status().Peers
		}
		return have >= nodes*links
	})
	return members
}

// settled is discovery that does not look at the interfaces every second, once for each of a hundred nodes on one machine.
func settled() discovery.Config {
	w := discovery.NewWatcher(func() ([]discovery.Interface, error) { return nil, nil })
	w.Set([]discovery.Interface{{
		Index: 1, Name: "lo", Flags: net.FlagUp | net.FlagLoopback | net.FlagRunning,
		Addrs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")},
	}})
	return discovery.Config{Watcher: w}
}

// delivered is how many messages all stores keep together.
func delivered(members []running) (n int64) {
	for _, m := range members {
		n += m.store.Stats().Messages
	}
	return n
}

// verifyStandard is the seconds that the standard library takes for one check.
func verifyStandard(tb testing.TB) float64 {
	tb.Helper()
	const checks = 5000
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	msg := make([]byte, 200)
	sig := ed25519.Sign(key, msg)
	c := spent(func() {
		for range checks {
			if !ed25519.Verify(pub, msg, sig) {
				tb.Fatal("a good signature was refused")
			}
		}
	})
	return c.cpu.Seconds() / checks
}

// BenchmarkCopy is the least that one copy of a message costs both ends on a libp2p stream over loopback TCP, with nothing but Noise, yamux
// and the system beneath, and no other copy to share a packet with. What a delivery costs beyond its check and its two copies is gossip's,
// the store's, sync's and the collector's.
func BenchmarkCopy(b *testing.B) {
	const copies, size = 20_000, 300
	from, to := bareHost(b), bareHost(b)
	defer from.Close()
	defer to.Close()
	arrived := make(chan struct{}, 1) // of one: each waits for the one before
	to.SetStreamHandler("/longear/copy/1", func(s network.Stream) {
		buf := make([]byte, size)
		for {
			if _, err := io.ReadFull(s, buf); err != nil {
				return
			}
			arrived <- struct{}{}
		}
	})
	if err := from.Connect(b.Context(), peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
		b.Fatal(err)
	}
	s, err := from.NewStream(b.Context(), to.ID(), "/longear/copy/1")
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var ratio []float64
	for b.Loop() {
		got := spent(func() {
			msg := make([]byte, size)
			for range copies {
				if _, err := s.Write(msg); err != nil {
					b.Fatal(err)
				}
				<-arrived
			}
		})
		ratio = append(ratio, got.cpu.Seconds()/copies/verifyStandard(b))
	}
	figure.Report(b, "copy-over-standard-verify", figure.Median(ratio), "x", figure.None)
}
