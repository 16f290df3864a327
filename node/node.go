// Package node is one running longear peer: a libp2p host that gossips new messages to the peers it is
// connected to, syncs its store with each of them whenever they meet, and keeps and forwards what others wrote.
//
// A node is made by New and lives in Run; nothing of it is left running when Run has returned. Many live in one process.
//
// What it will not do: it never alters a message, never relays or shows one that has not passed the one door
// (ingest.go), never sets a clock from a peer, and never lets its transport identity, which is new at every start, sign
// or be signed by an author's key.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/sync/errgroup"

	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

// Node is one peer. Make it with New, run it with Run.
type Node struct {
	cfg     Config
	log     *slog.Logger
	store   *store.Store
	watcher *discovery.Watcher
	started time.Time
	ready   chan struct{} // closed when listening

	// Set by Run before ready is closed, not changed after.
	host   host.Host
	ladder *discovery.Ladder

	gossip    gossip
	door      door
	readers   readers
	links     links
	leases    leases
	bans      bans
	meters    meters
	counts    counts
	rates     rates
	chronicle chronicle
	wakes     chan wake   // to schedule, see post
	stirred   atomic.Bool // see stir
	talk      talk
	floor     floor
	digester  digester
	ownGen    atomic.Uint64

	carriers carriers
	remuted  chan struct{} // of size 1: the list of muted authors has changed; one is as good as many
	settling chan struct{} // of size 1, held while the store is brought in line with it

	mu     sync.Mutex
	state  runState       // guarded by mu
	inside sync.WaitGroup // who works for a peer; added to under mu and only while running
}

type runState uint8

const (
	fresh runState = iota
	running
	ended
)

// New makes a node that does nothing until Run.
func New(cfg Config) (*Node, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	n := &Node{
		cfg: cfg, log: cfg.Log, store: cfg.Store,
		watcher: cfg.Discovery.Watcher,
		ready:   make(chan struct{}),
		wakes:   make(chan wake, 64),
		remuted: make(chan struct{}, 1), settling: make(chan struct{}, 1),
	}
	n.gossip.moves, n.gossip.lost, n.gossip.links = make(chan struct{}, 1), make(chan struct{}, 1), &n.links
	n.rates.began = time.Now()
	n.chronicle.now, n.chronicle.kept = n.wall, cfg.Store.Stats()
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.watcher == nil {
		n.watcher = discovery.NewWatcher(nil)
	}
	n.door.n = n
	return n, nil
}

// Run is the node's life: it listens, finds peers, gossips and syncs until ctx ends, and returns nil then. It may be
// called once. The store stays open.
func (n *Node) Run(ctx context.Context) error {
	if err := n.begin(); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	defer n.finish()
	h, err := n.newHost()
	if err != nil {
		return fmt.Errorf("start the host: %w", err)
	}
	n.host, n.started = h, time.Now()
	defer h.Close()
	// Everything that answers a peer is registered before the first one can come.
	n.ladder, err = n.newLadder()
	if err != nil {
		return err
	}
	deafen := n.hearGossip(ctx)
	defer deafen()
	stop := n.watchLinks(ctx)
	defer stop()
	if err := n.listen(); err != nil {
		return err
	}
	close(n.ready)
	g.Go(func() error { return n.ladder.Run(ctx) })
	g.Go(func() error { return n.keepGossip(ctx) })
	g.Go(func() error { return n.schedule(ctx) })
	g.Go(func() error { return n.store.Run(ctx) })
	g.Go(func() error { return n.keepMutes(ctx) })
	return g.Wait()
}

func (n *Node) newLadder() (*discovery.Ladder, error) {
	c := n.cfg.Discovery
	c.Self, c.Dialer, c.Ports, c.Watcher = n.host.ID(), (*dialer)(n), n.ports, n.watcher
	c.Gone = n.abandon
	if c.Wifi != nil {
		w := *c.Wifi
		w.Digest = n.digest
		c.Wifi = &w
	}
	if c.Log == nil {
		c.Log = n.log
	}
	return discovery.New(c)
}

func (n *Node) begin() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != fresh {
		return errors.New("node: Run may be called once: make another with New")
	}
	n.state = running
	return nil
}

// finish waits for the links, whose streams end with the host, and for what gossip has at the door.
func (n *Node) finish() {
	n.mu.Lock()
	n.state = ended
	n.mu.Unlock()
	n.inside.Wait()
}

// enter counts somebody who works for a peer and calls n.inside.Done at the end: Run waits for all of them. Once it is ending nobody enters.
func (n *Node) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != running {
		return false
	}
	n.inside.Add(1)
	return true
}

// spawn runs f for a link.
func (n *Node) spawn(f func()) {
	if n.enter() {
		n.inside.Go(f)
		n.inside.Done()
	}
}

// Ready is closed when the node listens.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Peer is this run's transport identity. It is new at every start. Only after Ready.
func (n *Node) Peer() peer.ID { return n.host.ID() }

// Addrs are the addresses a peer may dial, each with the peer ID. Only after Ready.
func (n *Node) Addrs() []ma.Multiaddr {
	addrs, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: n.host.ID(), Addrs: n.host.Addrs()})
	if err != nil {
		return nil
	}
	return addrs
}

// Connect adds an address that a person typed or scanned; discovery dials it now and whenever it is not connected.
func (n *Node) Connect(addr string) error {
	if err := n.up(); err != nil {
		return err
	}
	return n.ladder.AddTyped(addr)
}

// NotifyInterfaces makes discovery look at the network now: the app came back, a cable went in.
func (n *Node) NotifyInterfaces() {
	if n.up() == nil {
		n.ladder.Nudge()
	}
}

// SetInterfaces hands in the machine's network interfaces, where a program may not read them itself (Android), and ends
// polling for them. Call it again whenever they change.
func (n *Node) SetInterfaces(list []discovery.Interface) { n.watcher.Set(list) }

// Sight tells discovery of a peer that was found by other means. It is dialled if its addresses are on a network at hand.
func (n *Node) Sight(by discovery.Rung, info peer.AddrInfo) error {
	if err := n.up(); err != nil {
		return err
	}
	n.ladder.Sight(by, info)
	return nil
}

// ErrNotRunning is returned by what needs the network before Ready or after Run.
var ErrNotRunning = errors.New("the node is not running")

func (n *Node) up() error {
	select {
	case <-n.ready:
		return nil
	default:
		return ErrNotRunning
	}
}

// dialer is the node as discovery sees it.
type dialer Node

// Connected implements discovery.Dialer.
func (d *dialer) Connected(p peer.ID) bool {
	return d.host.Network().Connectedness(p) == network.Connected
}

// Dial implements discovery.Dialer. libp2p's own backoff grows to minutes, which is longer than people
// stand near each other, so it is cleared: discovery has its own.
func (d *dialer) Dial(ctx context.Context, info peer.AddrInfo) error {
	if s, ok := d.host.Network().(*swarm.Swarm); ok {
		s.Backoff().Clear(info.ID)
	}
	return d.host.Connect(ctx, info)
}

// arrived is called by the door for each message that is new and stored.
func (n *Node) arrived(m *protocol.Message, a *arrival) {
	n.readers.tell(m)
	n.counts.arrived(a.way)
	n.heard(m, a.age)
	n.rates.add(a.way)
	if a.way == ByGossip {
		n.stir()
	}
	if n.cfg.Arrived != nil {
		n.cfg.Arrived(Arrival{ID: m.ID, Way: a.way, From: a.from, At: n.wall()})
	}
}

// wall is the time of day by this node's clock.
func (n *Node) wall() time.Time {
	if n.cfg.Clock.Wall != nil {
		return n.cfg.Clock.Wall()
	}
	return time.Now()
}

// isLocalConn reports whether the other end is on a network at hand.
func isLocalConn(c network.Conn) bool {
	ip, err := manet.ToIP(c.RemoteMultiaddr())
	if err != nil {
		return false
	}
	a, ok := netip.AddrFromSlice(ip)
	return ok && isLocal(a)
}
