package node_test

import (
	"crypto/ed25519"
	"testing"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// guestNode is a node without a network, for what does not need one.
func guestNode(t *testing.T) (*node.Node, *store.Store) {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	n, err := node.New(node.Config{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	return n, s
}

// letters are records as a guest would hand them over.
func letters(t *testing.T, count int) []protocol.CarryRecord {
	t.Helper()
	var out []protocol.CarryRecord
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range count {
		m, err := protocol.Sign(key, protocol.Draft{Created: uint64(i + 1), Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, protocol.CarryRecord{Wire: m.Wire(), Age: time.Minute})
	}
	return out
}

// TestGuestBudget: a guest's offers are metered as a peer's gossip is, each guest by itself, and what the node asked for is not.
func TestGuestBudget(t *testing.T) {
	n, s := guestNode(t)
	in := letters(t, 1200)
	count := func(verdicts []protocol.Verdict, err error) map[protocol.Verdict]int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		got := map[protocol.Verdict]int{}
		for _, v := range verdicts {
			got[v]++
		}
		return got
	}
	got := count(n.OfferFrom(t.Context(), "a", in[:600], false))
	if got[protocol.Accept] < 400 || got[protocol.IgnoreBudget] == 0 || got[protocol.Accept]+got[protocol.IgnoreBudget] != 600 {
		t.Errorf("600 at once: %v", got)
	}
	if got := count(n.OfferFrom(t.Context(), "b", in[600:700], false)); got[protocol.Accept] != 100 {
		t.Errorf("another guest: %v", got)
	}
	if got := count(n.OfferFrom(t.Context(), "a", in[700:], true)); got[protocol.Accept] != 500 {
		t.Errorf("what was asked for: %v", got)
	}
	n.GuestLeft("a")
	if got := count(n.OfferFrom(t.Context(), "a", in[:50], false)); got[protocol.IgnoreKnown] != 50 {
		t.Errorf("a guest that came back: %v", got)
	}
	for e, err := range s.Newest() {
		if err != nil {
			t.Fatal(err)
		}
		if e.Age < time.Minute {
			t.Fatalf("a message has forgotten its age: %v", e.Age)
		}
	}
	forged := letters(t, 1)
	forged[0].Wire[len(forged[0].Wire)-1] ^= 1
	if got := count(n.OfferFrom(t.Context(), "c", forged, false)); got[protocol.RejectSignature] != 1 {
		t.Errorf("a forged message: %v", got)
	}
}

// TestGuestSpreads: what a guest brings reaches the neighbours: one message by gossip at once, a backlog by sync.
func TestGuestSpreads(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(15 * time.Second)
		in := letters(t, 501)
		for _, part := range [][]protocol.CarryRecord{in[:1], in[1:]} {
			if _, err := a.OfferFrom(t.Context(), "1", part, true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
		if got := b.store.Stats().Messages; got != 501 {
			t.Errorf("the neighbour has %d of 501 messages", got)
		}
		if got := b.Status().Accepted["gossip"]; got != 1 {
			t.Errorf("%d messages came by gossip, want the one that came alone", got)
		}
		if got := a.Scope().Ranks; got != 7 {
			t.Errorf("scope of classes %b", got)
		}
	})
}
