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
	return s.ChannelAfter(tag, reconcile.Key{})
}

// ChannelAfter is Channel from behind the message with a key, kept here or not, so that a reader can go on where it was. The zero
// key is the beginning. The key's rank does not matter: a channel is ordered by time alone.
func (s *Store) ChannelAfter(tag protocol.Channel, after reconcile.Key) iter.Seq2[Entry, error] {
	return s.inChannel(tag, after, func(reconcile.Key) bool { return true })
}

// inChannel is ChannelAfter of some keys: the others are not read.
func (s *Store) inChannel(tag protocol.Channel, after reconcile.Key, wanted func(reconcile.Key) bool) iter.Seq2[Entry, error] {
	return s.scan(func(txn *badger.Txn, yield func(Entry, error) bool) {
		for h, k := range eachInChannel(txn, tag, after) {
			if !wanted(k) {
				continue
			}
			e, err := s.readIn(txn, k, h)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	})
}

// Newest ranges over all messages: alerts, then text, then media, each newest first by what their authors claim. An error ends the range.
func (s *Store) Newest() iter.Seq2[Entry, error] { return s.NewestAfter(reconcile.Key{}) }

// NewestAfter is Newest from behind the message with a key, kept here or not, so that a reader can go on where it was. The
// zero key is the beginning.
func (s *Store) NewestAfter(after reconcile.Key) iter.Seq2[Entry, error] {
	return s.scan(func(txn *badger.Txn, yield func(Entry, error) bool) {
		for rank := after.Rank(); rank < 3; rank++ {
			p := reconcile.NewKey(rank, 0, reconcile.ID{}).Prefix(1)
			below := reconcile.Key{}
			if rank == after.Rank() {
				below = after
			}
			for e, err := range s.rangeDown(txn, p, below) {
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
	Messages int // alerts and texts: parts of photos are not among what people said
	// Newest is the latest creation time that an author claims, and never later than now: unknown is zero.
	Newest time.Time
}

// Channels ranges over the channels that have messages here, in the order of their tags. It visits a key for each batch that
// brought messages of a channel.
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
		var c ChannelCount
		newest, some := uint64(0), false
		for it.Rewind(); it.Valid(); it.Next() {
			h, ok := parseSheaf(it.Item().Key())
			if !ok {
				continue
			}
			if h.channel != c.Tag && some {
				if !yield(c.until(newest, s.clock.wallMilli()), nil) {
					return
				}
				c, newest = ChannelCount{}, 0
			}
			c.Tag, some = h.channel, true
			c.Messages += talkIn(it.Item())
			if h.newest > newest {
				newest = max(newest, newestIn(it.Item()))
			}
		}
		if some {
			yield(c.until(newest, s.clock.wallMilli()), nil)
		}
	}
}

// until notes the newest creation time.
func (c ChannelCount) until(newest, now uint64) ChannelCount {
	if at := min(newest, now); at > 0 {
		c.Newest = time.UnixMilli(int64(at))
	}
	return c
}

// newestIn is the creation time of the first key in a sheaf, 0 if there is none.
func newestIn(item *badger.Item) (at uint64) {
	err := item.Value(func(list []byte) error {
		if len(list) >= reconcile.KeySize {
			at = reconcile.Key(list[:reconcile.KeySize]).Created()
		}
		return nil
	})
	if err != nil {
		return 0
	}
	return at
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
