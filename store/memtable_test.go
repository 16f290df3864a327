package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// TestSmallerMemtableAfterKill: what a killed process left in a log of a large memtable is there when the store is opened with smaller ones: for
// a quota so small or so large, or as a phone's, as verbs without a relay open a hub's.
func TestSmallerMemtableAfterKill(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		hub    bool
		quota  int64
		logged int64 // more than the smaller memtable holds
		log    int64 // of the smaller memtable: what the next one to be killed leaves
	}{
		{"a phone's with a small quota", false, 8 << 20, 600 << 10, 512 << 10},
		{"a phone's with a large quota", false, 2 << 30, 1200 << 10, 1536 << 10},
		{"a hub's as a phone's", true, 0, 3 << 20, 4 << 20},
		{"a hub's as a phone's with a large quota", true, 2 << 30, 1200 << 10, 1536 << 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.hub {
				t.Setenv("LONGEAR_TEST_HUB", "1")
			}
			dir := filepath.Join(t.TempDir(), "store [1]") // a name that would be a pattern
			ids := killedAt(t, exe, dir, tc.logged)
			conf := store.Config{Dir: dir, Quota: tc.quota}
			s := open(t, conf)
			if q := s.Stats().Quarantined; q != "" {
				t.Fatalf("moved aside to %s", q)
			}
			if got := logs(t, dir); !slices.Equal(got, []int64{tc.log}) {
				t.Errorf("logs of %d bytes, want one of %d", got, tc.log)
			}
			for _, id := range ids {
				if _, err := s.Get(id); err != nil {
					t.Fatalf("acknowledged %v is lost: %v", id, err)
				}
			}
			put(t, s, store.Item{Message: text(t, time.Now(), "after")})
			shut(t, s)
			s = open(t, conf)
			if v := s.Known(text(t, time.UnixMilli(1), "never").ID); v != protocol.Accept {
				t.Errorf("an unknown ID is %v", v)
			}
			shut(t, s)
		})
	}
}

// killedAt kills a writing process once a log of its store holds so much, and returns what it had acknowledged.
func killedAt(t *testing.T, exe, dir string, much int64) []protocol.ID {
	t.Helper()
	done := make(chan struct{})
	defer close(done)
	return killedWhen(t, exe, dir, func(kill func()) {
		go func() {
			for !holds(dir, much) {
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
			kill()
		}()
	})
}

// holds reports whether a log of a store holds so much: the rest of it is zeros.
func holds(dir string, much int64) bool {
	entries, err := os.ReadDir(filepath.Join(dir, "messages"))
	if err != nil {
		return false // not yet
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".mem") {
			continue
		}
		f, err := os.Open(filepath.Join(dir, "messages", e.Name()))
		if err != nil {
			continue
		}
		b := make([]byte, 4096)
		n, _ := f.ReadAt(b, much)
		f.Close()
		if len(bytes.Trim(b[:n], "\x00")) > 0 {
			return true
		}
	}
	return false
}

// logs are the sizes of the logs of a store.
func logs(t *testing.T, dir string) (sizes []int64) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "messages"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		i, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(e.Name(), ".mem") {
			sizes = append(sizes, i.Size())
		}
	}
	return sizes
}
