package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// output collects what a program prints and lets a test wait for some of it.
type output struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
	more chan struct{}   // guarded by mu; closed and renewed by every write
}

func newOutput() *output { return &output{more: make(chan struct{})} }

// Write collects.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.text.Write(b)
}

func (o *output) now() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}

// await waits until a text has been printed.
func (o *output) await(t *testing.T, want string) {
	t.Helper()
	o.awaitThat(t, want, func(text string) bool { return strings.Contains(text, want) })
}

func (o *output) awaitThat(t *testing.T, what string, is func(text string) bool) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		text, more := o.now()
		if is(text) {
			return
		}
		select {
		case <-more:
		case <-late.C:
			t.Fatalf("waited in vain for %q; printed was:\n%s", what, text)
		}
	}
}
