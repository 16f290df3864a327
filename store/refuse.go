package store

import (
	"context"
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
	keys, err := s.refusedKeys()
	if len(keys) > 0 && err == nil {
		err = s.readmit(ctx, keys)
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
func (s *Store) readmit(ctx context.Context, keys []reconcile.Key) error {
	refused := make(map[reconcile.Key]struct{}, len(keys))
	for _, k := range keys {
		refused[k] = struct{}{}
	}
	// What is in the first agenda is there for the dead to be passed over, so it may go before they are forgotten. What is in the second
	// goes together with them.
	for _, kind := range []byte{prefixExpiry, prefixForget} {
		slots, err := s.slotsOf(kind)
		if err != nil {
			return err
		}
		if err := inSteps(ctx, s, slots, maxSweep, func(b *batch, a slot) error { return b.strike(a, refused) }); err != nil {
			return err
		}
	}
	return inSteps(ctx, s, keys, removeStep, (*batch).forgetRefused) // those whose agenda was damaged
}

// forgetRefused forgets one of the dead unless it came again meanwhile, or died of something else since.
func (b *batch) forgetRefused(k reconcile.Key) error {
	cause, err := causeOf(b.txn, k)
	if err != nil || cause != Refused {
		return err
	}
	return b.forget(k)
}

// inSteps does something for each of many, some of them in each turn of the writer's.
func inSteps[T any](ctx context.Context, s *Store, all []T, step int, do func(*batch, T) error) error {
	for some := range slices.Chunk(all, step) {
		err := s.update(ctx, func(b *batch) error {
			for _, one := range some {
				if err := do(b, one); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// slotsOf are the entries of an agenda as it is now.
func (s *Store) slotsOf(kind byte) (all []slot, err error) {
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for class := range uint8(classes) {
		for a := range slots(txn, kind, class) {
			all = append(all, a)
		}
	}
	return all, nil
}

// strike takes off an agenda entry what is in a set and still refused, and forgets it if that is what the entry was for.
func (b *batch) strike(a slot, set map[reconcile.Key]struct{}) error {
	list, err := listAt(b.txn, a)
	if err != nil {
		return err
	}
	var gone []reconcile.Key
	rest := make([]byte, 0, len(list))
	err = eachKey(list, func(k reconcile.Key) error {
		if _, ok := set[k]; ok {
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

// refusedKeys are the dead whose cause is Refused: at most the share of the quota that the dead may take.
func (s *Store) refusedKeys() (keys []reconcile.Key, err error) {
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	v := s.snapshot()
	defer v.close()
	for k, err := range v.Refused(reconcile.Prefix{}) {
		if err != nil {
			return nil, err
		}
		cause, err := causeOf(v.txn, k)
		if err != nil {
			return nil, err
		}
		if cause == Refused {
			keys = append(keys, k)
		}
	}
	return keys, nil
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
