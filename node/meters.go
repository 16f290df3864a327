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

// meters holds a token bucket for each link.
type meters struct {
	mu   sync.Mutex
	link map[peer.ID]*rate.Limiter // guarded by mu; removed with the link
}

// allow takes a token of the peer's bucket.
func (m *meters) allow(p peer.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.link[p]
	if b == nil {
		if m.link == nil {
			m.link = make(map[peer.ID]*rate.Limiter)
		}
		b = rate.NewLimiter(meterRate, meterBurst)
		m.link[p] = b
	}
	return b.Allow()
}

func (m *meters) forget(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.link, p)
}
