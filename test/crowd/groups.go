package crowd

import (
	"fmt"
	"time"

	"longear/node/discovery/wifidirect"
	"longear/test/crowd/contact"
	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

const (
	// lookEvery is how often the world looks who is in whose group and makes its links follow.
	lookEvery = 100 * time.Millisecond
	// noticing is how long a member may stay in a group whose owner it does not hear: the radio says so after 1.8 s, the agent
	// waits for 3 s more, and both may have to wait for a processor and for the next look.
	noticing = 6 * time.Second
)

// groups is how nodes meet where the story says wifi-direct: being in reach lets their radios hear each other, and a link is
// what their agents make of it. Members of a group reach each other through its owner while they are in reach of the owner.
//
// BUG(groups): what goes from member to member takes the owner's radio no more time than if they were linked.
type groups struct {
	w      *World
	say    story.WifiDirect
	air    *wifidirect.Air
	number map[wifidirect.Device]int
	radios []*wifidirect.AirRadio // by node, for all its lives

	near bits   // who hears whom; changed in Edit only, and read by the air
	want bits   // what it is to be at the next look
	due  []int  // pairs that are to be changed
	at   []seat // by node, as of the last look
	seen time.Duration
	name map[string]int32 // the number of a group, by its name: each group has a new one
	time stays
	deed deeds
}

// seat is where a node is.
type seat struct {
	group int32         // -1: in none, or it does not hear its owner
	owner int           // -1
	deaf  time.Duration // since when it is a member and does not hear its owner; never while it does
	size  int           // of the group, owner and all
}

// bits is a bit for each pair of nodes, one way.
type bits []uint64

func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bits) set(i int, on bool) {
	if on {
		b[i/64] |= 1 << (i % 64)
	} else {
		b[i/64] &^= 1 << (i % 64)
	}
}

func deviceOf(node int) wifidirect.Device { return wifidirect.Device(fmt.Sprintf("%012x", node)) }

// group puts everybody's radio on an air and begins to look at it.
func (w *World) group(say story.WifiDirect) {
	n := len(w.members)
	g := &groups{
		w: w, say: say, number: make(map[wifidirect.Device]int), name: make(map[string]int32),
		near: make(bits, (n*n+63)/64), want: make(bits, (n*n+63)/64), at: make([]seat, n),
		time: stays{up: make([]time.Duration, n), in: make([]time.Duration, n)}, seen: w.now(),
	}
	g.air = wifidirect.NewAir(func(a, b wifidirect.Device) bool { return g.near.has(g.number[a]*n + g.number[b]) })
	g.air.Seed(w.seed)
	for i := range n {
		g.number[deviceOf(i)] = i
		g.at[i] = seat{group: -1, owner: -1, deaf: never}
		g.radios = append(g.radios, g.air.Radio(deviceOf(i)))
	}
	w.groups, w.topology.linked = g, contact.NewFlood(n)
	w.ledger.follow()
	var look func() error
	look = func() error {
		w.agenda.add(w.now()+lookEvery, look)
		w.look()
		return nil
	}
	w.agenda.add(w.now(), look)
}

// places is how many may join a node's group.
func (g *groups) places(node int) int {
	if g.w.members[node].hub && g.say.Hubs > 0 {
		return g.say.Hubs
	}
	return g.say.Places
}

// reach notes whether two nodes' radios hear each other, and reports whether that is new.
func (g *groups) reach(a, b int, up bool) bool {
	n := len(g.at)
	if g.want.has(a*n+b) == up {
		return false
	}
	g.want.set(a*n+b, up)
	g.want.set(b*n+a, up)
	g.due = append(g.due, a*n+b, b*n+a)
	return true
}

// look lets the radios hear who is in reach now, reads what the agents have made of it, and makes the links follow.
func (w *World) look() {
	g := w.groups
	if g == nil {
		return
	}
	if len(g.due) > 0 {
		g.air.Edit(func() {
			for _, i := range g.due {
				g.near.set(i, g.want.has(i))
			}
		})
		g.due = g.due[:0]
	}
	before := g.at
	g.at = g.read()
	now := w.now()
	g.time.add(now-g.seen, g)
	g.seen = now
	for i := range g.at {
		if g.at[i].group == before[i].group {
			continue
		}
		w.ledger.enters(i, g.at[i].group, g.deed.ferries(i))
		for j := range g.at {
			if j != i {
				w.wire(min(i, j), max(i, j), g.at[i].group >= 0 && g.at[i].group == g.at[j].group, soon)
			}
		}
	}
}

// read asks the air who is in whose group, and checks that it may be so.
func (g *groups) read() []seat {
	w, now := g.w, g.w.now()
	at := make([]seat, len(g.at))
	for i := range at {
		at[i] = seat{group: -1, owner: -1, deaf: never}
	}
	joined, size := make([]int, len(at)), make(map[int32]int)
	g.air.Groups(func(m wifidirect.AirMember) {
		i, o := g.number[m.Device], g.number[m.Owner]
		if at[i].owner >= 0 {
			w.fail("n%d is in two groups", i)
		}
		at[i].owner = o
		if i != o {
			joined[o]++
		}
		switch {
		case m.Hears:
			if _, ok := g.name[m.Name]; !ok {
				g.name[m.Name] = int32(len(g.name))
			}
			at[i].group = g.name[m.Name]
			size[at[i].group]++
		case g.at[i].deaf == never:
			at[i].deaf = now
		default:
			at[i].deaf = g.at[i].deaf
			if late := now - at[i].deaf; late > noticing && late <= noticing+lookEvery {
				w.fail("n%d stays in the group of n%d, which it has not heard for %v", i, o, late)
			}
		}
	})
	for i := range at {
		if at[i].size = size[at[i].group]; at[i].group < 0 {
			at[i].size = 0
		}
		if joined[i] > g.places(i) {
			w.fail("n%d has %d members and %d places", i, joined[i], g.places(i))
		}
	}
	return at
}

// owners is whose group each node is in, for the replay; -1 none.
func (g *groups) owners() []int {
	list := make([]int, len(g.at))
	for i, s := range g.at {
		if list[i] = s.owner; s.group < 0 {
			list[i] = -1
		}
	}
	return list
}

// left names a radio that is still in a group when all nodes have ended.
func (g *groups) left() error {
	var err error
	g.air.Groups(func(m wifidirect.AirMember) {
		err = fmt.Errorf("the radio of n%d is still in a group of n%d", g.number[m.Device], g.number[m.Owner])
	})
	return err
}

// stays is how long nodes were where.
type stays struct {
	up, in []time.Duration // by node: running, and in a group with somebody else
	alone  time.Duration   // of all owners of empty groups
	sizes  []time.Duration // of all groups, by devices
	over   []report.GroupPoint
	next   time.Duration // of over
}

// add counts a time in which all were where they are now.
func (s *stays) add(d time.Duration, g *groups) {
	point := report.GroupPoint{At: g.w.now()}
	for i, at := range g.at {
		if !g.w.members[i].running {
			continue
		}
		point.Up++
		s.up[i] += d
		if at.size > 1 {
			s.in[i] += d
			point.In++
		}
		if at.size > 0 && at.owner == i {
			for len(s.sizes) <= at.size {
				s.sizes = append(s.sizes, 0)
			}
			s.sizes[at.size] += d
			if at.size == 1 {
				s.alone += d
				point.Alone++
			} else {
				point.Groups++
			}
		}
	}
	if point.At >= s.next {
		s.next = point.At + g.w.film.every
		s.over = append(s.over, point)
	}
}

// grouped is the share of their time that nodes were in a group with somebody, of all and of the one with the least.
func (s *stays) grouped() (all, least float64) {
	var in, up time.Duration
	least = 1
	for i := range s.up {
		in, up = in+s.in[i], up+s.up[i]
		if s.up[i] > 0 {
			least = min(least, s.in[i].Seconds()/s.up[i].Seconds())
		}
	}
	if up == 0 {
		return 0, 0
	}
	return in.Seconds() / up.Seconds(), least
}

// result is what the report says of groups; nil if there were none to make.
func (g *groups) result() *report.Groups {
	if g == nil {
		return nil
	}
	r := &report.Groups{Places: g.say.Places, HubPlaces: g.say.Hubs, Battery: g.say.Battery, Over: g.time.over, Counts: g.deed.counts()}
	r.Grouped, r.Least = g.time.grouped()
	var up time.Duration
	for _, d := range g.time.up {
		up += d
	}
	if up > 0 {
		r.Alone = g.time.alone.Seconds() / up.Seconds()
	}
	run := g.w.now().Seconds()
	for _, d := range g.time.sizes {
		r.Sizes = append(r.Sizes, d.Seconds()/run)
	}
	g.w.ledger.groups(r)
	for _, p := range g.w.ledger.all() {
		for n, m := range g.w.members {
			if _, ok := g.w.topology.linked.Arrival(p.number, n); ok && g.w.counts(p, m) {
				r.Possible++
			}
		}
	}
	return r
}
