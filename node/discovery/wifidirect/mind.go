package wifidirect

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// Without a hub in reach somebody has to own a group. The random part is longer than a group takes to come up and to be
	// heard (1 to 4 s measured), so that of a few devices switched on together mostly one owns and the others hear it.
	seekLeast  = 8 * time.Second
	seekRandom = 12 * time.Second
	// Of those that seek and hear each other the one with the lowest ID owns, as soon as all have had time to be heard; the
	// others leave it that time, twice at most: it may be gone, or made up.
	electAfter = 5 * time.Second
	deferFor   = 8 * time.Second
	mostDefers = 2
	// On battery: 10 s in each minute, and no group of our own unless somebody was heard who could join it.
	burst      = 10 * time.Second
	burstEvery = time.Minute
	heardLong  = 2 * burstEvery

	// answerIn is twice the 10 s that a supplicant gives a group to form: it is one thread, and may be slow to say so.
	answerIn = 20 * time.Second
	// freshFor: an owner heard within 5 s is joined by a scan of one channel; after that by a full one, which may take longer
	// than the 10 s (measured).
	freshFor  = 4 * time.Second
	joinTries = 4
	joinPause = time.Second

	// lostAfter: a member whose owner is silent for this long acts. The driver says so 1.8 s after the owner is cut off, and
	// the supplicant ends the group only after 11 s (measured).
	lostAfter = 3 * time.Second
	// strandedAfter: a group without a single peer in it is somebody's lure, or an owner whose node is dead.
	strandedAfter = 45 * time.Second

	lookEvery = 30 * time.Second // members look around; meanwhile the group waits for them
	lookIdle  = 10 * time.Second // owners that nobody has joined do: two that took over at once must not stay two
	lookFor   = 4 * time.Second

	// lastPlaceAfter is how long an owner that nobody joins leaves the last place in another group free: members look twice meanwhile.
	lastPlaceAfter = time.Minute

	idleLeast  = 3 * time.Minute // an owner that nobody joins seeks again after this and
	idleRandom = 2 * time.Minute // a part of this

	sayEvery = 5 * time.Second // between changes of what we say, but for the group itself
	// shortLived: somebody else removes groups within 0.1 s (measured); this is how often it must happen to be no accident.
	shortLived = 2 * time.Second
	tooOften   = 2
)

// mind is the policy: events and time in, orders out. It does no I/O and has no goroutine. It belongs to Agent.session.
type mind struct {
	cfg    *Config
	state  State
	until  time.Time // when what the state waits for is over
	elect  time.Time // Seeking: whoever has the lowest ID owns from then; zero: whoever waited long enough does
	defers int       // Seeking: how often another one was left to own
	hubs   hubs
	orders []Order

	group  *Group // that is up
	lost   *Group // that was up and is to be undone
	raised bool   // Up was called; the agent's own note

	owning  owning
	staying staying
	joining joining

	advert   Record
	adverted time.Time
	someone  time.Time // when any device of ours was heard
	moved    time.Time // when we last left a full group to begin another
	note     string    // what went wrong last, for people
	trouble  *Trouble  // ends the session
}

// owning is what Hosting keeps.
type owning struct {
	name    string
	members int
	empty   time.Time // since when nobody is in; zero while somebody is
	idle    time.Duration
	up      time.Time
	look    time.Time
	short   int // groups in a row that lived for a moment
	failed  int // groups in a row that did not come up
}

func newMind(cfg *Config) *mind {
	return &mind{cfg: cfg, hubs: newHubs()}
}

func (m *mind) order(o Order) { m.orders = append(m.orders, o) }

// inGroup reports whether there is a group, or the making of one, to leave.
func (m *mind) inGroup() bool { return m.group != nil || m.state == Hosting || m.state == Joining }

// start begins with an open radio.
func (m *mind) start(now time.Time) {
	if m.cfg.Hub {
		m.host(now)
		return
	}
	m.seek(now, seekLeast+rand.N(seekRandom))
}

func (m *mind) seek(now time.Time, how time.Duration) {
	m.state, m.until = Seeking, now.Add(how)
	m.elect, m.defers = now.Add(electAfter), 0
	m.order(Seek{For: max(how, burst)})
}

// host makes a group of our own under a new name, or under the hub's.
func (m *mind) host(now time.Time) {
	tag := m.cfg.Tag
	if tag == "" {
		tag = NewTag()
	}
	name := GroupName(m.cfg.Circle, tag)
	m.state, m.until = Hosting, now.Add(answerIn)
	m.owning = owning{name: name, short: m.owning.short, failed: m.owning.failed}
	m.order(Host{Name: name, Passphrase: Passphrase(m.cfg.Circle, name), Seed: rand.Uint32(), Limit: m.cfg.Places})
}

// hear takes an event.
func (m *mind) hear(e Event, now time.Time) {
	switch e := e.(type) {
	case Heard:
		m.heard(e, now)
	case Started:
		m.started(e.Group, now)
	case Ended:
		m.ended(now)
	case Failed:
		m.failed(e.Err, now)
	case Link:
		m.staying.silent = time.Time{}
		if !e.Up {
			m.staying.silent = now
		}
	case Members:
		m.owning.members = e.N
		if m.owning.empty = now; e.N > 0 {
			m.owning.empty = time.Time{}
		}
	}
}

func (m *mind) heard(e Heard, now time.Time) {
	if e.Record.Peer == m.cfg.Self {
		return
	}
	m.someone = now
	m.hubs.hear(e, m.cfg.Circle, now)
}

func (m *mind) started(g Group, now time.Time) {
	switch {
	case m.group == nil && g.Owner && m.state == Hosting:
		m.owning.up, m.owning.empty, m.owning.failed = now, now, 0
		m.owning.idle = idleLeast + rand.N(idleRandom)
		m.owning.look = now.Add(jitter(lookIdle))
	case m.group == nil && !g.Owner && m.state == Joining:
		m.state = Member
		m.arrive(now)
	default: // it came up after we had given it up
		m.order(Leave{})
		return
	}
	m.group, m.note = &g, g.Note
}

// ended: somebody else ended the group, or its owner did.
func (m *mind) ended(now time.Time) {
	if m.group == nil {
		return
	}
	m.drop()
	if m.state == Member {
		m.takeOver(now)
		return
	}
	if now.Sub(m.owning.up) > shortLived {
		m.owning.short = 0
	} else if m.owning.short++; m.owning.short >= tooOften {
		m.trouble = &Trouble{
			Reason: Removed, Text: "another program removes our group as soon as it is up",
			Fix: "longear doctor says who owns the radio",
		}
		return
	}
	m.note = "the group was ended by another program"
	m.again(now)
}

// failed: the group that was ordered did not come up.
func (m *mind) failed(err error, now time.Time) {
	switch {
	case m.group != nil:
	case m.state == Joining:
		m.note = fmt.Sprintf("joining failed: %v", err)
		m.missed(now)
	case m.state == Hosting:
		m.note = fmt.Sprintf("the group did not come up: %v", err)
		m.owning.failed++
		m.again(now)
	}
}

// refused: the radio did not take an order.
func (m *mind) refused(o Order, err error, now time.Time) {
	switch o.(type) {
	case Host, Join:
		m.failed(err, now)
	default:
		m.note = err.Error()
	}
}

// again seeks after a group of ours ended or failed, longer each time that it failed; a hub hosts again soon.
func (m *mind) again(now time.Time) {
	how := seekLeast + rand.N(seekRandom)
	if m.cfg.Hub {
		how = jitter(time.Second << min(m.owning.failed, 5))
	}
	m.seek(now, how)
}

// drop forgets the group, for the agent to undo.
func (m *mind) drop() { m.lost, m.group = m.group, nil }

// leave ends our part in whatever there is.
func (m *mind) leave() {
	m.drop()
	m.order(Leave{})
}

// think looks at the time and returns when to look again.
func (m *mind) think(now time.Time) time.Time {
	var next time.Time
	switch m.state {
	case Seeking:
		next = m.thinkSeeking(now)
	case Resting:
		if next = m.until; !now.Before(next) {
			m.seek(now, burst)
			next = m.until
		}
	case Joining:
		next = m.thinkJoining(now)
	case Member:
		next = m.thinkMember(now)
	default:
		next = m.thinkHosting(now)
	}
	return m.advertise(now, next)
}

func (m *mind) thinkSeeking(now time.Time) time.Time {
	if h := m.hubs.best(now, m.cfg.Self); h != nil && !m.cfg.Hub {
		m.join(h, now)
		return m.thinkJoining(now)
	}
	others, before := m.hubs.around(m.cfg.Self, now)
	electing := !m.elect.IsZero() && others && !m.cfg.Hub
	switch {
	case electing && !before && !now.Before(m.elect):
		m.host(now)
	case now.Before(m.until):
		if electing && !before && m.elect.Before(m.until) {
			return m.elect
		}
	case electing && before && m.defers < mostDefers:
		m.defers++
		m.until = now.Add(jitter(deferFor))
		m.order(Seek{For: max(m.until.Sub(now), burst)})
	case m.cfg.Battery() && now.Sub(m.someone) > heardLong && !m.cfg.Hub:
		m.state, m.until = Resting, now.Add(jitter(burstEvery-burst))
		m.order(Rest{})
	default:
		m.host(now)
	}
	return m.until
}

func (m *mind) thinkHosting(now time.Time) time.Time {
	o := &m.owning
	if m.group == nil {
		if !now.Before(m.until) {
			m.leave()
			m.failed(fmt.Errorf("no answer in %v", answerIn), now)
		}
		return m.until
	}
	if m.cfg.Hub || o.empty.IsZero() {
		return now.Add(lookEvery)
	}
	if h := m.hubs.best(now, m.cfg.Self); h != nil && m.yields(h.record, now) {
		m.leave()
		m.join(h, now)
		return m.thinkJoining(now)
	}
	end := o.empty.Add(o.idle)
	if !now.Before(end) {
		m.leave()
		m.seek(now, seekLeast+rand.N(seekRandom))
		return m.until
	}
	if !now.Before(o.look) {
		o.look = now.Add(jitter(lookIdle))
		m.order(Seek{For: lookFor})
	}
	if o.look.Before(end) {
		return o.look
	}
	return end
}

// yields: of two owners in reach of each other, an idle one joins one that is not, or that never yields; of two idle
// ones the lower ID does. The last place in a group is for who carries something, until nobody has come to us for a while.
func (m *mind) yields(other Record, now time.Time) bool {
	if idle := other.Places >= m.cfg.Places; !idle {
		return other.Places > 1 || now.Sub(m.owning.empty) > lastPlaceAfter
	}
	return other.Fixed || m.cfg.Self < other.Peer
}

// record is what we say of ourselves now.
func (m *mind) record() Record {
	r := Record{Peer: m.cfg.Self, Port: m.cfg.Port(), Digest: m.cfg.Digest(), Fixed: m.cfg.Hub}
	if m.group != nil && m.group.Owner {
		r.Name, r.Places = m.owning.name, max(0, m.cfg.Places-m.owning.members)
	}
	return r
}

// advertise says what changed, at once where it is the group or whether there is room in it, and else now and then.
func (m *mind) advertise(now, next time.Time) time.Time {
	r := m.record()
	soon := m.adverted.Add(sayEvery)
	switch {
	case r == m.advert || r.Port == 0:
		soon = now.Add(sayEvery) // the digest is not announced to us: look
	case r.Name != m.advert.Name || (r.Places == 0) != (m.advert.Places == 0) || !now.Before(soon):
		m.advert, m.adverted = r, now
		m.order(Advertise{Record: r})
		soon = now.Add(sayEvery)
	}
	if next.IsZero() || soon.Before(next) {
		return soon
	}
	return next
}

// status is for people.
func (m *mind) status() Status {
	s := Status{State: m.state, Detail: m.note}
	add := func(format string, args ...any) {
		if s.Detail != "" {
			s.Detail = ", " + s.Detail
		}
		s.Detail = fmt.Sprintf(format, args...) + s.Detail
	}
	switch {
	case m.state == Hosting && m.group == nil:
		add("the group comes up")
	case m.state == Hosting:
		add("%d joined, %d places free", m.owning.members, max(0, m.cfg.Places-m.owning.members))
	case m.state == Joining:
		add("try %d of %d", m.joining.tries+1, joinTries)
	case m.state == Member && !m.staying.silent.IsZero():
		add("the owner is silent")
	}
	return s
}
