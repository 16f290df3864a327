package report_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"longear/test/crowd/report"
)

// crowd is a made-up one: nodes that walk on a square from corner to corner, hand messages to whom they meet, and are down, dozing
// or hostile at times. The same numbers make the same report.
type crowd struct {
	nodes, hubs, messages int
	seconds, every        int // the run, and between frames
	side, reach           float64

	random  *rand.Rand
	at, aim [][2]float64
	state   []byte
	links   [][2]int
	report  *report.Report
	late    []time.Duration // latencies of all deliveries, and the oracle's
	oracle  []time.Duration
	hops    [][]int // by message and node, -1 without it
	reached [][]bool
	second  report.TrafficPoint
}

// walking is the crowd of the tests.
func walking() *crowd {
	return &crowd{nodes: 60, hubs: 2, messages: 24, seconds: 1800, every: 5, side: 420, reach: 45}
}

// texts are what is said, the words of strangers among it.
var texts = []string{
	"water at gate 4", "who has a charger, near the stage?", "the bridge is closed, go by the river", "medic needed at the blue tent",
	"نحن عند البوابة الشمالية", "meet at six under the clock", "it is calm here, stay where you are", "the last train leaves at ten",
}

func (c *crowd) run() *report.Report {
	c.random = rand.New(rand.NewPCG(7, 60))
	c.report = &report.Report{
		Story: "walking", Seed: math.MaxUint64 - 7, Nodes: c.nodes, Hubs: c.hubs, Virtual: time.Duration(c.seconds) * time.Second,
		Real: 41*time.Second + 300*time.Millisecond, CPU: 77 * time.Second, Memory: 412 << 20, Messages: c.messages, Expected: 3, Looked: 3,
		Refused: map[string]uint64{"duplicate": 5120, "expired": 12, "bad signature": 431},
		Replay:  &report.Replay{Width: c.side, Height: c.side, Wall: [][4]int{{210, 0, 210, 170}, {210, 250, 210, 420}}},
	}
	c.state = []byte(strings.Repeat("u", c.nodes))
	for i := range c.nodes {
		c.at = append(c.at, c.somewhere())
		c.aim = append(c.aim, c.somewhere())
		if i >= c.nodes-c.hubs {
			c.report.Replay.Hub = append(c.report.Replay.Hub, i)
		}
	}
	for i, letter := range "mmllf" {
		c.state[5+i*7] = byte(letter)
	}
	for s := range c.seconds {
		c.step(s)
	}
	c.frame(c.seconds)
	c.sum()
	return c.report
}

func (c *crowd) somewhere() [2]float64 {
	return [2]float64{c.random.Float64() * c.side, c.random.Float64() * c.side}
}

func (c *crowd) step(s int) {
	for i := range c.nodes - c.hubs {
		dx, dy := c.aim[i][0]-c.at[i][0], c.aim[i][1]-c.at[i][1]
		far := math.Hypot(dx, dy)
		if far < 2 {
			c.aim[i] = c.somewhere()
			continue
		}
		c.at[i][0] += 1.4 * dx / far
		c.at[i][1] += 1.4 * dy / far
		switch {
		case c.state[i] == 'u' && c.random.IntN(900) == 0:
			c.state[i] = "dz"[c.random.IntN(2)]
		case (c.state[i] == 'd' || c.state[i] == 'z') && c.random.IntN(120) == 0:
			c.state[i] = 'u'
		}
	}
	c.meet()
	if s%max(1, c.seconds*2/3/c.messages) == 0 && len(c.report.Replay.Messages) < c.messages {
		c.publish(s)
	}
	c.spread(s)
	c.second.Discovery += int64(40*len(c.links)) + int64(c.random.IntN(4000))
	if s%10 == 9 {
		c.second.At = time.Duration(s+1) * time.Second
		c.report.Traffic = append(c.report.Traffic, c.second)
		c.second = report.TrafficPoint{}
	}
	if s%c.every == 0 {
		c.frame(s)
	}
}

// meet finds who is in reach of whom.
func (c *crowd) meet() {
	before := c.links
	c.links = nil
	for a := range c.nodes {
		for b := a + 1; b < c.nodes; b++ {
			dx, dy := c.at[a][0]-c.at[b][0], c.at[a][1]-c.at[b][1]
			if dx*dx+dy*dy < c.reach*c.reach && c.awake(a) && c.awake(b) && !c.walled(a, b) {
				c.links = append(c.links, [2]int{a, b})
			}
		}
	}
	old := map[[2]int]bool{}
	for _, l := range before {
		old[l] = true
	}
	for _, l := range c.links {
		if !old[l] {
			c.report.Contacts++
			if c.random.IntN(20) > 0 {
				c.report.Connected++
			}
		}
	}
}

// walled reports whether the wall, which has a gap in its middle, is between two nodes.
func (c *crowd) walled(a, b int) bool {
	left, right := c.at[a], c.at[b]
	if (left[0] < 210) == (right[0] < 210) {
		return false
	}
	y := left[1] + (right[1]-left[1])*(210-left[0])/(right[0]-left[0])
	return y < 170 || y > 250
}

func (c *crowd) awake(i int) bool { return c.state[i] != 'd' && c.state[i] != 'z' }

func (c *crowd) publish(s int) {
	from := c.random.IntN(c.nodes)
	text := texts[len(c.report.Replay.Messages)%len(texts)]
	c.report.Replay.Messages = append(c.report.Replay.Messages, report.Film{Text: text, From: from, At: time.Duration(s) * time.Second})
	hops, reached := slices.Repeat([]int{-1}, c.nodes), make([]bool, c.nodes)
	hops[from], reached[from] = 0, true
	c.hops, c.reached = append(c.hops, hops), append(c.reached, reached)
}

// spread hands messages over each link: at once for the oracle, for the nodes one link a second and most of the time.
func (c *crowd) spread(s int) {
	for m := range c.hops {
		film, hops, reached := &c.report.Replay.Messages[m], c.hops[m], c.reached[m]
		if !slices.Contains(hops, -1) && !slices.Contains(reached, false) {
			continue // all have it
		}
		for again := true; again; {
			again = false
			for _, l := range c.links {
				if reached[l[0]] != reached[l[1]] {
					reached[l[0]], reached[l[1]], again = true, true, true
					c.oracle = append(c.oracle, time.Duration(s)*time.Second-film.At)
				}
			}
		}
		had := slices.Clone(hops)
		for _, l := range c.links {
			from, to := l[0], l[1]
			if had[from] < 0 {
				from, to = to, from
			}
			if had[from] < 0 || hops[to] >= 0 || c.state[from] == 'm' || c.random.IntN(3) == 0 {
				continue
			}
			at := time.Duration(s)*time.Second + time.Duration(20+c.random.IntN(900))*time.Millisecond
			hops[to] = hops[from] + 1
			film.Nodes, film.Times, film.Parent = append(film.Nodes, to), append(film.Times, at), append(film.Parent, from)
			c.late = append(c.late, at-film.At)
			c.second.Gossip += int64(300 + c.random.IntN(500))
			c.second.Sync += int64(c.random.IntN(900))
		}
	}
	c.second.Sync += int64(12 * len(c.links))
}

func (c *crowd) frame(s int) {
	f := report.Frame{At: time.Duration(s) * time.Second, State: string(c.state), Place: []int{}, Links: []int{}}
	for _, p := range c.at {
		f.Place = append(f.Place, int(p[0]*10), int(p[1]*10))
	}
	for _, l := range c.links {
		f.Links = append(f.Links, l[0], l[1])
	}
	c.report.Replay.Frames = append(c.report.Replay.Frames, f)
}

// sum fills in what is counted at the end.
func (c *crowd) sum() {
	r := c.report
	slices.Sort(c.late)
	slices.Sort(c.oracle)
	r.Deliveries, r.Possible, r.Copies = len(c.late), len(c.oracle), 1.37
	r.Latency, r.Oracle = quantiles(c.late), quantiles(c.oracle)
	r.Pairs = c.messages * (c.nodes - 1)
	pairs := float64(r.Pairs)
	share := func(list []time.Duration, at time.Duration) float64 {
		n, _ := slices.BinarySearch(list, at+1)
		return float64(n) / pairs
	}
	before := 0
	for at := 500 * time.Millisecond; before < len(c.late); at = at * 5 / 4 {
		r.Curve = append(r.Curve, report.CurvePoint{After: at, Share: share(c.late, at), Oracle: share(c.oracle, at)})
		n, _ := slices.BinarySearch(c.late, at+1)
		r.Histogram = append(r.Histogram, report.Bin{UpTo: at, N: n - before})
		before = n
	}
	for _, message := range c.hops {
		for _, h := range message {
			if h > 0 {
				r.Hops = append(r.Hops, make([]int, max(0, h+1-len(r.Hops)))...)
				r.Hops[h]++
			}
		}
	}
	for _, p := range r.Traffic {
		r.Bytes.Gossip += float64(p.Gossip) / float64(c.nodes)
		r.Bytes.Sync += float64(p.Sync) / float64(c.nodes)
		r.Bytes.Discovery += float64(p.Discovery) / float64(c.nodes)
	}
	r.Bytes.Repeated = r.Bytes.Gossip * .27
	r.Payload = float64(len(c.late)*180) / float64(c.nodes)
}

func quantiles(sorted []time.Duration) report.Quantiles {
	if len(sorted) == 0 {
		return report.Quantiles{}
	}
	at := func(q float64) time.Duration { return sorted[int(q*float64(len(sorted)-1))] }
	return report.Quantiles{P50: at(.5), P90: at(.9), P99: at(.99), Last: at(1)}
}

// hostile is what a stranger might write to break the page that shows it, and what a failed run adds.
func hostile() *report.Report {
	r := walking().run()
	bad := []string{
		`<script>document.title='run by a message'</script>`,
		`</script><img src=x onerror="document.title='run by a message'">`,
		`<!--<script>`, "\u202eevil\u202c \u2067 \x1b[31mred\x07\x00", "]]>{{.Seed}}${1}`'\"\\", strings.Repeat("long ", 2000), strings.Repeat("x", 10_000), "bad \xff\xfe bytes \u2028 and lines",
	}
	r.Story = bad[0] + bad[1] + bad[3]
	r.Refused[bad[1]] = 3
	r.Cut, r.CutAt, r.Looked = true, 12, 2
	for i := range r.Replay.Messages {
		r.Replay.Messages[i].Text = bad[i%len(bad)]
	}
	for i, b := range bad {
		r.Failed = append(r.Failed, fmt.Sprintf("line %d: %s", i+3, b))
	}
	return r
}

// grouped is a run in which those in reach of each other are in groups: of the first of them who has places left.
func grouped() *report.Report {
	r := walking().run()
	r.Story = "grouped"
	g := &report.Groups{
		Places: 5, HubPlaces: 9, Grouped: 0.861, Least: 0.42, Alone: 0.031, Sizes: []float64{0, 1.2, 3.4, 2.1, 1, 0.5, 0.04}, Crossed: []int{0, 500, 320, 61, 7}, Possible: r.Deliveries + 12,
		Counts: report.GroupCounts{Made: 31, Joins: 412, Failures: 9, Lost: 120, Takeovers: 14, StepDowns: 11, Merges: 8, Ferries: 44, Loaded: 30, Moves: 151, Carried: 97},
	}
	for i := range r.Replay.Frames {
		f := &r.Replay.Frames[i]
		near := make([][]int, r.Nodes)
		for l := range slices.Chunk(f.Links, 2) {
			near[l[0]], near[l[1]] = append(near[l[0]], l[1]), append(near[l[1]], l[0])
		}
		f.Owner = slices.Repeat([]int{-1}, r.Nodes)
		members := make([]int, r.Nodes)
		point := report.GroupPoint{At: f.At, Up: r.Nodes}
		for n := r.Nodes - 1; n >= 0; n-- { // hubs first
			if f.Owner[n] >= 0 || len(near[n]) == 0 {
				continue
			}
			f.Owner[n] = n
			for _, m := range near[n] {
				if f.Owner[m] < 0 && members[n] < 5 {
					f.Owner[m] = n
					members[n]++
				}
			}
			if members[n] == 0 {
				point.Alone++
			} else {
				point.Groups++
				point.In += 1 + members[n]
			}
		}
		g.Over = append(g.Over, point)
	}
	r.Groups = g
	return r
}

// unplaced is a run over a trace: nobody knows where its nodes are.
func unplaced() *report.Report {
	r := walking().run()
	r.Story = "trace"
	r.Replay.Width, r.Replay.Height, r.Replay.Wall = 0, 0, nil
	for i := range r.Replay.Frames {
		r.Replay.Frames[i].Place = nil
	}
	return r
}

// silent is a run in which nothing was said.
func silent() *report.Report {
	r := (&crowd{nodes: 60, messages: 1, seconds: 60, every: 5, side: 420, reach: 45}).run()
	film := &report.Replay{Width: r.Replay.Width, Height: r.Replay.Height, Frames: r.Replay.Frames}
	return &report.Report{Story: "silent", Seed: 1, Nodes: r.Nodes, Virtual: r.Virtual, Replay: film}
}

// unseen is a run that recorded no replay.
func unseen() *report.Report {
	r := walking().run()
	r.Story, r.Replay = "unseen", nil
	return r
}

// broken is a replay that names nodes which do not exist, and says things twice and out of order.
func broken() *report.Report {
	return &report.Report{Story: "broken", Nodes: 4, Replay: &report.Replay{
		Width: 100, Height: 50, Hub: []int{3, 999, -1},
		Frames: []report.Frame{
			{At: 0, Place: []int{10, 10, 500, 100, 900, 400, 100, 400}, State: "ud", Owner: []int{5, -7, 1, 900}, Links: []int{0, 1, 1, 0, 2, 2, 0, 77, -3, 1, 2}},
			{At: time.Minute, Place: []int{20, 10}, State: "?uzzuuuuu", Links: []int{1, 2}},
			{At: time.Minute, Links: []int{}},
		},
		Messages: []report.Film{
			{Text: "twice", From: 0, At: time.Second, Nodes: []int{2, 1, 1, 0, 88, -1, 3}, Times: []time.Duration{9 * time.Second, 4 * time.Second, 5 * time.Second, 6 * time.Second, 7 * time.Second, 8 * time.Second}, Parent: []int{55, 0}},
			{Text: "from nowhere", From: 100},
		},
	}}
}

// pages are the reports that the browser's test looks at, by the name of their file.
var pages = map[string]func() *report.Report{
	"walking": func() *report.Report { return walking().run() },
	"grouped": grouped, "hostile": hostile, "unplaced": unplaced, "silent": silent, "unseen": unseen, "broken": broken,
	"empty": func() *report.Report { return &report.Report{Story: "empty", Cut: true} },
}
