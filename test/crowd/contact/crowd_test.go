package contact_test

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"longear/test/crowd/contact"
)

// crowds are makers of every source that moves or stands, by name.
func crowds(seed uint64) map[string]func() (*contact.Crowd, error) {
	return map[string]func() (*contact.Crowd, error){
		"stand": func() (*contact.Crowd, error) {
			return contact.NewStand(contact.Stand{Nodes: 80, Hubs: 3, Width: 200, Height: 100, Range: 30, Seed: seed})
		},
		"walk": func() (*contact.Crowd, error) {
			return contact.NewWalk(contact.Walk{Nodes: 60, Hubs: 1, Width: 200, Height: 200, Speed: 1.4, Range: 40, Pause: time.Minute, Seed: seed})
		},
		"a small square, fast": func() (*contact.Crowd, error) {
			return contact.NewWalk(contact.Walk{Nodes: 20, Width: 3, Height: 2, Speed: 30, Range: 1, Seed: seed})
		},
		"a point": func() (*contact.Crowd, error) {
			return contact.NewWalk(contact.Walk{Nodes: 3, Speed: 1, Range: 1, Seed: seed})
		},
		"streams": func() (*contact.Crowd, error) {
			return contact.NewStreams(contact.Streams{Nodes: 50, Hubs: 2, Width: 100, Height: 100, Apart: 300, Mules: 10, Speed: 1.4, Range: 40, Seed: seed})
		},
	}
}

func must[S contact.Source](t testing.TB, s S, err error) S {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// world keeps which links are up, and that changes make sense.
type world struct {
	up map[[2]int]bool
	at time.Duration
}

func (w *world) apply(t *testing.T, changes []contact.Change, to time.Duration) {
	t.Helper()
	for _, c := range changes {
		p := [2]int{c.A, c.B}
		if c.A >= c.B || c.A < 0 || c.At < w.at || c.At > to || w.up[p] == c.Up {
			t.Fatalf("%+v by %v after %v, when it was up: %v", c, to, w.at, w.up[p])
		}
		w.at = c.At
		w.up[p] = c.Up
	}
}

// A link is up at each tick if, and only if, its nodes are at most a range apart.
func TestLinksAreDistances(t *testing.T) {
	reach := map[string]float64{"stand": 30, "walk": 40, "a small square, fast": 1, "a point": 1, "streams": 40, "streams of walkers": 20}
	for name, create := range crowds(1) {
		t.Run(name, func(t *testing.T) {
			made, err := create()
			s := must(t, made, err)
			w := world{up: map[[2]int]bool{}}
			for at := time.Duration(0); at <= 10*time.Minute; at += contact.Tick {
				w.apply(t, s.Advance(at), at)
				places := s.Places()
				for b := range places {
					for a := range b {
						d := math.Hypot(places[a].X-places[b].X, places[a].Y-places[b].Y)
						if near := d <= reach[name]; near != w.up[[2]int{a, b}] && math.Abs(d-reach[name]) > 1e-9 {
							t.Fatalf("at %v nodes %d and %d are %.3f m apart, linked: %v", at, a, b, d, !near)
						}
					}
				}
			}
		})
	}
}

// A run is a function of its seed, however it is asked.
func TestSameSeedSameChanges(t *testing.T) {
	const end = 20 * time.Minute
	for name, create := range crowds(7) {
		t.Run(name, func(t *testing.T) {
			made, err := create()
			atOnce := must(t, made, err)
			all := atOnce.Advance(end)
			made, err = create()
			slowly := must(t, made, err)
			var steps []contact.Change
			for at, ok := slowly.Next(); ok && at <= end; at, ok = slowly.Next() {
				if early := slowly.Advance(at - 1); early != nil {
					t.Fatalf("changes %v before the %v that Next told", early, at)
				}
				steps = append(steps, slowly.Advance(at)...)
			}
			made, err = create()
			oddly := must(t, made, err)
			var odd []contact.Change
			for at := time.Duration(0); at < end; at += 7*time.Second + 300*time.Millisecond {
				odd = append(odd, oddly.Advance(at)...)
			}
			odd = append(odd, oddly.Advance(end)...)
			if !reflect.DeepEqual(all, steps) || !reflect.DeepEqual(all, odd) {
				t.Errorf("%d changes at once, %d by Next, %d in odd steps", len(all), len(steps), len(odd))
			}
			if again := atOnce.Advance(end); again != nil {
				t.Errorf("told again: %v", again)
			}
			made, err = crowds(8)[name]()
			other := must(t, made, err)
			if name != "a point" && reflect.DeepEqual(all, other.Advance(end)) {
				t.Error("another seed made the same changes")
			}
		})
	}
}

func TestPlaces(t *testing.T) {
	inside := func(p contact.Point, x, y, width, height float64) bool {
		const slack = 1e-9
		return p.X >= x-slack && p.Y >= y-slack && p.X <= x+width+slack && p.Y <= y+height+slack
	}
	t.Run("walkers and hubs", func(t *testing.T) {
		s := walk(t, contact.Walk{Nodes: 100, Hubs: 5, Width: 100, Height: 50, Speed: 3, Range: 5, Seed: 3})
		start := s.Places()
		moved := make([]bool, 105)
		for at := time.Duration(0); at < 10*time.Minute; at += contact.Tick {
			before := s.Places()
			s.Advance(at)
			for n, p := range s.Places() {
				if !inside(p, 0, 0, 100, 50) {
					t.Fatalf("node %d at %v", n, p)
				}
				if d := math.Hypot(p.X-before[n].X, p.Y-before[n].Y); d > 3*contact.Tick.Seconds()+1e-9 {
					t.Fatalf("node %d went %v m within a tick", n, d)
				}
				moved[n] = moved[n] || p != start[n]
			}
		}
		for n, m := range moved {
			if want := n < 100; m != want {
				t.Errorf("node %d moved: %v", n, m)
			}
		}
	})
	t.Run("streams", func(t *testing.T) {
		const phones, mules = 41, 6
		s := streams(t, contact.Streams{Nodes: phones, Hubs: 2, Width: 50, Height: 60, Apart: 200, Mules: mules, Speed: 2, Range: 30, Seed: 3})
		var left, right [mules]bool
		for at := time.Duration(0); at < time.Hour; at += contact.Tick {
			s.Advance(at)
			for n, p := range s.Places() {
				inLeft, inRight := inside(p, 0, 0, 50, 60), inside(p, 250, 0, 50, 60)
				switch {
				case n < mules:
					left[n], right[n] = left[n] || inLeft, right[n] || inRight
					if !inside(p, 0, 0, 300, 60) {
						t.Fatalf("mule %d at %v", n, p)
					}
				case n < phones && inLeft != (n < mules+18), n < phones && inLeft == inRight, n >= phones && inLeft != (n == phones):
					t.Fatalf("node %d at %v", n, p)
				}
			}
		}
		if left != right || left != [mules]bool{true, true, true, true, true, true} {
			t.Errorf("mules that were in the left square %v, in the right one %v", left, right)
		}
	})
	t.Run("hubs are spread", func(t *testing.T) {
		s := stand(t, contact.Stand{Hubs: 5, Width: 300, Height: 100, Range: 1})
		want := []contact.Point{{50, 25}, {150, 25}, {250, 25}, {75, 75}, {225, 75}}
		if got := s.Places(); !reflect.DeepEqual(got, want) {
			t.Errorf("hubs at %v, want %v", got, want)
		}
	})
}

// On a line of 10 m a leg is 10/3 m on average. At 1 m/s and with stays of 2 s on average people move for 5/8 of the time;
// places at ticks show a little less, as who turns within a tick has gone further than it seems.
func TestPace(t *testing.T) {
	const people, ticks = 100, 3600
	s := walk(t, contact.Walk{Nodes: people, Width: 10, Speed: 1, Range: 1, Pause: 4 * time.Second, Seed: 5})
	gone := 0.0
	for tick := range ticks {
		before := s.Places()
		s.Advance(time.Duration(tick) * contact.Tick)
		for n, p := range s.Places() {
			gone += math.Abs(p.X - before[n].X)
		}
	}
	if mean := gone / people / ticks; mean < 0.6 || mean > 0.63 {
		t.Errorf("they went %.3f m a second, want about 0.62", mean)
	}
}

func stand(t testing.TB, c contact.Stand) *contact.Crowd {
	s, err := contact.NewStand(c)
	return must(t, s, err)
}

func walk(t testing.TB, c contact.Walk) *contact.Crowd {
	s, err := contact.NewWalk(c)
	return must(t, s, err)
}

func streams(t testing.TB, c contact.Streams) *contact.Crowd {
	s, err := contact.NewStreams(c)
	return must(t, s, err)
}

// The number of links fits what chance says: a pair of places drawn in a square is within r with probability
// pi r²/L² - 8r³/3L³ + r⁴/2L⁴ (r at most L). A crowd that walks is denser in the middle, so it has more, and goes on
// having as many for hours: its speed does not decay.
func TestContactsArePlausible(t *testing.T) {
	const n, side, reach = 200, 500.0, 40.0
	q := reach / side
	want := (math.Pi*q*q - 8*q*q*q/3 + q*q*q*q/2) * n * (n - 1) / 2
	links := 0
	for seed := range uint64(20) {
		s := stand(t, contact.Stand{Nodes: n, Width: side, Height: side, Range: reach, Seed: seed})
		links += len(s.Advance(time.Hour))
		if at, ok := s.Next(); ok {
			t.Fatalf("a crowd that stands has something at %v", at)
		}
	}
	if mean := float64(links) / 20; mean < 0.9*want || mean > 1.1*want {
		t.Errorf("%.0f links of a standing crowd, want about %.0f", mean, want)
	}

	s := walk(t, contact.Walk{Nodes: n, Width: side, Height: side, Speed: 1.4, Range: reach, Seed: 1})
	w := world{up: map[[2]int]bool{}}
	ups := map[int]int{}
	for hour := range 4 {
		changes := s.Advance(time.Duration(hour+1) * time.Hour)
		w.apply(t, changes, time.Duration(hour+1)*time.Hour)
		for _, c := range changes {
			if c.Up && c.At > 0 {
				ups[hour]++
			}
		}
	}
	// Two walkers at one speed v meet 2 r v 4/π n/L² times a second each, and more often for being denser in the middle.
	meet := 2 * reach * 1.4 * 4 / math.Pi / (side * side) * n * (n - 1) / 2 * 3600
	for hour, got := range ups {
		if f := float64(got); f < meet || f > 1.6*meet {
			t.Errorf("%d contacts in hour %d, want %.0f to %.0f", got, hour, meet, 1.6*meet)
		}
	}
	if len(ups) != 4 || float64(ups[3]) < 0.9*float64(ups[1]) {
		t.Errorf("contacts by hour: %v", ups)
	}
}

func TestFixed(t *testing.T) {
	tests := []struct {
		name  string
		make  func() (*contact.Recorded, error)
		nodes int
		want  [][2]int
	}{
		{"full", func() (*contact.Recorded, error) { return contact.NewFull(contact.Full{Nodes: 3, Hubs: 1}) }, 4, [][2]int{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}},
		{"ring", func() (*contact.Recorded, error) { return contact.NewRing(contact.Ring{Nodes: 5, Each: 1}) }, 5, [][2]int{{0, 1}, {0, 4}, {1, 2}, {2, 3}, {3, 4}}},
		{"ring of twos", func() (*contact.Recorded, error) { return contact.NewRing(contact.Ring{Nodes: 5, Hubs: 1, Each: 2}) }, 6, [][2]int{{0, 1}, {0, 2}, {0, 4}, {0, 5}, {1, 2}, {1, 3}, {1, 5}, {2, 3}, {2, 4}, {3, 4}, {3, 5}, {4, 5}}},
		{"alone", func() (*contact.Recorded, error) { return contact.NewFull(contact.Full{Nodes: 1}) }, 1, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			made, err := test.make()
			s := must(t, made, err)
			var got [][2]int
			for _, c := range s.Advance(0) {
				if c.At != 0 || !c.Up {
					t.Errorf("%+v", c)
				}
				got = append(got, [2]int{c.A, c.B})
			}
			if !reflect.DeepEqual(got, test.want) || s.Nodes() != test.nodes || s.Places() != nil {
				t.Errorf("%v among %d nodes, want %v among %d", got, s.Nodes(), test.want, test.nodes)
			}
			if at, ok := s.Next(); ok || s.Advance(time.Hour) != nil {
				t.Errorf("something is left at %v", at)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	good := contact.Walk{Nodes: 2, Width: 1, Height: 1, Speed: 1, Range: 1}
	tests := map[string]func(*contact.Walk){
		"nobody":         func(w *contact.Walk) { w.Nodes = 0 },
		"fewer":          func(w *contact.Walk) { w.Nodes = -1; w.Hubs = 3 },
		"overflow":       func(w *contact.Walk) { w.Nodes = math.MaxInt; w.Hubs = math.MaxInt },
		"too many":       func(w *contact.Walk) { w.Nodes = contact.MaxNodes; w.Hubs = 1 },
		"no width":       func(w *contact.Walk) { w.Width = math.NaN() },
		"endless height": func(w *contact.Walk) { w.Height = math.Inf(1) },
		"no range":       func(w *contact.Walk) { w.Range = 0 },
		"no speed":       func(w *contact.Walk) { w.Speed = 0 },
		"wild speed":     func(w *contact.Walk) { w.Speed = math.Inf(1) },
		"no pause":       func(w *contact.Walk) { w.Pause = -1 },
	}
	for name, spoil := range tests {
		w := good
		spoil(&w)
		if _, err := contact.NewWalk(w); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := contact.NewWalk(good); err != nil {
		t.Error(err)
	}
	for _, s := range []contact.Streams{
		{Nodes: 2, Width: 1, Height: 1, Mules: 3, Speed: 1, Range: 1},
		{Nodes: 2, Width: 1, Height: 1, Apart: -1, Speed: 1, Range: 1},
	} {
		if _, err := contact.NewStreams(s); err == nil {
			t.Errorf("%+v: taken", s)
		}
	}
	for _, r := range []contact.Ring{{Nodes: 5}, {Nodes: 5, Each: 6}, {Nodes: 10_000, Each: 5000}} {
		if _, err := contact.NewRing(r); err == nil {
			t.Errorf("%+v: taken", r)
		}
	}
	if _, err := contact.NewFull(contact.Full{Nodes: 10_000}); err == nil {
		t.Error("10,000 nodes, each linked with each: taken")
	}
}

// An hour of 500 people walking.
func BenchmarkWalk(b *testing.B) {
	for _, side := range []float64{500, 1000} {
		b.Run(fmt.Sprintf("500 nodes on %.0f m", side), func(b *testing.B) {
			ups := 0
			for b.Loop() {
				s := walk(b, contact.Walk{Nodes: 500, Width: side, Height: side, Speed: 1.4, Range: 40, Pause: time.Minute, Seed: 1})
				ups = len(s.Advance(time.Hour)) / 2
			}
			b.ReportMetric(float64(ups), "contacts/op")
		})
	}
}
