package reconcile

import "iter"

// FloorStep is the granularity of [Scope.Floor] in milliseconds: about 4.7 hours.
const FloorStep = 1 << 24

// Scope is a part of the ordered set that two peers agree to reconcile: what both want. The zero value is everything.
type Scope struct {
	// Floor leaves out keys created before it (milliseconds). It is rounded down to a multiple of FloorStep.
	Floor uint64
	// Ranks holds a bit (1 << rank) for each rank wanted; 0 means all.
	Ranks uint16
}

// Meet returns what lies in both scopes, and false if their ranks have nothing in common.
func (s Scope) Meet(t Scope) (Scope, bool) {
	ranks := s.ranks() & t.ranks()
	return Scope{Floor: max(s.Floor, t.Floor), Ranks: ranks}, ranks != 0
}

// Contains reports whether k lies in the scope.
func (s Scope) Contains(k Key) bool {
	return s.ranks()>>k.Rank()&1 == 1 && k.Created() >= s.floor()
}

// View presents the part of src that lies in the scope, as if the rest were not there. Nodes that straddle the floor are
// computed when asked for, at most 7 loads for each rank, and kept; a view is as short-lived as src and not safe for concurrent use.
func (s Scope) View(src Nodes) Nodes {
	if s.floor() == 0 && s.ranks() == 0xffff {
		return src
	}
	return &view{src: src, scope: s, kept: make(map[Prefix]*Node)}
}

func (s Scope) ranks() uint16 {
	if s.Ranks == 0 {
		return 0xffff
	}
	return s.Ranks
}

// floor is at most the largest multiple of FloorStep that a key can hold, so that a senseless floor leaves the last hours, not an error.
func (s Scope) floor() uint64 { return min(s.Floor, MaxCreated) &^ (FloorStep - 1) }

// How a prefix lies to a scope.
const (
	outside = iota
	inside
	straddling
)

func (s Scope) place(p Prefix) int {
	if p.Len() == 0 {
		return straddling
	}
	first, last := p.First(), p.Last()
	switch {
	case s.ranks()>>first.Rank()&1 == 0, last.Created() < s.floor():
		return outside
	case first.Created() >= s.floor():
		return inside
	}
	return straddling
}

type view struct {
	src   Nodes
	scope Scope
	kept  map[Prefix]*Node // straddling nodes; nil where the view has none
}

func (v *view) Node(p Prefix) (Node, bool, error) {
	switch v.scope.place(p) {
	case outside:
		return Node{}, false, nil
	case inside:
		return v.src.Node(p)
	}
	if n, ok := v.kept[p]; ok {
		if n == nil {
			return Node{}, false, nil
		}
		return *n, true, nil
	}
	n, ok, err := v.straddle(p)
	if err != nil {
		return Node{}, false, err
	}
	v.kept[p] = nil
	if ok {
		v.kept[p] = &n
	}
	return n, ok, nil
}

// straddle computes the node at p, part of which lies in the scope.
func (v *view) straddle(p Prefix) (Node, bool, error) {
	n, ok, err := v.src.Node(p)
	if err != nil || !ok {
		return Node{}, false, err
	}
	for c := range n.Count {
		child := p.Child(uint8(c))
		sum := summary{n.Count[c], n.Hash[c]}
		switch v.scope.place(child) {
		case outside:
			sum = summary{}
		case straddling:
			if sum.count == 0 {
				break
			}
			if sum, err = sumUnder(v, child); err != nil {
				return Node{}, false, err
			}
		}
		n.Count[c], n.Hash[c] = sum.count, sum.hash
	}
	if n.Total() <= LeafSize {
		return Node{}, false, nil
	}
	return n, true, nil
}

func (v *view) Keys(p Prefix) iter.Seq2[Key, error] {
	switch v.scope.place(p) {
	case outside:
		return func(func(Key, error) bool) {}
	case inside:
		return v.src.Keys(p)
	}
	return func(yield func(Key, error) bool) { v.keys(p, yield) }
}

// keys ranges over the keys under a straddling prefix, child by child: what lies below the floor may be most of the set, and is not visited.
func (v *view) keys(p Prefix, yield func(Key, error) bool) bool {
	n, ok, err := v.src.Node(p)
	if err != nil {
		yield(Key{}, err)
		return false
	}
	if !ok {
		for k, err := range v.src.Keys(p) {
			if err == nil && !v.scope.Contains(k) {
				continue
			}
			if !yield(k, err) || err != nil {
				return false
			}
		}
		return true
	}
	for c, count := range n.Count {
		child := p.Child(uint8(c))
		if count == 0 || v.scope.place(child) == outside {
			continue
		}
		if v.scope.place(child) == straddling {
			if !v.keys(child, yield) {
				return false
			}
			continue
		}
		for k, err := range v.src.Keys(child) {
			if !yield(k, err) || err != nil {
				return false
			}
		}
	}
	return true
}
