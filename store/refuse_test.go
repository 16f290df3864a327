package store_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// TestRefuseAuthors: all of an author goes but what was written here, stays away, and is let in again.
func TestRefuseAuthors(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Clock: c.Clock()})
	defer shut(t, s)
	wall := time.UnixMilli(1_800_000_000_000)
	var theirs, others []store.Item
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint64(seed, 7)
	key := ed25519.NewKeyFromSeed(seed)
	for n := range 1500 { // more than one turn of the writer's
		m, err := protocol.Sign(key, protocol.Draft{Created: uint64(wall.UnixMilli()) + uint64(n), Class: protocol.Class(n % 3)})
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, store.Item{Message: m})
	}
	for n := range 5 {
		others = append(others, store.Item{Message: text(t, wall.Add(time.Duration(n)*time.Second), "others")})
	}
	own, err := protocol.Sign(key, protocol.Draft{Created: 9, Body: []byte("written here")})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, theirs...)
	put(t, s, others[0], store.Item{Message: own, Own: true})
	removed := put(t, s, others[1])
	if err := s.Remove(t.Context(), []protocol.ID{others[1].Message.ID}, store.Removed); err != nil || removed[0] != protocol.Accept {
		t.Fatal(err)
	}
	gone, err := s.RefuseAuthors(t.Context(), func(a protocol.Author) bool { return a == theirs[0].Message.Author })
	if st := s.Stats(); err != nil || gone != len(theirs) || st.Messages != 2 || st.Tombstones != 1501 {
		t.Fatal(gone, err, st.Messages, st.Tombstones)
	}
	for _, v := range put(t, s, theirs...) {
		if v != protocol.IgnoreDead {
			t.Fatal("came back:", v)
		}
	}
	if err := s.Readmit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Tombstones != 1 {
		t.Errorf("%d tombstones are left; the one of what the person removed stays", st.Tombstones)
	}
	for _, v := range put(t, s, theirs...) {
		if v != protocol.Accept {
			t.Fatal("not let in again:", v)
		}
	}
}
