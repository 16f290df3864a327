package crowd

import (
	"math"
	"slices"
	"testing/synctest"
	"time"

	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// How finely a run is filmed, whatever its length.
const (
	mostFrames = 720
	mostFilms  = 200
)

// film is what the report replays, taken as the run goes on.
type film struct {
	every   time.Duration
	frames  []report.Frame
	traffic []report.TrafficPoint
	before  report.TrafficPoint // sums so far
	next    time.Duration
	mark    time.Duration // when traffic is read next
	corner  [2]float64    // the farthest place so far, in metres
}

// filmEvery is the time between frames.
func filmEvery(s story.Story) time.Duration {
	return max(time.Second, (length(s) / mostFrames).Round(time.Second))
}

// shoot takes a frame if one is due, and reads the traffic at every fourth.
func (w *World) shoot() {
	f := &w.film
	now := w.now()
	if now < f.next {
		return
	}
	f.next = now + f.every
	w.frame(now)
	if now >= f.mark {
		f.mark = now + 4*f.every
		w.readTraffic(now)
	}
}

func (w *World) frame(now time.Duration) {
	f := &w.film
	frame := report.Frame{At: now, State: w.states()}
	for _, p := range w.topology.place {
		f.corner[0], f.corner[1] = max(f.corner[0], p.X), max(f.corner[1], p.Y)
		frame.Place = append(frame.Place, int(math.Round(p.X*10)), int(math.Round(p.Y*10)))
	}
	for p := range w.topology.contact {
		frame.Links = append(frame.Links, p[0], p[1])
	}
	sortPairs(frame.Links)
	if w.groups != nil {
		frame.Owner = w.groups.owners()
	}
	f.frames = append(f.frames, frame)
}

func sortPairs(flat []int) {
	pairs := make([][2]int, 0, len(flat)/2)
	for p := range slices.Chunk(flat, 2) {
		pairs = append(pairs, [2]int{p[0], p[1]})
	}
	slices.SortFunc(pairs, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for i, p := range pairs {
		flat[2*i], flat[2*i+1] = p[0], p[1]
	}
}

// states is a letter for each node.
func (w *World) states() string {
	b := make([]byte, len(w.members))
	for i, m := range w.members {
		switch {
		case !m.running:
			b[i] = 'd'
		case m.dozing:
			b[i] = 'z'
		default:
			b[i] = "umlfl"[m.role.Load()]
		}
	}
	return string(b)
}

// readTraffic notes what was sent since the last time, once every node has done what it was doing.
func (w *World) readTraffic(now time.Duration) {
	synctest.Wait()
	sum := report.TrafficPoint{At: now}
	var air int64
	for i, m := range w.members {
		t := w.tallyOf(m)
		sum.Gossip += int64(t.gossip)
		sum.Sync += int64(t.sync)
		air += int64(w.air.sent[i].Load())
	}
	before := w.film.before
	// The last packet's worth of what was written is on its way to the air. That all of it gets there is checked after every step.
	sum.Discovery = max(before.Discovery, air-sum.Gossip-sum.Sync)
	w.film.before = sum
	w.film.traffic = append(w.film.traffic, report.TrafficPoint{
		At: now, Gossip: sum.Gossip - before.Gossip, Sync: sum.Sync - before.Sync, Discovery: sum.Discovery - before.Discovery,
	})
}

// replay is the film as the report shows it.
func (w *World) replay() *report.Replay {
	f := &w.film
	r := &report.Replay{Width: f.corner[0], Height: f.corner[1], Frames: f.frames}
	for _, wall := range w.topology.walls {
		r.Wall = append(r.Wall, [4]int{int(wall[0].X), int(wall[0].Y), int(wall[1].X), int(wall[1].Y)})
	}
	for i := w.phones; i < len(w.members); i++ {
		r.Hub = append(r.Hub, i)
	}
	posts := w.ledger.all()
	stride := 1 + (len(posts)-1)/mostFilms
	for i := 0; i < len(posts); i += max(stride, 1) {
		p := posts[i]
		m := report.Film{Text: p.text, From: p.from, At: p.at}
		for n, when := range p.when {
			if when != never {
				m.Nodes = append(m.Nodes, n)
				m.Times = append(m.Times, when)
				m.Parent = append(m.Parent, int(p.parent[n]))
			}
		}
		r.Messages = append(r.Messages, m)
	}
	return r
}
