package store

import "time"

// Clock is where a store reads the time. Nil fields are the real clocks; tests of skewed and stepping clocks
// inject their own.
type Clock struct {
	// Wall is the time of day: for display, and to bridge the time a node was off.
	Wall func() time.Time
	// Mono is a time that never steps, from any origin.
	Mono func() time.Duration
}

// maxOff is the longest time off that the wall clock is believed about. A clock that was reset, or set to
// another decade, must neither expire everything nor keep it for ever.
const maxOff = 30 * 24 * time.Hour

// clock counts the node's running time: the time it has been up since the store was made, plus the
// believable times it was off. Ages and expiry are measured in it alone.
type clock struct {
	wall func() time.Time
	mono func() time.Duration
	base time.Duration // running time at mono 0
}

// newClock continues a running time that was last written down as ran at the wall time at.
func newClock(c Clock, ran time.Duration, at time.Time) clock {
	k := clock{wall: c.Wall, mono: c.Mono}
	if k.wall == nil {
		k.wall = time.Now
	}
	if k.mono == nil {
		start := time.Now()
		k.mono = func() time.Duration { return time.Since(start) }
	}
	if !at.IsZero() {
		if off := k.wall().Sub(at); off > 0 && off <= maxOff {
			ran += off
		}
	}
	k.base = ran - k.mono()
	return k
}

// running is the running time now.
func (k *clock) running() time.Duration { return k.base + k.mono() }

// wallMilli is the wall clock in ms since 1970, cut to what 48 bits hold.
func (k *clock) wallMilli() uint64 {
	return uint64(min(max(k.wall().UnixMilli(), 0), 1<<48-1))
}
