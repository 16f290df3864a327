//go:build race

package node_test

import "runtime"

// With several processors the race detector can fail an assertion of its own in a bubble (golang/go#78156): under it a world
// has one. The goroutines still interleave, and what the detector watches is order, not parallelism.
func oneProcessor() (restore func()) {
	n := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(n) }
}
