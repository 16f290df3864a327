//go:build linux

package hosts_test

import (
	"fmt"
	"testing"
	"time"
)

// TestWalk: A and C are never on one network, nor on at the same time. B meets A, A is switched off, B walks to
// C: every message arrives, byte for byte.
func TestWalk(t *testing.T) {
	t.Parallel()
	const count = 100
	for n, walk := range []struct {
		name string
		from func(*nic) // how B leaves A's network
	}{
		{"interface-down", (*nic).down},
		{"interface-gone", (*nic).leave},
		{"out-of-reach", func(c *nic) { c.mute() }},
	} {
		t.Run(walk.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			here, there := w.network("10.7.1.0/24"), w.network("10.7.2.0/24")
			a, b, c := w.host("a"), w.host("b"), w.host("c")
			a.join(here)
			c.join(there)
			c.relay()
			node := a.relay()
			var all []string
			for n := range count / 2 { // half lies there when B comes, half is written while B stands by
				all = append(all, a.send(fmt.Sprintf("before B came %d", n)))
			}
			beside := b.join(here)
			b.relay()
			for n := range count / 2 {
				all = append(all, a.send(fmt.Sprintf("beside B %d", n)))
			}
			eventually(t, 20*time.Second, "B to have it all", func() bool { return b.status().Messages == count })
			node.stop()
			walk.from(beside)
			if n := c.status().Messages; n != 0 {
				t.Fatalf("C has %d messages before it met anybody", n)
			}

			heard := c.watch()
			b.join(there)
			met := time.Now()
			heard.hearsAll(all, 30*time.Second)
			seconds(t, fmt.Sprintf("walk/%d/last-message", n+1), time.Since(met), 15*time.Second)
			atA, atC := a.inventory(), c.inventory()
			if missing := lost(all, atA); len(missing) > 0 {
				t.Errorf("A lost %d of its own messages", len(missing))
			}
			sameInventory(t, a, atA, c, atC)
			figure(t, fmt.Sprintf("walk/%d/messages-arrived", n+1), float64(count-len(lost(all, atC))), "of-100")
		})
	}
}
