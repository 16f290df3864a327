package store_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/store"
	"longear/test/bench/figure"
)

// voter is one of many keys.
func voter(n int) ed25519.PrivateKey {
	var seed [ed25519.SeedSize]byte
	binary.BigEndian.PutUint64(seed[:], uint64(n))
	return ed25519.NewKeyFromSeed(seed[:])
}

// square is the channel of these tests.
var square = protocol.Channel{15: 7}

// respond makes a response.
func respond(t testing.TB, key ed25519.PrivateKey, target protocol.ID, created uint64, body ...byte) *protocol.Message {
	t.Helper()
	m, err := protocol.Sign(key, protocol.Draft{Created: created, Channel: square, Kind: protocol.Response, Parents: []protocol.ID{target}, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answers collects a range: author and ID of what counts.
func answers(t testing.TB, s *store.Store, target protocol.ID) map[protocol.Author]protocol.ID {
	t.Helper()
	got := map[protocol.Author]protocol.ID{}
	for a, err := range s.Answers(target, square) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := got[a.Author]; twice {
			t.Fatalf("%v comes twice", a.Author)
		}
		got[a.Author] = a.ID
		if one, err := s.AnswerBy(target, square, a.Author); err != nil || one.ID != a.ID || !bytes.Equal(one.Body, a.Body) {
			t.Errorf("of %v alone: %v, %v", a.Author, one, err)
		}
	}
	return got
}

// TestAnswers: what counts is the latest response of each author in the channel, whatever came when, and whatever is no response does
// not.
func TestAnswers(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	target := protocol.ID{1}
	a, b := voter(1), voter(2)
	first, second := respond(t, a, target, 10, 1), respond(t, a, target, 20, 2)
	same1, same2 := respond(t, b, target, 5, 1), respond(t, b, target, 5, 2)
	long := respond(t, voter(3), target, 1, make([]byte, 256)...)
	ahead := respond(t, voter(4), target, protocol.MaxCreated, 1)
	draft := protocol.Draft{Created: 99, Channel: square, Kind: protocol.Response, Parents: []protocol.ID{target}, Body: []byte{1}}
	others := []func(*protocol.Draft){
		func(d *protocol.Draft) { d.Kind = protocol.Post },
		func(d *protocol.Draft) { d.Class = protocol.Alert },
		func(d *protocol.Draft) { d.Parents = append(d.Parents, protocol.ID{2}) },
		func(d *protocol.Draft) { d.Parents = nil },
		func(d *protocol.Draft) { d.Parents = []protocol.ID{{2}} },
		func(d *protocol.Draft) { d.Channel = protocol.Channel{1} },
	}
	for _, m := range []*protocol.Message{second, first, same1, same2, long, ahead} {
		put(t, s, store.Item{Message: m})
	}
	for _, change := range others {
		d := draft
		change(&d)
		put(t, s, store.Item{Message: sign(t, d)})
	}
	winner := same1
	if bytes.Compare(same2.ID[:], same1.ID[:]) > 0 {
		winner = same2
	}
	want := map[protocol.Author]protocol.ID{first.Author: second.ID, same1.Author: winner.ID, long.Author: long.ID, ahead.Author: ahead.ID}
	if got := answers(t, s, target); !maps.Equal(got, want) {
		t.Errorf("count %v, want %v", got, want)
	}
	one, err := s.AnswerBy(target, square, first.Author)
	if err != nil || one.Created != 20 || !bytes.Equal(one.Body, []byte{2}) {
		t.Errorf("the second is %+v, %v", one, err)
	}
	if one, err := s.AnswerBy(target, square, long.Author); err != nil || one.Body != nil {
		t.Errorf("a long body is kept twice: %v, %v", one, err)
	}
	if _, err := s.AnswerBy(target, square, protocol.Author{9}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of somebody who said nothing: %v", err)
	}
	for range s.Answers(target, square) {
		break // and Close does not wait for a transaction
	}
}

// answerModel is what the index promises, as a map.
type answerModel struct {
	c     *clock
	live  map[protocol.ID]*heard
	order []*protocol.Message
}

// heard is a message that is kept.
type heard struct {
	m          *protocol.Message
	since, age time.Duration // first receipt, smallest age
}

func (h *heard) end() time.Duration { return h.since + h.m.Life() - h.age }

// want is what counts for a target now.
func (d *answerModel) want(target protocol.ID) map[protocol.Author]protocol.ID {
	best := map[protocol.Author]*protocol.Message{}
	for _, k := range d.live {
		to, ok := k.m.Answers()
		if !ok || to != target || k.end() <= d.c.mono {
			continue
		}
		b := best[k.m.Author]
		if b == nil || cmp.Or(cmp.Compare(k.m.Created, b.Created), bytes.Compare(k.m.ID[:], b.ID[:])) > 0 {
			best[k.m.Author] = k.m
		}
	}
	out := map[protocol.Author]protocol.ID{}
	for a, m := range best {
		out[a] = m.ID
	}
	return out
}

// TestAnswersModel does random things to a store and to a map: responses and posts come, come again younger, expire, are removed, are
// evicted; the store is closed and opened.
func TestAnswersModel(t *testing.T) {
	for seed := range uint64(6) {
		c := newClock()
		conf := store.Config{Clock: c.Clock()}
		if seed%2 == 0 {
			conf.Dir = t.TempDir()
		}
		if seed >= 4 {
			conf.Quota = 4 << 20 // of which each step takes a part, so that much is evicted
		}
		runAnswersModel(t, conf, c, rand.New(rand.NewPCG(seed, 2)))
	}
}

func runAnswersModel(t *testing.T, conf store.Config, c *clock, r *rand.Rand) {
	s := open(t, conf)
	defer func() { shut(t, s) }()
	d := &answerModel{c: c, live: map[protocol.ID]*heard{}}
	targets := []protocol.ID{{1}, {2}, {3}}
	for step := range 80 {
		switch r.IntN(6) {
		case 0, 1, 2:
			d.put(t, s, r, targets, conf.Quota > 0)
		case 3:
			d.remove(t, s, r)
		case 4:
			c.advance(time.Duration(r.Int64N(int64(12 * time.Hour))).Truncate(time.Millisecond))
			if r.IntN(2) == 0 {
				sweep(t, s) // and if not, what has expired counts no more all the same
			}
		case 5:
			if conf.Dir != "" {
				shut(t, s)
				s = open(t, conf)
			}
		}
		if conf.Quota > 0 {
			d.forgetEvicted(s)
		}
		for _, target := range targets {
			if got, want := answers(t, s, target), d.want(target); !maps.Equal(got, want) {
				t.Fatalf("at step %d %d answers count, want %d", step, len(got), len(want))
			}
		}
	}
	if conf.Quota > 0 && s.Stats().Evicted == 0 {
		t.Error("nothing was evicted")
	}
	c.advance(15 * 24 * time.Hour)
	sweep(t, s)
	if n := s.Stats().Messages; n != 0 {
		t.Errorf("%d messages are left", n)
	}
	if conf.Dir != "" {
		shut(t, s)
		if n := len(indexKeys(t, conf.Dir)); n != 0 {
			t.Errorf("%d entries are left of what has died", n)
		}
		s = open(t, conf)
	}
}

func (d *answerModel) put(t *testing.T, s *store.Store, r *rand.Rand, targets []protocol.ID, fill bool) {
	var items []store.Item
	for range 1 + r.IntN(20) {
		it := store.Item{Age: time.Duration(r.Int64N(int64(7 * 24 * time.Hour)))}
		switch n := r.IntN(6); {
		case n == 0 && len(d.order) > 0: // known: it may live longer now
			it.Message = d.order[r.IntN(len(d.order))]
		case n == 1:
			it.Message = sign(t, protocol.Draft{Channel: square, Created: r.Uint64N(1e6), Body: make([]byte, 10_000)})
		default:
			body := make([]byte, []int{0, 1, 5, 33, 34, 256}[r.IntN(6)])
			it.Message = respond(t, voter(r.IntN(12)), targets[r.IntN(len(targets))], 1000+r.Uint64N(40), body...)
		}
		items = append(items, it)
	}
	if fill {
		for range 12 {
			items = append(items, store.Item{Message: sign(t, protocol.Draft{Channel: square, Created: r.Uint64N(1e9), Body: make([]byte, 30_000)}), Age: time.Duration(r.Int64N(int64(7 * 24 * time.Hour)))})
		}
	}
	for i, v := range put(t, s, items...) {
		m, age := items[i].Message, items[i].Age.Truncate(time.Millisecond)
		if v == protocol.Accept {
			d.live[m.ID] = &heard{m, d.c.mono, age}
			d.order = append(d.order, m)
		} else if h := d.live[m.ID]; h != nil && v == protocol.IgnoreKnown && age <= h.age-m.Life()/256 {
			h.age = age
		}
	}
}

func (d *answerModel) remove(t *testing.T, s *store.Store, r *rand.Rand) {
	var ids []protocol.ID
	for _, id := range inOrder(d.live) {
		if r.IntN(5) == 0 {
			ids = append(ids, id)
			delete(d.live, id)
		}
	}
	if err := s.Remove(context.Background(), ids, store.Removed); err != nil {
		t.Fatal(err)
	}
}

// forgetEvicted takes out of the model what the store chose to let go.
func (d *answerModel) forgetEvicted(s *store.Store) {
	for id := range d.live {
		if _, err := s.Get(id); err != nil {
			delete(d.live, id)
		}
	}
}

// openData opens the database of a store that is closed.
func openData(t testing.TB, dir string) *badger.DB {
	t.Helper()
	db, err := badger.Open(badger.DefaultOptions(filepath.Join(dir, "messages")).WithLogger(nil).WithValueThreshold(36 << 10).WithMemTableSize(4 << 20).WithValueLogFileSize(1 << 20))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// indexKeys are the entries of the index on disk.
func indexKeys(t testing.TB, dir string) (keys [][]byte) {
	t.Helper()
	db := openData(t, dir)
	err := db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{'a'}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			keys = append(keys, it.Item().KeyCopy(nil))
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestIndexOfOlderStores: a store from before the index gets it when it is opened, and counts what it takes.
func TestIndexOfOlderStores(t *testing.T) {
	conf := store.Config{Dir: t.TempDir(), Clock: newClock().Clock()}
	s := open(t, conf)
	target := protocol.ID{1}
	for n := range 300 {
		put(t, s, store.Item{Message: respond(t, voter(n), target, uint64(n), make([]byte, n)...), Age: time.Hour})
		put(t, s, store.Item{Message: text(t, time.UnixMilli(int64(n)), fmt.Sprint(n))})
	}
	want, bytes := answers(t, s, target), s.Stats().Bytes
	shut(t, s)
	keys := indexKeys(t, conf.Dir)
	if len(keys) != 300 || len(want) != 300 {
		t.Fatalf("%d entries, %d answers", len(keys), len(want))
	}
	makeOlder(t, conf.Dir, keys)
	s = open(t, conf)
	if got := answers(t, s, target); !maps.Equal(got, want) {
		t.Errorf("%d answers count, want %d", len(got), len(want))
	}
	if got := s.Stats().Bytes; got != bytes {
		t.Errorf("%d bytes, want %d", got, bytes)
	}
	shut(t, s)
	if got := indexKeys(t, conf.Dir); !slices.EqualFunc(got, keys, slices.Equal) {
		t.Errorf("%d entries were made again, of %d", len(got), len(keys))
	}
	s = open(t, conf) // and the second time there is nothing to do
	if got := s.Stats().Bytes; got != bytes {
		t.Errorf("opened again it has %d bytes, want %d", got, bytes)
	}
	shut(t, s)
}

// makeOlder takes the index out of a store and writes the number of the layout that had none.
func makeOlder(t testing.TB, dir string, keys [][]byte) {
	t.Helper()
	db := openData(t, dir)
	err := db.Update(func(txn *badger.Txn) error {
		for _, k := range keys {
			if err := txn.Delete(k); err != nil {
				return err
			}
		}
		item, err := txn.Get([]byte("ss"))
		if err != nil {
			return err
		}
		state, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		const cost = 119 + 39 + 20 // of an entry
		binary.BigEndian.PutUint64(state, 2)
		binary.BigEndian.PutUint64(state[40:], binary.BigEndian.Uint64(state[40:])-uint64(len(keys)*cost))
		return txn.Set([]byte("ss"), state)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedAnswer: a response whose record is damaged is dropped when that is found, and counts no more; when it comes back it counts.
func TestDamagedAnswer(t *testing.T) {
	for name, find := range map[string]func(*store.Store, protocol.ID) error{
		"read": func(s *store.Store, id protocol.ID) error {
			if _, err := s.Get(id); !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("damage is read: %w", err)
			}
			return nil
		},
		"removed": func(s *store.Store, id protocol.ID) error {
			return s.Remove(context.Background(), []protocol.ID{id}, store.Removed)
		},
	} {
		for _, back := range []bool{false, true} { // before the index is looked through, or after
			t.Run(fmt.Sprint(name, back), func(t *testing.T) { damageAnswer(t, find, back) })
		}
	}
}

func damageAnswer(t *testing.T, find func(*store.Store, protocol.ID) error, early bool) {
	conf := store.Config{Dir: t.TempDir(), Clock: newClock().Clock()}
	s := open(t, conf)
	target := protocol.ID{1}
	good, bad := respond(t, voter(1), target, 1, 1), respond(t, voter(2), target, 2, 1)
	put(t, s, store.Item{Message: good}, store.Item{Message: bad})
	bytes := s.Stats().Bytes
	shut(t, s)
	db := openData(t, conf.Dir)
	err := db.Update(func(txn *badger.Txn) error {
		// As long as the record was, so that the bytes are counted off as they were counted.
		return txn.Set(messageKey(bad), make([]byte, 31+len(bad.Wire())))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, conf)
	if err := find(s, bad.ID); err != nil {
		t.Fatal(err)
	}
	if !early {
		sweep(t, s)
		if got := answers(t, s, target); len(got) != 1 || got[good.Author] != good.ID {
			t.Errorf("count %v", got)
		}
	}
	put(t, s, store.Item{Message: bad}) // peers give it back
	sweep(t, s)
	if got := answers(t, s, target); len(got) != 2 {
		t.Errorf("count %v", got)
	}
	if got := s.Stats().Bytes; !early && got != bytes {
		t.Errorf("%d bytes, want %d", got, bytes)
	}
	shut(t, s)
	if got := indexKeys(t, conf.Dir); len(got) != 2 {
		t.Errorf("%d entries", len(got))
	}
}

// messageKey is where a record is.
func messageKey(m *protocol.Message) []byte {
	k := keyOf(m)
	b := []byte{'z', k[0]}
	for _, v := range k[1:] {
		b = append(b, ^v)
	}
	return b
}

// forgeAnswers makes many responses by as many authors, without signatures. The first bytes of an author are from begin.
func forgeAnswers(t testing.TB, n int, author func(int) [4]byte) []store.Item {
	t.Helper()
	tmpl := respond(t, voter(0), protocol.ID{1}, 1_700_000_000_000, 1).Wire()
	items := make([]store.Item, n)
	for i := range items {
		wire := bytes.Clone(tmpl)
		a := author(i)
		copy(wire[2:], a[:])
		u, v := protocol.Decode(wire)
		if v != protocol.Accept {
			t.Fatal(v)
		}
		m, err := protocol.Restore(wire, u.ID())
		if err != nil {
			t.Fatal(err)
		}
		items[i].Message = m
	}
	return items
}

// TestAnswersBound: a crowd of keys costs a bounded scan, and cannot take the places of those who come behind it in the order of keys.
func TestAnswersBound(t *testing.T) {
	const most, crowd = 1 << 14, 17_000
	conf := store.Config{Dir: t.TempDir()}
	s := open(t, conf)
	defer func() { shut(t, s) }()
	put(t, s, forgeAnswers(t, crowd, func(i int) [4]byte { return [4]byte{0, byte(i >> 16), byte(i >> 8), byte(i)} })...)
	honest := forgeAnswers(t, 100, func(i int) [4]byte { return [4]byte{byte(0x80 + i), 1, 2, 3} })
	put(t, s, honest...)
	// Half of all beginnings lie below 0x80: those with high keys are counted all or not at all, by chance.
	for range 40 {
		n, high := 0, 0
		var end error
		for a, err := range s.Answers(protocol.ID{1}, square) {
			if err != nil {
				end = err
				break
			}
			n++
			if a.Author[0] >= 0x80 {
				high++
			}
		}
		if n != most || !errors.Is(end, store.ErrManyAnswers) {
			t.Fatalf("%d answers, then %v", n, end)
		}
		// Whoever is asked for by name is found all the same.
		if _, err := s.AnswerBy(protocol.ID{1}, square, honest[99].Message.Author); err != nil {
			t.Error(err)
		}
		if high == len(honest) {
			return
		}
		shut(t, s)
		s = open(t, conf)
	}
	t.Error("those with high keys are never counted")
}

// BenchmarkTally counts 10,000 answers: with what the index holds, and as it would be if each body were read from its record.
func BenchmarkTally(b *testing.B) {
	for _, p := range []store.Profile{store.Phone, store.Hub} {
		b.Run(p.String(), func(b *testing.B) {
			s := open(b, store.Config{Dir: b.TempDir(), Profile: p, Quota: 1 << 30})
			defer shut(b, s)
			items := forgeAnswers(b, 10_000, func(i int) [4]byte { return [4]byte{byte(i * 37), byte(i * 11), byte(i >> 8), byte(i)} })
			for part := range slices.Chunk(items, 500) {
				put(b, s, part...)
			}
			tally := func(look func(protocol.ID) error) time.Duration {
				from := figure.CPU()
				n := 0
				for a, err := range s.Answers(protocol.ID{1}, square) {
					if err == nil {
						err = look(a.ID)
					}
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != len(items) {
					b.Fatalf("%d answers", n)
				}
				return figure.CPU() - from
			}
			var index, records time.Duration
			for b.Loop() {
				index += tally(func(protocol.ID) error { return nil })
				records += tally(func(id protocol.ID) error { _, err := s.Get(id); return err })
			}
			b.ReportMetric(float64(index.Microseconds())/float64(b.N)/1000, "ms-cpu/tally")
			b.ReportMetric(float64(records)/float64(index), "records/index")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkPutAnswers measures what the index costs a put: responses against posts that are as long and differ in nothing else.
func BenchmarkPutAnswers(b *testing.B) {
	for _, size := range []int{500, 1} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			with, without := open(b, store.Config{Dir: b.TempDir(), Quota: 1 << 30}), open(b, store.Config{Dir: b.TempDir(), Quota: 1 << 30})
			defer shut(b, with)
			defer shut(b, without)
			var responses, posts time.Duration
			n := 0
			for b.Loop() {
				items := forgeAnswers(b, size, func(int) [4]byte { n++; return [4]byte{byte(n * 37), byte(n >> 16), byte(n >> 8), byte(n)} })
				plain := asPosts(b, items)
				from := figure.CPU()
				put(b, with, items...)
				middle := figure.CPU()
				put(b, without, plain...)
				responses, posts = responses+middle-from, posts+figure.CPU()-middle
			}
			b.ReportMetric(float64(responses)/float64(posts), "response/post")
			b.ReportMetric(float64(responses.Microseconds())/float64(n), "us-cpu/response")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// asPosts gives messages the kind of which nobody knows anything.
func asPosts(t testing.TB, items []store.Item) []store.Item {
	t.Helper()
	out := make([]store.Item, len(items))
	for i, it := range items {
		wire := bytes.Clone(it.Message.Wire())
		at := bytes.Index(wire, []byte{0x38, 1, 0x4a, 32})
		wire[at+1] = 99
		u, v := protocol.Decode(wire)
		if v != protocol.Accept {
			t.Fatal(v)
		}
		m, err := protocol.Restore(wire, u.ID())
		if err != nil {
			t.Fatal(err)
		}
		out[i] = store.Item{Message: m}
	}
	return out
}
