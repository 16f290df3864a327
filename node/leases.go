package node

import (
	"maps"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/protocol/reconcile"
)

const (
	// leaseStale is how long a link may hold parts of the set without a message arriving before another may pull them too.
	leaseStale = 5 * time.Second
	// leaseLongest is how long it may hold a part though messages arrive: whoever sends one of its own now and then would hold for
	// ever what it never gives. A slow radio brings what one request asks for, some 600 kB, in less.
	leaseLongest = 2 * time.Minute
	// doubtFor is how long nothing is left any more to a peer that did not bring what was left to it, and doubtsMost how many such
	// peers are remembered: it connects again, asks first, and would hold the same once more.
	doubtFor   = 10 * time.Minute
	doubtsMost = 256
)

// leases say which link is pulling which part of the set, so that no message is fetched from two peers at once.
// Short IDs are salted for each link and cannot be compared between two; places in the trie can.
type leases struct {
	mu     sync.Mutex
	links  map[*link]*holding    // guarded by mu
	doubts map[peer.ID]time.Time // until when; guarded by mu
}

// holding is what one link has on lease: at most pullsOpen*pullWants prefixes.
type holding struct {
	exact  map[reconcile.Prefix]time.Time // when it was taken
	under  map[reconcile.Prefix]int       // how many of them lie at or under a prefix, for every prefix above one
	alive  time.Time                      // when messages came last
	missed map[*link]struct{}             // the links that wanted some of it
	swept  time.Time                      // when leases that had lasted too long were ended
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
		if h.lapse(now) {
			ls.doubtful(other.peer, now)
		}
		if now.Sub(h.alive) < leaseStale && !ls.doubts[other.peer].After(now) && h.meets(p) {
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
		h = &holding{exact: make(map[reconcile.Prefix]time.Time), under: make(map[reconcile.Prefix]int)}
		ls.links[l] = h
	}
	h.alive = now
	if _, twice := h.exact[p]; !twice {
		h.exact[p] = now
		h.count(p, 1)
	}
	return true
}

// lapse ends the leases that have lasted too long, and reports whether there were any.
func (h *holding) lapse(now time.Time) (any bool) {
	if now.Sub(h.swept) < leaseStale {
		return false
	}
	h.swept = now
	for p, since := range h.exact {
		if now.Sub(since) >= leaseLongest {
			h.end(p)
			any = true
		}
	}
	return any
}

// doubt says that a peer did not bring what it was asked for.
func (ls *leases) doubt(p peer.ID) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.doubtful(p, time.Now())
}

// doubtful notes a peer; mu is held.
func (ls *leases) doubtful(p peer.ID, now time.Time) {
	if len(ls.doubts) >= doubtsMost {
		maps.DeleteFunc(ls.doubts, func(_ peer.ID, until time.Time) bool { return !until.After(now) })
	}
	if ls.doubts == nil {
		ls.doubts = make(map[peer.ID]time.Time)
	}
	if len(ls.doubts) < doubtsMost {
		ls.doubts[p] = now.Add(doubtFor)
	}
}

func (h *holding) end(p reconcile.Prefix) {
	delete(h.exact, p)
	h.count(p, -1)
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
			h.end(w.Prefix)
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
