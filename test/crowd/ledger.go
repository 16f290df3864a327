package crowd

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node"
	"longear/protocol"
)

// never is the time of what has not happened.
const never = time.Duration(-1)

// post is one message that the story published, and who had it when.
type post struct {
	number int
	msg    *protocol.Message
	text   string
	from   int
	to     int // the reader of a direct message; -1: everybody
	at     time.Duration
	life   time.Duration
	when   []time.Duration // by node; never
	parent []int32         // by node: from whom; -1
	hops   []int16         // by node; links crossed
	// Where nodes meet in groups, by node: the group that brought it, -1 none, and how many groups it passed through.
	via     []int32
	crossed []int16
}

func (p *post) deadAt(now time.Duration) bool { return now >= p.at+p.life }

// ledger knows what was published and writes down who got it. The nodes tell it, each from its own goroutines.
type ledger struct {
	begin time.Time
	nodes int
	watch *Watch

	mu       sync.Mutex // guards what follows
	posts    []*post
	byID     map[protocol.ID]*post
	byPeer   map[peer.ID]int
	noise    map[protocol.ID]int // what the flooder made, and its bytes
	noisy    int                 // bytes of it that were taken
	arrivals []int               // by node: messages taken from others
	fresh    [][]*post           // by node: what came since the last check
	wrong    []string            // what must never happen
	visits   *visits             // nil unless nodes meet in groups
}

func newLedger(nodes int, watch *Watch) *ledger {
	return &ledger{
		begin: time.Now(), nodes: nodes, watch: watch,
		byID: make(map[protocol.ID]*post), byPeer: make(map[peer.ID]int), noise: make(map[protocol.ID]int),
		arrivals: make([]int, nodes), fresh: make([][]*post, nodes),
	}
}

// meet notes who a peer is.
func (l *ledger) meet(p peer.ID, number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byPeer[p] = number
}

// expectNoise announces a message that nobody counts.
func (l *ledger) expectNoise(m *protocol.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noise[m.ID] = len(m.Wire())
}

// publish enters a message before anybody can have it.
func (l *ledger) publish(p *post) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.number = len(l.posts)
	p.when, p.parent, p.hops = make([]time.Duration, l.nodes), make([]int32, l.nodes), make([]int16, l.nodes)
	for i := range p.when {
		p.when[i], p.parent[i] = never, -1
	}
	if l.visits != nil {
		p.via, p.crossed = slices.Repeat([]int32{-1}, l.nodes), make([]int16, l.nodes)
	}
	p.when[p.from] = p.at
	l.posts = append(l.posts, p)
	l.byID[p.msg.ID] = p
	l.fresh[p.from] = append(l.fresh[p.from], p)
}

// arrived enters that a node took a message.
func (l *ledger) arrived(number int, a node.Arrival) {
	if a.From == "" {
		return // its own
	}
	now := time.Since(l.begin)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals[number]++
	p := l.byID[a.ID]
	if p == nil {
		size, ok := l.noise[a.ID]
		if !ok {
			l.wrongf("n%d took message %v, which nobody published", number, a.ID)
		}
		l.noisy += size
		return
	}
	if p.when[number] != never {
		return // it was lost here, to an eviction, and came back
	}
	// Ages are passed on in whole milliseconds and grow on the way: a second for a hundred links is far too much.
	if late := now - p.at - p.life; late > time.Second {
		l.wrongf("n%d took message %d %v after the end of its life", number, p.number, late)
	}
	p.when[number] = now
	l.watch.Deliveries.Add(1)
	l.fresh[number] = append(l.fresh[number], p)
	if from, ok := l.byPeer[a.From]; ok {
		p.parent[number] = int32(from)
		p.hops[number] = p.hops[from] + 1
		l.crosses(p, from, number)
	}
}

// wrongf notes what must never happen; l.mu is held.
func (l *ledger) wrongf(format string, args ...any) {
	if len(l.wrong) < 100 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// takeFresh returns what came to a node since the last time, and how much came at all.
func (l *ledger) takeFresh(number int) (fresh []*post, arrivals int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fresh = l.fresh[number]
	l.fresh[number] = nil
	return fresh, l.arrivals[number]
}

// reread makes what a node had come up again, every so-manieth message, as if it were fresh.
func (l *ledger) reread(number, stride int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := number % stride; i < len(l.posts); i += stride {
		if p := l.posts[i]; p.when[number] != never {
			l.fresh[number] = append(l.fresh[number], p)
		}
	}
}

// takeWrong returns what went wrong since the last time.
func (l *ledger) takeWrong() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.wrong
	l.wrong = nil
	return w
}

// has reports whether a node has had a message.
func (l *ledger) has(p *post, number int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return p.when[number] != never
}

// all is what was published so far.
func (l *ledger) all() []*post {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.posts[:len(l.posts):len(l.posts)]
}
