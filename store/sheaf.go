package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"iter"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// sheaf is the keys of one batch in one channel, tied together under one key of the database: a key a message would cost a put as much
// as the message. Each record says in which sheaf its message is, so that burying one finds it, and a reader passes over what a sheaf
// still has of a message that was damaged, dropped and put again.
type sheaf struct {
	channel protocol.Channel
	newest  uint64 // creation time of the newest when it was tied: a bound on what is left
	seq     uint64
}

const (
	sheafKeySize = 1 + 16 + 6 + 8

	// maxSheaf is how many keys a sheaf has at most: what burying one message reads and writes again.
	maxSheaf = 128
	// sheafBits is the width of the time that one sheaf may span, 2^24 ms or 4.7 hours, so that whoever reads the newest
	// messages does not get a batch's oldest with them.
	sheafBits = 24
	// untied stands in a record for newest until its batch is written.
	untied = 1<<48 - 1
)

// place is where a batch collects the keys of a sheaf.
type place struct {
	channel protocol.Channel
	span    uint64 // created >> sheafBits
}

// tying is a sheaf that a batch collects. The records are in the batch already, and get their newest in place.
type tying struct {
	seq     uint64
	keys    []reconcile.Key
	records [][]byte
}

// tie puts a new message on its channel's sheaf. value is its record, of which seq is written now and newest with the batch.
func (b *batch) tie(c protocol.Channel, k reconcile.Key, value []byte) error {
	p := place{c, k.Created() >> sheafBits}
	t := b.ties[p]
	if t == nil {
		// One number a sheaf: two of one batch may begin at the same time.
		b.state.seq++
		t = &tying{seq: b.state.seq}
		b.ties[p] = t
	}
	setSheaf(value, untied, t.seq)
	t.keys = append(t.keys, k)
	t.records = append(t.records, value)
	b.size += len(k)
	if len(t.keys) < maxSheaf {
		return nil
	}
	delete(b.ties, p)
	return b.bind(p, t)
}

// bind writes a sheaf.
func (b *batch) bind(p place, t *tying) error {
	slices.SortFunc(t.keys, newerFirst)
	newest := t.keys[0].Created()
	for _, r := range t.records {
		setSheaf(r, newest, t.seq)
	}
	list := b.alloc(len(t.keys) * reconcile.KeySize)
	for i := range t.keys {
		list = append(list, t.keys[i][:]...)
	}
	return b.set(sheaf{p.channel, newest, t.seq}.append(b.alloc(sheafKeySize)), list)
}

func newerFirst(k, l reconcile.Key) int {
	if c := cmp.Compare(l.Created(), k.Created()); c != 0 {
		return c
	}
	ki, li := k.ID(), l.ID()
	return bytes.Compare(ki[:], li[:])
}

// untie takes a message out of its sheaf.
func (b *batch) untie(h sheaf, k reconcile.Key) error {
	list, ok := b.sheaves[h]
	if !ok {
		item, err := b.txn.Get(h.append(nil))
		if err != nil {
			return broken(err)
		}
		if list, err = item.ValueCopy(nil); err != nil {
			return broken(err)
		}
		b.size += sheafKeySize + len(list)
	}
	for i := 0; i+reconcile.KeySize <= len(list); i += reconcile.KeySize {
		if reconcile.Key(list[i:i+reconcile.KeySize]) == k {
			list = slices.Delete(list, i, i+reconcile.KeySize)
			break
		}
	}
	b.sheaves[h] = list
	return nil
}

// writeSheaves writes what the batch tied and untied.
func (b *batch) writeSheaves() error {
	for p, t := range b.ties {
		if err := b.bind(p, t); err != nil {
			return err
		}
	}
	for h, list := range b.sheaves {
		key := h.append(b.alloc(sheafKeySize))
		var err error
		if len(list) < reconcile.KeySize {
			err = b.delete(key)
		} else {
			err = b.set(key, list)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// append writes the key of a sheaf. A forward scan of a channel meets sheaves by their newest, newest first.
func (h sheaf) append(b []byte) []byte {
	b = append(append(b, prefixChannel), h.channel[:]...)
	b = appendUint48(b, ^h.newest)
	return binary.BigEndian.AppendUint64(b, h.seq)
}

// parseSheaf is the inverse of append; ok is false for another kind of key.
func parseSheaf(b []byte) (h sheaf, ok bool) {
	if len(b) != sheafKeySize || b[0] != prefixChannel {
		return h, false
	}
	return sheaf{protocol.Channel(b[1:17]), ^uint48(b[17:]) & (1<<48 - 1), binary.BigEndian.Uint64(b[23:])}, true
}

// eachInChannel ranges over the keys of a channel, newest first, with the sheaf each is in. It reads a sheaf when the first of its
// messages may be next, so the newest page of a channel costs at most a sheaf a message. With a key, kept here or not, it begins
// behind it, and reads at most the sheaves of that key's hours in vain.
func eachInChannel(txn *badger.Txn, tag protocol.Channel, after reconcile.Key) iter.Seq2[sheaf, reconcile.Key] {
	return func(yield func(sheaf, reconcile.Key) bool) {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: append([]byte{prefixChannel}, tag[:]...)})
		defer it.Close()
		whole := after == reconcile.Key{}
		if whole {
			it.Rewind()
		} else {
			it.Seek(sheaf{tag, after.Created() | (1<<sheafBits - 1), 0}.append(nil))
		}
		var open []opened // the one with the newest next key last
		for {
			for ; it.Valid(); it.Next() {
				h, ok := parseSheaf(it.Item().Key())
				if !ok {
					continue
				}
				if len(open) > 0 && open[len(open)-1].next().Created() > h.newest {
					break
				}
				list, err := it.Item().ValueCopy(nil)
				if err == nil && len(list) >= reconcile.KeySize {
					open = reopen(open, opened{h, list})
				}
			}
			if len(open) == 0 {
				return
			}
			o := open[len(open)-1]
			open = open[:len(open)-1]
			if (whole || newerFirst(after, o.next()) < 0) && !yield(o.sheaf, o.next()) {
				return
			}
			if o.list = o.list[reconcile.KeySize:]; len(o.list) >= reconcile.KeySize {
				open = reopen(open, o)
			}
		}
	}
}

// opened is a sheaf under way: a list of at least one key, which may be damaged.
type opened struct {
	sheaf
	list []byte
}

func (o opened) next() reconcile.Key { return reconcile.Key(o.list) }

// reopen puts a sheaf in its place.
func reopen(open []opened, o opened) []opened {
	at, _ := slices.BinarySearchFunc(open, o, func(a, b opened) int { return newerFirst(b.next(), a.next()) })
	return slices.Insert(open, at, o)
}
