package crowd

import "longear/node"

// tally is what a node's counters say of its traffic.
type tally struct {
	accepted     uint64 // messages from others
	own          uint64 // messages that were written here
	took, pulled uint64 // messages from others by sync, as sync and as the door counts them
	sent         uint64 // bytes of sync
	received     uint64 // likewise
	heard        uint64 // bytes of gossip received
	repeated     uint64 // bytes received of messages that were here already
	violations   uint64 // messages that nobody honest sends, and links cut for them
	refused      map[string]uint64

	gossip, sync uint64 // bytes that were written on its streams; not by its counters, see tallyOf of the world
}

func tallyOf(s node.Status) tally {
	return tally{
		accepted: s.Accepted[node.ByGossip.String()] + s.Accepted[node.BySync.String()], own: s.Accepted[node.ByHand.String()],
		took: s.Sync.Took, pulled: s.Accepted[node.BySync.String()],
		sent: s.Sync.Sent, received: s.Sync.Received, heard: s.Gossip.Received,
		repeated: s.Gossip.Repeated + s.Sync.Repeated, violations: s.Refused + s.Banned,
		refused: s.Verdicts,
	}
}

func (t tally) plus(o tally) tally {
	sum := tally{
		accepted: t.accepted + o.accepted, own: t.own + o.own, took: t.took + o.took, pulled: t.pulled + o.pulled,
		sent: t.sent + o.sent, received: t.received + o.received, heard: t.heard + o.heard,
		repeated: t.repeated + o.repeated, violations: t.violations + o.violations, refused: make(map[string]uint64),
		gossip: t.gossip + o.gossip, sync: t.sync + o.sync,
	}
	for _, m := range []map[string]uint64{t.refused, o.refused} {
		for k, n := range m {
			sum.refused[k] += n
		}
	}
	return sum
}

// tallyOf is a member's traffic in all its lives. What its streams carried is counted beneath the node: what a mute one says that it sent never
// was.
func (w *World) tallyOf(m *member) tally {
	t := m.past
	if m.running {
		t = t.plus(tallyOf(m.node.Status()))
	}
	t.gossip, t.sync = m.meter.gossip.written.Load(), m.meter.sync.written.Load()
	return t
}
