package node

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/record"
	"github.com/libp2p/go-libp2p/p2p/host/peerstore/pstoremem"
)

// newPeerstore makes a peerstore without signed records of addresses. A record lets a third node vouch for where somebody is,
// which no node of longear asks: each peer says itself, over a connection that proves who it is. Without one, identify has a fifth fewer bytes
// and no signature to check in each contact.
func newPeerstore() (peerstore.Peerstore, error) {
	ps, err := pstoremem.NewPeerstore()
	if err != nil {
		return nil, err
	}
	return unsigned{ps}, nil
}

// unsigned hides that the peerstore beneath could keep records. Libp2p wants the methods.
type unsigned struct{ peerstore.Peerstore }

// ConsumePeerRecord implements peerstore.CertifiedAddrBook.
func (unsigned) ConsumePeerRecord(*record.Envelope, time.Duration) (accepted bool, err error) {
	return false, nil
}

// GetPeerRecord implements peerstore.CertifiedAddrBook.
func (unsigned) GetPeerRecord(peer.ID) *record.Envelope { return nil }
