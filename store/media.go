package store

import (
	"iter"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

const (
	// rankMedia is the last rank: photos and files.
	rankMedia = 2
	// mediaShare is the part of the quota that media may take: one in two. A store full of photos must not turn over with each new one
	// what people read, and texts must find room without waiting for photos to go.
	mediaShare = 2
)

// mediaRoom is what media may take of the quota, the person's own included.
func (s *Store) mediaRoom() int64 { return s.limits.room / mediaShare }

// weigh counts a message of a cost that came (by is 1) or went (-1).
func (b *batch) weigh(k reconcile.Key, cost, by int64) {
	cost *= by
	b.state.bytes = max(b.state.bytes+cost, 0)
	if k.Rank() >= rankMedia {
		b.state.media = max(b.state.media+cost, 0)
	}
}

// makeMediaRoom evicts media until cost more bytes of it fit into its share, if what must go dies no later than the newcomer. What the
// person here sends may push out whatever others sent. It reports whether there is room now.
func (b *batch) makeMediaRoom(own bool, dies time.Duration, cost int64) (bool, error) {
	room := b.s.mediaRoom()
	if b.state.media+cost <= room {
		return true, nil
	}
	if err := b.flush(); err != nil { // the agenda must show this batch's messages too
		return false, err
	}
	last := bucketOf(dies)
	if own {
		last = 1<<32 - 1
	}
	// More than is needed, so that a full share does not do this for every chunk.
	target := room - max(cost, room/64)
	if err := b.evictClass(rankMedia, last, func() bool { return b.state.media <= target }); err != nil {
		return false, err
	}
	return b.state.media+cost <= room, b.flush()
}

// TalkAfter is ChannelAfter without media: keys tell, and photos are not read to find texts between them.
func (s *Store) TalkAfter(tag protocol.Channel, after reconcile.Key) iter.Seq2[Entry, error] {
	return s.inChannel(tag, after, func(k reconcile.Key) bool { return k.Rank() < rankMedia })
}

// Talk is TalkAfter from the beginning.
func (s *Store) Talk(tag protocol.Channel) iter.Seq2[Entry, error] {
	return s.TalkAfter(tag, reconcile.Key{})
}

// ChannelMedia is the media of a channel, newest first.
func (s *Store) ChannelMedia(tag protocol.Channel) iter.Seq2[Entry, error] {
	return s.inChannel(tag, reconcile.Key{}, func(k reconcile.Key) bool { return k.Rank() >= rankMedia })
}

// MediaCount is how many of the messages here are media.
func (s *Store) MediaCount() (count int64, err error) {
	err = s.View(func(v *View) error {
		p := reconcile.NewKey(rankMedia, 0, reconcile.ID{}).Prefix(1)
		node, ok, err := v.Node(p)
		if count = int64(node.Total()); err != nil || ok {
			return err
		}
		for _, err := range v.Keys(p) { // a leaf of the trie: a handful
			if err != nil {
				return err
			}
			count++
		}
		return nil
	})
	return count, err
}

// talkIn counts the keys of a sheaf that are not media.
func talkIn(item *badger.Item) (n int) {
	err := item.Value(func(list []byte) error {
		for ; len(list) >= reconcile.KeySize; list = list[reconcile.KeySize:] {
			if list[0] < rankMedia {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0
	}
	return n
}

// weighMedia counts the media of a store that was written before it was counted. Sizes stand beside the keys: nothing is read.
func (s *Store) weighMedia(txn *badger.Txn) {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixMessage, rankMedia}})
	defer it.Close()
	s.state.media = 0
	for it.Rewind(); it.Valid(); it.Next() {
		s.state.media += max(it.Item().ValueSize()-recordSize, 0) + overhead
	}
}
