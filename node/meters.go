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

// meter is a token bucket.
type meter struct {
	tokens float64
	filled time.Time
}

// take takes a token of a bucket that fills at rate a second up to burst.
func (b *meter) take(rate, burst float64) bool {
	now := time.Now()
	if b.filled.IsZero() {
		b.tokens = burst
	} else {
		b.tokens = min(burst, b.tokens+now.Sub(b.filled).Seconds()*rate)
	}
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// allow takes a token of the peer's bucket.
func (m *meters) allow(p peer.ID) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.link[p]
	if b == nil {
		if m.link == nil {
			m.link = make(map[peer.ID]*meter)
		}
		b = new(meter)
		m.link[p] = b
	}
	return b.take(meterRate, meterBurst)
}

func (m *meters) forget(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.link, p)
}
