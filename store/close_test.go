package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// TestCloseReturns holds up what closes a store: each call of Close ends after 5 seconds of virtual time and says that nothing is lost,
// which the folder as it is then bears out, as a process that ends now leaves it. Closing goes on, and the next call tells how it ended.
func TestCloseReturns(t *testing.T) {
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	const n = 3000
	f := newFeed(t, false)
	synctest.Test(t, func(t *testing.T) {
		var stuck atomic.Bool
		disk := make(chan struct{})
		s := open(t, store.Config{Dir: dir, FreeSpace: func(string) (uint64, error) {
			if stuck.Load() {
				<-disk
			}
			return 1 << 40, nil
		}})
		for range n / 500 {
			put(t, s, f.batch(t, 500)...)
		}
		stuck.Store(true)
		closeLate(t, s)
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(protocol.ID{}); !errors.Is(err, store.ErrClosed) {
			t.Errorf("reading while it closes: %v", err)
		}
		if _, err := store.Open(store.Config{Dir: dir}); !errors.Is(err, store.ErrLocked) {
			t.Errorf("opening while it closes: %v", err)
		}
		closeLate(t, s)
		close(disk)
		shut(t, s)
		if err := s.Close(); !errors.Is(err, store.ErrClosed) {
			t.Errorf("closing what is closed: %v", err)
		}
	})
	for _, d := range []string{copied, dir} {
		s := open(t, store.Config{Dir: d})
		if got := count(s.Newest()); got != n {
			t.Errorf("%d messages are there, want %d", got, n)
		}
		checkTrie(t, s)
		shut(t, s)
	}
}

// TestCloseWaitsForReaders never closes the files under somebody who reads, however long, and does it when they are done.
func TestCloseWaitsForReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Config{Dir: t.TempDir()})
		m := text(t, time.UnixMilli(start), "read for long")
		put(t, s, store.Item{Message: m})
		inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			left <- s.View(func(v *store.View) error {
				close(inside)
				<-leave
				for _, err := range v.Range(reconcile.Prefix{}, key{}) {
					if err != nil {
						return err
					}
				}
				return nil
			})
		}()
		<-inside
		closeLate(t, s)
		close(leave)
		if err := <-left; err != nil {
			t.Errorf("reading after Close gave up: %v", err)
		}
		shut(t, s)
	})
}

// closeLate calls Close, which must give up after its 5 seconds.
func closeLate(t *testing.T, s *store.Store) {
	t.Helper()
	began := time.Now()
	if err := s.Close(); !errors.Is(err, store.ErrUnfinished) {
		t.Errorf("closing while that is held up: %v", err)
	}
	if took := time.Since(began); took != 5*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// TestCloseAfterMuch closes a hub's store with everything under way that taking in a lot leaves: memtables to write and, at full size,
// hundreds of megabytes that are being merged. What was acknowledged is there when it is opened next.
func TestCloseAfterMuch(t *testing.T) {
	n := 60_000
	if *long {
		n = 1_000_000
	}
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir, Profile: store.Hub})
	f := newFeed(t, false)
	for range n / 500 {
		put(t, s, f.batch(t, 500)...)
	}
	began, err := time.Now(), s.Close()
	for ; errors.Is(err, store.ErrUnfinished); err = s.Close() {
		t.Logf("after %v: %v", time.Since(began), err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v", time.Since(began))
	s = open(t, store.Config{Dir: dir, Profile: store.Hub})
	defer shut(t, s)
	if got := count(s.Newest()); got != n {
		t.Errorf("%d messages are there, want %d", got, n)
	}
}
