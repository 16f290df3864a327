package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"longear/store"
)

// TestCalmStoreGivesMemoryBack writes tables, waits until the store is calm, and looks what of them is still in memory. Then
// everything is read.
func TestCalmStoreGivesMemoryBack(t *testing.T) {
	dir := t.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Type == unix.TMPFS_MAGIC {
		t.Skipf("SKIPPED: what is in memory only cannot be given back: %v", err)
	}
	f := newFeed(t, false)
	synctest.Test(t, func(t *testing.T) {
		s := open(t, store.Config{Dir: dir})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		for range 60 {
			put(t, s, f.batch(t, 500)...)
		}
		before := residentTables(t, dir)
		time.Sleep(time.Minute)
		synctest.Wait()
		after := residentTables(t, dir)
		t.Logf("%d KiB of tables in memory after writing, %d when calm", before, after)
		if before < 1024 || after > before/4 {
			t.Errorf("%d KiB of tables in memory after writing, %d when calm", before, after)
		}
		if n := count(s.Newest()); n != 30_000 {
			t.Errorf("%d messages are read afterwards", n)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		shut(t, s)
	})
}

// residentTables is how many KiB of a store's tables this process has in memory.
func residentTables(t *testing.T, dir string) (kib int) {
	t.Helper()
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ours := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if at := strings.IndexByte(line, '/'); at > 0 {
			ours = strings.HasPrefix(line[at:], dir) && filepath.Ext(line) == ".sst"
		}
		var n int
		if _, err := fmt.Sscanf(line, "Rss: %d kB", &n); err == nil && ours {
			kib += n
		} else if _, err := fmt.Sscanf(line, "%x-%x ", new(uint64), new(uint64)); err == nil && !strings.Contains(line, "/") {
			ours = false
		}
	}
	return kib
}
