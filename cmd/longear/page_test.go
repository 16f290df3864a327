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

	"longear/node/api/guest/page"
)

var (
	inBraces = regexp.MustCompile(`\{\w+\}`)
	// said are the words that the page's sources name, and the beginnings of those that they put together.
	said = regexp.MustCompile("(?:say|sayOr)\\(\\s*(?:[\\w.]+ \\? )?[\"`](\\w+)")
	// quoted are all words in quotes: some are chosen before they are said.
	quoted = regexp.MustCompile("[\"`](\\w+)")
)

// TestOperatorWords: every language has all the words of the operator's page and fills in the same places, none is left in English, and
// none is there that the page does not say.
func TestOperatorWords(t *testing.T) {
	c, err := page.ReadCatalog(os.DirFS("web/lang/operator"), "en")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Codes(), " "); got != "ar en fa kk ru zh" {
		t.Errorf("languages: %s", got)
	}
	b, err := os.ReadFile("web/lang/operator/en.json")
	if err != nil {
		t.Fatal(err)
	}
	var english map[string]string
	if err := json.Unmarshal(b, &english); err != nil {
		t.Fatal(err)
	}
	for _, code := range c.Codes() {
		words := c.Choose(code, "")
		for key, want := range english {
			got := words.Say(key)
			places, wantPlaces := inBraces.FindAllString(got, -1), inBraces.FindAllString(want, -1)
			slices.Sort(places)
			slices.Sort(wantPlaces)
			if got == "" || !slices.Equal(places, wantPlaces) {
				t.Errorf("%s.%s is %q, in English %q", code, key, got, want)
			}
			if code != "en" && len(inBraces.ReplaceAllString(want, "")) > 12 && got == want {
				t.Errorf("%s.%s is still English", code, key)
			}
		}
	}
	files, err := filepath.Glob("web/src/operator/*.ts*")
	if err != nil || len(files) < 10 {
		t.Fatalf("the page's sources: %v %v", files, err)
	}
	used := map[string]bool{"name": true, "dir": true}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			if english[m[1]] == "" && !strings.HasSuffix(m[1], "_") {
				t.Errorf("%s says %q, which no language has", name, m[1])
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
	}
	for key := range english {
		first, _, _ := strings.Cut(key, "_")
		if !used[key] && !used[first+"_"] {
			t.Errorf("nothing says %q", key)
		}
	}
}

// TestGuestsGetNoPage: what the operator's listener serves is not on the guests', even for who has the token.
func TestGuestsGetNoPage(t *testing.T) {
	home := filepath.Join(t.TempDir(), "h")
	hub, out := start(t, "hub", "--home", home, "--guest-listen", "127.0.0.1:0")
	out.await(t, "listening ")
	out.await(t, "page http://")
	text, _ := out.now()
	guests := pageURL.FindStringSubmatch(text)[1]
	at, err := exec.Command("longear", "page", "--home", home).Output()
	if err != nil {
		t.Fatal(err)
	}
	operators, token, _ := strings.Cut(strings.TrimSpace(string(at)), "/#")
	ask := func(method, url string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	for _, path := range []string{"/v1/live", "/v1/status", "/v1/events", "/v1/store", "/v1/doctor", "/v1/carry/out"} {
		if status, _ := ask("GET", operators+path); status != 200 {
			t.Errorf("the operator's %s: %d", path, status)
		}
		if status, body := ask("GET", guests+path); status == 200 || strings.Contains(body, `"type":"live"`) {
			t.Errorf("the guests' %s: %d %s", path, status, body)
		}
	}
	for _, path := range []string{"/v1/stop", "/v1/page", "/v1/messages", "/v1/connect"} {
		if status, body := ask("POST", guests+path); status < 400 || strings.Contains(body, token) {
			t.Errorf("posted to the guests' %s: %d %s", path, status, body)
		}
	}
	_, board := ask("GET", guests+"/")
	_, page := ask("GET", operators+"/")
	if !strings.Contains(page, "/page/") || board == page {
		t.Errorf("the operator's page: %.200s", page)
	}
	for _, m := range regexp.MustCompile(`/page/[\w.-]+`).FindAllString(page, -1) {
		if status, _ := ask("GET", guests+m); status == 200 {
			t.Errorf("the guests' %s: %d", m, status)
		}
		if status, _ := ask("GET", operators+m); status != 200 {
			t.Errorf("the operator's %s: %d", m, status)
		}
	}
	// Stopped from the page, the program ends well.
	if status, _ := ask("POST", operators+"/v1/stop"); status != 200 {
		t.Errorf("stop: %d", status)
	}
	if got := exitCode(hub.Wait()); got != 0 {
		t.Errorf("stopped from the page it exited with %d", got)
	}
}
