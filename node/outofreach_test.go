package node_test

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// conns is how many connections a host has to others.
func conns(h host.Host) int { return len(h.Network().Conns()) }

// leave ends the network, and reports a node that has a connection left half a minute later: QUIC asks every 15 seconds whether a peer is there.
func (w *world) leave(nodes ...*member) {
	w.t.Helper()
	w.dark.Store(true)
	time.Sleep(30 * time.Second)
	for i, m := range nodes {
		if n := conns(m.host); n != 0 {
			w.t.Errorf("node %d: %d connections to a peer that is out of reach for 30 s", i, n)
		}
	}
}

// Of two connections to a peer that is out of reach both are closed within seconds, and not only the one that sync uses: as long as one is
// left the peer counts as connected and is not met again.
func TestTwoConnectionsOutOfReach(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		go w.meet(b, a)
		w.meet(a, b)
		time.Sleep(20 * time.Second)
		if conns(a.host) != 2 || conns(b.host) != 2 {
			t.Fatalf("%d and %d connections, want 2: both dialled at once", conns(a.host), conns(b.host))
		}
		w.leave(a, b)
	})
}

// So is one over which there is no sync.
func TestStrangerOutOfReach(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, h := w.add(nil), w.listen()
		defer h.Close()
		if err := h.Connect(t.Context(), peer.AddrInfo{ID: a.host.ID(), Addrs: a.host.Addrs()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		if conns(a.host) != 1 {
			t.Fatalf("%d connections, want 1", conns(a.host))
		}
		w.leave(a)
	})
}
