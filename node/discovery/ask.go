package discovery

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Some rungs know endpoints, not peers: a gateway, an address that worked last week, one that a person typed. They ask
// there by unicast beacon, and the reply names the peer.
const (
	askEvery        = 30 * time.Second // while no link is up
	askEveryLinked  = 2 * time.Minute
	askTypedEvery   = 5 * time.Second // somebody is waiting
	answerWithin    = 5 * time.Second
	maxPending      = 128
	challengePerSec = 20 // so 200 liars are through in 10 s
	challengeAgain  = 30 * time.Second
	maxChallenged   = 512
)

type question struct {
	rung Rung
	at   time.Time
}

// asks remembers what was asked, so that only asked endpoints count as having answered.
type asks struct {
	mu         sync.Mutex // guards the fields below
	pending    map[netip.AddrPort]question
	challenged map[netip.Addr]time.Time
	budget     *rate.Limiter
}

func newAsks() *asks {
	return &asks{pending: make(map[netip.AddrPort]question), challenged: make(map[netip.Addr]time.Time), budget: rate.NewLimiter(challengePerSec, challengePerSec)}
}

func (a *asks) asked(to netip.AddrPort, r Rung, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) >= maxPending {
		for k, q := range a.pending {
			if now.Sub(q.at) > answerWithin {
				delete(a.pending, k)
			}
		}
	}
	if len(a.pending) >= maxPending {
		dropAny(a.pending)
	}
	a.pending[to] = question{r, now}
}

// answered reports which rung asked the endpoint lately. Several nodes may share it, so the question stays open.
func (a *asks) answered(from netip.AddrPort, now time.Time) (Rung, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q, ok := a.pending[from]
	return q.rung, ok && now.Sub(q.at) <= answerWithin
}

// mayChallenge reports whether a source should be asked whether it is there, and counts it as asked if so.
func (a *asks) mayChallenge(src netip.Addr, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at, ok := a.challenged[src]; ok && now.Sub(at) < challengeAgain {
		return false
	}
	if !a.budget.AllowN(now, 1) {
		return false
	}
	if len(a.challenged) >= maxChallenged {
		dropAny(a.challenged)
	}
	a.challenged[src] = now
	return true
}

// ask sends a question for a rung.
func (l *Ladder) ask(to netip.AddrPort, r Rung, now time.Time) {
	l.asks.asked(to, r, now)
	if err := l.beacon.ask(to); err != nil {
		l.log(r, err)
		return
	}
	l.board.set(r, StateAsking)
	l.board.edit(r, func(s *RungStatus) { s.Sent++ })
}

// challenge asks the source of a stranger that has to wait, if the budget allows. Whoever made it up cannot answer for
// it; a real one does and gets in by the other lane, however loud the flood is. Sources are drawn from those waiting and
// not from what arrives, which would be the flood's to win. Loopback is left out: its nodes share the port.
func (l *Ladder) challenge(s sighting, now time.Time) {
	if s.answered || s.place.IP.IsLoopback() || s.rung != Beacons && s.rung != MDNS {
		return
	}
	if l.asks.mayChallenge(s.place.IP, now) {
		to := netip.AddrPortFrom(s.place.IP, BeaconPort)
		l.asks.asked(to, s.rung, now)
		_ = l.beacon.ask(to) // there is a next time
	}
}

// asking runs the rungs that ask: soon after a change of network, then every so often.
func (l *Ladder) asking(ctx context.Context) error {
	changed := l.watch.Changed()
	soon := slices.Clone(afterChange)
	lastTyped, lastRest := time.Time{}, time.Time{}
	wait := time.Duration(0)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			changed = l.watch.Changed()
			soon = slices.Clone(afterChange)
			l.book.forgive(time.Now())
			l.wake()
			timer.Reset(0)
			continue
		case <-l.nudge:
			lastTyped, lastRest = time.Time{}, time.Time{}
		case <-timer.C:
		}
		now := time.Now()
		rest := askEvery
		if l.book.links() > 0 {
			rest = askEveryLinked
		}
		hurry := len(soon) > 0
		if hurry || now.Sub(lastTyped) >= askTypedEvery*6/10 {
			l.askTyped(now)
			lastTyped = now
		}
		if hurry || now.Sub(lastRest) >= rest*6/10 {
			l.askKnown(now)
			lastRest = now
		}
		wait = l.nextAsk(rest)
		if hurry {
			if soon = soon[1:]; len(soon) > 0 {
				wait = soon[0]
			}
		}
		timer.Reset(wait)
	}
}

// nextAsk: typed addresses set a quick pace only while one of them has no link.
func (l *Ladder) nextAsk(rest time.Duration) time.Duration {
	if !l.off(Typed) && l.typed.open(l.book) {
		rest = askTypedEvery
	}
	return jitter(rest)
}

// askKnown asks gateways and remembered endpoints on the segments we are on.
func (l *Ladder) askKnown(now time.Time) {
	live := l.scope()
	if !l.off(Gateway) {
		l.askEach(Gateway, gateways(live), now)
	}
	if !l.off(Remembered) {
		l.askEach(Remembered, l.memory.some(l.watch), now)
	}
}

func (l *Ladder) askEach(r Rung, list []netip.AddrPort, now time.Time) {
	if len(list) == 0 {
		l.board.set(r, StateIdle)
	}
	for _, to := range list {
		// The port is checked as if it were the peer's: it must not be a privileged one either.
		if l.gate.refuse(place{IP: to.Addr(), Ports: Ports{TCP: to.Port()}}, r) == nil {
			l.ask(to, r, now)
		}
	}
}

// askTyped asks typed endpoints and plans the dials to typed peers.
func (l *Ladder) askTyped(now time.Time) {
	if l.off(Typed) {
		return
	}
	for _, t := range l.typed.list() {
		if t.peer != "" {
			l.hear(sighting{rung: Typed, peer: t.peer, place: t.place})
			continue
		}
		for _, to := range t.ask {
			l.ask(l.normal(to), Typed, now)
		}
	}
}

// normal writes the zone of a link-local address as datagrams will have it.
func (l *Ladder) normal(to netip.AddrPort) netip.AddrPort {
	if i, ok := l.watch.byZone(to.Addr().Zone()); ok && to.Addr().Zone() != "" {
		return netip.AddrPortFrom(to.Addr().WithZone(i.Name), to.Port())
	}
	return to
}
