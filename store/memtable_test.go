package store_test

import (
	"bytes"
	"os"
	"path/filepath"
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
	}{
		{"a phone's with a small quota", false, 8 << 20, 600 << 10},
		{"a phone's with a large quota", false, 2 << 30, 1200 << 10},
		{"a hub's as a phone's", true, 0, 3 << 20},
		{"a hub's as a phone's with a large quota", true, 2 << 30, 1200 << 10},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.hub {
				t.Setenv("LONGEAR_TEST_HUB", "1")
			}
			dir, ids := t.TempDir(), []protocol.ID(nil)
			for try := 0; logged(t, dir) < tc.logged; try++ {
				if try == 20 {
					t.Fatalf("%d bytes in logs after %d runs, want %d", logged(t, dir), try, tc.logged)
				}
				dir = filepath.Join(t.TempDir(), "store [1]") // a name that would be a pattern
				ids = killedRun(t, exe, dir, time.Duration(300+200*try)*time.Millisecond)
			}
			conf := store.Config{Dir: dir, Quota: tc.quota}
			s := open(t, conf)
			if q := s.Stats().Quarantined; q != "" {
				t.Fatalf("moved aside to %s", q)
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

// logged is how much the fullest log of a store that was killed holds: the rest of it is zeros.
func logged(t *testing.T, dir string) (most int64) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "messages"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".mem") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, "messages", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, int64(len(bytes.TrimRight(b, "\x00"))))
	}
	return most
}
