package reconcile

import (
	"crypto/sha256"
	"slices"
)

// pair stands for a place where both sides differ: prefix, my hash, their fingerprint. It is a truncated hash of the three,
// known to this node alone.
type pair [16]byte

func makePair(p Prefix, mine Hash, theirs []byte) pair {
	var buf [1 + KeySize + 32 + 16*printSize]byte
	b := append(buf[:0], p.n)
	b = append(b, p.key[:]...)
	b = append(b, mine[:]...)
	b = append(b, theirs...)
	sum := sha256.Sum256(b)
	return pair(sum[:])
}

// settled remembers pairs that turned out to have nothing to give each other, so that they count as equal from then on: two
// stores that differ for good (one refuses what the other keeps) would otherwise go through their differences in every round.
//
// What is met in a round waits until the round is known to have moved nothing. If the whole round left nothing out, all of it is
// kept. Otherwise only what is sure is kept: places about which both sides have said all they had to. So even sets whose
// refused keys fill every message settle in some rounds, from the leaves up, and memory stays bounded: a parent stands for its children.
type settled struct {
	young, old map[pair]struct{} // two generations of at most maxSettled/2, in place of an exact LRU
	sure, rest []pair            // at most maxSettled/2 each
	met        []meeting         // what the last message sent was about, in its order; at most maxSettled/2
	order      []int             // indexes of met, by prefix
	last       int               // index in met of what the peer's last item was about
	held       []pair            // what the peer listed, sure once my answer to the lists is complete
	pending    []pair            // of the round closed last, while it is not known whether it moved anything; at most maxSettled
}

// meeting is a pair on which the last message sent had an item, or a want. The prefixes of one message do not overlap.
type meeting struct {
	p    Prefix
	pair pair
	step uint8 // how the peer's next message goes on about it
}

// How a message goes on about a place.
const (
	stepNone uint8 = iota // not at all, or with an offer, which ends it
	stepList              // with a list, to which I have one more answer
	stepMore              // with anything else
)

func (s *settled) has(p pair) bool {
	if _, ok := s.young[p]; ok {
		return true
	}
	_, ok := s.old[p]
	if ok {
		s.keep(p)
	}
	return ok
}

func (s *settled) keep(p pair) {
	if len(s.young) >= maxSettled/2 || s.young == nil {
		s.young, s.old = make(map[pair]struct{}), s.young
	}
	s.young[p] = struct{}{}
}

// note records a pair dealt with in full in the message being composed.
func (s *settled) note(p Prefix, pr pair) {
	if len(s.met) < maxSettled/2 {
		s.met = append(s.met, meeting{p: p, pair: pr})
	}
}

// hear is told of each item in the peer's next message, in order.
func (s *settled) hear(it *item) {
	i, found := slices.BinarySearchFunc(s.order, it.p, func(i int, p Prefix) int { return s.met[i].p.Compare(p) })
	if !found {
		i--
	}
	if i < 0 || !s.met[s.order[i]].p.Covers(it.p) {
		return
	}
	s.last = s.order[i]
	m := &s.met[s.last]
	switch it.kind {
	case kindOffer:
	case kindList:
		m.step = max(m.step, stepList)
	default:
		m.step = stepMore
	}
}

// heard is told when that message has ended, and whether it left something out: then only what comes before the last thing it was
// about has been answered.
func (s *settled) heard(incomplete bool) {
	answered := len(s.met)
	if incomplete {
		answered = s.last
	}
	for i, m := range s.met {
		switch {
		case i < answered && m.step == stepNone:
			s.sure = appendPair(s.sure, m.pair)
		case i < answered && m.step == stepList:
			s.held = append(s.held, m.pair)
		default:
			s.rest = appendPair(s.rest, m.pair)
		}
	}
	s.met, s.order, s.last = s.met[:0], s.order[:0], 0
}

// sent is told when a reply has been composed, and whether it left something out.
func (s *settled) sent(incomplete bool) {
	for _, p := range s.held {
		if incomplete {
			s.rest = appendPair(s.rest, p)
		} else {
			s.sure = appendPair(s.sure, p)
		}
	}
	s.held = s.held[:0]
	for i := range s.met {
		s.order = append(s.order, i)
	}
	slices.SortFunc(s.order, func(i, j int) int { return s.met[i].p.Compare(s.met[j].p) })
}

// close ends a round. What is known to have moved nothing, if nothing did, waits until decide.
func (s *settled) close(incomplete bool) {
	s.heard(incomplete)
	s.sent(incomplete)
	s.pending = append(s.pending[:0], s.sure...)
	if !incomplete {
		s.pending = append(s.pending, s.rest...)
	}
	s.sure, s.rest = s.sure[:0], s.rest[:0]
}

// decide is told whether the round that was closed last has moved nothing.
func (s *settled) decide(quiet bool) {
	if quiet {
		for _, p := range s.pending {
			s.keep(p)
		}
	}
	s.pending = s.pending[:0]
}

// drop forgets a round that was not closed.
func (s *settled) drop() {
	s.heard(true)
	s.sent(true)
	s.sure, s.rest = s.sure[:0], s.rest[:0]
}

func appendPair(to []pair, p pair) []pair {
	if len(to) < maxSettled/2 {
		to = append(to, p)
	}
	return to
}
