package contact

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// maxSpeed in metres a second bounds who walks.
const maxSpeed = 1000

// maxLegs bounds the waypoints reached within one tick, for squares that are crossed in less.
const maxLegs = 16

// Stand is people who stand where chance put them, uniformly, in an area.
type Stand struct {
	Nodes, Hubs   int     // phones 0 to Nodes-1, then hubs, spread evenly
	Width, Height float64 // metres, 0 or more
	Range         float64 // metres, more than 0
	Seed          uint64
}

// NewStand is a crowd whose links come up at time 0 and stay.
func NewStand(s Stand) (*Crowd, error) {
	area, err := checkArea(s.Nodes, s.Hubs, rect{0, 0, s.Width, s.Height}, s.Range)
	if err != nil {
		return nil, err
	}
	r := seeded(s.Seed)
	var places []Point
	for range s.Nodes {
		places = append(places, area.draw(r))
	}
	return newCrowd(append(places, area.spread(s.Hubs)...), nil, area, s.Range, r), nil
}

// Walk is random waypoint: everybody starts somewhere, uniformly, walks straight to the next place drawn uniformly, stays
// for up to Pause, and so on. The speed is one for all and for ever: drawing it for each leg would slow the crowd down
// over hours, as the slow legs last longest (Yoon, Liu, Noble: "Random waypoint considered harmful", 2003).
type Walk struct {
	Nodes, Hubs   int     // phones 0 to Nodes-1, which walk, then hubs, spread evenly, which do not
	Width, Height float64 // metres, 0 or more
	Speed         float64 // metres a second, more than 0
	Range         float64 // metres, more than 0
	Pause         time.Duration
	Seed          uint64
}

// NewWalk is a crowd that walks for ever. Each begins with a stay, so that they do not set out in step.
func NewWalk(w Walk) (*Crowd, error) {
	area, err := checkArea(w.Nodes, w.Hubs, rect{0, 0, w.Width, w.Height}, w.Range)
	if err != nil {
		return nil, err
	}
	if err := checkPace(w.Speed, w.Pause); err != nil {
		return nil, err
	}
	r := seeded(w.Seed)
	var places []Point
	var walkers []walker
	for n := range w.Nodes {
		k := walker{node: n, speed: w.Speed, pause: w.Pause.Seconds(), squares: [2]rect{area, area}}
		places = append(places, area.draw(r))
		k.arrive(r)
		walkers = append(walkers, k)
	}
	return newCrowd(append(places, area.spread(w.Hubs)...), walkers, area, w.Range, r), nil
}

// walker is one who moves from waypoint to waypoint.
type walker struct {
	node    int
	speed   float64 // metres a second
	pause   float64 // seconds at most
	squares [2]rect // where waypoints are drawn, in turn: twice the same for who stays in one
	turn    int     // of squares, for the waypoint after the target
	target  Point
	stay    float64 // seconds left before setting out to the target
}

// arrive draws how long to stay and where to go next.
func (w *walker) arrive(r *rand.Rand) {
	w.stay = r.Float64() * w.pause
	w.target = w.squares[w.turn].draw(r)
	w.turn = 1 - w.turn
}

// step is the place after so many seconds.
func (w *walker) step(p Point, seconds float64, r *rand.Rand) Point {
	for range maxLegs {
		if w.stay >= seconds {
			w.stay -= seconds
			return p
		}
		seconds, w.stay = seconds-w.stay, 0
		left := math.Hypot(w.target.X-p.X, w.target.Y-p.Y)
		if way := w.speed * seconds; way < left {
			return between(p, w.target, way/left)
		}
		p, seconds = w.target, seconds-left/w.speed
		w.arrive(r)
	}
	return p
}

// between is the place at a share of the way from one to another.
func between(from, to Point, share float64) Point {
	return Point{from.X + (to.X-from.X)*share, from.Y + (to.Y-from.Y)*share}
}

func checkArea(phones, hubs int, area rect, reach float64) (rect, error) {
	if err := checkNodes(phones, hubs); err != nil {
		return area, err
	}
	if err := checkMetres("a width", area.width, 0); err != nil {
		return area, err
	}
	if err := checkMetres("a height", area.height, 0); err != nil {
		return area, err
	}
	return area, checkMetres("a range", reach, 0.001)
}

func checkPace(speed float64, pause time.Duration) error {
	if !(speed > 0 && speed <= maxSpeed) {
		return fmt.Errorf("a speed of %v m/s: expected more than 0, at most %d", speed, maxSpeed)
	}
	if pause < 0 {
		return fmt.Errorf("a pause of %v: expected 0 or more", pause)
	}
	return nil
}
