package bench_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"longear/test/bench/figure"
)

// TestMeeting counts what a contact between two nodes with equal stores costs both together: dial, handshake, identify, gossip's
// hello, one round of sync, and the end. And what a link costs in memory while it is open.
func TestMeeting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, end := newWorld(t, 5*time.Millisecond)
		defer end()
		w.discovery = blind()
		w.join()
		w.join()
		meetOften(t, w, 3)
		meetings := 200
		if testing.Short() {
			meetings = 10
		}
		before := counters(w.members)
		got := spent(func() { meetOften(t, w, meetings) })
		after := counters(w.members)
		n := float64(meetings)
		figure.Report(t, "cpu-a-contact", 1e3*got.cpu.Seconds()/n, "ms", figure.AtMost(6))
		figure.Report(t, "cpu-over-standard-verify", got.cpu.Seconds()/n/verifyStandard(t), "x", figure.None)
		figure.Report(t, "sync-sent", float64(after.synced-before.synced)/n, "B", figure.None)
		figure.Report(t, "gossip-sent", float64(after.gossiped-before.gossiped)/n, "B", figure.None)
	})
}

// meetOften lets the first two members meet for five seconds at a time. Each time they have to find that they are equal.
func meetOften(t *testing.T, w *world, meetings int) {
	for i := range meetings {
		w.dial(0, 1)
		time.Sleep(5 * time.Second)
		for _, m := range w.members[:2] {
			if p := m.Peers(); len(p) != 1 || !p[0].Equal {
				t.Fatalf("contact %d: the peers are %+v, want one that is equal", i, p)
			}
		}
		if err := w.hosts[0].Network().ClosePeer(w.hosts[1].ID()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
}

// TestLinkMemory counts what open links hold, both ends together.
func TestLinkMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const nodes = 12
		w, end := newWorld(t, 5*time.Millisecond)
		defer end()
		w.discovery = blind()
		for range nodes {
			w.join()
		}
		for i := range nodes - 1 {
			w.dial(i, i+1) // whatever begins with a node's first link is there
		}
		time.Sleep(time.Minute)
		before, few := heap(), runtime.NumGoroutine()
		links := 0
		for i := range nodes {
			for j := i + 2; j < nodes; j++ {
				w.dial(i, j)
				links++
			}
		}
		time.Sleep(time.Minute)
		after, many := heap(), runtime.NumGoroutine()
		for i, m := range w.members {
			if got := m.Status().Peers; got != nodes-1 {
				t.Errorf("node %d has %d peers, want %d", i, got, nodes-1)
			}
		}
		figure.Report(t, "memory-a-link", float64(after-before)/float64(links)/1024, "KiB", figure.None)
		figure.Report(t, "goroutines-a-link", float64(many-few)/float64(links), "n", figure.None)
	})
}

// heap is what is live on the heap and on stacks.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
