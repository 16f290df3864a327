package hotspot

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The pool and its times.
const (
	poolFirst = 100 // last byte of the first address
	poolSize  = 100

	// leaseTime is short enough that a crowd that comes and goes does not use the addresses up, and long enough that a phone in a pocket
	// is not woken for nothing: it asks again at half of it.
	leaseTime = 30 * time.Minute
	// offerTime is how long an offered address is kept from others while there are more.
	offerTime = 10 * time.Second
	// proveTime is how long a lease is safe without a sign that somebody uses its address, when all are in use. A phone looks for the
	// internet, by a connection to port 80, as soon as it has one. Shorter than a flood needs to take all addresses at answerRate, two
	// answers each: so there is always one to take back.
	proveTime = 1500 * time.Millisecond
	// refuseTime is how long an address rests that a phone has found in use by somebody else.
	refuseTime = 10 * time.Minute
)

// mac is a hardware address. Zero: of nobody known.
type mac [6]byte

// lease is what is known of one address of the pool.
type lease struct {
	who   mac
	until time.Time // in use; afterwards who may still have it again, until somebody needs it
	since time.Time // of its first grant to who
	heard bool      // its holder has completed a connection from it
	bad   bool      // found in use by somebody who was not given it
}

// offer is a soft promise. It holds nobody off when there is no other address: otherwise whoever asks without end and takes nothing
// would have them all.
type offer struct {
	who   mac
	until time.Time
}

// leases is who has which address. It has room for the pool and no more, whatever is asked.
//
// A phone gets the address that it had. A new one gets the address that nobody has used for longest, because a hub knows its guests
// by address. When all are in use, the oldest lease goes whose holder was never heard from: a flood of made-up hardware addresses gets
// only what it gives up again, and a phone that opened a page keeps its address. BUG(leases): who answers for a hundred addresses, with
// connections from each, has them all until the leases end; and during a flood a newcomer shares what is answered in a second with the flood.
type leases struct {
	now  func() time.Time
	file string
	seed maphash.Seed
	kept [poolSize]bool // owned by who calls save; what the file says is in use

	mu     sync.Mutex
	at     [poolSize]lease // guarded by mu
	offers [poolSize]offer // guarded by mu
}

func newLeases(now func() time.Time, file string) *leases {
	l := &leases{now: now, file: file, seed: maphash.MakeSeed()}
	l.load()
	return l
}

func addrOf(i int) netip.Addr {
	a := network().Addr().As4()
	a[3] = byte(poolFirst + i)
	return netip.AddrFrom4(a)
}

// indexOf is an address's place in the pool.
func indexOf(a netip.Addr) (int, bool) {
	if !a.Is4() || !network().Contains(a) {
		return 0, false
	}
	i := int(a.As4()[3]) - poolFirst
	return i, i >= 0 && i < poolSize
}

// offer chooses an address for a phone, which may have named one that it wants. It binds nobody.
func (l *leases) offer(who mac, want netip.Addr) (netip.Addr, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	i, ok := l.choose(who, want, now)
	if !ok {
		return netip.Addr{}, false
	}
	l.offers[i] = offer{who, now.Add(offerTime)}
	return addrOf(i), true
}

// choose finds an address. The caller holds mu.
func (l *leases) choose(who mac, want netip.Addr, now time.Time) (int, bool) {
	if i, ok := l.ownedBy(who); ok {
		return i, true
	}
	if i, ok := indexOf(want); ok && l.claimable(i, now) && !l.promised(i, who, now) {
		return i, true
	}
	var seed maphash.Hash
	seed.SetSeed(l.seed)
	seed.Write(who[:])
	start := int(seed.Sum64() % poolSize)
	free, offered, unheard := -1, -1, -1
	for n := range poolSize {
		i := (start + n) % poolSize
		switch a := &l.at[i]; {
		case !now.Before(a.until) && !l.promised(i, who, now):
			if free < 0 || a.until.Before(l.at[free].until) {
				free = i
			}
		case !now.Before(a.until):
			if offered < 0 || l.offers[i].until.Before(l.offers[offered].until) {
				offered = i
			}
		case l.reclaimable(i, now) && (unheard < 0 || a.since.Before(l.at[unheard].since)):
			unheard = i
		}
	}
	for _, i := range []int{free, offered, unheard} {
		if i >= 0 {
			return i, true
		}
	}
	return 0, false
}

// ownedBy is the address that a phone has or had.
func (l *leases) ownedBy(who mac) (int, bool) {
	for i := range l.at {
		if l.at[i].who == who && who != (mac{}) && !l.at[i].bad {
			return i, true
		}
	}
	return 0, false
}

// claimable reports whether whoever asks for just this address may have it: it is free, or in use since before this hub started, by
// somebody whom only the address tells.
func (l *leases) claimable(i int, now time.Time) bool {
	a := &l.at[i]
	return !now.Before(a.until) || a.who == (mac{}) && !a.bad
}

// reclaimable reports whether a lease in use may be taken away when all are.
func (l *leases) reclaimable(i int, now time.Time) bool {
	return !l.at[i].heard && now.Sub(l.at[i].since) > proveTime
}

func (l *leases) promised(i int, to mac, now time.Time) bool {
	o := &l.offers[i]
	return o.who != to && now.Before(o.until)
}

// take gives a phone the address that it asks for, or tells it that it cannot have it.
func (l *leases) take(who mac, want netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	i, ok := indexOf(want)
	if !ok {
		return false
	}
	a := &l.at[i]
	switch {
	case a.who == who && !a.bad:
		a.until = now.Add(leaseTime)
		return true
	case l.claimable(i, now):
	case l.reclaimable(i, now) && l.offers[i].who == who:
	default:
		return false
	}
	// One address each: what the phone had before is anybody's.
	if old, ok := l.ownedBy(who); ok {
		l.at[old] = lease{until: now}
	}
	*a = lease{who: who, since: now, until: now.Add(leaseTime)}
	return true
}

// release ends a lease. Its phone has the address again if it comes before it is needed.
func (l *leases) release(who mac, addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, ok := indexOf(addr); ok && l.at[i].who == who && l.now().Before(l.at[i].until) {
		l.at[i].until = l.now()
	}
}

// refuse notes that the phone which was given an address found somebody else at it.
func (l *leases) refuse(who mac, addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, ok := indexOf(addr); ok && l.at[i].who == who {
		now := l.now()
		l.at[i] = lease{since: now, until: now.Add(refuseTime), bad: true}
	}
}

// heard notes that somebody has completed a connection from an address.
func (l *leases) heard(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, ok := indexOf(addr); ok {
		l.at[i].heard = true
	}
}

// save writes down which addresses are in use, if there is one more than the file says. Not who has them: a hub that is taken must not tell
// which phones were there. The file has a few hundred bytes and is written once for each new phone. Only one goroutine may call it.
func (l *leases) save() {
	used, more := l.inUse()
	if !more || l.file == "" {
		return
	}
	var text bytes.Buffer
	for i := range used {
		if used[i] {
			fmt.Fprintln(&text, addrOf(i))
		}
	}
	// Without the file a hub works, and phones find doubles themselves: no reason to refuse one.
	part := l.file + ".new"
	if os.WriteFile(part, text.Bytes(), 0o600) == nil && os.Rename(part, l.file) == nil {
		l.kept = used
	}
}

// inUse is which addresses are in use, and whether one of them is not in the file.
func (l *leases) inUse() (used [poolSize]bool, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for i := range l.at {
		used[i] = now.Before(l.at[i].until) && !l.at[i].bad
		more = more || used[i] && !l.kept[i]
	}
	return used, more
}

// load takes what was in use as in use for a whole lease from now: no clock may be trusted to tell what is left of it.
func (l *leases) load() {
	if l.file == "" {
		return
	}
	b, err := os.ReadFile(filepath.Clean(l.file))
	if err != nil {
		return
	}
	now := l.now()
	for line := range bytes.Lines(b[:min(len(b), 4<<10)]) {
		addr, err := netip.ParseAddr(string(bytes.TrimSpace(line)))
		if i, ok := indexOf(addr); err == nil && ok {
			l.at[i], l.kept[i] = lease{since: now, until: now.Add(leaseTime)}, true
		}
	}
}
