package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

func TestPutVerdicts(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	now := time.UnixMilli(1_750_000_000_000)
	known, dead := text(t, now, "known"), text(t, now, "dead")
	put(t, s, store.Item{Message: known}, store.Item{Message: dead})
	if err := s.Remove(context.Background(), []protocol.ID{dead.ID}, store.Removed); err != nil {
		t.Fatal(err)
	}
	refused := text(t, now, "refused")
	if err := s.Refuse(context.Background(), []key{keyOf(refused)}); err != nil {
		t.Fatal(err)
	}
	twice := text(t, now, "twice")
	items := []store.Item{
		{Message: text(t, now, "new")}, // nothing known
		{Message: known},               // put before
		{Message: dead},                // removed before
		{Message: refused},             // never wanted
		{Message: twice},               // first of two
		{Message: twice},               // second of two in one batch
		{Message: text(t, now, "old"), Age: protocol.DefaultLifetime},      // exactly its lifetime
		{Message: text(t, now, "last moment"), Age: 7*24*time.Hour - 1e6},  // one ms left
		{Message: text(t, time.UnixMilli(1<<48-1), "from the year 10889")}, // any date is taken
		{Message: text(t, now, "negative"), Age: -time.Hour},               // a caller's slip gives no time
	}
	want := []protocol.Verdict{
		protocol.Accept, protocol.IgnoreKnown, protocol.IgnoreDead, protocol.IgnoreDead, protocol.Accept, protocol.IgnoreKnown,
		protocol.IgnoreExpired, protocol.Accept, protocol.Accept, protocol.Accept,
	}
	if got := put(t, s, items...); !slices.Equal(got, want) {
		t.Errorf("verdicts\n got %v\nwant %v", got, want)
	}
	for i, it := range items {
		want := map[protocol.Verdict]protocol.Verdict{
			protocol.Accept: protocol.IgnoreKnown, protocol.IgnoreKnown: protocol.IgnoreKnown,
			protocol.IgnoreDead: protocol.IgnoreDead, protocol.IgnoreExpired: protocol.Accept,
		}[want[i]]
		if got := s.Known(it.Message.ID); got != want {
			t.Errorf("item %d: Known says %v, want %v", i, got, want)
		}
	}
	checkTrie(t, s)
}

func TestPutManyCallers(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	tmpl := template(t, protocol.Text, 300)
	const callers, each = 16, 200
	var wg sync.WaitGroup
	accepted := make([]int, callers)
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				// Every message comes from two callers.
				m := forge(t, tmpl, 1_700_000_000_000+uint64(i), uint64(c/2))
				v, err := s.Put(context.Background(), []store.Item{{Message: m}})
				if err != nil {
					t.Error(err)
					return
				}
				if v[0] == protocol.Accept {
					accepted[c]++
				}
			}
		})
	}
	wg.Wait()
	for c := 0; c < callers; c += 2 {
		if got := accepted[c] + accepted[c+1]; got != each {
			t.Errorf("pair %d: %d accepted, want %d", c/2, got, each)
		}
	}
	checkTrie(t, s)
}

func TestPutCancelled(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	ctx, cancel := context.WithCancel(context.Background())
	m := text(t, time.UnixMilli(1_750_000_000_000), "waits")
	got := make(chan error, 1)
	err := s.View(func(*store.View) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	go func() {
		_, err := s.Put(ctx, []store.Item{{Message: m}})
		got <- err
	}()
	// Whichever of the two the cancelled caller gets, it is the truth.
	if err := <-got; err == nil {
		if v := s.Known(m.ID); v != protocol.IgnoreKnown {
			t.Errorf("acknowledged and then %v", v)
		}
	} else if !errors.Is(err, context.Canceled) {
		t.Error(err)
	} else if v := s.Known(m.ID); v != protocol.Accept {
		t.Errorf("not acknowledged and then %v", v)
	}
}

func TestPutSizes(t *testing.T) {
	// The smallest transactions are the memory profile's: the largest message must fit into one.
	s := open(t, store.Config{})
	defer shut(t, s)
	var items []store.Item
	for i, size := range []int{0, 1, 300, 4096, protocol.MaxBody - 1, protocol.MaxBody, protocol.MaxBody} {
		body := slices.Repeat([]byte{byte(i)}, size)
		d := protocol.Draft{Created: protocol.MaxCreated, Lifetime: 14 * 24 * 3600, Class: protocol.Media, Kind: protocol.MaxKind, Flags: protocol.MaxFlags, Body: body, Nonce: 1}
		for p := range byte(4) {
			d.Parents = append(d.Parents, protocol.ID{p})
		}
		items = append(items, store.Item{Message: sign(t, d), Own: i%2 == 0})
	}
	for i, v := range put(t, s, items...) {
		if v != protocol.Accept {
			t.Errorf("item %d: %v", i, v)
		}
	}
	for i, it := range items {
		e, err := s.Get(it.Message.ID)
		if err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
		if !e.Message.Equal(it.Message) || e.Own != it.Own {
			t.Errorf("item %d came back changed", i)
		}
	}
}

func TestGet(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Clock: c.Clock()})
	defer shut(t, s)
	m := text(t, c.wall, "water at gate 4")
	put(t, s, store.Item{Message: m, Age: time.Hour})
	c.advance(2 * time.Hour)
	e, err := s.Get(m.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !e.Message.Equal(m) || string(e.Message.Body) != "water at gate 4" {
		t.Error("another message came back")
	}
	if e.Age != 3*time.Hour || e.Expires != 7*24*time.Hour-3*time.Hour {
		t.Errorf("age %v, expires %v", e.Age, e.Expires)
	}
	if want := c.wall.Add(-2 * time.Hour); !e.Received.Equal(want) {
		t.Errorf("received %v, want %v", e.Received, want)
	}
	if _, err := s.Get(protocol.ID{1}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown ID: %v", err)
	}
}

func TestFind(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	tmpl := template(t, protocol.Text, 200)
	var all []*protocol.Message
	for i := range uint64(200) {
		all = append(all, forge(t, tmpl, 1_700_000_000_000+i, i))
		put(t, s, store.Item{Message: all[i]})
	}
	for _, m := range all[:20] {
		for _, n := range []int{6, 8, 52} {
			got, err := s.Find(m.ID.String()[:n])
			if err != nil || !slices.Contains(got, m.ID) {
				t.Errorf("%s: %v, %v", m.ID.String()[:n], got, err)
			}
		}
	}
	if _, err := s.Find(""); !errors.Is(err, store.ErrAmbiguous) {
		t.Errorf("every ID begins with nothing: %v", err)
	}
	for _, bad := range []string{"0", "not base32!", fmt.Sprintf("%053d", 0)} {
		if got, err := s.Find(bad); err == nil {
			t.Errorf("%q found %v", bad, got)
		}
	}
}

func TestClosed(t *testing.T) {
	s := open(t, store.Config{})
	shut(t, s)
	if err := s.Close(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := s.Get(protocol.ID{}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Put(context.Background(), make([]store.Item, 1)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put: %v", err)
	}
	if v := s.Known(protocol.ID{}); v != protocol.IgnoreStore {
		t.Errorf("Known: %v", v)
	}
	for _, err := range s.Newest() {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("Newest: %v", err)
		}
	}
}
