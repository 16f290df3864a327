package figure

import (
	"syscall"
	"time"
)

// CPU is the time this process has spent on all cores, in user and system mode. On a shared machine it changes far
// less than the wall clock.
func CPU() time.Duration {
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
