//go:build linux

package guests_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// room is where npm puts what test/browser's package.json asks for: outside the repository's own folders.
const room = "../../.work/browser"

// TestBrowser: the sign-in page and the board in a real browser on a phone, without script and with it, and a post.
func TestBrowser(t *testing.T) {
	need(t)
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: no page was looked at: there is no chromium; install chromium, nodejs and npm")
	}
	fetch(t)
	p := newPlace(t)
	p.start()
	f := p.phone()
	f.join()
	names := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(names, []byte("nameserver "+hubAddr+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "ip", "netns", "exec", f.ns, "unshare", "-m", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && exec "$@"`, names, "node", "phone.mjs", chromium, "http://"+hubAddr+":8440")
	cmd.Dir = room
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "ok" {
		t.Fatalf("%v: %s\n%.3000s", err, out, &said)
	}
	g := p.phone()
	g.join()
	if board := g.page("/"); !strings.Contains(board.body, "written in a browser") {
		t.Error("another phone does not see what was written")
	}
}

// fetch has npm fetch what test/browser pins, if it is not there yet.
func fetch(t *testing.T) {
	t.Helper()
	if err := os.MkdirAll(room, 0o755); err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{
		"package.json": "../browser/package.json", "package-lock.json": "../browser/package-lock.json", ".npmrc": "../browser/.npmrc",
		"browser.mjs": "../browser/browser.mjs", "phone.mjs": "phone.mjs",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(room, to), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(room, "node_modules", ".package-lock.json")); err == nil {
		return
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = room
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no page was looked at: npm could not fetch playwright-core: %v\n%.2000s", err, out)
	}
}
