package bench_test

import (
	"testing"
	"time"

	"longear/node"
	"longear/store"
	"longear/test/bench/figure"
)

// TestBytesOnTheWire counts the bytes of a sync of short messages at the TCP socket, both ways: handshakes, encryption,
// gossip and reconciliation are all in it.
func TestBytesOnTheWire(t *testing.T) {
	c := write(t, chatter)
	full := open(t, t.TempDir())
	defer closeStore(t, full)
	fill(t, full, c.messages)
	empty := open(t, t.TempDir())
	defer closeStore(t, empty)
	giver := start(t, node.Config{Store: full, NoQUIC: true})
	defer giver.stop()
	taker := start(t, node.Config{Store: empty, NoQUIC: true})
	defer taker.stop()

	r, address := listenRelay(t, giver, 0)
	connect(t, taker, address)
	has(t, empty, len(c.messages))
	s := taker.Status().Sync
	n := float64(len(c.messages))
	figure.Report(t, "message-bytes", float64(c.bytes)/n, "B", figure.None)
	figure.Report(t, "stream-bytes-a-message", float64(s.Sent+s.Received)/n, "B", figure.AtMost(250))
	figure.Report(t, "socket-bytes-a-message", float64(r.bytes.Load())/n, "B", figure.AtMost(250))
	if got := float64(r.bytes.Load()) / n; got > 250 {
		t.Errorf("%.1f bytes a message on the wire, want at most 250", got)
	}
	if got := float64(r.bytes.Load()) / float64(c.bytes); got > 1.10 {
		t.Errorf("%.3f times the messages' own bytes, want at most 1.10", got)
	}
}

// TestTwoFullOneEmpty counts how many messages two full peers send to one empty one that meets both at once.
func TestTwoFullOneEmpty(t *testing.T) { twoFullOneEmpty(t, 10_000) }

// BenchmarkTwoFullOneEmpty is the same with the standing backlog.
func BenchmarkTwoFullOneEmpty(b *testing.B) {
	for b.Loop() {
		twoFullOneEmpty(b, backlog.count)
	}
}

func twoFullOneEmpty(tb testing.TB, count int) {
	tb.Helper()
	s := backlog
	s.count = count
	c := write(tb, s)
	stores := make([]*store.Store, 3)
	nodes := make([]running, 3)
	for i := range stores {
		stores[i] = open(tb, tb.TempDir())
		defer closeStore(tb, stores[i])
		if i < 2 {
			fill(tb, stores[i], c.messages)
		}
		nodes[i] = start(tb, node.Config{Store: stores[i], NoQUIC: true})
		defer nodes[i].stop()
	}
	empty := nodes[2]
	began := time.Now()
	connect(tb, empty, addr(nodes[0]))
	connect(tb, empty, addr(nodes[1]))
	has(tb, empty.store, count)
	wall := time.Since(began)
	gave := [2]uint64{nodes[0].Status().Sync.Gave, nodes[1].Status().Sync.Gave}
	ratio := float64(gave[0]+gave[1]) / float64(count)
	figure.Report(tb, "sent-over-needed", ratio, "x", figure.AtMost(1.02))
	figure.Report(tb, "second-peer-share", float64(min(gave[0], gave[1]))/float64(count), "x", figure.None)
	figure.Report(tb, "wall", wall.Seconds(), "s", figure.None)
	if ratio > 1.02 {
		tb.Errorf("%d messages were sent for %d needed", gave[0]+gave[1], count)
	}
}
