package reconcile

import (
	"encoding/binary"
	"math/bits"
)

// kind is the kind of an item, the upper three bits of its first byte.
type kind uint8

const (
	kindRoot   kind = iota // this many keys in all, this fingerprint
	kindOnly               // all my keys under p lie under rest
	kindBranch             // as Expand, but some children have no fingerprint: an item for each follows
	kindExpand             // these children of p hold keys of mine, with these fingerprints
	kindList               // all my keys under p
	kindOffer              // keys of mine under p that your List lacks
	kindHave               // you have nothing under p, I have
	kinds
)

// asks reports whether the receiver of such an item has to answer. A round ends with the first message that asks nothing.
func (k kind) asks() bool { return k != kindOffer }

// item is one item of a message. Which fields are used depends on kind.
type item struct {
	kind    kind
	p       Prefix
	rest    Prefix         // Only: longer than p, under p
	count   uint64         // Root
	root    [rootSize]byte // Root
	present uint16         // Branch, Expand: a bit for each child that holds keys; not 0
	follow  uint16         // Branch: those of present without a fingerprint; not 0
	prints  []byte         // Branch, Expand: a fingerprint for each child in present but not in follow, in nibble order
	shorts  []byte         // List, Offer: short IDs; at most MaxList, in an Offer at least one
}

const (
	flagIncomplete = 1 // the sender left something out
	flagEqual      = 2 // the sets are equal: only in an empty reply to a root
	headSize       = 1
)

// appendItem appends an item whose prefix is coded against prev, and returns the prefix for the next one.
func appendItem(b []byte, prev Prefix, it *item) ([]byte, Prefix) {
	if it.kind == kindRoot {
		b = append(b, byte(kindRoot)<<5)
		b = binary.AppendUvarint(b, it.count)
		return append(b, it.root[:]...), prev
	}
	b = appendAfter(b, prev, it.p, byte(it.kind)<<5)
	switch it.kind {
	case kindOnly:
		b = append(b, byte(it.rest.Len()-it.p.Len()))
		return appendNibbles(b, it.rest, it.p.Len()), it.rest
	case kindBranch:
		b = binary.BigEndian.AppendUint16(b, it.present)
		b = binary.BigEndian.AppendUint16(b, it.follow)
		b = append(b, it.prints...)
	case kindExpand:
		b = binary.BigEndian.AppendUint16(b, it.present)
		b = append(b, it.prints...)
	case kindList, kindOffer:
		b = binary.AppendUvarint(b, uint64(len(it.shorts)/shortSize))
		b = append(b, it.shorts...)
	}
	return b, it.p
}

// parseItem reads one item and returns what follows it and the prefix for the next one. The item's slices lie in b. Only
// what appendItem produces is accepted; everything else gives [ErrMessage].
func parseItem(b []byte, prev Prefix) (it item, rest []byte, next Prefix, err error) {
	it.kind = kind(b[0] >> 5)
	if it.kind == kindRoot {
		n, size := uvarint(b[1:])
		if b[0] != 0 || size == 0 || len(b) < 1+size+rootSize {
			return item{}, nil, Prefix{}, ErrMessage
		}
		b = b[1:]
		it.count, it.root = n, [rootSize]byte(b[size:size+rootSize])
		return it, b[size+rootSize:], prev, nil
	}
	if it.p, b, err = parseAfter(b, prev); err != nil || it.kind >= kinds {
		return item{}, nil, Prefix{}, ErrMessage
	}
	next = it.p
	ok := true
	switch it.kind {
	case kindOnly:
		if len(b) == 0 || b[0] == 0 {
			return item{}, nil, Prefix{}, ErrMessage
		}
		it.rest, b, err = parseNibbles(b[1:], it.p, int(b[0]))
		next, ok = it.rest, err == nil
	case kindBranch, kindExpand:
		b, ok = it.parseChildren(b)
	case kindList, kindOffer:
		n, size := uvarint(b)
		if size == 0 || n > MaxList || n == 0 && it.kind == kindOffer || uint64(len(b)-size) < n*shortSize {
			return item{}, nil, Prefix{}, ErrMessage
		}
		it.shorts, b = b[size:size+int(n)*shortSize], b[size+int(n)*shortSize:]
	}
	if !ok {
		return item{}, nil, Prefix{}, ErrMessage
	}
	return it, b, next, nil
}

// parseChildren reads the bitmaps and fingerprints of a Branch or an Expand.
func (it *item) parseChildren(b []byte) ([]byte, bool) {
	if len(b) < 2 || it.p.Len() == Nibbles {
		return nil, false
	}
	it.present, b = binary.BigEndian.Uint16(b), b[2:]
	if it.kind == kindBranch {
		if len(b) < 2 {
			return nil, false
		}
		it.follow, b = binary.BigEndian.Uint16(b), b[2:]
		if it.follow == 0 || it.follow&^it.present != 0 {
			return nil, false
		}
	}
	size := bits.OnesCount16(it.present&^it.follow) * printSize
	if it.present == 0 || len(b) < size {
		return nil, false
	}
	it.prints = b[:size]
	return b[size:], true
}

// items calls fn for each item of a message, after its head.
func items(b []byte, fn func(*item) error) error {
	var prev Prefix
	for n := 0; len(b) > 0; n++ {
		if n == MaxItems {
			return ErrMessage
		}
		it, rest, next, err := parseItem(b, prev)
		if err != nil {
			return err
		}
		if err := fn(&it); err != nil {
			return err
		}
		b, prev = rest, next
	}
	return nil
}

// writer encodes a message within the limits.
type writer struct {
	buf   []byte
	prev  Prefix
	items int
	asks  bool
}

// add appends an item, or leaves the message as it was and returns false if it does not fit.
func (w *writer) add(it *item) bool {
	if w.items == MaxItems {
		return false
	}
	b, prev := appendItem(w.buf, w.prev, it)
	if len(b) > MaxMessage {
		w.buf = b[:len(w.buf)]
		return false
	}
	w.buf, w.prev = b, prev
	w.items++
	w.asks = w.asks || it.kind.asks()
	return true
}
