package node

import (
	"slices"
	"sync"
	"time"

	"longear/protocol/reconcile"
)

const (
	// leaseStale is how long a link may hold parts of the set without a message arriving before another may pull them too.
	// A link that was silent for longer and went on may be so again: what a radio loses comes anew behind all that waits in its queue.
	leaseStale = 5 * time.Second
	// leaseLongest is how long it may hold a part while fewer bytes than leaseLeast arrive: whoever sends a message of its own now and then would
	// hold for ever what it never gives. It is 4 kbit/s, a tenth of what a poor radio carries.
	leaseLongest = 2 * time.Minute
	leaseLeast   = 64 << 10
)

// leases say which link is pulling which part of the set, so that no message is fetched from two peers at once.
// Short IDs are salted for each link and cannot be compared between two; places in the trie can.
type leases struct {
	mu    sync.Mutex
	links map[*link]*holding // guarded by mu
}

// holding is what one link has on lease: at most pullsOpen*pullWants prefixes, and mediaShorts.
type holding struct {
	exact  map[reconcile.Prefix]time.Time // when it was taken
	order  []reconcile.Prefix             // the same: what lies under a prefix follows it
	alive  time.Time                      // when messages came last
	paused time.Duration                  // the longest silence that messages have ended, up to pullTimeout
	missed map[*link]struct{}             // the links that wanted some of it
	window time.Time                      // since when bytes are counted
	bytes  int                            // of messages that were taken in
	slack  bool                           // so few that nothing is left to this link any more
}

// take gives l the part of the set under p, unless another link has some of it.
func (ls *leases) take(l *link, p reconcile.Prefix) bool {
	now := time.Now()
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for other, h := range ls.links {
		if other == l {
			continue
		}
		if now.Sub(h.alive) < max(leaseStale, h.paused) && !h.slacks(now) && h.meets(p) {
			if h.missed == nil {
				h.missed = make(map[*link]struct{})
			}
			h.missed[l] = struct{}{}
			return false
		}
	}
	h := ls.links[l]
	if h == nil {
		if ls.links == nil {
			ls.links = make(map[*link]*holding)
		}
		h = &holding{window: now, exact: make(map[reconcile.Prefix]time.Time)}
		ls.links[l] = h
	}
	h.alive = now
	if _, twice := h.exact[p]; !twice {
		h.exact[p] = now
		h.order = slices.Insert(h.order, h.place(p), p)
	}
	return true
}

// slacks reports whether the link has held something for too long and brought too little.
func (h *holding) slacks(now time.Time) bool {
	if now.Sub(h.window) < leaseLongest {
		return h.slack
	}
	h.slack = false
	for _, since := range h.exact {
		h.slack = h.slack || h.bytes < leaseLeast && now.Sub(since) >= leaseLongest
	}
	h.window, h.bytes = now, 0
	return h.slack
}

// meets reports whether the holding has p, something above it or something under it.
func (h *holding) meets(p reconcile.Prefix) bool {
	if i := h.place(p); i < len(h.order) && p.Covers(h.order[i]) {
		return true
	}
	for n := range p.Len() {
		if _, ok := h.exact[p.Cut(n)]; ok {
			return true
		}
	}
	return false
}

// place is where p is, or would be, in order.
func (h *holding) place(p reconcile.Prefix) int {
	i, _ := slices.BinarySearchFunc(h.order, p, reconcile.Prefix.Compare)
	return i
}

// touch says that messages of so many bytes have been taken in from l.
func (ls *leases) touch(l *link, bytes int) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if h := ls.links[l]; h != nil {
		now := time.Now()
		h.paused = min(max(h.paused, now.Sub(h.alive)), pullTimeout)
		h.alive = now
		h.bytes += bytes
	}
}

// give ends leases of l and returns the links that have wanted any since it last did.
func (ls *leases) give(l *link, wants []reconcile.Want) (missed map[*link]struct{}) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	h := ls.links[l]
	if h == nil {
		return nil
	}
	for _, w := range wants {
		if _, ok := h.exact[w.Prefix]; ok {
			delete(h.exact, w.Prefix)
			i := h.place(w.Prefix)
			h.order = slices.Delete(h.order, i, i+1)
		}
	}
	missed, h.missed = h.missed, nil
	return missed
}

// drop ends every lease of a link and returns the links that have wanted any since it last gave.
func (ls *leases) drop(l *link) (missed map[*link]struct{}) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	h := ls.links[l]
	delete(ls.links, l)
	for _, other := range ls.links {
		delete(other.missed, l) // or an ended link would be held for as long as the other gives nothing
	}
	if h == nil {
		return nil
	}
	return h.missed
}
