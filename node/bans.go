package node

import (
	"math"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// What forgery costs. A peer that validates before it forwards, as every honest one does, never sends one,
// so a few are enough; volume alone never costs anything here. A ban is by peer ID and therefore cheap to escape
// with a new one: it ends the link, and the budgets bound the next.
const (
	banAt             = 10               // points
	pointsHalve       = time.Minute      // after which half of them are forgotten
	banFirst          = 10 * time.Minute // doubled each time, up to
	banLongest        = 24 * time.Hour
	banRemember       = 512 // peers with points or a ban; beyond it the oldest is forgotten
	pointsMessage     = 4   // a message with a rejected verdict: the third is one too many
	pointsUnsolicited = 2   // an answer that nobody asked for
	pointsFrame       = 10  // a frame after which nothing can be read
)

// bans counts each peer's forgeries and keeps the banned out. It is the host's connection gater. In memory only.
type bans struct {
	mu    sync.Mutex
	peers map[peer.ID]*offender // guarded by mu
	total uint64                // guarded by mu; bans so far
}

type offender struct {
	points float64
	seen   time.Time
	until  time.Time
	times  int
}

// add gives a peer points and reports whether that bans it.
func (b *bans) add(p peer.ID, points float64, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.peers[p]
	if o == nil {
		if b.peers == nil {
			b.peers = make(map[peer.ID]*offender)
		}
		b.makeRoom(now)
		o = &offender{seen: now}
		b.peers[p] = o
	}
	o.points = o.points*math.Exp2(-now.Sub(o.seen).Minutes()/pointsHalve.Minutes()) + points
	o.seen = now
	if o.points < banAt || now.Before(o.until) {
		return false
	}
	o.points = 0
	o.until = now.Add(min(banFirst<<min(o.times, 8), banLongest))
	o.times++
	b.total++
	return true
}

// makeRoom forgets the one seen longest ago when the table is full, banned ones last.
func (b *bans) makeRoom(now time.Time) {
	if len(b.peers) < banRemember {
		return
	}
	var oldest peer.ID
	for p, o := range b.peers {
		old := b.peers[oldest]
		if old == nil || (now.Before(old.until) == now.Before(o.until) && o.seen.Before(old.seen)) ||
			(now.Before(old.until) && !now.Before(o.until)) {
			oldest = p
		}
	}
	delete(b.peers, oldest)
}

func (b *bans) banned(p peer.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.peers[p]
	return o != nil && time.Now().Before(o.until)
}

func (b *bans) count() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total
}

// InterceptPeerDial implements connmgr.ConnectionGater.
func (b *bans) InterceptPeerDial(p peer.ID) bool { return !b.banned(p) }

// InterceptAddrDial implements connmgr.ConnectionGater.
func (b *bans) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept implements connmgr.ConnectionGater.
func (b *bans) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured implements connmgr.ConnectionGater.
func (b *bans) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return !b.banned(p)
}

// InterceptUpgraded implements connmgr.ConnectionGater.
func (b *bans) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

// blame charges a peer for what no honest node sends and cuts the link when that is enough.
func (n *Node) blame(p peer.ID, points float64, why string) {
	if n.bans.add(p, points, time.Now()) {
		n.chronicle.note(Event{What: peerBanned, Peer: short(p), Detail: why})
		n.log.Warn("peer banned", "peer", short(p), "reason", why)
		n.host.Network().ClosePeer(p)
	}
}

// short names a peer in logs.
func short(p peer.ID) string {
	s := p.String()
	return s[max(0, len(s)-8):]
}
