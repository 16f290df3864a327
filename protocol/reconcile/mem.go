package reconcile

import (
	"iter"
	"slices"
	"sort"
)

// Mem is a set of keys and its trie in memory, for tests, benchmarks and small tools. The zero value is empty. It is not safe for
// concurrent use.
type Mem struct {
	keys  []Key // ascending, no doubles
	nodes map[Prefix]*Node
}

// NewMem returns a set that holds keys.
func NewMem(keys []Key) *Mem {
	m := &Mem{keys: slices.Clone(keys), nodes: make(map[Prefix]*Node)}
	slices.SortFunc(m.keys, Key.Compare)
	m.keys = slices.Compact(m.keys)
	// Neither emit nor Keys of a Mem can fail, and the keys ascend.
	_ = Rebuild(m, Prefix{}, m.emit)
	return m
}

// Apply adds and then removes keys. It costs time in proportion to the size of the set.
func (m *Mem) Apply(add, del []Key) error {
	if m.nodes == nil {
		m.nodes = make(map[Prefix]*Node)
	}
	gone := make(map[Key]bool, len(del))
	for _, k := range del {
		gone[k] = true
	}
	all := slices.Concat(m.keys, add)
	slices.SortFunc(all, Key.Compare)
	m.keys = slices.DeleteFunc(slices.Compact(all), func(k Key) bool { return gone[k] })
	return Fold(m, add, del, m.emit)
}

func (m *Mem) emit(p Prefix, n *Node) error {
	if n == nil {
		delete(m.nodes, p)
	} else {
		m.nodes[p] = n
	}
	return nil
}

// Len returns the number of keys.
func (m *Mem) Len() int { return len(m.keys) }

// Node implements [Nodes].
func (m *Mem) Node(p Prefix) (Node, bool, error) {
	n, ok := m.nodes[p]
	if !ok {
		return Node{}, false, nil
	}
	return *n, true, nil
}

// Keys implements [Nodes].
func (m *Mem) Keys(p Prefix) iter.Seq2[Key, error] {
	return func(yield func(Key, error) bool) {
		first := p.First()
		at := sort.Search(len(m.keys), func(i int) bool { return m.keys[i].Compare(first) >= 0 })
		for ; at < len(m.keys) && p.Contains(m.keys[at]); at++ {
			if !yield(m.keys[at], nil) {
				return
			}
		}
	}
}
