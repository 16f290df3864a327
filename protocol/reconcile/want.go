package reconcile

import (
	"encoding/binary"
	"errors"
	"iter"
	"slices"
)

// Want is what this side should pull from the peer.
type Want struct {
	// Prefix is where the wanted keys lie.
	Prefix Prefix
	// Whole asks for everything the peer has under Prefix; Short is then empty.
	Whole bool
	// Short names the wanted keys under Prefix, at most MaxList.
	Short []ShortID
}

// ErrWant is returned by [ParseWants] for bytes that are not the canonical form of wants.
var ErrWant = errors.New("not a list of wants")

// ErrBroad is returned by [Match] when more than [MaxMatch] keys lie under the prefix.
var ErrBroad = errors.New("too many keys under the prefix")

// AppendWant appends the canonical form of one want: that of [AppendWants] with nothing before it. It tells its own end.
func AppendWant(b []byte, w Want) []byte { return appendWantAfter(b, Prefix{}, w) }

// ParseWant reads one want and returns what follows it.
func ParseWant(b []byte) (Want, []byte, error) { return parseWantAfter(b, Prefix{}) }

// AppendWants appends the canonical form of wants, at most MaxItems: for each, its prefix coded against that of the want before (the first
// against the root), the number of short IDs (uvarint; 0 means the whole prefix), the short IDs (4 bytes each, big endian).
func AppendWants(b []byte, wants []Want) []byte {
	var prev Prefix
	for _, w := range wants {
		b = appendWantAfter(b, prev, w)
		prev = w.Prefix
	}
	return b
}

// ParseWants reads wants from all of b. Memory is in proportion to b.
func ParseWants(b []byte) ([]Want, error) {
	var wants []Want
	var prev Prefix
	for len(b) > 0 {
		w, rest, err := parseWantAfter(b, prev)
		if err != nil || len(wants) == MaxItems {
			return nil, ErrWant
		}
		wants = append(wants, w)
		b, prev = rest, w.Prefix
	}
	return wants, nil
}

func appendWantAfter(b []byte, prev Prefix, w Want) []byte {
	b = appendAfter(b, prev, w.Prefix, 0)
	if w.Whole {
		return append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(w.Short)))
	for _, s := range w.Short {
		b = binary.BigEndian.AppendUint32(b, uint32(s))
	}
	return b
}

func parseWantAfter(b []byte, prev Prefix) (Want, []byte, error) {
	if len(b) == 0 || b[0]>>5 != 0 {
		return Want{}, nil, ErrWant
	}
	p, b, err := parseAfter(b, prev)
	if err != nil {
		return Want{}, nil, ErrWant
	}
	n, size := uvarint(b)
	if size == 0 || n > MaxList || uint64(len(b)-size) < n*shortSize {
		return Want{}, nil, ErrWant
	}
	w := Want{Prefix: p, Whole: n == 0}
	b = b[size:]
	if n > 0 {
		w.Short = parseShorts(b[:n*shortSize])
	}
	return w, b[n*shortSize:], nil
}

func parseShorts(b []byte) []ShortID {
	out := make([]ShortID, len(b)/shortSize)
	for i := range out {
		out[i] = ShortID(binary.BigEndian.Uint32(b[i*shortSize:]))
	}
	return out
}

// Match ranges, in ascending order, over the keys under p whose short IDs are among shorts. It serves a peer's pull: if more than
// MaxMatch keys lie under p it yields ErrBroad, since no honest peer was told short IDs there.
func Match(src Nodes, salt Salt, p Prefix, shorts []ShortID) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		node, ok, err := src.Node(p)
		if err == nil && ok && node.Total() > MaxMatch {
			err = ErrBroad
		}
		if err != nil {
			yield(Key{}, err)
			return
		}
		sorted := slices.Clone(shorts)
		slices.Sort(sorted)
		for k, err := range src.Keys(p) {
			if err == nil {
				if _, found := slices.BinarySearch(sorted, salt.Short(k.ID())); !found {
					continue
				}
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}

// mark marks all places of short in sorted as known, and reports whether there are any.
func mark(sorted []ShortID, known []bool, short ShortID) bool {
	i, found := slices.BinarySearch(sorted, short)
	for ; i < len(sorted) && sorted[i] == short; i++ {
		known[i] = true
	}
	return found
}

// orderWants sorts wants as they should be pulled (rank, then newest first; the root before all) and drops those that
// lie under one that asks for everything.
func orderWants(wants []Want) []Want {
	slices.SortStableFunc(wants, func(a, b Want) int { return a.Prefix.Compare(b.Prefix) })
	out := wants[:0]
	var whole Prefix
	covered := false
	for _, w := range wants {
		if covered && whole.Covers(w.Prefix) && !(w.Whole && w.Prefix == whole) {
			continue
		}
		if w.Whole {
			if covered && w.Prefix == whole {
				continue
			}
			whole, covered = w.Prefix, true
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b Want) int {
		switch {
		case a.Prefix.Len() == 0 || b.Prefix.Len() == 0:
			return a.Prefix.Len() - b.Prefix.Len()
		case a.Prefix.At(0) != b.Prefix.At(0):
			return int(a.Prefix.At(0)) - int(b.Prefix.At(0))
		}
		return b.Prefix.Compare(a.Prefix)
	})
	return out
}

// Keep returns the first of wants, at most so many and with at most so many short IDs in all, and whether that is all of them. What is left out
// is let go of: nothing that is kept holds its memory.
func Keep(wants []Want, most, shorts int) (kept []Want, all bool) {
	for i, w := range wants {
		if shorts -= len(w.Short); i == most || shorts < 0 {
			return slices.Clone(wants[:i]), false
		}
	}
	return wants, true
}

// ByRank splits a want for a whole set, whose answer in descending order would begin with media, so that alerts come first.
func (w Want) ByRank() []Want {
	if !w.Whole || w.Prefix.Len() > 0 {
		return []Want{w}
	}
	var out []Want
	for rank := range uint8(3) {
		out = append(out, Want{Prefix: w.Prefix.Child(rank), Whole: true})
	}
	return out
}
