// Package rig is what the rigs share that run longear as people do: what a process prints, and what a run makes on the machine.
package rig

import (
	"bytes"
	"sync"
)

// Output collects what a process prints, to be read meanwhile.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes more of it.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

// String is what there is by now.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
