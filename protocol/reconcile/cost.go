package reconcile

import (
	"iter"
	"math"
)

// newestFirst ranges over the nibbles that may follow p: the most urgent rank first, then the newest time.
func newestFirst(p Prefix) iter.Seq[uint8] {
	return func(yield func(uint8) bool) {
		for i := range uint8(16) {
			c := 15 - i
			if p.Len() == 0 {
				c = i
			}
			if !yield(c) {
				return
			}
		}
	}
}

// guess estimates how many differences lie under a child that differs, when so many of the compared children do. Differences
// thrown at random leave a child equal with probability e^-x, x being their mean.
func guess(compared, unequal int) float64 {
	if unequal == 0 {
		return 1
	}
	if unequal == compared {
		// No child was left equal: more than ln(compared) a child, nobody knows how many more.
		return math.Log(float64(compared)) + 2
	}
	f := float64(unequal) / float64(compared)
	return -math.Log1p(-f) / f
}

// listIsCheaper reports whether listing n keys, among which so many differ, takes fewer bytes than going on through their children.
func listIsCheaper(n, differ float64) bool { return listCost(n) <= splitCost(n, differ) }

const itemCost = 4 // bytes of an item's kind, prefix and size

func listCost(n float64) float64 { return itemCost + shortSize*n }

// splitCost is the cost of sending the fingerprints of the children of n keys, and then dealing with those that differ.
func splitCost(n, differ float64) float64 {
	kids := min(16, n)
	hit := kids * (1 - math.Exp(-differ/kids))
	each := listCost(n / kids)
	if n/kids > LeafSize {
		each = min(each, splitCost(n/kids, differ/hit))
	}
	return itemCost + 2 + printSize*kids + hit*each
}
