package report

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// What a page shows at most. A film of an hour then has a frame every five seconds, between which the nodes glide.
const (
	pageFrames = 720
	pageFilms  = 200
	pageText   = 300     // runes of a message
	pageBytes  = 8 << 20 // of the replay in the page
)

// Thin is the replay with at most so many frames and so many messages, both taken evenly; the first and the last frame stay.
// It shares the frames and the messages with the replay that it was made of.
func (p *Replay) Thin(frames, films int) *Replay {
	thin := *p
	thin.Frames = evenly(p.Frames, frames)
	thin.Messages = evenly(p.Messages, films)
	return &thin
}

// evenly is n of a list with its first and its last, or the list if it has no more.
func evenly[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	kept := make([]T, 0, max(n, 0))
	for i := range n {
		kept = append(kept, list[i*(len(list)-1)/max(n-1, 1)])
	}
	return kept
}

// reel is a replay as the page carries it: everything that changes little from frame to frame as its difference, times in
// milliseconds. Places and links are most of a page, and this is less than a third of the same in the JSON of Replay:
// 5.8 of 19.7 MB for 500 nodes that walk for an hour with 2,500 links at a time.
type reel struct {
	Nodes    int      `json:"nodes"`
	Width    float64  `json:"width"`
	Height   float64  `json:"height"`
	Wall     [][4]int `json:"walls"`
	Hub      []int    `json:"hubs"`
	At       []int64  `json:"at"`     // of each frame
	Place    [][]int  `json:"places"` // x and y, less those of the frame before; no frames if places are unknown
	State    []string `json:"states"` // "" as in the frame before
	Links    [][]int  `json:"links"`  // that came or went: A*Nodes+B with A < B, ascending, each less the one before
	Owner    [][]int  `json:"owners"` // whose group nodes are in: node, owner (-1 none), of those that differ from the frame before
	Messages []spread `json:"messages"`
}

// spread is one message in a reel.
type spread struct {
	Text   string  `json:"text"`
	From   int     `json:"from"`
	At     int64   `json:"at"`
	Nodes  []int   `json:"nodes"`  // without the author, by time
	Times  []int64 `json:"times"`  // since the one before, the first since At
	Parent []int   `json:"parent"` // -1 unknown
}

// reelJSON is the replay for the page, thinned until it fits.
func (p *Replay) reelJSON(nodes int) ([]byte, error) {
	if p == nil {
		return []byte("null"), nil
	}
	frames, films := pageFrames, pageFilms
	for {
		thin := p.Thin(frames, films)
		whole, err := json.Marshal(thin.reel(nodes))
		if err != nil || len(whole) <= pageBytes || frames <= 2 && films <= 1 {
			return whole, err
		}
		spreads, err := json.Marshal(thin.spreads(nodes))
		if err != nil {
			return nil, err
		}
		// The larger part gives way.
		if len(spreads) > len(whole)/2 && films > 1 || frames <= 2 {
			films = min(films, len(p.Messages)) / 2
		} else {
			frames = min(frames, len(p.Frames)) / 2
		}
	}
}

// reel encodes the replay. Numbers of nodes that do not exist are left out, because the page would trip over them.
func (p *Replay) reel(nodes int) *reel {
	for _, f := range p.Frames {
		nodes = max(nodes, len(f.State), len(f.Place)/2)
	}
	e := &reel{
		Nodes: nodes, Width: p.Width, Height: p.Height, Wall: filled(p.Wall), Hub: []int{},
		At: []int64{}, Place: [][]int{}, State: []string{}, Links: [][]int{}, Owner: [][]int{}, Messages: p.spreads(nodes),
	}
	for _, hub := range p.Hub {
		if hub >= 0 && hub < nodes {
			e.Hub = append(e.Hub, hub)
		}
	}
	place, state, links, owner := make([]int, 2*nodes), "", []int{}, slices.Repeat([]int{-1}, nodes)
	for _, f := range p.Frames {
		e.At = append(e.At, f.At.Milliseconds())
		moved := make([]int, min(len(f.Place), len(place)))
		for i := range moved {
			moved[i] = f.Place[i] - place[i]
			place[i] = f.Place[i]
		}
		e.Place = append(e.Place, moved)
		if f.State == state {
			e.State = append(e.State, "")
		} else {
			e.State = append(e.State, f.State)
			state = f.State
		}
		now := pairs(f.Links, nodes)
		e.Links = append(e.Links, differences(toggled(links, now)))
		links = now
		e.Owner = append(e.Owner, joined(owner, f.Owner))
	}
	return e
}

// joined is who is in another's group than before, with whose. It makes before what is now.
func joined(before, now []int) []int {
	changed := []int{}
	for n := range before {
		owner := -1
		if n < len(now) && now[n] >= 0 && now[n] < len(before) {
			owner = now[n]
		}
		if owner != before[n] {
			changed, before[n] = append(changed, n, owner), owner
		}
	}
	return changed
}

// pairs numbers links, ascending, each once.
func pairs(links []int, nodes int) []int {
	numbers := make([]int, 0, len(links)/2)
	for i := 0; i+1 < len(links); i += 2 {
		a, b := min(links[i], links[i+1]), max(links[i], links[i+1])
		if a >= 0 && a < b && b < nodes {
			numbers = append(numbers, a*nodes+b)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// toggled is what is in one of two ascending lists and not in the other, ascending.
func toggled(a, b []int) []int {
	out := []int{}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0] < a[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// differences replaces each number by what it is more than the one before.
func differences(list []int) []int {
	before := 0
	for i, v := range list {
		list[i], before = v-before, v
	}
	return list
}

// spreads encodes the messages.
func (p *Replay) spreads(nodes int) []spread {
	out := make([]spread, 0, len(p.Messages))
	for _, f := range p.Messages {
		if f.From >= 0 && f.From < nodes {
			out = append(out, f.spread(nodes))
		}
	}
	return out
}

func (f Film) spread(nodes int) spread {
	order := make([]int, 0, len(f.Nodes))
	for i := range min(len(f.Nodes), len(f.Times)) {
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f.Times[a], f.Times[b]) })
	s := spread{Text: safe(f.Text, pageText), From: f.From, At: f.At.Milliseconds(), Nodes: []int{}, Times: []int64{}, Parent: []int{}}
	before := f.At.Truncate(time.Millisecond)
	seen := map[int]bool{f.From: true}
	for _, i := range order {
		node := f.Nodes[i]
		if node < 0 || node >= nodes || seen[node] {
			continue
		}
		seen[node] = true
		parent := -1
		if i < len(f.Parent) && f.Parent[i] >= 0 && f.Parent[i] < nodes {
			parent = f.Parent[i]
		}
		at := max(f.Times[i].Truncate(time.Millisecond), before)
		s.Nodes, s.Parent = append(s.Nodes, node), append(s.Parent, parent)
		s.Times = append(s.Times, (at - before).Milliseconds())
		before = at
	}
	return s
}
