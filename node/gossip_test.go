package node_test

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"longear/node"
)

// One reset of a pubsub stream can make a direction deaf for the life of the connection. Whether pubsub recovers or the watchdog
// ends the connection and it is dialled again: within half a minute gossip works in both directions.
func TestDeafGossipIsCured(t *testing.T) {
	for _, dir := range []network.Direction{network.DirInbound, network.DirOutbound} {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.add(nil), w.add(nil)
			w.meet(a, b)
			time.Sleep(15 * time.Second)
			reset := 0
			for _, c := range a.host.Network().ConnsToPeer(b.host.ID()) {
				for _, s := range c.GetStreams() {
					if s.Protocol() == "/longear/meshsub/1.2.0" && s.Stat().Direction == dir {
						s.Reset()
						reset++
					}
				}
			}
			if reset == 0 {
				t.Fatal("found no pubsub stream to reset")
			}
			closed := false
			for range 30 {
				time.Sleep(time.Second)
				if a.host.Network().Connectedness(b.host.ID()) != network.Connected {
					closed = true
					w.meet(a, b)
				}
			}
			t.Logf("stream %v reset: connection closed by the watchdog: %v", dir, closed)
			for _, d := range [][2]*member{{a, b}, {b, a}} {
				before := d[1].Status().Accepted["gossip"]
				d[0].post(t, 10)
				time.Sleep(50 * time.Millisecond)
				if n := d[1].Status().Accepted["gossip"] - before; n != 10 {
					t.Errorf("stream %v reset: afterwards %d of 10 came by gossip", dir, n)
				}
			}
		})
	}
}

// What is written to a peer waits for what is queued behind it, and for nothing else: the last message of a burst, however long, is not held
// until the next.
func TestBurstsGoWhole(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		time.Sleep(15 * time.Second)
		for size := range 40 {
			before := b.Status().Accepted["gossip"]
			a.post(t, size)
			time.Sleep(100 * time.Millisecond)
			if n := b.Status().Accepted["gossip"] - before; n != uint64(size) {
				t.Errorf("%d of a burst of %d came by gossip", n, size)
			}
		}
	})
}

// A crowd of nodes in one process: every message reaches every node, and nothing is left running (the bubble checks).
func TestCrowd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var all []*member
		for i := range 30 {
			m := w.add(nil)
			for j := 1; j <= 4 && j <= i; j++ {
				w.meet(m, all[(i*7+j*13)%i])
			}
			all = append(all, m)
		}
		time.Sleep(5 * time.Second)
		msgs := all[3].post(t, 20)
		time.Sleep(2 * time.Second)
		for i, m := range all {
			if n := m.lacks(t, msgs); n != 0 {
				t.Errorf("node %d lacks %d of 20", i, n)
			}
		}
	})
}

// What gossip has at the door when a node ends is finished before Run returns: the store may be closed then, and nobody is told of an arrival
// any more.
func TestRunWaitsForGossip(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		began, finish := make(chan struct{}), make(chan struct{})
		a := w.add(nil)
		b := w.join(nil, func(c *node.Config) {
			c.Arrived = func(got node.Arrival) {
				if got.Way != node.ByGossip {
					t.Errorf("came by %v: this tests nothing", got.Way)
				}
				close(began)
				<-finish
			}
		})
		w.meet(a, b)
		time.Sleep(15 * time.Second)
		a.post(t, 1)
		<-began
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			b.stop()
		}()
		time.Sleep(time.Minute)
		select {
		case <-stopped:
			t.Error("Run returned with a message at the door")
		default:
		}
		close(finish)
		<-stopped
	})
}
