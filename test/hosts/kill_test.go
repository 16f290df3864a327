//go:build linux

package hosts_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"longear/protocol"
)

// TestKill: a node is killed again and again while another host feeds it and its own user writes. Each time the same
// command starts it again, and no message whose ID was printed is ever lost.
func TestKill(t *testing.T) {
	t.Parallel()
	const kills = 20
	w := newWorld(t)
	street := w.network("10.7.0.0/24")
	a, b := w.host("a"), w.host("b")
	a.join(street)
	b.join(street)
	a.relay()
	node := b.relay()
	eventually(t, 30*time.Second, "a link between a and b", func() bool { return b.status().Peers > 0 })

	feeding := writes(a)
	var own []string
	var slowest time.Duration
	for n := range kills {
		writing := writes(b)
		pause(t, 100*time.Millisecond+rand.N(500*time.Millisecond))
		node.kill()
		own = append(own, writing()...)
		if n%2 == 0 {
			// Looked at as it lies there, before peers can give back what the kill took. At the odd
			// kills the node itself is the first to open the store.
			if missing := lost(own, b.inventory()); len(missing) > 0 {
				t.Fatalf("kill %d took %d of the node's own %d messages; moved aside: %v", n+1, len(missing), len(own), b.quarantines())
			}
		}
		start := time.Now()
		node.start()
		slowest = max(slowest, time.Since(start))
	}
	fed := feeding()
	all := append(own, fed...)
	eventually(t, 30*time.Second, "both to have everything", func() bool {
		return a.status().Messages >= len(all) && b.status().Messages >= len(all)
	})
	atA, atB := a.inventory(), b.inventory()
	figure(t, "kill/restarts", kills, "of-20")
	figure(t, "kill/fed", float64(len(fed)), "messages")
	figure(t, "kill/own", float64(len(own)), "messages")
	figure(t, "kill/lost", float64(len(lost(all, atB))), "messages")
	seconds(t, "kill/slowest-restart", slowest, 10*time.Second)
	if missing := lost(all, atB); len(missing) > 0 {
		t.Errorf("%d of %d messages are lost", len(missing), len(all))
	}
	sameInventory(t, a, atA, b, atB)
	if q := b.quarantines(); len(q) > 0 {
		t.Errorf("a kill made the node move its store aside: %v", q)
	}
	if s := b.status(); len(s.Trouble) > 0 || s.Refused > 0 {
		t.Errorf("after the kills: %+v", s)
	}
}

// writes sends messages at a host, one after the other, until the returned function is called, which returns the IDs
// that were printed.
func writes(h *host) (stop func() []string) {
	ended := make(chan struct{})
	var ids []string
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-ended:
				return
			default:
			}
			r := h.try("send", "#water", fmt.Sprintf("%s says %d of %d", h.name, n, rand.Uint64()))
			if id, err := protocol.ParseID(strings.TrimSpace(r.out)); err == nil {
				ids = append(ids, id.String())
			}
		}
	})
	return func() []string {
		close(ended)
		wg.Wait()
		return ids
	}
}
