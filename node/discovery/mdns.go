package discovery

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// mDNS (RFC 6762) gets through where our own group does not: access points and firewalls know it. The records are those
// of libp2p's mdns package under our own service name, so that package finds us and we find its users. What differs:
// an answer carries only the addresses of the interface it leaves by; a peer's address is the source of its answer, as
// with the beacon; a question somebody else just asked is not repeated, so that a segment's traffic grows with the number of nodes
// and not with its square; nothing is cached, so no peer stays unheard for an hour.
const (
	mdnsService = "_longear._udp.local."
	mdnsPort    = 5353
	mdnsTTL     = 120 // seconds; RFC 6762, 10
	dnsaddr     = "dnsaddr="

	firstQuery   = 4 * time.Second
	slowestQuery = time.Minute
	repeatAnswer = time.Second // RFC 6762, 6: not more often on one interface
	maxTXT       = 255
	maxMDNSAddrs = 8
)

var mdnsGroups = []netip.AddrPort{
	netip.MustParseAddrPort("224.0.0.251:5353"),
	netip.MustParseAddrPort("[ff02::fb]:5353"),
}

// leg is one family on one interface.
type leg struct {
	index int
	ip6   bool
}

// mdns asks and answers.
type mdns struct {
	l     *Ladder
	nudge chan struct{} // ask now
	poke  chan struct{} // an answer became due

	mu       sync.Mutex // guards the fields below
	at       *station
	instance string // random, new with every station
	query    time.Time
	every    time.Duration
	asked    map[leg]time.Time // when anybody last asked our question
	answered map[leg]time.Time
	due      map[leg]time.Time // answers to send
}

func newMDNS(l *Ladder) *mdns {
	return &mdns{l: l, nudge: make(chan struct{}, 1), poke: make(chan struct{}, 1)}
}

// run keeps a station open on the live interfaces until ctx ends.
func (m *mdns) run(ctx context.Context) error {
	return m.l.keepStation(ctx, MDNS, func(ctx context.Context, s *station, d duties) error {
		trouble := s.openGroups(ctx, mdnsGroups, 255)
		if s.joined == 0 {
			s.close()
			return cmp.Or(trouble, errNotReady)
		}
		s.trouble = trouble
		m.l.board.set(MDNS, StateListening)
		m.l.working(MDNS, trouble)
		m.reset(s, time.Now())
		d.handle = func(dg datagram) { m.handle(dg, time.Now()) }
		d.tick = m.tick
		d.last = m.goodbye
		return s.serve(ctx, m.poke, d)
	})
}

// reset begins anew on a station: ask and announce now, as others may have been there first.
func (m *mdns) reset(s *station, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.instance = s, randomLabel()
	m.query, m.every = now, time.Second
	m.asked, m.answered, m.due = make(map[leg]time.Time), make(map[leg]time.Time), make(map[leg]time.Time)
	for _, g := range m.legs() {
		m.due[g] = now
	}
}

// legs runs with mu held.
func (m *mdns) legs() []leg {
	var out []leg
	for _, i := range m.at.ifaces {
		for _, ip6 := range []bool{false, true} {
			if i.has(ip6) {
				out = append(out, leg{i.Index, ip6})
			}
		}
	}
	return out
}

// tick sends what is due and returns the time until something else is.
func (m *mdns) tick(now time.Time) time.Duration {
	crowd := m.l.book.crowd(now) > fewPeers
	m.mu.Lock()
	select {
	case <-m.nudge:
		m.query, m.every = now, firstQuery
	default:
	}
	var ask, answer []leg
	if !m.query.After(now) {
		if m.l.book.searching(now) {
			m.every = min(m.every, m.l.interval(now))
		}
		for _, g := range m.legs() {
			if now.Sub(m.asked[g]) >= m.every/2 { // else somebody did it for us (RFC 6762, 7.3)
				ask = append(ask, g)
				m.asked[g] = now
			}
		}
		m.query = now.Add(jitter(m.every))
		m.every = min(2*m.every, slowestQuery) // 0, 1, 3, 7 ... s: addresses settle meanwhile
		if crowd {
			m.every = slowestQuery
		}
	}
	next := m.query.Sub(now)
	for g, at := range m.due {
		if at.After(now) {
			next = min(next, at.Sub(now))
			continue
		}
		delete(m.due, g)
		m.answered[g] = now
		answer = append(answer, g)
	}
	s, instance := m.at, m.instance
	m.mu.Unlock()

	m.send(s, ask, func(Interface) []byte { return mdnsQuery() })
	m.send(s, answer, func(i Interface) []byte { return m.answer(i, instance, mdnsTTL) })
	return max(next, time.Millisecond)
}

// send multicasts a message of its own on each leg.
func (m *mdns) send(s *station, legs []leg, message func(Interface) []byte) {
	var first error
	for _, g := range legs {
		i, ok := m.l.watch.byIndex(g.index)
		group := mdnsGroups[b2i(g.ip6)]
		data := message(i)
		if !ok || data == nil {
			continue
		}
		if err := multicast(s.groups, data, group, i); err != nil {
			if !i.loopback() {
				first = cmp.Or(first, err)
			}
			continue
		}
		m.l.board.edit(MDNS, func(st *RungStatus) { st.Sent++ })
	}
	if len(legs) > 0 {
		m.l.working(MDNS, cmp.Or(first, s.trouble))
	}
}

// goodbye withdraws our records (RFC 6762, 10.1).
func (m *mdns) goodbye() {
	m.mu.Lock()
	s, instance, legs := m.at, m.instance, m.legs()
	m.mu.Unlock()
	m.send(s, legs, func(i Interface) []byte { return m.answer(i, instance, 0) })
}

// handle takes one datagram from anyone. Answers must come from port 5353 (RFC 6762, 6).
func (m *mdns) handle(d datagram, now time.Time) {
	msg, err := parseMDNS(d.data)
	if err != nil {
		m.l.board.edit(MDNS, func(s *RungStatus) { s.Malformed++ })
		return
	}
	// A question to us alone is not one that others hear: it must not stand for ours, and nobody needs it.
	if msg.asks && (d.to.IsMulticast() || !d.to.IsValid()) {
		m.queue(leg{d.via.Index, d.sock.v6 != nil}, d.from, now)
	}
	if d.from.Port() != mdnsPort {
		return
	}
	for _, f := range msg.found {
		if f.bye {
			m.l.book.bye(f.peer)
			continue
		}
		m.l.hear(sighting{rung: MDNS, peer: f.peer, place: place{IP: zoned(d.from.Addr(), d.via), Ports: f.ports}})
	}
}

// queue plans the answer to a question after a random pause, so that a crowd does not answer at once, and notes that it
// was asked.
func (m *mdns) queue(g leg, from netip.AddrPort, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if from.Port() == mdnsPort {
		m.asked[g] = now
	}
	if _, ok := m.due[g]; ok {
		return
	}
	earliest := now
	if again := m.answered[g].Add(repeatAnswer); again.After(now) {
		earliest = again
	}
	m.due[g] = earliest.Add(20*time.Millisecond + rand.N(100*time.Millisecond))
	select {
	case m.poke <- struct{}{}:
	default: // one pending poke looks at all that is due
	}
}

// answer builds our records for one interface, nil if there is nothing to tell.
func (m *mdns) answer(i Interface, instance string, ttl uint32) []byte {
	ports := m.l.cfg.Ports()
	m.l.gate.setOwn(ports)
	if !ports.usable() {
		return nil
	}
	var txt []string
	var ips []netip.Addr
	for _, p := range i.Addrs {
		ip := p.Addr()
		ips = append(ips, ip)
		for _, a := range (place{IP: ip, Ports: ports}).multiaddrs(nil) {
			line := dnsaddr + a.String() + "/p2p/" + m.l.cfg.Self.String()
			if len(line) <= maxTXT && len(txt) < maxMDNSAddrs {
				txt = append(txt, line)
			}
		}
	}
	if len(txt) == 0 {
		return nil
	}
	return mdnsRecords(instance, ttl, txt, ips)
}

func randomLabel() string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, 32)
	for i := range b {
		b[i] = alphabet[rand.IntN(len(alphabet))]
	}
	return string(b)
}
