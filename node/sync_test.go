package node_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"longear/node"
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

// A message that enters a settled line of nodes over a new link is passed on at gossip's speed, although sync brought it: nobody
// waits for a round.
func TestNewsEntersMesh(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var line []*member
		for i := range 6 {
			line = append(line, w.add(nil))
			if i > 0 {
				w.meet(line[i-1], line[i])
			}
		}
		time.Sleep(30 * time.Second)
		stranger := w.add(nil)
		for trial := range 10 {
			msgs := stranger.post(t, 3)
			w.meet(stranger, line[0])
			time.Sleep(time.Second)
			for i, m := range line {
				if n := m.lacks(t, msgs); n != 0 {
					t.Errorf("trial %d: node %d lacks %d of 3 a second after the contact began", trial, i, n)
				}
			}
			w.part(stranger, line[0])
			time.Sleep(20 * time.Second)
		}
	})
}

// Whoever meets a node for three seconds goes away with what came to that node meanwhile from those it has long been linked with,
// however calm their links.
func TestShortContact(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(time.Hour)
		for trial := range 10 {
			c := w.add(nil)
			w.meet(c, b)
			msgs := a.post(t, 1)
			for range 5 {
				time.Sleep(400 * time.Millisecond)
				msgs = append(msgs, a.post(t, 1)...)
				msgs = append(msgs, c.post(t, 1)...)
			}
			time.Sleep(time.Second)
			w.part(c, b)
			if x, y := c.lacks(t, msgs), a.lacks(t, msgs); x+y != 0 {
				t.Errorf("trial %d: c lacks %d and a lacks %d of %d after a contact of 3 s", trial, x, y, len(msgs))
			}
			c.stop()
			time.Sleep(time.Duration(trial) * 7 * time.Second)
		}
	})
}

// Links where nothing happens are looked at ever more rarely, and the first message brings them back to seconds.
func TestCalmLinks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(10 * time.Minute)
		before := a.Status().Sync
		time.Sleep(10 * time.Minute)
		calm := a.Status().Sync
		if moved := calm.Sent + calm.Received - before.Sent - before.Received; moved == 0 || moved > 40*150 {
			t.Errorf("%d bytes in ten calm minutes, want those of about 20 rounds", moved)
		}
		for range 5 {
			time.Sleep(3 * time.Minute)
			m := b.post(t, 1)
			time.Sleep(4 * time.Second)
			if n := a.lacks(t, m); n != 0 {
				t.Error("a calm link did not pass on a message within 4 s")
			}
			if l, err := b.Life(m[0].ID); err != nil || l.Carriers != 1 {
				t.Errorf("4 s later it is known to be carried by %d, want 1 (%v)", l.Carriers, err)
			}
		}
	})
}

// With Step the pauses of both ends end at its multiples, and rounds come as often as without.
func TestStep(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		stepped := func(c *node.Config) { c.Step = time.Second }
		a, b := w.join(nil, stepped), w.join(nil, stepped)
		w.meet(a, b)
		time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(20*time.Second - time.Millisecond)))
		sent := func() uint64 { return a.Status().Sync.Sent + b.Status().Sync.Sent }
		early, moved := sent(), 0
		for range 3600 {
			before := sent()
			if before != early {
				t.Fatal("bytes of sync were sent between two steps")
			}
			time.Sleep(200 * time.Millisecond) // a round is done
			if early = sent(); early != before {
				moved++
			}
			time.Sleep(800 * time.Millisecond)
		}
		if moved < 100 || moved > 140 {
			t.Errorf("%d rounds in an hour, want about 118", moved)
		}
	})
}
