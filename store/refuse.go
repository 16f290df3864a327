package store

import (
	"context"
	"fmt"

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
	for len(keys) > 0 && err == nil {
		n := min(len(keys), removeStep)
		err = s.update(ctx, func(b *batch) error {
			for _, k := range keys[:n] {
				if err := b.forget(k); err != nil {
					return err
				}
			}
			return nil
		})
		keys = keys[n:]
	}
	if err != nil {
		return fmt.Errorf("readmit messages: %w", err)
	}
	return nil
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
		cause, err := s.causeOf(v, k)
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
func (s *Store) causeOf(v *View, k reconcile.Key) (Cause, error) {
	var buf [idKeySize]byte
	item, err := v.txn.Get(appendIDKey(buf[:0], protocol.ID(k.ID())))
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
