package node_test

import (
	"testing"
	"time"
)

// The counters of sync and gossip go on when links close, and what comes again is told apart from what is new.
func TestCountersOutliveLinks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, c := w.add(nil), w.add(nil), w.add(nil)
		size := 0
		for _, m := range a.post(t, 50) {
			size += len(m.Wire())
		}
		w.meet(a, b)
		time.Sleep(2 * time.Second)
		during := a.Status().Sync
		if during.Gave != 50 || during.Sent < uint64(size) {
			t.Errorf("while linked: gave %d in %d bytes, want 50 in at least %d", during.Gave, during.Sent, size)
		}
		w.part(a, b)
		time.Sleep(2 * time.Second)
		after := a.Status().Sync
		if after.Gave < during.Gave || after.Sent < during.Sent || after.Received < during.Received {
			t.Errorf("after the link %+v, during it %+v", after, during)
		}
		if got := b.Status().Sync; got.Took != 50 || got.Received < uint64(size) || got.Repeated != 0 {
			t.Errorf("b counts %+v, want took 50 in at least %d bytes, none again", got, size)
		}
		// In a triangle whatever is told comes to somebody twice.
		w.meet(a, b)
		w.meet(b, c)
		w.meet(a, c)
		time.Sleep(15 * time.Second)
		told := 0
		for _, m := range a.post(t, 50) {
			told += len(m.Wire())
		}
		time.Sleep(5 * time.Second)
		for _, m := range []*member{b, c} {
			g := m.Status().Gossip
			if g.Delivered != 50 || g.Received < uint64(told)+g.Repeated {
				t.Errorf("%+v, want 50 delivered and at least %d bytes received beside those that came again", g, told)
			}
		}
		g := b.Status().Gossip
		h := c.Status().Gossip
		if g.Repeated+h.Repeated == 0 || (g.Duplicates+h.Duplicates)*uint64(told/50-2) > g.Repeated+h.Repeated {
			t.Errorf("%d duplicates in %d bytes", g.Duplicates+h.Duplicates, g.Repeated+h.Repeated)
		}
	})
}
