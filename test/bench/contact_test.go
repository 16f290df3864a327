package bench_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
	"longear/test/bench/figure"
)

// way is how long a packet travels in these tests, one way.
const way = 50 * time.Millisecond

// TestFirstAnswerQUIC counts the round trips from the dial to the first byte of the first answer in reconciliation, which
// is the soonest that anything can be known about the other's store.
func TestFirstAnswerQUIC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := newWorld(t, way)
		defer end()
		a := w.join()
		w.join()
		time.Sleep(2 * time.Second) // both at rest
		began := time.Now()
		go w.dial(0, 1)
		for a.Status().Sync.Received == 0 {
			if time.Since(began) > 10*time.Second {
				t.Fatal("no answer within 10 s")
			}
			time.Sleep(time.Millisecond)
		}
		// A round trip more would be 1; the links' 20 Mbit/s and the polling are below a tenth of one.
		reportTrips(t, time.Since(began), 3)
	})
}

// TestFirstAnswerTCP is the same over TCP, Noise and yamux, through a relay that delays what real sockets on loopback do not. Its
// time is real: a near peer and a far one take the same work, so the difference is what travels. Of each the soonest of some contacts
// counts: a busy machine delays one or two, a round trip too many all of them.
func TestFirstAnswerTCP(t *testing.T) {
	near, far := time.Hour, time.Hour
	for i := range 8 {
		near, far = min(near, firstAnswerTCP(t, way)), min(far, firstAnswerTCP(t, 3*way))
		if i > 0 && trips(far-near) < 2*5.1 {
			break
		}
	}
	figure.Report(t, "first-answer-near", trips(near), "rt", figure.None)
	reportTrips(t, (far-near)/2, 5)
}

func firstAnswerTCP(t *testing.T, way time.Duration) time.Duration {
	nodes := make([]running, 2)
	for i := range nodes {
		st, err := store.Open(store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer closeStore(t, st)
		nodes[i] = start(t, node.Config{Store: st, NoQUIC: true})
		defer nodes[i].stop()
	}
	r, address := listenRelay(t, nodes[1], way)
	connect(t, nodes[0], address)
	await(t, "the first answer", 20*time.Second, func() bool { return nodes[0].Status().Sync.Received > 0 })
	return time.Since(time.Unix(0, r.accepted.Load()))
}

// trips is how often a message could go to and fro, at way's distance.
func trips(took time.Duration) float64 { return took.Seconds() / (2 * way).Seconds() }

// reportTrips holds a time to a number of round trips. What is not travelling, such as a busy machine's scheduling, may take
// half a round trip.
func reportTrips(t *testing.T, took time.Duration, most float64) {
	t.Helper()
	figure.Report(t, "first-answer", trips(took), "rt", figure.AtMost(most+0.2))
	if trips(took) >= most+0.5 {
		t.Errorf("%.2f round trips to the first answer, want %g", trips(took), most)
	}
}

// TestNothingLostAtContact publishes on both sides at random moments around the start of a contact. Gossip alone loses
// what is told between its peer being listed and its mesh being grafted; nothing may be lost, nor be late.
func TestNothingLostAtContact(t *testing.T) {
	seeds, worst := uint64(20), time.Duration(0)
	if testing.Short() {
		seeds = 4
	}
	published := 0
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			n, late := contact(t, rand.New(rand.NewPCG(seed, 1)))
			published += n
			worst = max(worst, late)
		})
	}
	figure.Report(t, "published-around-contact", float64(published), "msg", figure.None)
	figure.Report(t, "latest", worst.Seconds(), "s", figure.None)
}

// contact starts one contact with messages published from a second before to three seconds after. It returns how many
// there were, and the longest that one was not on both sides, counted from its publishing or the dial.
func contact(t *testing.T, rng *rand.Rand) (n int, late time.Duration) {
	w, end := newWorld(t, way)
	defer end()
	sides := []running{w.join(), w.join()}
	channel, err := protocol.PublicChannel("water")
	if err != nil {
		t.Fatal(err)
	}
	const each = 20
	start := time.Now().Add(2 * time.Second)
	ids := make(chan protocol.ID, 2*each)
	since := make(map[protocol.ID]time.Time)
	for i, side := range sides {
		for j := range each {
			at := start.Add(-time.Second + time.Duration(rng.Int64N(int64(4*time.Second))))
			go func() {
				time.Sleep(time.Until(at))
				m, err := side.Publish(t.Context(), protocol.Draft{Channel: channel, Body: fmt.Appendf(nil, "%d %d", i, j)})
				if err != nil {
					t.Error(err)
					return
				}
				ids <- m.ID
			}()
		}
	}
	time.Sleep(time.Until(start))
	go w.dial(0, 1)
	deadline := start.Add(30 * time.Second)
	for n < 2*each || len(since) > 0 {
		for len(ids) > 0 {
			since[<-ids] = later(time.Now(), start)
			n++
		}
		for id, at := range since {
			if sides[0].store.Known(id) == protocol.IgnoreKnown && sides[1].store.Known(id) == protocol.IgnoreKnown {
				late = max(late, time.Since(at))
				delete(since, id)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d messages are not on both sides 30 s after the dial", len(since), n)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return n, late
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
