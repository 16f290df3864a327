package node

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// The rate at which one link may make this node check signatures by gossip. At 42 µs for a standard check
// 200 a second are 1 % of a core; sync, which asks for what it gets, is not metered by it. What is over the
// rate is dropped unseen and may come again by sync.
const (
	meterRate  = 200.0 // messages a second
	meterBurst = 400.0
)

// meters holds a token bucket for each link.
type meters struct {
	mu   sync.Mutex
	link map[peer.ID]*meter // guarded by mu; removed with the link
}

type meter struct {
	tokens float64
	filled time.Time
}

// allow takes a token of the peer's bucket. A peer without a link has none.
func (m *meters) allow(p peer.ID) bool {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.link[p]
	if b == nil {
		if m.link == nil {
			m.link = make(map[peer.ID]*meter)
		}
		b = &meter{tokens: meterBurst, filled: now}
		m.link[p] = b
	}
	b.tokens = min(meterBurst, b.tokens+now.Sub(b.filled).Seconds()*meterRate)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (m *meters) forget(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.link, p)
}
