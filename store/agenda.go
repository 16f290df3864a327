package store

import (
	"context"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Classes of the expiry agenda: the rank of a message, and one for own messages, which are never evicted.
const (
	classOwn  = 3
	classes   = 4 // of the expiry agenda; the forget agenda uses the first two
	maxEvicts = classOwn
)

func classOf(r record, k reconcile.Key) uint8 {
	if r.own {
		return classOwn
	}
	return min(k.Rank(), 2)
}

// Sweep expires what is due, forgets the dead whose time is over, and drops damaged records. Run calls it when something is due;
// a program without Run may call it once.
func (s *Store) Sweep(ctx context.Context) error {
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	for more := true; more; {
		select {
		case s.token <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		more, err = s.sweepSome()
		<-s.token
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// maxSweep is how many agenda entries are handled before waiting writers get their turn.
const maxSweep = 64

// sweepSome handles some due entries and reports whether more may be due. Afterwards the time of the next is known.
func (s *Store) sweepSome() (more bool, err error) {
	if err := s.shrinkable(); err != nil {
		return false, err
	}
	s.repair()
	if err := s.write((*batch).trimTombs); err != nil {
		return false, err
	}
	now := s.clock.running()
	due, next, err := s.dueSlots(now)
	if err != nil {
		return false, err
	}
	for _, a := range due {
		if err := s.write(func(b *batch) error { return b.work(a) }); err != nil {
			return false, err
		}
	}
	if err := s.dropOrphans(); err != nil {
		return false, err
	}
	if len(due) == 0 {
		s.mu.Lock()
		s.due = next
		s.mu.Unlock()
	}
	return len(due) > 0, nil
}

// dueSlots lists at most maxSweep due entries, and when the first of the others is due (0: never).
func (s *Store) dueSlots(now time.Duration) (due []slot, next time.Duration, err error) {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for _, kind := range []byte{prefixExpiry, prefixForget} {
		for class := range uint8(classes) {
			for a := range slots(txn, slot{kind: kind, class: class}) {
				if end := bucketEnd(a.bucket); end > now {
					if next == 0 || end < next {
						next = end
					}
					break
				}
				due = append(due, a)
				if len(due) == maxSweep {
					return due, 0, nil
				}
			}
		}
	}
	return due, next, nil
}

// slots ranges over the entries of one class of an agenda, earliest first, from one on.
func slots(txn *badger.Txn, from slot) func(yield func(slot) bool) {
	return func(yield func(slot) bool) {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{from.kind, from.class}})
		defer it.Close()
		for it.Seek(from.append(nil)); it.Valid(); it.Next() {
			k := it.Item().Key()
			if len(k) == agendaKeySize && !yield(parseSlot(k)) {
				return
			}
		}
	}
}

// listAt reads the keys of an agenda entry.
func listAt(txn *badger.Txn, a slot) ([]byte, error) {
	item, err := txn.Get(a.append(nil))
	if err != nil {
		return nil, broken(err)
	}
	keys, err := item.ValueCopy(nil)
	return keys, broken(err)
}

// eachKey calls fn for each key of an agenda entry's list. They may be damaged: fn looks them up before it believes them.
func eachKey(list []byte, fn func(reconcile.Key) error) error {
	for ; len(list) >= reconcile.KeySize; list = list[reconcile.KeySize:] {
		if err := fn(reconcile.Key(list[:reconcile.KeySize])); err != nil {
			return err
		}
	}
	return nil
}

// relist writes what is left of an agenda entry.
func (b *batch) relist(a slot, rest []byte) error {
	if !b.fits(1, agendaKeySize+len(rest)) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if len(rest) < reconcile.KeySize {
		return b.delete(a.append(b.alloc(agendaKeySize)))
	}
	return b.set(a.append(b.alloc(agendaKeySize)), rest)
}

// work does what an agenda entry is there for, and strikes it off. The entry goes with the last of its keys, so a crash
// between batches does part of it twice, which is harmless.
func (b *batch) work(a slot) error {
	list, err := listAt(b.txn, a)
	if err != nil {
		return err
	}
	do := b.forget
	switch {
	case a.kind == prefixExpiry:
		do = b.expire
	case a.class == forgetSooner:
		do = b.forgetSooner
	}
	if err := eachKey(list, do); err != nil {
		return err
	}
	return b.delete(a.append(b.alloc(agendaKeySize)))
}

// expire buries a message whose time is over, or puts it on the agenda again if a younger copy gave it more time.
func (b *batch) expire(k reconcile.Key) error {
	id := protocol.ID(k.ID())
	at, dead, found, err := b.lookup(id)
	if err != nil || !found || dead || at != k {
		return err // gone by another way
	}
	value, err := b.value(k)
	if err != nil {
		return err
	}
	r, wire, _ := parseRecord(value)
	m, err := protocol.Restore(wire, id)
	if err != nil {
		return b.bury(k, Expired) // which finds the damage
	}
	if end := r.expires(m.Life()); end > b.now && end <= b.now+protocol.MaxLifetime {
		b.schedule(prefixExpiry, classOf(r, k), end, k)
		return nil
	}
	return b.bury(k, Expired)
}
