package node_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"testing"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// hall is a store with a target that many answer.
type hall struct {
	t      testing.TB
	store  *store.Store
	target *protocol.Message
	n      uint64
}

func newHall(t testing.TB, d protocol.Draft) *hall {
	t.Helper()
	s, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	h := &hall{t: t, store: s}
	h.target = h.keep(h.key(0), d)
	return h
}

func (h *hall) key(n uint64) ed25519.PrivateKey {
	var seed [ed25519.SeedSize]byte
	binary.BigEndian.PutUint64(seed[:], n)
	return ed25519.NewKeyFromSeed(seed[:])
}

func (h *hall) keep(key ed25519.PrivateKey, d protocol.Draft) *protocol.Message {
	h.t.Helper()
	m, err := protocol.Sign(key, d)
	if err != nil {
		h.t.Fatal(err)
	}
	if v, err := h.store.Put(h.t.Context(), []store.Item{{Message: m}}); err != nil || v[0] != protocol.Accept {
		h.t.Fatal(v, err)
	}
	return m
}

// answer keeps a response with this body by an author of a number.
func (h *hall) answer(author uint64, body ...byte) {
	h.t.Helper()
	h.n++
	h.keep(h.key(author), protocol.Draft{
		Created: h.n, Channel: h.target.Channel, Kind: protocol.Response, Parents: []protocol.ID{h.target.ID}, Body: body,
	})
}

func (h *hall) tally(open node.Opener) node.Tally {
	h.t.Helper()
	sum, err := node.NewTallies(h.store, nil).Of(h.t.Context(), h.target, open)
	if err != nil {
		h.t.Fatal(err)
	}
	return sum
}

// TestTally: one answer counts for each key, the latest, and what is malformed or does not fit counts as nothing.
func TestTally(t *testing.T) {
	body, err := protocol.AppendPoll(nil, protocol.Poll{Question: "?", Options: []string{"a", "b"}, Most: 1})
	if err != nil {
		t.Fatal(err)
	}
	h := newHall(t, protocol.Draft{Channel: water(t), Kind: protocol.KindPoll, Body: body})
	if sum := h.tally(nil); !sum.Empty() {
		t.Errorf("nobody said %+v", sum)
	}
	h.answer(1, 4, 0)
	h.answer(1, 4, 1) // another mind
	h.answer(2, 4, 1)
	h.answer(3, 4, 2) // no such option
	h.answer(4, 4, 0, 1)
	h.answer(5, 1)
	h.answer(5, 99) // malformed, and takes the place of the confirmation
	h.answer(6, 2)
	h.answer(7, 3) // this is no petition
	h.answer(8, 1)
	h.answer(8, 0) // taken back
	for n := range byte(10) {
		h.answer(100+uint64(n), 5, 'a'+n)
		h.answer(200+uint64(n), 5, 'j')
	}
	got := h.tally(nil)
	if s := fmt.Sprintf("%d %d %d %v %d %d %v", got.Confirms, got.Contradicts, got.Signs, got.Votes, got.Voters, got.MoreReactions, got.AtLeast); s != "0 1 0 [0 2] 2 2 false" {
		t.Errorf("counted %s", s)
	}
	if len(got.Reactions) != 8 || got.Reactions[0] != (protocol.Reaction{Text: "j", Count: 11}) {
		t.Errorf("reactions %v", got.Reactions)
	}
}

// TestTallySealed: in a channel with a key only what opens counts, and what is short enough to be in the open is nobody's.
func TestTallySealed(t *testing.T) {
	key := protocol.NewChannelKey()
	seal := func(author ed25519.PrivateKey, text string) []byte {
		b, err := key.Seal(protocol.AuthorOf(author), text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	h := newHall(t, protocol.Draft{Channel: key.Tag(), Kind: protocol.KindPetition, Body: []byte{1}})
	h.answer(1, seal(h.key(1), "\x03")...)
	h.answer(2, seal(h.key(2), "\x03")...)
	h.answer(3, seal(h.key(1), "\x03")...) // copied from another author
	h.answer(4, 3)                         // in the open
	h.answer(2, seal(h.key(2), "\x00")...)
	open := func(m *protocol.Message) ([]byte, bool) {
		p, err := key.Open(m)
		if err != nil {
			return nil, false
		}
		return []byte(p.Text()), true
	}
	if got := h.tally(open); got.Signs != 1 {
		t.Errorf("%d signed, want 1", got.Signs)
	}
	if got := h.tally(nil); got.Signs != 1 {
		t.Errorf("without the key %d signed, want what is in the open, 1", got.Signs)
	}
}

// TestTallyOfMany: a crowd is counted to the bound and said to be more; the count is kept, until somebody asks to forget it.
func TestTallyOfMany(t *testing.T) {
	h := newHall(t, protocol.Draft{Channel: water(t), Body: []byte("x")})
	const crowd = 17_000
	items := h.crowd(crowd)
	all := node.NewTallies(h.store, nil)
	of := func() node.Tally {
		t.Helper()
		sum, err := all.Of(t.Context(), h.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	first := of()
	if !first.AtLeast || first.Confirms != 1<<14 {
		t.Errorf("counted %+v", first)
	}
	var ids []protocol.ID
	for _, it := range items[:1000] {
		ids = append(ids, it.Message.ID)
	}
	if err := h.store.Remove(t.Context(), ids, store.Removed); err != nil {
		t.Fatal(err)
	}
	if got := of(); got.Confirms != first.Confirms {
		t.Errorf("counted again at once: %+v", got)
	}
	all.Forget(h.target.ID)
	if got := of(); got.AtLeast || got.Confirms != crowd-1000+1 {
		t.Errorf("counted %+v", got)
	}
}

// crowd keeps confirmations by authors who are made up; the store asks for no signature.
func (h *hall) crowd(n int) (items []store.Item) {
	h.t.Helper()
	tmpl := h.keep(h.key(1), protocol.Draft{Channel: h.target.Channel, Kind: protocol.Response, Parents: []protocol.ID{h.target.ID}, Body: []byte{1}}).Wire()
	for i := range n {
		wire := append([]byte(nil), tmpl...)
		binary.BigEndian.PutUint32(wire[2:], uint32(i)*2_654_435_761) // another author
		u, v := protocol.Decode(wire)
		if v != protocol.Accept {
			h.t.Fatal(v)
		}
		m, err := protocol.Restore(wire, u.ID())
		if err != nil {
			h.t.Fatal(err)
		}
		items = append(items, store.Item{Message: m})
	}
	if _, err := h.store.Put(h.t.Context(), items); err != nil {
		h.t.Fatal(err)
	}
	return items
}
