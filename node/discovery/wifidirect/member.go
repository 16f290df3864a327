package wifidirect

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// rankStep is between those who may take over: what a group takes to come up and to be heard by the next in line. Whoever
	// seeks asks one device after the other, and nine answer in 4 to 6 s (measured), so that with 2 s most takeovers ended in
	// two groups.
	rankStep = 5 * time.Second
	maxRank  = 10
	// askAround: a member cannot tell an owner that died from one it walked away from, and whoever walks comes to other groups.
	askAround = 3 * time.Second

	// A member that has all its owner has may carry it to another group. Not at once, and not all at once.
	ferryLeast  = 20 * time.Second
	ferryRandom = 10 * time.Second // a part of this, for each neighbour
	// ferryAnyway: where two stores never become equal, this long is enough for what they can exchange.
	ferryAnyway = time.Minute
	// stuckFor is how long all groups may be full before a member begins another, and moveAgain until the same one does so again: anyone can
	// make full groups up.
	stuckFor  = 30 * time.Second
	moveAgain = 10 * time.Minute

	sampleEvery = 5 * time.Second
)

// joining is what Joining keeps.
type joining struct {
	hub   *hub
	tries int
	asked bool // Join was ordered; else the owner is being looked for
	not   time.Time
}

// staying is what Member keeps.
type staying struct {
	hub    *hub
	joined time.Time
	silent time.Time // since when the owner is; zero while it is heard
	kin    []string  // neighbours, when there were some last
	met    time.Time // when that was
	look   time.Time
	looked time.Time // when it did last
	ferry  time.Time // not to another group before
	spread bool      // ferry was put off by our share of the crowd
	stuck  time.Time // since when every group is full, ours too, and there is something to carry; zero: it is not so
	digest [8]byte   // ours when we came
	theirs [8]byte   // the owner's when we came
}

func (m *mind) join(h *hub, now time.Time) {
	m.state = Joining
	m.joining = joining{hub: h}
	m.try(now)
}

// try joins if the owner was heard just now, and else looks for it first.
func (m *mind) try(now time.Time) {
	j := &m.joining
	m.until = now.Add(answerIn)
	if j.asked = now.Sub(j.hub.heard) <= freshFor; !j.asked {
		m.order(Seek{For: burst})
		return
	}
	name := j.hub.record.Name
	m.order(Join{Owner: j.hub.device, Name: name, Passphrase: Passphrase(m.cfg.Circle, name)})
}

func (m *mind) thinkJoining(now time.Time) time.Time {
	j := &m.joining
	switch {
	case now.Before(j.not):
		return j.not
	case !j.asked && j.hub.record.Places == 0: // others were faster
		m.seek(now, seekLeast+rand.N(seekRandom))
	case !j.asked && now.Sub(j.hub.heard) <= freshFor:
		m.try(now)
	case now.Before(m.until):
	case !j.asked: // it went out of reach
		m.seek(now, seekLeast+rand.N(seekRandom))
	default:
		m.leave()
		m.note = fmt.Sprintf("joining failed: no answer in %v", answerIn)
		m.missed(now)
	}
	return m.until
}

// missed counts a try that failed. The next one waits a little, because those who came together would meet again.
func (m *mind) missed(now time.Time) {
	j := &m.joining
	if j.tries++; j.tries < joinTries {
		j.asked = false
		j.hub.heard = time.Time{} // what was heard before the try is too old for the next one
		j.not = now.Add(jitter(joinPause))
		m.until = j.not.Add(answerIn)
		m.order(Seek{For: burst})
		return
	}
	j.hub.wasted(now)
	m.seek(now, seekLeast+rand.N(seekRandom))
}

// arrive: we are in the group of the hub we were joining.
func (m *mind) arrive(now time.Time) {
	h := m.joining.hub
	m.hubs.previous = h.record.Peer
	m.staying = staying{
		hub: h, joined: now, met: now,
		look:   now.Add(jitter(lookEvery)),
		ferry:  now.Add(ferryLeast),
		digest: m.cfg.Digest(), theirs: h.record.Digest,
	}
}

// ownerRecord is the record of the owner of the group that was joined.
func (m *mind) ownerRecord() Record {
	if m.state != Member {
		return Record{}
	}
	return m.staying.hub.record
}

func (m *mind) thinkMember(now time.Time) time.Time {
	s := &m.staying
	if now.Sub(s.met) >= sampleEvery || len(s.kin) == 0 {
		m.sample(now)
	}
	if !s.silent.IsZero() && now.Sub(s.silent) >= lostAfter {
		m.leave()
		m.takeOver(now)
		return m.until
	}
	if now.Sub(s.met) > strandedAfter {
		s.hub.wasted(now)
		m.note = "there was no peer in the group"
		m.leave()
		m.seek(now, seekLeast+rand.N(seekRandom))
		return m.until
	}
	if h := m.ferryTo(now); h != nil {
		if now.Sub(h.heard) <= freshFor {
			m.settle(now)
			m.leave()
			m.join(h, now)
			return m.thinkJoining(now)
		}
		// It may be out of reach by now: a group that works is not left to look for another.
		if now.Sub(s.looked) > lookFor {
			s.look = now
		}
	}
	if m.makesRoom(now) {
		m.note = "all groups were full"
		m.moved = now
		m.leave()
		m.host(now)
		return m.until
	}
	if !now.Before(s.look) {
		s.looked = now
		s.look = now.Add(jitter(lookEvery))
		m.order(Seek{For: lookFor})
	}
	next := now.Add(sampleEvery)
	if !s.silent.IsZero() && s.silent.Add(lostAfter).Before(next) {
		next = s.silent.Add(lostAfter)
	}
	return next
}

// sample notes who is near, for the day the owner is gone: then nobody is.
func (m *mind) sample(now time.Time) {
	if kin := m.cfg.Neighbours(); len(kin) > 0 && m.staying.silent.IsZero() {
		m.staying.kin, m.staying.met = kin, now
	}
}

// takeOver: the owner is gone. Members try one after the other, in an order that all of them know and that no one can
// always lead: the first owns the next group, under a new name, and the others hear it. The old owner is preferred if it returns.
func (m *mind) takeOver(now time.Time) {
	gone := m.staying.hub
	gone.heard = time.Time{}
	wait := askAround + time.Duration(m.rank(gone.record.Peer))*rankStep + rand.N(rankStep/4)
	m.note = "the owner vanished"
	m.someone = now // somebody was there a moment ago, so that a group is worth its battery
	m.seek(now, wait)
	m.elect = time.Time{} // the order is known already
}

// rank is our place among the members of the group of the owner that is gone.
func (m *mind) rank(owner string) int {
	mine, n := draw(m.cfg.Self, owner), 0
	for _, p := range m.staying.kin {
		if p != owner && p != m.cfg.Self && draw(p, owner) < mine {
			n++
		}
	}
	return min(n, maxRank)
}

// ferryTo is the hub to carry messages to now, or nil. Owners never move; a member moves when it has what its owner has.
func (m *mind) ferryTo(now time.Time) *hub {
	s, own := &m.staying, m.cfg.Digest()
	since := s.stuck
	s.stuck = time.Time{}
	if own == [8]byte{} || !s.silent.IsZero() || now.Before(s.ferry) {
		return nil
	}
	if !s.spread {
		s.spread, s.ferry = true, now.Add(rand.N(ferryRandom*time.Duration(1+min(len(s.kin), maxRank))))
		return nil
	}
	if s.hub.record.Digest != own && now.Sub(s.joined) < ferryAnyway {
		return nil
	}
	best, full := m.hubs.elsewhere(s.hub.device, own, now)
	if best == nil && full && s.hub.record.Places == 0 {
		if s.stuck = since; since.IsZero() {
			s.stuck = now
		}
	}
	return best
}

// makesRoom reports whether to begin a group of our own now, because nothing is carried between groups that are all full. That leaves a
// place free in the group we were in, and the others hear of both before their turn comes: each looks at a time of its own.
func (m *mind) makesRoom(now time.Time) bool {
	s := &m.staying
	if s.stuck.IsZero() || now.Sub(s.stuck) < stuckFor || now.Sub(m.moved) < moveAgain {
		return false
	}
	if now.Sub(s.hub.heard) <= freshFor {
		return true
	}
	if now.Sub(s.looked) > lookFor { // there may be room by now
		s.look = now
	}
	return false
}

// settle notes how we leave a hub, so that we come back only when there is something new, and ever more rarely to one
// that promises something new and has nothing.
func (m *mind) settle(now time.Time) {
	s, own := &m.staying, m.cfg.Digest()
	h := s.hub
	h.ourDigest, h.itsDigest = own, h.record.Digest
	if own == s.digest && h.record.Digest != own && s.digest != s.theirs { // it differed, gave nothing and took nothing
		h.wasted(now)
	} else {
		h.futile = 0
	}
}
