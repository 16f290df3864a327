package main

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// running is a carrier in this process.
type running struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  func() error
}

func start(t *testing.T, o options) *running {
	t.Helper()
	o.loopback, o.channel = true, "water"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- carry(ctx, o, in); in.Close() }()
	r := &running{t: t, lines: bufio.NewScanner(out)}
	r.stop = func() error {
		cancel()
		go io.Copy(io.Discard, out) // nobody waits for a reader that is gone
		return <-done
	}
	return r
}

// expect reads up to a line with both words and returns its last field.
func (r *running) expect(words ...string) string {
	r.t.Helper()
	var seen []string
lines:
	for r.lines.Scan() {
		seen = append(seen, r.lines.Text())
		for _, w := range words {
			if !strings.Contains(r.lines.Text(), w) {
				continue lines
			}
		}
		f := strings.Fields(r.lines.Text())
		return f[len(f)-1]
	}
	r.t.Fatalf("no line with %q, only\n%s\n%v", words, strings.Join(seen, "\n"), r.stop())
	return ""
}

// TestCarry: what one writes another prints, and it carries the message on when the writer is gone.
func TestCarry(t *testing.T) {
	write := start(t, options{dir: t.TempDir(), text: "water at gate 4"})
	addr := write.expect("listening", "/ip4/127.0.0.1/tcp/")
	write.expect("wrote")

	dir := t.TempDir()
	carrier := start(t, options{dir: dir, connect: addr})
	carrier.expect(`"water at gate 4"`)
	for _, r := range []*running{write, carrier} {
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}

	carrier = start(t, options{dir: dir}) // the next day
	addr = carrier.expect("listening", "/ip4/127.0.0.1/tcp/")
	reader := start(t, options{dir: t.TempDir(), connect: addr})
	reader.expect(`"water at gate 4"`)
	for _, r := range []*running{carrier, reader} {
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBadOptions: what cannot work is an error, not a panic.
func TestBadOptions(t *testing.T) {
	for _, c := range []struct {
		name string
		o    options
	}{
		{"a channel with a space", options{channel: "gate 4"}},
		{"an address that is none", options{channel: "water", connect: "next door", loopback: true}},
		{"a text that is too long", options{channel: "water", text: strings.Repeat("x", 1<<16), loopback: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			c.o.dir = t.TempDir()
			if err := carry(ctx, c.o, io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}
