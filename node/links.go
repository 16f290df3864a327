package node

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// links holds the one sync link to each connected peer.
type links struct {
	mu   sync.Mutex
	open map[peer.ID]*link // guarded by mu
	// changed since the schedule last looked: it looks far more often than links come and go.
	changed atomic.Bool
}

// add enters a link. When both peers opened one at once, both keep the one whose initiator has the lower ID. It
// returns the link that lost, if any: possibly the new one.
func (ls *links) add(l *link) (lost *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open == nil {
		ls.open = make(map[peer.ID]*link)
	}
	old := ls.open[l.peer]
	if old != nil && old.initiator != l.initiator && old.initiatorID() < l.initiatorID() {
		return l
	}
	ls.open[l.peer] = l
	ls.changed.Store(true)
	return old
}

// remove forgets a link, unless another has taken its place.
func (ls *links) remove(l *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open[l.peer] == l {
		delete(ls.open, l.peer)
		ls.changed.Store(true)
	}
}

func (ls *links) get(p peer.ID) *link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.open[p]
}

// all is a snapshot of the links.
func (ls *links) all() []*link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return slices.Collect(maps.Values(ls.open))
}

// watchLinks registers what happens when a peer connects, before the host listens. The dialling side opens the sync
// stream at once: contacts last seconds, and the first answer should come in the first round trip after the handshake.
func (n *Node) watchLinks(ctx context.Context) (stop func()) {
	n.host.SetStreamHandler(syncProtocol, func(s network.Stream) {
		n.spawn(func() {
			err := n.runLink(ctx, s, false)
			n.log.Debug("sync link ended", "peer", short(s.Conn().RemotePeer()), "err", err)
		})
	})
	bundle := &network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			if n.bans.banned(c.RemotePeer()) {
				// The gater has refused it already, unless Config.Host made the host without it.
				n.spawn(func() { c.Close() })
				return
			}
			n.gossip.moved()
			n.post(wake{}) // the clockwork watches connections without a link too
			n.ladder.Connected(c.RemotePeer(), c.RemoteMultiaddr())
			n.chronicle.came(c.RemotePeer(), n.foundBy(c.RemotePeer()))
			if c.Stat().Direction == network.DirOutbound {
				n.spawn(func() { n.keepLink(ctx, c) })
			}
		},
		DisconnectedF: func(net network.Network, c network.Conn) {
			if net.Connectedness(c.RemotePeer()) != network.Connected {
				n.gossip.moved()
				n.ladder.Disconnected(c.RemotePeer(), c.RemoteMultiaddr())
				n.meters.forget(c.RemotePeer())
				n.chronicle.went(c.RemotePeer())
			}
		},
	}
	n.host.Network().Notify(bundle)
	return func() {
		n.host.Network().StopNotify(bundle)
		n.host.RemoveStreamHandler(syncProtocol)
	}
}

// parted forgets the buckets of a peer that is not connected. What it sent may come to be looked at after its connection has ended, and makes
// them anew: whoever takes from them calls this afterwards. If the peer is connected then, the end of that forgets them.
func (n *Node) parted(p peer.ID) {
	if n.host.Network().Connectedness(p) != network.Connected {
		n.meters.forget(p)
	}
}

// Times of keeping a link: a stream that fails while its connection lives is opened again, ever more slowly.
const (
	reopenFirst = time.Second
	reopenMost  = 30 * time.Second
)

// keepLink opens the sync stream of a connection this node made, and opens it again while the connection lives.
func (n *Node) keepLink(ctx context.Context, c network.Conn) {
	wait := reopenFirst
	for ctx.Err() == nil && !c.IsClosed() {
		if l := n.links.get(c.RemotePeer()); l != nil {
			l.waitGone(ctx)
			continue
		}
		began := time.Now()
		s, err := n.openSync(ctx, c.RemotePeer())
		if err == nil {
			err = n.runLink(ctx, s, true)
		}
		if err != nil {
			n.log.Debug("sync link ended", "peer", short(c.RemotePeer()), "err", err)
		}
		if time.Since(began) > reopenMost {
			wait = reopenFirst
		}
		if !sleep(ctx, jitter(wait)) {
			return
		}
		wait = min(2*wait, reopenMost)
	}
}

func (n *Node) openSync(ctx context.Context, p peer.ID) (network.Stream, error) {
	ctx, cancel := context.WithTimeout(network.WithNoDial(ctx, "sync"), 10*time.Second)
	defer cancel()
	return n.host.NewStream(ctx, p, syncProtocol)
}

// errReplaced ends a link whose peer has a better one with us, and errOften one of a peer that opens streams without end.
var (
	errReplaced = errors.New("another link to this peer took its place")
	errOften    = errors.New("the peer opens too many streams")
)

// runLink runs sync over a stream until it fails or ctx ends.
func (n *Node) runLink(ctx context.Context, s network.Stream, initiator bool) error {
	l := newLink(n, s, initiator)
	defer close(l.gone)
	defer n.parted(l.peer)
	if !initiator && !l.begun.Allow() { // each ends the link before it and is a look at all others
		return errors.Join(errOften, s.Reset())
	}
	if lost := n.links.add(l); lost == l {
		return errors.Join(errReplaced, s.Reset())
	} else if lost != nil {
		lost.stream.Reset()
	}
	defer n.links.remove(l)
	defer func() {
		for other := range n.leases.drop(l) {
			n.due(other, atOnce)
		}
	}()
	n.post(wake{})
	n.host.ConnManager().Protect(l.peer, "sync")
	defer n.host.ConnManager().Unprotect(l.peer, "sync")
	return l.run(ctx)
}
