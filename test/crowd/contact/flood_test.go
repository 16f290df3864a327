package contact_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"longear/test/crowd/contact"
)

// told is one thing that an oracle is told.
type told struct {
	at            time.Duration
	kind          string // link, publish, silent, forget
	a, b, message int
	on            bool
}

func tell(f *contact.Flood, e told) {
	switch e.kind {
	case "link":
		f.Link(contact.Change{At: e.at, A: e.a, B: e.b, Up: e.on})
	case "publish":
		f.Publish(e.message, e.a, e.at)
	case "silent":
		f.Silent(e.a, e.at, e.on)
	case "forget":
		f.Forget(e.message, e.at)
	}
}

// naive is the same oracle for one message, as plain as can be: after everything that happens it looks at all links until
// nothing changes.
func naive(nodes, message int, log []told) []time.Duration {
	arrivals := slices.Repeat([]time.Duration{-1}, nodes)
	links := map[[2]int]bool{}
	silent := map[int]bool{}
	dead := false
	for _, e := range log {
		switch {
		case e.kind == "link":
			links[[2]int{e.a, e.b}] = e.on
		case e.kind == "silent":
			silent[e.a] = e.on
		case e.kind == "publish" && e.message == message && arrivals[e.a] < 0:
			arrivals[e.a] = e.at
		case e.kind == "forget" && e.message == message:
			dead = true
		}
		for changed := !dead; changed; {
			changed = false
			for l, up := range links {
				for _, way := range [][2]int{l, {l[1], l[0]}} {
					if up && !silent[way[0]] && arrivals[way[0]] >= 0 && arrivals[way[1]] < 0 {
						arrivals[way[1]] = e.at
						changed = true
					}
				}
			}
		}
	}
	return arrivals
}

func randomLog(r *rand.Rand, nodes, messages, events int) (log []told) {
	at := time.Duration(0)
	for message := range messages {
		log = append(log, told{kind: "publish", message: message, a: r.IntN(nodes)})
	}
	for range events {
		a, b := r.IntN(nodes), r.IntN(nodes)
		switch p := r.IntN(100); {
		case p < 88 && a != b:
			log = append(log, told{kind: "link", a: min(a, b), b: max(a, b), on: r.IntN(3) == 0})
		case p < 95:
			log = append(log, told{kind: "silent", a: a, on: r.IntN(2) == 0})
		default:
			log = append(log, told{kind: "forget", message: r.IntN(messages)})
		}
	}
	r.Shuffle(len(log), func(i, j int) { log[i], log[j] = log[j], log[i] })
	for i := range log {
		if r.IntN(4) > 0 { // often several at the same time
			at += time.Duration(r.IntN(1000)) * time.Millisecond
		}
		log[i].at = at
	}
	return log
}

func TestFloodIsNaive(t *testing.T) {
	reached, missed := 0, 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		nodes, messages := 2+r.IntN(20), 1+r.IntN(150)
		log := randomLog(r, nodes, messages, 400)
		f := contact.NewFlood(nodes)
		for _, e := range log {
			tell(f, e)
		}
		if f.Err() != nil {
			t.Fatalf("seed %d: %v", seed, f.Err())
		}
		for message := range messages {
			for node, want := range naive(nodes, message, log) {
				got, ok := f.Arrival(message, node)
				if ok != (want >= 0) || ok && got != want {
					t.Fatalf("seed %d: message %d at node %d: %v %v, want %v", seed, message, node, got, ok, want)
				}
				if ok {
					reached++
				} else {
					missed++
				}
			}
		}
	}
	if reached < 5000 || missed < 1000 {
		t.Errorf("only %d arrivals and %d misses were compared", reached, missed)
	}
}

func TestFlood(t *testing.T) {
	const s = time.Second
	link := func(at time.Duration, a, b int, up bool) told { return told{at: at, kind: "link", a: a, b: b, on: up} }
	publish := func(at time.Duration, node int) told { return told{at: at, kind: "publish", a: node} }
	tests := []struct {
		name string
		log  []told
		want []time.Duration // at nodes 0 to 3, -1 for never
	}{
		{"along a chain at once", []told{link(0, 0, 1, true), link(0, 1, 2, true), link(0, 2, 3, true), publish(s, 0)}, []time.Duration{s, s, s, s}},
		{"carried from contact to contact", []told{publish(0, 0), link(s, 0, 1, true), link(2*s, 0, 1, false), link(3*s, 1, 2, true)}, []time.Duration{0, s, 3 * s, -1}},
		{"not back in time", []told{publish(0, 0), link(s, 1, 2, true), link(2*s, 1, 2, false), link(3*s, 0, 1, true)}, []time.Duration{0, 3 * s, -1, -1}},
		{"a silent node takes and does not give", []told{{kind: "silent", a: 1, on: true}, link(0, 0, 1, true), link(0, 1, 2, true), publish(s, 0)}, []time.Duration{s, s, -1, -1}},
		{"a silent node keeps its own", []told{{kind: "silent", a: 0, on: true}, link(0, 0, 1, true), publish(s, 0)}, []time.Duration{s, -1, -1, -1}},
		{"a node that speaks again gives what it has", []told{{kind: "silent", a: 0, on: true}, link(0, 0, 1, true), link(0, 1, 2, true), publish(s, 0), {at: 2 * s, kind: "silent", a: 0}}, []time.Duration{s, 2 * s, 2 * s, -1}},
		{"past its life it stays where it is", []told{link(0, 0, 1, true), publish(s, 0), {at: 2 * s, kind: "forget"}, link(3*s, 1, 2, true)}, []time.Duration{s, s, -1, -1}},
		{"from two places, whichever is nearer", []told{publish(0, 0), link(s, 2, 3, true), publish(2*s, 3), link(3*s, 0, 1, true)}, []time.Duration{0, 3 * s, 2 * s, 2 * s}},
		{"a link told twice is cut once", []told{link(0, 0, 1, true), link(0, 0, 1, true), link(s, 0, 1, false), link(s, 0, 1, false), publish(2*s, 0)}, []time.Duration{2 * s, -1, -1, -1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := contact.NewFlood(4)
			for _, e := range test.log {
				tell(f, e)
			}
			if f.Err() != nil {
				t.Fatal(f.Err())
			}
			var got []time.Duration
			for node := range 4 {
				at, ok := f.Arrival(0, node)
				if !ok {
					at = -1
				}
				got = append(got, at)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("arrivals %v, want %v", got, test.want)
			}
		})
	}
}

// What is not published, and nodes that there are not, have no arrivals.
func TestNoArrival(t *testing.T) {
	f := contact.NewFlood(3)
	f.Publish(2, 1, time.Second) // 0 and 1 are not published
	f.Link(contact.Change{At: 3 * time.Second, A: 0, B: 1, Up: true})
	if at, ok := f.Arrival(2, 0); !ok || at != 3*time.Second {
		t.Errorf("message 2 at node 0: %v, %v, want 3s", at, ok)
	}
	for _, pair := range [][2]int{{0, 0}, {1, 1}, {2, 2}, {2, 3}, {3, 0}, {-1, 0}, {2, -1}} {
		if at, ok := f.Arrival(pair[0], pair[1]); ok {
			t.Errorf("message %d at node %d arrived at %v", pair[0], pair[1], at)
		}
	}
}

func TestFloodRefuses(t *testing.T) {
	tests := map[string]told{
		"the past":           {at: time.Second - 1, kind: "publish", a: 0},
		"no such node":       {at: time.Second, kind: "publish", a: 2},
		"no such end":        {at: time.Second, kind: "link", a: 0, b: 2, on: true},
		"a negative node":    {at: time.Second, kind: "silent", a: -1, on: true},
		"a negative message": {at: time.Second, kind: "publish", message: -1},
		"a huge message":     {at: time.Second, kind: "publish", message: 1 << 40},
	}
	for name, e := range tests {
		f := contact.NewFlood(2)
		f.Silent(0, time.Second, false)
		if f.Err() != nil {
			t.Fatal(f.Err())
		}
		tell(f, e)
		if _, taken := f.Arrival(e.message, max(e.a, 0)); f.Err() == nil || taken {
			t.Errorf("%s: taken: %v", name, f.Err())
		}
	}
}

func BenchmarkFlood(b *testing.B) {
	sizes := []struct{ messages, nodes, changes int }{{10_000, 100, 20_000}, {200, 403, 120_000}, {200, 500, 400_000}}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%d messages, %d nodes, %d changes", size.messages, size.nodes, size.changes), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			arrived := 0
			for b.Loop() {
				f := contact.NewFlood(size.nodes)
				up := map[[2]int]bool{}
				published := 0
				for i := range size.changes {
					at := time.Duration(i) * time.Millisecond
					for ; published*size.changes <= i*size.messages && published < size.messages; published++ {
						f.Publish(published, r.IntN(size.nodes), at)
					}
					x, y := r.IntN(size.nodes), r.IntN(size.nodes)
					if x != y {
						p := [2]int{min(x, y), max(x, y)}
						up[p] = !up[p]
						f.Link(contact.Change{At: at, A: p[0], B: p[1], Up: up[p]})
					}
				}
				arrived = 0
				for message := range published {
					for node := range size.nodes {
						if _, ok := f.Arrival(message, node); ok {
							arrived++
						}
					}
				}
			}
			b.ReportMetric(float64(arrived), "arrivals/op")
		})
	}
	b.Run("10000 messages, 100 nodes linked with each", func(b *testing.B) {
		for b.Loop() {
			f := contact.NewFlood(100)
			full, err := contact.NewFull(contact.Full{Nodes: 100})
			if err != nil {
				b.Fatal(err)
			}
			for _, c := range full.Advance(0) {
				f.Link(c)
			}
			for m := range 10_000 {
				f.Publish(m, m%100, time.Duration(m))
			}
		}
	})
}
