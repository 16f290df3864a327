package bench_test

import (
	"context"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
	"longear/test/bench/figure"
)

// cost is what a piece of work took.
type cost struct{ wall, cpu time.Duration }

func spent(f func()) cost {
	runtime.GC() // what came before is not its debt
	wall, cpu := figure.Spent(f)
	return cost{wall, cpu}
}

// BenchmarkBacklog moves a backlog from a full node to an empty one and compares with the larger of two bounds of the
// same run: the slowest of the stages that it consists of, alone, and the CPU of all stages on all cores.
func BenchmarkBacklog(b *testing.B) {
	c := write(b, backlog)
	for _, p := range []store.Profile{store.Phone, store.Hub} {
		full := openAs(b, b.TempDir(), p)
		defer closeStore(b, full)
		fill(b, full, c.messages)
		for _, transport := range []string{"tcp", "quic"} {
			b.Run(p.String()+"/"+transport, func(b *testing.B) {
				t := transfer{full: full, profile: p, corpus: c, noQUIC: transport == "tcp"}
				t.compare(b)
			})
		}
	}
}

// transfer is one way of moving a corpus.
type transfer struct {
	full    *store.Store
	profile store.Profile
	corpus  corpus
	noQUIC  bool
}

func (t transfer) compare(b *testing.B) {
	var shares, walls, cpus, cpuRatios, wires []float64
	alone := make(map[string][]float64)
	for b.Loop() {
		all := t.stages(b)
		for name, s := range all {
			alone[name+"-alone"] = append(alone[name+"-alone"], s.wall.Seconds())
			alone[name+"-alone-cpu"] = append(alone[name+"-alone-cpu"], s.cpu.Seconds())
		}
		bound := boundOf(all)
		got, wire := t.move(b)
		shares = append(shares, bound.wall.Seconds()/got.wall.Seconds())
		cpuRatios = append(cpuRatios, got.cpu.Seconds()/bound.cpu.Seconds())
		walls = append(walls, got.wall.Seconds())
		cpus = append(cpus, got.cpu.Seconds())
		wires = append(wires, float64(wire)/float64(t.corpus.bytes))
	}
	want := figure.None // the bound's link stage is TCP
	if t.noQUIC {
		want = figure.AtLeast(0.7)
	}
	figure.Report(b, "share-of-bound", figure.Median(shares), "x", want)
	figure.Report(b, "wire-bytes", figure.Median(wires), "x", figure.AtMost(1.10))
	figure.Report(b, "wall", figure.Median(walls), "s", figure.None)
	figure.Report(b, "cpu", figure.Median(cpus), "s", figure.None)
	figure.Report(b, "cpu-over-stages", figure.Median(cpuRatios), "x", figure.None)
	figure.Report(b, "rate", float64(len(t.corpus.messages))/figure.Median(walls), "msg/s", figure.None)
	for _, name := range slices.Sorted(maps.Keys(alone)) {
		figure.Report(b, name, figure.Median(alone[name]), "s", figure.None)
	}
}

// move syncs the corpus into an empty store on disk and returns the cost, both nodes together, and the bytes of the sync
// streams, both ways.
func (t transfer) move(b *testing.B) (cost, uint64) {
	b.Helper()
	empty := openAs(b, filepath.Join(b.TempDir(), "empty"), t.profile)
	defer closeStore(b, empty)
	giver := start(b, node.Config{Store: t.full, NoQUIC: t.noQUIC})
	defer giver.stop()
	taker := start(b, node.Config{Store: empty, NoQUIC: t.noQUIC})
	defer taker.stop()
	// Who dials is discovery's choice, and the side with the larger ID waits to be dialled: the clock starts with the link.
	runtime.GC()
	connect(b, taker, addr(giver))
	await(b, "the link", time.Minute, func() bool { return taker.Status().Peers > 0 })
	wall, cpu := figure.Spent(func() { has(b, empty, len(t.corpus.messages)) })
	s := taker.Status().Sync
	return cost{wall, cpu}, s.Sent + s.Received
}

// stages runs what a transfer consists of, one after the other.
func (t transfer) stages(b *testing.B) map[string]cost {
	b.Helper()
	return map[string]cost{
		"link":   t.linkStage(b),
		"verify": verifyStage(b, t.corpus),
		"store":  t.storeStage(b),
	}
}

// boundOf is what no transfer can beat. Its wall time is the larger of the slowest stage's and all stages' CPU shared by the
// cores; its CPU is that of all.
func boundOf(all map[string]cost) cost {
	var bound cost
	for _, s := range all {
		bound.wall = max(bound.wall, s.wall)
		bound.cpu += s.cpu
	}
	bound.wall = max(bound.wall, bound.cpu/time.Duration(runtime.GOMAXPROCS(0)))
	return bound
}

// linkStage reads every message and sends it through a bare libp2p stream, in pieces of a sync frame's size.
func (t transfer) linkStage(b *testing.B) cost {
	b.Helper()
	from, to := bareHost(b), bareHost(b)
	defer from.Close()
	defer to.Close()
	done := make(chan int64, 1)
	to.SetStreamHandler("/bench", func(s network.Stream) {
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{s}, make([]byte, 64<<10))
		if err != nil {
			b.Error(err)
		}
		done <- n
	})
	return spent(func() {
		if err := from.Connect(b.Context(), peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
			b.Fatal(err)
		}
		s, err := from.NewStream(b.Context(), to.ID(), "/bench")
		if err != nil {
			b.Fatal(err)
		}
		if err := readAll(t.full, s); err != nil {
			b.Fatal(err)
		}
		if err := s.CloseWrite(); err != nil {
			b.Fatal(err)
		}
		if n := <-done; n != int64(t.corpus.bytes) {
			b.Fatalf("%d bytes came, want %d", n, t.corpus.bytes)
		}
	})
}

// readAll writes the encodings of all messages in a store, newest first.
func readAll(st *store.Store, w io.Writer) error {
	buf := make([]byte, 0, 80<<10)
	return st.View(func(v *store.View) error {
		for e, err := range v.Range(reconcile.Prefix{}, reconcile.Key{}) {
			if err != nil {
				return err
			}
			if buf = append(buf, e.Message.Wire()...); len(buf) >= 64<<10 {
				if _, err := w.Write(buf); err != nil {
					return err
				}
				buf = buf[:0]
			}
		}
		_, err := w.Write(buf)
		return err
	})
}

func bareHost(b *testing.B) host.Host {
	b.Helper()
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.DisableRelay(), libp2p.DisableMetrics(), libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
	)
	if err != nil {
		b.Fatal(err)
	}
	return h
}

// verifyStage decodes and checks every message, in batches on all cores.
func verifyStage(b *testing.B, c corpus) cost {
	b.Helper()
	return spent(func() {
		g, _ := errgroup.WithContext(context.Background())
		g.SetLimit(runtime.GOMAXPROCS(0))
		for part := range slices.Chunk(c.messages, putBatch) {
			g.Go(func() error { return verify(b, part) })
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	})
}

func verify(b *testing.B, part []*protocol.Message) error {
	open := make([]*protocol.Unverified, len(part))
	for i, m := range part {
		u, v := protocol.Decode(m.Wire())
		if v != protocol.Accept {
			b.Errorf("decode: %v", v)
			return nil
		}
		open[i] = u
	}
	for _, m := range protocol.VerifyAll(open) {
		if m == nil {
			b.Error("a good signature was refused")
		}
	}
	return nil
}

// storeStage puts every message, newest first as they come, into an empty store on disk.
func (t transfer) storeStage(b *testing.B) cost {
	b.Helper()
	st := openAs(b, filepath.Join(b.TempDir(), "stage"), t.profile)
	defer closeStore(b, st)
	arriving := slices.Clone(t.corpus.messages)
	slices.Reverse(arriving)
	return spent(func() { fill(b, st, arriving) })
}
