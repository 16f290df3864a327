package discovery

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	maxPeers  = 512
	maxPlaces = 8 // per peer

	// staleAfter: a peer not heard for this long is not dialled. Six mean beacon intervals, so that losing a few in a row
	// does not end the tries; stretched intervals stretch it (see stale).
	staleAfter = 30 * time.Second
	// waitToBeDialled is four round trips of a slow link.
	waitToBeDialled = 400 * time.Millisecond
	// backAfter: a peer silent for this long and heard again has come back, and earlier failures say nothing.
	backAfter = 15 * time.Second
	// searchFor is how long a node that lost its last link looks around more often: who is out of reach for a moment is
	// mostly back within minutes, and nothing on the interface shows it.
	searchFor = 3 * time.Minute
)

// trust ranks what is known of a place. A lower one never displaces a higher one.
type trust int

const (
	heard    trust = iota // a datagram came from there, or somebody said so
	answered              // it answered our datagram
	worked                // a link was up
)

type known struct {
	place place
	rung  Rung
	trust trust
	heard time.Time
}

type entry struct {
	rung     Rung // the first to see the peer
	places   []known
	heard    time.Time
	hinted   bool
	count    uint32
	digest   [8]byte
	credited bool // a first link was counted

	failures int
	due      time.Time // next dial; zero: none planned
	dialling bool
}

// trust is that of the best place.
func (e *entry) trust() trust {
	best := heard
	for _, k := range e.places {
		best = max(best, k.trust)
	}
	return best
}

// host is the address of the first place.
func (e *entry) host() netip.Addr { return e.places[0].place.IP }

// has reports whether a rung vouches for one of the places.
func (e *entry) has(r Rung) bool {
	for _, k := range e.places {
		if k.rung == r {
			return true
		}
	}
	return false
}

// book is what is known of peers: where they were heard, by which rung, when, and when to dial them. Peers get in
// through admission only, so that forged announcements cannot wash out the real ones.
type book struct {
	self peer.ID

	mu    sync.Mutex // guards the fields below
	peers map[peer.ID]*entry
	open  map[peer.ID]bool // peers with a link, in the book or not; bounded by the host's own limits
	extra time.Time        // when one more peer may be dialled although there are links enough
	lost  time.Time        // when the last link of all was lost; zero while there is one

	counted struct { // the size of the crowd, when it was last looked at
		at time.Time
		n  int
	}
}

func newBook(self peer.ID) *book {
	return &book{self: self, peers: make(map[peer.ID]*entry), open: make(map[peer.ID]bool)}
}

// touch notes a sighting of a peer at a place where it is known already. It reports whether the peer is in the book,
// whether the place is, and whether a dial became due.
func (b *book) touch(s sighting, now time.Time) (met, here, planned bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.peers[s.peer]
	if e == nil {
		return false, false, false
	}
	for i := range e.places {
		if k := &e.places[i]; k.place == s.place {
			k.heard = now
			if s.answered {
				k.trust = max(k.trust, answered)
			}
			return true, true, b.sighted(e, s, now)
		}
	}
	return true, false, false
}

// add enters a sighting that passed admission, displacing the least trusted and longest unheard.
func (b *book) add(s sighting, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.peers[s.peer]
	if e == nil {
		if len(b.peers) >= maxPeers && !b.evict() {
			return
		}
		e = &entry{rung: s.rung}
		b.peers[s.peer] = e
	}
	k := known{place: s.place, rung: s.rung, heard: now}
	if s.answered {
		k.trust = answered
	}
	if len(e.places) < maxPlaces {
		e.places = append(e.places, k)
	} else if worst := worstPlace(e.places); e.places[worst].trust <= k.trust {
		e.places[worst] = k
	}
	b.sighted(e, s, now)
}

// sighted runs with mu held.
func (b *book) sighted(e *entry, s sighting, now time.Time) (planned bool) {
	if now.Sub(e.heard) > backAfter {
		e.failures, e.due = 0, time.Time{}
	}
	e.heard = now
	if s.hinted {
		e.hinted, e.count, e.digest = true, s.count, s.digest
	}
	return b.plan(s.peer, e, now)
}

// plan sets the time of the next dial of a peer that has none. Of two that hear each other at the same moment the one with the
// lower ID dials and the other waits to be dialled, for some handshakes' time: else half of all pairs end with two links. Not for
// longer, because only one may have heard, and phones that sleep are awake together for a second. Runs with mu held.
func (b *book) plan(p peer.ID, e *entry, now time.Time) bool {
	if b.open[p] || e.dialling || !e.due.IsZero() {
		return false
	}
	e.due = now
	if b.self > p {
		e.due = now.Add(waitToBeDialled + rand.N(waitToBeDialled))
	}
	return true
}

// evict removes the peer that is the least loss: without a link, least trusted, longest unheard. Runs with mu held.
func (b *book) evict() bool {
	var worst peer.ID
	for p, e := range b.peers {
		if b.open[p] || e.dialling {
			continue
		}
		w := b.peers[worst]
		if w == nil || e.trust() < w.trust() || e.trust() == w.trust() && e.heard.Before(w.heard) {
			worst = p
		}
	}
	if worst == "" {
		return false
	}
	delete(b.peers, worst)
	return true
}

func worstPlace(places []known) int {
	worst := 0
	for i, k := range places {
		w := places[worst]
		if k.trust < w.trust || k.trust == w.trust && k.heard.Before(w.heard) {
			worst = i
		}
	}
	return worst
}

// bye notes that a peer says it stops. Anyone can forge that, so it ends retries and does not call off a first try.
func (b *book) bye(p peer.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.peers[p]; e != nil && (e.failures > 0 || e.due.IsZero()) {
		e.heard, e.due = time.Time{}, time.Time{}
	}
}

// credit reports whether a peer that dialled us first and is heard only now should be counted as found.
func (b *book) credit(p peer.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.peers[p]
	if e == nil || e.credited || !b.open[p] {
		return false
	}
	e.credited = true
	return true
}

// connected notes a link and returns the rung to credit it to, and whether it is the peer's first.
func (b *book) connected(p peer.ID, remote ma.Multiaddr, now time.Time) (Rung, bool) {
	ip := remoteIP(remote)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[p] = true
	b.lost = time.Time{}
	e := b.peers[p]
	if e == nil {
		return "", false
	}
	e.due, e.failures = time.Time{}, 0
	rung := e.rung
	for i := range e.places {
		if k := &e.places[i]; k.place.IP == ip {
			k.trust = worked
			k.heard = now
			rung = k.rung
		}
	}
	first := !e.credited
	e.credited = true
	return rung, first
}

// disconnected plans a dial at once if the peer was heard lately. Both ends come here in the same moment; plan
// spreads them.
func (b *book) disconnected(p peer.ID, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.open, p)
	if len(b.open) == 0 {
		b.lost = now
	}
	if e := b.peers[p]; e != nil {
		e.failures, e.due = 0, time.Time{}
		b.plan(p, e, now.Add(rand.N(500*time.Millisecond)))
	}
}

// searching reports whether the last link was lost lately.
func (b *book) searching(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.lost.IsZero() && now.Sub(b.lost) < searchFor
}

// forgive makes every peer without a link due now: the network changed, or a person is waiting.
func (b *book) forgive(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for p, e := range b.peers {
		e.failures, e.due = 0, time.Time{}
		b.plan(p, e, now)
	}
}

func (b *book) foundBy(p peer.ID) Rung {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.peers[p]; e != nil {
		return e.rung
	}
	return ""
}

func (b *book) hint(p peer.ID) (uint32, [8]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.peers[p]; e != nil {
		return e.count, e.digest, e.hinted
	}
	return 0, [8]byte{}, false
}

// crowd is how many peers have been heard recently. Of many it is as old as a second: they are counted at every look for
// somebody to dial.
func (b *book) crowd(now time.Time) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if age := now.Sub(b.counted.at); len(b.peers) > fewPeers && age >= 0 && age < time.Second {
		return b.counted.n
	}
	n := 0
	for _, e := range b.peers {
		if now.Sub(e.heard) < recentlyHeard {
			n++
		}
	}
	b.counted.at, b.counted.n = now, n
	return n
}

// linkedPeers lists the peers with a link.
func (b *book) linkedPeers() []peer.ID {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Keys(b.open))
}

// links counts the peers with a link.
func (b *book) links() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open)
}
