package node

import (
	"slices"
	"sync"
	"sync/atomic"

	"longear/protocol"
)

// carriers counts the peers that are known to have what guests brought: those that a message was served to, and those with which a
// round found equal sets after it came. What gossip told and no round has confirmed does not count. A peer has another name in each of its
// runs, so one that was restarted in between counts twice. It is in memory, bounded, and of this run.
type carriers struct {
	some atomic.Bool // anything is counted: relays without guests pay nothing

	mu    sync.Mutex
	of    map[protocol.ID]*carried // guarded by mu; at most carriersMost
	order []protocol.ID            // guarded by mu; the order in which they came
	taken uint64                   // guarded by mu; how many ever came
}

// carried is the count of one message.
type carried struct {
	number uint64   // it was the number-th to come
	peers  []uint64 // tokens of links; at most carriersEach
}

// Bounds: 4,096 messages of guests with 32 peers each are some 1.5 MiB. Of older ones nobody is told.
const (
	carriersMost = 4096
	carriersEach = 32
)

// add begins to count a message.
func (c *carriers) add(id protocol.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of[id] != nil {
		return
	}
	if c.of == nil {
		c.of = make(map[protocol.ID]*carried)
	}
	if len(c.order) == carriersMost {
		delete(c.of, c.order[0])
		c.order = c.order[1:]
	}
	c.taken++
	c.of[id] = &carried{number: c.taken}
	c.order = append(c.order, id)
	c.some.Store(true)
}

// mark names the present: what is added later is not covered by a round that begins now.
func (c *carriers) mark() uint64 {
	if !c.some.Load() {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken
}

// served notes that a link took messages.
func (c *carriers) served(link uint64, ids []protocol.ID) {
	if !c.some.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if m := c.of[id]; m != nil {
			m.note(link)
		}
	}
}

// equal notes that a link has everything that came from after the mark since to the mark upTo. A link passes where it was
// the last time, so that each message is looked at once for each link.
func (c *carriers) equal(link, since, upTo uint64) {
	if since == upTo {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	first := c.taken - uint64(len(c.order)) // the mark before order[0]
	from, to := max(since, first), min(upTo, c.taken)
	for n := from; n < to; n++ {
		if m := c.of[c.order[n-first]]; m != nil {
			m.note(link)
		}
	}
}

func (m *carried) note(link uint64) {
	if len(m.peers) < carriersEach && !slices.Contains(m.peers, link) {
		m.peers = append(m.peers, link)
	}
}

// Carriers says of each message by how many peers of this node it is known to be kept: -1 for one that no guest brought in this run, or
// too long ago.
func (n *Node) Carriers(ids []protocol.ID) []int {
	c := &n.carriers
	out := make([]int, len(ids))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, id := range ids {
		out[i] = -1
		if m := c.of[id]; m != nil {
			out[i] = len(m.peers)
		}
	}
	return out
}
