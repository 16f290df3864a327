package browser_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// shots is where the browser leaves pictures of the page, to look at them.
var shots = flag.String("shots", "", "leave pictures of the pages in this folder")

// room is where npm puts what package.json asks for: outside the repository's own folders, so that no check reads it as ours.
const room = "../../.work/browser"

// need skips, loudly, where there is no browser.
func need(t *testing.T) (chromium string) {
	t.Helper()
	for _, program := range []string{"chromium", "node", "npm"} {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Skipf("SKIPPED: no page was looked at: there is no %s; install chromium, nodejs and npm", program)
		}
		if chromium == "" {
			chromium = path
		}
	}
	return chromium
}

// fetch has npm fetch what package-lock.json pins, if it is not there yet. The scripts move too: node looks beside them.
func fetch(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(room, 0o755); err != nil {
		t.Fatal(err)
	}
	changed := false
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "browser.mjs", "report.mjs", "guest.mjs", "page.mjs", "walk.mjs", "liar.mjs", "operator.mjs", "phones.mjs", "hostile.mjs"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		old, _ := os.ReadFile(filepath.Join(room, name))
		if bytes.Equal(text, old) {
			continue
		}
		changed = changed || filepath.Ext(name) != ".mjs"
		if err := os.WriteFile(filepath.Join(room, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// npm writes this file last.
	if _, err := os.Stat(filepath.Join(room, "node_modules", ".package-lock.json")); err == nil && !changed {
		return
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = room
	if out, err := npm.CombinedOutput(); err != nil {
		os.Remove(filepath.Join(room, "package-lock.json")) // so that the next run tries again
		t.Skipf("SKIPPED: no page was looked at: npm could not fetch playwright-core: %v\n%s", err, out[:min(len(out), 2<<10)])
	}
}

// finding is one check of the script.
type finding struct {
	Check string `json:"check"`
	Wrong string `json:"wrong"` // "" if it held
	Note  string `json:"note"`  // what was measured, if anything was
}

// checks are those of report.mjs. They stand here too, so that one that did not run is missed.
var checks = []string{
	"a request would be seen", "the page is quiet", "plots are drawn", "tooltips", "nothing plays by itself", "play and pause", "speeds",
	"the film ends", "scrubber", "messages", "transfers glow", "keys", "shapes", "accessible", "narrow", "dark", "reduced motion", "hostile texts",
	"no places", "a damaged replay", "no messages", "no replay", "nothing at all, cut short", "another width", "groups", "a real run", "a real run in groups", "a real run cut short",
}

// real are the stories whose pages are of real nodes: small, and with all that a page can show.
var real = map[string]string{
	"real": `nodes 24
hubs 2
walk crowd 120m x 120m 1.4m/s range 30m pause 1m
mute n3
doze n4 50% of 1m
publish 20 over 3m
advance 2m
crash n5
advance 3m
expect 90% of oracle`,
	"real-groups": `nodes 24
hubs 1
walk crowd 100m x 100m 1.4m/s range 40m pause 2m
wifi-direct places 5 hubs 9
publish 10 over 2m
advance 6m
expect 50% of oracle`,
	"real-cut": `nodes 6
publish n0 "water at gate 4"
expect all within 10s
advance 10000h
expect all within 1s`,
}

func TestReport(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	fetch(t)
	pages := t.TempDir()
	sample := exec.Command("go", "test", "longear/test/crowd/report", "-count=1", "-run", "^TestPages$", "-args", "-pages", pages)
	if out, err := sample.CombinedOutput(); err != nil {
		t.Fatalf("write the pages: %v\n%s", err, out)
	}
	playReal(t, pages)
	args := []string{"report.mjs", chromium, pages}
	if *shots != "" {
		args = append(args, *shots)
	}
	watch(t, args, checks)
}

// playReal plays the stories as people do, and leaves their pages.
func playReal(t *testing.T, pages string) {
	t.Helper()
	crowdsim := filepath.Join(t.TempDir(), "crowdsim")
	if out, err := exec.Command("go", "build", "-o", crowdsim, "longear/cmd/crowdsim").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for name, story := range real {
		path := filepath.Join(t.TempDir(), name+".txt")
		if err := os.WriteFile(path, []byte(story), 0o600); err != nil {
			t.Fatal(err)
		}
		play := exec.CommandContext(t.Context(), crowdsim, path, "--html", filepath.Join(pages, name+".html"))
		var out bytes.Buffer
		play.Stdout = &out
		said, err := play.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := play.Start(); err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(said); lines.Scan(); { // of progress
			if strings.HasSuffix(lines.Text(), "advance 10000h") { // so long only to be cut short
				if err := play.Process.Signal(os.Interrupt); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := map[string]int{"real-cut": 130}[name]
		if err := play.Wait(); play.ProcessState.ExitCode() != want {
			t.Fatalf("play %s: %v, want exit %d\n%s", name, err, want, &out)
		}
		t.Logf("%s\n%s", name, &out)
	}
}

// died is the exit code of a script whose browser ended by itself; browser.mjs has it too.
const died = 70

// watch runs a script, whose checks must be these. What it looks at must be fit to be looked at twice.
func watch(t *testing.T, args, checks []string) {
	t.Helper()
	watchIn(t, checks, func() []string { return append([]string{"node"}, args...) })
}

// watchIn makes what a script looks at, runs the script, and reports its checks, which must be these. A browser that ends by itself is no finding
// about a page, whatever it ended of: everything is made anew, once.
func watchIn(t *testing.T, checks []string, world func() (command []string)) {
	t.Helper()
	run := func() (out []byte, said string, err error) {
		command := world()
		script := exec.CommandContext(t.Context(), command[0], command[1:]...)
		script.Dir = room
		var b bytes.Buffer
		script.Stderr = &b
		out, err = script.Output()
		return out, b.String(), err
	}
	out, said, err := run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == died {
		t.Logf("ONCE MORE: %s\nuntil then:\n%s", said, out)
		out, said, err = run()
	}
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	var ran []string
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var f finding
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		ran = append(ran, f.Check)
		t.Run(f.Check, func(t *testing.T) {
			if f.Wrong != "" {
				t.Error(f.Wrong)
			}
			if f.Note != "" {
				t.Log(f.Note)
			}
		})
	}
	if !slices.Equal(ran, checks) {
		t.Errorf("checks %q\nwant   %q", ran, checks)
	}
}
