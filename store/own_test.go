package store_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

func TestLife(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	c := newClock()
	s := open(t, store.Config{Dir: dir, Clock: c.Clock()})
	first, second, other := lasting(t, "first", time.Hour), lasting(t, "second", 100*time.Hour), lasting(t, "other", time.Hour)
	put(t, s, store.Item{Message: first, Own: true}, store.Item{Message: other})
	c.advance(time.Minute)
	put(t, s, store.Item{Message: second, Own: true})
	if ids, err := s.OwnIDs(); err != nil || !slices.Equal(ids, []protocol.ID{second.ID, first.ID}) {
		t.Errorf("own: %v, %v", ids, err)
	}
	if _, ok, err := s.Life(other.ID); ok || err != nil {
		t.Errorf("another's message has a Life: %v", err)
	}
	all := []protocol.ID{first.ID, second.ID, other.ID}
	for link := range uint64(3) {
		for range 2 { // the same link twice counts once
			if err := s.Took(ctx, link, all); err != nil {
				t.Fatal(err)
			}
		}
	}
	for link := range uint64(100) {
		if err := s.Took(ctx, 1000+link, []protocol.ID{second.ID}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Seen(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	shut(t, s)

	s = open(t, store.Config{Dir: dir, Clock: c.Clock()})
	defer shut(t, s)
	c.advance(2 * time.Hour)
	sweep(t, s)
	l, ok, err := s.Life(first.ID)
	if !ok || err != nil || l.Carriers != 3 || !l.Seen || !l.Gone || l.Cause != store.Expired {
		t.Errorf("first: %+v, %v, %v", l, ok, err)
	}
	l, ok, err = s.Life(second.ID)
	if !ok || err != nil || l.Carriers != store.MaxCarriers || l.Seen || l.Gone {
		t.Errorf("second: %+v, %v, %v", l, ok, err)
	}
	if want := c.wall.Add(-2 * time.Hour); !l.Written.Equal(want) {
		t.Errorf("written %v, want %v", l.Written, want)
	}
	c.advance(protocol.Remember + time.Hour)
	sweep(t, s)
	if _, ok, err := s.Life(first.ID); ok || err != nil {
		t.Errorf("remembered for ever: %v", err)
	}
}
