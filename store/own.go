package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
)

// Life is what became of a message written on this node. It is remembered as long as the message or its tombstone.
type Life struct {
	// Written is when it was put, by this node's wall clock.
	Written time.Time
	// Carriers is how many different links took it, at most MaxCarriers.
	Carriers int
	// Seen says that a receipt or an answer to it came back.
	Seen bool
	// Gone says that it is no longer kept here, for this Cause.
	Gone  bool
	Cause Cause

	links []uint64
}

// MaxCarriers is how many links that took an own message are told apart.
const MaxCarriers = 64

// lifeSize is the largest encoded Life: written 6, flags 1, then 8 for each link.
const lifeSize = 7 + 8*MaxCarriers

const (
	lifeSeen  = 1
	lifeGone  = 2
	lifeCause = 4 // the cause, shifted by this
)

func (l *Life) append(b []byte) []byte {
	var flags byte
	if l.Seen {
		flags |= lifeSeen
	}
	if l.Gone {
		flags |= lifeGone | byte(l.Cause)<<lifeCause
	}
	b = append(appendUint48(b, uint64(l.Written.UnixMilli())), flags)
	for _, t := range l.links {
		b = binary.BigEndian.AppendUint64(b, t)
	}
	return b
}

func parseLife(v []byte) (l Life, ok bool) {
	if len(v) < 7 || len(v) > lifeSize || (len(v)-7)%8 != 0 {
		return l, false
	}
	l.Written = time.UnixMilli(int64(uint48(v)))
	l.Seen = v[6]&lifeSeen != 0
	l.Gone = v[6]&lifeGone != 0
	l.Cause = Cause(v[6] >> lifeCause)
	for v = v[7:]; len(v) > 0; v = v[8:] {
		l.links = append(l.links, binary.BigEndian.Uint64(v))
	}
	l.Carriers = len(l.links)
	return l, true
}

// Life tells what became of an own message; false if it is not one, or forgotten.
func (s *Store) Life(id protocol.ID) (Life, bool, error) {
	if err := s.users.enter(); err != nil {
		return Life{}, false, err
	}
	defer s.users.leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	l, ok, err := lifeAt(txn, id)
	if err != nil {
		return Life{}, false, fmt.Errorf("life of %v: %w", id.Short(), err)
	}
	return l, ok, nil
}

func lifeAt(txn *badger.Txn, id protocol.ID) (l Life, ok bool, err error) {
	item, err := txn.Get(appendOwnKey(nil, id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return l, false, nil
	}
	if err != nil {
		return l, false, err
	}
	err = item.Value(func(v []byte) error {
		l, ok = parseLife(v)
		return nil
	})
	return l, ok, err
}

// OwnIDs lists the own messages that are remembered, newest first.
func (s *Store) OwnIDs() ([]protocol.ID, error) {
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	type written struct {
		id protocol.ID
		at uint64
	}
	var all []written
	err := s.eachOwn(func(id protocol.ID, v []byte) {
		if l, ok := parseLife(v); ok {
			all = append(all, written{id, uint64(l.Written.UnixMilli())})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list own messages: %w", err)
	}
	slices.SortStableFunc(all, func(a, b written) int { return cmp.Compare(b.at, a.at) })
	ids := make([]protocol.ID, len(all))
	for i := range all {
		ids[i] = all[i].id
	}
	return ids, nil
}

// eachOwn calls fn for each own message that is remembered; v is valid during the call.
func (s *Store) eachOwn(fn func(id protocol.ID, v []byte)) error {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixOwn}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		k := it.Item().Key()
		if len(k) != idKeySize {
			continue
		}
		id := protocol.ID(k[1:])
		if err := it.Item().Value(func(v []byte) error { fn(id, v); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// Took notes that a link took messages from this node. Of the IDs only own ones count. link tells links apart
// and means nothing else.
func (s *Store) Took(ctx context.Context, link uint64, ids []protocol.ID) error {
	return s.editLives(ctx, ids, func(l *Life) bool {
		if len(l.links) >= MaxCarriers || slices.Contains(l.links, link) {
			return false
		}
		l.links = append(l.links, link)
		return true
	})
}

// Seen notes that a receipt of an own message, or an answer to it, came back.
func (s *Store) Seen(ctx context.Context, id protocol.ID) error {
	return s.editLives(ctx, []protocol.ID{id}, func(l *Life) bool {
		changed := !l.Seen
		l.Seen = true
		return changed
	})
}

// editLives changes the Lives of those IDs that are own; edit reports whether it changed anything.
func (s *Store) editLives(ctx context.Context, ids []protocol.ID, edit func(*Life) bool) error {
	own := s.ownAmong(ids)
	if len(own) == 0 {
		return nil
	}
	err := s.update(ctx, func(b *batch) error {
		for _, id := range own {
			if !b.fits(1, idKeySize+lifeSize) {
				if err := b.flush(); err != nil {
					return err
				}
			}
			if err := b.editLife(id, edit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note the life of own messages: %w", err)
	}
	return nil
}

func (b *batch) editLife(id protocol.ID, edit func(*Life) bool) error {
	l, ok, err := lifeAt(b.txn, id)
	if err != nil || !ok || !edit(&l) {
		return err
	}
	return b.set(appendOwnKey(b.alloc(idKeySize), id), l.append(b.alloc(lifeSize)))
}

// ownAmong cuts IDs down to the own ones.
func (s *Store) ownAmong(ids []protocol.ID) []protocol.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var own []protocol.ID
	for _, id := range ids {
		if _, ok := s.own[id]; ok {
			own = append(own, id)
		}
	}
	return own
}

func (s *Store) isOwn(id protocol.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.own[id]
	return ok
}
