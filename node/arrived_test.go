package node_test

import (
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node"
	"longear/protocol"
)

// diary keeps what Config.Arrived tells.
type diary struct {
	mu   sync.Mutex
	told map[protocol.ID][]node.Arrival // guarded by mu
}

func (d *diary) note(a node.Arrival) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.told == nil {
		d.told = make(map[protocol.ID][]node.Arrival)
	}
	d.told[a.ID] = append(d.told[a.ID], a)
}

// check wants each message noted once, with its way and peer.
func (d *diary) check(t *testing.T, what string, msgs []*protocol.Message, want node.Arrival) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range msgs {
		got := d.told[m.ID]
		if len(got) != 1 || got[0].Way != want.Way || got[0].From != want.From || got[0].At.IsZero() {
			t.Errorf("%s: %+v, want one %v from %q", what, got, want.Way, want.From)
		}
	}
}

// Whoever asks is told of every stored message once: by which way it came, and from which peer.
func TestArrived(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var d diary
		a := w.add(nil)
		b := w.join(nil, func(c *node.Config) { c.Arrived = d.note })
		c := w.add(nil)
		old := a.post(t, 10)
		own := b.post(t, 3)
		w.meet(a, b)
		time.Sleep(15 * time.Second)
		news := a.post(t, 10)
		time.Sleep(10 * time.Second)
		file := c.post(t, 4)
		if _, err := b.Import(t.Context(), carried(file)); err != nil {
			t.Fatal(err)
		}
		d.check(t, "stored before the contact", old, node.Arrival{Way: node.BySync, From: a.host.ID()})
		d.check(t, "told during the contact", news, node.Arrival{Way: node.ByGossip, From: a.host.ID()})
		d.check(t, "own", own, node.Arrival{Way: node.ByHand, From: peer.ID("")})
		d.check(t, "from a file", file, node.Arrival{Way: node.ByFile, From: peer.ID("")})
		time.Sleep(time.Second) // or it would be the same message as the first of the file
		if v, err := b.Post(t.Context(), c.post(t, 1)[0].Wire()); err != nil || v != protocol.Accept {
			t.Fatalf("post: %v, %v", v, err)
		}
		if got := b.Status().Accepted; got["sync"] != 10 || got["gossip"] != 10 || got["carry file"] != 4 || got["this node"] != 4 {
			t.Errorf("accepted %v, want sync 10, gossip 10, carry file 4, this node 4", got)
		}
	})
}

// carried is messages as a carry file holds them.
func carried(msgs []*protocol.Message) iter.Seq2[protocol.CarryRecord, error] {
	return func(yield func(protocol.CarryRecord, error) bool) {
		for _, m := range msgs {
			if !yield(protocol.CarryRecord{Wire: m.Wire()}, nil) {
				return
			}
		}
	}
}
