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
	gossip []bool          // by node: told by gossip
	hops   []int16         // by node; links crossed
	// Where nodes meet in groups, by node: the group that brought it, -1 none, and how many groups it passed through.
	via     []int32
	crossed []int16

	noise []bool // by node: who has had what a flooder made, of which nothing else is known; nil of what the story published
}

func (p *post) deadAt(now time.Duration) bool { return now >= p.at+p.life }

// had reports whether a node has ever had it; the ledger's mu is held.
func (p *post) had(number int) bool {
	if p.noise != nil {
		return p.noise[number]
	}
	return p.when[number] != never
}

// uncounted is how much too young a node may hold it to be, for its way there: gossip tells an age as the teller was told it (SPEC.md section 12), not what it
// stayed with the teller, which is longest where it is asked for later. Sync counts that. The ledger's mu is held.
func (p *post) uncounted(number int) (sum time.Duration) {
	for at := number; p.noise == nil && p.parent[at] >= 0; at = int(p.parent[at]) {
		if p.gossip[at] {
			sum += min(p.when[at]-p.when[p.parent[at]], gossipLongest)
		}
	}
	return sum
}

// tooYoung reports whether a node is wrong in holding it to be so much younger than it is, where some of that may be. The ledger's mu is held.
func (p *post) tooYoung(number int, by, slack time.Duration) bool {
	return by > slack && by > slack+p.uncounted(number)
}

// gossipLongest is how long gossip can give out what it took: ten heartbeats.
const gossipLongest = 10 * time.Second

// String names it for people.
func (p *post) String() string {
	if p.noise != nil {
		return fmt.Sprintf("noise %d", p.number)
	}
	return fmt.Sprintf("message %d", p.number)
}

// ledger knows what was published and writes down who got it. The nodes tell it, each from its own goroutines.
type ledger struct {
	begin time.Time
	nodes int
	watch *Watch

	mu       sync.Mutex // guards what follows
	posts    []*post
	noise    []*post               // what flooders made
	byID     map[protocol.ID]*post // of both
	byPeer   map[peer.ID]int
	noisy    int      // bytes of noise that were taken from others
	own      []int    // by node: messages of its own that it took
	arrivals []int    // by node: messages taken from others
	again    []uint64 // by node: of these, what it had had before
	wrong    []string // what must never happen
	liedTo   bool     // somebody lies about ages, so those that nodes know are not what they would be
	visits   *visits  // nil unless nodes meet in groups
}

func newLedger(nodes int, watch *Watch) *ledger {
	return &ledger{
		begin: time.Now(), nodes: nodes, watch: watch,
		byID: make(map[protocol.ID]*post), byPeer: make(map[peer.ID]int),
		own: make([]int, nodes), arrivals: make([]int, nodes), again: make([]uint64, nodes),
	}
}

// distrust notes that ages are not what they would be.
func (l *ledger) distrust() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.liedTo = true
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
	p := &post{number: len(l.noise), msg: m, at: time.Since(l.begin), life: m.Life(), noise: make([]bool, l.nodes)}
	l.noise = append(l.noise, p)
	l.byID[m.ID] = p
}

// publish enters a message before anybody can have it.
func (l *ledger) publish(p *post) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.number = len(l.posts)
	p.when, p.parent, p.gossip, p.hops = make([]time.Duration, l.nodes), make([]int32, l.nodes), make([]bool, l.nodes), make([]int16, l.nodes)
	for i := range p.when {
		p.when[i], p.parent[i] = never, -1
	}
	if l.visits != nil {
		p.via, p.crossed = slices.Repeat([]int32{-1}, l.nodes), make([]int16, l.nodes)
	}
	p.when[p.from] = p.at
	l.posts = append(l.posts, p)
	l.byID[p.msg.ID] = p
}

// arrived enters that a node took a message. It may have let go of so many, for want of room or because of an age that it was told and that a
// smaller one mended: only those may come again.
func (l *ledger) arrived(number int, a node.Arrival, lost uint64) {
	now := time.Since(l.begin)
	l.mu.Lock()
	defer l.mu.Unlock()
	own := a.From == ""
	if own {
		l.own[number]++
	} else {
		l.arrivals[number]++
	}
	p := l.byID[a.ID]
	if p == nil {
		l.wrongf("n%d took message %v, which nobody published", number, a.ID)
		return
	}
	switch {
	case own:
		if p.noise != nil {
			p.noise[number] = true
		}
	case p.had(number):
		if l.again[number]++; l.again[number] > lost {
			l.wrongf("n%d took %v again, and had no reason to have lost it", number, p)
		}
	case p.noise != nil:
		p.noise[number] = true
		l.noisy += len(p.msg.Wire())
	default:
		l.delivered(p, number, a, now)
	}
	// Ages are passed on in whole milliseconds: a second for a hundred links is far too much.
	if late := now - p.at - p.life; !l.liedTo && p.tooYoung(number, late, time.Second) {
		l.wrongf("n%d took %v %v after the end of its life", number, p, late)
	}
}

// delivered enters that a message came to a node for the first time; l.mu is held.
func (l *ledger) delivered(p *post, number int, a node.Arrival, now time.Duration) {
	p.when[number] = now
	l.watch.Deliveries.Add(1)
	if from, ok := l.byPeer[a.From]; ok {
		p.parent[number], p.gossip[number] = int32(from), a.Way == node.ByGossip
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
	return p.had(number)
}

// all is what was published so far.
func (l *ledger) all() []*post {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.posts[:len(l.posts):len(l.posts)]
}
