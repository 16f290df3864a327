package store_test

import (
	"os"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// TestSmallerQuotaAfterKill: what a killed process left in a log of a large memtable is there when the store is opened with a quota so small, or so
// large, that memtables are smaller.
func TestSmallerQuotaAfterKill(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, quota := range []int64{8 << 20, 2 << 30} {
		dir := t.TempDir()
		ids := killedRun(t, exe, dir, 600*time.Millisecond)
		s := open(t, store.Config{Dir: dir, Quota: quota})
		if q := s.Stats().Quarantined; q != "" {
			t.Fatalf("quota %d: moved aside to %s", quota, q)
		}
		for _, id := range ids {
			if _, err := s.Get(id); err != nil {
				t.Fatalf("quota %d: acknowledged %v is lost: %v", quota, id, err)
			}
		}
		put(t, s, store.Item{Message: text(t, time.Now(), "after")})
		shut(t, s)
		s = open(t, store.Config{Dir: dir, Quota: quota})
		if v := s.Known(text(t, time.UnixMilli(1), "never").ID); v != protocol.Accept {
			t.Errorf("quota %d: an unknown ID is %v", quota, v)
		}
		shut(t, s)
	}
}
