//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"

	"longear/node/discovery"
)

// stories are all of them.
var stories = []story{
	{"two-meet", twoMeet},
	{"without-dbus", withoutBus},
	{"takeover", takeover},
	{"lossy", lossy},
	{"plain-phone", plainPhone},
	{"walker", walker},
	{"hub-full", hubFull},
	{"refused", refused},
	{"foreign-group", foreignGroup},
	{"networkmanager", networkManager},
	{"second-radio", secondRadio},
	{"hub-crowd", hubCrowd},
	{"supplicant-dies", supplicantDies},
	{"supplicant-absent", supplicantAbsent},
	{"dbus-gone", busGone},
	{"interface-gone", interfaceGone},
	{"killed", killed},
	{"no-rights", noRights},
	{"link-local-only", linkLocalOnly},
	{"two-on-one-radio", twoNodesOneRadio},
}

// reach waits until machines are in a state.
func (w *world) reach(limit time.Duration, s discovery.State, boxes ...*box) time.Duration {
	return w.within(limit, fmt.Sprintf("%d machines %s", len(boxes), s), func() bool {
		return !slices.ContainsFunc(boxes, func(b *box) bool { return b.state() != s })
	})
}

// all waits until machines have messages.
func (w *world) all(limit time.Duration, what string, ids []string, boxes ...*box) time.Duration {
	return w.within(limit, what, func() bool {
		return !slices.ContainsFunc(boxes, func(b *box) bool { return !b.has(ids...) })
	})
}

// Two nodes without any network find each other, form a group and exchange messages both ways.
func twoMeet(w *world) {
	a, b := w.box(0), w.box(1)
	start := time.Now()
	a.relay()
	b.relay()
	w.within(60*time.Second, "one owns a group and the other is in it", func() bool {
		s := []discovery.State{a.state(), b.state()}
		return slices.Contains(s, discovery.StateHosting) && slices.Contains(s, discovery.StateMember)
	})
	w.note("group %.1f s after the first start", time.Since(start).Seconds())
	w.note("a went %s, b %s", a.path(), b.path())
	ids := []string{a.send("water at gate 4"), b.send("gate 5 is closed")}
	w.note("both have both %.1f s later", w.all(60*time.Second, "both have both messages", ids, a, b).Seconds())
}

// gather brings up a hub and n others around it.
func (w *world) gather(n int, limit time.Duration) (hub *box, members []*box) {
	hub = w.box(0)
	for i := range n {
		members = append(members, w.box(1+i))
	}
	hub.relay("--profile", "hub")
	for _, m := range members {
		m.relay()
	}
	start := time.Now()
	w.reach(limit, discovery.StateMember, members...)
	w.note("%d of %d in the group %.1f s after the last start", n, n, time.Since(start).Seconds())
	return hub, members
}

// Ten nodes gather around one hub, and what one says reaches all.
func hubCrowd(w *world) {
	_, members := w.gather(9, 60*time.Second)
	id := members[0].post("all come to the bridge")
	took := w.all(60*time.Second, "gossip reaches all", []string{id}, w.boxes...)
	w.note("a message reached 9 of 9 in %.1f s", took.Seconds())
}

// The owner's radio is cut off: another takes over and all are back.
func takeover(w *world) {
	hub, members := w.gather(3, 120*time.Second)
	time.Sleep(8 * time.Second) // so that they know each other
	hub.block(true)
	start := time.Now()
	w.within(60*time.Second, "another owns a group and the rest are in it", func() bool {
		hosting, member := 0, 0
		for _, m := range members {
			switch m.state() {
			case discovery.StateHosting:
				hosting++
			case discovery.StateMember:
				member++
			}
		}
		return hosting == 1 && member == len(members)-1 && hub.state() == discovery.StateBlocked
	})
	w.note("all back after %.1f s", time.Since(start).Seconds())
	id := members[0].post("the hub is gone")
	took := w.all(60*time.Second, "a message reaches all but the hub", []string{id}, members...)
	w.note("a message reached 2 of 2 in %.1f s", took.Seconds())
	if r := hub.wifi(); r.Fix != "rfkill unblock wifi" {
		w.fail("the hub says %q, %q", r.Err, r.Fix)
	}
	hub.block(false)
	w.note("hub back after %.1f s", w.reach(120*time.Second, discovery.StateHosting, hub).Seconds())
}

// A node walks from the group of one hub to that of another and carries a hundred messages.
func walker(w *world) {
	a, b, walks := w.box(0), w.box(1), w.box(2)
	b.place(1)
	a.relay("--profile", "hub")
	b.relay("--profile", "hub")
	walks.relay()
	w.reach(120*time.Second, discovery.StateMember, walks)
	var ids []string
	for i := range 100 {
		ids = append(ids, a.post(fmt.Sprintf("message %d", i)))
	}
	w.all(60*time.Second, "the walker has all", ids, walks)
	walks.place(1)
	took := w.all(90*time.Second, "the other hub has all", ids, b)
	w.note("carried %d of 100, there %.1f s after walking", b.count(ids...), took.Seconds())
}

// A link that loses a fifth of all packets and delays the rest by 0.2 s each way.
func lossy(w *world) {
	a, b := w.box(0), w.box(1)
	a.relay("--profile", "hub")
	b.relay()
	w.reach(120*time.Second, discovery.StateMember, b)
	for _, m := range []*box{a, b} {
		for _, dev := range m.groups() {
			must(w, run("tc", "-n", m.ns, "qdisc", "add", "dev", dev, "root", "netem", "delay", "200ms", "loss", "20%"))
		}
	}
	var ids []string
	for i := range 10 {
		ids = append(ids, a.post(fmt.Sprintf("over a bad link %d", i)), b.post(fmt.Sprintf("and back %d", i)))
	}
	w.note("20 messages complete in %.1f s", w.all(120*time.Second, "both have all", ids, a, b).Seconds())
}
