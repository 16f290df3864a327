package discovery

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/sync/errgroup"
)

const (
	defaultDegree = 12

	checkEvery = time.Minute

	firstBackoff = 2 * time.Second
	maxBackoff   = 30 * time.Second
)

// dial is one planned attempt.
type dial struct {
	peer  peer.ID
	host  netip.Addr // of the first place
	typed bool       // somebody waits for it
	heard bool       // to places that never answered us
	addrs []ma.Multiaddr
}

// redial is the dial loop: it sleeps until a dial is due or something changed, and dials. It seeks Degree links.
// Above that it still dials one peer every half minute or so, one whose store differs if it can: two crowds that both
// have links enough and then meet must not stay strangers. Shedding the surplus is the connection manager's part.
func (l *Ladder) redial(ctx context.Context) error {
	var g errgroup.Group
	f := newFlight()
	done := make(chan outcome, maxDials) // never blocks: there are no more dials than that
	timer := time.NewTimer(0)
	defer timer.Stop()
	checked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return g.Wait() // dials end with ctx
		case o := <-done:
			f.add(o.dial, -1)
			f.ended(o, time.Now())
		case <-l.kick:
		case <-timer.C:
		}
		now := time.Now()
		if now.Sub(checked) >= checkEvery {
			checked = now
			l.check(now)
		}
		picks, next := l.pick(f, now)
		timeout := f.timeout()
		for _, d := range picks {
			g.Go(func() error {
				done <- l.dial(ctx, d, timeout)
				return nil
			})
		}
		timer.Reset(next)
	}
}

// check asks the host about links that were noted. Notes that arrive out of order must not leave a peer connected for ever
// on paper.
func (l *Ladder) check(now time.Time) {
	for _, p := range l.book.linkedPeers() {
		if !l.cfg.Dialer.Connected(p) {
			l.book.disconnected(p, now)
		}
	}
}

func (l *Ladder) dial(ctx context.Context, d dial, timeout time.Duration) outcome {
	began := time.Now()
	var err error
	if !l.cfg.Dialer.Connected(d.peer) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err = l.cfg.Dialer.Dial(ctx, peer.AddrInfo{ID: d.peer, Addrs: d.addrs})
	}
	now := time.Now()
	heard := l.book.dialled(d.peer, err, now)
	return outcome{dial: d, took: now.Sub(began), near: err == nil || heard.After(began), err: err}
}

// pick marks peers as being dialled and returns them, with the time until it should be asked again.
func (l *Ladder) pick(f *flight, now time.Time) ([]dial, time.Duration) {
	l.gate.setOwn(l.cfg.Ports())
	var own [8]byte
	if l.cfg.Hint != nil {
		_, own = l.cfg.Hint()
	}
	stale := max(staleAfter, 6*l.interval(now))
	b := l.book
	b.mu.Lock()
	defer b.mu.Unlock()

	next := checkEvery
	if len(b.peers)+len(b.open) == 0 {
		next = time.Hour // there is nothing to check or to dial until a kick
	}
	ready := b.ready(now, stale, &next)
	room := l.cfg.Degree - len(b.open) - f.all
	extra := room <= 0 && !now.Before(b.extra)
	if extra && b.extra.IsZero() {
		extra, b.extra = false, now.Add(20*time.Second+rand.N(20*time.Second))
	}
	if extra { // a peer that has something else to say goes first
		slices.SortStableFunc(ready, func(x, y peer.ID) int {
			return cmp.Compare(b2i(b.peers[x].same(own)), b2i(b.peers[y].same(own)))
		})
	}
	var out []dial
	for _, p := range ready {
		e := b.peers[p]
		typed := e.has(Typed)
		if room <= 0 && !typed && !extra {
			next = min(next, b.extra.Sub(now))
			continue
		}
		d, ok := l.attempt(p, e)
		if !ok { // no place is on a live network now; a change of network makes it due again
			e.due = time.Time{}
			continue
		}
		if !f.room(d, now) {
			if now.Before(f.rest) {
				next = min(next, f.rest.Sub(now))
			}
			continue // a dial under way ends and wakes the loop
		}
		if room <= 0 && !typed {
			extra, b.extra = false, now.Add(20*time.Second+rand.N(20*time.Second))
		}
		room--
		f.add(d, 1)
		e.dialling = true
		out = append(out, d)
	}
	return out, max(next, 10*time.Millisecond)
}

// ready returns the peers to dial now, best first: places that answered, then fewest failures at the address, be they those of other peers, which
// one liar has as many of as it likes, then at random. It lowers next to the time until another is due. Runs with mu held.
func (b *book) ready(now time.Time, stale time.Duration, next *time.Duration) []peer.ID {
	var out []peer.ID
	failures := make(map[netip.Addr]int)
	for p, e := range b.peers {
		if e.failures > 0 {
			failures[e.host()] += e.failures
		}
		switch {
		case e.due.IsZero() || e.dialling || b.open[p]:
		case now.Sub(e.heard) > stale && !e.has(Typed):
			e.due = time.Time{} // until heard again
		case e.due.After(now):
			*next = min(*next, e.due.Sub(now))
		default:
			out = append(out, p)
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	slices.SortStableFunc(out, func(x, y peer.ID) int {
		ex, ey := b.peers[x], b.peers[y]
		return cmp.Or(cmp.Compare(ey.trust(), ex.trust()), cmp.Compare(failures[ex.host()], failures[ey.host()]))
	})
	return out
}

// attempt collects the places of e that may be dialled now, the best first.
func (l *Ladder) attempt(p peer.ID, e *entry) (dial, bool) {
	typed := e.has(Typed)
	d := dial{peer: p, typed: typed, heard: e.trust() == heard && !typed}
	places := slices.Clone(e.places)
	slices.SortStableFunc(places, func(x, y known) int {
		return cmp.Or(cmp.Compare(y.trust, x.trust), y.heard.Compare(x.heard))
	})
	for _, k := range places {
		if l.gate.refuse(k.place, k.rung) != nil {
			continue
		}
		addrs := k.place.multiaddrs(l.watch)
		if len(addrs) > 0 && len(d.addrs) == 0 {
			d.host = k.place.IP
		}
		d.addrs = append(d.addrs, addrs...)
	}
	return d, len(d.addrs) > 0
}

// dialled notes the end of a dial. After a failure the next one waits, ever longer up to half a minute: people who walk
// past each other are in reach for about that long. After a success it is still planned, for a link that the other side closed
// before anyone noticed. It returns when the peer was last heard.
func (b *book) dialled(p peer.ID, err error, now time.Time) (heard time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.peers[p]
	if e == nil {
		return heard
	}
	e.dialling = false
	wait := firstBackoff << min(e.failures, 4)
	if err != nil {
		e.failures++
	} else {
		e.failures = 0
		wait = 10 * time.Second
	}
	e.due = now.Add(jitter(min(wait, maxBackoff)))
	if b.open[p] {
		e.due = time.Time{}
	}
	return e.heard
}

// same reports whether the peer's store is known to equal ours.
func (e *entry) same(own [8]byte) bool { return e.hinted && e.digest == own && own != [8]byte{} }

// jitter spreads d by 40 % both ways: nodes started together must not stay in step.
func jitter(d time.Duration) time.Duration {
	return d*6/10 + rand.N(d*8/10+1)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
