package node

import (
	"context"
	"errors"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// guestPrefix keeps the budgets of guests apart from those of peers, whose IDs are never text of this kind.
const guestPrefix = "guest "

// OfferFrom brings what a guest hands over through the one door and passes on what is new: a guest, who has nothing but
// a browser, is a link like any other, named by whoever serves it. What it says unasked is metered like the gossip of a peer, and what is
// over the budget gets IgnoreBudget and may come again. What this node asked it for, like what sync pulls, is not.
func (n *Node) OfferFrom(ctx context.Context, guest string, in []protocol.CarryRecord, asked bool) ([]protocol.Verdict, error) {
	out := make([]protocol.Verdict, len(in))
	arrivals := make([]arrival, 0, len(in))
	at := make([]int, 0, len(in)) // arrivals[i] is in[at[i]]
	for i, r := range in {
		if !asked && !n.meters.allow(peer.ID(guestPrefix+guest)) {
			out[i] = protocol.IgnoreBudget
			n.counts.refuse(out[i])
			n.chronicle.refuse("", out[i])
			continue
		}
		arrivals, at = append(arrivals, arrival{wire: r.Wire, age: r.Age, way: ByHand}), append(at, i)
	}
	var news []arrival
	for i, v := range n.door.batch(ctx, arrivals) {
		out[at[i]] = v
		switch v {
		case protocol.Accept:
			news = append(news, arrivals[i])
			if u, v := protocol.Decode(arrivals[i].wire); v == protocol.Accept {
				n.carriers.add(u.ID())
			}
		case protocol.IgnoreStore:
			return out, errors.New("take in what a guest offers: the store failed")
		}
	}
	n.passOn(ctx, news)
	return out, nil
}

// passOn tells the mesh what entered it here, and makes every link look for differences. A backlog is left to sync: gossip's
// queues are too short for it.
func (n *Node) passOn(ctx context.Context, news []arrival) {
	if len(news) == 0 || n.up() != nil {
		return
	}
	why := told
	for _, a := range news {
		u, v := protocol.Decode(a.wire)
		if len(news) > newsMost || v != protocol.Accept {
			why = atOnce
			break
		}
		_, d := u.Claims()
		if ok, _ := n.tellWire(ctx, a.wire, d, a.age); !ok {
			why = atOnce
		}
	}
	n.nudge(nil, why)
}

// GuestLeft forgets the budget of a guest that has gone.
func (n *Node) GuestLeft(guest string) { n.meters.forget(peer.ID(guestPrefix + guest)) }

// Scope is the part of all messages that this node wants from others: everything, unless its store is nearly full.
func (n *Node) Scope() reconcile.Scope { return n.scope() }
