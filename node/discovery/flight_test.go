package discovery_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node/discovery"
)

// crowd is so many peers at addresses of their own.
func crowd(t *testing.T, n int) (out []peer.AddrInfo) {
	for k := range n {
		out = append(out, at(peerID(t, k+1), fmt.Sprintf("/ip4/10.0.1.%d/tcp/4001", k+2)))
	}
	return out
}

// hear lets the peers be heard every two seconds.
func hear(l *discovery.Ladder, peers []peer.AddrInfo, during time.Duration) {
	for began := time.Now(); time.Since(began) < during; time.Sleep(2 * time.Second) {
		for _, p := range peers {
			see(l, p)
		}
	}
}

// On an air where nobody's handshake comes to its end dials become few: one at a time, with more time and pauses between. As soon as
// one has been quick all are made.
func TestPoorAir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{took: time.Hour}
		l := rig(t, peerID(t, 0), d, 100)
		peers := crowd(t, 30)
		hear(l, peers, time.Minute)
		if n := d.peak(); n != 4 {
			t.Errorf("%d dials at a time, want 4", n)
		}
		d.forget()
		hear(l, peers, time.Hour)
		if n := d.peak(); n != 1 {
			t.Errorf("%d dials at a time later on, want 1", n)
		}
		// Each takes 10 s and is followed by a pause of up to 64 s: 86 in an hour, give or take 4.
		if n := len(d.made()); n < 62 || n > 110 {
			t.Errorf("%d dials in an hour, want some 86", n)
		}
		d.takes(100 * time.Millisecond)
		hear(l, peers, 90*time.Second)
		for _, p := range peers {
			if !d.Connected(p.ID) {
				t.Errorf("no link to %v after a minute and a half in which the air was free", p.ID)
			}
		}
	})
}

// What a dial teaches.
func TestFlight(t *testing.T) {
	failed := errors.New("deadline exceeded")
	f := discovery.NewFlight()
	for i, c := range []struct {
		took   time.Duration
		near   bool
		err    error
		window int
		pause  time.Duration
	}{
		{4 * time.Second, true, failed, 6, 0},
		{4 * time.Second, false, failed, 6, 0}, // nobody is there
		{time.Millisecond, true, failed, 6, 0}, // refused
		{1500 * time.Millisecond, true, nil, 6, 0},
		{500 * time.Millisecond, true, nil, 7, 0},
		{500 * time.Millisecond, true, nil, 8, 0},
		{500 * time.Millisecond, true, nil, 8, 0},
		{3 * time.Second, true, nil, 6, 0},
		{3 * time.Second, true, nil, 4, 0},
		{3 * time.Second, true, nil, 2, 0},
		{3 * time.Second, true, nil, 1, 0},
		{3 * time.Second, true, nil, 1, 0},
		{10 * time.Second, true, failed, 1, 2 * time.Second},
		{10 * time.Second, true, failed, 1, 4 * time.Second},
		{10 * time.Second, false, failed, 1, 4 * time.Second},
		{7 * time.Second, true, nil, 1, 2 * time.Second},
		{10 * time.Second, true, failed, 1, 4 * time.Second},
		{10 * time.Second, true, failed, 1, 8 * time.Second},
		{10 * time.Second, true, failed, 1, 16 * time.Second},
		{10 * time.Second, true, failed, 1, 32 * time.Second},
		{10 * time.Second, true, failed, 1, 64 * time.Second},
		{10 * time.Second, true, failed, 1, 64 * time.Second},
		{500 * time.Millisecond, true, nil, 2, 0},
	} {
		if window, pause := f.Ended(c.took, c.near, c.err); window != c.window || pause != c.pause {
			t.Fatalf("dial %d: %d at a time and pauses of up to %v, want %d and %v", i, window, pause, c.window, c.pause)
		}
	}
}

// Handshakes that come to their end slowly, be it within the longer time, mean one at a time, and no pauses.
func TestSlowAir(t *testing.T) {
	for _, took := range []time.Duration{3 * time.Second, 8 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			d := &dialer{took: took}
			l := rig(t, peerID(t, 0), d, 100)
			peers := crowd(t, 90)
			hear(l, peers, time.Minute)
			d.forget()
			before := d.links()
			hear(l, peers, 2*time.Minute)
			if n, most, want := d.links()-before, d.peak(), int(2*time.Minute/took); most != 1 || n < want-1 {
				t.Errorf("%d links in two minutes, %d dials at a time; want %d, one after the other", n, most, want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{took: 3 * time.Second}
		l := rig(t, peerID(t, 0), d, 100)
		hear(l, crowd(t, 60), time.Second)
		time.Sleep(26 * time.Second) // they are heard once, and then not again
		if n := len(d.made()); n > 16 {
			t.Errorf("%d dials, want 12: a handshake that came to its end slowly says something, whether or not the peer is heard meanwhile", n)
		}
	})
}

// What somebody typed is dialled at once all the same.
func TestTypedOnSlowAir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{took: 3 * time.Second}
		cfg := discovery.Config{
			Self: peerID(t, 0), Dialer: d, Off: quiet[1:],
			Watcher: watcher(), // no network: the bubble's clock stands still while a socket is read
		}
		for k := range 8 {
			cfg.Typed = append(cfg.Typed, fmt.Sprintf("/ip4/203.0.113.%d/tcp/4001/p2p/%v", k+1, peerID(t, k+1)))
		}
		l := newLadder(t, cfg)
		d.noted = l
		start(t, l)
		time.Sleep(time.Minute)
		for k := range 8 {
			d.drop(peerID(t, k+1))
		}
		time.Sleep(time.Second)
		if n := d.underWay(); n != 8 {
			t.Errorf("%d dials under way, want one to each of eight", n)
		}
	})
}

// Who cannot be reached because they have walked away says nothing about the air: whoever comes next is dialled at once.
func TestGoneAreNotSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{took: time.Hour}
		l := rig(t, peerID(t, 0), d, 100)
		peers := crowd(t, 24)
		for _, p := range peers[:20] {
			see(l, p)
		}
		time.Sleep(time.Minute)
		if n := len(d.made()); n < 20 {
			t.Fatalf("%d dials to 20 who were heard", n)
		}
		for _, p := range peers[20:] {
			see(l, p)
		}
		time.Sleep(time.Second)
		if n := d.underWay(); n != 4 {
			t.Errorf("%d dials to four who have come, want 4", n)
		}
	})
}

// One address with ever new peers that never answer does not keep a dial from others, even where there is one at a time.
func TestOneLiarOnPoorAir(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dialer{took: time.Hour}
		l := rig(t, peerID(t, 0), d, 100)
		honest := crowd(t, 3)
		for k := range 600 { // twenty minutes
			see(l, at(peerID(t, 100+k), "/ip4/10.0.9.9/tcp/4001"))
			hear(l, honest, 2*time.Second)
		}
		for _, p := range honest {
			if n := len(d.to(p.ID)); n < 5 || n*5 < len(d.made()) {
				t.Errorf("%d of %d dials to an honest peer, want a fourth", n, len(d.made()))
			}
		}
	})
}
