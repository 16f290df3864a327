package wifidirect_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"longear/node/discovery/wifidirect"
)

// TestNoFerryToWhoIsGone: members heard another hub with other messages, which is out of reach when their time as ferries comes.
// The group that works is not left to look for it.
func TestNoFerryToWhoIsGone(t *testing.T) {
	play(t, func(w *world) {
		a, b := w.add("a", hub), w.add("b", hub)
		a.post("of a")
		b.post("of b")
		w.place(1, b)
		members := w.crowd(10, nil)
		time.Sleep(30 * time.Second) // most are in a's group
		w.place(0, b)
		time.Sleep(25 * time.Second)
		w.place(1, b)
		time.Sleep(10 * time.Second) // who was in b's group by then is back in a's, or not counted
		members = slices.DeleteFunc(members, func(d *device) bool { return !w.together(a, d) })
		if len(members) < 5 {
			t.Fatalf("%d stayed", len(members))
		}
		for range 60 {
			time.Sleep(time.Second)
			for _, m := range members {
				if s := m.now().State; s != wifidirect.Member {
					t.Fatalf("%s is %v", m.name, s)
				}
			}
		}
	})
}

// TestWalkersFindTheGroupThatIsThere: whoever walks out of its owner's reach and into another's joins that one, and does not begin
// a third group though it is the first in the line to take over.
func TestWalkersFindTheGroupThatIsThere(t *testing.T) {
	for i := range 10 {
		play(t, func(w *world) {
			a, b := w.add("a", hub), w.add("b", hub)
			w.place(1, b)
			m := w.add(fmt.Sprintf("m%d", i), nil)
			w.within(20*time.Second, "it is in a's group", func() bool { return w.together(a, m) })
			w.place(1, m)
			w.within(20*time.Second, "it is in b's group", func() bool { return w.together(b, m) })
			w.mu.Lock()
			defer w.mu.Unlock()
			if slices.Contains(m.went, wifidirect.Hosting) {
				t.Errorf("it went %v", m.went)
			}
		})
	}
}

// TestNewOwnerLooksSoon: who has just begun to own a group finds another that was there before its next regular look.
func TestNewOwnerLooksSoon(t *testing.T) {
	for range 10 {
		play(t, func(w *world) {
			a, b := w.add("a", nil), w.add("b", hub)
			w.place(1, b)
			w.within(25*time.Second, "a owns a group", func() bool { return a.now().State == wifidirect.Hosting })
			w.place(0, b)
			w.within(17*time.Second, "a has joined b", func() bool { return w.together(a, b) })
		})
	}
}
