package store

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol/reconcile"
)

// View is the store as of one moment: the keys, the trie over exactly these keys, and the messages. It implements
// [reconcile.Nodes], is valid only inside the function it was given to, and is not safe for concurrent use.
type View struct {
	s   *Store
	txn *badger.Txn
	now time.Duration // running time at which it began
	// it is kept between scans of keys, because opening an iterator costs more than most scans. Nil while in use.
	it *badger.Iterator
	// top is what views since the same fold know of the root; nil in the fold itself.
	top *top
	// work counts what was read: see Work.
	work int
}

// A node, and the first key of a range, has to be looked for: that takes as long as some keys that follow each other.
const lookupWork = 4

// Work is how much has been read for this view so far, as a number of keys, whether they live or not.
func (v *View) Work() int { return v.work }

// View calls fn with the store as of now. Writers go on meanwhile, but what they replace is kept until fn returns, so fn must not
// wait for the network.
func (s *Store) View(fn func(*View) error) error {
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	v, err := s.view()
	if err != nil {
		return fmt.Errorf("view: %w", err)
	}
	defer v.close()
	return fn(v)
}

// view folds what is pending and opens a transaction before anything else can be written.
func (s *Store) view() (*View, error) {
	s.token <- struct{}{} // the writer is never away for long
	defer func() { <-s.token }()
	s.repair()
	if len(s.pending) > 0 {
		if err := s.shrinkable(); err != nil {
			return nil, err
		}
		if err := s.fold(); err != nil {
			return nil, err
		}
	}
	v := s.snapshot()
	v.top = s.top
	return v, nil
}

func (s *Store) snapshot() *View {
	return &View{s: s, txn: s.db.NewTransaction(false), now: s.clock.running()}
}

func (v *View) close() {
	if v.it != nil {
		v.it.Close()
	}
	v.txn.Discard()
}

// Node implements [reconcile.Nodes].
func (v *View) Node(p reconcile.Prefix) (reconcile.Node, bool, error) {
	if v.top != nil && p.Len() == 0 {
		err := v.top.look(v)
		return v.top.node, v.top.inner, err
	}
	return v.node(p)
}

func (v *View) node(p reconcile.Prefix) (reconcile.Node, bool, error) {
	v.work += lookupWork
	var buf [2 + (reconcile.Nibbles+1)/2]byte
	item, err := v.txn.Get(appendNodeKey(buf[:0], p))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return reconcile.Node{}, false, nil
	}
	if err != nil {
		return reconcile.Node{}, false, fmt.Errorf("node %v: %w", p, err)
	}
	var n reconcile.Node
	err = item.Value(func(b []byte) (err error) {
		n, err = reconcile.ParseNode(b)
		return err
	})
	if err != nil {
		return reconcile.Node{}, false, fmt.Errorf("node %v: %w", p, err)
	}
	return n, true, nil
}

// Keys implements [reconcile.Nodes].
func (v *View) Keys(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	if v.top == nil || p.Len() > 0 {
		return v.keys(prefixMessage, p.First(), p.Last())
	}
	return func(yield func(reconcile.Key, error) bool) {
		if err := v.top.look(v); err != nil {
			yield(reconcile.Key{}, err)
			return
		}
		if !v.top.leaf {
			v.keys(prefixMessage, p.First(), p.Last())(yield)
			return
		}
		for _, k := range v.top.keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// Refused ranges in ascending order over the keys of the dead under a prefix: what this node will not take again. What died before its time,
// because of an age that was told, is not among them from a while after its death until that time: a smaller age brings it back.
func (v *View) Refused(p reconcile.Prefix) iter.Seq2[reconcile.Key, error] {
	return v.keys(prefixDead, p.First(), p.Last())
}

// keys ranges from the first key to the last. It scans all versions, to see the deleted ones too: an ordinary scan for the few keys of a leaf would go on over everything
// that was deleted behind it, and a fold after an eviction would do that for every leaf.
func (v *View) keys(kind byte, first, last reconcile.Key) iter.Seq2[reconcile.Key, error] {
	return func(yield func(reconcile.Key, error) bool) {
		it := v.it
		v.it = nil
		if it == nil {
			it = v.txn.NewIterator(badger.IteratorOptions{AllVersions: true, Reverse: true})
		}
		defer v.putBack(it)
		for rank := first[0]; rank <= last[0]; rank++ {
			if !v.scanUp(it, withRank(kind, first, last, rank), yield) {
				return
			}
		}
	}
}

// span is a range of keys of one kind and one rank, both ends included.
type span struct {
	kind   byte
	lo, hi reconcile.Key
}

// withRank is the part of a range of keys that has one rank.
func withRank(kind byte, first, last reconcile.Key, rank uint8) span {
	p := reconcile.NewKey(rank, 0, reconcile.ID{}).Prefix(1)
	r := span{kind, p.First(), p.Last()}
	if first[0] == rank {
		r.lo = first
	}
	if last[0] == rank {
		r.hi = last
	}
	return r
}

// scanUp yields the keys of a span, ascending: backwards through their kind. There the versions of a key come oldest
// first, so whether it lives is known when the next key comes.
func (v *View) scanUp(it *badger.Iterator, r span, yield func(reconcile.Key, error) bool) bool {
	v.work += lookupWork
	var buf [messageKeySize]byte
	var last reconcile.Key
	live := false
	for it.Seek(appendOrdered(buf[:0], r.kind, r.lo)); it.Valid(); it.Next() {
		k, ok := parseOrdered(it.Item().Key(), r.kind)
		if !ok || k[0] != r.hi[0] || k.Compare(r.hi) > 0 {
			break
		}
		v.work++
		if live && k != last && !yield(last, nil) {
			return false
		}
		last, live = k, !it.Item().IsDeletedOrExpired() && !(r.kind == prefixDead && v.wanted(it.Item()))
	}
	return !live || yield(last, nil)
}

// putBack keeps an iterator for the next scan, or closes it if a scan inside a scan has left one already.
func (v *View) putBack(it *badger.Iterator) {
	if v.it != nil {
		it.Close()
		return
	}
	v.it = it
}

// Read reads a message that the view shows, or [ErrNotFound]: it has expired since, or was damaged.
func (v *View) Read(k reconcile.Key) (Entry, error) { return v.s.read(v.txn, k) }

// Range ranges over the messages under a prefix in descending order, which is newest first within a rank, from below a key; the zero key
// means from the end. An error ends the range.
func (v *View) Range(p reconcile.Prefix, below reconcile.Key) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range v.s.rangeDown(v.txn, p, below) {
			if v.work++; !yield(e, err) {
				return
			}
		}
	}
}

// Asked ranges over what one want asks for, newest first, below where an earlier page ended.
func (v *View) Asked(salt reconcile.Salt, w reconcile.Want, below reconcile.Key) iter.Seq2[Entry, error] {
	if w.Whole {
		return v.Range(w.Prefix, below)
	}
	return func(yield func(Entry, error) bool) {
		var keys []reconcile.Key
		for k, err := range reconcile.Match(v, salt, w.Prefix, w.Short) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if below == (reconcile.Key{}) || k.Compare(below) < 0 {
				keys = append(keys, k)
			}
		}
		for _, k := range slices.Backward(keys) {
			e, err := v.Read(k)
			if errors.Is(err, ErrNotFound) {
				continue // it has gone since it was offered
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
