package node_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"longear/node"
	"longear/protocol"
)

// kinds counts events by what happened, and checks what holds for every list of them.
func kinds(t *testing.T, events []node.Event) map[string]uint64 {
	t.Helper()
	of := map[string]uint64{}
	for i, e := range events {
		of[e.What] += e.Count
		if e.Count < 1 || e.Last.Before(e.First) || i > 0 && e.Seq <= events[i-1].Seq {
			t.Errorf("event %d: %+v", i, e)
		}
		if len(e.Peer) > 8 {
			t.Errorf("a peer is named by more than the end of its ID: %+v", e)
		}
	}
	return of
}

// Peers come and go, and each is told once, by the end of its name.
func TestEventsOfPeers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(2 * time.Second)
		got := a.Events()
		if len(got) != 1 || got[0].What != "peer came" || got[0].Detail == "" {
			t.Fatalf("after a meeting: %+v", got)
		}
		name := b.Peer().String()
		if want := name[len(name)-8:]; got[0].Peer != want {
			t.Errorf("it is called %q, want %q", got[0].Peer, want)
		}
		w.part(a, b)
		time.Sleep(2 * time.Second)
		if of := kinds(t, a.Events()); of["peer came"] != 1 || of["peer went"] != 1 {
			t.Errorf("after a parting: %v", of)
		}
		p := a.Peers()
		if len(p) != 0 {
			t.Errorf("peers after the parting: %v", p)
		}
	})
}

// Each link says how many bytes it took and gave, and both ends agree.
func TestBytesOfLinks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		size := uint64(0)
		for _, m := range a.post(t, 30) {
			size += uint64(len(m.Wire()))
		}
		w.meet(a, b)
		time.Sleep(5 * time.Second)
		from, to := a.Peers()[0], b.Peers()[0]
		if from.Sent < size || to.Received < size || from.Received == 0 || to.Sent == 0 || to.Sent > size {
			t.Errorf("a sent %d and received %d, b received %d and sent %d; the messages have %d", from.Sent, from.Received, to.Received, to.Sent, size)
		}
	})
}

// The rates are by minute, go back an hour and move on by themselves.
func TestPerMinute(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.add(nil)
		a.post(t, 3)
		time.Sleep(time.Minute)
		a.post(t, 2)
		line := a.PerMinute()["this node"]
		if len(line) != 60 || line[59] != 2 || line[58] != 3 {
			t.Fatalf("after a minute: %v", line)
		}
		if other := a.PerMinute()["gossip"]; slices.Max(other) != 0 {
			t.Errorf("nothing came by gossip: %v", other)
		}
		time.Sleep(58 * time.Minute)
		if line = a.PerMinute()["this node"]; line[1] != 2 || line[0] != 3 {
			t.Errorf("an hour later: %v", line)
		}
		time.Sleep(3 * time.Hour)
		if line = a.PerMinute()["this node"]; slices.Max(line) != 0 {
			t.Errorf("hours later: %v", line)
		}
	})
}

// A flood of one kind is one line with a count, and pushes out no line of another kind.
func TestEventsUnderFlood(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.add(nil)
		n.GuestCame("1")
		junk := make([]protocol.CarryRecord, 500)
		for i := range junk {
			junk[i].Wire = fmt.Appendf(nil, "no message, number %d", i)
		}
		// Under as many names as it likes, at times too far apart to be one: each visit is a line of its own.
		for range 300 {
			if _, err := n.OfferFrom(t.Context(), "mallory", junk[:3], true); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Minute)
		}
		got := n.Events()
		of := kinds(t, got)
		if len(got) != 200 || of["guest came"] != 1 {
			t.Errorf("%d events: %v", len(got), of)
		}
		// In a minute it is one line.
		before := len(n.Events())
		if _, err := n.OfferFrom(t.Context(), "mallory", junk, true); err != nil {
			t.Fatal(err)
		}
		got = n.Events()
		if last := got[len(got)-1]; last.What != "refused" || last.Count != 500 || last.Peer != "" || len(got) != before {
			t.Errorf("the last of %d events: %+v", len(got), last)
		}
	})
}
