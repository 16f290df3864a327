package crowd

import (
	"runtime"
	"testing"
)

// TestPeakIsTheRuns: what a run took is not reported by the next one.
func TestPeakIsTheRuns(t *testing.T) {
	const much = 256 << 20
	b := make([]byte, much)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	before := peakMemory()
	runtime.KeepAlive(b)
	b = nil
	if err := forgetPeak(); err != nil {
		t.Skipf("SKIPPED: the kernel does not let a process forget its peak: %v", err)
	}
	if now := peakMemory(); before < much || now == 0 || now > before-much/2 {
		t.Errorf("the peak was %d bytes and is %d once %d of them are given back", before, now, much)
	}
}
