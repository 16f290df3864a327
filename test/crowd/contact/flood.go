package contact

import (
	"fmt"
	"math/bits"
	"slices"
	"time"
)

// maxMessages bounds the numbers of messages of a Flood: memory is 8 bytes for each message and node.
const maxMessages = 1 << 22

// never is the arrival of what has not arrived.
const never time.Duration = -1

// Flood is the oracle: what any network could have delivered at best. Messages cross links at once and any number of
// them, from everybody who has them, as soon as there is a path of links that are up; no network can do better over the
// same links. It is told everything in the order of time, in one pass: a node that is down has no links, as the caller
// says, and keeps what it had. What is out of order or names no node is left out and kept as Err.
type Flood struct {
	nodes    []flooded
	arrivals [][]time.Duration // by message and node; nil for a message not published
	dead     set               // messages forgotten
	queue    []int32           // nodes with fresh messages to pass on
	now      time.Duration
	err      error
}

// flooded is a node as the oracle sees it.
type flooded struct {
	has    set
	fresh  span // of what it has got and not yet passed on
	news   set  // the messages themselves, within fresh
	links  []int32
	silent bool
}

// set is messages, a bit each. Sets grow; what is beyond the end is not in it.
type set []uint64

// span is words of a set, so that one message among ten thousand costs one word and not all.
type span struct{ low, high int }

func (s span) empty() bool { return s.low >= s.high }

func (s span) with(word int) span {
	if s.empty() {
		return span{word, word + 1}
	}
	return span{min(s.low, word), max(s.high, word+1)}
}

// NewFlood is an oracle over so many nodes, none of them linked.
func NewFlood(nodes int) *Flood { return &Flood{nodes: make([]flooded, max(nodes, 0))} }

// Err is the first thing it was told that could not be.
func (f *Flood) Err() error { return f.err }

// Link tells of a link that comes or goes. One that comes twice is there once.
func (f *Flood) Link(c Change) {
	if !f.moment(c.At, c.A, c.B) {
		return
	}
	a, b := &f.nodes[c.A], &f.nodes[c.B]
	at := slices.Index(a.links, int32(c.B))
	switch {
	case c.A == c.B || c.Up == (at >= 0):
	case c.Up:
		a.links, b.links = append(a.links, int32(c.B)), append(b.links, int32(c.A))
		f.pass(c.A, c.B, span{0, len(a.has)}, a.has)
		f.pass(c.B, c.A, span{0, len(b.has)}, b.has)
		f.spread()
	default:
		a.links = slices.Delete(a.links, at, at+1)
		back := slices.Index(b.links, int32(c.A))
		b.links = slices.Delete(b.links, back, back+1)
	}
}

// Publish tells that a node has a message of its own. Messages are numbers, best given in turn.
func (f *Flood) Publish(message, node int, at time.Duration) {
	if !f.moment(at, node, node) || !f.known(message) {
		return
	}
	if message >= len(f.arrivals) {
		f.arrivals = append(f.arrivals, make([][]time.Duration, message+1-len(f.arrivals))...)
	}
	if f.arrivals[message] == nil {
		f.arrivals[message] = slices.Repeat([]time.Duration{never}, len(f.nodes))
	}
	f.give(node, message/64, 1<<(message%64))
	f.spread()
}

// Silent tells that a node passes nothing on from now, its own messages included, though it takes: or that it does again.
func (f *Flood) Silent(node int, at time.Duration, silent bool) {
	if !f.moment(at, node, node) {
		return
	}
	n := &f.nodes[node]
	n.silent = silent
	for _, to := range n.links {
		f.pass(node, int(to), span{0, len(n.has)}, n.has)
	}
	f.spread()
}

// Forget tells that a message is past its life: it spreads no further. Who has got it has got it.
func (f *Flood) Forget(message int, at time.Duration) {
	if f.moment(at, 0, 0) && f.known(message) {
		f.dead.add(message/64, 1<<(message%64))
	}
}

// Arrival is when a message could have been at a node at the earliest; ok is false if not at all so far.
func (f *Flood) Arrival(message, node int) (at time.Duration, ok bool) {
	if message < 0 || message >= len(f.arrivals) || f.arrivals[message] == nil || node < 0 || node >= len(f.nodes) {
		return 0, false
	}
	at = f.arrivals[message][node]
	return at, at != never
}

// moment goes on to a time; it reports whether that may be, and whether there are such nodes.
func (f *Flood) moment(at time.Duration, a, b int) bool {
	switch n := len(f.nodes); {
	case at < f.now:
		f.refuse(fmt.Errorf("the oracle was told of %v after %v", at, f.now))
	case a < 0 || b < 0 || a >= n || b >= n:
		f.refuse(fmt.Errorf("the oracle was told of nodes %d and %d of %d", a, b, n))
	default:
		f.now = at
		return true
	}
	return false
}

func (f *Flood) known(message int) bool {
	if message >= 0 && message < maxMessages {
		return true
	}
	f.refuse(fmt.Errorf("the oracle was told of message %d of at most %d", message, maxMessages))
	return false
}

func (f *Flood) refuse(err error) {
	if f.err == nil {
		f.err = err
	}
}

// pass gives one node what another has of some messages, unless that one is silent.
func (f *Flood) pass(from, to int, words span, messages set) {
	if f.nodes[from].silent {
		return
	}
	has := f.nodes[to].has
	for w := words.low; w < words.high; w++ {
		news := messages[w] &^ f.dead.word(w)
		if w < len(has) {
			news &^= has[w]
		}
		if news != 0 {
			f.give(to, w, news)
			has = f.nodes[to].has
		}
	}
}

// give notes the arrival of up to 64 messages; the node is to pass them on.
func (f *Flood) give(node, word int, messages uint64) {
	n := &f.nodes[node]
	news := messages &^ n.has.word(word)
	if news == 0 {
		return
	}
	n.has.add(word, news)
	n.news.add(word, news)
	if n.fresh.empty() {
		f.queue = append(f.queue, int32(node))
	}
	n.fresh = n.fresh.with(word)
	for ; news != 0; news &= news - 1 {
		f.arrivals[word*64+bits.TrailingZeros64(news)][node] = f.now
	}
}

// spread passes fresh messages on until nobody has any. It ends, as each message is fresh to each node once.
func (f *Flood) spread() {
	for i := 0; i < len(f.queue); i++ {
		node := int(f.queue[i])
		n := &f.nodes[node]
		words := n.fresh
		for _, to := range n.links {
			f.pass(node, int(to), words, n.news)
		}
		clear(n.news[words.low:words.high])
		n.fresh = span{}
	}
	f.queue = f.queue[:0]
}

func (s set) word(w int) uint64 {
	if w < len(s) {
		return s[w]
	}
	return 0
}

func (s *set) add(word int, messages uint64) {
	if word >= len(*s) {
		*s = append(*s, make(set, word+1-len(*s))...)
	}
	(*s)[word] |= messages
}
