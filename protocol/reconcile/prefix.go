package reconcile

import (
	"bytes"
	"encoding/hex"
	"errors"
)

// Nibbles is the number of nibbles in a [Key].
const Nibbles = 2*KeySize - 1

// ErrPrefix is returned for bytes that are not the canonical form of a prefix.
var ErrPrefix = errors.New("not a prefix")

// Prefix is the first nibbles of a key: the name of a place in the trie. The zero value is the root. Prefixes are
// comparable with == and may be map keys.
type Prefix struct {
	n   uint8 // number of nibbles, at most Nibbles
	key Key   // all nibbles from n on are zero
}

// Len returns the number of nibbles.
func (p Prefix) Len() int { return int(p.n) }

// At returns nibble i, which must be less than Len.
func (p Prefix) At(i int) uint8 { return p.key.nibble(i) }

// Child returns p with one more nibble, of which the low four bits count. A full prefix is returned as it is.
func (p Prefix) Child(nibble uint8) Prefix {
	if p.n == Nibbles {
		return p
	}
	p.key.setNibble(int(p.n), nibble&15)
	p.n++
	return p
}

// Cut returns the first n nibbles of p, or p itself if it has no more than n.
func (p Prefix) Cut(n int) Prefix {
	if n >= int(p.n) {
		return p
	}
	return p.key.Prefix(n)
}

// Contains reports whether k lies under p.
func (p Prefix) Contains(k Key) bool {
	whole := (int(p.n) + 1) / 2
	if !bytes.Equal(p.key[:whole], k[:whole]) {
		return false
	}
	return p.n%2 == 1 || p.n == 0 || p.key[whole] == k[whole]&0xf0
}

// Covers reports whether q is p or lies under it.
func (p Prefix) Covers(q Prefix) bool { return q.n >= p.n && q.Cut(int(p.n)) == p }

// First returns the smallest possible key under p.
func (p Prefix) First() Key { return p.key }

// Last returns the largest possible key under p.
func (p Prefix) Last() Key {
	k := p.key
	for i := int(p.n); i < Nibbles; i++ {
		k.setNibble(i, 15)
	}
	return k
}

// Compare orders prefixes by their first key and then by length: a prefix sorts before those under it.
func (p Prefix) Compare(q Prefix) int {
	if c := bytes.Compare(p.key[:], q.key[:]); c != 0 {
		return c
	}
	return int(p.n) - int(q.n)
}

// String returns the nibbles in hexadecimal, "root" for none.
func (p Prefix) String() string {
	if p.n == 0 {
		return "root"
	}
	return hex.EncodeToString(p.key[:])[1 : 1+p.n]
}

// AppendPrefix appends the canonical form of p: its length in nibbles (1 byte), then the nibbles packed two a byte, high half
// first, a missing last half zero.
func AppendPrefix(b []byte, p Prefix) []byte {
	return appendNibbles(append(b, p.n), p, 0)
}

// ParsePrefix reads a prefix and returns what follows it. Only the canonical form is accepted.
func ParsePrefix(b []byte) (Prefix, []byte, error) {
	if len(b) == 0 || b[0] > Nibbles {
		return Prefix{}, nil, ErrPrefix
	}
	return parseNibbles(b[1:], Prefix{}, int(b[0]))
}

// appendNibbles packs the nibbles of p from place from on.
func appendNibbles(b []byte, p Prefix, from int) []byte {
	for i := from; i < int(p.n); i += 2 {
		v := p.At(i) << 4
		if i+1 < int(p.n) {
			v |= p.At(i + 1)
		}
		b = append(b, v)
	}
	return b
}

// parseNibbles reads add packed nibbles, appends them to p and returns what follows.
func parseNibbles(b []byte, p Prefix, add int) (Prefix, []byte, error) {
	size := (add + 1) / 2
	if int(p.n)+add > Nibbles || len(b) < size {
		return Prefix{}, nil, ErrPrefix
	}
	for i := range add {
		v := b[i/2]
		if i%2 == 0 {
			v >>= 4
		}
		p.key.setNibble(int(p.n), v&15)
		p.n++
	}
	if add%2 == 1 && b[size-1]&15 != 0 {
		return Prefix{}, nil, ErrPrefix
	}
	return p, b[size:], nil
}

// shared returns how many leading nibbles p and q have in common.
func (p Prefix) shared(q Prefix) int {
	n := int(min(p.n, q.n))
	for i := range n {
		if p.At(i) != q.At(i) {
			return i
		}
	}
	return n
}

// A prefix that follows another is coded against it: the lower five bits of one byte, whose upper three are the caller's, and then packed nibbles.
// Most prefixes are as long as the one before and differ in the last few nibbles; their number is in those bits. Any other
// has in them longForm, then a byte for the nibbles in common and one for those to add.
const longForm = 31

// appendAfter appends p, coded against prev, with the caller's bits.
func appendAfter(b []byte, prev, p Prefix, bits byte) []byte {
	same := prev.shared(p)
	add := int(p.n) - same
	if p.n == prev.n && add < longForm {
		b = append(b, bits|byte(add))
	} else {
		b = append(b, bits|longForm, byte(same), byte(add))
	}
	return appendNibbles(b, p, same)
}

// parseAfter reads a prefix coded against prev and returns what follows. Only what appendAfter produces is accepted.
func parseAfter(b []byte, prev Prefix) (Prefix, []byte, error) {
	if len(b) == 0 {
		return Prefix{}, nil, ErrPrefix
	}
	add := int(b[0] & 31)
	same := int(prev.n) - add
	b = b[1:]
	long := add == longForm
	if long {
		if len(b) < 2 {
			return Prefix{}, nil, ErrPrefix
		}
		same, add, b = int(b[0]), int(b[1]), b[2:]
	}
	if same < 0 || same > int(prev.n) {
		return Prefix{}, nil, ErrPrefix
	}
	p, b, err := parseNibbles(b, prev.Cut(same), add)
	if err != nil {
		return Prefix{}, nil, err
	}
	if prev.shared(p) != same || long && p.n == prev.n && add < longForm {
		return Prefix{}, nil, ErrPrefix
	}
	return p, b, nil
}
