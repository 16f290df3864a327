package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program builds crowdsim once for a test.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crowdsim")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// written is a story in a file.
func written(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "told.txt")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, program string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	cmd := exec.Command(program, args...)
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
	crowdsim := program(t)

	t.Run("json and page", func(t *testing.T) {
		page := filepath.Join(t.TempDir(), "out.html")
		code, out, errs := run(t, crowdsim, "../../test/crowd/testdata/trace.txt", "--seed", "2", "--html", page, "--json", "--quiet")
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

	for _, c := range []struct {
		name  string
		args  []string
		code  int
		wants string
	}{
		{"what fails", []string{written(t, "nodes 3", "full", "split n0 n1-n2", `publish n0 "water"`, "expect all within 5s")}, 1, "line 5"},
		{"a wrong line", []string{written(t, "nodes 3", "wlak crowd")}, 2, `told:2: "wlak crowd"`},
		{"no such file", []string{"nowhere.txt"}, 2, "nowhere.txt"},
		{"a trace that is not here", []string{written(t, "nodes 3", "trace one gone.txt", "advance 1m")}, 2, "gone.txt"},
		{"a wrong flag", []string{"--sede", "1", "x.txt"}, 2, "sede"},
		{"no story", nil, 2, "Usage"},
		{"the language", []string{"--language"}, 0, "expect all within TIME"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := run(t, crowdsim, append(c.args, "--quiet")...)
			if code != c.code || !strings.Contains(out+errs, c.wants) {
				t.Errorf("exit %d, want %d and %q in:\n%s%s", code, c.code, c.wants, out, errs)
			}
		})
	}
}

// TestInterrupted: Ctrl-C ends the story and not the report.
func TestInterrupted(t *testing.T) {
	cmd := exec.Command(program(t), written(t, "nodes 30", "ring 4", `publish n0 "water"`, "advance 1000h"))
	var out bytes.Buffer
	cmd.Stdout = &out
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(errs)
	if !lines.Scan() { // the first line of progress: from here on it listens
		t.Fatal("no progress")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 130 {
		t.Errorf("ended with %v, want exit 130", err)
	}
	if !strings.Contains(out.String(), "told") || !strings.Contains(out.String(), "delivered") {
		t.Errorf("no report:\n%s", &out)
	}
}
