package node

import (
	"sync"
	"time"
)

// rateMinutes is how far back the rates go.
const rateMinutes = 60

// rates counts arrivals by way for each minute of the last hour. It reads a clock that never goes back: a wall clock
// that is set would empty it.
type rates struct {
	began time.Time // set by New

	mu     sync.Mutex
	last   int64                     // guarded by mu; the minute since began that was counted in last
	counts [rateMinutes][ways]uint32 // guarded by mu; of minute m at m % rateMinutes
}

func (r *rates) add(w Way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.advance()
	r.counts[r.last%rateMinutes][w]++
}

// advance clears the minutes that have begun since the last look. The caller holds mu.
func (r *rates) advance() {
	now := int64(time.Since(r.began) / time.Minute)
	for m := max(r.last+1, now-rateMinutes+1); m <= now; m++ {
		r.counts[m%rateMinutes] = [ways]uint32{}
	}
	r.last = max(r.last, now)
}

// PerMinute is how many messages were new here in each minute of the last hour, by way as in Status.Accepted, the oldest minute first;
// the last one is not over yet.
func (n *Node) PerMinute() map[string][]uint32 {
	r := &n.rates
	r.mu.Lock()
	defer r.mu.Unlock()
	r.advance()
	out := make(map[string][]uint32, ways)
	for w := range ways {
		line := make([]uint32, rateMinutes)
		for i := range line {
			line[i] = r.counts[(r.last+1+int64(i))%rateMinutes][w]
		}
		out[w.String()] = line
	}
	return out
}
