package discovery_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"longear/node/discovery"
)

func at(p peer.ID, addrs ...string) peer.AddrInfo {
	info := peer.AddrInfo{ID: p}
	for _, a := range addrs {
		info.Addrs = append(info.Addrs, ma.StringCast(a))
	}
	return info
}

// rig is a ladder with no rungs of its own on 10.0.0.0/16, in virtual time.
func rig(t *testing.T, self peer.ID, d *dialer, degree int) *discovery.Ladder {
	l := newLadder(t, discovery.Config{Self: self, Dialer: d, Off: quiet, Degree: degree, Watcher: watcher(wlan("10.0.0.1/16"))})
	d.noted = l
	start(t, l)
	return l
}

func see(l *discovery.Ladder, info peer.AddrInfo) { l.Sight(discovery.WifiDirect, info) }

// Of two that see each other the lower ID dials at once, the other gives it four tenths of a second and up to as much again.
func TestLowerDialsFirst(t *testing.T) {
	low, high := lowAndHigh(t)
	for _, c := range []struct {
		name        string
		self, other peer.ID
		min, max    time.Duration
	}{
		{"we are lower", low, high, 0, 0},
		{"we are higher", high, low, 400 * time.Millisecond, 800 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &dialer{}
				l := rig(t, c.self, d, 0)
				began := time.Now()
				see(l, at(c.other, "/ip4/10.0.0.2/tcp/4001"))
				time.Sleep(3 * time.Second)
				got := d.made()
				if len(got) != 1 {
					t.Fatalf("%d dials, want 1", len(got))
				}
				if after := got[0].at.Sub(began); after < c.min || after > c.max {
					t.Errorf("dialled after %v, want %v to %v", after, c.min, c.max)
				}
				if l.Found(c.other) != discovery.WifiDirect || line(t, l, discovery.WifiDirect).Found != 1 {
					t.Errorf("found by %q, status %+v", l.Found(c.other), line(t, l, discovery.WifiDirect))
				}
			})
		})
	}
}

// While the higher waits the link may come up from the other side.
func TestNoDialIntoALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low, high := lowAndHigh(t)
		d := &dialer{}
		l := rig(t, high, d, 0)
		see(l, at(low, "/ip4/10.0.0.2/tcp/4001"))
		time.Sleep(300 * time.Millisecond)
		d.met(low, ma.StringCast("/ip4/10.0.0.2/tcp/50000"))
		for range 30 {
			see(l, at(low, "/ip4/10.0.0.2/tcp/4001"))
			time.Sleep(5 * time.Second)
		}
		if n := len(d.made()); n != 0 {
			t.Errorf("%d dials to a connected peer", n)
		}
	})
}

// A link that the host does not have any more is found out, also if nobody said so.
func TestForgottenLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low, high := lowAndHigh(t)
		d := &dialer{}
		l := rig(t, low, d, 0)
		l.Connected(high, nil) // the host does not have it
		for range 30 {
			see(l, at(high, "/ip4/10.0.0.2/tcp/4001"))
			time.Sleep(5 * time.Second)
		}
		if n := len(d.made()); n != 1 {
			t.Errorf("%d dials, want 1", n)
		}
	})
}

// A peer that cannot be reached is tried for as long as it is heard, ever more slowly, and again when it comes back.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		low, high := lowAndHigh(t)
		var up atomic.Bool
		d := &dialer{err: func(peer.AddrInfo) error {
			if !up.Load() {
				return errors.New("connection refused")
			}
			return nil
		}}
		l := rig(t, low, d, 0)
		for range 60 { // five minutes
			see(l, at(high, "/ip4/10.0.0.2/tcp/4001"))
			time.Sleep(5 * time.Second)
		}
		n := len(d.made())
		if n < 9 || n > 20 {
			t.Errorf("%d dials in five minutes, want about 13", n)
		}
		gap := time.Duration(0)
		for k, a := range d.made()[1:] {
			gap = max(gap, a.at.Sub(d.made()[k].at))
		}
		if gap > 42*time.Second {
			t.Errorf("longest pause %v, want at most 42 s", gap)
		}
		time.Sleep(time.Minute)
		n = len(d.made())
		time.Sleep(10 * time.Minute)
		if got := len(d.made()); got != n {
			t.Errorf("%d dials to a peer not heard any more", got-n)
		}
		up.Store(true)
		began := time.Now()
		see(l, at(high, "/ip4/10.0.0.2/tcp/4001"))
		synctest.Wait()
		made := d.made()
		if last := made[len(made)-1]; len(made) != n+1 || !last.at.Equal(began) {
			t.Errorf("back after the gap: %d dials, the last %v later; want one at once", len(made)-n, last.at.Sub(began))
		}
		// Lost again: redialled without waiting for the next sighting.
		d.drop(high)
		time.Sleep(time.Second)
		if got := len(d.made()); got != n+2 {
			t.Errorf("after a lost link %d more dials, want 1", got-n-1)
		}
	})
}

// At most 4 dials at a time, at most 2 of them to one address.
func TestDialsBounded(t *testing.T) {
	for _, c := range []struct {
		name string
		host func(int) int
		most int
	}{
		{"many hosts", func(k int) int { return k }, 4},
		{"one host", func(int) int { return 9 }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &dialer{took: 3 * time.Second}
				l := rig(t, peerID(t, 0), d, 100)
				for k := range 20 {
					see(l, at(peerID(t, k+1), fmt.Sprintf("/ip4/10.0.1.%d/tcp/4001", c.host(k+2))))
				}
				time.Sleep(20 * time.Second)
				if n := d.peak(); n != c.most {
					t.Errorf("%d dials at a time, want %d", n, c.most)
				}
			})
		})
	}
}

// Degree links are sought; after that one more now and then, so that crowds that meet do not stay strangers.
func TestDegree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{}
		l := rig(t, peerID(t, 0), d, 5)
		hear := func() {
			for k := range 25 {
				see(l, at(peerID(t, k+1), fmt.Sprintf("/ip4/10.0.1.%d/tcp/4001", k+2)))
			}
		}
		for range 3 {
			hear()
			time.Sleep(5 * time.Second)
		}
		if n := len(d.made()); n != 5 {
			t.Errorf("%d dials in 15 s, want 5", n)
		}
		for range 24 {
			hear()
			time.Sleep(5 * time.Second)
		}
		if n := len(d.made()) - 5; n < 2 || n > 7 {
			t.Errorf("%d dials above the degree in two minutes, want 3 to 6", n)
		}
	})
}

// Dials end with Run: the dialer's context is cancelled and Run waits.
func TestRunEndsDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{took: time.Hour}
		l := newLadder(t, discovery.Config{Self: peerID(t, 0), Dialer: d, Off: quiet, Watcher: watcher(wlan("10.0.0.1/16"))})
		stop := start(t, l)
		see(l, at(peerID(t, 1), "/ip4/10.0.0.2/tcp/4001"))
		time.Sleep(2500 * time.Millisecond)
		if n := d.underWay(); n != 1 {
			t.Fatalf("%d dials under way, want 1", n)
		}
		began := time.Now()
		stop()
		if n := d.underWay(); n != 0 || time.Since(began) != 0 {
			t.Errorf("%d dials under way after Run returned, which took %v", n, time.Since(began))
		}
	})
}
