package store

import (
	"errors"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol/reconcile"
)

// fold brings the trie in step with the keys. It writes in several transactions: the dirty marks go last, so a crash
// in between only makes the next Open rebuild these parts. The caller holds the token.
func (s *Store) fold() error {
	if len(s.pending) == 0 && len(s.marked) == 0 {
		return nil
	}
	var add, del []reconcile.Key
	for _, c := range s.pending {
		if c.gone {
			del = append(del, c.key)
		} else {
			add = append(add, c.key)
		}
	}
	err := s.emitNodes(func(v *View, emit func(reconcile.Prefix, *reconcile.Node) error) error {
		return reconcile.Fold(v, add, del, emit)
	})
	if isBadTrie(err) {
		s.log.Warn("the trie was damaged and is built anew", "err", err)
		err = s.emitNodes(rebuildAll)
	}
	if err == nil {
		err = s.unmark()
	}
	if err != nil {
		s.fail(err)
		return err
	}
	s.pending, s.top = nil, new(top)
	return nil
}

// isBadTrie tells damage of the trie, which the keys can mend, from a database that does not work.
func isBadTrie(err error) bool {
	return errors.Is(err, reconcile.ErrTrie) || errors.Is(err, reconcile.ErrNode)
}

func rebuildAll(v *View, emit func(reconcile.Prefix, *reconcile.Node) error) error {
	return reconcile.Rebuild(v, reconcile.Prefix{}, emit)
}

// emitNodes writes the nodes that a computation over the store as of now emits.
func (s *Store) emitNodes(compute func(*View, func(reconcile.Prefix, *reconcile.Node) error) error) error {
	v := s.snapshot()
	defer v.close()
	w := s.db.NewWriteBatch()
	defer w.Cancel()
	err := compute(v, func(p reconcile.Prefix, n *reconcile.Node) error {
		key := appendNodeKey(make([]byte, 0, 2+(reconcile.Nibbles+1)/2), p)
		if n == nil {
			return w.Delete(key)
		}
		return w.Set(key, reconcile.AppendNode(nil, n))
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// unmark removes the dirty marks.
func (s *Store) unmark() error {
	w := s.db.NewWriteBatch()
	defer w.Cancel()
	for p := range s.marked {
		if err := w.Delete(reconcile.AppendPrefix([]byte{prefixDirty}, p)); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	clear(s.marked)
	return nil
}

// maxMarks is how many parts are rebuilt singly; with more the whole trie is.
const maxMarks = 256

// refold rebuilds the parts of the trie that a store which was not closed left dirty.
func (s *Store) refold() error {
	if err := s.readMarks(); err != nil {
		return err
	}
	if len(s.marked) > maxMarks {
		if err := s.emitNodes(rebuildAll); err != nil {
			return err
		}
		return s.unmark()
	}
	for p := range s.marked {
		err := s.emitNodes(func(v *View, emit func(reconcile.Prefix, *reconcile.Node) error) error {
			return reconcile.Rebuild(v, p, emit)
		})
		if isBadTrie(err) {
			err = s.emitNodes(rebuildAll)
		}
		if err != nil {
			return err
		}
	}
	return s.unmark()
}

func (s *Store) readMarks() error {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixDirty}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		p, rest, err := reconcile.ParsePrefix(it.Item().Key()[1:])
		if err != nil || len(rest) > 0 {
			p = reconcile.Prefix{} // damaged: rebuild everything
		}
		s.marked[p] = struct{}{}
	}
	return nil
}
