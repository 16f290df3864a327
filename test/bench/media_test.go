package bench_test

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/x/simlibp2p"

	"longear/node"
	"longear/protocol"
	"longear/store"
	"longear/test/bench/figure"
)

// TestTextBesideMedia posts texts at one end of a thin link, first with nothing else on it and then while photos go the same way, and holds
// the second latency against the first.
func TestTextBesideMedia(t *testing.T) {
	for _, c := range []struct {
		name  string
		speed int // bit/s
		way   time.Duration
	}{
		{"20Mbit-5ms", 20 * simlibp2p.OneMbps, 5 * time.Millisecond},
		{"2Mbit-20ms", 2 * simlibp2p.OneMbps, 20 * time.Millisecond},
		{"1Mbit-50ms", 1 * simlibp2p.OneMbps, 50 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, end := newWorld(t, c.way)
				defer end()
				w.link.Uplink.BitsPerSecond, w.link.Downlink.BitsPerSecond = c.speed, c.speed
				textBesideMedia(t, w, c.speed)
			})
		})
	}
}

func textBesideMedia(t *testing.T, w *world, speed int) {
	from, to := w.joinLarge(), w.joinLarge()
	w.dial(0, 1)
	time.Sleep(15 * time.Second)
	const texts, every = 40, 2 * time.Second
	alone := latencies(t, from, to, texts, every)
	// What the link could carry meanwhile, so that it never runs dry.
	seconds := int((texts + 20) * every / time.Second)
	chunks := min(speed/8*seconds/protocol.MaxBody, 5000)
	pile(t, from, chunks)
	time.Sleep(2 * time.Second)
	before := to.Status().Sync.Received
	began := time.Now()
	beside := latencies(t, from, to, texts, every)
	rate := float64(to.Status().Sync.Received-before) * 8 / time.Since(began).Seconds() / float64(speed)
	if left := int(from.store.Stats().Messages - to.store.Stats().Messages); left < 1 {
		t.Fatal("the photos were through before the texts")
	}
	figure.Report(t, "text-alone", float64(figure.Median(alone).Microseconds())/1000, "ms", figure.None)
	figure.Report(t, "text-beside-media", float64(figure.Median(beside).Microseconds())/1000, "ms", figure.None)
	figure.Report(t, "beside-over-alone", float64(figure.Median(beside))/float64(figure.Median(alone)), "x", figure.AtMost(1.2))
	slices.Sort(beside)
	figure.Report(t, "slowest-tenth-beside", float64(beside[len(beside)*9/10].Microseconds())/1000, "ms", figure.None)
	figure.Report(t, "media-of-the-link", 100*rate, "%", figure.None)
}

// joinLarge is join with a store that holds the photos.
func (w *world) joinLarge() running {
	w.tb.Helper()
	st, err := store.Open(store.Config{Quota: 512 << 20})
	if err != nil {
		w.tb.Fatal(err)
	}
	m := start(w.tb, node.Config{Store: st, Key: newKey(w.tb), Host: w.newHost, Discovery: noInterfaces()})
	w.members = append(w.members, m)
	return m
}

// pile puts chunks of photos into a store, and a text that makes the node tell its neighbours.
func pile(t *testing.T, m running, chunks int) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	key := newKey(t)
	body := make([]byte, protocol.MaxBody)
	for i := range body {
		body[i] = byte(r.Uint32())
	}
	file := func(yield func(protocol.CarryRecord, error) bool) {
		for i := range chunks {
			copy(body, fmt.Appendf(nil, "%08d", i))
			c, err := protocol.Sign(key, protocol.Draft{Created: uint64(i/100 + 1), Class: protocol.Media, Kind: protocol.KindChunk, Body: body})
			if err != nil || !yield(protocol.CarryRecord{Wire: c.Wire(), Age: time.Hour}, nil) {
				return
			}
		}
	}
	if done, err := m.Import(t.Context(), file); err != nil || done.New != chunks {
		t.Fatal(done, err)
	}
}

// latencies posts texts and returns how long each took to the other node.
func latencies(t *testing.T, from, to running, texts int, every time.Duration) []time.Duration {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var out []time.Duration
	for i := range texts {
		time.Sleep(every/2 + time.Duration(r.Int64N(int64(every))))
		m, err := from.Publish(t.Context(), protocol.Draft{Body: fmt.Appendf(nil, "water at gate %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for time.Since(began) < 30*time.Second {
			if _, err := to.store.Get(m.ID); err == nil {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
		out = append(out, time.Since(began))
	}
	return out
}

// newKey is a new author's.
func newKey(tb testing.TB) ed25519.PrivateKey {
	tb.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}
