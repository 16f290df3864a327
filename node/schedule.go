package node

import (
	"context"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// The node's clockwork: one goroutine owns every timer of sync, and without a connection to look at it has none running.
const (
	// syncEvery is the mean time between rounds on a link on which they move messages. Equal stores pay about 60 bytes for one.
	syncEvery = 5 * time.Second
	// syncSeldom is what it grows to, by syncGrows at a time, on a link where rounds find nothing to move, whether or not gossip brings
	// anything: it has lost nothing there. A round takes both sides half a millisecond to learn that. It also bounds how long a peer that went silent in a round goes unnoticed.
	syncSeldom = 30 * time.Second
	syncGrows  = 3
	// syncGap is the least time between two rounds on one link, however much arrives: what arrives meanwhile goes
	// together.
	syncGap = 150 * time.Millisecond
	// atLeast is how long a link waits that looks at once: what comes together is looked for together.
	atLeast = 10 * time.Millisecond
	// maxVain bounds the doublings of a wait: syncGap<<maxVain is longer than syncSeldom.
	maxVain = 8
	// grace is the mean time that gossip has for a message of ours before a round looks for it too. Rounds that run while a
	// message spreads cost more than its spreading.
	grace = 2 * time.Second
	// toldLinks is how many links look for a message of ours after that. If gossip took it nowhere, one that pulls it is enough, for then
	// sync carries it on; the others look in their turn. Each look costs as much as some ten deliveries.
	toldLinks = 2
	// youth is how long a new link is not left to gossip: a contact may be short, and a mesh takes some heartbeats to form.
	youth = 10 * time.Second
	// youngGap is the time in which a young link looks for what came in by gossip.
	youngGap = 500 * time.Millisecond
	// watchEvery is how often gossip is looked at for deafness, at most: it is done when some link is due, and sooner only when
	// gossip has lost a peer, and while one is suspect.
	watchEvery = 5 * time.Second
)

// agenda is when each link's next round is due.
type agenda map[*link]*plan

// plan is one link's part of the agenda.
type plan struct {
	due, last time.Time     // last is when it was asked
	pause     time.Duration // mean time to the round after, if nothing comes between
	news      bool          // something has come in since it was last asked
	arrivals  uint64        // of the node when it was last asked
	late      uint64        // of the link when it was last looked at
	rounds    int64         // finished on this link until then
	expected  int64         // rounds there will be when the one that was asked for is over
	early     bool          // due is more than its turn: that the other end asks does not put it off
}

// schedule asks links for rounds until ctx ends.
func (n *Node) schedule(ctx context.Context) error {
	a := make(agenda)
	v := make(vigil)
	strikes := make(map[peer.ID]int)
	var watched time.Time
	var heeded, heed time.Time // when peers were last looked at for silence, and when they are to be
	lost := false              // gossip lost a peer since it was last looked at
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		wait := n.tend(a, now)
		if len(a) > 0 {
			if now.Sub(watched) >= watchEvery {
				watched, lost = now, false
				n.watchdog(strikes)
			}
			if lost || len(strikes) > 0 {
				wait = min(wait, watchEvery)
			}
		}
		if now.Sub(heeded) >= silentStep || len(a)+len(v) == 0 {
			heeded, heed = now, now.Add(n.heed(a, v, now))
		}
		if len(a)+len(v) > 0 {
			wait = min(wait, heed.Sub(now))
			timer.Reset(n.cfg.onStep(now, max(wait, time.Millisecond)))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-n.gossip.lost:
			lost = true
			n.stirred.Store(false)
		case w := <-n.wakes:
			n.refresh(a, time.Now())
			n.wake(a, w, time.Now())
		}
	}
}

// refresh notes new links and forgets those that are gone. The first round of each begins with the link itself.
func (n *Node) refresh(a agenda, now time.Time) {
	if !n.links.changed.Swap(false) {
		return
	}
	maps.DeleteFunc(a, func(l *link, _ *plan) bool { return n.links.get(l.peer) != l })
	for _, l := range n.links.all() {
		if a[l] == nil {
			n.stirred.Store(false)
			a[l] = &plan{due: now.Add(jitter(syncEvery)), last: now, pause: syncEvery, arrivals: n.counts.arrivals.Load()}
		}
	}
}

// tend asks the links that are due, and returns how long nothing is due.
func (n *Node) tend(a agenda, now time.Time) time.Duration {
	n.refresh(a, now)
	wait := syncSeldom
	for l, p := range a {
		if !p.due.After(now) && !p.served(l, now) {
			n.stirred.Store(false) // before the look at what has arrived: see stir
			p.ask(l, n.counts.arrivals.Load(), now)
		}
		wait = min(wait, p.due.Sub(now))
	}
	return wait
}

// ask asks a link and plans the next time. Both ends do so: if anything is new at either, that end is early.
func (p *plan) ask(l *link, arrivals uint64, now time.Time) {
	news := p.news || arrivals != p.arrivals
	l.ask(news)
	p.learn(l)
	if p.expected = p.rounds; news || l.initiator {
		p.expected++
	}
	p.due, p.last, p.news, p.early = now.Add(jitter(p.pause)), now, false, false
	p.arrivals = arrivals
}

// served puts a link off whose turn has come if the other end has asked for a round since: it told both what they lack, and the pause is
// from then on. Two ends that ask each in its own turn would pay for twice the rounds.
func (p *plan) served(l *link, now time.Time) bool {
	p.learn(l)
	if p.early || p.rounds <= p.expected {
		return false
	}
	p.expected = p.rounds
	wait := jitter(p.pause) - now.Sub(l.lastRound())
	if wait > 0 {
		p.due = now.Add(wait)
	}
	return wait > 0
}

// learn sets the pause by what has come of the rounds since it was last called. What moved fresh was on its way by gossip too.
func (p *plan) learn(l *link) {
	late, rounds := l.late.Load(), l.rounds.Load()
	switch {
	case late != p.late: // gossip lost something here, or has not begun
		p.pause = syncEvery
	case rounds > p.rounds:
		p.pause = min(syncGrows*p.pause, syncSeldom)
	}
	p.late, p.rounds = late, rounds
}

// wake is a reason to look at links before their time; the zero value, that there is a new one, or a new connection.
type wake struct {
	link *link
	// others: every link but this one; otherwise only this one.
	others bool
	// why: how soon.
	why reason
}

// reason is why a link should look, and with it how soon.
type reason uint8

const (
	atOnce reason = iota // sync brought something, or the peer asked
	told                 // something that gossip has been told too: a few links see whether it got anywhere
	heard                // gossip brought something: it passes it on, but may lose it
	freed                // another link lets go of what was left to it
	leased               // another link is pulling what this one wants
	bulk                 // parts of photos: those that come within seconds are looked for together
)

func (n *Node) wake(a agenda, w wake, now time.Time) {
	shortly := now.Add(grace)
	spot := toldLinks
	if w.why == told {
		spot -= a.keep(shortly, w.link)
	}
	for l, p := range a { // in an order that is never the same
		if (l == w.link) == w.others {
			continue
		}
		p.news = true
		if l.trusted(now) {
			switch {
			case w.why == heard: // its turn is soon enough
				continue
			case w.why != told:
			case p.early && p.due.Before(shortly), spot <= 0: // it looks anyway, or others do
				continue
			default:
				spot--
			}
		}
		soon := now.Add(n.within(l, p.pause, w.why, now))
		if free := p.last.Add(syncGap); free.After(soon) {
			soon = free
		}
		if soon.Before(p.due) {
			p.due = soon
		}
		p.early = true // even if its turn is sooner: that the other end asks does not put this off
	}
}

// keep counts the links but one that look before t anyway, and keeps them to it.
func (a agenda) keep(t time.Time, but *link) (n int) {
	for l, p := range a {
		if l != but && p.due.Before(t) {
			p.early = true
			n++
		}
	}
	return n
}

// within is how long a link may wait, whose rounds come so often. What gossip cannot be trusted with on this link is not left to it.
func (n *Node) within(l *link, pause time.Duration, why reason, now time.Time) time.Duration {
	old := l.trusted(now)
	switch {
	case why == told && old || why == bulk:
		return jitter(grace)
	case why == leased:
		return leaseStale
	case why == heard:
		return youngGap
	case why == freed:
		// Two peers that offer and do not give would take turns here without end: what one lets go of the other asks for, in vain.
		if n := l.vain.Load(); n > 0 {
			return min(syncGap<<min(n, maxVain), pause)
		}
	}
	return atLeast
}

// trusted reports whether gossip can be trusted to reach the peer: the mesh has had time to form.
func (l *link) trusted(now time.Time) bool {
	return now.Sub(l.opened) > youth && l.n.gossip.reaches(l.peer)
}

// nudge makes every link but one look for differences soon: something new is here. except may be nil.
func (n *Node) nudge(except *link, why reason) { n.post(wake{link: except, others: true, why: why}) }

// due makes one link look for differences soon.
func (n *Node) due(l *link, why reason) { n.post(wake{link: l, why: why}) }

// stir says that gossip has brought something. Once between two looks is enough: every link that needs it is due soon after the first, and
// looks at everything that is there by then. A new link, and one that gossip has lost, are told anew.
func (n *Node) stir() {
	if n.stirred.CompareAndSwap(false, true) {
		n.nudge(nil, heard)
	}
}

// post hands a wake to the schedule. 64 wait; when more come the last are dropped, which delays a round to its usual time.
func (n *Node) post(w wake) {
	select {
	case n.wakes <- w:
	default:
	}
}

// jitter is d give or take 40 %, so that a crowd that met at once does not go on in step.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.6 + 0.8*rand.Float64()))
}

// sleep waits unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
