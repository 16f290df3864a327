package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"longear/node/api"
)

// opened has a place serve the operator's page and returns its port and token.
func (p *place) opened() (port int, token string) {
	p.t.Helper()
	run(p.t, func(ctx context.Context) error { return p.loopback.Run(ctx, p.server) })
	at, err := p.client.Page(p.t.Context())
	must(p.t, err)
	u, err := url.Parse(at.URL)
	must(p.t, err)
	port, err = strconv.Atoi(u.Port())
	must(p.t, err)
	if u.Hostname() != "127.0.0.1" || u.Path != "/" || u.RawQuery != "" || len(u.Fragment) < 26 {
		p.t.Errorf("the page is at %s", at.URL)
	}
	return port, u.Fragment
}

func body(t *testing.T, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	must(t, err)
	return string(b)
}

// The page opens without a token, holds nothing of the node, and may load nothing but its own files.
func TestPage(t *testing.T) {
	p := newPlace(t)
	p.post(api.Post{Channel: "#all", Text: "a secret of this node"})
	port, token := p.opened()
	again, err := p.client.Page(t.Context())
	must(t, err)
	if want := fmt.Sprintf("http://127.0.0.1:%d/#%s", port, token); again.URL != want {
		t.Errorf("asked again it is at %s, want %s", again.URL, want)
	}
	for path, kind := range map[string]string{"/": "text/html", "/page/plain.js": "text/javascript", "/page/plain.css": "text/css"} {
		res := request{method: "GET", path: path, header: http.Header{"Sec-Fetch-Site": {"none"}}}.send(t, port)
		text := body(t, res)
		if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) || strings.Contains(text, token) || strings.Contains(text, "secret") {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Content-Type"))
		}
		policy := res.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "form-action 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, part) {
				t.Errorf("%s: the policy %q has no %q", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, res.Header)
		}
	}
	bearer := http.Header{"Authorization": {"Bearer " + token}}
	if res := (request{method: "GET", path: "/v1/live", header: bearer}).send(t, port); res.StatusCode != 200 {
		t.Errorf("with the token of the address: %d", res.StatusCode)
	}
	for _, path := range []string{"/page/", "/page/nothing.js", "/page/../v1/status", "/page/%2e%2e/%2e%2e/etc/passwd", "/page/index.html.gz", "/index.html"} {
		if res := (request{method: "GET", path: path}).send(t, port); res.StatusCode == 200 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

// What other names, other pages and other methods get of the page: nothing.
func TestPageIsGuarded(t *testing.T) {
	p := newPlace(t)
	port, token := p.opened()
	self := fmt.Sprintf("127.0.0.1:%d", port)
	bearer := "Bearer " + token
	for _, path := range []string{"/", "/page/plain.js", "/v1/live", "/v1/events", "/v1/store", "/v1/doctor"} {
		for _, r := range []request{
			{name: "rebinding", method: "GET", path: path, host: fmt.Sprintf("evil.example:%d", port)},
			{name: "rebinding with a stolen token", method: "GET", path: path, host: "evil.example", header: http.Header{"Authorization": {bearer}}},
			{name: "another origin", method: "GET", path: path, header: http.Header{"Origin": {"http://evil.example"}, "Authorization": {bearer}}},
			{name: "a page in a file", method: "GET", path: path, header: http.Header{"Origin": {"null"}, "Authorization": {bearer}}},
			{name: "a frame or a script of another site", method: "GET", path: path, header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Authorization": {bearer}}},
			{name: "another port here", method: "GET", path: path, header: http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://127.0.0.1:1"}, "Authorization": {bearer}}},
			{name: "a post", method: "POST", path: path, host: self, body: "{}", header: http.Header{"Content-Type": {"application/json"}}},
		} {
			res := r.send(t, port)
			text := body(t, res)
			if res.StatusCode < 400 || strings.Contains(text, "<html") || strings.Contains(text, `"type":"live"`) || res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s of %s: %d %.60s", r.name, path, res.StatusCode, text)
			}
		}
	}
	for _, path := range []string{"/v1/live", "/v1/live?token=" + token, "/v1/events", "/v1/store", "/v1/doctor"} {
		if res := (request{method: "GET", path: path}).send(t, port); res.StatusCode != 401 {
			t.Errorf("%s without a token: %d", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/v1/stop", "/v1/page"} {
		for name, header := range map[string]http.Header{
			"no token":    {"Content-Type": {"application/json"}},
			"wrong token": {"Content-Type": {"application/json"}, "Authorization": {bearer + "x"}},
			"a form":      {"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {bearer}},
			"no type":     {"Authorization": {bearer}},
			"cross-site":  {"Content-Type": {"application/json"}, "Authorization": {bearer}, "Sec-Fetch-Site": {"cross-site"}},
		} {
			if res := (request{method: "POST", path: path, body: "{}", header: header}).send(t, port); res.StatusCode < 400 {
				t.Errorf("%s of %s: %d", name, path, res.StatusCode)
			}
		}
		if res := (request{method: "GET", path: path, header: http.Header{"Authorization": {bearer}}}).send(t, port); res.StatusCode != 404 && res.StatusCode != 405 {
			t.Errorf("GET %s: %d", path, res.StatusCode)
		}
	}
	select {
	case <-p.stopped:
		t.Error("one of them stopped the node")
	default:
	}
}

// The built page is served as it was before it was compressed.
func TestBuiltPage(t *testing.T) {
	pack := func(text string) *fstest.MapFile {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write([]byte(text))
		must(t, err)
		must(t, z.Close())
		return &fstest.MapFile{Data: b.Bytes()}
	}
	p := newPlace(t)
	p.loopback = api.NewLoopback(fstest.MapFS{
		"index.html.gz": pack("<!doctype html>built"), "main-ABC.js.gz": pack("1"), "secret.txt.gz": pack("no"), "bad.js.gz": &fstest.MapFile{Data: []byte("x")},
	})
	port, token := p.tcp()
	for path, want := range map[string]string{"/": "<!doctype html>built", "/page/main-ABC.js": "1"} {
		res := request{method: "GET", path: path}.send(t, port)
		if got := body(t, res); res.StatusCode != 200 || got != want {
			t.Errorf("%s: %d %q", path, res.StatusCode, got)
		}
	}
	for _, path := range []string{"/page/secret.txt", "/page/bad.js", "/page/plain.js", "/page/README.txt"} {
		if res := (request{method: "GET", path: path}).send(t, port); res.StatusCode != 404 {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	// Where the listener is there from the start, both tokens are good: the file's, and the page's.
	at, err := p.loopback.Page(t.Context())
	must(t, err)
	_, fresh, _ := strings.Cut(at.URL, "#")
	for _, good := range []string{token, fresh} {
		if res := (request{method: "GET", path: "/v1/status", header: http.Header{"Authorization": {"Bearer " + good}}}).send(t, port); res.StatusCode != 200 || good == "" {
			t.Errorf("token %q: %d", good, res.StatusCode)
		}
	}
	if fresh == token || !strings.Contains(at.URL, fmt.Sprintf(":%d/", port)) {
		t.Errorf("the page is at %s", at.URL)
	}
}
