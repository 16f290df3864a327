package reconcile_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"longear/protocol/reconcile"
)

func TestKey(t *testing.T) {
	id := reconcile.ID{0xab, 0xcd}
	k := reconcile.NewKey(2, 0x0123456789ab, id)
	if k.Rank() != 2 || k.Created() != 0x0123456789ab || k.ID() != id {
		t.Fatalf("key is %v", k)
	}
	if got, want := k.Prefix(reconcile.Nibbles).String(), "20123456789ababcd"; !strings.HasPrefix(got, want) || len(got) != reconcile.Nibbles {
		t.Errorf("nibbles are %s, want %s...", got, want)
	}
	// What does not fit is lowered, and keeps its place at the end.
	if k := reconcile.NewKey(99, 1<<60, id); k.Rank() != reconcile.MaxRank || k.Created() != reconcile.MaxCreated {
		t.Errorf("a key too large is %v", k)
	}
	for _, b := range [][]byte{nil, make([]byte, 38), make([]byte, 40), append([]byte{16}, make([]byte, 38)...)} {
		if _, err := reconcile.ParseKey(b); err != reconcile.ErrKey {
			t.Errorf("parse %x: error is %v", b, err)
		}
	}
	if got, err := reconcile.ParseKey(k[:]); got != k || err != nil {
		t.Errorf("parsed %v, %v", got, err)
	}
}

func TestPrefix(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		k, other := keyMakers["any time"](rng), keyMakers["shared prefixes"](rng)
		var p reconcile.Prefix
		for n := range reconcile.Nibbles + 1 {
			if p != k.Prefix(n) || p.Len() != n || !p.Contains(k) {
				t.Fatalf("prefix of %d nibbles is %v, want %v", n, p, k.Prefix(n))
			}
			if p.First().Compare(k) > 0 || p.Last().Compare(k) < 0 || !p.Contains(p.First()) || !p.Contains(p.Last()) {
				t.Fatalf("%v ranges from %v to %v", p, p.First(), p.Last())
			}
			q := other.Prefix(rng.IntN(reconcile.Nibbles + 1))
			if got, want := p.Contains(other), other.Prefix(n) == p; got != want {
				t.Fatalf("%v contains %v: %v", p, other, got)
			}
			if got, want := p.Covers(q), q.Len() >= n && q.Cut(n) == p; got != want {
				t.Fatalf("%v covers %v: %v", p, q, got)
			}
			b := reconcile.AppendPrefix(nil, p)
			if got, rest, err := reconcile.ParsePrefix(append(b, 7)); got != p || len(rest) != 1 || err != nil {
				t.Fatalf("parsed %v, %v", got, err)
			}
			if n < reconcile.Nibbles {
				c := k.Prefix(n + 1).At(n)
				if p.Compare(p.Child(c)) >= 0 || !p.Covers(p.Child(c)) || p.Child(c).Covers(p) {
					t.Fatalf("%v and its child %d", p, c)
				}
				p = p.Child(c)
			}
		}
		if p.Child(3) != p {
			t.Fatal("a full prefix has a child")
		}
	}
}

func FuzzParsePrefix(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{3, 0x12, 0x30})
	f.Add([]byte{3, 0x12, 0x34})
	f.Add([]byte{78})
	f.Add(reconcile.AppendPrefix(nil, reconcile.NewKey(1, start, reconcile.ID{9}).Prefix(77)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := reconcile.ParsePrefix(b)
		if err != nil {
			return
		}
		if again := append(reconcile.AppendPrefix(nil, p), rest...); !bytes.Equal(again, b) {
			t.Fatalf("%x parsed and encoded is %x", b, again)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	k := reconcile.NewKey(1, start, reconcile.ID{9})
	f.Add(k[:])
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := reconcile.ParseKey(b)
		if err == nil && (!bytes.Equal(k[:], b) || reconcile.NewKey(k.Rank(), k.Created(), k.ID()) != k) {
			t.Fatalf("%x parsed is %v", b, k)
		}
	})
}

func FuzzParseNode(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	n, _, _ := reconcile.NewMem(randomKeys(rng, 100, start, 1<<30)).Node(reconcile.Prefix{})
	f.Add(reconcile.AppendNode(nil, &n))
	n, _, _ = reconcile.NewMem(randomKeys(rng, 3000, 0, 1<<48)).Node(reconcile.NewKey(1, 0, reconcile.ID{}).Prefix(1))
	f.Add(reconcile.AppendNode(nil, &n))
	f.Add([]byte{0, 0})
	f.Add(append([]byte{0, 1, 0x91, 0}, make([]byte, 32)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := reconcile.ParseNode(b)
		if err != nil {
			return
		}
		if again := reconcile.AppendNode(nil, &n); !bytes.Equal(again, b) {
			t.Fatalf("%x parsed and encoded is %x", b, again)
		}
		if n.Total() <= reconcile.LeafSize {
			t.Fatalf("a node of %d keys", n.Total())
		}
	})
}

func someWants(rng *rand.Rand) (wants []reconcile.Want) {
	for range rng.IntN(30) {
		w := reconcile.Want{Prefix: keyMakers["shared prefixes"](rng).Prefix(rng.IntN(78)), Whole: rng.IntN(2) == 0}
		for range 1 + rng.IntN(200) {
			if !w.Whole {
				w.Short = append(w.Short, reconcile.ShortID(rng.Uint32()))
			}
		}
		wants = append(wants, w)
	}
	return wants
}

func TestWants(t *testing.T) {
	for seed := range uint64(100) {
		wants := someWants(rand.New(rand.NewPCG(seed, 1)))
		got, err := reconcile.ParseWants(reconcile.AppendWants(nil, wants))
		if err != nil || !reflect.DeepEqual(got, wants) {
			t.Fatalf("parsed %v, %v, want %v", got, err, wants)
		}
		var b []byte
		for _, w := range wants {
			b = reconcile.AppendWant(b, w)
		}
		for _, want := range wants {
			var w reconcile.Want
			if w, b, err = reconcile.ParseWant(b); err != nil || !reflect.DeepEqual(w, want) {
				t.Fatalf("parsed %v, %v, want %v", w, err, want)
			}
		}
	}
	if _, err := reconcile.ParseWants(make([]byte, 2*(reconcile.MaxItems+1))); err != reconcile.ErrWant {
		t.Errorf("too many wants: %v", err)
	}
}

func FuzzParseWants(f *testing.F) {
	for seed := range uint64(5) {
		f.Add(reconcile.AppendWants(nil, someWants(rand.New(rand.NewPCG(seed, 1)))))
	}
	f.Add([]byte{31, 0, 3, 0x12, 0x30, 2, 1, 2, 3, 4, 5, 6, 7})
	f.Fuzz(func(t *testing.T, b []byte) {
		wants, err := reconcile.ParseWants(b)
		if err == nil {
			if again := reconcile.AppendWants(nil, wants); !bytes.Equal(again, b) {
				t.Fatalf("%x parsed and encoded is %x", b, again)
			}
		}
		w, rest, err := reconcile.ParseWant(b)
		if err == nil {
			if again := append(reconcile.AppendWant(nil, w), rest...); !bytes.Equal(again, b) {
				t.Fatalf("%x parsed and encoded is %x", b, again)
			}
		}
	})
}

// FuzzReceive gives any bytes to either side, in the middle of a round and after it: no panic, only ErrMessage, and bounded work.
func FuzzReceive(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	keys, others := twoSets(rng, 600, 200, false)
	refused := reconcile.NewMem(others[500:])
	set := reconcile.NewMem(keys)
	// Seeds: both sides' messages of real rounds.
	for _, keysB := range [][]reconcile.Key{others, keys, nil, others[:100]} {
		a, b := newPair(keys, keysB, nil, nil)
		msg, err := a.session.Start(a.view())
		from, to := a, b
		for msg != nil {
			if err != nil {
				f.Fatal(err)
			}
			f.Add(msg, true)
			f.Add(msg, false)
			msg, _, err = to.session.Receive(to.view(), msg)
			from, to = to, from
		}
	}
	for _, msg := range [][]byte{{0, 4 << 5, 0}, {1, 6 << 5}, {0, 1 << 5, 3, 1, 0x12, 0x30}, {0, 5 << 5, 1, 1, 2, 3, 4}} {
		f.Add(msg, true)
	}
	f.Fuzz(func(t *testing.T, msg []byte, initiator bool) {
		c := &counted{Nodes: set}
		s := reconcile.NewSession(reconcile.Config{Salt: reconcile.Salt{1, 2, 3}, Initiator: initiator, Refused: refused.Keys})
		if initiator {
			if _, err := s.Start(c); err != nil {
				t.Fatal(err)
			}
		} else if _, done, err := s.Receive(c, append([]byte{0, 0, 5}, make([]byte, 16)...)); done || err != nil {
			t.Fatal(done, err)
		}
		for range 3 { // the same again: twice, late
			*c = counted{Nodes: set}
			reply, done, err := s.Receive(c, slices.Clone(msg))
			if err != nil && err != reconcile.ErrMessage || err != nil && reply != nil {
				t.Fatalf("reply %x, error %v", reply, err)
			}
			if len(reply) > reconcile.MaxMessage || c.nodes+c.ranges > 41_000 || c.keys > 70_000 {
				t.Fatalf("%d nodes, %d ranges, %d keys, %d bytes", c.nodes, c.ranges, c.keys, len(reply))
			}
			checkOrder(t, s.Wants())
			s.End(done)
		}
	})
}
