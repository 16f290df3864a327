package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// askHub is one GET as a phone would send it.
func askHub(t *testing.T, url, host string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header
}

var pageURL = regexp.MustCompile(`page (http://127\.0\.0\.1:[0-9]+)/`)

// TestHub: what the operator writes is on the guests' board, and nothing of the operator's is within their reach.
func TestHub(t *testing.T) {
	home := filepath.Join(t.TempDir(), "h")
	hub, said := start(t, "hub", "--home", home, "--guest-listen", "127.0.0.1:0", "--portal-listen", "127.0.0.1:0", "--name", "north gate",
		"--guest-channel", "water", "--wifi-name", "longear", "--wifi-password", "open the steppe", "--api", "127.0.0.1:0")
	said.await(t, "listening ")
	said.await(t, "page http://")
	text, _ := said.now()
	if strings.Count(text, "█▀▀") == 0 && strings.Count(text, "██") < 20 {
		t.Errorf("no codes in %s", text)
	}
	url := pageURL.FindStringSubmatch(text)[1]
	send := exec.Command("longear", "send", "--home", home, "#water", "clean water at gate 4")
	if out, err := send.CombinedOutput(); err != nil {
		t.Fatalf("send: %v: %s", err, out)
	}
	status, board, _ := askHub(t, url+"/", "")
	if status != 200 || !strings.Contains(board, "clean water at gate 4") || !strings.Contains(board, "#water") {
		t.Errorf("the board: %d %s", status, board)
	}
	status, state, _ := askHub(t, url+"/guest/state", "")
	var got struct {
		Hub      string
		Messages int
	}
	if err := json.Unmarshal([]byte(state), &got); err != nil || status != 200 || got.Hub != "north gate" || got.Messages != 1 {
		t.Errorf("state: %d %s %v", status, state, err)
	}
	token, err := os.ReadFile(filepath.Join(home, "state", "api-token"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/status", "/v1/peers", "/v1/messages", "/v1/channels", "/v1/carry/out", "/guest/../v1/status"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != 404 {
			t.Errorf("guests get %d for %s, with the operator's own token", res.StatusCode, path)
		}
	}
	if status, _, header := askHub(t, url+"/hotspot-detect.html", "captive.apple.com"); status != 302 || header.Get("Location") != url+"/signin" {
		t.Errorf("a probe: %d %v", status, header)
	}
	if out, err := exec.Command("longear", "status", "--home", home, "--json").Output(); err != nil || !strings.Contains(string(out), `"running":true`) {
		t.Errorf("the operator's own status: %v %s", err, out)
	}
	if err := hub.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := exitCode(hub.Wait()); got != 0 {
		t.Errorf("the hub exited with %d", got)
	}
	if text, _ := said.now(); strings.Contains(text, "127.0.0.1:") && strings.Contains(text, "level=") {
		t.Errorf("the hub logged: %s", text)
	}
}

// TestHubJSON: programs get to know where a hub is; a port that is taken is said so.
func TestHubJSON(t *testing.T) {
	dir := t.TempDir()
	_, said := start(t, "hub", "--home", filepath.Join(dir, "a"), "--guest-listen", "127.0.0.1:0", "--json", "--wifi-name", `a;b\c`, "--wifi-password", `12:34,56"78`)
	said.await(t, `"type":"hub"`)
	text, _ := said.now()
	var got struct{ Type, Name, URL, Wifi string }
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"type":"hub"`) {
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want := `WIFI:T:WPA;S:a\;b\\c;P:12\:34\,56\"78;;`; got.Wifi != want || got.Name != "here" {
		t.Errorf("%+v, want %s", got, want)
	}
	at := strings.TrimSuffix(strings.TrimPrefix(got.URL, "http://"), "/")
	second := exec.Command("longear", "hub", "--home", filepath.Join(dir, "b"), "--guest-listen", at)
	second.Env = slices.Concat(os.Environ(), alone)
	out, err := second.CombinedOutput()
	if exitCode(err) != 1 || !strings.Contains(string(out), "choose another with --guest-listen") {
		t.Errorf("a port that is taken: %v %s", err, out)
	}
}
