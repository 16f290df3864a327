//go:build unix

package store_test

import (
	"io/fs"
	"syscall"
)

// blocks is what a file takes on disk: Badger's logs are mostly holes.
func blocks(i fs.FileInfo) int64 {
	if st, ok := i.Sys().(*syscall.Stat_t); ok {
		return int64(st.Blocks) * 512
	}
	return i.Size()
}
