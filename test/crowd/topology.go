package crowd

import (
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"longear/node/discovery"
	"longear/test/crowd/contact"
)

// How long a node that comes into reach goes unheard. A node beacons every 5 seconds or so, and at once when it starts or its
// radio wakes.
const (
	beaconEvery = 5 * time.Second
	// beaconStep lets nodes that meet within it begin together: processors share what one contact costs one of them.
	beaconStep = 250 * time.Millisecond
	soon       = 500 * time.Millisecond
)

// topology is who could reach whom, from the movement and from what the story says.
type topology struct {
	source contact.Source // nil: nobody reaches anybody
	begin  time.Duration  // of the source, in the run's time
	reach  [][]bool       // by the source
	place  []contact.Point
	group  []int           // of the split; 0 for all when there is none
	single map[[2]int]bool // links across the split, by their lower and higher number
	walls  [][2]contact.Point

	deceits []deceit // by node: what those who are not honest do with what they pass on

	log      []contact.Change      // what was up in truth
	contact  map[[2]int]*encounter // up now
	links    []int                 // up now, by node
	alone    []time.Duration       // since when a node without links has had none
	contacts int                   // links that came up
	joined   int                   // of them, on which the nodes connected
	oracle   *contact.Flood        // liars are silent in it: nobody counts on them
	linked   *contact.Flood        // the same over the links that groups made; nil where there are none
	limit    *contact.Flood        // over the air's own links, liars and all: what no node can be ahead of
}

func (t *topology) init(n int) {
	t.reach = make([][]bool, n)
	for i := range t.reach {
		t.reach[i] = make([]bool, n)
	}
	t.group, t.links, t.alone = make([]int, n), make([]int, n), make([]time.Duration, n)
	t.single = make(map[[2]int]bool)
	t.deceits = make([]deceit, n)
	t.contact = make(map[[2]int]*encounter)
	t.oracle, t.limit = contact.NewFlood(n), contact.NewFlood(n)
}

// oracles are told of messages.
func (t *topology) oracles() []*contact.Flood {
	if t.linked != nil {
		return []*contact.Flood{t.oracle, t.limit, t.linked}
	}
	return []*contact.Flood{t.oracle, t.limit}
}

// next is when the source may change something.
func (t *topology) next() (time.Duration, bool) {
	if t.source == nil {
		return 0, false
	}
	at, ok := t.source.Next()
	return t.begin + at, ok
}

// follow begins a movement or trace.
func (w *World) follow(s contact.Source) {
	w.topology.source, w.topology.begin = s, w.now()
	w.move()
}

// move lets the source go on to now.
func (w *World) move() {
	t := &w.topology
	if at, ok := t.next(); !ok || at > w.now() {
		return
	}
	changes := t.source.Advance(w.now() - t.begin)
	t.place = t.source.Places()
	for _, c := range changes {
		t.reach[c.A][c.B], t.reach[c.B][c.A] = c.Up, c.Up
		if len(t.walls) == 0 {
			w.link(c.A, c.B, beaconEvery)
		}
	}
	if len(t.walls) > 0 {
		w.refreshAll()
	}
}

// open reports whether two nodes reach each other: by their places or the trace, with no wall or split between them, and
// both awake.
func (w *World) open(a, b int) bool {
	t := &w.topology
	for _, i := range []int{a, b} {
		if m := w.members[i]; !m.running || m.dozing {
			return false
		}
	}
	if t.single[pair(a, b)] {
		return true
	}
	return t.reach[a][b] && t.group[a] == t.group[b] && !t.walled(a, b)
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// walled reports whether a wall stands between two nodes.
func (t *topology) walled(a, b int) bool {
	if t.place == nil {
		return false
	}
	for _, w := range t.walls {
		if crosses(t.place[a], t.place[b], w[0], w[1]) {
			return true
		}
	}
	return false
}

// crosses reports whether the lines a-b and c-d cross.
func crosses(a, b, c, d contact.Point) bool {
	side := func(p, q, r contact.Point) float64 { return (q.X-p.X)*(r.Y-p.Y) - (q.Y-p.Y)*(r.X-p.X) }
	return side(a, b, c)*side(a, b, d) < 0 && side(c, d, a)*side(c, d, b) < 0
}

// link makes the air follow what is open between two nodes. A beacon goes unheard for up to so long.
func (w *World) link(a, b int, unheard time.Duration) {
	if a != b {
		w.set(a, b, w.open(a, b), unheard)
	}
}

func (w *World) set(a, b int, up bool, unheard time.Duration) {
	p := pair(a, b)
	change := contact.Change{At: w.now(), A: p[0], B: p[1], Up: up}
	if w.groups != nil {
		if w.groups.reach(a, b, up) { // the link comes and goes with their group
			w.topology.oracle.Link(change)
		}
		return
	}
	if up != w.air.up(a, b) {
		w.topology.oracle.Link(change)
		w.wire(a, b, up, unheard)
	}
}

// wire makes the link between two nodes, or cuts it.
func (w *World) wire(a, b int, up bool, unheard time.Duration) {
	t := &w.topology
	if up == w.air.up(a, b) {
		return
	}
	w.air.set(a, b, up)
	p := pair(a, b)
	change := contact.Change{At: w.now(), A: p[0], B: p[1], Up: up}
	t.log = append(t.log, change)
	t.limit.Link(change)
	if t.linked != nil {
		t.linked.Link(change)
	}
	if !up {
		delete(t.contact, p)
		for _, i := range p {
			t.links[i]--
			t.alone[i] = w.now()
		}
		return
	}
	t.links[a]++
	t.links[b]++
	t.contacts++
	c := &encounter{w: w, dice: rng(w.seed, "beacon", len(t.log))}
	t.contact[p] = c
	c.beacon(w.members[a], w.members[b], time.Duration(c.dice.Int64N(int64(unheard))))
	c.beacon(w.members[b], w.members[a], time.Duration(c.dice.Int64N(int64(unheard))))
}

// encounter is one contact of two nodes, for as long as their link is up.
type encounter struct {
	w      *World
	dice   *rand.Rand
	joined bool // they have connected
}

// beacon lets a node hear another's beacon after a while, and again for as long as the contact lasts.
func (c *encounter) beacon(from, to *member, after time.Duration) {
	w, t := c.w, &c.w.topology
	w.agenda.add(max(w.now(), (w.now()+after).Round(beaconStep)), func() error {
		if t.contact[pair(from.number, to.number)] != c {
			return nil
		}
		if to.host.Network().Connectedness(from.info.ID) != network.Connected {
			if err := to.node.Sight(discovery.WifiDirect, from.info); err != nil {
				return err
			}
		} else if !c.joined {
			c.joined = true
			t.joined++
		}
		c.beacon(from, to, beaconEvery*3/4+time.Duration(c.dice.Int64N(int64(beaconEvery/2))))
		return nil
	})
}

// refresh makes the air follow all that is open to one node.
func (w *World) refresh(n int, unheard time.Duration) {
	for i := range w.members {
		w.link(min(n, i), max(n, i), unheard)
	}
}

func (w *World) refreshAll() {
	for i := range w.members {
		for j := range i {
			w.link(j, i, beaconEvery)
		}
	}
}

// isolate takes a node off the air.
func (w *World) isolate(n int) {
	for i := range w.members {
		w.set(min(n, i), max(n, i), false, 0)
	}
}
