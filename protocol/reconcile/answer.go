package reconcile

import (
	"encoding/binary"
	"slices"
)

// answer composes the reply to one message. Items are answered in the order they came, newest first within each, and the first
// item that does not fit is the last one tried, so that what is left out is the oldest of the least urgent, and the peer
// knows up to where it has been answered.
type answer struct {
	s     *Session
	nodes Nodes
	out   writer
	left  bool // something was left out: nothing more is sent
	reads int  // nodes loaded and ranges opened, at most about maxReads
	keys  int  // keys visited, at most about maxScan

	refused int // refused keys visited, at most maxRefused
}

// item answers one item.
func (a *answer) item(it *item) error {
	if a.spent() {
		return nil
	}
	switch it.kind {
	case kindRoot:
		return a.root(it)
	case kindOnly:
		return a.only(it)
	case kindBranch, kindExpand:
		return a.children(it)
	case kindList:
		return a.list(it)
	case kindOffer:
		return a.match(it)
	}
	return a.have(it)
}

// spent reports whether the work allowed for one message is done; what remains waits for the next round.
func (a *answer) spent() bool {
	if a.reads < maxReads && a.keys < maxScan {
		return false
	}
	a.left = true
	return true
}

func (a *answer) root(it *item) error {
	a.reads++
	sum, err := sumUnder(a.nodes, Prefix{})
	if err != nil {
		return err
	}
	if sum.count == it.count && a.s.cfg.Salt.root(sum.hash) == it.root {
		a.s.equal = true
		a.out.buf[0] |= flagEqual
		return nil
	}
	pr := makePair(Prefix{}, sum.hash, it.root[:])
	if a.s.settled.has(pr) {
		return nil
	}
	switch {
	case sum.count == 0:
		err = a.want(Prefix{})
	case it.count == 0:
		a.send(&item{kind: kindHave})
	default:
		err = a.open(Prefix{}, openRoom, true)
	}
	a.met(Prefix{}, pr)
	return err
}

// met records a pair on which all there is to say for now has been said.
func (a *answer) met(p Prefix, pr pair) {
	if !a.left {
		a.s.settled.note(p, pr)
	}
}

// only answers "all my keys under p lie under rest": mine beside that path are new to the peer.
func (a *answer) only(it *item) error {
	for n := it.p.Len(); n < it.rest.Len(); n++ {
		p := it.rest.Cut(n)
		mine, total, err := a.load(p)
		if err != nil {
			return err
		}
		if total == 0 || a.spent() {
			break
		}
		for c := range newestFirst(p) {
			if mine.Count[c] == 0 || c == it.rest.At(n) {
				continue
			}
			child := p.Child(c)
			pr := makePair(child, mine.Hash[c], nil)
			if !a.s.settled.has(pr) {
				a.send(&item{kind: kindHave, p: child})
				a.met(child, pr)
			}
		}
	}
	return nil
}

// children compares the children of a prefix one by one.
func (a *answer) children(it *item) error {
	mine, total, err := a.load(it.p)
	if err != nil {
		return err
	}
	if total == 0 {
		return a.absent(it)
	}
	// theirs[c] is the fingerprint of a child that differs and is theirs; differ has a bit for each to act on.
	var theirs [16][]byte
	var differ uint16
	var pairs [16]pair
	compared, unequal := 0, 0
	prints := it.prints
	for c := range uint8(16) {
		if it.follow>>c&1 == 1 {
			continue // an item of its own tells
		}
		has, ours := it.present>>c&1 == 1, mine.Count[c] > 0
		if has {
			theirs[c], prints = prints[:printSize], prints[printSize:]
		}
		if !has && !ours {
			continue
		}
		if has && ours {
			compared++
			if a.s.cfg.Salt.print(mine.Hash[c]) == [printSize]byte(theirs[c]) {
				continue
			}
		}
		pairs[c] = makePair(it.p.Child(c), mine.Hash[c], theirs[c])
		if a.s.settled.has(pairs[c]) {
			continue
		}
		differ |= 1 << c
		if has && ours {
			unequal++
		}
	}
	density := guess(compared, unequal)
	for c := range newestFirst(it.p) {
		if differ>>c&1 == 0 {
			continue
		}
		if a.spent() {
			return nil
		}
		if err := a.child(it.p.Child(c), mine.Count[c], theirs[c] != nil, density); err != nil {
			return err
		}
		a.met(it.p.Child(c), pairs[c])
	}
	return nil
}

// child acts on one child that differs: count keys of mine lie under it.
func (a *answer) child(p Prefix, count uint64, theirs bool, density float64) error {
	switch {
	case count == 0:
		return a.want(p)
	case a.left: // spares the work
		return nil
	case !theirs:
		a.send(&item{kind: kindHave, p: p})
		return nil
	case count <= LeafSize || count <= MaxList && listIsCheaper(float64(count), density):
		return a.sendList(p)
	}
	return a.expand(p)
}

// absent acts on a prefix where the peer has keys and this side has none: it wants all of it, or, if some of it may be refused
// here, each child by itself. (Asking for all again would bring the same children, for ever.)
func (a *answer) absent(it *item) error {
	pr := makePair(it.p, Hash{}, it.prints)
	if a.s.settled.has(pr) {
		return nil
	}
	refused, err := a.refuses(it.p)
	if err != nil {
		return err
	}
	if !refused {
		a.note(Want{Prefix: it.p, Whole: true})
	} else {
		for c := range newestFirst(it.p) {
			if it.present>>c&1 == 1 && it.follow>>c&1 == 0 {
				if err := a.want(it.p.Child(c)); err != nil {
					return err
				}
			}
		}
	}
	a.met(it.p, pr)
	return nil
}

// list compares a list with my keys.
func (a *answer) list(it *item) error {
	total, err := a.total(it.p)
	if err != nil {
		return err
	}
	// Where I have many more keys than the peer, descending finds whole subtries that are new to it, which cost less to name.
	if total > MaxList || total > uint64(8*len(it.shorts)/shortSize+64) {
		return a.expand(it.p)
	}
	if total == 0 && len(it.shorts) > 0 && a.s.cfg.Refused == nil {
		return a.want(it.p)
	}
	return a.match(it)
}

// match compares the short IDs of a List or an Offer with my keys: what is missing here and not refused is wanted, what
// a List lacks is offered.
func (a *answer) match(it *item) error {
	theirs := parseShorts(it.shorts)
	slices.Sort(theirs)
	known := make([]bool, len(theirs))
	var offer []byte
	a.reads++
	for k, err := range a.nodes.Keys(it.p) {
		if err != nil {
			return err
		}
		if a.keys++; a.spent() {
			return nil
		}
		short := a.s.cfg.Salt.Short(k.ID())
		if !mark(theirs, known, short) && len(offer) < MaxList*shortSize {
			offer = binary.BigEndian.AppendUint32(offer, uint32(short))
		}
	}
	if it.kind == kindList && len(offer) > 0 {
		a.send(&item{kind: kindOffer, p: it.p, shorts: offer})
	}
	if slices.Contains(known, false) && a.s.cfg.Refused != nil {
		for k, err := range a.s.cfg.Refused(it.p) {
			if err != nil {
				return err
			}
			// Past the bound some that are refused are wanted after all: better than never to want the others.
			if a.refused++; a.refused > maxRefused {
				break
			}
			mark(theirs, known, a.s.cfg.Salt.Short(k.ID()))
		}
	}
	missing := theirs[:0]
	for i, s := range theirs {
		if !known[i] {
			missing = append(missing, s)
		}
	}
	if len(missing) > 0 {
		a.note(Want{Prefix: it.p, Short: slices.Clone(missing)}) // or one that is missing would hold the memory of the whole list
	}
	return nil
}

// have answers "all I have under p is new to you". If keys came in meanwhile, or the peer lies, the prefix is compared after all.
func (a *answer) have(it *item) error {
	total, err := a.total(it.p)
	switch {
	case err != nil:
		return err
	case total == 0:
		err = a.want(it.p)
	case total <= MaxList:
		err = a.sendList(it.p)
	default:
		err = a.expand(it.p)
	}
	return err
}

// want asks for all the peer has under p, where this side has nothing. If some of it may be refused here the peer is asked for a list
// first, by an empty list of mine.
func (a *answer) want(p Prefix) error {
	refused, err := a.refuses(p)
	switch {
	case err != nil:
		return err
	case refused:
		a.send(&item{kind: kindList, p: p})
	default:
		a.note(Want{Prefix: p, Whole: true})
	}
	return nil
}

// refuses reports whether this side may refuse a key under p, or wants all keys there named.
func (a *answer) refuses(p Prefix) (bool, error) {
	if a.s.cfg.NameFrom > 0 && p.Len() > 0 && p.At(0) >= a.s.cfg.NameFrom {
		return true, nil
	}
	if a.s.cfg.Refused != nil {
		a.reads++
		for _, err := range a.s.cfg.Refused(p) {
			return true, err
		}
	}
	return false, nil
}

// note keeps a want for the caller.
func (a *answer) note(w Want) {
	size := 1 + len(w.Short)
	if a.s.wanted+size > maxWants {
		a.left = true
		return
	}
	a.s.wants, a.s.wanted = append(a.s.wants, w), a.s.wanted+size
}

// send adds an item to the reply, if it and all before it fit.
func (a *answer) send(it *item) bool {
	a.left = a.left || !a.out.add(it)
	return !a.left
}

// sendList sends all my keys under p, at most MaxList.
func (a *answer) sendList(p Prefix) error {
	var shorts []byte
	a.reads++
	for k, err := range a.nodes.Keys(p) {
		if err != nil {
			return err
		}
		if len(shorts) == MaxList*shortSize {
			return ErrTrie
		}
		a.keys++
		shorts = binary.BigEndian.AppendUint32(shorts, uint32(a.s.cfg.Salt.Short(k.ID())))
	}
	a.send(&item{kind: kindList, p: p, shorts: shorts})
	return nil
}

// load returns the children of p, which need not be stored, and their total.
func (a *answer) load(p Prefix) (Node, uint64, error) {
	a.reads++
	node, ok, err := a.nodes.Node(p)
	if err != nil || ok {
		return node, node.Total(), err
	}
	var buf [LeafSize]Key
	keys := buf[:0]
	for k, err := range a.nodes.Keys(p) {
		if err != nil {
			return Node{}, 0, err
		}
		if len(keys) == LeafSize {
			return Node{}, 0, ErrTrie
		}
		keys = append(keys, k)
	}
	a.keys += len(keys)
	for i := 0; i < len(keys); {
		c, j := keys[i].nibble(p.Len()), i+1
		for j < len(keys) && keys[j].nibble(p.Len()) == c {
			j++
		}
		node.Count[c], node.Hash[c] = uint64(j-i), leafHash(keys[i:j])
		i = j
	}
	return node, uint64(len(keys)), nil
}

// total returns the number of my keys under p.
func (a *answer) total(p Prefix) (uint64, error) {
	a.reads++
	node, ok, err := a.nodes.Node(p)
	if err != nil || ok {
		return node.Total(), err
	}
	sum, ok, err := scanLeaf(a.nodes, p)
	if err == nil && !ok {
		err = ErrTrie
	}
	return sum.count, err
}
