package bench_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"longear/node/discovery"
	"longear/protocol"
	"longear/test/bench/figure"
)

// TestIdleHour lets 100 nodes with nothing to do live through a virtual hour: without a link, and with four each. What the
// hour cost is reported; afterwards the first contact has to move a message as if nothing had slept.
func TestIdleHour(t *testing.T) {
	if testing.Short() {
		t.Skip("100 nodes take a while on a busy machine")
	}
	for _, c := range []struct {
		name  string
		links int
		bound figure.Bound // of CPU seconds
	}{
		{"alone", 0, figure.AtMost(10)},
		{"linked", 4, figure.None},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { idleHour(t, c.links, c.bound) })
		})
	}
}

func idleHour(t *testing.T, links int, bound figure.Bound) {
	const nodes = 100
	w, end := newWorld(t, 5*time.Millisecond)
	defer end()
	w.discovery = blind()
	for range nodes {
		w.join()
	}
	w.connectRandomly(rand.New(rand.NewPCG(1, 1)), links)
	time.Sleep(3 * time.Minute) // what begins with a node or a link is over
	goroutines := runtime.NumGoroutine()
	before := counters(w.members)
	got := spent(func() { time.Sleep(time.Hour) })
	after := counters(w.members)
	figure.Report(t, "cpu", got.cpu.Seconds(), "s", bound)
	figure.Report(t, "cpu-403-nodes-32-hours", 4.03*32*got.cpu.Seconds(), "s", figure.None)
	figure.Report(t, "goroutines-a-node", float64(goroutines)/nodes, "n", figure.None)
	figure.Report(t, "gossip-sent", float64(after.gossiped-before.gossiped)/3600/nodes, "B/s", figure.None)
	figure.Report(t, "sync-sent", float64(after.synced-before.synced)/3600/nodes, "B/s", figure.None)

	channel, err := protocol.PublicChannel("water")
	if err != nil {
		t.Fatal(err)
	}
	if links == 0 {
		w.dial(0, 1)
	}
	if _, err := w.members[0].Publish(t.Context(), protocol.Draft{Channel: channel, Body: []byte("water at gate 4")}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	if got := w.members[1].store.Stats().Messages; got != 1 {
		t.Errorf("a second after an idle hour a neighbour has %d messages, want 1", got)
	}
}

// blind is discovery with every rung off: nothing is looked for.
func blind() discovery.Config {
	c := noInterfaces()
	c.LoopbackOnly = true
	c.Off = []discovery.Rung{
		discovery.Typed, discovery.Remembered, discovery.Gateway, discovery.Beacons, discovery.MDNS, discovery.WifiDirect,
	}
	return c
}
