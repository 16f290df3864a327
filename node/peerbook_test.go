package node_test

import (
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/peer"
)

// TestNoSignedAddresses: a node tells its addresses to whoever connects, and sends no signed record of them, which both would
// have to sign and check.
func TestNoSignedAddresses(t *testing.T) {
	a, _ := start(t, nil)
	stranger, err := libp2p.New(libp2p.NoListenAddrs, libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	known, err := stranger.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		t.Fatal(err)
	}
	defer known.Close()
	info, err := peer.AddrInfoFromP2pAddr(a.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Connect(t.Context(), *info); err != nil {
		t.Fatal(err)
	}
	got := (<-known.Out()).(event.EvtPeerIdentificationCompleted)
	if got.Peer != info.ID || len(got.ListenAddrs) == 0 {
		t.Errorf("%v says it is at %v", got.Peer, got.ListenAddrs)
	}
	if got.SignedPeerRecord != nil {
		t.Error("with a signed record")
	}
}
