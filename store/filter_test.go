package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// TestFilterNeverDenies puts, removes, expires, forgets and reopens at random, under a quota that evicts, and asks after each step for
// everything that the indexes hold: a store that did not know one of them would take it twice.
func TestFilterNeverDenies(t *testing.T) {
	var evicted, expired, removed uint64
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 7))
		c := newClock()
		conf := store.Config{Dir: t.TempDir(), Clock: c.Clock(), Quota: 10 << 20}
		s := open(t, conf)
		f := newFeed(t, true)
		f.random = r
		for range 25 {
			switch r.IntN(6) {
			case 0:
				shut(t, s)
				s = open(t, conf)
			case 1:
				c.advance(time.Duration(r.Int64N(int64(2 * 24 * time.Hour))))
				sweep(t, s)
			case 2:
				removeAny(t, s, 1+r.IntN(400))
			default:
				items := f.batch(t, 1+r.IntN(5000))
				for i := range items {
					items[i].Age = time.Duration(r.Int64N(int64(6 * 24 * time.Hour)))
				}
				put(t, s, items...)
			}
			checkKnown(t, s)
		}
		st := s.Stats()
		evicted, expired, removed = evicted+st.Evicted, expired+st.Expired, removed+st.Removed
		shut(t, s)
	}
	if evicted == 0 || expired == 0 || removed == 0 {
		t.Errorf("not everything was tried: %d evicted, %d expired, %d removed", evicted, expired, removed)
	}
}

// checkKnown asks for every message and every tombstone.
func checkKnown(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.View(func(v *store.View) error {
		for k, err := range v.Keys(reconcile.Prefix{}) {
			if got := s.Known(protocol.ID(k.ID())); err != nil || got != protocol.IgnoreKnown {
				t.Fatalf("%v is kept, and Known says %v, %v", k, got, err)
			}
		}
		for k, err := range v.Refused(reconcile.Prefix{}) {
			if got := s.Known(protocol.ID(k.ID())); err != nil || got != protocol.IgnoreDead {
				t.Fatalf("%v is dead, and Known says %v, %v", k, got, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func removeAny(t *testing.T, s *store.Store, most int) {
	t.Helper()
	var ids []protocol.ID
	for _, k := range keys(t, s) {
		if ids = append(ids, protocol.ID(k.ID())); len(ids) == most {
			break
		}
	}
	if err := s.Remove(t.Context(), ids, store.Removed); err != nil {
		t.Fatal(err)
	}
}

// TestFilterIsMadeBesideWriters opens a store that is too large to fill the filter at once: what it holds, and what comes while Run
// fills it, is known before, meanwhile and after.
func TestFilterIsMadeBesideWriters(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir})
	f := newFeed(t, false)
	var all []protocol.ID
	take := func(s *store.Store, n int) {
		items := f.batch(t, n)
		for i, v := range put(t, s, items...) {
			if v != protocol.Accept {
				t.Fatalf("put: %v", v)
			}
			all = append(all, items[i].Message.ID)
		}
	}
	for range 60 {
		take(s, 1000)
	}
	shut(t, s)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Config{Dir: dir})
		defer shut(t, s)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		check := func(when string) {
			for _, id := range all {
				if v := s.Known(id); v != protocol.IgnoreKnown {
					t.Fatalf("%s: %v", when, v)
				}
			}
			for i := range uint64(1000) {
				if v := s.Known(protocol.ID{0: byte(i), 9: byte(i >> 8)}); v != protocol.Accept {
					t.Fatalf("%s, one that was never put: %v", when, v)
				}
			}
		}
		check("before")
		go func() { done <- s.Run(ctx) }()
		for range 20 {
			take(s, 50)
		}
		check("meanwhile")
		synctest.Wait()
		take(s, 1000)
		check("after")
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	})
}
