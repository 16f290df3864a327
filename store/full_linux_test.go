package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longear/protocol"
	"longear/store"
)

// TestDiskFull fills a real, small file system: by the store, then by somebody else to the last byte. The process lives, reads go on, and the
// store opens while the disk is full.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=112m"); err != nil {
		t.Skipf("SKIPPED: a full disk needs root, to mount a small one: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	home := filepath.Join(dir, "store")
	s := open(t, store.Config{Dir: home})
	mine := text(t, time.UnixMilli(start), "mine")
	put(t, s, store.Item{Message: mine, Own: true})
	f := &feed{tmpl: template(t, protocol.Media, 20_000)}
	var last []protocol.Verdict
	for n := 0; n < 10_000 && !full(last); n += 50 {
		last = put(t, s, f.batch(t, 50)...)
	}
	if !full(last) {
		t.Fatal("the disk never filled")
	}
	settle(t, home)
	// Somebody else takes the rest.
	hog := filepath.Join(dir, "hog")
	fillDisk(t, hog)
	if v := put(t, s, f.batch(t, 10)...); !full(v) {
		t.Errorf("verdicts on a full disk: %v", v)
	}
	if e, err := s.Get(mine.ID); err != nil || !e.Message.Equal(mine) {
		t.Errorf("reading on a full disk: %v", err)
	}
	if err := s.Remove(context.Background(), []protocol.ID{mine.ID}, store.Removed); !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("removing on a full disk: %v", err)
	}
	if err := s.Sync(); err != nil {
		t.Errorf("sync on a full disk: %v", err)
	}
	// Close has something to write, so the other must have left a little by then.
	freeUp(t, hog, 24<<20)
	shut(t, s)
	s = open(t, store.Config{Dir: home})
	if s.Stats().Quarantined != "" {
		t.Error("a full disk is no damage")
	}
	if e, err := s.Get(mine.ID); err != nil || !e.Message.Equal(mine) {
		t.Errorf("after opening on a full disk: %v", err)
	}
	if v := put(t, s, f.batch(t, 10)...); !full(v) {
		t.Errorf("verdicts after opening on a full disk: %v", v)
	}
	shut(t, s)
	// With nothing left at all the store says so, and how to help.
	fillDisk(t, hog+"2")
	if _, err := store.Open(store.Config{Dir: home}); !errors.Is(err, store.ErrNoSpace) {
		t.Errorf("opening with no space: %v", err)
	}
	// The store itself has filled the disk up to its reserve, so room for more takes a larger one.
	grow := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=256m")
	if err := errors.Join(os.Remove(hog), os.Remove(hog+"2"), grow); err != nil {
		t.Fatal(err)
	}
	s = open(t, store.Config{Dir: home})
	defer shut(t, s)
	if v := put(t, s, f.batch(t, 1)...); v[0] != protocol.Accept {
		t.Errorf("with space again: %v", v[0])
	}
	checkTrie(t, s)
}

func full(v []protocol.Verdict) bool { return len(v) > 0 && v[len(v)-1] == protocol.IgnoreFull }

// settle waits until Badger has written what it had under way: the size of the folder stands still for a second.
func settle(t *testing.T, dir string) {
	t.Helper()
	still, last := 0, int64(-1)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		<-tick.C
		var now unix.Statfs_t
		if err := unix.Statfs(dir, &now); err != nil {
			t.Fatal(err)
		}
		if free := int64(now.Bavail); free != last {
			still, last = 0, free
		} else if still++; still == 10 {
			return
		}
	}
	t.Fatal("the store never came to rest")
}

// fillDisk writes a file until there is no space left.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

// freeUp cuts so much off a file.
func freeUp(t *testing.T, path string, n int64) {
	t.Helper()
	i, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, i.Size()-n)
	}
	if err != nil {
		t.Fatal(err)
	}
}
