package reconcile

import (
	"iter"
	"slices"
)

// Fold brings the stored trie in step with the keys after a batch of changes. src.Keys already shows the new set (add present,
// del gone), src.Node the trie as it was before. emit is called for every inner node that changed, with nil for one
// that is no more; the caller stores them together with the keys. It does not matter whether src shows what was emitted.
//
// add and del may be in any order, and may hold keys that were counted before: each is only a place to look at, and what
// is found there in src.Keys decides. Cost: one scan of at most LeafSize keys (or of what was added) for each touched leaf,
// one load and one emit for each touched inner node.
func Fold(src Nodes, add, del []Key, emit func(Prefix, *Node) error) error {
	touched := make([]Key, 0, len(add)+len(del))
	touched = append(append(touched, add...), del...)
	if len(touched) == 0 {
		return nil
	}
	slices.SortFunc(touched, Key.Compare)
	f := folder{src: src, emit: emit}
	_, err := f.fold(Prefix{}, touched)
	return err
}

// Rebuild computes the trie under p anew from src.Keys alone, then the nodes above p. It repairs whatever was stored under p:
// nodes that can be reached and no longer belong are emitted as nil. Rebuilding the root repairs any trie, in one pass over the keys.
func Rebuild(src Nodes, p Prefix, emit func(Prefix, *Node) error) error {
	f := folder{src: src, emit: emit, repair: true}
	_, err := f.path(Prefix{}, p)
	return err
}

// summary is what the trie says of a prefix: how many keys lie under it, and their hash (zero for none).
type summary struct {
	count uint64
	hash  Hash
}

type folder struct {
	src    Nodes
	emit   func(Prefix, *Node) error
	repair bool // do not trust stored nodes under what is built
}

// fold recomputes what is under p, knowing that only the touched keys (sorted, all under p, at least one) can have changed.
// It must be called only where a node may be stored: at the root, or where the parent counts more than a leaf.
func (f *folder) fold(p Prefix, touched []Key) (summary, error) {
	old, ok, err := f.src.Node(p)
	if err != nil {
		return summary{}, err
	}
	if !ok {
		return f.scan(p)
	}
	node := old
	for len(touched) > 0 {
		child := p.Child(touched[0].nibble(p.Len()))
		n := 1
		for n < len(touched) && child.Contains(touched[n]) {
			n++
		}
		c := child.At(p.Len())
		var sum summary
		if node.Count[c] > LeafSize {
			sum, err = f.fold(child, touched[:n])
		} else {
			sum, err = f.scan(child)
		}
		if err != nil {
			return summary{}, err
		}
		node.Count[c], node.Hash[c] = sum.count, sum.hash
		touched = touched[n:]
	}
	return f.settle(p, &old, &node)
}

// path rebuilds target, which p covers, and brings p and what lies between in step.
func (f *folder) path(p, target Prefix) (summary, error) {
	if p == target {
		return f.build(p)
	}
	old, ok, err := f.src.Node(p)
	if err != nil {
		return summary{}, err
	}
	if !ok { // p was a leaf; the keys under target may have made it more
		return f.build(p)
	}
	node := old
	c := target.At(p.Len())
	sum, err := f.path(p.Child(c), target)
	if err != nil {
		return summary{}, err
	}
	node.Count[c], node.Hash[c] = sum.count, sum.hash
	return f.settle(p, &old, &node)
}

// settle emits what has become of an inner node. If it has shrunk to a leaf, so have all its children: those that were inner
// nodes were touched, and have been emitted as nil.
func (f *folder) settle(p Prefix, old, node *Node) (summary, error) {
	total := node.Total()
	if total <= LeafSize {
		if err := f.emit(p, nil); err != nil {
			return summary{}, err
		}
		return f.scan(p)
	}
	if *node != *old {
		if err := f.emit(p, node); err != nil {
			return summary{}, err
		}
	}
	return summary{total, node.Sum()}, nil
}

// scan computes what is under p, where no node is stored, from the keys; it builds nodes if they have become too many for a leaf.
func (f *folder) scan(p Prefix) (summary, error) {
	sum, ok, err := scanLeaf(f.src, p)
	if err != nil || ok {
		return sum, err
	}
	return f.build(p)
}

// scanLeaf sums the keys under p, or returns false if they are too many for a leaf.
func scanLeaf(src Nodes, p Prefix) (summary, bool, error) {
	var buf [LeafSize]Key
	keys := buf[:0]
	for k, err := range src.Keys(p) {
		if err != nil {
			return summary{}, false, err
		}
		if len(keys) == LeafSize {
			return summary{}, false, nil
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return summary{}, true, nil
	}
	return summary{uint64(len(keys)), leafHash(keys)}, true, nil
}

// build computes everything under p from the keys, in one pass over them.
func (f *folder) build(p Prefix) (summary, error) {
	next, stop := iter.Pull2(f.src.Keys(p))
	defer stop()
	return f.grow(&window{next: next}, p, f.repair)
}

// grow builds the subtrie at p from the keys that come next in w. stale says that a node may be stored at p from before.
func (f *folder) grow(w *window, p Prefix, stale bool) (summary, error) {
	head, err := w.peek()
	if err != nil {
		return summary{}, err
	}
	n := 0
	for n < len(head) && p.Contains(head[n]) {
		n++
	}
	if n <= LeafSize {
		if stale {
			if err := f.drop(p); err != nil {
				return summary{}, err
			}
		}
		if n == 0 {
			return summary{}, nil
		}
		sum := summary{uint64(n), leafHash(head[:n])}
		w.skip(n)
		return sum, nil
	}
	var old, node Node
	if stale {
		if old, _, err = f.src.Node(p); err != nil {
			return summary{}, err
		}
	}
	for c := range uint8(16) {
		// A child without keys costs one comparison, so all 16 are asked: under each may lie something stale.
		sum, err := f.grow(w, p.Child(c), old.Count[c] > LeafSize)
		if err != nil {
			return summary{}, err
		}
		node.Count[c], node.Hash[c] = sum.count, sum.hash
	}
	if err := f.emit(p, &node); err != nil {
		return summary{}, err
	}
	return summary{node.Total(), node.Sum()}, nil
}

// drop emits nil for the stored node at p and those that can be reached from it.
func (f *folder) drop(p Prefix) error {
	node, ok, err := f.src.Node(p)
	if err != nil || !ok {
		return err
	}
	for c, n := range node.Count {
		// The node of a full prefix cannot be: it would be its own child.
		if n > LeafSize && p.Len() < Nibbles {
			if err := f.drop(p.Child(uint8(c))); err != nil {
				return err
			}
		}
	}
	return f.emit(p, nil)
}

// window looks ahead by one leaf and a key in an ascending sequence of keys, which is all that building needs to hold.
type window struct {
	next func() (Key, error, bool)
	buf  []Key // keys[at:] are to come
	at   int
	last Key
	some bool // last is set
	done bool
}

// peek returns the next LeafSize+1 keys, or what is left. They are valid until the next peek.
func (w *window) peek() ([]Key, error) {
	if !w.done && len(w.buf)-w.at <= LeafSize {
		w.buf = append(w.buf[:0], w.buf[w.at:]...)
		w.at = 0
	}
	for !w.done && len(w.buf) < 32*LeafSize {
		k, err, ok := w.next()
		if !ok {
			w.done = true
			break
		}
		if err != nil {
			return nil, err
		}
		// Doubled keys would make a prefix of full length an inner node, which has no children to descend to.
		if w.some && k.Compare(w.last) <= 0 {
			return nil, ErrTrie
		}
		w.last, w.some = k, true
		w.buf = append(w.buf, k)
	}
	return w.buf[w.at:min(len(w.buf), w.at+LeafSize+1)], nil
}

func (w *window) skip(n int) { w.at += n }

// Root returns the hash of the whole set: zero if it is empty.
func Root(src Nodes) (Hash, error) {
	sum, err := sumUnder(src, Prefix{})
	return sum.hash, err
}

// sumUnder returns what the trie says of p.
func sumUnder(src Nodes, p Prefix) (summary, error) {
	node, ok, err := src.Node(p)
	if err != nil {
		return summary{}, err
	}
	if ok {
		return summary{node.Total(), node.Sum()}, nil
	}
	sum, ok, err := scanLeaf(src, p)
	if err == nil && !ok {
		err = ErrTrie
	}
	return sum, err
}
