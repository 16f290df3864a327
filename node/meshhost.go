package node

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"
)

// meshHost is the host as pubsub sees it. The stream handler that pubsub sets is kept here for hearGossip, which outlives it.
type meshHost struct {
	host.Host
	gossip  *gossip
	handler network.StreamHandler // set before pubsub's constructor returns, not changed after
	joined  atomic.Bool           // pubsub has the topic, so its first RPC to a peer says so
}

// SetStreamHandler implements host.Host.
func (h *meshHost) SetStreamHandler(_ libp2p.ID, f network.StreamHandler) { h.handler = f }

// SetStreamHandlerMatch implements host.Host.
func (h *meshHost) SetStreamHandlerMatch(_ libp2p.ID, _ func(libp2p.ID) bool, f network.StreamHandler) {
	h.handler = f
}

// RemoveStreamHandler implements host.Host. hearGossip's handler stays.
func (h *meshHost) RemoveStreamHandler(libp2p.ID) {}

// NewStream implements host.Host. pubsub writes on the streams that it opens, and only there.
func (h *meshHost) NewStream(ctx context.Context, p peer.ID, ids ...libp2p.ID) (network.Stream, error) {
	s, err := h.Host.NewStream(ctx, p, ids...)
	if err != nil {
		return nil, err
	}
	out := &outflow{Stream: s, greets: h.joined.Load()}
	h.gossip.outflows.Store(p, out)
	return out, nil
}

// ConnManager implements host.Host.
func (h *meshHost) ConnManager() connmgr.ConnManager { return unscored{h.Host.ConnManager()} }

// outflow is a stream to a peer on which pubsub writes one RPC at a time, each of which would be a frame of the muxer, an encrypted packet and a
// system call of its own. What is in the queue behind an RPC goes with it. No time is waited for: that there is more is known.
type outflow struct {
	network.Stream
	queued   atomic.Int64 // RPCs that are in pubsub's queue for this stream, or fewer; less one while it is written before it is counted
	greets   bool         // the next write is the first RPC, which was in no queue; owned by the one who writes, as is what follows
	held     []byte       // what has been written and not sent
	deadline time.Time    // of writing
}

const (
	// heldMost is how much waits for the next RPC: about what fits into one frame.
	heldMost = 16 << 10
	// deadlineStep is how much later a deadline has to be than the last one to be worth setting: pubsub sets one 30 s away before each write.
	deadlineStep = 5 * time.Second
)

// Write implements io.Writer. An error may be that of an earlier write: whoever has one resets the stream.
func (o *outflow) Write(b []byte) (int, error) {
	more := false
	if !o.greets {
		// Never too many: what nobody counted makes it less for good. Too many would hold the last RPC until the next.
		more = o.queued.Add(-1) > 0
	}
	o.greets = false
	if !more && len(o.held) == 0 {
		return o.Stream.Write(b)
	}
	if o.held = append(o.held, b...); more && len(o.held) < heldMost {
		return len(b), nil
	}
	return len(b), o.flush()
}

func (o *outflow) flush() error {
	_, err := o.Stream.Write(o.held)
	if o.held = o.held[:0]; cap(o.held) > heldMost {
		o.held = nil
	}
	return err
}

// Close implements io.Closer.
func (o *outflow) Close() error {
	if len(o.held) > 0 {
		if err := o.flush(); err != nil {
			o.Stream.Reset()
			return err
		}
	}
	return o.Stream.Close()
}

// SetWriteDeadline implements network.Stream. Each one makes a timer.
func (o *outflow) SetWriteDeadline(t time.Time) error {
	if d := t.Sub(o.deadline); 0 <= d && d < deadlineStep {
		return nil
	}
	o.deadline = t
	return o.Stream.SetWriteDeadline(t)
}

// unscored is the connection manager without the score that pubsub keeps of who delivers first, which costs a goroutine's turn for each message. Every peer with
// a sync link is protected, so it would decide nothing.
type unscored struct{ connmgr.ConnManager }

// RegisterDecayingTag implements connmgr.Decayer.
func (unscored) RegisterDecayingTag(name string, every time.Duration, _ connmgr.DecayFn, _ connmgr.BumpFn) (connmgr.DecayingTag, error) {
	return noScore{name, every}, nil
}

// noScore forgets what it is told.
type noScore struct {
	name  string
	every time.Duration
}

// Name implements connmgr.DecayingTag.
func (s noScore) Name() string { return s.name }

// Interval implements connmgr.DecayingTag.
func (s noScore) Interval() time.Duration { return s.every }

// Bump implements connmgr.DecayingTag.
func (noScore) Bump(peer.ID, int) error { return nil }

// Remove implements connmgr.DecayingTag.
func (noScore) Remove(peer.ID) error { return nil }

// Close implements connmgr.DecayingTag.
func (noScore) Close() error { return nil }
