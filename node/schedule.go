package node

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// The node's clockwork: one goroutine owns every timer of sync, and without a link it has none running.
const (
	// syncEvery is the mean time between rounds on a quiet link. Equal stores pay about 60 bytes for one.
	syncEvery = 5 * time.Second
	// syncGap is the least time between two rounds on one link, however much arrives: what arrives meanwhile goes
	// together.
	syncGap = 150 * time.Millisecond
	// watchEvery is how often gossip is looked at for deafness.
	watchEvery = 5 * time.Second
)

// agenda is when each link's next round is due.
type agenda struct {
	due  map[*link]time.Time
	last map[*link]time.Time // when it was last asked
}

// schedule asks links for rounds until ctx ends.
func (n *Node) schedule(ctx context.Context) error {
	a := agenda{due: make(map[*link]time.Time), last: make(map[*link]time.Time)}
	strikes := make(map[peer.ID]int)
	var watched time.Time
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		now := time.Now()
		wait := a.tend(n.links.all(), now)
		if len(a.due) > 0 {
			if now.Sub(watched) >= watchEvery {
				watched = now
				n.watchdog(strikes)
			}
			timer.Reset(max(wait, time.Millisecond))
		} else {
			timer.Stop()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case w := <-n.wakes:
			a.enter(n.links.all(), time.Now())
			a.wake(w, time.Now())
		}
	}
}

// enter notes new links. The first round of each begins with the link itself.
func (a *agenda) enter(links []*link, now time.Time) {
	for _, l := range links {
		if _, known := a.due[l]; !known {
			a.due[l], a.last[l] = now.Add(jitter(syncEvery)), now
		}
	}
}

// tend asks the links that are due, forgets those that are gone, and returns how long nothing is due.
func (a *agenda) tend(links []*link, now time.Time) time.Duration {
	a.enter(links, now)
	live := make(map[*link]struct{}, len(links))
	wait := syncEvery
	for _, l := range links {
		live[l] = struct{}{}
		due := a.due[l]
		if !due.After(now) {
			l.ask()
			a.last[l] = now
			due = now.Add(jitter(syncEvery))
			a.due[l] = due
		}
		wait = min(wait, due.Sub(now))
	}
	for l := range a.due {
		if _, ok := live[l]; !ok {
			delete(a.due, l)
			delete(a.last, l)
		}
	}
	return wait
}

// wake is a reason to look at links before their time; the zero value, that there is a new one.
type wake struct {
	link *link
	// others: every link but this one; otherwise only this one.
	others bool
}

func (a *agenda) wake(w wake, now time.Time) {
	for l := range a.due {
		if (l == w.link) == w.others {
			continue
		}
		soon := now.Add(10 * time.Millisecond)
		if free := a.last[l].Add(syncGap); free.After(soon) {
			soon = free
		}
		if soon.Before(a.due[l]) {
			a.due[l] = soon
		}
	}
}

// nudge makes every link but one look for differences soon: something new is here. except may be nil.
func (n *Node) nudge(except *link) { n.post(wake{link: except, others: true}) }

// due makes one link look for differences soon.
func (n *Node) due(l *link) { n.post(wake{link: l}) }

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
