//go:build unix

package figure

import (
	"syscall"
	"time"
)

// CPU is the time this process has spent on all cores, in user and system mode. On a shared machine it changes far
// less than the wall clock.
func CPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
