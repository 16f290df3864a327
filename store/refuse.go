package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// removeStep is how many messages, or tombstones, go in one turn of the writer's: others wait meanwhile.
const removeStep = 512

// RefuseAuthors lets go of all that is kept of some authors and remembers it as Refused, but what was written here. It reads
// the whole store, for there is no index of authors, and returns how many went.
func (s *Store) RefuseAuthors(ctx context.Context, refused func(protocol.Author) bool) (gone int, err error) {
	var ids []protocol.ID
	remove := func() error {
		err := s.Remove(ctx, ids, Refused)
		gone += len(ids)
		ids = ids[:0]
		return err
	}
	for e, err := range s.Newest() {
		if err != nil {
			return gone, fmt.Errorf("refuse authors: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return gone, err
		}
		if e.Own || !refused(e.Message.Author) {
			continue
		}
		if ids = append(ids, e.Message.ID); len(ids) == removeStep {
			if err := remove(); err != nil {
				return gone, err
			}
		}
	}
	return gone, remove()
}

// Readmit forgets what was Refused, so that it may come again: somebody is wanted after all. Whose it was is not known any more; what
// others wrote who are still not wanted is refused once more when it comes.
func (s *Store) Readmit(ctx context.Context) error {
	set, err := s.refusedNow()
	if len(set) > 0 && err == nil {
		err = s.readmit(ctx, set)
	}
	if err != nil {
		return fmt.Errorf("readmit messages: %w", err)
	}
	return nil
}

// readmit forgets some of the dead, and takes them off both agendas first. There an entry of the first life would count for the
// second one: the message would be the first to be evicted, and when it has died again be forgotten too soon, and come back.
//
// BUG(store): who was trimmed from too many dead, or damaged, before it came again has both places on the agenda of the living. The earlier one
// does no more than let it be evicted as if it died then.
func (s *Store) readmit(ctx context.Context, set refusals) error {
	// What is in the first agenda is there for the dead to be passed over, so it may go before they are forgotten. What is in the second
	// goes together with them.
	for _, kind := range []byte{prefixExpiry, prefixForget} {
		if err := s.strikeAll(ctx, kind, set); err != nil {
			return err
		}
	}
	// Those whose agenda was damaged.
	var left []reconcile.Key
	for at := (reconcile.Key{}); ; at = left[removeStep-1] {
		left = left[:0]
		err := s.eachRefused(at, func(k reconcile.Key) bool {
			if set.has(k) {
				left = append(left, k)
			}
			return len(left) < removeStep
		})
		if err == nil && len(left) > 0 {
			err = s.update(ctx, func(b *batch) error {
				for _, k := range left {
					if err := b.forgetRefused(k); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil || len(left) < removeStep {
			return err
		}
	}
}

// refusals is a set of dead messages, a million of them on a large phone: 8 bytes of each ID, sorted. Whoever finds one in it looks at its
// cause before it goes, so two alike do no harm.
type refusals []uint64

func (r refusals) has(k reconcile.Key) bool {
	_, ok := slices.BinarySearch(r, head(k))
	return ok
}

func head(k reconcile.Key) uint64 {
	id := k.ID()
	return binary.BigEndian.Uint64(id[:])
}

// forgetRefused forgets one of the dead unless it came again meanwhile, or died of something else since.
func (b *batch) forgetRefused(k reconcile.Key) error {
	cause, err := causeOf(b.txn, k)
	if err != nil || cause != Refused {
		return err
	}
	return b.forget(k)
}

// strikeAll takes a set off an agenda, some entries in each turn of the writer's.
func (s *Store) strikeAll(ctx context.Context, kind byte, set refusals) error {
	for from := (slot{kind: kind}); ; {
		some, err := s.slotsFrom(from, maxSweep)
		if err != nil || len(some) == 0 {
			return err
		}
		err = s.update(ctx, func(b *batch) error {
			for _, a := range some {
				if err := b.strike(a, set); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		from = some[len(some)-1]
		from.seq++
	}
}

// slotsFrom are at most so many entries of an agenda, from one on.
func (s *Store) slotsFrom(from slot, most int) (some []slot, err error) {
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for ; from.class < classes; from = (slot{kind: from.kind, class: from.class + 1}) {
		for a := range slots(txn, from) {
			if some = append(some, a); len(some) == most {
				return some, nil
			}
		}
	}
	return some, nil
}

// strike takes off an agenda entry what is in a set and still refused, and forgets it if that is what the entry was for.
func (b *batch) strike(a slot, set refusals) error {
	list, err := listAt(b.txn, a)
	if err != nil {
		return err
	}
	var gone []reconcile.Key
	rest := make([]byte, 0, len(list))
	err = eachKey(list, func(k reconcile.Key) error {
		if set.has(k) {
			cause, err := causeOf(b.txn, k)
			if err != nil {
				return err
			}
			if cause == Refused { // otherwise it came again meanwhile, and this is its second life
				gone = append(gone, k)
				return nil
			}
		}
		rest = append(rest, k[:]...)
		return nil
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	if a.kind == prefixForget {
		for _, k := range gone { // before they are off the list: a crash in between must leave none that nothing ever forgets
			if err := b.forget(k); err != nil {
				return err
			}
		}
	}
	return b.relist(a, rest)
}

// refusedNow are the dead whose cause is Refused: at most the share of the quota that the dead may take.
func (s *Store) refusedNow() (set refusals, err error) {
	err = s.eachRefused(reconcile.Key{}, func(k reconcile.Key) bool {
		set = append(set, head(k))
		return true
	})
	slices.Sort(set)
	return set, err
}

// eachRefused calls fn for the dead whose cause is Refused, ascending from a key on, until it returns false.
func (s *Store) eachRefused(from reconcile.Key, fn func(reconcile.Key) bool) error {
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	v := s.snapshot()
	defer v.close()
	for k, err := range v.keys(prefixDead, from, reconcile.Prefix{}.Last()) {
		if err != nil {
			return err
		}
		cause, err := causeOf(v.txn, k)
		if err != nil {
			return err
		}
		if cause == Refused && !fn(k) {
			return nil
		}
	}
	return nil
}

// causeOf is why a message is dead; no cause at all if it is not, or that was damaged.
func causeOf(txn *badger.Txn, k reconcile.Key) (Cause, error) {
	var buf [idKeySize]byte
	item, err := txn.Get(appendIDKey(buf[:0], protocol.ID(k.ID())))
	if err != nil {
		return causes, broken(err)
	}
	cause := causes
	err = item.Value(func(b []byte) error {
		if len(b) == deadSize && b[0]&deadMark != 0 {
			cause = Cause(b[0] &^ deadMark)
		}
		return nil
	})
	return cause, broken(err)
}
