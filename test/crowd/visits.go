package crowd

import (
	"time"

	"longear/test/crowd/report"
)

// visits is who is in which group and since when, for the ledger to tell how many groups a message crossed, and whether who
// came from another group brought something. The ledger's mutex guards it.
type visits struct {
	node                   []visit
	moves, carried, loaded int
}

// visit is a node in a group.
type visit struct {
	group  int32 // -1: none so far
	since  time.Duration
	moved  bool // from another group
	ferry  bool // sent by its agent
	brings bool // somebody took from it here what it had before it came
}

// follow begins to count visits.
func (l *ledger) follow() {
	l.visits = &visits{node: make([]visit, l.nodes)}
	for i := range l.visits.node {
		l.visits.node[i].group = -1
	}
}

// enters notes that a node is in another group, or -1 in none: then it is still on its way from the one before.
func (l *ledger) enters(number int, group int32, ferry bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &l.visits.node[number]
	if group < 0 || v.group == group {
		return
	}
	moved := v.group >= 0
	*v = visit{group: group, since: time.Since(l.begin), moved: moved, ferry: moved && ferry}
	if moved {
		l.visits.moves++
	}
}

// crosses notes by which group a message came; l.mu is held.
func (l *ledger) crosses(p *post, from, to int) {
	if l.visits == nil {
		return
	}
	p.via[to] = l.visits.node[to].group
	p.crossed[to] = p.crossed[from]
	if p.via[to] != p.via[from] {
		p.crossed[to]++
	}
	if v := &l.visits.node[from]; v.moved && !v.brings && v.group == p.via[to] && p.when[from] < v.since {
		v.brings = true
		l.visits.carried++
		if v.ferry {
			l.visits.loaded++
		}
	}
}

// groups adds to the report what the ledger knows of groups.
func (l *ledger) groups(r *report.Groups) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Counts.Moves, r.Counts.Carried, r.Counts.Loaded = l.visits.moves, l.visits.carried, l.visits.loaded
	for _, p := range l.posts {
		for n, when := range p.when {
			if when == never || n == p.from {
				continue
			}
			for len(r.Crossed) <= int(p.crossed[n]) {
				r.Crossed = append(r.Crossed, 0)
			}
			r.Crossed[p.crossed[n]]++
		}
	}
}
