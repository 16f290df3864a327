package store

import (
	"testing"
	"time"

	"longear/protocol"
)

// TestMediaOfAnOlderStore: a store whose state was written before media was counted is counted when it is opened.
func TestMediaOfAnOlderStore(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 64)
	for i := range 7 {
		m, err := protocol.Sign(key, protocol.Draft{Created: uint64(i + 1), Class: protocol.Class(i % 3), Body: make([]byte, 1000*i+1)})
		if err != nil {
			t.Fatal(err)
		}
		if v, err := s.Put(t.Context(), []Item{{Message: m, Age: time.Second}}); err != nil || v[0] != protocol.Accept {
			t.Fatal(v, err)
		}
	}
	want := s.Stats().Media
	if err := s.write(func(b *batch) error {
		v := b.state.append(nil)[:oldState]
		if err := b.set(stateKey(), v); err != nil {
			return err
		}
		return b.txn.Commit()
	}); err == nil {
		t.Fatal("a second commit of one batch")
	}
	if err := s.db.Close(); err != nil { // not the store: it would write its state again
		t.Fatal(err)
	}
	s.lock.Close()
	if s, err = Open(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if got := s.Stats().Media; got != want || want < 6000 {
		t.Errorf("%d bytes of media, %d before", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
