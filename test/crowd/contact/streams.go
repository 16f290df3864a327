package contact

import "fmt"

// Streams is two squares side by side, too far apart for radio when Apart exceeds Range. Phones 0 to Mules-1 go to and
// fro between them; the first half of the other phones stands in the left square, the second half in the right one,
// and so do the hubs.
type Streams struct {
	Nodes, Hubs   int
	Width, Height float64 // metres, of each square
	Apart         float64 // metres from the right edge of the left square to the left edge of the right one
	Mules         int     // of the phones
	Speed, Range  float64
	Seed          uint64
}

// NewStreams is such a crowd. Each mule starts somewhere on its way, so that they do not cross as one.
func NewStreams(s Streams) (*Crowd, error) {
	left, err := checkArea(s.Nodes, s.Hubs, rect{0, 0, s.Width, s.Height}, s.Range)
	if err != nil {
		return nil, err
	}
	if err := checkPace(s.Speed, 0); err != nil {
		return nil, err
	}
	if err := checkMetres("squares apart", s.Apart, 0); err != nil {
		return nil, err
	}
	if s.Mules < 0 || s.Mules > s.Nodes {
		return nil, fmt.Errorf("%d mules: expected 0 to %d, as many as there are phones", s.Mules, s.Nodes)
	}
	right := rect{s.Width + s.Apart, 0, s.Width, s.Height}
	r := seeded(s.Seed)
	var places []Point
	var walkers []walker
	for n := range s.Mules {
		w := walker{node: n, speed: s.Speed, squares: [2]rect{left, right}, turn: n % 2}
		w.arrive(r)
		from := w.target // as if it had just been there
		w.arrive(r)
		w.stay = 0
		places = append(places, between(from, w.target, r.Float64()))
		walkers = append(walkers, w)
	}
	home := s.Nodes - s.Mules
	for i := range home {
		square := left
		if i >= (home+1)/2 {
			square = right
		}
		places = append(places, square.draw(r))
	}
	places = append(places, left.spread((s.Hubs+1)/2)...)
	places = append(places, right.spread(s.Hubs/2)...)
	return newCrowd(places, walkers, rect{0, 0, 2*s.Width + s.Apart, s.Height}, s.Range, r), nil
}
