//go:build !linux

package crowd

// peakMemory is not known here: each system counts it in another unit, or not at all.
func peakMemory() int64 { return 0 }

// forgetPeak has nothing to forget.
func forgetPeak() error { return nil }
