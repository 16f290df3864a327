package reconcile_test

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"longear/protocol/reconcile"
)

// ledger is a set whose trie is kept by Fold or Rebuild. Unlike Mem it shows its nodes, and keeps what is emitted apart until the end, as
// a store that writes one batch does.
type ledger struct {
	keys  map[reconcile.Key]bool
	nodes map[reconcile.Prefix]reconcile.Node
}

func newLedger() *ledger {
	return &ledger{map[reconcile.Key]bool{}, map[reconcile.Prefix]reconcile.Node{}}
}

func (l *ledger) Node(p reconcile.Prefix) (reconcile.Node, bool, error) {
	n, ok := l.nodes[p]
	return n, ok, nil
}

func (l *ledger) sorted() []reconcile.Key {
	return slices.SortedFunc(maps.Keys(l.keys), reconcile.Key.Compare)
}

func (l *ledger) Keys(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	return func(yield func(reconcile.Key, error) bool) {
		for _, k := range l.sorted() {
			if p.Contains(k) && !yield(k, nil) {
				return
			}
		}
	}
}

// commit runs fn with an emit whose nodes become visible when fn is done.
func (l *ledger) commit(tb testing.TB, fn func(emit func(reconcile.Prefix, *reconcile.Node) error) error) (emitted int) {
	tb.Helper()
	batch := map[reconcile.Prefix]*reconcile.Node{}
	err := fn(func(p reconcile.Prefix, n *reconcile.Node) error {
		emitted++
		batch[p] = n
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	for p, n := range batch {
		if n == nil {
			delete(l.nodes, p)
		} else {
			l.nodes[p] = *n
		}
	}
	return emitted
}

func (l *ledger) fold(tb testing.TB, add, del []reconcile.Key) int {
	tb.Helper()
	for _, k := range add {
		l.keys[k] = true
	}
	for _, k := range del {
		delete(l.keys, k)
	}
	return l.commit(tb, func(emit func(reconcile.Prefix, *reconcile.Node) error) error {
		return reconcile.Fold(l, add, del, emit)
	})
}

func (l *ledger) rebuild(tb testing.TB, p reconcile.Prefix) {
	tb.Helper()
	l.commit(tb, func(emit func(reconcile.Prefix, *reconcile.Node) error) error {
		return reconcile.Rebuild(l, p, emit)
	})
}

// plain computes the trie of sorted keys as SPEC.md defines it, with nothing of the package but Prefix.
func plain(keys []reconcile.Key, p reconcile.Prefix, out map[reconcile.Prefix]reconcile.Node) (uint64, reconcile.Hash) {
	if len(keys) == 0 {
		return 0, reconcile.Hash{}
	}
	if len(keys) <= reconcile.LeafSize {
		b := []byte("longear/1 leaf\x00")
		for _, k := range keys {
			id := k.ID()
			b = append(b, id[:]...)
		}
		return uint64(len(keys)), sha256.Sum256(b)
	}
	var node reconcile.Node
	b := []byte("longear/1 node\x00")
	for c := range uint8(16) {
		child := p.Child(c)
		var under []reconcile.Key
		for _, k := range keys {
			if k.Prefix(child.Len()) == child {
				under = append(under, k)
			}
		}
		n, h := plain(under, child, out)
		node.Count[c], node.Hash[c] = n, h
		if n > 0 {
			b = append(b, c)
			b = binary.AppendUvarint(b, n)
			b = append(b, h[:]...)
		}
	}
	out[p] = node
	return uint64(len(keys)), sha256.Sum256(b)
}

func (l *ledger) check(tb testing.TB) {
	tb.Helper()
	want := map[reconcile.Prefix]reconcile.Node{}
	total, hash := plain(l.sorted(), reconcile.Prefix{}, want)
	if len(l.nodes) != len(want) {
		tb.Fatalf("%d nodes stored for %d keys, want %d", len(l.nodes), len(l.keys), len(want))
	}
	for p, n := range want {
		if l.nodes[p] != n {
			tb.Fatalf("node %v differs", p)
		}
	}
	if root, ok := l.nodes[reconcile.Prefix{}]; ok && root.Total() != total {
		tb.Fatalf("root is %d, want %d", root.Total(), total)
	}
	if root, err := reconcile.Root(l); err != nil || root != hash {
		tb.Fatalf("root of %d keys is %x, %v, want %x", total, root, err, hash)
	}
}

// keyMakers are the shapes of sets that stress the trie.
var keyMakers = map[string]func(*rand.Rand) reconcile.Key{
	"spread": func(rng *rand.Rand) reconcile.Key {
		return reconcile.NewKey(uint8(rng.IntN(3)), start+rng.Uint64N(day), randomID(rng))
	},
	"any time": func(rng *rand.Rand) reconcile.Key {
		return reconcile.NewKey(uint8(rng.IntN(3)), rng.Uint64(), randomID(rng))
	},
	"one millisecond": func(rng *rand.Rand) reconcile.Key {
		return reconcile.NewKey(1, start, randomID(rng))
	},
	// Ground IDs: any number of nibbles in common, as nobody can afford but everybody may claim in a test.
	"shared prefixes": func(rng *rand.Rand) reconcile.Key {
		var id reconcile.ID
		for i := rng.IntN(32); i < 32; i++ {
			id[i] = byte(rng.Uint32N(4))
		}
		return reconcile.NewKey(1, start, id)
	},
	"one nibble at the end": func(rng *rand.Rand) reconcile.Key {
		var id reconcile.ID
		id[31] = byte(rng.Uint32())
		return reconcile.NewKey(2, 0, id)
	},
}

func TestFoldEqualsRebuild(t *testing.T) {
	for name, makeKey := range keyMakers {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				rng := rand.New(rand.NewPCG(seed, 1))
				l := newLedger()
				for range 25 {
					var add, del []reconcile.Key
					for range rng.IntN(1 << rng.IntN(8)) {
						add = append(add, makeKey(rng))
					}
					// Some rounds shrink the set, down to nothing now and then.
					share := rng.Float64() * rng.Float64()
					for _, k := range l.sorted() {
						if rng.Float64() < share {
							del = append(del, k)
						}
					}
					l.fold(t, add, del)
					l.check(t)
					// What is counted already may be folded again.
					if n := l.fold(t, add, del); n != 0 {
						t.Fatalf("folding again emitted %d nodes", n)
					}
				}
				l.fold(t, nil, l.sorted())
				l.check(t)
			}
		})
	}
}

func TestFoldBurst(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	keys := randomKeys(rng, 100_000, start, 1)
	m := &reconcile.Mem{}
	for part := range slices.Chunk(keys, 20_000) {
		if err := m.Apply(part, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := map[reconcile.Prefix]reconcile.Node{}
	slices.SortFunc(keys, reconcile.Key.Compare)
	_, hash := plain(keys, reconcile.Prefix{}, want)
	for p, n := range want {
		got, ok, err := m.Node(p)
		if got != n || !ok || err != nil {
			t.Fatalf("node %v differs", p)
		}
	}
	if rootOf(t, m) != hash {
		t.Fatal("root differs")
	}
	if err := m.Apply(nil, keys[5:]); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := m.Node(reconcile.Prefix{}); ok || m.Len() != 5 {
		t.Fatal("a root of 5 keys is stored")
	}
}

// TestRebuildRepairs breaks stored tries as a crash between two batches might, and worse.
func TestRebuildRepairs(t *testing.T) {
	for name, makeKey := range keyMakers {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				rng := rand.New(rand.NewPCG(seed, 2))
				l := newLedger()
				var keys []reconcile.Key
				for range 300 {
					keys = append(keys, makeKey(rng))
				}
				l.fold(t, keys, nil)
				// Keys under one prefix come and go without the trie's knowledge.
				place := keys[rng.IntN(len(keys))].Prefix(rng.IntN(reconcile.Nibbles + 1))
				for _, k := range l.sorted() {
					if place.Contains(k) && rng.IntN(3) > 0 {
						delete(l.keys, k)
					}
				}
				for range rng.IntN(200) {
					if k := makeKey(rng); place.Contains(k) {
						l.keys[k] = true
					}
				}
				l.rebuild(t, place)
				l.check(t)
				// Some nodes are lost or wrong: the root's rebuilding finds what can be reached from it.
				for p, n := range l.nodes {
					if p.Len() > 0 && rng.IntN(4) == 0 {
						n.Hash[rng.IntN(16)][0]++
						l.nodes[p] = n
					}
				}
				for _, k := range l.sorted() {
					if rng.IntN(2) == 0 {
						delete(l.keys, k)
					}
				}
				l.rebuild(t, reconcile.Prefix{})
				l.check(t)
			}
		})
	}
}

// TestHistoryIndependence builds one set in different orders and by way of different other sets.
func TestHistoryIndependence(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	keys := randomKeys(rng, 2000, start, day)
	extra := randomKeys(rng, 2000, start, day)
	want := rootOf(t, reconcile.NewMem(keys))
	for range 5 {
		rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		m := &reconcile.Mem{}
		for i := 0; i < len(keys); i += 100 {
			if err := m.Apply(slices.Concat(keys[i:i+100], extra[i:i+100]), nil); err != nil {
				t.Fatal(err)
			}
		}
		if rootOf(t, m) == want {
			t.Fatal("more keys, same root")
		}
		if err := m.Apply(nil, extra); err != nil {
			t.Fatal(err)
		}
		if rootOf(t, m) != want {
			t.Fatal("same keys, other root")
		}
	}
}

// TestWrongOrder feeds a source that breaks its contract: an error, not endless descent.
func TestWrongOrder(t *testing.T) {
	k := reconcile.NewKey(1, start, reconcile.ID{1})
	src := broken{keys: slices.Repeat([]reconcile.Key{k}, 40)}
	err := reconcile.Rebuild(src, reconcile.Prefix{}, func(reconcile.Prefix, *reconcile.Node) error { return nil })
	if err != reconcile.ErrTrie {
		t.Fatalf("error is %v, want %v", err, reconcile.ErrTrie)
	}
}

// broken has keys and no nodes, whatever their number.
type broken struct{ keys []reconcile.Key }

func (broken) Node(reconcile.Prefix) (reconcile.Node, bool, error) {
	return reconcile.Node{}, false, nil
}

func (b broken) Keys(reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	return func(yield func(reconcile.Key, error) bool) {
		for _, k := range b.keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

func BenchmarkFold(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := reconcile.NewMem(randomKeys(rng, 100_000, start, day))
	for _, shape := range []struct {
		name string
		span uint64
	}{{"newest 500", 10_000}, {"scattered 500", day}} {
		b.Run(shape.name, func(b *testing.B) {
			add := randomKeys(rng, 500, start+day-shape.span, shape.span)
			if err := m.Apply(add, nil); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				// The keys are counted already: the work is the same, but no node changes and none is emitted.
				err := reconcile.Fold(m, add, nil, func(reconcile.Prefix, *reconcile.Node) error { return nil })
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/key")
		})
	}
}
