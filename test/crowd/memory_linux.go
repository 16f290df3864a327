package crowd

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
)

// peakMemory is the most bytes that the process has had resident since forgetPeak.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, line, _ := bytes.Cut(status, []byte("\nVmHWM:"))
	if fields := bytes.Fields(line); len(fields) > 0 {
		kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err == nil {
			return kib << 10
		}
	}
	return 0
}

// forgetPeak gives back what is not used and counts the peak from there: a run would report what a larger one before it took. Where the
// kernel does not allow it the peak is the process's.
func forgetPeak() error {
	debug.FreeOSMemory()
	return os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}
