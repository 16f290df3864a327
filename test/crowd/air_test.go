package crowd

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// onAir runs a test with three radios in reach of each other, in virtual time.
func onAir(t *testing.T, r Radio, test func(t *testing.T, a *air, ends []*endpoint)) {
	synctest.Test(t, func(t *testing.T) {
		a := newAir(3)
		a.radio.Store(&r)
		var ends []*endpoint
		for i := range 3 {
			ends = append(ends, a.listen(i, 1))
			for j := range i {
				a.set(i, j, true)
			}
		}
		test(t, a, ends)
		for _, e := range ends {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// hear reads packets until none comes for a second, and returns when the last one came and how many there were.
func hear(t *testing.T, e *endpoint) (last time.Duration, n int) {
	t.Helper()
	begin, buf := time.Now(), make([]byte, 1500)
	for {
		if err := e.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.ReadFrom(buf); err != nil {
			return last, n
		}
		last, n = time.Since(begin), n+1
	}
}

func send(t *testing.T, from, to *endpoint, size, n int) {
	t.Helper()
	for range n {
		if _, err := from.WriteTo(make([]byte, size), to.addr); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAirTakesItsTime sends 100 packets of 1,000 bytes on the wire at 8 Mbit/s: a millisecond each, and the first is heard
// whole a latency and a packet's time after it left, at the next slot.
func TestAirTakesItsTime(t *testing.T) {
	onAir(t, Radio{BitsPerSecond: 8_000_000, Latency: 5 * time.Millisecond}, func(t *testing.T, _ *air, ends []*endpoint) {
		send(t, ends[0], ends[1], 972, 100)
		last, n := hear(t, ends[1])
		if want := (105*time.Millisecond + slot - 1).Truncate(slot); n != 100 || last != want {
			t.Errorf("%d packets, the last after %v, want 100 after %v", n, last, want)
		}
	})
}

// TestAirIsShared: what two send to one at once takes its radio as long as both together.
func TestAirIsShared(t *testing.T) {
	onAir(t, Radio{BitsPerSecond: 8_000_000, Latency: time.Millisecond}, func(t *testing.T, _ *air, ends []*endpoint) {
		send(t, ends[0], ends[2], 972, 50)
		send(t, ends[1], ends[2], 972, 50)
		last, n := hear(t, ends[2])
		if n != 100 || last < 100*time.Millisecond || last > 100*time.Millisecond+slot {
			t.Errorf("%d packets, the last after %v, want 100 after 102ms, at the next slot", n, last)
		}
	})
}

func TestAirDrops(t *testing.T) {
	radio := Radio{BitsPerSecond: 8_000_000, Latency: time.Millisecond}
	t.Run("without a link", func(t *testing.T) {
		onAir(t, radio, func(t *testing.T, a *air, ends []*endpoint) {
			a.set(0, 1, false)
			send(t, ends[0], ends[1], 100, 10)
			if _, n := hear(t, ends[1]); n != 0 {
				t.Errorf("%d packets crossed a link that is down", n)
			}
			if a.up(1, 0) || !a.up(1, 2) {
				t.Error("the wrong link went down")
			}
			if got := a.sent[0].Load(); got != 1000 {
				t.Errorf("%d bytes counted, want 1000: the radio sent them", got)
			}
		})
	})
	t.Run("a share", func(t *testing.T) {
		radio.Loss = 0.2
		onAir(t, radio, func(t *testing.T, _ *air, ends []*endpoint) {
			n := 0
			for range 20 {
				send(t, ends[0], ends[1], 100, 100)
				_, got := hear(t, ends[1])
				n += got
			}
			if n < 1500 || n > 1700 {
				t.Errorf("%d of 2000 packets arrived, want about 1600", n)
			}
		})
	})
	t.Run("what waits too long", func(t *testing.T) {
		onAir(t, Radio{BitsPerSecond: 8_000_000}, func(t *testing.T, _ *air, ends []*endpoint) {
			send(t, ends[0], ends[1], 972, 1000) // a second's worth, and the queue holds a quarter
			if _, n := hear(t, ends[1]); n != int(longestQueue/time.Millisecond) {
				t.Errorf("%d packets arrived, want what the queue holds, %d", n, longestQueue/time.Millisecond)
			}
		})
	})
}

func TestAirCloseWakesTheReader(t *testing.T) {
	onAir(t, Radio{BitsPerSecond: 8_000_000}, func(t *testing.T, a *air, ends []*endpoint) {
		got := make(chan error, 1)
		go func() {
			_, _, err := ends[0].ReadFrom(make([]byte, 10))
			got <- err
		}()
		synctest.Wait()
		if err := ends[0].Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want %v", err, net.ErrClosed)
		}
		if _, err := ends[0].WriteTo([]byte{1}, ends[1].addr); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed radio sends: %v", err)
		}
		if a.at[0].Load() != nil {
			t.Error("it is still on the air")
		}
	})
}
