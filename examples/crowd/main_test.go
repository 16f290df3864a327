package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"longear/test/crowd"
)

// few is enough people for everybody to be out of reach of most.
const few = 16

// TestFestival plays the story in a test, as a developer's own test would: with fewer people.
func TestFestival(t *testing.T) {
	s, err := tell(few)
	if err != nil {
		t.Fatal(err)
	}
	r, err := crowd.Run(t, s, crowd.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := show(&text, r); err != nil {
		t.Error(err)
	}
	t.Log("\n" + text.String())
	if r.Nodes != few+1 || r.Hubs != 1 || r.Messages != 101 {
		t.Errorf("%d nodes, %d of them hubs, %d messages", r.Nodes, r.Hubs, r.Messages)
	}
}

// TestProgram runs it as the README says, and looks whether what does not hold is its exit code.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	for _, c := range []struct {
		nodes string
		ok    bool
		want  string
	}{
		{"12", true, "12 phones, 1 hub"},
		{"0", false, "phones"},
	} {
		t.Run(c.nodes, func(t *testing.T) {
			run := exec.CommandContext(t.Context(), "go", "run", ".", "-nodes", c.nodes)
			var out bytes.Buffer
			run.Stdout, run.Stderr = &out, &out
			err := run.Run()
			if (err == nil) != c.ok || !strings.Contains(out.String(), c.want) {
				t.Errorf("%v, want %q in:\n%s", err, c.want, &out)
			}
		})
	}
}

// TestSize: it stays something to copy.
func TestSize(t *testing.T) {
	b, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("\n")); n >= 100 {
		t.Errorf("main.go has %d lines", n)
	}
}
