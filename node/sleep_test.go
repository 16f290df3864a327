package node_test

import (
	"bytes"
	"runtime/pprof"
	"testing"
	"testing/synctest"
	"time"
)

// pubsubs counts the goroutines of pubsub in this process.
func pubsubs(t *testing.T) int {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b.Bytes(), []byte("created by github.com/libp2p/go-libp2p-pubsub"))
}

// part ends the connections of two nodes.
func (w *world) part(a, b *member) {
	w.t.Helper()
	if err := a.host.Network().ClosePeer(b.host.ID()); err != nil {
		w.t.Error(err)
	}
}

// A node without a peer runs no gossip. It begins with the first peer, outlives short absences, ends a minute after the last one
// has gone, and begins again; its counters go on.
func TestGossipSleepsAlone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		told := 0
		for round := range 3 {
			time.Sleep(time.Hour)
			if n := pubsubs(t); n != 0 {
				t.Fatalf("round %d: %d goroutines of pubsub while alone", round, n)
			}
			a.post(t, 1) // nobody hears it; sync carries it
			w.meet(a, b)
			time.Sleep(3 * time.Second)
			told += 10
			a.post(t, 10)
			time.Sleep(time.Second)
			if got := b.Status().Gossip.Delivered; got < uint64(told) {
				t.Errorf("round %d: %d messages were delivered by gossip since the start, want %d", round, got, told)
			}
			if got, want := b.Status().Messages, int64(11*(round+1)); got != want {
				t.Errorf("round %d: b has %d messages, want %d", round, got, want)
			}
			w.part(a, b)
			time.Sleep(50 * time.Second)
			if pubsubs(t) == 0 {
				t.Errorf("round %d: gossip slept after less than a minute", round)
			}
		}
	})
}

// A peer that comes in the very moment in which gossip falls asleep finds it deaf in neither direction.
func TestPeerComesAsGossipFallsAsleep(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		for i := -12; i <= 12; i++ {
			w.meet(a, b)
			time.Sleep(3 * time.Second)
			for _, d := range [][2]*member{{a, b}, {b, a}} {
				before := d[1].Status().Accepted["gossip"]
				d[0].post(t, 5)
				time.Sleep(100 * time.Millisecond)
				if n := d[1].Status().Accepted["gossip"] - before; n != 5 {
					t.Errorf("met %d ms from the minute: %d of 5 came by gossip", 5*i, n)
				}
			}
			w.part(a, b)
			synctest.Wait()
			time.Sleep(time.Minute + time.Duration(i)*5*time.Millisecond)
		}
	})
}
