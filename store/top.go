package store

import (
	"iter"
	"sync"

	"longear/protocol/reconcile"
)

// top is the root of the trie as of the last fold, as views read it: every round of sync begins with it, and most end there. It holds
// what the first view that asked has read.
type top struct {
	mu    sync.Mutex // guards what follows
	asked bool
	node  reconcile.Node
	inner bool // there is a node; without one there are at most LeafSize keys

	listed bool
	keys   []reconcile.Key
}

// read returns the root's node, and whether there is one.
func (t *top) read(load func() (reconcile.Node, bool, error)) (reconcile.Node, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.asked {
		node, inner, err := load()
		if err != nil {
			return reconcile.Node{}, false, err
		}
		t.node, t.inner, t.asked = node, inner, true
	}
	return t.node, t.inner, nil
}

// list returns the keys of a root without a node, or false if there are more than that allows: the node is lost.
func (t *top) list(scan iter.Seq2[reconcile.Key, error]) ([]reconcile.Key, bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.listed {
		return t.keys, true, nil
	}
	var keys []reconcile.Key
	for k, err := range scan {
		if err != nil {
			return nil, false, err
		}
		if len(keys) == reconcile.LeafSize {
			return nil, false, nil
		}
		keys = append(keys, k)
	}
	t.keys, t.listed = keys, true
	return keys, true, nil
}

// leaf reports whether the root is known to have no node.
func (t *top) leaf() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked && !t.inner
}
