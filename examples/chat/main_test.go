package main

import (
	"bytes"
	"context"
	"testing"
	"time"
)

func TestChat(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var out bytes.Buffer
	if err := chat(ctx, &out); err != nil {
		t.Fatal(err)
	}
	const want = ` aru says:  is there water anywhere?
bota heard: is there water anywhere?
bota says:  at gate 4, since noon
 aru heard: at gate 4, since noon
 aru says:  rahmet! is the road open?
bota heard: rahmet! is the road open?
bota says:  go round by the bridge
 aru heard: go round by the bridge
`
	if out.String() != want {
		t.Errorf("the chat was\n%swant\n%s", &out, want)
	}
}

// TestInterrupted: Ctrl-C before anything happened is no error and leaves nothing behind.
func TestInterrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var out bytes.Buffer
	if err := chat(ctx, &out); err != nil {
		t.Error(err)
	}
}
