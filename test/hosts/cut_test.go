//go:build linux

package hosts_test

import (
	"fmt"
	"testing"
	"time"
)

// TestCut: two hosts lose each other for a minute. When the link is back so are they, with all that was written meanwhile.
func TestCut(t *testing.T) {
	t.Parallel()
	const away = time.Minute
	cuts := map[string]struct{ cut, mend func(*port) }{
		"carrier": {(*port).unplug, (*port).plug}, // the interface sees it
		"silence": {(*port).mute, (*port).unmute}, // nobody sees it
	}
	for kind, way := range cuts {
		for _, rung := range []string{"mdns", "beacon"} {
			name := rung + "-" + kind
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				street := w.network("10.7.0.0/24")
				a, b := w.host("a"), w.host("b")
				a.join(street)
				far := b.join(street)
				a.relay(alone(rung)...)
				b.relay(alone(rung)...)
				met(t, rung, a, b)
				atA, atB := a.watch(), b.watch()
				atB.hears(a.send("before"), 5*time.Second)

				way.cut(far.port)
				lost := time.Now()
				var fromA, fromB []string
				for n := range 10 {
					fromA = append(fromA, a.send(fmt.Sprintf("a alone %d", n)))
					fromB = append(fromB, b.send(fmt.Sprintf("b alone %d", n)))
					pause(t, time.Second)
				}
				eventually(t, away, "both to notice the cut", func() bool {
					return a.status().Peers == 0 && b.status().Peers == 0
				})
				figure(t, "cut/"+name+"/noticed", time.Since(lost).Seconds(), "s")
				pause(t, away-time.Since(lost))
				for _, id := range fromA {
					if atB.heard(id) {
						t.Fatal("a message passed the cut")
					}
				}

				way.mend(far.port)
				back := time.Now()
				eventually(t, 60*time.Second, "the link to be back", func() bool {
					return a.status().Peers > 0 && b.status().Peers > 0
				})
				seconds(t, "cut/"+name+"/reconnected", time.Since(back), 5*time.Second)
				atB.hearsAll(fromA, 10*time.Second)
				atA.hearsAll(fromB, 10*time.Second)
				seconds(t, "cut/"+name+"/all-messages", time.Since(back), 10*time.Second)
			})
		}
	}
}

// TestSplit: two crowds of three that can hear only each other's halves meet when somebody lays a cable.
func TestSplit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	east, west := w.network("10.7.0.0/24"), w.network("10.7.0.0/24")
	var crowd []*host
	for n, side := range []*network{east, east, east, west, west, west} {
		h := w.host(fmt.Sprintf("h%d", n))
		h.join(side)
		h.relay()
		crowd = append(crowd, h)
	}
	for _, half := range [][]*host{crowd[:3], crowd[3:]} {
		for _, h := range half {
			eventually(t, 30*time.Second, h.name+" to know its half", func() bool { return h.status().Peers == 2 })
		}
	}
	bridge := east.cable(west)
	for _, h := range crowd {
		eventually(t, 30*time.Second, h.name+" to know somebody beyond the cable", func() bool { return h.status().Peers >= 3 })
	}

	bridge.mute()
	var all []string
	for n := range 10 {
		for _, h := range crowd {
			all = append(all, h.send(fmt.Sprintf("%s tells its side %d", h.name, n)))
		}
	}
	for _, h := range crowd {
		eventually(t, 10*time.Second, h.name+" to have its half", func() bool { return h.status().Messages >= len(all)/2 })
		if n := h.status().Messages; n != len(all)/2 {
			t.Fatalf("%s has %d messages, its half wrote %d", h.name, n, len(all)/2)
		}
	}
	eventually(t, time.Minute, "both halves to be alone", func() bool {
		return crowd[0].status().Peers == 2 && crowd[5].status().Peers == 2
	})

	bridge.unmute()
	healed := time.Now()
	for _, h := range crowd {
		eventually(t, time.Minute, h.name+" to have everything", func() bool { return h.status().Messages == len(all) })
	}
	seconds(t, "split/3+3/healed", time.Since(healed), 15*time.Second)
	want := crowd[0].inventory()
	if missing := lost(all, want); len(missing) > 0 {
		t.Errorf("%d of %d messages are lost", len(missing), len(all))
	}
	for _, h := range crowd[1:] {
		sameInventory(t, crowd[0], want, h, h.inventory())
	}
}
