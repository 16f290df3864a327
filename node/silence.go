package node

import (
	"maps"
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
	// roundTrips is how many round trips, of the slowest of the peers that were heard in these steps, a peer has to answer in besides, and silentMost
	// how many steps in all: over a slow radio what is sent to one peer waits behind what was sent to others, and each may have sent as much as takes
	// it ten seconds.
	roundTrips = 3
	silentMost = 25
	// silentSent is how many packets have to be unanswered before it counts. QUIC, which repeats itself, has sent them within a second.
	silentSent = 4
	// heedEvery is how often a peer that answers is looked at, at least.
	heedEvery = 5 * time.Second
	// asleep is longer than a step takes unless this node itself stood still: then nothing is known of the peer.
	asleep = 3 * silentStep
)

// silence is what is known of a peer that may be out of reach.
type silence struct {
	answered uint64    // packets sent when one was last known to have come
	steps    int       // in a row, in which none came though some were sent
	looked   time.Time // at the last of them
}

// look takes how many packets were sent until now, whether any has come since it was last asked, and in how many steps none may come. It reports
// whether the peer is to be looked at again in silentStep, and whether it is out of reach.
func (s *silence) look(now time.Time, sent uint64, heard bool, most int) (suspect, gone bool) {
	passed := now.Sub(s.looked)
	switch {
	case heard:
		*s = silence{answered: sent}
		return false, false
	case sent-s.answered < silentSent: // which may be acknowledgements, that nobody answers
		s.steps = 0
		return false, false
	case s.steps > 0 && passed < silentStep:
		return true, false
	case s.steps > 0 && passed > asleep:
		s.steps = 0
	}
	s.steps, s.looked = s.steps+1, now
	return true, s.steps > most
}

// watch is a connection's silence.
type watch struct {
	stats          func() quic.ConnectionStats
	sent, received uint64 // packets, when it was last looked at
	trip           time.Duration
	heard          time.Time // when something was last found to have come
	silence
}

// count reports whether anything came since it was last asked.
func (w *watch) count(now time.Time) bool {
	s, before := w.stats(), w.received
	w.sent, w.received, w.trip = s.PacketsSent, s.PacketsReceived, max(s.SmoothedRTT, s.LatestRTT) // a queue grows faster than the mean
	if w.received == before {
		return false
	}
	w.heard = now
	return true
}

// vigil watches each QUIC connection; over TCP, yamux asks every 15 seconds whether the peer is there. There may be two to one peer, when
// both have dialled: gossip may use the one that sync does not, and as long as one is there the peer counts as connected. What comes over one
// shows that the peer is in reach: on a slow radio the other may wait behind it.
type vigil map[network.Conn]*watch

// refresh notes new connections and forgets those that are gone.
func (v vigil) refresh(open []network.Conn) {
	for _, c := range open {
		var conn *quic.Conn
		if v[c] == nil && c.As(&conn) {
			v[c] = &watch{stats: conn.ConnectionStats}
		}
	}
	maps.DeleteFunc(v, func(c network.Conn, _ *watch) bool { return c.IsClosed() })
}

// look returns the connections of peers that are out of reach, and how long not to look again.
func (v vigil) look(now time.Time) (gone []network.Conn, wait time.Duration) {
	heard := make(map[peer.ID]bool)
	var slowest time.Duration
	for c, w := range v {
		if w.count(now) {
			heard[c.RemotePeer()] = true
		}
		if now.Sub(w.heard) <= silentSteps*silentStep {
			slowest = max(slowest, w.trip)
		}
	}
	most := min(silentSteps+int(roundTrips*slowest/silentStep), silentMost)
	wait = heedEvery
	for c, w := range v {
		suspect, out := w.look(now, w.sent, heard[c.RemotePeer()], most)
		if suspect {
			wait = silentStep
		}
		if out {
			gone = append(gone, c)
		}
	}
	return gone, wait
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
	gone, wait := v.look(now)
	for _, c := range gone {
		n.log.Debug("peer is out of reach", "peer", short(c.RemotePeer()))
		n.spawn(func() { c.Close() })
	}
	return wait
}
