package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Cause is why a message is dead here.
type Cause uint8

// The causes.
const (
	// Expired: its lifetime was over.
	Expired Cause = iota
	// Evicted: there was no room for it.
	Evicted
	// Removed: the person did not want it any more.
	Removed
	// Refused: it shall not be kept, because its author is not wanted. Most never were. See Store.Readmit.
	Refused

	causes
)

// String names the cause.
func (c Cause) String() string {
	if c >= causes {
		return "unknown cause"
	}
	return [...]string{"expired", "evicted", "removed", "refused"}[c]
}

// Classes of the forget agenda. What a person decided is remembered for the full time; what the node
// decided is forgotten first when there are too many dead, and so is what was refused: an author who is not wanted can write any
// number of messages, and must not make the node forget others by it.
const (
	forgetSooner = 0
	forgetLast   = 1
)

const (
	// overhead is what a message takes beside its encoding: two keys, their values, its places on an agenda and in a sheaf, and
	// Badger's own bytes.
	overhead = recordSize + messageKeySize + idKeySize + liveSize + 2*reconcile.KeySize + 43

	// tombCost is what a dead message takes at most: its ID, its place in the order, its place on the agenda.
	tombCost = idKeySize + deadSize + 1 + 2*reconcile.KeySize + earlySize + 20

	// tombShare is the part of the quota that the dead may take: without a bound, whoever can make a full
	// store turn over could fill it with the memory of what it pushed out.
	tombShare = 8
)

// costOf is what a message counts against the quota.
func costOf(m *protocol.Message) int64 {
	cost := int64(len(m.Wire())) + overhead
	if _, ok := m.Answers(); ok {
		cost += answerCost
	}
	return cost
}

// Remove lets messages go that are kept here, for good: they leave a tombstone. IDs that are not kept are passed over.
func (s *Store) Remove(ctx context.Context, ids []protocol.ID, c Cause) error {
	err := s.update(ctx, func(b *batch) error {
		for _, id := range ids {
			k, dead, found, err := b.lookup(id)
			if err != nil {
				return err
			}
			if !found || dead {
				continue
			}
			if err := b.bury(k, c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove %d messages: %w", len(ids), err)
	}
	return nil
}

// Refuse remembers messages that are not kept here as dead, so that nobody's copy is taken, and [View.Refused] tells
// reconciliation to leave them out. Keys of messages that are kept or dead are passed over, but from an early grave they do not come back.
func (s *Store) Refuse(ctx context.Context, keys []reconcile.Key) error {
	err := s.update(ctx, func(b *batch) error {
		for _, k := range keys {
			if err := b.refuse(k); err != nil {
				return err
			}
		}
		return b.trimTombs()
	})
	if err != nil {
		return fmt.Errorf("refuse %d messages: %w", len(keys), err)
	}
	return nil
}

// refuse remembers one message as Refused.
func (b *batch) refuse(k reconcile.Key) error {
	at, dead, found, err := b.lookup(protocol.ID(k.ID()))
	if err != nil {
		return err
	}
	if found {
		e, err := b.earlyAt(k)
		if err != nil || !dead || at != k || e == (early{}) {
			return err
		}
		if err := b.unearth(k); err != nil {
			return err
		}
	}
	return b.entomb(k, Refused, early{})
}

// update runs one change as the writer.
func (s *Store) update(ctx context.Context, change func(*batch) error) error {
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	if err := ctx.Err(); err != nil {
		return err // a select may pass over it
	}
	select {
	case s.token <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.token }()
	if err := s.writable(); err != nil {
		return err
	}
	return s.write(change)
}

// write runs one change in batches. The caller holds the token.
func (s *Store) write(change func(*batch) error) error {
	b := s.begin()
	if err := change(b); err != nil {
		b.txn.Discard()
		s.fail(err)
		return err
	}
	return b.finish()
}

// graveRoom is the space that burying one message may need.
const (
	graveEntries = 9
	graveSize    = 2*messageKeySize + 2*idKeySize + deadSize + earlySize + lifeSize + sheafKeySize + maxSheaf*reconcile.KeySize +
		agendaKeySize + reconcile.KeySize + answerKeySize + 16
)

// bury takes a living message out of every index and leaves a tombstone. A damaged one leaves none: it may come back.
func (b *batch) bury(k reconcile.Key, c Cause) error {
	if !b.fits(graveEntries, graveSize) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	value, err := b.value(k)
	if err != nil {
		return err
	}
	r, wire, ok := parseRecord(value)
	m, rot := protocol.Restore(wire, protocol.ID(k.ID()))
	if !ok || rot != nil {
		return b.dropRot(k)
	}
	if err := b.delete(appendMessageKey(b.alloc(messageKeySize), k)); err != nil {
		return err
	}
	if err := b.untie(r.sheaf(m.Channel), k); err != nil {
		return err
	}
	if err := b.dropAnswer(m); err != nil {
		return err
	}
	b.state.messages--
	b.weigh(k, costOf(m), -1)
	if c == Evicted {
		brink := &b.s.brink[classOf(r, k)]
		*brink = max(*brink, r.expires(m.Life()))
	}
	if err := b.changed(k, true); err != nil {
		return err
	}
	if r.own {
		if err := b.editLife(m.ID, func(l *Life) bool { l.Gone, l.Cause = true, c; return true }); err != nil {
			return err
		}
	}
	var e early
	if c == Expired {
		e = r.earlyOf(m.Life(), b.now)
	}
	return b.entomb(k, c, e)
}

// value reads a record. A record that is missing or cannot be read is nil: rot, as bury sees it.
func (b *batch) value(k reconcile.Key) ([]byte, error) {
	var buf [messageKeySize]byte
	item, err := b.txn.Get(appendMessageKey(buf[:0], k))
	if err != nil {
		return nil, broken(err)
	}
	v, err := item.ValueCopy(nil)
	return v, broken(err)
}

// broken passes on the errors of a database that does not work, and not those of data that was damaged.
func broken(err error) error {
	if errors.Is(err, badger.ErrDBClosed) || errors.Is(err, badger.ErrDiscardedTxn) {
		return err
	}
	return nil
}

// entomb writes a tombstone; e is not zero for an early grave.
func (b *batch) entomb(k reconcile.Key, c Cause, e early) error {
	if !b.fits(graveEntries, graveSize) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.s.filter.add(protocol.ID(k.ID()))
	key := appendIDKey(b.alloc(idKeySize), protocol.ID(k.ID()))
	if err := b.set(key, appendDead(b.alloc(deadSize), k, c)); err != nil {
		return err
	}
	var value []byte
	if e != (early{}) {
		value = e.append(b.alloc(earlySize))
	}
	if err := b.set(appendDeadKey(b.alloc(messageKeySize), k), value); err != nil {
		return err
	}
	class := uint8(forgetSooner)
	if c == Removed {
		class = forgetLast
	}
	b.schedule(prefixForget, class, max(b.now, e.until)+protocol.Remember, k)
	b.state.dead++
	b.state.gone[c]++
	return nil
}

// forgetSooner is forget, but not for what a person removed after it had come back from an early grave: that has a place of its own.
func (b *batch) forgetSooner(k reconcile.Key) error {
	c, err := causeOf(b.txn, k)
	if err != nil || c == Removed {
		return err
	}
	return b.forget(k)
}

// forget lets a tombstone go.
func (b *batch) forget(k reconcile.Key) error {
	if !b.fits(graveEntries, graveSize) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	id := protocol.ID(k.ID())
	_, dead, _, err := b.lookup(id)
	if err != nil || !dead {
		return err
	}
	if err := b.delete(appendIDKey(b.alloc(idKeySize), id)); err != nil {
		return err
	}
	if err := b.unearth(k); err != nil {
		return err
	}
	if b.s.isOwn(id) {
		b.lost = append(b.lost, id)
		return b.delete(appendOwnKey(b.alloc(idKeySize), id))
	}
	return nil
}
