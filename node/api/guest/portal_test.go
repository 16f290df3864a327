package guest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A probe is a request by which a system looks for the internet, and what it takes for a yes.
type probe struct {
	System, Version, Host, Path, Agent string
	Header                             map[string]string
	Status                             int
	Kind, Body                         string
	NM                                 bool
}

// recorded are the probes in testdata/probes.json, which test/guests sends too.
func recorded(t *testing.T) (all []probe) {
	t.Helper()
	b, err := os.ReadFile("testdata/probes.json")
	must(t, err)
	must(t, json.Unmarshal(b, &all))
	if len(all) < 20 {
		t.Fatalf("only %d probes", len(all))
	}
	return all
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// token is the token of the form on a page.
func token(t *testing.T, page string) string {
	t.Helper()
	m := tokenField.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no form with a token in %.500s", page)
	}
	return m[1]
}

// submit sends a form as a page without script does: a page with no-referrer has the Origin null.
func (p *phone) submit(h *hub, path string, fields url.Values) reply {
	p.t.Helper()
	return p.do(h, call{method: "POST", path: path, body: []byte(fields.Encode()), header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"null"},
	}})
}

// TestPortal takes each system through its states: new, told where to sign in, let in, asked again, forgotten.
func TestPortal(t *testing.T) {
	for i, tc := range recorded(t) {
		t.Run(tc.System, func(t *testing.T) {
			h, p := newHub(t, nil), newPhone(t, 2+i)
			ask := func(p *phone, method string) reply {
				t.Helper()
				header := http.Header{}
				for name, value := range tc.Header {
					header.Set(name, value)
				}
				if tc.Agent != "" {
					header.Set("User-Agent", tc.Agent)
				}
				return p.do(h, call{method: method, path: tc.Path, host: tc.Host, header: header})
			}
			redirected := func(when string, res reply) {
				t.Helper()
				if res.status != 302 || res.header.Get("Location") != "http://"+h.addr+"/signin" || len(res.body) > 0 {
					t.Errorf("%s: %d to %q, want 302 to the sign-in page", when, res.status, res.header.Get("Location"))
				}
			}
			redirected("first", ask(p, "GET"))
			redirected("again, before the button", ask(p, "GET"))

			// The sign-in window: a page that is all there is, and its button.
			signIn := p.do(h, call{path: "/signin", header: http.Header{"Accept-Language": {"ru-RU,ru;q=0.9"}}})
			contains(t, signIn.text(), `<form method="post" action="/signin">`, "Продолжить", "http://"+h.addr+"/", `lang="ru"`)
			if containsAny(signIn.text(), "<script", "src=", "@import", "url(") {
				t.Error("the sign-in page loads something")
			}
			redirected("while the window is open", ask(p, "GET"))
			in := p.submit(h, "/signin", url.Values{"token": {token(t, signIn.text())}, "lang": {"ru"}})
			if in.status != 200 || strings.Contains(in.text(), "<form") {
				t.Errorf("after the button: %d %.300s", in.status, in.text())
			}
			contains(t, in.text(), "Готово.", "http://"+h.addr+"/")

			online := func(when string, res reply, body string) {
				t.Helper()
				if res.status != tc.Status || res.text() != body || res.header.Get("Content-Type") != tc.Kind ||
					(res.header.Get("X-NetworkManager-Status") == "online") != tc.NM || res.header.Get("Location") != "" {
					t.Errorf("%s: %d %q %q %v", when, res.status, res.header.Get("Content-Type"), res.text(), res.header)
				}
			}
			online("let in", ask(p, "GET"), tc.Body)
			online("with HEAD", ask(p, "HEAD"), "")
			h.advance(3 * time.Hour)
			online("three hours later", ask(p, "GET"), tc.Body)
			redirected("somebody else", ask(newPhone(t, 200), "GET"))
			h.advance(4*time.Hour + time.Minute)
			redirected("another visitor makes the hub forget the first", ask(newPhone(t, 201), "GET"))
			redirected("hours later", ask(p, "GET"))
		})
	}
}

// TestPortalBounds: a probe is a probe only by its own name and path, and the button works only from its own page.
func TestPortalBounds(t *testing.T) {
	h, p, q := newHub(t, nil), newPhone(t, 2), newPhone(t, 3)
	for _, tc := range []struct{ host, path string }{
		{"evil.example", "/hotspot-detect.html"},
		{"captive.apple.com", "/guest/state"},
		{"captive.apple.com", "/signin"},
		{"evil.example", "/connecttest.txt"},
		{"connectivity-check.ubuntu.com", "/guest/messages"},
		{"fedoraproject.org", "/"},
		{"captive.apple.com:8440", "/hotspot-detect.html"},
		{"xcaptive.apple.com", "/hotspot-detect.html"},
	} {
		if res := p.do(h, call{path: tc.path, host: tc.host}); res.status != 403 {
			t.Errorf("%s%s: %d, want 403", tc.host, tc.path, res.status)
		}
	}
	if res := p.do(h, call{method: "POST", path: "/generate_204", host: "www.gstatic.com"}); res.status != 403 {
		t.Errorf("a probe by POST: %d", res.status)
	}
	if res := p.do(h, call{path: "/redirect", host: "www.msftconnecttest.com"}); res.header.Get("Location") != "http://"+h.addr+"/signin" {
		t.Errorf("what Windows opens: %d %v", res.status, res.header)
	}
	other := token(t, q.get(h, "/signin").text())
	stale := token(t, p.get(h, "/signin").text())
	h.advance(3 * time.Hour)
	for name, fields := range map[string]url.Values{
		"no token": {}, "somebody else's": {"token": {other}}, "an old one": {"token": {stale}}, "noise": {"token": {"x"}},
	} {
		if res := p.submit(h, "/signin", fields); res.status != 200 || !strings.Contains(res.text(), "<form") {
			t.Errorf("%s: %d", name, res.status)
		}
		if res := p.do(h, call{path: "/generate_204", host: "www.gstatic.com"}); res.status != 302 {
			t.Errorf("%s lets in", name)
		}
	}
	fresh := url.Values{"token": {token(t, p.get(h, "/signin").text())}}.Encode()
	for name, header := range map[string]http.Header{
		"a foreign origin": {"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"http://evil.example"}},
		"another site":     {"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}},
		"JSON":             {"Content-Type": {"application/json"}},
	} {
		if res := p.do(h, call{method: "POST", path: "/signin", body: []byte(fresh), header: header}); res.status != 403 && res.status != 415 {
			t.Errorf("%s: %d", name, res.status)
		}
	}
	for name, header := range map[string]http.Header{ // what browsers send that are too old for an Origin, and new ones
		"no origin":  {"Content-Type": {"application/x-www-form-urlencoded"}},
		"own origin": {"Content-Type": {"application/x-www-form-urlencoded; charset=UTF-8"}, "Origin": {"http://" + h.addr}},
	} {
		if res := p.do(h, call{method: "POST", path: "/signin", body: []byte(fresh), header: header}); res.status != 200 {
			t.Errorf("%s: %d", name, res.status)
		}
	}
	if res := p.do(h, call{path: "/generate_204", host: "www.gstatic.com"}); res.status != 204 {
		t.Errorf("after all that: %d", res.status)
	}
	if n := len(fmt.Sprint(stale)); n < 20 {
		t.Errorf("a token of %d characters can be guessed", n)
	}
}
