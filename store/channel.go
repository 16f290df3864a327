package store

import (
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Channel ranges over the messages of a channel, newest first by what their authors claim. An error ends the range.
func (s *Store) Channel(tag protocol.Channel) iter.Seq2[Entry, error] {
	return s.scan(func(txn *badger.Txn, yield func(Entry, error) bool) {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: append([]byte{prefixChannel}, tag[:]...)})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			k, ok := channelItem(it.Item())
			if !ok {
				continue
			}
			// The channel's entry may have outlived a damaged message: then there is nothing to report.
			e, err := s.read(txn, k)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	})
}

// channelItem reads a channel's entry for one message.
func channelItem(item *badger.Item) (k reconcile.Key, ok bool) {
	b := item.Key()
	if len(b) != channelKeySize {
		return k, false
	}
	err := item.Value(func(v []byte) error {
		if len(v) == 1 {
			_, k = parseChannelKey(b, v[0])
			ok = true
		}
		return nil
	})
	return k, ok && err == nil
}

// Newest ranges over all messages: alerts, then text, then media, each newest first by what their authors claim. An error ends the range.
func (s *Store) Newest() iter.Seq2[Entry, error] {
	return s.scan(func(txn *badger.Txn, yield func(Entry, error) bool) {
		for rank := range uint8(3) {
			p := reconcile.NewKey(rank, 0, reconcile.ID{}).Prefix(1)
			for e, err := range s.rangeDown(txn, p, reconcile.Key{}) {
				if !yield(e, err) {
					return
				}
			}
		}
	})
}

// scan makes a range of a function that reads one transaction; leaving the range ends the transaction.
func (s *Store) scan(read func(*badger.Txn, func(Entry, error) bool)) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := s.users.enter(); err != nil {
			yield(Entry{}, err)
			return
		}
		defer s.users.leave()
		txn := s.db.NewTransaction(false)
		defer txn.Discard()
		read(txn, yield)
	}
}

// rangeDown ranges over the messages under a prefix in descending order, from below a key (zero: from the end).
func (s *Store) rangeDown(txn *badger.Txn, p reconcile.Prefix, below reconcile.Key) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		first, last := p.First(), p.Last()
		if below != (reconcile.Key{}) && below.Compare(last) < 0 {
			last = below
		}
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixMessage}})
		defer it.Close()
		for rank := int(last[0]); rank >= int(first[0]); rank-- {
			r := withRank(prefixMessage, first, last, uint8(rank))
			for it.Seek(appendMessageKey(nil, r.hi)); it.Valid(); it.Next() {
				k, ok := parseOrdered(it.Item().Key(), prefixMessage)
				if !ok || k[0] != r.hi[0] || k.Compare(r.lo) < 0 {
					break
				}
				if k == below {
					continue
				}
				e, err := s.entry(it.Item(), k)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// ChannelCount is how much a channel has here.
type ChannelCount struct {
	Tag      protocol.Channel
	Messages int
	// Newest is the latest creation time that an author claims, and never later than now: unknown is zero.
	Newest time.Time
}

// Channels ranges over the channels that have messages here, in the order of their tags. It visits a key a message.
func (s *Store) Channels() iter.Seq2[ChannelCount, error] {
	return func(yield func(ChannelCount, error) bool) {
		if err := s.users.enter(); err != nil {
			yield(ChannelCount{}, err)
			return
		}
		defer s.users.leave()
		txn := s.db.NewTransaction(false)
		defer txn.Discard()
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixChannel}})
		defer it.Close()
		now := s.clock.wallMilli()
		var c ChannelCount
		for it.Rewind(); it.Valid(); it.Next() {
			b := it.Item().Key()
			if len(b) != channelKeySize {
				continue
			}
			tag, k := parseChannelKey(b, 0)
			if tag != c.Tag || c.Messages == 0 {
				if c.Messages > 0 && !yield(c, nil) {
					return
				}
				c = ChannelCount{Tag: tag}
			}
			c.Messages++
			if at := min(k.Created(), now); at > 0 && c.Newest.IsZero() {
				c.Newest = time.UnixMilli(int64(at))
			}
		}
		if c.Messages > 0 {
			yield(c, nil)
		}
	}
}

// Last collects the newest n messages of a channel, oldest of them first, as a page shows them.
func (s *Store) Last(tag protocol.Channel, n int) ([]Entry, error) {
	var page []Entry
	for e, err := range s.Channel(tag) {
		if err != nil {
			return nil, err
		}
		if len(page) == n {
			break
		}
		page = append(page, e)
	}
	slices.Reverse(page)
	return page, nil
}
