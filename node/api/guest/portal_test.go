package guest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// recorded are requests by which systems look for the internet, and what each takes for a yes.
var recorded = []struct {
	system, host, path, agent string
	status                    int
	kind, body                string
	nm                        bool
}{
	{"Android", "connectivitycheck.gstatic.com", "/generate_204", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60.0.3112.32 Safari/537.36", 204, "", "", false},
	{"Android, second try", "play.googleapis.com", "/generate_204", "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 5)", 204, "", "", false},
	{"Android, older", "clients3.google.com", "/generate_204", "Dalvik/2.1.0 (Linux; U; Android 7.0)", 204, "", "", false},
	{"Android, fallback", "www.google.com", "/gen_204", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", 204, "", "", false},
	{"Android of another maker", "connect.rom.miui.com", "/generate_204", "Dalvik/2.1.0", 204, "", "", false},
	{"Chrome", "www.gstatic.com", "/generate_204", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0.0.0", 204, "", "", false},
	{"iOS", "captive.apple.com", "/hotspot-detect.html", "CaptiveNetworkSupport-443.0.1 wispr", 200, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", false},
	{"macOS", "captive.apple.com", "/", "CaptiveNetworkSupport-428.0.0 wispr", 200, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", false},
	{"iOS, older", "www.apple.com", "/library/test/success.html", "CaptiveNetworkSupport/1.0 wispr", 200, "text/html", "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>", false},
	{"Windows 10", "www.msftconnecttest.com", "/connecttest.txt", "Microsoft NCSI", 200, "text/plain", "Microsoft Connect Test", false},
	{"Windows 10, IPv6", "ipv6.msftconnecttest.com", "/connecttest.txt", "Microsoft NCSI", 200, "text/plain", "Microsoft Connect Test", false},
	{"Windows 7", "www.msftncsi.com", "/ncsi.txt", "Microsoft NCSI", 200, "text/plain", "Microsoft NCSI", false},
	{"Firefox", "detectportal.firefox.com", "/canonical.html", "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", 200, "text/html", `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`, false},
	{"Firefox, IPv4", "detectportal.firefox.com", "/success.txt?ipv4", "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", 200, "text/plain", "success\n", false},
	{"Firefox, IPv6", "detectportal.firefox.com", "/success.txt?ipv6", "Mozilla/5.0 (Android 13; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0", 200, "text/plain", "success\n", false},
	{"GNOME", "nmcheck.gnome.org", "/check_network_status.txt", "", 200, "text/plain", "NetworkManager is online\n", true},
	{"Debian", "network-test.debian.org", "/nm", "", 200, "text/plain", "NetworkManager is online\n", true},
	{"Fedora", "fedoraproject.org", "/static/hotspot.txt", "", 200, "text/plain", "OK", false},
	{"Ubuntu", "connectivity-check.ubuntu.com", "/", "", 204, "", "", true},
	{"Arch", "ping.archlinux.org", "/nm-check.txt", "", 200, "text/plain", "NetworkManager is online\n", true},
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
	for i, tc := range recorded {
		t.Run(tc.system, func(t *testing.T) {
			h, p := newHub(t, nil), newPhone(t, 2+i)
			ask := func(p *phone, method string) reply {
				t.Helper()
				header := http.Header{}
				if tc.agent != "" {
					header.Set("User-Agent", tc.agent)
				}
				return p.do(h, call{method: method, path: tc.path, host: tc.host, header: header})
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
				if res.status != tc.status || res.text() != body || res.header.Get("Content-Type") != tc.kind ||
					(res.header.Get("X-NetworkManager-Status") == "online") != tc.nm || res.header.Get("Location") != "" {
					t.Errorf("%s: %d %q %q %v", when, res.status, res.header.Get("Content-Type"), res.text(), res.header)
				}
			}
			online("let in", ask(p, "GET"), tc.body)
			online("with HEAD", ask(p, "HEAD"), "")
			h.advance(3 * time.Hour)
			online("three hours later", ask(p, "GET"), tc.body)
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
