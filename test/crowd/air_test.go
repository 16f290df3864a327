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
		for i := range a.radios {
			a.radios[i].Store(&r)
		}
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

// TestAirIsTheWorseOfTwo: between a good radio and a poor one a packet takes the poor one's latency and time, either way, and is lost as
// often as there; between two good ones nothing is.
func TestAirIsTheWorseOfTwo(t *testing.T) {
	good := Radio{BitsPerSecond: 80_000_000, Latency: time.Millisecond}
	for _, test := range []struct {
		name       string
		poor       Radio
		last       time.Duration // of ten packets of 1,000 bytes on the wire that one sends at once
		atMost, to int           // how many of 1,000 packets are heard
	}{
		{"slow", Radio{BitsPerSecond: 800_000, Latency: time.Millisecond}, 100 * time.Millisecond, 1000, 1000},
		{"far", Radio{BitsPerSecond: 80_000_000, Latency: 200 * time.Millisecond}, 200 * time.Millisecond, 1000, 1000},
		{"lossy", Radio{BitsPerSecond: 80_000_000, Latency: time.Millisecond, Loss: 0.5}, 0, 600, 400}, // 6 deviations either way
	} {
		t.Run(test.name, func(t *testing.T) {
			onAir(t, good, func(t *testing.T, a *air, ends []*endpoint) {
				a.radios[0].Store(&test.poor)
				for _, way := range [][2]*endpoint{{ends[0], ends[1]}, {ends[1], ends[0]}} {
					heard := 0
					for range 100 {
						send(t, way[0], way[1], 972, 10)
						last, n := hear(t, way[1])
						if heard += n; test.last > 0 && (last < test.last || last > test.last+2*slot) {
							t.Fatalf("the last packet was heard after %v, want %v", last, test.last)
						}
					}
					if heard > test.atMost || heard < test.to {
						t.Errorf("%d packets of 1000 were heard, want %d to %d", heard, test.to, test.atMost)
					}
				}
				send(t, ends[1], ends[2], 972, 10)
				if last, n := hear(t, ends[2]); n != 10 || last > slot {
					t.Errorf("%d packets between good radios, the last after %v, want 10 at once", n, last)
				}
			})
		})
	}
}

// TestSlowAirKeepsPackets: a radio on which a packet takes longer than others keep one waiting still keeps some.
func TestSlowAirKeepsPackets(t *testing.T) {
	onAir(t, Radio{BitsPerSecond: 8000}, func(t *testing.T, _ *air, ends []*endpoint) {
		send(t, ends[0], ends[1], 1472, 20)
		time.Sleep(time.Minute)
		if _, n := hear(t, ends[1]); n != 16 {
			t.Errorf("%d packets of 20 were heard, want the 16 that a radio keeps", n)
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
