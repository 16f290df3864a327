package crowd

import (
	"testing"
	"time"
)

// TestOutOfReach: who speaks to a peer that is out of reach knows it within seconds; who does not, once it has asked whether the peer is
// there; and when they meet again they connect again.
func TestOutOfReach(t *testing.T) {
	inWorld(t, 1, tell(t, "nodes 2", "full", "advance 20s"), func(t *testing.T, w *World) {
		peers := func(i int) int { return w.members[i].node.Status().Peers }
		if peers(0) != 1 || peers(1) != 1 {
			t.Fatalf("%d and %d peers before they part", peers(0), peers(1))
		}
		w.wire(0, 1, false, 0)
		parted := time.Now()
		if err := w.post(w.members[0], draft{text: "to nobody", to: -1}); err != nil {
			t.Fatal(err)
		}
		var after [2]time.Duration
		for time.Since(parted) < time.Minute && (after[0] == 0 || after[1] == 0) {
			time.Sleep(100 * time.Millisecond)
			for i := range after {
				if after[i] == 0 && peers(i) == 0 {
					after[i] = time.Since(parted)
				}
			}
		}
		t.Logf("who spoke knew after %v, who did not after %v", after[0], after[1])
		if after[0] == 0 || after[0] > 15*time.Second {
			t.Errorf("who spoke knew after %v, want 15 s at most", after[0])
		}
		if after[1] == 0 || after[1] > 30*time.Second {
			t.Errorf("who did not speak knew after %v, want 30 s at most", after[1])
		}
		w.wire(0, 1, true, soon)
		if err := w.advance(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		if peers(0) != 1 || peers(1) != 1 {
			t.Errorf("%d and %d peers after they met again", peers(0), peers(1))
		}
		if n := w.members[1].node.Status().Messages; n != 1 {
			t.Errorf("%d messages came over, want 1", n)
		}
	})
}

// TestPoorLinkIsKept: a radio that loses every fifth packet and takes its time is no peer out of reach.
func TestPoorLinkIsKept(t *testing.T) {
	s := tell(t, "nodes 2", "radio 1Mbit/s 100ms loss 20%", "full", "publish 60 over 9m", "advance 10m", "expect all within 5s")
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		conns := w.members[0].host.Network().ConnsToPeer(w.members[1].info.ID)
		if len(conns) == 0 {
			t.Fatal("not connected")
		}
		age := time.Duration(0)
		for _, c := range conns {
			age = max(age, time.Since(c.Stat().Opened))
		}
		t.Logf("the connection is %v old", age)
		if age < 5*time.Minute {
			t.Errorf("the connection is only %v old", age)
		}
	})
}
