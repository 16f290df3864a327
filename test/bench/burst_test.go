package bench_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"longear/protocol"
	"longear/test/bench/figure"
)

// TestBurst is BenchmarkDelivery in virtual time: 100 nodes with 8 links each, on simulated QUIC, gossip 400 messages, 100 a
// second. However busy the machine, what happens while a message spreads is the same; only its price is not.
func TestBurst(t *testing.T) {
	if testing.Short() {
		t.Skip("100 nodes take a while on a busy machine")
	}
	synctest.Test(t, burst)
}

func burst(t *testing.T) {
	const nodes, links, messages = 100, 8, 400
	w, end := newWorld(t, 5*time.Millisecond)
	defer end()
	w.discovery = blind()
	for range nodes {
		w.join()
	}
	w.connectRandomly(rand.New(rand.NewPCG(1, 1)), links)
	time.Sleep(time.Minute) // the mesh has settled
	channel, err := protocol.PublicChannel("water")
	if err != nil {
		t.Fatal(err)
	}
	check := verifyStandard(t)
	before := counters(w.members)
	got := spent(func() {
		for i := range messages {
			if _, err := w.members[i%nodes].Publish(t.Context(), protocol.Draft{Channel: channel, Body: fmt.Appendf(nil, "%070d", i)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
	})
	check = (check + verifyStandard(t)) / 2
	after := counters(w.members)
	for i, m := range w.members {
		if got := m.store.Stats().Messages; got != messages {
			t.Errorf("node %d has %d messages a second later, want %d", i, got, messages)
		}
	}
	const all = messages * (nodes - 1)
	duplicates := float64(after.duplicates-before.duplicates) / all
	if duplicates > 1.5 {
		t.Errorf("%.2f duplicates a delivery, want at most 1.5", duplicates)
	}
	figure.Report(t, "duplicates-a-delivery", duplicates, "x", figure.AtMost(1.5))
	figure.Report(t, "by-sync", float64(after.bySync-before.bySync)/all, "x", figure.None)
	figure.Report(t, "sync-sent", float64(after.synced-before.synced)/all, "B", figure.None)
	figure.Report(t, "cpu-a-delivery", 1e6*got.cpu.Seconds()/all, "us", figure.None)
	figure.Report(t, "cpu-over-standard-verify", got.cpu.Seconds()/all/check, "x", figure.None)
}
