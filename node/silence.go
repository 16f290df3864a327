package node

import (
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/quic-go/quic-go"
)

// A peer that walks out of reach says nothing. QUIC gives a silent peer 30 seconds, and 15 more when there was nothing to say: for as
// long as many a contact lasts it would be counted on in the mesh, shown as a neighbour, and not met again when it comes back.
const (
	// silentStep is how long a peer has to answer, each time anew: an answer takes a round trip and the 25 ms for which QUIC may hold
	// back an acknowledgement.
	silentStep = time.Second
	// silentSteps is in how many of them in a row nothing came before the peer is out of reach. In five seconds QUIC repeats itself
	// five times, after a first wait of some three round trips, and always with two packets.
	silentSteps = 5
	// silentSent is how many packets have to be unanswered before it counts. QUIC, which repeats itself, has sent them within a second.
	silentSent = 4
	// heedEvery is how often a peer that answers is looked at, at least.
	heedEvery = 5 * time.Second
	// asleep is longer than a step takes unless this node itself stood still: then nothing is known of the peer.
	asleep = 3 * silentStep
)

// silence is what is known of a peer that may be out of reach.
type silence struct {
	sent, received uint64    // packets, when one was last known to have come
	steps          int       // in a row, in which none came though some were sent
	looked         time.Time // at the last of them
}

// look takes the count of all packets until now. It reports whether the peer is to be looked at again in silentStep, and whether it
// is out of reach.
func (s *silence) look(now time.Time, sent, received uint64) (suspect, gone bool) {
	passed := now.Sub(s.looked)
	switch {
	case received != s.received:
		s.answered(sent, received)
		return false, false
	case sent-s.sent < silentSent: // which may be acknowledgements, that nobody answers
		s.steps = 0
		return false, false
	case s.steps > 0 && passed < silentStep:
		return true, false
	case s.steps > 0 && passed > asleep:
		s.steps = 0
	}
	s.steps, s.looked = s.steps+1, now
	return true, s.steps > silentSteps
}

// answered begins anew: the peer is in reach.
func (s *silence) answered(sent, received uint64) { *s = silence{sent: sent, received: received} }

// vigil is the silence of each connection. There may be two to one peer, when both have dialled: gossip may use the one that sync does not, and as
// long as one is there the peer counts as connected. What comes over one shows that the peer is in reach: on a slow radio the other may wait
// behind it.
type vigil map[network.Conn]*watch

// watch is a connection and its silence.
type watch struct {
	conn  *quic.Conn // nil: TCP, where yamux asks every 30 seconds whether the peer is there
	stats quic.ConnectionStats
	silence
}

// refresh notes new connections and forgets those that are gone.
func (v vigil) refresh(open []network.Conn) {
	for _, c := range open {
		if v[c] == nil {
			w := &watch{}
			c.As(&w.conn)
			v[c] = w
		}
	}
	if len(v) > len(open) {
		maps.DeleteFunc(v, func(c network.Conn, _ *watch) bool { return !slices.Contains(open, c) })
	}
}

// looks reports whether there is a connection to look at.
func (v vigil) looks() bool {
	for _, w := range v {
		if w.conn != nil {
			return true
		}
	}
	return false
}

// heed ends the connections of peers that are out of reach, and the links of those that do not give what they were asked for. It returns how
// long not to look again.
func (n *Node) heed(a agenda, v vigil, now time.Time) time.Duration {
	for l := range a {
		if l.stalled(pullLongest) {
			l.ask(false) // the link's turn may never come: a peer that starts rounds puts it off
		}
	}
	v.refresh(n.host.Network().Conns())
	heard := make(map[peer.ID]bool)
	for c, w := range v {
		if w.conn == nil {
			continue
		}
		if w.stats = w.conn.ConnectionStats(); w.stats.PacketsReceived != w.received {
			heard[c.RemotePeer()] = true
		}
	}
	wait := heedEvery
	for c, w := range v {
		sent, received := w.stats.PacketsSent, w.stats.PacketsReceived
		switch {
		case w.conn == nil:
			continue
		case heard[c.RemotePeer()]:
			w.answered(sent, received)
			continue
		}
		suspect, gone := w.look(now, sent, received)
		if gone {
			n.log.Debug("peer is out of reach", "peer", short(c.RemotePeer()), "unanswered", sent-w.sent)
			n.spawn(func() { c.Close() })
		}
		if suspect {
			wait = silentStep
		}
	}
	return wait
}
