package bench_test

import (
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"longear/node"
	"longear/protocol"
	"longear/store"
	"longear/test/bench/figure"
)

// BenchmarkVerify prints what checking signatures costs on one core, one by one and in batches of a sync frame's size.
func BenchmarkVerify(b *testing.B) {
	c := write(b, shape{count: 50 * putBatch, authors: 1_000, size: 300})
	var single, batch []float64
	for b.Loop() {
		s := spent(func() {
			for _, m := range c.messages {
				if _, v := protocol.Open(m.Wire()); v != protocol.Accept {
					b.Fatal(v)
				}
			}
		})
		single = append(single, s.cpu.Seconds())
		batch = append(batch, verifyAlone(b, c).cpu.Seconds())
	}
	n := float64(len(c.messages))
	figure.Report(b, "single", n/figure.Median(single), "msg/s", figure.None)
	figure.Report(b, "batch", n/figure.Median(batch), "msg/s", figure.None)
	figure.Report(b, "batch-gain", figure.Median(single)/figure.Median(batch), "x", figure.None)
}

// BenchmarkIngest prints what the way through the door costs: decode, verify, store, index. The share is of what verifying in
// batches alone reaches with the same CPU time.
func BenchmarkIngest(b *testing.B) {
	c := write(b, backlog)
	slices.Reverse(c.messages) // the order in which sync brings them
	for _, p := range []store.Profile{store.Phone, store.Hub} {
		b.Run(p.String(), func(b *testing.B) {
			var share, each []float64
			for b.Loop() {
				v := verifyAlone(b, c)
				in := ingest(b, c, p)
				share = append(share, v.cpu.Seconds()/in.cpu.Seconds())
				each = append(each, in.cpu.Seconds()*1e6/float64(len(c.messages)))
			}
			figure.Report(b, "share-of-verify", figure.Median(share), "x", figure.AtLeast(0.6))
			figure.Report(b, "cpu-a-message", figure.Median(each), "us", figure.None)
		})
	}
}

// verifyAlone decodes and checks a corpus in batches.
func verifyAlone(b *testing.B, c corpus) cost {
	b.Helper()
	return spent(func() {
		for part := range slices.Chunk(c.messages, putBatch) {
			verify(b, part)
		}
	})
}

// ingest imports a corpus into an empty node.
func ingest(b *testing.B, c corpus, p store.Profile) cost {
	b.Helper()
	st := openAs(b, filepath.Join(b.TempDir(), "empty"), p)
	defer closeStore(b, st)
	n := start(b, node.Config{Store: st, NoQUIC: true})
	defer n.stop()
	return spent(func() {
		got, err := n.Import(b.Context(), records(c))
		if err != nil || got.New != len(c.messages) {
			b.Fatalf("imported %+v: %v", got, err)
		}
	})
}

func records(c corpus) iter.Seq2[protocol.CarryRecord, error] {
	return func(yield func(protocol.CarryRecord, error) bool) {
		for _, m := range c.messages {
			if !yield(protocol.CarryRecord{Wire: m.Wire()}, nil) {
				return
			}
		}
	}
}
