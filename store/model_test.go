package store_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// model is what a store promises, as a map.
type model struct {
	c     *clock
	live  map[protocol.ID]kept
	dead  map[protocol.ID]early
	known []*protocol.Message // everything ever put
	back  uint64              // how often one of the dead came back since the store was opened
}

type kept struct {
	m   *protocol.Message
	end time.Duration // running time at which it dies
	due time.Duration // when it would die if nobody had told an age
	own bool
}

// early is until when one of the dead may come back, and when it died; zero if it may not.
type early struct{ due, end time.Duration }

// put says which verdicts may come, and notes the outcome.
func (d *model) put(it store.Item) protocol.Verdict {
	id, life := it.Message.ID, it.Message.Life()
	due := d.c.mono + life
	end := due - it.Age
	_, live := d.live[id]
	grave, dead := d.dead[id]
	switch {
	case it.Age >= life:
		return protocol.IgnoreExpired
	case live:
		return protocol.IgnoreKnown
	case dead && (d.c.mono >= grave.due || min(end, grave.due) < grave.end+life/256):
		return protocol.IgnoreDead
	case dead:
		due = grave.due
		end = min(end, due)
		delete(d.dead, id)
		d.back++
	}
	d.live[id] = kept{it.Message, end, due, it.Own}
	d.known = append(d.known, it.Message)
	return protocol.Accept
}

func (d *model) sweep() {
	for id, k := range d.live {
		// The sweep comes to a bucket when all of it is due.
		if end := (k.end.Milliseconds()>>20 + 1) << 20; d.c.mono.Milliseconds() >= end {
			delete(d.live, id)
			d.dead[id] = early{}
			if !k.own && k.due-k.end > k.m.Life()/256 && k.due > d.c.mono {
				d.dead[id] = early{k.due, k.end}
			}
		}
	}
}

// TestModel does random things to a store and to a map, and compares. Both profiles that differ in their paths.
func TestModel(t *testing.T) {
	for seed := range uint64(4) {
		c := newClock()
		conf := store.Config{Clock: c.Clock()}
		if seed%2 == 0 {
			conf.Dir = t.TempDir()
		}
		runModel(t, conf, c, rand.New(rand.NewPCG(seed, 1)))
	}
}

func runModel(t *testing.T, conf store.Config, c *clock, r *rand.Rand) {
	s := open(t, conf)
	defer func() { shut(t, s) }()
	d := &model{c: c, live: map[protocol.ID]kept{}, dead: map[protocol.ID]early{}}
	tmpls := []*protocol.Message{template(t, protocol.Text, 200), template(t, protocol.Alert, 200), template(t, protocol.Media, 2000)}
	for step := range 120 {
		switch r.IntN(8) {
		case 0, 1, 2:
			d.putSome(t, s, r, tmpls)
		case 3:
			d.removeSome(t, s, r)
		case 4:
			c.advance(time.Duration(r.Int64N(int64(6 * time.Hour))))
			sweep(t, s)
			d.sweep()
		case 5:
			if conf.Dir != "" {
				shut(t, s)
				s = open(t, conf)
				d.back = 0
			}
		default:
			d.check(t, s, r)
		}
		if step%10 == 0 {
			checkTrie(t, s)
			d.checkAll(t, s)
		}
		if t.Failed() {
			t.Fatalf("at step %d", step)
		}
	}
}

func (d *model) putSome(t *testing.T, s *store.Store, r *rand.Rand, tmpls []*protocol.Message) {
	var items []store.Item
	var want []protocol.Verdict
	for range 1 + r.IntN(200) {
		it := store.Item{Own: r.IntN(20) == 0}
		if len(d.known) > 0 && r.IntN(3) == 0 {
			// A copy, never younger than one that lives: younger copies have a test of their own. But one that is dead may come back for a second.
			it.Message, it.Age = d.known[r.IntN(len(d.known))], 7*24*time.Hour-time.Second
		} else {
			it.Message = forge(t, tmpls[r.IntN(3)], start+r.Uint64N(1e9)>>r.IntN(30), r.Uint64())
			it.Age = time.Duration(r.Int64N(int64(7 * 24 * time.Hour)))
		}
		items = append(items, it)
		want = append(want, d.put(it))
	}
	if got := put(t, s, items...); !slices.Equal(got, want) {
		t.Errorf("verdicts differ:\n%v\n%v", got, want)
	}
}

func (d *model) removeSome(t *testing.T, s *store.Store, r *rand.Rand) {
	var ids []protocol.ID
	for _, id := range inOrder(d.live) {
		if r.IntN(10) == 0 {
			ids = append(ids, id)
			delete(d.live, id)
			d.dead[id] = early{}
		}
	}
	if err := s.Remove(context.Background(), ids, store.Removed); err != nil {
		t.Fatal(err)
	}
}

// inOrder is the IDs of a model, the same at each run: what a seed does is to be seen again.
func inOrder[T any](live map[protocol.ID]T) []protocol.ID {
	return slices.SortedFunc(maps.Keys(live), func(a, b protocol.ID) int { return bytes.Compare(a[:], b[:]) })
}

// check reads one message that was put once.
func (d *model) check(t *testing.T, s *store.Store, r *rand.Rand) {
	if len(d.known) == 0 {
		return
	}
	m := d.known[r.IntN(len(d.known))]
	k, live := d.live[m.ID]
	e, err := s.Get(m.ID)
	if live && k.end > d.c.mono {
		if err != nil || !e.Message.Equal(m) || e.Own != k.own || e.Expires != (k.end-d.c.mono).Round(time.Millisecond) && (e.Expires-(k.end-d.c.mono)).Abs() > 2*time.Millisecond {
			t.Errorf("get: %v, expires %v, want %v", err, e.Expires, k.end-d.c.mono)
		}
	} else if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a dead one: %v", err)
	}
}

// checkAll compares the whole.
func (d *model) checkAll(t *testing.T, s *store.Store) {
	got := map[protocol.ID]bool{}
	for e, err := range s.Newest() {
		if err != nil {
			t.Fatal(err)
		}
		got[e.Message.ID] = true
	}
	want := map[protocol.ID]bool{}
	own := 0
	for id, k := range d.live {
		if k.end > d.c.mono {
			want[id] = true
		}
		if k.own {
			own++
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("%d messages, want %d", len(got), len(want))
	}
	if st := s.Stats(); st.Messages != int64(len(d.live)) || st.Tombstones != int64(len(d.dead)) {
		t.Errorf("counters %d and %d, want %d and %d", st.Messages, st.Tombstones, len(d.live), len(d.dead))
	}
	if st := s.Stats(); st.Returned != d.back {
		t.Errorf("%d came back, want %d", st.Returned, d.back)
	}
	if ids, err := s.OwnIDs(); err != nil || len(ids) < own {
		t.Errorf("%d own remembered, at least %d are kept: %v", len(ids), own, err)
	}
}
