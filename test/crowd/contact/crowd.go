package contact

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Tick is how often a crowd that moves is looked at: links come and go at multiples of it. A pedestrian does 1.4 m
// between two looks, a few hundredths of what radio reaches, and a real radio takes longer to notice a neighbour.
const Tick = time.Second

// MaxNodes bounds a source, whoever wrote the numbers.
const MaxNodes = 10_000

// maxMetres bounds sizes and ranges, so that squares of distances keep their precision.
const maxMetres = 1e6

// Crowd is phones and hubs in a plane: two of them are linked while they are at most a range apart. Its changes depend
// on its seed and on nothing else: not on how Advance is called.
type Crowd struct {
	places  []Point
	walkers []walker   // those who move, by number
	rand    *rand.Rand // drawn from in the order of ticks, then of walkers
	near    grid
	reach   float64
	links   []pair // up after the last tick, sorted
	spare   []pair // the slice that links had before, to be used again
	next    time.Duration
	over    bool // nothing will change any more
}

// newCrowd is a crowd of these places, which moves if it has walkers. The places lie within the area.
func newCrowd(places []Point, walkers []walker, area rect, reach float64, r *rand.Rand) *Crowd {
	return &Crowd{places: places, walkers: walkers, rand: r, near: newGrid(area, reach, len(places)), reach: reach}
}

// Nodes implements Source.
func (c *Crowd) Nodes() int { return len(c.places) }

// Next implements Source: a crowd that stands has nothing after time 0.
func (c *Crowd) Next() (time.Duration, bool) { return c.next, !c.over }

// Places implements Source. The slice is the caller's.
func (c *Crowd) Places() []Point { return slices.Clone(c.places) }

// Advance implements Source. Changes of the same tick are in the order of their nodes.
func (c *Crowd) Advance(to time.Duration) (changes []Change) {
	for !c.over && c.next <= to {
		moved := c.next == 0 // nobody has looked yet
		if c.next > 0 {
			for i := range c.walkers {
				w := &c.walkers[i]
				before := c.places[w.node]
				c.places[w.node] = w.step(before, Tick.Seconds(), c.rand)
				moved = moved || c.places[w.node] != before
			}
		}
		if moved {
			now := c.near.pairs(c.places, c.reach, c.spare[:0])
			changes = differences(changes, c.next, c.links, now)
			c.links, c.spare = now, c.links
		}
		c.next += Tick
		c.over = len(c.walkers) == 0
	}
	return changes
}

// differences appends the changes that lead from one sorted set of links to another.
func differences(changes []Change, at time.Duration, old, now []pair) []Change {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && old[0] < now[0]:
			changes = append(changes, old[0].change(at, false))
			old = old[1:]
		case len(old) == 0 || now[0] < old[0]:
			changes = append(changes, now[0].change(at, true))
			now = now[1:]
		default:
			old, now = old[1:], now[1:]
		}
	}
	return changes
}

// pair is two nodes, the lower one in the upper half, so that pairs sort as one expects.
type pair uint64

func pairOf(a, b int) pair { return pair(min(a, b))<<32 | pair(max(a, b)) }

func (p pair) change(at time.Duration, up bool) Change {
	return Change{At: at, A: int(p >> 32), B: int(p & math.MaxUint32), Up: up}
}

// rect is an upright rectangle.
type rect struct{ x, y, width, height float64 }

// draw is a place in the rectangle, drawn uniformly.
func (a rect) draw(r *rand.Rand) Point {
	return Point{a.x + r.Float64()*a.width, a.y + r.Float64()*a.height}
}

// spread puts n places evenly over the rectangle: one in the middle, more on a grid of rows, the last row centred.
func (a rect) spread(n int) (places []Point) {
	if n == 0 {
		return nil
	}
	cols := int(math.Ceil(math.Sqrt(float64(n))))
	rows := (n + cols - 1) / cols
	for row := range rows {
		in := min(cols, n-row*cols)
		for col := range in {
			places = append(places, Point{
				a.x + a.width*(float64(col)+0.5)/float64(in),
				a.y + a.height*(float64(row)+0.5)/float64(rows),
			})
		}
	}
	return places
}

// seeded is the source of chance of a crowd.
func seeded(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0x6c6f6e67656172)) // the second half tells this stream from others of the seed
}

// checkNodes refuses numbers of nodes that make no world.
func checkNodes(phones, hubs int) error {
	if phones < 0 || hubs < 0 || phones > MaxNodes || hubs > MaxNodes || phones+hubs < 1 || phones+hubs > MaxNodes {
		return fmt.Errorf("%d phones and %d hubs: expected 1 to %d together", phones, hubs, MaxNodes)
	}
	return nil
}

// checkMetres refuses lengths that are not finite and within lowest to maxMetres.
func checkMetres(what string, metres, lowest float64) error {
	if !(metres >= lowest && metres <= maxMetres) { // false for NaN
		return fmt.Errorf("%s of %v m: expected %v to %v", what, metres, lowest, float64(maxMetres))
	}
	return nil
}
