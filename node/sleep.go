package node

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// Gossip without a peer is a heartbeat a second and a dozen goroutines for nothing. A node alone has neither: pubsub is made
// when a peer connects and ended some time after the last one has gone. What is told meanwhile is stored, and sync carries it.
const (
	// gossipLinger is how long gossip stays awake without a peer. People who walk through a crowd meet the next one sooner,
	// and making pubsub costs as much as some minutes of its heartbeats.
	gossipLinger = time.Minute
	// gossipRise is how long a peer's stream waits for gossip to wake, which takes well under a millisecond.
	gossipRise = 5 * time.Second
)

// hearGossip registers the handler of gossip's streams. It has to be there before the host listens and to stay, asleep or not:
// identify tells a peer the protocols that are registered when it connects, and later ones late.
func (n *Node) hearGossip(ctx context.Context) (stop func()) {
	n.host.SetStreamHandler(gossipProtocol, func(s network.Stream) {
		m := n.gossip.enter(ctx)
		if m == nil {
			s.Reset()
			return
		}
		defer n.gossip.leave(m)
		m.handler(s)
	})
	return func() { n.host.RemoveStreamHandler(gossipProtocol) }
}

// keepGossip wakes gossip whenever a peer connects and it sleeps, until ctx ends.
func (n *Node) keepGossip(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.gossip.moves:
		}
		if n.alone() {
			continue
		}
		if err := n.awake(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// awake is one waking of gossip.
func (n *Node) awake(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := n.joinMesh(ctx)
	if err != nil {
		return err
	}
	g := &n.gossip
	g.rise(m)
	timer := time.NewTimer(n.cfg.onStep(time.Now(), gossipLinger))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			g.rise(nil)
			return nil
		case <-g.moves:
			if !n.alone() {
				timer.Stop()
				continue
			}
		case <-timer.C:
			if n.alone() && g.rest(m) {
				return nil
			}
		}
		timer.Reset(n.cfg.onStep(time.Now(), gossipLinger))
	}
}

// alone reports whether no peer is connected.
func (n *Node) alone() bool { return len(n.host.Network().Peers()) == 0 }

// moved says that a peer came or went.
func (g *gossip) moved() {
	select {
	case g.moves <- struct{}{}:
	default:
	}
}

// now is the mesh, or nil while gossip sleeps.
func (g *gossip) now() *mesh {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mesh
}

// rise makes m the mesh and lets in who waits for it.
func (g *gossip) rise(m *mesh) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mesh = m
	if m == nil {
		g.forget()
	} else if g.risen != nil {
		close(g.risen)
		g.risen = nil
	}
}

// rest takes m away unless it serves a stream. A stream that comes at this moment is either counted or finds no mesh and waits
// for the next: one that was given to a mesh that is being ended would be deaf for the life of its connection.
func (g *gossip) rest(m *mesh) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.streams > 0 {
		return false
	}
	g.mesh = nil
	g.forget()
	return true
}

// forget forgets the streams of a mesh that ends. The caller holds mu.
func (g *gossip) forget() {
	g.reach = nil
	g.outflows.Clear()
}

// enter returns the mesh for one stream, until leave. It wakes gossip if it sleeps, and returns nil when ctx ends or it
// takes too long.
func (g *gossip) enter(ctx context.Context) *mesh {
	timer := time.NewTimer(gossipRise)
	defer timer.Stop()
	for {
		g.mu.Lock()
		if m := g.mesh; m != nil {
			m.streams++
			g.mu.Unlock()
			return m
		}
		if g.risen == nil {
			g.risen = make(chan struct{})
		}
		risen := g.risen
		g.mu.Unlock()
		g.moved()
		select {
		case <-risen:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// reached notes that the mesh has a stream to a peer, or has lost it.
func (g *gossip) reached(p peer.ID, yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !yes {
		delete(g.reach, p)
		g.outflows.Delete(p)
		select {
		case g.lost <- struct{}{}:
		default:
		}
		return
	}
	if g.reach == nil {
		g.reach = make(map[peer.ID]struct{})
	}
	g.reach[p] = struct{}{}
}

// reaches reports whether the mesh has a stream to a peer.
func (g *gossip) reaches(p peer.ID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.reach[p]
	return ok
}

func (g *gossip) leave(m *mesh) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m.streams--
}
