package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// lasting makes a message with a lifetime.
func lasting(t testing.TB, body string, life time.Duration) *protocol.Message {
	t.Helper()
	return sign(t, protocol.Draft{Created: 1_700_000_000_000, Lifetime: uint32(life / time.Second), Body: []byte(body)})
}

// gone is how a message must look when its time is over and the sweep has been.
func checkGone(t *testing.T, s *store.Store, m *protocol.Message) {
	t.Helper()
	if _, err := s.Get(m.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	if v := s.Known(m.ID); v != protocol.IgnoreDead {
		t.Errorf("Known: %v", v)
	}
	if v := put(t, s, store.Item{Message: m}); v[0] != protocol.IgnoreDead {
		t.Errorf("put again: %v", v)
	}
	for e := range s.Channel(m.Channel) {
		if e.Message.ID == m.ID {
			t.Error("its channel still shows it")
		}
	}
}

func TestExpiry(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Clock: c.Clock()})
	defer shut(t, s)
	m := lasting(t, "two hours", 2*time.Hour)
	age := m.Life() / 256 // if it were more it could come back: see TestEarlyGrave
	put(t, s, store.Item{Message: m, Age: age})
	c.advance(m.Life() - age - time.Millisecond)
	if _, err := s.Get(m.ID); err != nil {
		t.Errorf("in its last millisecond: %v", err)
	}
	c.advance(time.Millisecond)
	if _, err := s.Get(m.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("reads are exact, whenever the sweep comes: %v", err)
	}
	c.advance(18 * time.Minute) // the width of a bucket
	sweep(t, s)
	checkGone(t, s, m)
	refused := 0
	err := s.View(func(v *store.View) error {
		for k, err := range v.Refused(keyOf(m).Prefix(9)) {
			if err != nil {
				return err
			}
			if k != keyOf(m) {
				t.Errorf("refuses %v", k)
			}
			refused++
		}
		return nil
	})
	if err != nil || refused != 1 {
		t.Errorf("%d refused: %v", refused, err)
	}
	checkTrie(t, s)

	c.advance(protocol.Remember - time.Hour)
	sweep(t, s)
	checkGone(t, s, m)
	c.advance(2 * time.Hour)
	sweep(t, s)
	if v := s.Known(m.ID); v != protocol.Accept {
		t.Errorf("after the time of remembering: %v", v)
	}
	if st := s.Stats(); st.Messages != 0 || st.Tombstones != 0 || st.Bytes != 0 || st.Expired != 1 {
		t.Errorf("%+v", st)
	}
}

func TestYoungerCopy(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Clock: c.Clock()})
	defer shut(t, s)
	m := lasting(t, "four hours", 4*time.Hour)
	put(t, s, store.Item{Message: m, Age: 3 * time.Hour})
	put(t, s, store.Item{Message: m, Age: 3*time.Hour + time.Minute}) // older: changes nothing
	if e, _ := s.Get(m.ID); e.Age != 3*time.Hour {
		t.Errorf("age %v", e.Age)
	}
	put(t, s, store.Item{Message: m, Age: time.Hour}) // younger: lives longer
	c.advance(90 * time.Minute)
	sweep(t, s)
	if e, err := s.Get(m.ID); err != nil || e.Expires != 90*time.Minute {
		t.Errorf("expires in %v, %v", e.Expires, err)
	}
	// Nothing prolongs it beyond a lifetime from its first receipt.
	put(t, s, store.Item{Message: m})
	c.advance(150*time.Minute + 18*time.Minute)
	sweep(t, s)
	checkGone(t, s, m)
	checkTrie(t, s)
}

// TestRun lets an hour-long message expire by itself, in virtual time.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		m := lasting(t, "an hour", time.Hour)
		put(t, s, store.Item{Message: m})
		time.Sleep(59 * time.Minute)
		if _, err := s.Get(m.ID); err != nil {
			t.Errorf("a minute before: %v", err)
		}
		time.Sleep(19 * time.Minute)
		synctest.Wait()
		if n := s.Stats().Messages; n != 0 {
			t.Errorf("%d messages left", n)
		}
		time.Sleep(protocol.Remember + time.Hour)
		synctest.Wait()
		if n := s.Stats().Tombstones; n != 0 {
			t.Errorf("%d tombstones left", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		shut(t, s)
	})
}

// TestSkewedClocks steps the wall clock by years, in both directions, while the store runs and while it is off. Nothing may be dropped
// for it, and nothing may live longer than twice its lifetime of running time.
func TestSkewedClocks(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, jump := range []time.Duration{-10 * year, -time.Hour, 3 * time.Hour, 40 * 24 * time.Hour, 10 * year, 200 * year, -200 * year} {
		t.Run(fmt.Sprint(jump), func(t *testing.T) {
			dir := t.TempDir()
			c := newClock()
			s := open(t, store.Config{Dir: dir, Clock: c.Clock()})
			m := lasting(t, "a day", 24*time.Hour)
			put(t, s, store.Item{Message: m})
			c.set(c.wall.Add(jump)) // while running
			sweep(t, s)
			if e, err := s.Get(m.ID); err != nil || e.Age != 0 {
				t.Errorf("after a jump: age %v, %v", e.Age, err)
			}
			shut(t, s)
			c.set(c.wall.Add(jump)) // while off
			s = open(t, store.Config{Dir: dir, Clock: c.Clock()})
			sweep(t, s)
			want := time.Duration(0)
			if jump > 0 && jump < 30*24*time.Hour {
				want = jump // a believable time off counts
			}
			if e, err := s.Get(m.ID); err != nil || e.Age != want {
				t.Errorf("after a jump while off: age %v, %v", e.Age, err)
			}
			c.advance(24*time.Hour + 18*time.Minute)
			sweep(t, s)
			checkGone(t, s, m)
			shut(t, s)
		})
	}
}

func TestRemove(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	all := shelf(t, s)
	var ids []protocol.ID
	for _, m := range all[:30] {
		ids = append(ids, m.ID)
	}
	ids = append(ids, ids...) // twice is once
	ids = append(ids, protocol.ID{1})
	if err := s.Remove(context.Background(), ids, store.Removed); err != nil {
		t.Fatal(err)
	}
	for _, m := range all[:30] {
		checkGone(t, s, m)
	}
	if st := s.Stats(); st.Messages != 60 || st.Removed != 30 || st.Tombstones != 30 {
		t.Errorf("%+v", st)
	}
	var refused []reconcile.Key
	err := s.View(func(v *store.View) error {
		for k, err := range v.Refused(reconcile.Prefix{}) {
			if err != nil {
				return err
			}
			refused = append(refused, k)
		}
		return nil
	})
	if err != nil || len(refused) != 30 {
		t.Errorf("%d refused, %v", len(refused), err)
	}
	checkTrie(t, s)
}
