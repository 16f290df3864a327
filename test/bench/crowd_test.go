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

// totals sums what the nodes of a crowd counted.
type totals struct {
	byGossip, bySync, duplicates, dropped uint64 // messages; RPCs
	gossiped, synced                      uint64 // bytes sent
}

func counters(members []running) (t totals) {
	for _, m := range members {
		s := m.Status()
		t.byGossip += s.Accepted["gossip"]
		t.bySync += s.Accepted["sync"]
		t.duplicates += s.Gossip.Duplicates
		t.dropped += s.Gossip.Dropped
		t.gossiped += s.Gossip.SentBytes
		t.synced += s.Sync.Sent
	}
	return t
}

// TestGossipInACrowd counts what 60 nodes with 16 links each send to tell each other 600-byte messages, five a second:
// how often each node sends each message, and how often it gets what it has.
func TestGossipInACrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("60 nodes take a while on a busy machine")
	}
	synctest.Test(t, func(t *testing.T) {
		const nodes, links, messages, body = 60, 16, 100, 470
		w, end := newWorld(t, 5*time.Millisecond)
		defer end()
		for range nodes {
			w.join()
		}
		w.connectRandomly(rand.New(rand.NewPCG(1, 1)), links)
		time.Sleep(20 * time.Second) // the mesh has settled
		rest := counters(w.members)
		time.Sleep(20 * time.Second)
		idle := counters(w.members)

		channel, err := protocol.PublicChannel("water")
		if err != nil {
			t.Fatal(err)
		}
		payload := 0
		for i := range messages {
			m, err := w.members[i%nodes].Publish(t.Context(), protocol.Draft{Channel: channel, Body: fmt.Appendf(nil, "%*d", body, i)})
			if err != nil {
				t.Fatal(err)
			}
			payload += len(m.Wire())
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		busy := counters(w.members)
		for i, m := range w.members {
			if got := m.store.Stats().Messages; got != messages {
				t.Errorf("node %d has %d messages, want %d", i, got, messages)
			}
		}
		all := float64(payload) * nodes
		sent := float64(busy.gossiped-idle.gossiped) / all
		duplicates := float64(busy.duplicates-idle.duplicates) / float64(busy.byGossip+busy.bySync-idle.byGossip-idle.bySync)
		if sent > 3.5 || duplicates > 1.5 {
			t.Errorf("each node sent %.2f times the payload with %.2f duplicates a delivery, want at most 3.5 and 1.5", sent, duplicates)
		}
		figure.Report(t, "gossip-bytes-over-payload", sent, "x", figure.AtMost(3.5))
		figure.Report(t, "duplicates-a-delivery", duplicates, "x", figure.AtMost(1.5))
		figure.Report(t, "sync-bytes-over-payload", float64(busy.synced-idle.synced)/all, "x", figure.None)
		figure.Report(t, "by-sync", float64(busy.bySync-idle.bySync)/float64(messages*(nodes-1)), "x", figure.None)
		figure.Report(t, "idle-gossip", float64(idle.gossiped-rest.gossiped)/20/nodes, "B/s", figure.None)
		figure.Report(t, "idle-sync", float64(idle.synced-rest.synced)/20/nodes, "B/s", figure.None)
	})
}

// connectRandomly gives every member about so many links.
func (w *world) connectRandomly(rng *rand.Rand, links int) {
	n := len(w.members)
	seen := make(map[[2]int]bool)
	for len(seen) < n*links/2 {
		a, b := rng.IntN(n), rng.IntN(n)
		pair := [2]int{min(a, b), max(a, b)}
		if a == b || seen[pair] {
			continue
		}
		seen[pair] = true
		w.dial(a, b)
	}
}
