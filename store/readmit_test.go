package store_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/store"
)

const day = 24 * time.Hour

// agenda is where a message stands in one agenda of a store that is closed: the class and the bucket of each entry that names it.
func agenda(t testing.TB, dir string, kind byte) map[key][]place {
	t.Helper()
	at := make(map[key][]place)
	db := openData(t, dir)
	err := db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{kind}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			slot := it.Item().Key()
			p := place{class: slot[1], bucket: binary.BigEndian.Uint32(slot[2:])}
			list, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			for ; len(list) > 0; list = list[len(key{}):] {
				at[key(list[:len(key{})])] = append(at[key(list[:len(key{})])], p)
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return at
}

type place struct {
	class  uint8
	bucket uint32
}

// width is that of a bucket, and so how late the sweep may come.
const width = time.Duration(1<<20) * time.Millisecond

// TestReadmittedLivesAndDiesAnew: what was refused and came again has one place on the agenda of its second life, and when that is
// over it is remembered as long as every other.
func TestReadmittedLivesAndDiesAnew(t *testing.T) {
	c := newClock()
	conf := store.Config{Dir: t.TempDir(), Clock: c.Clock()}
	s := open(t, conf)
	m, beside := lasting(t, "refused for a while", protocol.MaxLifetime), lasting(t, "beside it in every list", protocol.MaxLifetime)
	put(t, s, store.Item{Message: m}, store.Item{Message: beside})
	c.advance(day)
	if err := s.Remove(t.Context(), []protocol.ID{m.ID}, store.Refused); err != nil {
		t.Fatal(err)
	}
	c.advance(2 * day)
	if err := s.Readmit(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := 3 * day // when its second life begins
	if v := put(t, s, store.Item{Message: m}); v[0] != protocol.Accept {
		t.Fatal(v)
	}
	shut(t, s)
	living, dead := agenda(t, conf.Dir, 'e'), agenda(t, conf.Dir, 'x')
	if got := living[keyOf(m)]; len(got) != 1 || got[0].bucket != uint32((second+protocol.MaxLifetime)/width) {
		t.Errorf("it may expire at %v, want one place, in bucket %d", got, (second+protocol.MaxLifetime)/width)
	}
	if got := living[keyOf(beside)]; len(got) != 1 || got[0].bucket != uint32(protocol.MaxLifetime/width) {
		t.Errorf("the one beside it may expire at %v", got)
	}
	if len(dead) != 0 {
		t.Errorf("nobody is dead, but %v may be forgotten", dead)
	}

	s = open(t, conf)
	defer shut(t, s)
	c.advance(protocol.MaxLifetime - second + width) // the first life would be over
	sweep(t, s)
	checkGone(t, s, beside)
	if _, err := s.Get(m.ID); err != nil {
		t.Errorf("it died with its first life: %v", err)
	}
	c.advance(second) // and now the second is
	sweep(t, s)
	checkGone(t, s, m)
	if st := s.Stats(); st.Messages != 0 || st.Tombstones != 2 || st.Expired != 2 {
		t.Errorf("2 messages expired, none is kept: %+v", st)
	}
	c.advance(day + protocol.Remember - protocol.MaxLifetime - second) // the first death is long enough ago to be forgotten
	sweep(t, s)
	checkGone(t, s, m)
	c.advance(second + protocol.MaxLifetime) // and now the second is
	sweep(t, s)
	if v := s.Known(m.ID); v != protocol.Accept {
		t.Errorf("remembered for ever: %v", v)
	}
	if st := s.Stats(); st.Tombstones != 0 || st.Expired != 2 {
		t.Errorf("nothing is left: %+v", st)
	}
}

// TestReadmitLeavesTheRestOfTheAgenda: of many in the same lists those go that were refused, and those that never were kept.
func TestReadmitLeavesTheRestOfTheAgenda(t *testing.T) {
	c := newClock()
	conf := store.Config{Dir: t.TempDir(), Clock: c.Clock()}
	s := open(t, conf)
	tmpl := template(t, protocol.Text, 200)
	var items []store.Item
	for n := range uint64(3000) {
		items = append(items, store.Item{Message: forge(t, tmpl, start+n, n)})
	}
	put(t, s, items[:2000]...)
	by := [3][]protocol.ID{} // those that stay, are refused, are removed
	for n, it := range items[:2000] {
		by[n%3] = append(by[n%3], it.Message.ID)
	}
	var strangers []key
	for _, it := range items[2000:] {
		strangers = append(strangers, keyOf(it.Message))
	}
	if err := errors.Join(
		s.Remove(t.Context(), by[1], store.Refused), s.Remove(t.Context(), by[2], store.Removed), s.Refuse(t.Context(), strangers),
	); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to do
		if err := s.Readmit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if st := s.Stats(); st.Messages != int64(len(by[0])) || st.Tombstones != int64(len(by[2])) {
		t.Errorf("%d are kept and %d dead, want %d and %d", st.Messages, st.Tombstones, len(by[0]), len(by[2]))
	}
	put(t, s, items...)
	shut(t, s)
	living, dead := agenda(t, conf.Dir, 'e'), agenda(t, conf.Dir, 'x')
	for n, it := range items {
		k, removed := keyOf(it.Message), n < 2000 && n%3 == 2
		if removed && len(dead[k]) != 1 {
			t.Fatalf("message %d was removed, and is to be forgotten %d times", n, len(dead[k]))
		}
		if !removed && (len(living[k]) != 1 || len(dead[k]) != 0) {
			t.Fatalf("message %d is kept, and on the agendas %d and %d times", n, len(living[k]), len(dead[k]))
		}
	}
}
