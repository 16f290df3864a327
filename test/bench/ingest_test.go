package bench_test

import (
	"iter"
	"path/filepath"
	"slices"
	"testing"

	"longear/node"
	"longear/protocol"
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
		s = spent(func() {
			for part := range slices.Chunk(c.messages, putBatch) {
				verify(b, part)
			}
		})
		batch = append(batch, s.cpu.Seconds())
	}
	n := float64(len(c.messages))
	figure.Report(b, "single", n/figure.Median(single), "msg/s", figure.None)
	figure.Report(b, "batch", n/figure.Median(batch), "msg/s", figure.None)
	figure.Report(b, "batch-gain", figure.Median(single)/figure.Median(batch), "x", figure.None)
}

// BenchmarkIngest prints what the way through the door costs a phone: decode, verify, store, index. The share is of what
// verifying in batches alone reaches with the same CPU time.
func BenchmarkIngest(b *testing.B) {
	c := write(b, backlog)
	slices.Reverse(c.messages) // the order in which sync brings them
	var share, each []float64
	for b.Loop() {
		v := spent(func() {
			for part := range slices.Chunk(c.messages, putBatch) {
				verify(b, part)
			}
		})
		in := ingest(b, c)
		share = append(share, v.cpu.Seconds()/in.cpu.Seconds())
		each = append(each, in.cpu.Seconds()*1e6/float64(len(c.messages)))
	}
	figure.Report(b, "share-of-verify", figure.Median(share), "x", figure.AtLeast(0.6))
	figure.Report(b, "cpu-a-message", figure.Median(each), "us", figure.None)
}

// ingest imports a corpus into an empty phone.
func ingest(b *testing.B, c corpus) cost {
	b.Helper()
	st := open(b, filepath.Join(b.TempDir(), "empty"))
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
