//go:build linux

package browser_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostileChecks are those of hostile.mjs.
var hostileChecks = []string{
	"all are kept", "the page", "every picture and every answer", "the board without script", "writing goes on",
}

// TestHostile: a real hub full of hostile messages, seen in its page, on its board and in a terminal.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	fetch(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	if *shots != "" {
		pictures, err := filepath.Abs(*shots)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("PICTURES", pictures)
	}
	var program, home string
	watchIn(t, hostileChecks, func() []string {
		s := newSquare(t)
		s.network("h")
		program, home = s.program, s.hub("h", "north gate", "", 0)
		for i := range corpusSize / corpusBatch { // a guest is an address, and has a budget of posts
			s.ip("-n %sp addr add 192.168.49.%d/24 dev wh", s.name, 30+i)
		}
		return append([]string{"ip", "netns", "exec", s.name + "p", node, "hostile.mjs", chromium}, writeCorpus(t)...)
	})

	out, err := exec.Command(program, "watch", "--home", home, "--no-follow", "--history", "-1").Output()
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	if n := bytes.Count(out, []byte("\n")); n < corpusSize/2 {
		t.Errorf("watch shows %d lines", n)
	}
	for at, b := 0, out; at < len(b); {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 || r != '\n' && unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			t.Fatalf("watch writes %U: %q", r, b[max(0, at-40):min(len(b), at+40)])
		}
		at += n
	}
}
