package crowd

import "longear/node"

// tally is what a node's counters say of its traffic.
type tally struct {
	accepted uint64 // messages from others
	gossip   uint64 // bytes sent
	sync     uint64 // bytes sent
	repeated uint64 // bytes received of messages that were here already
	refused  map[string]uint64
}

func tallyOf(s node.Status) tally {
	return tally{
		accepted: s.Accepted["gossip"] + s.Accepted["sync"],
		gossip:   s.Gossip.SentBytes, sync: s.Sync.Sent,
		repeated: s.Gossip.Repeated + s.Sync.Repeated,
		refused:  s.Verdicts,
	}
}

func (t tally) plus(o tally) tally {
	sum := tally{
		accepted: t.accepted + o.accepted, gossip: t.gossip + o.gossip, sync: t.sync + o.sync,
		repeated: t.repeated + o.repeated, refused: make(map[string]uint64),
	}
	for _, m := range []map[string]uint64{t.refused, o.refused} {
		for k, n := range m {
			sum.refused[k] += n
		}
	}
	return sum
}
