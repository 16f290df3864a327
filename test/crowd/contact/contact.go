// Package contact says who is within reach of whom, and when: people who stand, walk or commute, traces of real
// contacts, and what any network could have delivered over them at best (the oracle). It knows nothing of nodes.
package contact

import "time"

// Change is one link of the world that comes or goes. Times count from the start of the run.
type Change struct {
	At   time.Duration
	A, B int // numbers of nodes from 0, A < B
	Up   bool
}

// Point is a place in metres.
type Point struct{ X, Y float64 }

// Source is contacts in the order of time: a movement model or a trace.
type Source interface {
	// Nodes is how many nodes there are.
	Nodes() int
	// Next is when something may change next; ok is false when nothing will any more.
	Next() (at time.Duration, ok bool)
	// Advance goes on to a time and returns every change up to and at it, in order.
	Advance(to time.Duration) []Change
	// Places are the nodes' places at the time of the last Advance; nil if the source knows none.
	Places() []Point
}
