package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"longear/test/crowd/report"
)

// crowdsim is the program, built once for all tests.
var crowdsim string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "crowdsim")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		crowdsim = filepath.Join(dir, "crowdsim")
		if out, err := exec.Command("go", "build", "-o", crowdsim, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// written is a story in a file of its own.
func written(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "told.txt")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	cmd := exec.Command(crowdsim, args...)
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	return code, o.String(), e.String()
}

func TestCrowdsim(t *testing.T) {
	t.Run("json and page", func(t *testing.T) {
		page := filepath.Join(t.TempDir(), "out.html")
		code, out, errs := run(t, "../../test/crowd/testdata/trace.txt", "--seed", "2", "--html", page, "--json", "--quiet")
		if code != 0 || errs != "" {
			t.Fatalf("exit %d, %s", code, errs)
		}
		var r struct {
			Story      string
			Seed       uint64
			Deliveries int
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if r.Story != "trace" || r.Seed != 2 || r.Deliveries == 0 {
			t.Errorf("got %+v", r)
		}
		b, err := os.ReadFile(page)
		if err != nil || !bytes.Contains(b, []byte("<title>")) {
			t.Errorf("the page: %v, %d bytes", err, len(b))
		}
	})

	short := written(t, "nodes 3", `publish n0 "water"`, "expect all within 5s")
	absent := written(t, "nodes 3", "trace one gone.txt", "advance 1m")
	misspelt, hub := written(t, "nodes 3", "wlak crowd"), written(t, "nodes 3", "hubs 1", `publish n3 "water"`)
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		wants string
	}{
		{"what holds", []string{short}, 0, "ok: all that was expected held: 1 expectation\n"},
		{"what fails", []string{written(t, "nodes 3", "full", "split n0 n1-n2", `publish n0 "water"`, "expect all within 5s")}, 1, "line 5"},
		{"a wrong line", []string{misspelt}, 2, misspelt + `:2: "wlak crowd"`},
		{"a line that is wrong for so many", []string{hub, "--nodes", "9"}, 2, hub + `:3: `},
		{"no such file", []string{"nowhere.txt"}, 2, "nowhere.txt"},
		{"a trace that is not here", []string{absent}, 2, absent + ":2: "},
		{"a wrong flag", []string{"--sede", "1", "x.txt"}, 2, "unknown flag: --sede; crowdsim --help tells the flags"},
		{"fewer than no phones", []string{short, "--nodes", "-5"}, 2, "--nodes -5: say 1 or more, or leave it out"},
		{"no phones", []string{short, "--nodes", "0"}, 2, "--nodes 0: say 1 or more, or leave it out"},
		{"so many phones", []string{short, "--nodes", "4"}, 0, "4 phones"},
		{"no number of phones", []string{short, "--nodes", "many"}, 2, "--nodes"},
		{"a seed below nothing", []string{short, "--seed", "-1"}, 2, "--seed"},
		{"no story", nil, 2, "name a story, as in crowdsim STORY.txt"},
		{"two stories", []string{short, misspelt}, 2, "one story at a time"},
		{"a page without a name", []string{short, "--html="}, 2, "--html: name the file"},
		{"a page that cannot be", []string{short, "--html", t.TempDir()}, 3, "choose another --html"},
		{"a page that there is no room for", []string{short, "--html", "/dev/full"}, 3, "write the page"},
		{"and the report all the same", []string{short, "--html", "/dev/full"}, 3, "ok: all that was expected held"},
		{"help", []string{"--help"}, 0, "Usage: crowdsim STORY.txt"},
		{"the language", []string{"--language"}, 0, "expect all within TIME"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if slices.Contains(c.args, "/dev/full") && runtime.GOOS != "linux" {
				t.Skip("a disk that is always full is Linux's")
			}
			code, out, errs := run(t, append(c.args, "--quiet")...)
			if code != c.code || !strings.Contains(out+errs, c.wants) {
				t.Errorf("exit %d, want %d and %q in:\n%s%s", code, c.code, c.wants, out, errs)
			}
		})
	}
}

// TestInterrupted: Ctrl-C ends the story and not the report, which says what was looked at until then and what was not.
func TestInterrupted(t *testing.T) {
	story := written(t, "nodes 8", `publish n0 "water"`, "expect all within 10s", "advance 10000h", "expect all within 1s")
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"text", nil, "\nCUT SHORT IN LINE 4: the figures are of what happened until then\n\nwhat was looked at so far held: 1 of the story's 2 expectations looked at\n"},
		{"json", []string{"--json"}, `"cut_at": 4`},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := filepath.Join(t.TempDir(), "out.html")
			out := interrupted(t, append(c.args, story, "--html", page)...)
			if !strings.Contains(out, c.want) {
				t.Errorf("no %q in:\n%s", c.want, out[:min(len(out), 4000)])
			}
			var r report.Report
			if err := json.Unmarshal([]byte(out), &r); c.args != nil && (err != nil || !r.Cut || r.Deliveries != 7 || r.Expected != 2 || r.Looked != 1) {
				t.Errorf("%v, %d deliveries, %d expectations, %d looked at", err, r.Deliveries, r.Expected, r.Looked)
			}
			b, err := os.ReadFile(page)
			if err != nil || !bytes.Contains(b, []byte(">Cut short in line 4<")) || !bytes.HasSuffix(bytes.TrimSpace(b), []byte("</html>")) {
				t.Errorf("the page: %v, %d bytes", err, len(b))
			}
		})
	}
}

// interrupted runs the program until it is in the middle of its story, then presses Ctrl-C and returns what it printed.
func interrupted(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(crowdsim, args...)
	var out bytes.Buffer
	cmd.Stdout = &out
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, pressed := bufio.NewScanner(errs), false
	for lines.Scan() { // of progress
		if pressed || !strings.HasSuffix(lines.Text(), "advance 10000h") {
			continue
		}
		pressed = true
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
		t.Errorf("ended with %v, want exit 130", err)
	}
	return out.String()
}

// TestMakeSim: what `make sim` would run is a command line that makes sense, with and without a number of phones.
func TestMakeSim(t *testing.T) {
	for _, c := range []struct{ told, want string }{{"NODES=2 SCENARIO=square", "2 phones"}, {"SCENARIO=trace", "8 phones"}} {
		out, err := exec.Command("make", append([]string{"-s", "-n", "-C", "../..", "sim", "SEED=3"}, strings.Fields(c.told)...)...).Output()
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("SKIPPED: there is no make")
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		args := strings.Fields(lines[len(lines)-1])
		at := slices.Index(args, "--html")
		if args[0] != "bin/crowdsim" || at < 0 || !strings.HasPrefix(args[at+1], "bin/") {
			t.Fatalf("it runs %q", args)
		}
		args[1], args[at+1] = filepath.Join("../..", args[1]), filepath.Join(t.TempDir(), "out.html")
		_, text, errs := run(t, append(args[1:], "--quiet")...)
		if !strings.Contains(text, c.want) || !strings.Contains(text, "seed                 3") {
			t.Errorf("%q: no %q in:\n%s%s", args, c.want, text, errs)
		}
	}
}
