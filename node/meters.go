package node

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/time/rate"
)

// The rate at which one link may make this node check signatures by gossip. At 42 µs for a standard check
// 200 a second are 1 % of a core; sync, which asks for what it gets, is not metered by it. What is over the
// rate is dropped unseen and may come again by sync.
const (
	meterRate  = 200 // messages a second
	meterBurst = 400
)

// meters holds the token buckets of each peer.
//
// BUG(node): a peer that connects anew has full ones. How often it may do that is bounded for its network: see newResources.
// What a peer that has gone left in pubsub's queue, 512 messages at most, is not metered.
type meters struct {
	mu   sync.Mutex
	link map[peer.ID]meter // guarded by mu; removed with the connection: see parted
}

// meter is the buckets of one peer.
type meter struct {
	checks   *rate.Limiter // of signatures by gossip
	work     *rate.Limiter // of what is read from the store for sync
	begun    *rate.Limiter // of the peer's streams of sync and its rounds, or its nudges
	repeated *rate.Limiter // of the rounds that this side starts at once after another
}

func (m *meters) of(p peer.ID) meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	b, ok := m.link[p]
	if !ok {
		if m.link == nil {
			m.link = make(map[peer.ID]meter)
		}
		b = meter{
			checks:   rate.NewLimiter(meterRate, meterBurst),
			work:     rate.NewLimiter(workRate, workBurst),
			begun:    rate.NewLimiter(roundRate, roundBurst),
			repeated: rate.NewLimiter(againRate, roundBurst),
		}
		m.link[p] = b
	}
	return b
}

// allow takes a token of what the peer may make this node check.
func (m *meters) allow(p peer.ID) bool { return m.of(p).checks.Allow() }

func (m *meters) forget(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.link, p)
}
