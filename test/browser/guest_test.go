package browser_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/test/rig"
)

// guestChecks are those of guest.mjs.
var guestChecks = []string{
	"every page", "accessible", "hostile texts", "writing without script", "pages of others", "the sign-in window",
}

// startHub builds the program and runs a hub on loopback. It returns its address, without a slash, and a way to send to it.
func startHub(t *testing.T) (url string, send func(args ...string)) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "longear")
	if out, err := exec.Command("go", "build", "-o", program, "longear/cmd/longear").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	home := filepath.Join(dir, "h")
	hub := exec.Command(program, "hub", "--home", home, "--loopback-only", "--no-mdns", "--no-beacon", "--no-gateway", "--listen", "/ip4/127.0.0.1/tcp/0",
		"--guest-listen", "127.0.0.1:0", "--guest-forms", "--name", "north gate", "--guest-channel", "all", "--guest-channel", "water", "--json")
	said := &rig.Output{}
	hub.Stdout, hub.Stderr = said, said
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = hub.Process.Signal(os.Interrupt)
		_ = hub.Wait()
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		<-tick.C
		if !strings.Contains(said.String(), `"type":"listening"`) {
			continue
		}
		for line := range strings.Lines(said.String()) {
			var at struct{ Type, URL string }
			if json.Unmarshal([]byte(line), &at) == nil && at.Type == "hub" {
				return strings.TrimSuffix(at.URL, "/"), func(args ...string) {
					t.Helper()
					if out, err := exec.Command(program, append([]string{"send", "--home", home}, args...)...).CombinedOutput(); err != nil {
						t.Fatalf("send: %v %s", err, out)
					}
				}
			}
		}
	}
	t.Fatalf("the hub does not start: %s", said)
	return "", nil
}

// TestGuestPages: the board and the sign-in page in a real browser, 320 pixels wide, in every language, light and dark.
func TestGuestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	fetch(t)
	url, send := startHub(t)
	send("#water", "<script>alert(1)</script> clean water at gate 4")
	send("#all", strings.Repeat("oneverylongwordwithoutanyspace", 12))
	send("#all", "خیابان شمالی بسته است\nline two")
	send("#unknown", "Су бар ма?")
	send("--alert", "#all", "The north gate is closed")

	args := []string{"guest.mjs", chromium, url}
	if *shots != "" {
		args = append(args, *shots)
	}
	watch(t, args, guestChecks)

	// The sign-in window's button was pressed at this address: its probes are answered as online.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/hotspot-detect.html", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "captive.apple.com"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || !strings.Contains(string(b), "Success") {
		t.Errorf("a probe after the button: %d %q %v", res.StatusCode, b, err)
	}
}
