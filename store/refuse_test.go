package store_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"runtime"
	"testing"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// TestRefuseAuthors: all of an author goes but what was written here, stays away, and is let in again.
func TestRefuseAuthors(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Clock: c.Clock()})
	defer shut(t, s)
	wall := time.UnixMilli(1_800_000_000_000)
	var theirs, others []store.Item
	seed := make([]byte, ed25519.SeedSize)
	binary.BigEndian.PutUint64(seed, 7)
	key := ed25519.NewKeyFromSeed(seed)
	for n := range 1500 { // more than one turn of the writer's
		m, err := protocol.Sign(key, protocol.Draft{Created: uint64(wall.UnixMilli()) + uint64(n), Class: protocol.Class(n % 3)})
		if err != nil {
			t.Fatal(err)
		}
		theirs = append(theirs, store.Item{Message: m})
	}
	for n := range 5 {
		others = append(others, store.Item{Message: text(t, wall.Add(time.Duration(n)*time.Second), "others")})
	}
	own, err := protocol.Sign(key, protocol.Draft{Created: 9, Body: []byte("written here")})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, theirs...)
	put(t, s, others[0], store.Item{Message: own, Own: true})
	removed := put(t, s, others[1])
	if err := s.Remove(t.Context(), []protocol.ID{others[1].Message.ID}, store.Removed); err != nil || removed[0] != protocol.Accept {
		t.Fatal(err)
	}
	gone, err := s.RefuseAuthors(t.Context(), func(a protocol.Author) bool { return a == theirs[0].Message.Author })
	if st := s.Stats(); err != nil || gone != len(theirs) || st.Messages != 2 || st.Tombstones != 1501 {
		t.Fatal(gone, err, st.Messages, st.Tombstones)
	}
	for _, v := range put(t, s, theirs...) {
		if v != protocol.IgnoreDead {
			t.Fatal("came back:", v)
		}
	}
	if err := s.Readmit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Tombstones != 1 {
		t.Errorf("%d tombstones are left; the one of what the person removed stays", st.Tombstones)
	}
	for _, v := range put(t, s, theirs...) {
		if v != protocol.Accept {
			t.Fatal("not let in again:", v)
		}
	}
}

// stranger is the key of a message that nobody wrote.
func stranger(n int) key {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	return reconcile.NewKey(uint8(n%3), uint64(n), sha256.Sum256(b[:]))
}

// refuse refuses strangers, some at a time.
func refuse(t *testing.T, s *store.Store, many, some int) {
	t.Helper()
	for n := 0; n < many; n += some {
		var keys []key
		for i := n; i < min(n+some, many); i++ {
			keys = append(keys, stranger(i))
		}
		if err := s.Refuse(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
	}
}

// checkReadmitted checks that none of so many strangers is refused.
func checkReadmitted(t *testing.T, s *store.Store, many int) {
	t.Helper()
	if got := s.Stats().Tombstones; got != 0 {
		t.Errorf("%d tombstones are left", got)
	}
	for n := range many {
		if v := s.Known(protocol.ID(stranger(n).ID())); v != protocol.Accept {
			t.Fatalf("stranger %d is %v", n, v)
		}
	}
}

// turns looks whenever a writer waits for its turn.
type turns struct {
	context.Context
	look func()
}

func (t turns) Done() <-chan struct{} {
	t.look()
	return t.Context.Done()
}

// readmitUntil is interrupted while it waits for a turn.
func readmitUntil(t *testing.T, s *store.Store, turn int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	err := s.Readmit(turns{ctx, func() {
		if n++; n == turn {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted in turn %d, and it says %v", turn, err)
	}
}

// TestReadmitTakesLittleMemory: a large phone may have refused a million messages, and one that is ended for the memory tries again at each start.
func TestReadmitTakesLittleMemory(t *testing.T) {
	const enough = 40
	many := 30_000
	if testing.Short() {
		many = 10_000
	}
	conf := store.Config{Dir: t.TempDir(), Quota: 1 << 30}
	s := open(t, conf)
	refuse(t, s, many, 5000)
	shut(t, s)
	s = open(t, conf)
	defer shut(t, s)
	live := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before, taken := live(), 0
	ctx := turns{t.Context(), func() {
		if taken == 0 { // before the database takes memory for what is written
			taken = live() - before
		}
	}}
	if err := s.Readmit(ctx); err != nil {
		t.Fatal(err)
	}
	if each := taken / many; taken == 0 || each >= enough {
		t.Errorf("%d bytes for each that was refused, want less than %d", each, enough)
	}
	checkReadmitted(t, s, many)
}

// TestReadmitInManySteps: an agenda of many entries is gone through to its end, and so are those who are on none, because it was damaged. Who was
// interrupted begins again.
func TestReadmitInManySteps(t *testing.T) {
	for _, tt := range []struct {
		why        string
		many, some int
		damage     bool
		stop       int // in which turn; 0: in none
	}{
		{"each on an entry of its own", 400, 1, false, 0},
		{"the same, interrupted", 400, 1, false, 3},
		{"no agenda", 2000, 500, true, 0},
		{"the same, interrupted", 2000, 500, true, 3},
	} {
		t.Run(tt.why, func(t *testing.T) {
			conf := store.Config{Dir: t.TempDir()}
			s := open(t, conf)
			refuse(t, s, tt.many, tt.some)
			shut(t, s)
			if tt.damage {
				db := openData(t, conf.Dir)
				if err := errors.Join(db.DropPrefix([]byte{'x'}), db.Close()); err != nil {
					t.Fatal(err)
				}
			}
			if tt.stop > 0 {
				s = open(t, conf)
				readmitUntil(t, s, tt.stop)
				if left := s.Stats().Tombstones; left == 0 || left == int64(tt.many) {
					t.Errorf("interrupted when %d of %d were left", left, tt.many)
				}
				shut(t, s)
			}
			s = open(t, conf)
			if err := s.Readmit(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkReadmitted(t, s, tt.many)
			shut(t, s)
			if dead := agenda(t, conf.Dir, 'x'); len(dead) != 0 {
				t.Errorf("%d may be forgotten, and none is dead", len(dead))
			}
		})
	}
}
