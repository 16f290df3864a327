package reconcile_test

import (
	"errors"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"longear/protocol/reconcile"
)

// counted passes on to a set and counts what is read from it.
type counted struct {
	reconcile.Nodes
	nodes, ranges, keys int
}

func (c *counted) Node(p reconcile.Prefix) (reconcile.Node, bool, error) {
	c.nodes++
	return c.Nodes.Node(p)
}

func (c *counted) Keys(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	c.ranges++
	return func(yield func(reconcile.Key, error) bool) {
		for k, err := range c.Nodes.Keys(p) {
			c.keys++
			if !yield(k, err) {
				return
			}
		}
	}
}

// side is one end of a link.
type side struct {
	set     *reconcile.Mem
	scope   reconcile.Scope
	session *reconcile.Session
	salt    reconcile.Salt
	refused *reconcile.Mem
	wants   []reconcile.Want
	reads   counted
}

func (s *side) view() reconcile.Nodes {
	s.reads.Nodes = s.set
	return s.scope.View(&s.reads)
}

// pair links two sets. What is in a refused set is never taken by that side.
func newPair(a, b, refusedA, refusedB []reconcile.Key) (*side, *side) {
	salt := reconcile.Salt{1, 2, 3}
	one := func(keys, refused []reconcile.Key, initiator bool) *side {
		s := &side{set: reconcile.NewMem(keys), salt: salt, refused: reconcile.NewMem(refused)}
		c := reconcile.Config{Salt: salt, Initiator: initiator}
		if len(refused) > 0 {
			c.Refused = s.refused.Keys
		}
		s.session = reconcile.NewSession(c)
		return s
	}
	return one(a, refusedA, true), one(b, refusedB, false)
}

func (s *side) setSalt(salt reconcile.Salt) {
	s.salt = salt
	s.session.SetSalt(salt)
}

// round is what one round cost.
type round struct {
	bytes    int // of all messages, both ways
	wants    int // bytes of the wants, both ways
	steps    int // messages that carried anything, both ways: two are a round trip
	messages int
	largest  int
	moved    int // keys that changed hands
	doubles  int // keys sent to a side that had them
	left     bool
}

// trips returns round trips until both sides knew all they lack.
func (r round) trips() float64 { return float64(r.steps) / 2 }

// talk runs one round without pulling anything.
func talk(tb testing.TB, a, b *side) round {
	tb.Helper()
	var r round
	msg, err := a.session.Start(a.view())
	if err != nil {
		tb.Fatal(err)
	}
	from, to := a, b
	over := false // the side that sent msg holds the round to be over
	for msg != nil {
		r.messages++
		if len(msg) > 1 || r.messages == 2 {
			r.steps = r.messages
		}
		r.bytes += len(msg)
		r.largest = max(r.largest, len(msg))
		reply, done, err := to.session.Receive(to.view(), msg)
		if err != nil {
			tb.Fatalf("message %d: %v", r.messages, err)
		}
		if over && (!done || reply != nil) || !done && reply == nil {
			tb.Fatalf("message %d: done %v after a message that was the last: %v", r.messages, done, over)
		}
		over = done
		wants := to.session.Wants()
		checkOrder(tb, wants)
		to.wants = append(to.wants, wants...)
		msg = reply
		from, to = to, from
	}
	for _, s := range []*side{a, b} {
		r.wants += len(reconcile.AppendWants(nil, s.wants))
		r.left = r.left || s.session.Incomplete()
	}
	if r.messages > reconcile.MaxSteps {
		tb.Fatalf("%d messages in a round", r.messages)
	}
	if r.largest > reconcile.MaxMessage {
		tb.Fatalf("message of %d bytes", r.largest)
	}
	return r
}

// checkOrder checks that wants come alerts first, then newest first.
func checkOrder(tb testing.TB, wants []reconcile.Want) {
	tb.Helper()
	for i := 1; i < len(wants); i++ {
		p, q := wants[i-1].Prefix, wants[i].Prefix
		if p.Len() > 0 && (q.Len() == 0 || p.At(0) > q.At(0) || p.At(0) == q.At(0) && p.Compare(q) < 0) {
			tb.Fatalf("want %v before %v", p, q)
		}
	}
}

// pull moves what side to wants from side from.
func pull(tb testing.TB, to, from *side, r *round) []reconcile.Key {
	tb.Helper()
	var add []reconcile.Key
	for _, w := range to.wants {
		keys := from.view().Keys(w.Prefix)
		if !w.Whole {
			keys = reconcile.Match(from.view(), from.salt, w.Prefix, w.Short)
		}
		for k, err := range keys {
			if errors.Is(err, reconcile.ErrBroad) {
				tb.Fatalf("want under %v is too broad", w.Prefix)
			}
			if err != nil {
				tb.Fatal(err)
			}
			if has(to.refused, k) {
				continue
			}
			if has(to.set, k) {
				r.doubles++
				continue
			}
			add = append(add, k)
		}
	}
	to.wants = nil
	slices.SortFunc(add, reconcile.Key.Compare)
	n := len(add)
	add = slices.Compact(add)
	r.doubles += n - len(add)
	r.moved += len(add)
	return add
}

func has(m *reconcile.Mem, k reconcile.Key) bool {
	for range m.Keys(k.Prefix(reconcile.Nibbles)) {
		return true
	}
	return false
}

// sync runs one round and the pulls.
func sync(tb testing.TB, a, b *side) round {
	tb.Helper()
	r := talk(tb, a, b)
	toA, toB := pull(tb, a, b, &r), pull(tb, b, a, &r)
	if err := a.set.Apply(toA, nil); err != nil {
		tb.Fatal(err)
	}
	if err := b.set.Apply(toB, nil); err != nil {
		tb.Fatal(err)
	}
	a.session.End(r.moved == 0)
	b.session.End(r.moved == 0)
	return r
}

const day = 24 * 3600 * 1000

// start is a creation time like today's, so that tests see the prefixes that real keys share.
const start = 1_790_000_000_000

func randomID(rng *rand.Rand) (id reconcile.ID) {
	for i := range id {
		id[i] = byte(rng.Uint32())
	}
	return id
}

// randomKeys returns n text keys with random IDs and creation times in [from, from+span).
func randomKeys(rng *rand.Rand, n int, from, span uint64) []reconcile.Key {
	keys := make([]reconcile.Key, n)
	for i := range keys {
		keys[i] = reconcile.NewKey(1, from+rng.Uint64N(span), randomID(rng))
	}
	return keys
}

// twoSets returns two sets of n keys over one day that differ in d keys, half on each side, spread over the day or in its last hundredth.
func twoSets(rng *rand.Rand, n, d int, recent bool) (a, b []reconcile.Key) {
	common := randomKeys(rng, n-d/2, start, day)
	from, span := uint64(start), uint64(day)
	if recent {
		from, span = start+day-day/100, day/100
	}
	a = append(slices.Clone(common), randomKeys(rng, d/2, from, span)...)
	return a, append(common, randomKeys(rng, d/2, from, span)...)
}

func rootOf(tb testing.TB, n reconcile.Nodes) reconcile.Hash {
	tb.Helper()
	node, ok, err := n.Node(reconcile.Prefix{})
	if err != nil {
		tb.Fatal(err)
	}
	if !ok {
		var h reconcile.Hash // no root node: the sets compared must be checked key by key
		return h
	}
	return node.Sum()
}
