package discovery

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	beaconEvery = 5 * time.Second
	// fewPeers: up to here everyone beacons at the base interval, above it so that a segment carries about four a second.
	fewPeers       = 20
	beaconsPerSec  = 4
	greetPerSec    = 20  // replies to newcomers, whoever they are: a forged crowd must not make us flood
	answersPerSec  = 100 // replies to those that asked us alone, likewise; apart, or newcomers would use them up
	answerAgain    = time.Second
	maxAnswered    = 512
	wantedAnswers  = 10 // that a newcomer should get from a large crowd
	recentlyHeard  = time.Minute
	minBeaconEvery = time.Second
	maxBeaconEvery = 10 * time.Minute
	// maxStretch bounds what N does: forged peers must not silence us. 300 nodes then make 15 small datagrams a second.
	maxStretch = 20 * time.Second
)

// afterChange: beacon when the interfaces changed and again while addresses settle (duplicate address detection takes
// 1.5 s, joining an access point about as long).
var afterChange = []time.Duration{0, time.Second, 3 * time.Second}

var beaconGroups = []netip.AddrPort{
	netip.AddrPortFrom(netip.MustParseAddr(BeaconGroup4), BeaconPort),
	netip.AddrPortFrom(netip.MustParseAddr(BeaconGroup6), BeaconPort),
}

// beacon sends and hears our own datagrams, and carries the questions of the asking rungs.
type beacon struct {
	l     *Ladder
	nudge chan struct{} // beacon now

	mu      sync.Mutex // guards the fields below
	at      *station   // nil while there is none
	greets  *rate.Limiter
	answers *rate.Limiter
	last    map[netip.AddrPort]time.Time // when a source was answered
	queue   []time.Time                  // beacons to come; the last one repeats
}

func newBeacon(l *Ladder) *beacon {
	return &beacon{
		l: l, nudge: make(chan struct{}, 1), last: make(map[netip.AddrPort]time.Time),
		greets: rate.NewLimiter(greetPerSec, greetPerSec), answers: rate.NewLimiter(answersPerSec, answersPerSec),
	}
}

// run keeps a station open on the live interfaces until ctx ends.
func (b *beacon) run(ctx context.Context) error {
	return b.l.keepStation(ctx, Beacons, func(ctx context.Context, s *station, d duties) error {
		trouble := s.openPlain(ctx, 1)
		if !b.l.off(Beacons) { // switched off it still carries the questions of other rungs
			trouble = cmp.Or(s.openGroups(ctx, beaconGroups, 1), trouble)
		}
		if len(s.groups)+len(s.plain) == 0 {
			return trouble
		}
		s.trouble = trouble
		b.l.board.set(Beacons, StateListening)
		b.l.working(Beacons, trouble)
		now := time.Now()
		b.mu.Lock()
		b.at, b.queue = s, nil
		for _, d := range afterChange {
			b.queue = append(b.queue, now.Add(d))
		}
		b.mu.Unlock()
		defer func() {
			b.mu.Lock()
			b.at = nil
			b.mu.Unlock()
		}()
		d.handle = func(dg datagram) { b.handle(dg, time.Now()) }
		d.tick = b.tick
		d.last = func() { b.send(Beacon{Bye: true}) }
		return s.serve(ctx, b.nudge, d)
	})
}

// tick sends a beacon if one is due or the tick was poked, and returns the time until the next.
func (b *beacon) tick(now time.Time) time.Duration {
	if b.l.off(Beacons) {
		return time.Hour
	}
	b.send(Beacon{})
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.queue) > 0 && !b.queue[0].After(now) {
		b.queue = b.queue[1:]
	}
	if len(b.queue) > 0 {
		return b.queue[0].Sub(now)
	}
	return jitter(b.l.interval(now))
}

// interval is the mean time between beacons for the size of the crowd.
func (l *Ladder) interval(now time.Time) time.Duration {
	every := beaconEvery
	if l.cfg.Every != nil {
		every = min(max(l.cfg.Every(), minBeaconEvery), maxBeaconEvery)
	}
	if l.book.searching(now) {
		every = max(every*2/5, minBeaconEvery) // at most 2.8 s to the next, and 2 s of plan's: together under 5 s
	}
	if n := l.book.crowd(now); n > fewPeers {
		every = max(every, min(time.Duration(n)*time.Second/beaconsPerSec, maxStretch))
	}
	return every
}

// payload fills in what is ours. It reports false while we listen nowhere: nothing to tell then.
func (b *beacon) payload(p Beacon) ([]byte, bool) {
	p.Peer = b.l.cfg.Self
	p.Ports = b.l.cfg.Ports()
	b.l.gate.setOwn(p.Ports)
	if b.l.cfg.Hint != nil {
		p.Count, p.Digest = b.l.cfg.Hint()
	}
	if !p.Ports.usable() {
		return nil, false
	}
	out, err := p.Append(nil)
	return out, err == nil
}

// send multicasts on every interface and family. An error on one does not stop the others.
func (b *beacon) send(p Beacon) {
	data, ok := b.payload(p)
	b.mu.Lock()
	s := b.at
	b.mu.Unlock()
	if !ok || s == nil || b.l.off(Beacons) {
		return
	}
	var first error
	for _, i := range s.ifaces {
		for _, group := range beaconGroups {
			if !i.has(group.Addr().Is6()) {
				continue
			}
			err := multicast(s.plain, data, group, i)
			if err != nil && first == nil && !i.loopback() {
				first = err
			}
			if err == nil {
				b.l.board.edit(Beacons, func(st *RungStatus) { st.Sent++ })
			}
		}
	}
	b.l.working(Beacons, cmp.Or(first, s.trouble))
}

// ask sends our beacon to one endpoint, whose reply is a beacon too.
func (b *beacon) ask(to netip.AddrPort) error {
	data, ok := b.payload(Beacon{})
	b.mu.Lock()
	s := b.at
	b.mu.Unlock()
	if !ok || s == nil {
		return errNotReady
	}
	for _, sock := range s.plain {
		if (sock.v6 != nil) == to.Addr().Is6() {
			return sock.write(data, to, 0, netip.Addr{})
		}
	}
	return errNotReady
}

var errNotReady = errors.New("no network yet")

// handle takes one datagram from anyone.
func (b *beacon) handle(d datagram, now time.Time) {
	p, err := DecodeBeacon(d.data)
	if err != nil {
		b.l.board.edit(Beacons, func(s *RungStatus) { s.Malformed++ })
		return
	}
	if p.Peer == b.l.cfg.Self {
		return
	}
	s := sighting{
		rung: Beacons, peer: p.Peer, hinted: true, count: p.Count, digest: p.Digest,
		place: place{IP: zoned(d.from.Addr(), d.via), Ports: p.Ports},
	}
	if p.Bye {
		b.l.book.bye(p.Peer)
		return
	}
	if p.Reply {
		if rung, ok := b.l.asks.answered(netip.AddrPortFrom(s.place.IP, d.from.Port()), now); ok {
			s.rung, s.answered = rung, true
		}
	}
	stranger := b.l.hear(s)
	if !p.Reply && !b.l.off(Beacons) {
		b.answer(d, stranger, now)
	}
}

// answer replies to one that asked us alone, and to a newcomer, who then need not wait for our next beacon. In a crowd of
// N only about ten of the N answer. The reply leaves from the socket that was asked, which is what firewalls expect,
// and only towards this segment or a private network: a node must not be found by scanning the internet for it.
func (b *beacon) answer(d datagram, stranger bool, now time.Time) {
	asked := d.to.IsValid() && !d.to.IsMulticast()
	src := d.from.Addr()
	if d.from.Port() < minPort || !src.IsPrivate() && !src.IsLinkLocalUnicast() && !src.IsLoopback() {
		return
	}
	if !asked {
		n := b.l.book.crowd(now)
		if !stranger || n > wantedAnswers && rand.IntN(n) >= wantedAnswers {
			return
		}
	}
	key := d.from
	if !src.IsLoopback() {
		key = netip.AddrPortFrom(src, 0) // ports are free
	}
	b.mu.Lock()
	ok := now.Sub(b.last[key]) >= answerAgain
	if asked {
		ok = ok && b.answers.AllowN(now, 1)
	} else {
		ok = ok && b.greets.AllowN(now, 1)
	}
	if ok {
		if len(b.last) >= maxAnswered {
			dropAny(b.last)
		}
		b.last[key] = now
	}
	b.mu.Unlock()
	data, ready := b.payload(Beacon{Reply: true})
	if !ok || !ready {
		return
	}
	from := netip.Addr{}
	if asked {
		from = d.to
	}
	if err := d.sock.write(data, d.from, d.via.Index, from); err != nil {
		b.l.log(Beacons, err)
		return
	}
	b.l.board.edit(Beacons, func(st *RungStatus) { st.Sent++ })
}

// zoned gives a link-local address the name of the interface it was heard on and takes the zone from all others.
func zoned(ip netip.Addr, i Interface) netip.Addr {
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		return ip.WithZone(i.Name)
	}
	return ip.WithZone("")
}
