package crowd

import (
	"container/heap"
	"time"
)

// agenda is what the world does and when. One goroutine works through it, in order of time, and in order of entry at one time.
type agenda struct {
	items []deed
	seq   uint64
}

// deed is one thing to do. Times count from the start of the run.
type deed struct {
	at  time.Duration
	seq uint64
	do  func() error
}

func (a *agenda) Len() int { return len(a.items) }

func (a *agenda) Less(i, j int) bool {
	x, y := &a.items[i], &a.items[j]
	return x.at < y.at || x.at == y.at && x.seq < y.seq
}

func (a *agenda) Swap(i, j int) { a.items[i], a.items[j] = a.items[j], a.items[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { a.items = append(a.items, x.(deed)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := a.items[len(a.items)-1]
	a.items[len(a.items)-1] = deed{}
	a.items = a.items[:len(a.items)-1]
	return last
}

// add enters a deed.
func (a *agenda) add(at time.Duration, do func() error) {
	a.seq++
	heap.Push(a, deed{at, a.seq, do})
}

// next is when the first deed is due.
func (a *agenda) next() (time.Duration, bool) {
	if len(a.items) == 0 {
		return 0, false
	}
	return a.items[0].at, true
}

// take takes the first deed off.
func (a *agenda) take() deed { return heap.Pop(a).(deed) }
