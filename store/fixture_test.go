package store_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// long runs the tests and benchmarks that take minutes at their full size.
var long = flag.Bool("long", false, "run tests and benchmarks at full size")

// author signs everything in these tests.
var author = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// sign makes a message of a draft.
func sign(t testing.TB, d protocol.Draft) *protocol.Message {
	t.Helper()
	m, err := protocol.Sign(author, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// text makes a signed text message in channel 0.
func text(t testing.TB, created time.Time, body string) *protocol.Message {
	t.Helper()
	return sign(t, protocol.Draft{Created: uint64(created.UnixMilli()), Class: protocol.Text, Body: []byte(body)})
}

// forge makes a message without signing it: Restore, which stands for the check that a node did before, does not look at the signature.
// A thousand signatures would take longer than the tests of the store.
func forge(t testing.TB, template *protocol.Message, created, nonce uint64) *protocol.Message {
	t.Helper()
	wire := append([]byte(nil), template.Wire()...)
	// The template's created takes 6 bytes of varint (34 bytes of author before it), its nonce the 8 before the signature.
	binary.LittleEndian.PutUint64(wire[len(wire)-66-8:], nonce|1<<63)
	var v [10]byte
	if n := binary.PutUvarint(v[:], created); n != 6 {
		t.Fatalf("created %d takes %d bytes", created, n)
	}
	copy(wire[35:41], v[:6])
	u, verdict := protocol.Decode(wire)
	if verdict != protocol.Accept {
		t.Fatal(verdict)
	}
	m, err := protocol.Restore(wire, u.ID())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// template is what forge starts from: size is about the length of the encoding.
func template(t testing.TB, class protocol.Class, size int) *protocol.Message {
	t.Helper()
	body := make([]byte, max(size-150, 1))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range body {
		body[i] = byte(r.Uint32())
		if i%2 == 0 {
			body[i] = 'a' + body[i]%16 // half text, half random, as compression sees it
		}
	}
	return sign(t, protocol.Draft{
		Created: 1_700_000_000_000, Class: class, Body: body, Nonce: 1,
		Channel: protocol.Channel{15: 7},
	})
}

func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func shut(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *store.Store, items ...store.Item) []protocol.Verdict {
	t.Helper()
	v, err := s.Put(context.Background(), items)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// clock is a clock that tests move.
type clock struct {
	mu   sync.Mutex
	wall time.Time
	mono time.Duration
}

func newClock() *clock { return &clock{wall: time.UnixMilli(1_800_000_000_000)} }

func (c *clock) Clock() store.Clock {
	return store.Clock{
		Wall: func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.wall },
		Mono: func() time.Duration { c.mu.Lock(); defer c.mu.Unlock(); return c.mono },
	}
}

// advance lets time pass on both clocks.
func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.mono = c.wall.Add(d), c.mono+d
}

// set steps the wall clock alone.
func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = t
}

func sweep(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// keys collects what a view shows.
func keys(t testing.TB, s *store.Store) []reconcile.Key {
	t.Helper()
	var all []reconcile.Key
	err := s.View(func(v *store.View) error {
		for k, err := range v.Keys(reconcile.Prefix{}) {
			if err != nil {
				return err
			}
			all = append(all, k)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkTrie compares the stored trie, node by node, with one built from the same keys alone.
func checkTrie(t testing.TB, s *store.Store) {
	t.Helper()
	all := keys(t, s)
	want := reconcile.NewMem(all)
	err := s.View(func(v *store.View) error { return compareNodes(t, v, want, reconcile.Prefix{}) })
	if err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().Messages; n != int64(len(all)) {
		t.Errorf("Stats counts %d messages, there are %d", n, len(all))
	}
}

func compareNodes(t testing.TB, got, want reconcile.Nodes, p reconcile.Prefix) error {
	t.Helper()
	g, gok, err := got.Node(p)
	if err != nil {
		return err
	}
	w, wok, err := want.Node(p)
	if err != nil {
		return err
	}
	if gok != wok || g != w {
		t.Fatalf("node %v: stored %v with %d keys, should be %v with %d", p, gok, g.Total(), wok, w.Total())
	}
	if !wok {
		return nil
	}
	for c := range uint8(16) {
		if w.Count[c] > reconcile.LeafSize {
			if err := compareNodes(t, got, want, p.Child(c)); err != nil {
				return err
			}
		}
	}
	return nil
}

type key = reconcile.Key

func keyOf(m *protocol.Message) key {
	return reconcile.NewKey(m.Class.Rank(), m.Created, reconcile.ID(m.ID))
}
