package node

import (
	"sync"
	"time"

	"longear/protocol/reconcile"
	"longear/store"
)

// A full store has room for new messages only by letting old ones go. Were it still to sync the old, it would pull from
// a larger peer for ever what it must drop at once. So it asks for nothing older than nearly all of what it keeps.
const (
	// fullPermille is how full a store is when it narrows what it asks for. Eviction goes on below it, to 984.
	fullPermille = 970
	// oldestShare is the part of the texts that may lie below the floor: whoever wants to move it with messages of odd dates
	// has to own that much of the store.
	oldestShare = 50 // one in fifty
	// floorLife is how long a floor is kept before it is looked up again.
	floorLife = 30 * time.Second
)

// floor is the oldest creation time that this node asks its peers for.
type floor struct {
	mu      sync.Mutex
	created uint64    // guarded by mu
	at      time.Time // guarded by mu; when it was looked up
}

// scope is the part of the set that this node wants from its peers.
func (n *Node) scope() reconcile.Scope {
	st := n.store.Stats()
	if st.Bytes*1000 < st.Quota*fullPermille {
		return reconcile.Scope{Ranks: allRanks}
	}
	if created, ok := n.floor.fresh(); ok {
		return reconcile.Scope{Floor: created, Ranks: allRanks}
	}
	var created uint64
	err := n.store.View(func(v *store.View) (err error) {
		created, err = quantile(v, reconcile.Prefix{}.Child(1), oldestShare)
		return err
	})
	if err != nil {
		n.log.Debug("no floor", "err", err)
		return reconcile.Scope{Ranks: allRanks}
	}
	created &^= reconcile.FloorStep - 1
	n.floor.set(created)
	return reconcile.Scope{Floor: created, Ranks: allRanks}
}

// allRanks is alerts, texts and media.
const allRanks = 1<<0 | 1<<1 | 1<<2

// quantile is the creation time below which about one key in share lies, among those under p.
func quantile(src reconcile.Nodes, p reconcile.Prefix, share uint64) (uint64, error) {
	node, ok, err := src.Node(p)
	if err != nil || !ok {
		return 0, err
	}
	skip := node.Total() / share
	for ok {
		c := uint8(0)
		for ; c < 15 && skip >= node.Count[c]; c++ {
			skip -= node.Count[c]
		}
		p = p.Child(c)
		if node, ok, err = src.Node(p); err != nil {
			return 0, err
		}
	}
	return p.First().Created(), nil
}

func (f *floor) fresh() (uint64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.created, !f.at.IsZero() && time.Since(f.at) < floorLife
}

func (f *floor) set(created uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.created, f.at = created, time.Now()
}

// room is how many bytes of messages this node could still keep without letting others go.
func (n *Node) room() uint64 {
	st := n.store.Stats()
	return uint64(max(st.Quota-st.Bytes, 0))
}
