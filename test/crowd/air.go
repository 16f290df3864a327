package crowd

import (
	"container/heap"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"longear/test/crowd/story"
)

// Radio is what a node's radio carries; it is shared among its links. A link has the longer latency of its two ends, and loses as much as the
// worse of them.
type Radio struct {
	BitsPerSecond int           // each way, at each node
	Latency       time.Duration // one way
	Loss          float64       // of packets, 0 to 1
}

// radioPort is where every node listens: it has an address of its own.
const radioPort = 8000

// What a radio keeps waiting before it drops is what an access point's buffer holds: longestQueue, or on a slow radio leastQueue.
const (
	longestQueue = 250 * time.Millisecond
	leastQueue   = 16 * 1500 // bytes
)

// queue is how long a packet may wait at a radio.
func (r *Radio) queue() time.Duration { return max(longestQueue, airtime(leastQueue, r)) }

// air carries packets between nodes whose link is up, and drops all others. It stands where simlibp2p puts its own network
// beneath a host: that one knows neither loss nor links that come and go, and keeps a node's goroutines after the node. It
// has no goroutine: whoever reads waits until the packet is due.
type air struct {
	nodes  int
	links  []atomic.Uint64 // a bit for each pair of nodes, both ways
	radios []atomic.Pointer[Radio]
	at     []atomic.Pointer[endpoint] // by node; nil while it is down
	sent   []atomic.Uint64            // bytes on the air by node, over all its lives
}

func newAir(nodes int) *air {
	a := &air{
		nodes:  nodes,
		links:  make([]atomic.Uint64, (nodes*nodes+63)/64),
		at:     make([]atomic.Pointer[endpoint], nodes),
		sent:   make([]atomic.Uint64, nodes),
		radios: make([]atomic.Pointer[Radio], nodes),
	}
	usual := &Radio{BitsPerSecond: story.UsualRate, Latency: story.UsualLatency}
	for i := range a.radios {
		a.radios[i].Store(usual)
	}
	return a
}

// set switches the link between two nodes.
func (a *air) set(x, y int, up bool) {
	for _, i := range []int{x*a.nodes + y, y*a.nodes + x} {
		if up {
			a.links[i/64].Or(1 << (i % 64))
		} else {
			a.links[i/64].And(^(uint64(1) << (i % 64)))
		}
	}
}

func (a *air) up(x, y int) bool {
	i := x*a.nodes + y
	return a.links[i/64].Load()&(1<<(i%64)) != 0
}

// addrOf is a node's address: 10.0.0.0/8, as many as anybody can simulate. The first is the network's own, which no node dials.
func addrOf(node int) net.IP {
	n := node + 1
	return net.IPv4(10, byte(n>>16), byte(n>>8), byte(n)).To4()
}

func nodeAt(addr net.Addr) (int, bool) {
	u, ok := addr.(*net.UDPAddr)
	if !ok {
		return 0, false
	}
	ip := u.IP.To4()
	if ip == nil || ip[0] != 10 {
		return 0, false
	}
	n := int(ip[1])<<16 | int(ip[2])<<8 | int(ip[3])
	return n - 1, n > 0
}

// listen puts a node on the air. seed decides which packets are lost.
func (a *air) listen(node int, seed uint64) *endpoint {
	e := &endpoint{
		air: a, node: node, addr: &net.UDPAddr{IP: addrOf(node), Port: radioPort},
		dice:  rand.New(rand.NewPCG(seed, uint64(node))),
		timer: time.NewTimer(0), closed: make(chan struct{}),
	}
	a.at[node].Store(e)
	return e
}

// packet is on its way.
type packet struct {
	due  time.Time
	from net.Addr
	data []byte
}

type inbox []packet

func (q inbox) Len() int           { return len(q) }
func (q inbox) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q inbox) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *inbox) Push(x any)        { *q = append(*q, x.(packet)) }
func (q *inbox) Pop() any {
	old := *q
	p := old[len(old)-1]
	old[len(old)-1] = packet{}
	*q = old[:len(old)-1]
	return p
}

// endpoint is one node's radio in one of its lives: the packet connection that QUIC runs on.
type endpoint struct {
	air    *air
	node   int
	addr   *net.UDPAddr
	timer  *time.Timer // for whoever reads: set, with mu held, by whoever changes what it waits for
	closed chan struct{}

	mu       sync.Mutex // guards what follows
	dice     *rand.Rand
	queue    inbox
	waiting  time.Duration // airtime of the queue
	sendFree time.Time     // when what was sent has left
	readFree time.Time     // when what was read had been received
	deadline time.Time
	down     bool
}

// radio is the node's radio now.
func (e *endpoint) radio() *Radio { return e.air.radios[e.node].Load() }

// WriteTo puts a packet on the air. What nobody hears is lost in silence, as on a real radio.
func (e *endpoint) WriteTo(b []byte, to net.Addr) (int, error) {
	radio, far := e.radio(), (*Radio)(nil)
	peer, ok := nodeAt(to)
	if ok = ok && peer < e.air.nodes; ok {
		far = e.air.radios[peer].Load()
	}
	now := time.Now()
	e.mu.Lock()
	if e.down {
		e.mu.Unlock()
		return 0, net.ErrClosed
	}
	left := later(e.sendFree, now).Add(airtime(len(b), radio))
	if left.Sub(now) > radio.queue() {
		e.mu.Unlock()
		return len(b), nil
	}
	e.sendFree = left
	loss := radio.Loss
	if ok {
		loss = max(loss, far.Loss)
	}
	lost := loss > 0 && e.dice.Float64() < loss
	e.mu.Unlock()
	e.air.sent[e.node].Add(uint64(len(b)))
	if lost || !ok || !e.air.up(e.node, peer) {
		return len(b), nil
	}
	if other := e.air.at[peer].Load(); other != nil {
		latency := max(radio.Latency, far.Latency)
		other.receive(packet{due: left.Add(latency), from: e.addr, data: append([]byte(nil), b...)}, latency)
	}
	return len(b), nil
}

// airtime is how long a packet takes, with the 28 bytes of its IP and UDP headers.
func airtime(size int, r *Radio) time.Duration {
	return time.Duration(float64(size+28) * 8 / float64(r.BitsPerSecond) * float64(time.Second))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (e *endpoint) receive(p packet, latency time.Duration) {
	r := e.radio()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down || e.waiting > 2*r.queue()+latency {
		return
	}
	e.waiting += airtime(len(p.data), r)
	heap.Push(&e.queue, p)
	if e.queue[0].due.Equal(p.due) {
		e.arm(time.Now())
	}
}

// ReadFrom returns the next packet once it is due.
func (e *endpoint) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		p, err := e.next()
		switch {
		case err != nil:
			return 0, nil, err
		case p.data != nil:
			return copy(b, p.data), p.from, nil
		}
		select {
		case <-e.timer.C:
		case <-e.closed:
		}
	}
}

// slot is how finely time passes on the air, as at phones whose radio rests in between: packets arrive, people move, beacons
// are heard and pauses of sync end at its multiples. Whoever waits for several packets wakes once, and nodes that wake at the same
// moment use all processors: with 5 ms and everything else at any time there were 500 moments in a second of 300 nodes, at most of which
// one node did one thing. It is the 25 ms for which QUIC holds back an acknowledgement: those come at the next slot. A contact takes 0.2 s
// to begin, which is a twentieth of the time for which a beacon goes unheard.
const slot = 25 * time.Millisecond

func onSlot(t time.Time) time.Time { return t.Add(slot - 1).Truncate(slot) }

// next takes the packet that is due and received, if there is one. If not, the timer is set for it.
func (e *endpoint) next() (packet, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	switch {
	case e.down:
		return packet{}, net.ErrClosed
	case !e.deadline.IsZero() && !e.deadline.After(now):
		return packet{}, os.ErrDeadlineExceeded
	case len(e.queue) > 0:
		if whole, takes := e.whole(); !onSlot(whole).After(now) {
			e.readFree = whole
			e.waiting = max(0, e.waiting-takes)
			return heap.Pop(&e.queue).(packet), nil
		}
	}
	e.arm(now)
	return packet{}, nil
}

// whole is when the first packet has been received, and what that takes; mu is held.
func (e *endpoint) whole() (at time.Time, takes time.Duration) {
	head := e.queue[0]
	takes = airtime(len(head.data), e.radio())
	return later(e.readFree, head.due).Add(takes), takes
}

// arm sets the timer for the first packet or the deadline; mu is held. A sender does so too: the reader need not wake to wait on.
func (e *endpoint) arm(now time.Time) {
	at := e.deadline
	if len(e.queue) > 0 {
		if whole, _ := e.whole(); at.IsZero() || onSlot(whole).Before(at) {
			at = onSlot(whole)
		}
	}
	if at.IsZero() {
		e.timer.Stop()
		return
	}
	e.timer.Reset(at.Sub(now))
}

// Close takes the node off the air.
func (e *endpoint) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		return nil
	}
	e.down, e.queue = true, nil
	e.air.at[e.node].CompareAndSwap(e, nil)
	close(e.closed)
	e.timer.Stop()
	return nil
}

// LocalAddr implements net.PacketConn.
func (e *endpoint) LocalAddr() net.Addr { return e.addr }

// SetReadDeadline implements net.PacketConn.
func (e *endpoint) SetReadDeadline(t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deadline = t
	e.arm(time.Now())
	return nil
}

// SetWriteDeadline implements net.PacketConn: writing never waits.
func (e *endpoint) SetWriteDeadline(time.Time) error { return nil }

// SetDeadline implements net.PacketConn.
func (e *endpoint) SetDeadline(t time.Time) error { return e.SetReadDeadline(t) }

// SetReadBuffer says that there is room, which QUIC asks of a socket.
func (e *endpoint) SetReadBuffer(int) error { return nil }

// SetWriteBuffer says the same.
func (e *endpoint) SetWriteBuffer(int) error { return nil }
