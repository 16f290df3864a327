package protocol_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"longear/protocol"
)

// TestSpecIsUpToDate: the numbers and verdicts of the text are those of the program.
func TestSpecIsUpToDate(t *testing.T) {
	section := func(title string) string { return specSection(t, title) }
	limits := section("2 Limits")
	for name, n := range map[string]int{
		"largest body": protocol.MaxBody, "largest message": protocol.MaxMessage, "smallest message": protocol.MinMessage, "parents": protocol.MaxParents,
		"kind": protocol.MaxKind, "flags": protocol.MaxFlags, "default lifetime": int(protocol.DefaultLifetime / time.Second), "longest lifetime": int(protocol.MaxLifetime / time.Second),
		"remembered": int(protocol.Remember / time.Second), "frame": protocol.MaxFrame, "channel": protocol.MaxChannelName,
	} {
		line := ""
		for l := range strings.Lines(limits) {
			if cells := strings.Split(l, "|"); len(cells) > 2 && strings.Contains(cells[1], name) {
				line = cells[2]
			}
		}
		if !strings.HasPrefix(line, " "+thousands(n)) {
			t.Errorf("%s is %s, the text says %q", name, thousands(n), line)
		}
	}
	verdicts := section("5 Verdicts")
	for _, v := range protocol.Verdicts() {
		reason := v.String()
		if _, short, found := strings.Cut(reason, ": "); found && v.Rejected() {
			reason = short
		}
		if !strings.Contains(verdicts, reason+"`") {
			t.Errorf("the text lacks the verdict %v", v)
		}
	}
	if n := thousands(protocol.MaxSealedText); !strings.Contains(section("7 Sealed bodies"), n+" bytes") {
		t.Errorf("the longest sealed text is %s", n)
	}
	if n := thousands(protocol.MaxSealedBytes); !strings.Contains(section("7 Sealed bodies"), "chunk "+n) {
		t.Errorf("the largest sealed chunk is %s", n)
	}
	if n := thousands(protocol.MaxDirectText); !strings.Contains(section("8 Direct messages and cards"), n+" bytes") {
		t.Errorf("the longest direct text is %s", n)
	}
	largest := protocol.MaxMessage
	for _, v := range vectors(t).Messages.Valid {
		if v.Name == "largest message" {
			largest = len(v.Wire)
		}
	}
	if n := largest - protocol.MaxBody; !strings.Contains(limits, fmt.Sprintf("%d bytes, and room", n)) {
		t.Errorf("the fields beside the largest body have %d bytes", n)
	}
}

// specSection is the text of one section.
func specSection(t *testing.T, title string) string {
	t.Helper()
	_, s, ok := strings.Cut(string(must(os.ReadFile("SPEC.md"))), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("no section %q", title)
	}
	s, _, _ = strings.Cut(s, "\n## ")
	return s
}

// thousands writes a number as the text does.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
