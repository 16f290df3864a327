//go:build !race

package crowd

// raced says that the race detector is on, which makes a crowd ten times as slow.
const raced = false

func oneProcessor() (restore func()) { return func() {} }
