package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longear/node/api"
)

// tcp serves a place's API on loopback and returns its port and token.
func (p *place) tcp() (int, string) {
	p.t.Helper()
	token, err := api.Token(filepath.Join(p.dir, "api-token"))
	must(p.t, err)
	at, err := p.loopback.Listen("127.0.0.1:0", token)
	must(p.t, err)
	run(p.t, func(ctx context.Context) error { return p.loopback.Run(ctx, p.server) })
	return at.(*net.TCPAddr).Port, token
}

// request is one request as an attacker would have it sent.
type request struct {
	name, method, path, body string
	header                   http.Header
	host                     string
}

func (r request) send(t *testing.T, port int) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, fmt.Sprintf("http://127.0.0.1:%d%s", port, r.path), strings.NewReader(r.body))
	must(t, err)
	if r.header != nil {
		req.Header = r.header
	}
	if r.host != "" {
		req.Host = r.host
	}
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// TestHosts: with DNS rebinding a name of the attacker's resolves to 127.0.0.1; only the Host header tells.
func TestHosts(t *testing.T) {
	p := newPlace(t)
	port, token := p.tcp()
	passed := 0
	for _, tc := range []struct {
		host string
		want int
	}{
		{"127.0.0.1:PORT", 200}, // the literal
		{"localhost:PORT", 200}, // the name that no DNS answers
		{"[::1]:PORT", 200},     // the other literal
		{"127.0.0.1", 403},      // no port
		{"localhost", 403},
		{"[::1]", 403},
		{"::1", 403},
		{"127.0.0.1:80", 403}, // another port
		{"localhost:1", 403},
		{"127.0.0.1:0PORT", 403},             // the port in another spelling
		{"LOCALHOST:PORT", 403},              // no spelling but one
		{"localhost.:PORT", 403},             // the absolute name
		{"evil.example:PORT", 403},           // rebinding
		{"evil.example", 403},                // rebinding on port 80
		{"127.0.0.1.evil.example:PORT", 403}, // looks like it
		{"localhost.evil.example:PORT", 403},
		{"evil.localhost:PORT", 403}, // browsers resolve *.localhost to loopback
		{"127.0.0.2:PORT", 403},      // loopback too, but not ours
		{"127.1:PORT", 403},          // short form
		{"0.0.0.0:PORT", 403},        // reaches loopback on Linux
		{"0:PORT", 403},
		{"2130706433:PORT", 403},         // decimal
		{"0x7f000001:PORT", 403},         // hexadecimal
		{"0177.0.0.1:PORT", 403},         // octal
		{"[::ffff:127.0.0.1]:PORT", 403}, // mapped
		{"[0:0:0:0:0:0:0:1]:PORT", 403},
		{"[::]:PORT", 403},
		{"192.168.49.1:PORT", 403}, // the hotspot's address
		{"longear:PORT", 403},      // what the socket's clients say
		{"user@127.0.0.1:PORT", 403},
		{"127.0.0.1:PORT:PORT", 403},
	} {
		host := strings.ReplaceAll(tc.host, "PORT", fmt.Sprint(port))
		res := request{method: "GET", path: "/v1/status", host: host, header: http.Header{"Authorization": {"Bearer " + token}}}.send(t, port)
		// Go's server itself refuses some spellings with 400.
		if got := res.StatusCode; got != tc.want && !(tc.want == 403 && got == 400) {
			t.Errorf("Host %q: %d, want %d", host, got, tc.want)
		}
		if res.StatusCode == 200 {
			passed++
		}
	}
	if passed != 3 {
		t.Errorf("%d hosts pass, want 3", passed)
	}
}

// forgedPost is the body that hostile pages would have posted.
const forgedPost = `{"channel":"#all","text":"forged"}`

// hostileRequests are what a page can make a browser send, with and without a stolen token: a page that got hold
// of it is still a page. self is the API's own origin.
func hostileRequests(self, token string) []request {
	bearer := "Bearer " + token
	const jsonType = "application/json"
	post := func(name string, header http.Header) request {
		return request{name: name, method: "POST", path: "/v1/messages", body: forgedPost, header: header}
	}
	corpus := []request{
		post("no token", http.Header{"Content-Type": {jsonType}}),
		post("empty token", http.Header{"Content-Type": {jsonType}, "Authorization": {"Bearer "}}),
		post("wrong token", http.Header{"Content-Type": {jsonType}, "Authorization": {"Bearer x"}}),
		post("cut token", http.Header{"Content-Type": {jsonType}, "Authorization": {bearer[:len(bearer)-1]}}),
		post("token as basic password", http.Header{"Content-Type": {jsonType}, "Authorization": {"Basic " + token}}),
		post("two authorizations", http.Header{"Content-Type": {jsonType}, "Authorization": {"Bearer x", bearer}}),
		post("token as cookie", http.Header{"Content-Type": {jsonType}, "Cookie": {"token=" + token}}),
		{name: "token in the query", method: "POST", path: "/v1/messages?token=" + token, body: forgedPost, header: http.Header{"Content-Type": {jsonType}}},
		{name: "read without a token", method: "GET", path: "/v1/messages?history=-1"},
		{name: "stream without a token", method: "GET", path: "/v1/messages?live=1", header: http.Header{"Accept": {"text/event-stream"}}},
		{name: "websocket", method: "GET", path: "/v1/messages?live=1", header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Origin": {"http://evil.example"}}},
		{name: "image", method: "GET", path: "/v1/carry/out", header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Dest": {"image"}}},
		{name: "preflight", method: "OPTIONS", path: "/v1/messages", header: http.Header{"Origin": {"http://evil.example"}, "Access-Control-Request-Method": {"POST"}}},
	}
	for _, origin := range []string{
		"http://evil.example", "https://evil.example", "null", "file://", "http://127.0.0.1", "http://localhost", "https://127.0.0.1:1",
		"http://127.0.0.1:80", "http://evil.localhost:1", "http://192.168.49.1:8440", "http://[::1]", "chrome-extension://abc", self + ".evil.example", self + "/",
		strings.Replace(self, "http://", "https://", 1), "",
	} {
		corpus = append(corpus, post("origin "+origin, http.Header{"Content-Type": {jsonType}, "Authorization": {bearer}, "Origin": {origin}}))
	}
	for _, site := range []string{"cross-site", "same-site", "unknown"} {
		header := http.Header{"Content-Type": {jsonType}, "Authorization": {bearer}, "Sec-Fetch-Site": {site}}
		corpus = append(corpus, post("post from "+site, header), request{name: "get from " + site, method: "GET", path: "/v1/messages", header: header})
	}
	// Bodies that a form can send.
	for _, contentType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json, text/plain", "text/json", "application/jsonp"} {
		header := http.Header{"Authorization": {bearer}}
		if contentType != "" {
			header.Set("Content-Type", contentType)
		}
		corpus = append(corpus, post("type "+contentType, header))
	}
	// What changes something must not be a GET.
	for _, path := range []string{"/v1/connect", "/v1/carry/in", "/v1/channels/%23all?method=DELETE", "/v1/messages/x/receipt"} {
		corpus = append(corpus, request{name: "GET " + path, method: "GET", path: path, header: http.Header{"Authorization": {bearer}}})
	}
	return corpus
}

// TestCrossSite: nothing changes and nothing can be read by what a hostile page sends.
func TestCrossSite(t *testing.T) {
	p := newPlace(t)
	port, token := p.tcp()
	self := fmt.Sprintf("http://127.0.0.1:%d", port)
	corpus := hostileRequests(self, token)
	if len(corpus) < 40 {
		t.Errorf("the corpus has %d requests, want 40 or more", len(corpus))
	}
	for _, r := range corpus {
		res := r.send(t, port)
		if res.StatusCode < 400 {
			t.Errorf("%s: answered %d", r.name, res.StatusCode)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: other origins are allowed: %q", r.name, got)
		}
	}
	if n := p.store.Stats().Messages; n != 0 {
		t.Errorf("%d messages were posted by hostile pages", n)
	}
	// A check that refuses everything would pass too: the right request must work.
	res := request{method: "POST", path: "/v1/messages", body: forgedPost, header: http.Header{
		"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + token}, "Origin": {self}, "Sec-Fetch-Site": {"same-origin"},
	}}.send(t, port)
	if res.StatusCode != http.StatusCreated || p.store.Stats().Messages != 1 {
		t.Errorf("the right request: %d", res.StatusCode)
	}
	for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if got := res.Header.Get(header); got != want {
			t.Errorf("%s: %q, want %q", header, got, want)
		}
	}
	if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") {
		t.Errorf("Content-Security-Policy: %q", csp)
	}
}

// TestLoopbackOnly: the API cannot be put on the network by mistake.
func TestLoopbackOnly(t *testing.T) {
	for _, addr := range []string{
		"0.0.0.0:0", "[::]:0", ":0", "192.168.49.1:0", "localhost:0", "example.org:80", "127.0.0.1", "[::ffff:127.0.0.1]:0", "[::1%lo]:0", "",
	} {
		if l, _, err := api.ListenLoopback(addr); err == nil {
			l.Close()
			t.Errorf("listens on %q", addr)
		} else if codeOf(err) != api.Usage {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

func TestBodies(t *testing.T) {
	p := newPlace(t)
	port, token := p.tcp()
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	for _, tc := range []struct {
		name, body string
		want       int
	}{
		{"fine", `{"channel":"#all","text":"x"}`, 201},
		{"unknown key", `{"channel":"#all","text":"x","evil":1}`, 400},
		{"two objects", `{"channel":"#all","text":"x"}{}`, 400},
		{"an array", `[{"channel":"#all","text":"x"}]`, 400},
		{"null", `null`, 400},
		{"nothing", ``, 400},
		{"cut", `{"channel":"#all","te`, 400},
		{"number for text", `{"channel":"#all","text":1}`, 400},
		{"deep", strings.Repeat(`{"a":`, 20000), 400},
		{"giant", `{"channel":"#all","text":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"too long for a message", `{"channel":"#all","text":"` + strings.Repeat("x", 40<<10) + `"}`, 400},
	} {
		res := request{method: "POST", path: "/v1/messages", body: tc.body, header: header.Clone()}.send(t, port)
		if res.StatusCode != tc.want {
			b, _ := io.ReadAll(io.LimitReader(res.Body, 300))
			t.Errorf("%s: %d, want %d: %s", tc.name, res.StatusCode, tc.want, b)
		}
	}
	if n := p.store.Stats().Messages; n != 1 {
		t.Errorf("%d messages kept, want 1", n)
	}
}

func TestToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api-token")
	first, err := api.Token(path)
	must(t, err)
	again, err := api.Token(path)
	must(t, err)
	if first != again || len(first) < 26 {
		t.Errorf("tokens %q and %q", first, again)
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	must(t, os.Chmod(path, 0o644))
	if _, err := api.Token(path); err == nil {
		t.Error("a token that others can read is used")
	}
	must(t, os.WriteFile(path, []byte("short"), 0o600))
	must(t, os.Chmod(path, 0o600))
	if _, err := api.Token(path); err == nil {
		t.Error("a token that was cut short is used")
	}
}

// FuzzPost: whatever the body is, the answer is a message or an error with a code, and never more than one message is made.
func FuzzPost(f *testing.F) {
	f.Add([]byte(`{"channel":"#all","text":"x"}`))
	f.Add([]byte(`{"channel":"crew","text":"x","parents":["a"],"stamp":3,"lifetime_seconds":5,"local_only":true,"alert":true}`))
	f.Add([]byte(`{"to":"longear:ae","text":"\u0000\ud800"}`))
	f.Add([]byte(`{"text":1e999}`))
	f.Add([]byte("{\"channel\":\"#\xff\",\"text\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := newBare(t, nil)
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://longear/v1/messages", bytes.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.server.Handler().ServeHTTP(w, req)
		code, answer := w.Code, w.Body.Bytes()
		kept := h.store.Stats().Messages
		switch {
		case code == 201 && kept == 1 && bytes.Contains(answer, []byte(`"type":"message"`)):
		case code >= 400 && code < 500 && kept == 0 && bytes.Contains(answer, []byte(`"type":"error"`)):
		default:
			t.Errorf("%d with %d kept: %s", code, kept, answer)
		}
	})
}
