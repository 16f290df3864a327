package guest

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// bucket is a token bucket. It may be in debt.
type bucket struct {
	tokens float64
	filled time.Time
}

// level is how many tokens are there now.
func (b *bucket) level(now time.Time, rate, burst float64) float64 {
	if b.filled.IsZero() {
		b.tokens = burst
	} else if passed := now.Sub(b.filled).Seconds(); passed > 0 {
		b.tokens = min(burst, b.tokens+passed*rate)
	}
	b.filled = now
	return b.tokens
}

// visitor is what is remembered of one source address. Its fields are guarded by the mu of visitors.
type visitor struct {
	name                   string // for the node's budgets: a number, never the address
	seen                   time.Time
	requests, posts, bytes bucket
	streams, bodies        int
	online                 bool // the sign-in window's button was pressed: probes are answered as if online
}

// visitors are the guests that are remembered.
type visitors struct {
	now  func() time.Time
	came func(name string) // tells of a new one; nil: nobody; not called with mu held
	left func(name string) // tells the node; likewise

	mu      sync.Mutex
	known   map[netip.Addr]*visitor // guarded by mu; at most maxVisitors
	count   uint64                  // guarded by mu; of visitors ever
	swept   time.Time               // guarded by mu
	streams int                     // guarded by mu; of all
	bodies  int                     // guarded by mu; of all
}

func newVisitors(now func() time.Time, came, left func(string)) *visitors {
	return &visitors{now: now, came: came, left: left, known: make(map[netip.Addr]*visitor)}
}

// meet is the visitor behind an address, new or not. When as many as possible are remembered the one not seen for
// longest is forgotten. Nil: all are busy.
func (vs *visitors) meet(addr netip.Addr) *visitor {
	now := vs.now()
	vs.mu.Lock()
	var gone []string
	fresh := ""
	v := vs.known[addr]
	if v == nil {
		if len(vs.known) >= maxVisitors || now.Sub(vs.swept) > time.Minute {
			gone = vs.sweep(now)
		}
		if len(vs.known) < maxVisitors {
			vs.count++
			fresh = strconv.FormatUint(vs.count, 10)
			v = &visitor{name: fresh}
			vs.known[addr] = v
		}
	}
	if v != nil {
		v.seen = now
	}
	vs.mu.Unlock()
	for _, name := range gone {
		vs.left(name)
	}
	if fresh != "" && vs.came != nil {
		vs.came(fresh)
	}
	return v
}

// sweep forgets who has not been seen for hours and, if that makes no room, the one who was seen least lately. The caller holds mu.
func (vs *visitors) sweep(now time.Time) (gone []string) {
	vs.swept = now
	var oldest netip.Addr
	for addr, v := range vs.known {
		if v.streams > 0 || v.bodies > 0 {
			continue
		}
		if now.Sub(v.seen) > forgetAfter {
			gone = append(gone, v.name)
			delete(vs.known, addr)
		} else if !oldest.IsValid() || v.seen.Before(vs.known[oldest].seen) {
			oldest = addr
		}
	}
	if len(vs.known) >= maxVisitors && oldest.IsValid() {
		gone = append(gone, vs.known[oldest].name)
		delete(vs.known, oldest)
	}
	return gone
}

// forget is sweep for who calls it by the clock.
func (vs *visitors) forget() {
	vs.mu.Lock()
	gone := vs.sweep(vs.now())
	vs.mu.Unlock()
	for _, name := range gone {
		vs.left(name)
	}
}

// Present is how many guests are here now.
func (s *Server) Present() int { return s.visitors.present() }

// present is how many guests are here now.
func (vs *visitors) present() int {
	now := vs.now()
	vs.mu.Lock()
	defer vs.mu.Unlock()
	n := 0
	for _, v := range vs.known {
		if v.streams > 0 || now.Sub(v.seen) < presentFor {
			n++
		}
	}
	return n
}

// request takes one of a guest's requests.
func (vs *visitors) request(v *visitor) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if v.requests.level(vs.now(), requestRate, requestBurst) < 1 {
		return false
	}
	v.requests.tokens--
	return true
}

// post takes up to count of a guest's messages and returns how many.
func (vs *visitors) post(v *visitor, count int) int {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	n := min(count, max(0, int(v.posts.level(vs.now(), postRate, postBurst))))
	v.posts.tokens -= float64(n)
	return n
}

// solvent reports whether a guest may move more bytes. What it moved is charged afterwards, so that one large answer
// is possible and the next has to wait.
func (vs *visitors) solvent(v *visitor) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return v.bytes.level(vs.now(), byteRate, byteBurst) > 0
}

// charge counts bytes that a guest moved.
func (vs *visitors) charge(v *visitor, n int) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v.bytes.level(vs.now(), byteRate, byteBurst)
	v.bytes.tokens -= float64(n)
}

// stream takes one of the places of streams; leave gives it back. A guest with an open stream is here.
func (vs *visitors) stream(v *visitor) (leave func(), ok bool) {
	return vs.place(&vs.streams, maxStreams, &v.streams, maxStreamsEach)
}

// body takes one of the places of bodies being read, and of answers that are as large.
func (vs *visitors) body(v *visitor) (leave func(), ok bool) {
	return vs.place(&vs.bodies, maxBodies, &v.bodies, maxBodiesEach)
}

func (vs *visitors) place(all *int, most int, own *int, mostOwn int) (leave func(), ok bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if *all >= most || *own >= mostOwn {
		return nil, false
	}
	*all++
	*own++
	return func() {
		vs.mu.Lock()
		defer vs.mu.Unlock()
		*all--
		*own--
	}, true
}

// setOnline notes that a guest has pressed the button; isOnline asks for it.
func (vs *visitors) setOnline(v *visitor) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v.online = true
}

func (vs *visitors) isOnline(v *visitor) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return v.online
}

// source is the address that a request comes from: of the connection, whatever a header says.
func source(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// isLocal reports whether a guest is on a network at hand: only then may it have messages that never leave one (SPEC.md
// section 15.4).
func isLocal(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() }
