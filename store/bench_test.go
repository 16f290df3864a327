package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
	"longear/test/bench/figure"
)

// start of the messages of benchmarks, and the second that 1.65 of them share on average.
const start, gap = 1_700_000_000_000, 606

// feed makes batches of forged messages of about 300 bytes: in the order of time, or anywhere in a week.
type feed struct {
	tmpl   *protocol.Message
	n      uint64
	random *rand.Rand
}

func newFeed(b testing.TB, scattered bool) *feed {
	f := &feed{tmpl: template(b, protocol.Text, 300)}
	if scattered {
		f.random = rand.New(rand.NewPCG(3, 4))
	}
	return f
}

func (f *feed) batch(b testing.TB, size int) []store.Item {
	items := make([]store.Item, size)
	for i := range items {
		created := start + f.n*gap
		if f.random != nil {
			created = start + f.random.Uint64N(7*24*3600*1000)
		}
		items[i].Message = forge(b, f.tmpl, created, f.n)
		f.n++
	}
	return items
}

// BenchmarkPut measures a message's share of a batch, in processor time of the whole process: what is put into the batch, level
// merging and all. "plain" is the same bytes under the same order in Badger alone, with no other key.
func BenchmarkPut(b *testing.B) {
	for _, p := range []store.Profile{store.Phone, store.Hub} {
		for _, scattered := range []bool{false, true} {
			for _, size := range []int{500, 1} {
				name := fmt.Sprintf("%v/scattered=%v/batch=%d", p, scattered, size)
				b.Run(name, func(b *testing.B) {
					s := open(b, store.Config{Dir: b.TempDir(), Profile: p, Quota: 1 << 30})
					defer shut(b, s)
					f := newFeed(b, scattered)
					measurePut(b, f, size, func(items []store.Item) {
						if _, err := s.Put(context.Background(), items); err != nil {
							b.Fatal(err)
						}
					}, func() {
						if err := s.View(func(*store.View) error { return nil }); err != nil {
							b.Fatal(err)
						}
					})
				})
			}
		}
	}
}

func measurePut(b *testing.B, f *feed, size int, put func([]store.Item), last func()) {
	var used time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		items := f.batch(b, size)
		b.StartTimer()
		from := figure.CPU()
		put(items)
		used += figure.CPU() - from
		n += size
	}
	from := figure.CPU()
	last()
	used += figure.CPU() - from
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "us/msg")
	b.ReportMetric(float64(used.Microseconds())/float64(n), "us-cpu/msg")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPutPlain is the yardstick of BenchmarkPut: a message alone, or with an ID and a channel key, under options like the phone's
// but with Badger's own compactors, with no lookups, trie, agenda or counters.
func BenchmarkPutPlain(b *testing.B) {
	for _, three := range []bool{false, true} {
		for _, size := range []int{500, 1} {
			b.Run(fmt.Sprintf("three=%v/batch=%d", three, size), func(b *testing.B) {
				db := plainBadger(b)
				defer db.Close()
				measurePut(b, newFeed(b, false), size, func(items []store.Item) {
					w := db.NewWriteBatch()
					defer w.Cancel()
					for _, it := range items {
						m := it.Message
						k := keyOf(m)
						if err := w.Set(append([]byte{'m'}, k[:]...), m.Wire()); err != nil {
							b.Fatal(err)
						}
						if !three {
							continue
						}
						if err := w.Set(append([]byte{'i'}, m.ID[:]...), k[:7]); err != nil {
							b.Fatal(err)
						}
						if err := w.Set(append(append([]byte{'c'}, m.Channel[:]...), k[1:]...), k[:1]); err != nil {
							b.Fatal(err)
						}
					}
					if err := w.Flush(); err != nil {
						b.Fatal(err)
					}
				}, func() {})
			})
		}
	}
}

func plainBadger(b *testing.B) *badger.DB {
	db, err := badger.Open(badger.DefaultOptions(b.TempDir()).WithLogger(nil).WithMetricsEnabled(false).
		WithDetectConflicts(false).WithNumVersionsToKeep(1).WithValueThreshold(36 << 10).WithValueLogFileSize(1 << 20).
		WithMemTableSize(4 << 20).WithNumMemtables(2).WithNumCompactors(2).WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(6).
		WithBaseTableSize(2 << 20).WithBaseLevelSize(4 << 20).WithBlockCacheSize(4 << 20).WithIndexCacheSize(4 << 20))
	if err != nil {
		b.Fatal(err)
	}
	return db
}

// fill puts n messages and returns their IDs, at most 10000 of them.
func fill(b testing.TB, s *store.Store, f *feed, n int) []protocol.ID {
	var ids []protocol.ID
	for done := 0; done < n; done += 500 {
		items := f.batch(b, min(500, n-done))
		if _, err := s.Put(context.Background(), items); err != nil {
			b.Fatal(err)
		}
		if len(ids) < 10_000 {
			for _, it := range items {
				ids = append(ids, it.Message.ID)
			}
		}
	}
	return ids
}

// BenchmarkRead measures the reads a node makes, from 100,000 messages.
func BenchmarkRead(b *testing.B) {
	s := open(b, store.Config{Dir: b.TempDir()})
	defer shut(b, s)
	ids := fill(b, s, newFeed(b, false), 100_000)
	b.Run("known", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if s.Known(ids[i%len(ids)]) != protocol.IgnoreKnown {
				b.Fatal("not known")
			}
		}
	})
	b.Run("unknown", func(b *testing.B) {
		id := protocol.ID{}
		for b.Loop() {
			id = sha256.Sum256(id[:])
			if s.Known(id) != protocol.Accept {
				b.Fatal("known")
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, err := s.Get(ids[i%len(ids)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("view-root", func(b *testing.B) {
		for b.Loop() {
			err := s.View(func(v *store.View) error {
				_, _, err := v.Node(reconcile.Prefix{})
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("keys", func(b *testing.B) {
		benchRange(b, s, func(v *store.View) int { return count(v.Keys(reconcile.Prefix{})) })
	})
	b.Run("range", func(b *testing.B) {
		benchRange(b, s, func(v *store.View) int { return count(v.Range(reconcile.Prefix{}, key{})) })
	})
	b.Run("channel", func(b *testing.B) {
		benchRange(b, s, func(*store.View) int { return count(s.Channel(protocol.Channel{15: 7})) })
	})
}

func benchRange(b *testing.B, s *store.Store, visit func(*store.View) int) {
	n := 0
	for b.Loop() {
		err := s.View(func(v *store.View) error { n += visit(v); return nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}

func count[T any](seq func(func(T, error) bool)) int {
	n := 0
	for _, err := range seq {
		if err != nil {
			return -1
		}
		n++
	}
	return n
}

// BenchmarkIdle holds a store of 100,000 messages open and reports what memory that takes.
func BenchmarkIdle(b *testing.B) {
	dir := b.TempDir()
	s := open(b, store.Config{Dir: dir})
	fill(b, s, newFeed(b, false), 100_000)
	shut(b, s)
	for b.Loop() {
		s := open(b, store.Config{Dir: dir})
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "heap-MiB")
		shut(b, s)
	}
}
