package crowd

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"
)

// meter counts what a member's streams carry, in all its lives: the node's own counters are checked against it.
type meter struct{ gossip, sync flow }

// flow is bytes of one kind of stream.
type flow struct{ written, read atomic.Uint64 }

// metered is a member's host beneath its guise, so that what a mute one loses on the way down is not counted.
type metered struct {
	host.Host
	m *meter
}

// NewStream implements host.Host.
func (h *metered) NewStream(ctx context.Context, p peer.ID, ids ...libp2p.ID) (network.Stream, error) {
	s, err := h.Host.NewStream(ctx, p, ids...)
	if err != nil {
		return nil, err
	}
	return h.count(s), nil
}

// SetStreamHandler implements host.Host.
func (h *metered) SetStreamHandler(id libp2p.ID, f network.StreamHandler) {
	h.Host.SetStreamHandler(id, func(s network.Stream) { f(h.count(s)) })
}

// SetStreamHandlerMatch implements host.Host.
func (h *metered) SetStreamHandlerMatch(id libp2p.ID, match func(libp2p.ID) bool, f network.StreamHandler) {
	h.Host.SetStreamHandlerMatch(id, match, func(s network.Stream) { f(h.count(s)) })
}

func (h *metered) count(s network.Stream) network.Stream {
	name := string(s.Protocol())
	switch {
	case strings.HasPrefix(name, "/longear/meshsub/"):
		return &counted{s, &h.m.gossip}
	case strings.HasPrefix(name, "/longear/sync/"):
		return &counted{s, &h.m.sync}
	}
	return s
}

type counted struct {
	network.Stream
	f *flow
}

// Write implements network.Stream.
func (s *counted) Write(b []byte) (int, error) {
	n, err := s.Stream.Write(b)
	s.f.written.Add(uint64(n))
	return n, err
}

// Read implements network.Stream.
func (s *counted) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	s.f.read.Add(uint64(n))
	return n, err
}
