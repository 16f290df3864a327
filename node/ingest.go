package node

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/protocol"
	"longear/store"
)

// maxAge is the largest age a sender may claim, in ms: beyond the longest lifetime nothing is worth sending.
const maxAge = uint64(protocol.MaxLifetime / time.Millisecond)

// Way is how a message came in.
type Way uint8

// The ways.
const (
	ByGossip Way = iota // a peer told it
	BySync              // this node asked a peer for it
	ByFile              // imported from a carry file
	ByHand              // written here, or posted here by a guest or a program
	ways
)

// String names the way for people.
func (w Way) String() string { return [...]string{"gossip", "sync", "carry file", "this node"}[w] }

// network reports whether a peer brought the message.
func (w Way) network() bool { return w == ByGossip || w == BySync }

// Arrival says how a message came to be stored here: see Config.Arrived.
type Arrival struct {
	ID   protocol.ID
	Way  Way
	From peer.ID   // the peer that gave it; empty unless the way is ByGossip or BySync
	At   time.Time // by this node's clock
}

// arrival is a message's bytes at the door.
type arrival struct {
	wire []byte
	read *protocol.Unverified // wire, if it has been decoded already
	age  time.Duration
	from peer.ID // empty unless a peer brought it
	way  Way
}

// door is the one way in: whatever is stored, relayed or shown has passed it, in this order, cheapest check first:
// size, encoding, version, known, muted, age against lifetime, signature, room, store. The link's budget stands before it.
//
// Callers that come one at a time are joined into batches: while one batch is checked and written the next
// gathers. A batch costs a third of its messages' single checks and one write to disk.
type door struct {
	n *Node

	mu      sync.Mutex
	waiting []*visitor // guarded by mu; as many as there are callers, of which gossip is validators
	busy    bool       // guarded by mu; somebody leads
}

type visitor struct {
	arrival
	calls chan call // of size 1: who has been called does not wait any more, and leads before there is a verdict
}

// call is what a visitor waits for: to lead the next batch, or the verdict.
type call struct {
	lead    bool
	verdict protocol.Verdict
}

// one takes a single message in and waits for the verdict.
func (d *door) one(ctx context.Context, a arrival) protocol.Verdict {
	v := &visitor{arrival: a, calls: make(chan call, 1)}
	d.mu.Lock()
	d.waiting = append(d.waiting, v)
	lead := !d.busy
	d.busy = true
	d.mu.Unlock()
	if !lead {
		if c := <-v.calls; !c.lead {
			return c.verdict
		}
	}
	batch := d.gather()

	arrivals := make([]arrival, len(batch))
	for i, w := range batch {
		arrivals[i] = w.arrival
	}
	verdicts := d.batch(ctx, arrivals)
	for i, w := range batch {
		w.calls <- call{verdict: verdicts[i]}
	}
	d.mu.Lock()
	if len(d.waiting) > 0 {
		d.waiting[0].calls <- call{lead: true}
	} else {
		d.busy = false
	}
	d.mu.Unlock()
	return (<-v.calls).verdict
}

// gather takes all that wait. Whatever else can run runs first, again and again while it brings more: the busier the machine, the larger the
// batches. An idle one loses nothing.
func (d *door) gather() (batch []*visitor) {
	for had := 0; ; {
		runtime.Gosched()
		d.mu.Lock()
		if len(d.waiting) == had || had >= validators {
			batch, d.waiting = d.waiting, nil
		}
		had = len(d.waiting)
		d.mu.Unlock()
		if batch != nil {
			return batch
		}
	}
}

// batch takes many messages in. Messages of one batch may alias one buffer: the store copies, and readers get clones.
func (d *door) batch(ctx context.Context, in []arrival) []protocol.Verdict {
	out := make([]protocol.Verdict, len(in))
	open := make([]*protocol.Unverified, 0, len(in))
	at := make([]int, 0, len(in)) // open[i] is in[at[i]]
	for i := range in {
		u, v := d.glance(in[i])
		if out[i] = v; v == protocol.Accept {
			open, at = append(open, u), append(at, i)
		}
	}
	items := make([]store.Item, 0, len(open))
	kept := at[:0]
	for i, m := range protocol.VerifyAll(open) {
		if m == nil {
			out[at[i]] = protocol.RejectSignature
			continue
		}
		a := &in[at[i]]
		items = append(items, store.Item{Message: m, Age: a.age})
		kept = append(kept, at[i])
	}
	d.keep(ctx, in, items, kept, out)
	d.refuseMuted(ctx, in, out)
	for i := range in {
		d.n.counts.refuse(out[i])
		d.n.chronicle.refuse(in[i].from, out[i])
		if out[i].Rejected() && in[i].way.network() {
			d.n.blame(in[i].from, pointsMessage, out[i].String())
		}
	}
	return out
}

// glance makes the checks that need no signature.
func (d *door) glance(a arrival) (*protocol.Unverified, protocol.Verdict) {
	u, v := a.read, protocol.Accept
	if u == nil {
		if u, v = protocol.Decode(a.wire); v != protocol.Accept {
			return nil, v
		}
	}
	if a.way != BySync { // sync asks only for what is missing, and the store looks again
		v = d.n.store.Known(u.ID())
		if v == protocol.IgnoreDead && a.way != ByGossip { // a smaller age may bring it back; what gossip tells is hardly ever dead, or comes of a liar
			v = protocol.Accept
		}
	}
	return u, d.unwanted(u, v)
}

// keep stores what was signed and tells readers of what was new. items[i] came as in[kept[i]].
func (d *door) keep(ctx context.Context, in []arrival, items []store.Item, kept []int, out []protocol.Verdict) {
	if len(items) == 0 {
		return
	}
	verdicts, err := d.n.store.Put(ctx, items)
	d.n.chronicle.look(d.n.store.Stats())
	if err != nil {
		d.n.log.Warn("the store failed", "err", err)
		for _, i := range kept {
			out[i] = protocol.IgnoreStore
		}
		return
	}
	for i, v := range verdicts {
		a := &in[kept[i]]
		if v == protocol.Accept && d.dropped(ctx, items[i].Message) {
			v = protocol.IgnoreMuted
		}
		if out[kept[i]] = v; v == protocol.Accept {
			d.n.arrived(items[i].Message, a)
		}
	}
}
