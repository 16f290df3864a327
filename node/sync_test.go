package node_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A message posted while its reader is away reaches it through a node that only carried it.
func TestCarried(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		msgs := a.post(t, 100)
		w.meet(a, b)
		time.Sleep(2 * time.Second)
		a.stop()
		c := w.add(nil)
		w.meet(b, c)
		time.Sleep(2 * time.Second)
		if n := c.lacks(t, msgs); n != 0 {
			t.Fatalf("%d of %d messages did not reach c", n, len(msgs))
		}
	})
}

// What is published in any moment around the start of a contact arrives, most of it by gossip or the first round.
func TestContactStart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := rand.New(rand.NewPCG(1, 2))
		for trial := range 20 {
			a, b := w.add(nil), w.add(nil)
			go w.meet(a, b)
			msgs := a.post(t, 1)
			for range 20 {
				time.Sleep(time.Duration(r.IntN(8)) * time.Millisecond)
				msgs = append(msgs, a.post(t, 1)...)
				msgs = append(msgs, b.post(t, 1)...)
			}
			time.Sleep(time.Second)
			if x, y := a.lacks(t, msgs), b.lacks(t, msgs); x+y != 0 {
				t.Errorf("trial %d: a lacks %d, b lacks %d of %d a second later", trial, x, y, len(msgs))
			}
			a.stop()
			b.stop()
		}
	})
}

// Two peers that both have everything give a third each message once.
func TestTwoSources(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(time.Second)
		msgs := append(a.post(t, 1500), b.post(t, 1500)...)
		time.Sleep(10 * time.Second)
		if n := a.lacks(t, msgs) + b.lacks(t, msgs); n != 0 {
			t.Fatalf("the sources lack %d", n)
		}
		gave := a.Status().Sync.Gave + b.Status().Sync.Gave
		c := w.add(nil)
		go w.meet(c, a)
		w.meet(c, b)
		time.Sleep(10 * time.Second)
		if n := c.lacks(t, msgs); n != 0 {
			t.Fatalf("c lacks %d of %d", n, len(msgs))
		}
		fetched := a.Status().Sync.Gave + b.Status().Sync.Gave - gave
		t.Logf("%d messages given for %d: from a %d", fetched, len(msgs), a.Status().Sync.Gave)
		if fetched > uint64(len(msgs))*102/100 {
			t.Errorf("%d messages were given for %d", fetched, len(msgs))
		}
	})
}

// Sync passes on what it brought, link by link, within seconds.
func TestChain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var line []*member
		for range 8 {
			line = append(line, w.add(nil))
		}
		msgs := line[0].post(t, 50)
		for i := range line[1:] {
			w.meet(line[i], line[i+1])
		}
		time.Sleep(5 * time.Second)
		for i, m := range line {
			if n := m.lacks(t, msgs); n != 0 {
				t.Errorf("node %d lacks %d", i, n)
			}
		}
	})
}
