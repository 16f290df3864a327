package store

import (
	"sync"

	"longear/protocol/reconcile"
)

// top is the root of the trie as of the last fold, as views read it: every round of sync begins with it, and most end there. The first view
// that asks reads it for all.
type top struct {
	mu   sync.Mutex // guards read and the reading; what follows does not change after it
	read bool

	node  reconcile.Node
	inner bool            // there is a node
	leaf  bool            // there is none, and these are all keys: without a node and with more keys the node is lost
	keys  []reconcile.Key // of a leaf
}

// look reads the root unless that was done.
func (t *top) look(v *View) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.read {
		return nil
	}
	node, inner, err := v.node(reconcile.Prefix{})
	if err != nil {
		return err
	}
	leaf, keys := !inner, []reconcile.Key(nil)
	if leaf {
		for k, err := range v.keys(prefixMessage, reconcile.Key{}, reconcile.Prefix{}.Last()) {
			if err != nil {
				return err
			}
			if leaf = len(keys) < reconcile.LeafSize; !leaf {
				break
			}
			keys = append(keys, k)
		}
	}
	t.node, t.inner, t.leaf, t.keys, t.read = node, inner, leaf, keys, true
	return nil
}
