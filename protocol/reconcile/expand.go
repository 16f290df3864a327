package reconcile

import "math/bits"

// expand sends the children of p, or of the first prefix below it where my keys part.
func (a *answer) expand(p Prefix) error { return a.open(p, 0, false) }

// openRoom is the number of fingerprints with which a comparison of unequal roots begins. Deeper levels replace those above as
// long as they fit: fewer round trips for a few hundred bytes, spent only when the roots differ.
const openRoom = 128

// edgeKeys is the number of keys down to which the newest child is opened one level more: most differences are recent.
const edgeKeys = 512

// open sends the children of p as expand does, with the children's children in place of their fingerprints where there is room, and
// along the newest edge if newest is set.
func (a *answer) open(p Prefix, room int, newest bool) error {
	q, node, ok, err := a.chain(p)
	if err != nil {
		return err
	}
	if !ok {
		return a.sendList(p)
	}
	back, it := a.out, item{kind: kindExpand, p: q, present: node.present()}
	kids := bits.OnesCount16(it.present)
	if 16*kids <= room {
		it.follow = it.present
	} else if newest {
		it.follow = newestTwo(&node)
	}
	if it.follow != 0 {
		it.kind = kindBranch
	}
	edge := uint8(bits.Len16(it.follow) - 1)
	var prints [16 * printSize]byte
	it.prints = prints[:0]
	for c := range 16 {
		if it.present&^it.follow>>c&1 == 1 {
			print := a.s.cfg.Salt.print(node.Hash[c])
			it.prints = append(it.prints, print[:]...)
		}
	}
	if q != p && !a.send(&item{kind: kindOnly, p: p, rest: q}) {
		return nil
	}
	if !a.send(&it) {
		back.buf = a.out.buf[:len(back.buf)]
		a.out = back // without the Only, which promised it
		return nil
	}
	for c := range newestFirst(q) {
		if it.follow>>c&1 == 0 {
			continue
		}
		if err := a.open(q.Child(c), room/kids, newest && (c == edge || q.Len() == 0)); err != nil {
			return err
		}
	}
	return nil
}

// chain returns the first prefix at or under p, with its node, below which my keys part, or false if they fit in a leaf.
func (a *answer) chain(p Prefix) (Prefix, Node, bool, error) {
	for {
		a.reads++
		node, ok, err := a.nodes.Node(p)
		if err != nil || !ok {
			return p, Node{}, false, err
		}
		present := node.present()
		if present&(present-1) != 0 || present == 0 || p.Len() == Nibbles-1 {
			return p, node, true, nil
		}
		p = p.Child(uint8(bits.TrailingZeros16(present)))
	}
}

// newestTwo returns a bit for each of the two newest children of a node that holds enough keys to open. Two, because what is recent often
// began in the one before the newest.
func newestTwo(n *Node) uint16 {
	var m uint16
	for c, seen := 15, 0; c >= 0 && seen < 2; c-- {
		if n.Count[c] > 0 {
			seen++
		}
		if n.Count[c] > edgeKeys {
			m |= 1 << c
		}
	}
	return m
}
