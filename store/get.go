package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Known tells what this node makes of an ID: Accept (unknown, so a message would be welcome), IgnoreKnown, IgnoreDead (Put may take it again if
// it died early), or IgnoreStore if the store cannot tell.
func (s *Store) Known(id protocol.ID) protocol.Verdict {
	if s.users.enter() != nil {
		return protocol.IgnoreStore
	}
	defer s.users.leave()
	if s.filter.unknown(id) { // before a transaction is opened for it
		return protocol.Accept
	}
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	_, dead, found, err := s.lookup(txn, id)
	switch {
	case err != nil:
		return protocol.IgnoreStore
	case dead:
		return protocol.IgnoreDead
	case found:
		return protocol.IgnoreKnown
	}
	return protocol.Accept
}

// Get reads a message, or [ErrNotFound].
func (s *Store) Get(id protocol.ID) (Entry, error) {
	if err := s.users.enter(); err != nil {
		return Entry{}, err
	}
	defer s.users.leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	k, dead, found, err := s.lookup(txn, id)
	if err != nil {
		return Entry{}, fmt.Errorf("get %v: %w", id.Short(), err)
	}
	if !found || dead {
		return Entry{}, ErrNotFound
	}
	return s.read(txn, k)
}

// read reads the record of a key that is in some index.
func (s *Store) read(txn *badger.Txn, k reconcile.Key) (Entry, error) {
	var buf [messageKeySize]byte
	item, err := txn.Get(appendMessageKey(buf[:0], k))
	if err != nil {
		return Entry{}, s.missing(k, err)
	}
	return s.entry(item, k)
}

// readIn is read for a key that a sheaf holds: ErrNotFound too if the message is in another, or gone for good. A sheaf may outlive what it
// holds, when that was damaged.
func (s *Store) readIn(txn *badger.Txn, k reconcile.Key, h sheaf) (Entry, error) {
	var buf [messageKeySize]byte
	item, err := txn.Get(appendMessageKey(buf[:0], k))
	if err != nil {
		return Entry{}, s.missing(k, err)
	}
	value, err := item.ValueCopy(nil)
	if err != nil {
		return Entry{}, s.missing(k, err)
	}
	if r, _, ok := parseRecord(value); ok && r.sheaf(h.channel) != h {
		return Entry{}, ErrNotFound
	}
	return s.entryOf(value, k)
}

// entry makes the Entry of a record; ErrNotFound if it has expired or was damaged.
func (s *Store) entry(item *badger.Item, k reconcile.Key) (Entry, error) {
	value, err := item.ValueCopy(nil)
	if err != nil {
		return Entry{}, s.missing(k, err)
	}
	return s.entryOf(value, k)
}

func (s *Store) entryOf(value []byte, k reconcile.Key) (Entry, error) {
	e, fresh, err := entryOf(value, protocol.ID(k.ID()), s.clock.running())
	if err != nil {
		return Entry{}, s.missing(k, err)
	}
	if !fresh {
		return Entry{}, ErrNotFound
	}
	return e, nil
}

// missing is what a reader says of a record that an index promised and that cannot be read.
func (s *Store) missing(k reconcile.Key, err error) error {
	if err := s.suspect(k, err); err != nil {
		return err
	}
	return ErrNotFound
}

// maxRot is how many damaged records wait to be dropped; more are found again.
const maxRot = 256

// suspect notes a damaged record for the next writer to look at, and passes on errors that are not damage.
func (s *Store) suspect(k reconcile.Key, err error) error {
	if err := broken(err); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rot) < maxRot {
		s.rot = append(s.rot, k)
	}
	return nil
}

// repair drops the damaged records that readers found, so that the next sync fetches them again. The caller holds the token.
func (s *Store) repair() {
	s.mu.Lock()
	rot := s.rot
	s.rot = nil
	s.mu.Unlock()
	if len(rot) == 0 || s.shrinkable() != nil {
		return
	}
	err := s.write(func(b *batch) error {
		for _, k := range rot {
			if err := b.dropRot(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = s.dropOrphans()
	}
	s.log.Warn("dropped damaged messages", "count", len(rot), "err", err)
}

// dropRot takes a record that is damaged or missing out of the indexes, without a tombstone. Its channel is not known: that entry
// stays, and readers of the channel pass over it. What it answered is not known either: see dropOrphans. A record that is sound after all stays.
func (b *batch) dropRot(k reconcile.Key) error {
	if !b.fits(graveEntries, graveSize) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	id := protocol.ID(k.ID())
	at, dead, found, err := b.lookup(id)
	if err != nil || (found && (dead || at != k)) {
		return err
	}
	value, err := b.value(k)
	if err != nil {
		return err
	}
	if _, wire, ok := parseRecord(value); ok {
		if _, err := protocol.Restore(wire, id); err == nil {
			return nil // a reader came between two writes
		}
	}
	if !found && value == nil {
		return b.changed(k, true) // only the trie remembers it
	}
	if err := b.delete(appendMessageKey(b.alloc(messageKeySize), k)); err != nil {
		return err
	}
	if err := b.delete(appendIDKey(b.alloc(idKeySize), id)); err != nil {
		return err
	}
	b.state.messages = max(b.state.messages-1, 0)
	b.weigh(k, int64(max(len(value)-recordSize, 0))+overhead, -1)
	b.state.corrupt++
	if k.Rank() == protocol.Text.Rank() { // it may have been a response
		b.s.orphans[k] = struct{}{}
	}
	return b.changed(k, true)
}

// maxFind bounds the answers of Find.
const maxFind = 16

// ErrAmbiguous is returned by Find when more messages share the beginning than a person could choose from.
var ErrAmbiguous = errors.New("too many messages begin like this")

// Find lists the messages, kept or remembered as dead, whose ID begins like this in text form.
func (s *Store) Find(text string) ([]protocol.ID, error) {
	if err := s.users.enter(); err != nil {
		return nil, err
	}
	defer s.users.leave()
	text = strings.ToLower(text)
	first, err := firstID(text)
	if err != nil {
		return nil, err
	}
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixID}})
	defer it.Close()
	var ids []protocol.ID
	for it.Seek(appendIDKey(nil, first)); it.Valid(); it.Next() {
		k := it.Item().Key()
		if len(k) != idKeySize {
			continue
		}
		id := protocol.ID(k[1:])
		if !strings.HasPrefix(id.String(), text) {
			break
		}
		if len(ids) == maxFind {
			return nil, ErrAmbiguous
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// firstID is the smallest ID whose text form begins so: 'a' stands for zero bits.
func firstID(text string) (protocol.ID, error) {
	const whole = 52
	if len(text) > whole {
		return protocol.ID{}, errors.New("a message ID has 52 characters at most")
	}
	return protocol.ParseID(text + strings.Repeat("a", whole-len(text)))
}
