package store

import (
	"bytes"
	"errors"
	"iter"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// The index of answers has a key for each response that is kept, written and deleted in the batch that writes and deletes the
// response: target, channel, author, then created and ID inverted, so that an author's latest answer comes first and is the one
// that counts (SPEC.md section 17). A count is a scan that goes from author to author; nothing is ever added up and kept, so
// nothing can come to differ from what is here. The channel is in the key because only responses in the target's channel count:
// those in others cost a count nothing.
//
// The value is when the response dies, and its body if that can be one of a public channel: reading the records instead takes
// 13 to 23 times as long (BenchmarkTally).
const (
	answerKeySize   = 1 + 32 + 16 + 32 + 6 + 32
	answerPlaceSize = 1 + 32 + 16 // target and channel
	answerHeadSize  = answerPlaceSize + 32

	answerValueSize = 6 + protocol.MaxAnswer

	// answerCost is what a response takes more than another message: a key, its value, Badger's own bytes.
	answerCost = answerKeySize + answerValueSize + 20
)

// maxAnswers bounds how many keys of the index one scan visits. A crowd of keys that a hostile author makes costs readers this much,
// some tens of milliseconds, and no more.
const maxAnswers = 1 << 14

// ErrManyAnswers ends a range of answers that met its bound: there may be more.
var ErrManyAnswers = errors.New("more answers than are counted")

// Answer is the response of one author that counts.
type Answer struct {
	Author protocol.Author
	ID     protocol.ID
	// Created is the author's claim in ms.
	Created uint64
	// Body is the body, if it can be that of a public channel. Nil: it is longer, and Get has it.
	Body []byte
}

// Answers ranges over what authors answer to a message in its channel: of each author the latest response that is kept, whatever it says.
// The order means nothing. After 16,384 responses the range ends with [ErrManyAnswers]; where it begins among the authors
// is drawn when the store is opened, so that nobody can make keys that crowd out all others.
func (s *Store) Answers(target protocol.ID, c protocol.Channel) iter.Seq2[Answer, error] {
	return func(yield func(Answer, error) bool) {
		if err := s.users.enter(); err != nil {
			yield(Answer{}, err)
			return
		}
		defer s.users.leave()
		txn := s.db.NewTransaction(false)
		defer txn.Discard()
		scan := answerScan{s: s, yield: yield, left: maxAnswers}
		place := appendAnswerPlace(make([]byte, 0, answerKeySize), target, c)
		scan.it = txn.NewIterator(badger.IteratorOptions{Prefix: place})
		defer scan.it.Close()
		if start := append(bytes.Clone(place), s.firstAuthor[:]...); scan.run(start, nil) {
			scan.run(place, start)
		}
	}
}

// answerScan is a range of answers under way.
type answerScan struct {
	s     *Store
	it    *badger.Iterator
	yield func(Answer, error) bool
	left  int // keys that may still be visited
}

// run visits the authors from one key to another, nil is the end. It reports whether the range goes on.
func (a *answerScan) run(from, to []byte) bool {
	past := bytes.Repeat([]byte{0xff}, answerKeySize+1) // above every key of the author who was counted last
	for a.it.Seek(from); a.it.Valid(); {
		key := a.it.Item().Key()
		if to != nil && bytes.Compare(key, to) >= 0 {
			return true
		}
		if a.left--; a.left < 0 {
			a.yield(Answer{}, ErrManyAnswers)
			return false
		}
		if bytes.HasPrefix(key, past[:answerHeadSize]) {
			a.it.Seek(past) // most authors have one answer, so the next key is looked at before this is paid for
			continue
		}
		answer, ok, err := a.s.answerAt(a.it.Item())
		switch {
		case err != nil:
			a.yield(Answer{}, err)
			return false
		case ok:
			copy(past[:answerHeadSize], key)
			if !a.yield(answer, nil) {
				return false
			}
		}
		a.it.Next()
	}
	return true
}

// AnswerBy is what one author answers to a message in its channel: the latest response that is kept, or [ErrNotFound].
func (s *Store) AnswerBy(target protocol.ID, c protocol.Channel, author protocol.Author) (Answer, error) {
	if err := s.users.enter(); err != nil {
		return Answer{}, err
	}
	defer s.users.leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	head := append(appendAnswerPlace(make([]byte, 0, answerKeySize), target, c), author[:]...)
	it := txn.NewIterator(badger.IteratorOptions{Prefix: head})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if a, ok, err := s.answerAt(it.Item()); ok || err != nil {
			return a, err
		}
	}
	return Answer{}, ErrNotFound
}

// answerAt reads an entry of the index. ok is false for one that counts as nothing: its response has expired, or is not here.
func (s *Store) answerAt(item *badger.Item) (a Answer, ok bool, err error) {
	k, author, ok := parseAnswerKey(item.Key())
	if !ok {
		return a, false, nil
	}
	a = Answer{Author: author, ID: protocol.ID(k.ID()), Created: k.Created()}
	var dies time.Duration
	err = item.Value(func(v []byte) error {
		if ok = len(v) >= 6 && len(v) <= answerValueSize; ok {
			dies = time.Duration(uint48(v)) * time.Millisecond
			a.Body = append(a.Body, v[6:]...)
		}
		return nil
	})
	if err != nil || !ok {
		return a, false, broken(err)
	}
	return a, dies > s.clock.running(), nil
}

// putAnswer writes the index of a message, if it is a response.
func (b *batch) putAnswer(m *protocol.Message, r record) error {
	key := appendAnswerKey(b.alloc(answerKeySize), m)
	if key == nil {
		return nil
	}
	delete(b.s.orphans, keyOf(m)) // it was damaged, and is back
	return b.set(key, appendAnswerValue(b.alloc(answerValueSize), m, r))
}

// dropAnswer takes a message that goes out of the index, if it is a response.
func (b *batch) dropAnswer(m *protocol.Message) error {
	key := appendAnswerKey(b.alloc(answerKeySize), m)
	if key == nil {
		return nil
	}
	return b.delete(key)
}

// dropOrphans takes out of the index what is left of responses whose records were damaged and dropped: what is not known any more is
// their target, so the index is read. The caller holds the token.
func (s *Store) dropOrphans() error {
	if len(s.orphans) == 0 {
		return nil
	}
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixAnswer}})
	defer it.Close()
	var keys [][]byte
	for it.Rewind(); it.Valid(); it.Next() {
		if k, _, ok := parseAnswerKey(it.Item().Key()); ok {
			if _, gone := s.orphans[k]; gone {
				keys = append(keys, it.Item().KeyCopy(nil))
			}
		}
	}
	clear(s.orphans)
	if len(keys) == 0 {
		return nil
	}
	return s.write(func(b *batch) error {
		for _, key := range keys {
			if !b.fits(1, len(key)) {
				if err := b.flush(); err != nil {
					return err
				}
			}
			b.state.bytes = max(b.state.bytes-answerCost, 0)
			if err := b.delete(key); err != nil {
				return err
			}
		}
		return nil
	})
}

// indexAnswers makes the index of a store that was made before there was one, from its records. Cut short, it is made again.
func (s *Store) indexAnswers() error {
	s.log.Info("the store gets an index of answers, which takes one reading of it")
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixMessage, protocol.Text.Rank()}})
	defer it.Close()
	w := s.db.NewWriteBatch()
	defer w.Cancel()
	n := int64(0)
	for it.Rewind(); it.Valid(); it.Next() {
		key, value, ok := answerOfRecord(it.Item())
		if !ok {
			continue
		}
		n++
		if err := w.Set(key, value); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	s.state.format = formatVersion
	s.state.bytes += n * answerCost
	return s.db.Update(func(txn *badger.Txn) error { return txn.Set(stateKey(), s.state.append(nil)) })
}

// answerOfRecord makes the entry of a stored message; ok is false if it is no response, or damaged.
func answerOfRecord(item *badger.Item) (key, value []byte, ok bool) {
	k, ok := parseOrdered(item.Key(), prefixMessage)
	if !ok {
		return nil, nil, false
	}
	err := item.Value(func(v []byte) error {
		r, wire, ok := parseRecord(v)
		if !ok {
			return errRot
		}
		m, err := protocol.Restore(wire, protocol.ID(k.ID()))
		if err != nil {
			return err
		}
		if key = appendAnswerKey(nil, m); key != nil {
			value = appendAnswerValue(nil, m, r)
		}
		return nil
	})
	return key, value, err == nil && key != nil
}

func appendAnswerPlace(b []byte, target protocol.ID, c protocol.Channel) []byte {
	return append(append(append(b, prefixAnswer), target[:]...), c[:]...)
}

// appendAnswerKey writes the key of a response; nil for a message that is none.
func appendAnswerKey(b []byte, m *protocol.Message) []byte {
	target, ok := m.Answers()
	if !ok {
		return nil
	}
	b = append(appendAnswerPlace(b, target, m.Channel), m.Author[:]...)
	b = appendUint48(b, ^m.Created)
	for _, v := range m.ID {
		b = append(b, ^v)
	}
	return b
}

// parseAnswerKey reads author and message of an entry; ok is false for another kind of key.
func parseAnswerKey(b []byte) (k reconcile.Key, author protocol.Author, ok bool) {
	if len(b) != answerKeySize || b[0] != prefixAnswer {
		return k, author, false
	}
	author = protocol.Author(b[answerPlaceSize:])
	b = b[answerHeadSize:]
	var id reconcile.ID
	for i, v := range b[6:] {
		id[i] = ^v
	}
	return reconcile.NewKey(protocol.Text.Rank(), ^uint48(b)&protocol.MaxCreated, id), author, true
}

func appendAnswerValue(b []byte, m *protocol.Message, r record) []byte {
	dies := r.since.Milliseconds() + m.Life().Milliseconds() - r.age.Milliseconds()
	b = appendUint48(b, uint64(max(dies, 0)))
	if len(m.Body) <= protocol.MaxAnswer {
		b = append(b, m.Body...)
	}
	return b
}
