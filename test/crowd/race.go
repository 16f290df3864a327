//go:build race

package crowd

import "runtime"

const raced = true

// With several processors the race detector can fail an assertion of its own in a bubble (golang/go#78156): under it a run
// has one. The goroutines still interleave, and what the detector watches is order, not parallelism.
func oneProcessor() (restore func()) {
	n := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(n) }
}
