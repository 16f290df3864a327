package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A README shows sessions in ```console blocks, one for each terminal. A line "$ command" is run by a shell, in a folder that all
// blocks share; the lines under it must be printed by it in this order, other lines between them allowed, and … stands for
// any text. A relay or a watch runs on while the blocks below it run, and is interrupted at the end.

// typed is one command of a session and what it prints.
type typed struct {
	command string
	want    []string
}

// goesOn reports whether the command ends only when it is interrupted.
func (c typed) goesOn() bool {
	return regexp.MustCompile(`^longear (relay|watch)\b`).MatchString(c.command) && !strings.Contains(c.command, "--no-follow")
}

// printed reports whether the first n expected lines are in a text, in order.
func (c typed) printed(text string, n int) bool {
	lines := strings.Split(text, "\n")
	for _, want := range c.want[:n] {
		like := likeness(want)
		for len(lines) > 0 && !like.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			return false
		}
		lines = lines[1:]
	}
	return true
}

// likeness is an expected line as an expression: … is any text, white space any white space.
func likeness(line string) *regexp.Regexp {
	var parts []string
	for part := range strings.SplitSeq(line, "…") {
		words := strings.Fields(part)
		for i := range words {
			words[i] = regexp.QuoteMeta(words[i])
		}
		parts = append(parts, strings.Join(words, `\s+`))
	}
	return regexp.MustCompile(`^\s*` + strings.Join(parts, `.*`) + `\s*$`)
}

// sessions reads the console blocks of a text.
func sessions(markdown string) ([][]typed, error) {
	var blocks [][]typed
	in := false
	for line := range strings.SplitSeq(markdown, "\n") {
		switch {
		case strings.HasPrefix(line, "```console"):
			in, blocks = true, append(blocks, nil)
		case strings.HasPrefix(line, "```"):
			in = false
		case !in || strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "$ "):
			last := &blocks[len(blocks)-1]
			*last = append(*last, typed{command: strings.TrimPrefix(line, "$ ")})
		default:
			last := blocks[len(blocks)-1]
			if len(last) == 0 {
				return nil, errors.New("a console block begins with output: " + line)
			}
			last[len(last)-1].want = append(last[len(last)-1].want, line)
		}
	}
	return blocks, nil
}

// TestReadme runs the sessions of README.md as they stand: they say themselves that they stay on this machine.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := sessions(string(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) == 0 {
		t.Fatal("README.md has no ```console block: its first screen shows a session that works")
	}
	if aloneOnNetwork(t) {
		return
	}
	runSessions(t, blocks) // README's nodes say themselves that they stay on loopback, and find each other there
}

// TestSessions: the runner itself, on a session of two terminals.
func TestSessions(t *testing.T) {
	blocks, err := sessions("text\n```console\n$ longear relay --home a\nlistening …\n```\nand\n" +
		"```console\n$ longear send --home a '#water' 'clean water at gate 4'\n…\n" +
		"$ longear watch --home a --no-follow\n… #water … clean water at gate 4 …\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 || len(blocks[1]) != 2 || !blocks[0][0].goesOn() || blocks[1][1].goesOn() {
		t.Fatalf("read as %+v", blocks)
	}
	runSessions(t, blocks, alone...)
	c := typed{want: []string{"b … d", "e"}}
	for text, want := range map[string]bool{"a\nb c d\nx\ne\n": true, "e\nb c d\n": false, "b c d\n": false, "": false} {
		if got := c.printed(text, 2); got != want {
			t.Errorf("%q printed: %v, want %v", text, got, want)
		}
	}
}

func runSessions(t *testing.T, blocks [][]typed, env ...string) {
	t.Helper()
	dir := t.TempDir()
	env = slices.Concat(os.Environ(), env, []string{"HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "XDG_CONFIG_HOME=", "XDG_STATE_HOME="})
	type going struct {
		typed
		cmd *exec.Cmd
		out *output
	}
	var open []going
	for _, block := range blocks {
		for i, c := range block {
			cmd := exec.Command("sh", "-c", c.command)
			if c.goesOn() {
				cmd = exec.Command("sh", "-c", "exec "+c.command)
			}
			out := newOutput()
			cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.goesOn() {
				if i != len(block)-1 {
					t.Fatalf("%q does not end, and more follows it in its block", c.command)
				}
				t.Cleanup(func() { _ = cmd.Process.Kill() })
				out.awaitThat(t, c.command, func(text string) bool { return c.printed(text, min(1, len(c.want))) })
				open = append(open, going{c, cmd, out})
				continue
			}
			err := cmd.Wait()
			if text, _ := out.now(); err != nil || !c.printed(text, len(c.want)) {
				t.Errorf("%s\nprinted (%v):\n%s\nwant:\n%s", c.command, err, text, strings.Join(c.want, "\n"))
			}
		}
	}
	// All of them stay until each has printed everything: what one prints may be about another.
	for _, g := range open {
		g.out.awaitThat(t, strings.Join(g.want, "\n"), func(text string) bool { return g.printed(text, len(g.want)) })
	}
	for _, g := range open {
		_ = g.cmd.Process.Signal(os.Interrupt)
		_ = g.cmd.Wait()
	}
}
