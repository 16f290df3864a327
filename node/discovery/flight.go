package discovery

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

const (
	// maxDials is how many dials there are at a time on an air that has room. Half of them may be to places that never answered us, so that
	// forged ones cannot take the rest, and a quarter to one such address, so that one liar cannot take them all.
	maxDials = 8

	// A handshake within one segment takes milliseconds, but on a poor air where a crowd begins to connect they hold each other up until none
	// comes to its end, and all send again what was lost: 60 phones of 64 kbit/s that all hear each other made 13 links in eleven minutes.
	// So slow dials make fewer of them at a time, down to one, which is given more time.
	quickDial   = time.Second
	slowDial    = 2 * time.Second
	dialTimeout = 4 * time.Second
	lastTimeout = 10 * time.Second

	// Where not even one comes to its end there is a pause before the next, by chance and ever longer: at 32 kbit/s half of those phones have
	// links after five minutes, and without pauses a thirtieth.
	firstRest   = time.Second
	longestRest = 6 // doublings
)

// outcome is how a dial ended.
type outcome struct {
	dial
	took time.Duration
	near bool // the peer is in reach: it was heard meanwhile
	err  error
}

// flight counts the dials under way and learns how many there is room for. It belongs to the dial loop.
type flight struct {
	window     int // how many there may be, 1 to maxDials
	all, heard int
	hosts      map[netip.Addr]int

	failed int       // how often not even one at a time came to its end
	rest   time.Time // until then no dial begins to a place that never answered us
}

func newFlight() *flight { return &flight{window: maxDials, hosts: make(map[netip.Addr]int)} }

func (f *flight) room(d dial, now time.Time) bool {
	switch {
	case d.typed:
		return f.all < maxDials
	case f.all >= f.window:
		return false
	case !d.heard:
		return true
	}
	return !now.Before(f.rest) && f.heard < (f.window+1)/2 && (d.host.IsLoopback() || f.hosts[d.host] < (f.window+3)/4)
}

// timeout is what a dial is given that begins now.
func (f *flight) timeout() time.Duration {
	if f.window == 1 {
		return lastTimeout
	}
	return dialTimeout
}

func (f *flight) add(d dial, n int) {
	f.all += n
	if d.heard {
		f.heard += n
		if f.hosts[d.host] += n; f.hosts[d.host] == 0 {
			delete(f.hosts, d.host)
		}
	}
}

// ended learns from a dial. Who is out of reach by now says nothing about the air: those who walk would soon meet everybody too late.
func (f *flight) ended(o outcome, now time.Time) {
	slow := o.took >= slowDial && o.near
	switch {
	case slow && f.window > 1:
		f.window = max(1, f.window-2)
	case slow && o.err != nil:
		f.failed = min(f.failed+1, longestRest)
		f.rest = now.Add(rand.N(firstRest << f.failed))
	case slow:
		f.failed = max(0, f.failed-1)
	case o.err == nil && o.took < quickDial:
		f.window = min(f.window+1, maxDials)
		f.failed = 0
	}
}
