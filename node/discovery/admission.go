package discovery

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	perMinute      = 30  // strangers admitted per lane
	perSource      = 8   // of them from one address
	maxSources     = 512 // addresses with a budget of their own
	maxWaiting     = 256 // addresses with strangers waiting
	maxWaitingEach = 4
	waitingTooLong = 20 * time.Second // a real one has beaconed again by then
	admitEvery     = time.Second
)

// Refusals of [admission.refuse].
var (
	errNotHost   = errors.New("not the address of one host")
	errPort      = errors.New("port below 1024")
	errLoopback  = errors.New("loopback is not allowed")
	errPublic    = errors.New("not a private address")
	errForeign   = errors.New("not in the subnet of a live interface")
	errOurselves = errors.New("our own address and port")
)

// lane is a budget of its own: strangers that answered us do not queue behind those that somebody may have made up, and
// the second address of a peer that is in the book already does not cost a stranger's place.
type lane struct {
	rung     Rung
	answered bool
	met      bool
}

type waiting struct {
	sighting
	since time.Time
}

// admission decides what may be dialled (refuse) and how many strangers enter the book (offer). Budgets hang on the
// source address, because peer IDs cost nothing and addresses within a segment cost a little.
type admission struct {
	watch        *Watcher
	own          atomic.Uint32 // our TCP port in the upper half, QUIC in the lower
	loopback     bool
	loopbackOnly bool
	pending      chan struct{} // wakes run; one pending wake-up says all

	mu      sync.Mutex // guards the fields below
	lanes   map[lane]*rate.Limiter
	sources map[netip.Addr]*rate.Limiter
	pool    map[netip.Addr][]waiting
}

func newAdmission(cfg Config) *admission {
	return &admission{
		watch:        cfg.Watcher,
		loopback:     cfg.Loopback || cfg.LoopbackOnly,
		loopbackOnly: cfg.LoopbackOnly,
		pending:      make(chan struct{}, 1),
		lanes:        make(map[lane]*rate.Limiter),
		sources:      make(map[netip.Addr]*rate.Limiter),
		pool:         make(map[netip.Addr][]waiting),
	}
}

// setOwn notes where we listen, so that we do not dial ourselves.
func (a *admission) setOwn(p Ports) { a.own.Store(uint32(p.TCP)<<16 | uint32(p.QUIC)) }

// refuse says why a place must not be dialled, or nil. A forged announcement must not turn a crowd into a weapon
// against a third party: only hosts in reach of this segment are dialled, and none of their privileged services.
// What a person typed is their own decision.
func (a *admission) refuse(p place, r Rung) error {
	ip := p.IP
	switch {
	case !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return errNotHost
	case ip.Is6() && syntheticPrefix.Contains(ip):
		return errForeign // only we may make these
	case r == Typed:
		return nil
	case p.TCP != 0 && p.TCP < minPort, p.QUIC != 0 && p.QUIC < minPort, p.Ports == Ports{}:
		return errPort
	case ip.IsLoopback() && !a.loopback:
		return errLoopback
	case a.loopbackOnly && !ip.IsLoopback():
		return errForeign
	case !ip.IsPrivate() && !ip.IsLinkLocalUnicast() && !ip.IsLoopback():
		return errPublic
	}
	i, ok := a.watch.onLink(ip)
	if !ok {
		return errForeign
	}
	return a.refuseOn(i, p)
}

// refuseOn is the part of refuse that depends on the interface the address belongs to.
func (a *admission) refuseOn(i Interface, p place) error {
	own := a.own.Load()
	for _, pre := range i.Addrs {
		if pre.Addr() == p.IP.WithZone("") && (p.TCP != 0 && uint32(p.TCP) == own>>16 || p.QUIC != 0 && uint32(p.QUIC) == own&0xffff) {
			return errOurselves
		}
		if p.IP.Is4() && pre.Addr().Is4() && pre.Bits() < 31 && pre.Contains(p.IP) && !i.loopback() {
			if p.IP == pre.Masked().Addr() || p.IP == broadcast(pre) {
				return errNotHost
			}
		}
	}
	return nil
}

// broadcast returns the last address of an IPv4 subnet.
func broadcast(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

// offer admits a stranger, or a new place of a peer that is known, if the budgets allow. If not it waits in the pool.
func (a *admission) offer(s sighting, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.rung == Typed || a.admit(s, now) {
		return true
	}
	a.wait(s, now)
	select {
	case a.pending <- struct{}{}:
	default:
	}
	return false
}

// admit runs with mu held. Nobody pays if either is out of budget: a source that is must not drain the lane.
func (a *admission) admit(s sighting, now time.Time) bool {
	src := a.sources[s.place.IP]
	if src == nil {
		if len(a.sources) >= maxSources {
			dropAny(a.sources)
		}
		burst := perSource
		if s.place.IP.IsLoopback() {
			burst = perMinute // the nodes of one machine share it
		}
		src = aMinute(burst)
		a.sources[s.place.IP] = src
	}
	key := lane{s.rung, s.answered, s.met}
	b := a.lanes[key]
	if b == nil { // as many as there are rungs, times four
		b = aMinute(perMinute)
		a.lanes[key] = b
	}
	if src.TokensAt(now) < 1 || b.TokensAt(now) < 1 {
		return false
	}
	return src.AllowN(now, 1) && b.AllowN(now, 1)
}

// aMinute is a budget of n a minute, which may be spent at once.
func aMinute(n int) *rate.Limiter { return rate.NewLimiter(rate.Limit(n)/60, n) }

// wait runs with mu held. When the pool is full a source chosen at random makes room, so that the chance of a real
// one depends on how many addresses a liar has, not on how often it shouts.
func (a *admission) wait(s sighting, now time.Time) {
	q, ok := a.pool[s.place.IP]
	if !ok && len(a.pool) >= maxWaiting {
		dropAny(a.pool)
	}
	w := waiting{s, now}
	if k := slices.IndexFunc(q, func(o waiting) bool { return o.peer == s.peer && o.place == s.place }); k >= 0 {
		q[k] = w
	} else if len(q) < maxWaitingEach {
		q = append(q, w)
	} else {
		q[rand.IntN(len(q))] = w
	}
	a.pool[s.place.IP] = q
}

// next takes one stranger out of the pool whose source and lane have budget.
func (a *admission) next(now time.Time) (sighting, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, src := range shuffled(a.pool) {
		q := slices.DeleteFunc(a.pool[src], func(w waiting) bool { return now.Sub(w.since) > waitingTooLong })
		if len(q) == 0 {
			delete(a.pool, src)
			continue
		}
		k := rand.IntN(len(q))
		s := q[k].sighting
		if !a.admit(s, now) {
			a.pool[src] = q
			continue
		}
		if q = slices.Delete(q, k, k+1); len(q) == 0 {
			delete(a.pool, src)
		} else {
			a.pool[src] = q
		}
		return s, true
	}
	return sighting{}, false
}

// sample returns one of those waiting from each source, in random order.
func (a *admission) sample() []sighting {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []sighting
	for _, src := range shuffled(a.pool) {
		out = append(out, a.pool[src][0].sighting)
	}
	return out
}

// run hands those waiting to enter as budgets refill, and to challenge while they wait. With nobody waiting it sleeps.
func (a *admission) run(ctx context.Context, enter, challenge func(sighting, time.Time)) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.pending:
		}
		for sample := a.sample(); len(sample) > 0; sample = a.sample() {
			now := time.Now()
			for _, s := range sample {
				challenge(s, now)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(jitter(admitEvery)):
			}
			now = time.Now()
			for s, ok := a.next(now); ok; s, ok = a.next(now) {
				enter(s, now)
			}
		}
	}
}

// dropAny removes one element. Go's iteration order is random enough that nobody can aim it.
func dropAny[K comparable, V any](m map[K]V) {
	for k := range m {
		delete(m, k)
		return
	}
}

func shuffled[V any](m map[netip.Addr]V) []netip.Addr {
	out := make([]netip.Addr, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
