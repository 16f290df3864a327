package node

import (
	"sync"
	"time"

	"longear/protocol/reconcile"
)

// leaseStale is how long a link may hold parts of the set without a byte arriving before another may pull them too.
const leaseStale = 5 * time.Second

// leases say which link is pulling which part of the set, so that no message is fetched from two peers at once.
// Short IDs are salted for each link and cannot be compared between two; places in the trie can.
type leases struct {
	mu    sync.Mutex
	links map[*link]*holding // guarded by mu
}

// holding is what one link has on lease: at most pullsOpen*pullWants prefixes.
type holding struct {
	exact  map[reconcile.Prefix]struct{}
	under  map[reconcile.Prefix]int // how many of them lie at or under a prefix, for every prefix above one
	alive  time.Time                // when messages came last
	missed map[*link]struct{}       // the links that wanted some of it
}

// take gives l the part of the set under p, unless another link has some of it.
func (ls *leases) take(l *link, p reconcile.Prefix) bool {
	now := time.Now()
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for other, h := range ls.links {
		if other != l && now.Sub(h.alive) < leaseStale && h.meets(p) {
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
		h = &holding{exact: make(map[reconcile.Prefix]struct{}), under: make(map[reconcile.Prefix]int)}
		ls.links[l] = h
	}
	h.alive = now
	if _, twice := h.exact[p]; !twice {
		h.exact[p] = struct{}{}
		h.count(p, 1)
	}
	return true
}

// meets reports whether the holding has p, something above it or something under it.
func (h *holding) meets(p reconcile.Prefix) bool {
	if h.under[p] > 0 {
		return true
	}
	for n := range p.Len() {
		if _, ok := h.exact[p.Cut(n)]; ok {
			return true
		}
	}
	return false
}

func (h *holding) count(p reconcile.Prefix, by int) {
	for n := range p.Len() + 1 {
		q := p.Cut(n)
		if h.under[q] += by; h.under[q] == 0 {
			delete(h.under, q)
		}
	}
}

// touch says that bytes arrive on l.
func (ls *leases) touch(l *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if h := ls.links[l]; h != nil {
		h.alive = time.Now()
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
			h.count(w.Prefix, -1)
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
	if h == nil {
		return nil
	}
	return h.missed
}
