package store_test

import (
	"io/fs"
	"syscall"
	"time"
)

// blocks is what a file takes on disk, or more.
func blocks(i fs.FileInfo) int64 { return i.Size() }

// cpu is the processor time this process has used.
func cpu() time.Duration {
	p, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, ended, kernel, user syscall.Filetime
	if syscall.GetProcessTimes(p, &created, &ended, &kernel, &user) != nil {
		return 0
	}
	// Both are in units of 100 ns since the process began, though their type counts from 1601.
	hundreds := func(f syscall.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) }
	return time.Duration(100 * (hundreds(kernel) + hundreds(user)))
}
