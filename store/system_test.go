//go:build unix

package store_test

import (
	"io/fs"
	"syscall"
	"time"
)

// blocks is what a file takes on disk: Badger's logs are mostly holes.
func blocks(i fs.FileInfo) int64 {
	if st, ok := i.Sys().(*syscall.Stat_t); ok {
		return int64(st.Blocks) * 512
	}
	return i.Size()
}

// cpu is the processor time this process has used, compactions and collections included.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
