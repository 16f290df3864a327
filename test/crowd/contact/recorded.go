package contact

import (
	"fmt"
	"sort"
	"time"
)

// maxFull bounds the links of a world where everybody is linked with everybody.
const maxFull = 2_000_000

// Recorded is contacts known beforehand. It knows no places.
type Recorded struct {
	nodes   int
	changes []Change // in the order of time; those before at have been told
	at      int
}

// Nodes implements Source.
func (r *Recorded) Nodes() int { return r.nodes }

// Next implements Source.
func (r *Recorded) Next() (time.Duration, bool) {
	if r.at == len(r.changes) {
		return 0, false
	}
	return r.changes[r.at].At, true
}

// Advance implements Source.
func (r *Recorded) Advance(to time.Duration) []Change {
	rest := r.changes[r.at:]
	n := sort.Search(len(rest), func(i int) bool { return rest[i].At > to })
	if n == 0 {
		return nil
	}
	r.at += n
	return rest[:n:n]
}

// Places implements Source.
func (r *Recorded) Places() []Point { return nil }

// Full is everybody in reach of everybody.
type Full struct{ Nodes, Hubs int }

// NewFull is links between all, from time 0.
func NewFull(f Full) (*Recorded, error) {
	if err := checkNodes(f.Nodes, f.Hubs); err != nil {
		return nil, err
	}
	n := f.Nodes + f.Hubs
	if n*(n-1)/2 > maxFull {
		return nil, fmt.Errorf("%d nodes, each linked with each: expected at most %d links", n, maxFull)
	}
	return ring(n, n), nil
}

// Ring is a circle of nodes by number, the hubs after the phones.
type Ring struct {
	Nodes, Hubs int
	Each        int // neighbours on either side
}

// NewRing is links between neighbours, from time 0.
func NewRing(r Ring) (*Recorded, error) {
	if err := checkNodes(r.Nodes, r.Hubs); err != nil {
		return nil, err
	}
	n := r.Nodes + r.Hubs
	if r.Each < 1 || r.Each > n || n*r.Each > maxFull {
		return nil, fmt.Errorf("a ring of %d with %d neighbours on either side: expected 1 to %d", n, r.Each, min(n, maxFull/n))
	}
	return ring(n, r.Each), nil
}

func ring(n, each int) *Recorded {
	r := &Recorded{nodes: n}
	for a := range n {
		for b := a + 1; b < n; b++ {
			if b-a <= each || n-(b-a) <= each {
				r.changes = append(r.changes, Change{A: a, B: b, Up: true})
			}
		}
	}
	return r
}
