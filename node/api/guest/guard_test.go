package guest_test

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"longear/node/api/guest"
	"longear/protocol/reconcile"
)

// TestHosts: names that somebody made resolve to this hub get nothing; other spellings of the hub lead to the one origin.
func TestHosts(t *testing.T) {
	h := newHub(t, nil)
	_, port, err := net.SplitHostPort(h.addr)
	must(t, err)
	for i, tc := range []struct {
		host string
		want int
	}{
		{"127.0.0.1:PORT", 200},    // the address that the connection came to
		{"127.0.0.1", 302},         // without the port: another origin
		{"127.0.0.1:80", 302},      // likewise
		{"localhost:PORT", 403},    // a name, and not a configured one
		{"127.0.0.2:PORT", 403},    // this machine too, but not where the connection came to
		{"192.168.49.1:PORT", 403}, // another hub
		{"evil.example:PORT", 403}, // rebinding
		{"evil.example", 403},
		{"127.0.0.1.evil.example:PORT", 403},
		{"127.0.0.1:0PORT", 403},
		{"127.0.0.1:1", 403},
		{"127.1:PORT", 403},
		{"2130706433:PORT", 403},
		{"0x7f000001:PORT", 403},
		{"0.0.0.0:PORT", 403},
		{"[::1]:PORT", 403},
		{"[::ffff:127.0.0.1]:PORT", 403},
		{"user@127.0.0.1:PORT", 403},
		{"captive.apple.com", 403}, // a probe's name on what is no probe
		{"127.0.0.1:PORT:PORT", 403},
	} {
		host := strings.ReplaceAll(tc.host, "PORT", port)
		p := newPhone(t, 2+i)
		for _, path := range []string{"/guest/state", "/"} {
			res := p.do(h, call{path: path, host: host})
			want := tc.want
			if tc.host == "captive.apple.com" && path == "/" {
				want = 302
			}
			if res.status != want && !(want == 403 && res.status == 400) { // Go's server refuses some itself
				t.Errorf("Host %q %s: %d, want %d", host, path, res.status, want)
			}
			if loc := res.header.Get("Location"); tc.want == 302 && loc != "http://"+h.addr+path {
				t.Errorf("Host %q leads to %q", host, loc)
			}
			if res.status == 403 && !strings.Contains(res.text(), h.addr) {
				t.Errorf("Host %q is not told where the hub is: %s", host, res.text())
			}
		}
		if res := p.do(h, call{method: "POST", path: "/guest/messages", host: host, body: []byte{1}}); tc.want != 200 && res.status != 403 && res.status != 400 {
			t.Errorf("POST with Host %q: %d", host, res.status)
		}
	}
}

// TestConfiguredOrigin: behind a router the hub has the address that it was told, and no other.
func TestConfiguredOrigin(t *testing.T) {
	h, p := newHub(t, func(c *guest.Config) { c.URL = "http://hub.lan:8440/" }), newPhone(t, 2)
	for host, want := range map[string]int{"hub.lan:8440": 200, "hub.lan": 302, h.addr: 302, "evil.example:8440": 403} {
		res := p.do(h, call{path: "/?lang=ru", host: host})
		if res.status != want {
			t.Errorf("Host %q: %d, want %d", host, res.status, want)
		}
		if want == 302 && res.header.Get("Location") != "http://hub.lan:8440/?lang=ru" {
			t.Errorf("Host %q leads to %q", host, res.header.Get("Location"))
		}
	}
	for _, bad := range []string{"https://hub", "hub.lan:8440", "http://hub/path", "http://user@hub/", "http://", "http://hub/?x"} {
		c := guest.Config{Door: h.node, Reader: h.node, Around: h.node, Store: h.store, Catalog: catalog(t), Port: 1, URL: bad}
		if _, err := guest.New(c); err == nil {
			t.Errorf("the address %q is taken", bad)
		}
	}
}

// TestOperatorOutOfReach: nothing of the operator's API is behind the guests' listener, by no spelling of its paths.
func TestOperatorOutOfReach(t *testing.T) {
	h := newHub(t, func(c *guest.Config) { c.Forms = true })
	i := 0
	for _, path := range []string{
		"/v1/status", "/v1/peers", "/v1/messages", "/v1/channels", "/v1/carry/out", "/v1/connect", "/v1/carry/in",
		"//v1/status", "/guest/../v1/status", "/guest/%2e%2e/v1/status", "/./v1/status", "/guest/sync/../../v1/status", "/V1/status",
		"/debug/pprof/", "/metrics", "/api-token", "/..%2f..%2fetc%2fpasswd", "/guest/", "/guest", "/signin/x", "/index.html", "/%00",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			i++
			p := newPhone(t, 2+i%200)
			res := p.do(h, call{method: method, path: path, header: http.Header{
				"Content-Type": {"application/json"}, "Authorization": {"Bearer x"}, "X-Original-Url": {"/v1/status"},
			}})
			switch {
			case res.status >= 300 && res.status < 400: // the clean path, which is asked for next
				next := p.do(h, call{method: method, path: res.header.Get("Location")})
				if next.status != 404 && next.status != 405 {
					t.Errorf("%s %s leads to %q: %d", method, path, res.header.Get("Location"), next.status)
				}
			case res.status != 404 && res.status != 405 && res.status != 400 && res.status != 501:
				t.Errorf("%s %s: %d %s", method, path, res.status, res.text())
			}
			p.http.CloseIdleConnections()
		}
	}
	// What is there has the methods it has.
	for _, tc := range []call{
		{method: "DELETE", path: "/guest/messages"},
		{method: "PUT", path: "/guest/messages"},
		{method: "POST", path: "/guest/state"},
		{method: "GET", path: "/post"},
		{method: "GET", path: "/guest/sync/AAAAAAAAAAAAAAAAAAAAAA"},
		{method: "POST", path: "/"},
		{method: "OPTIONS", path: "/guest/messages"},
	} {
		if res := newPhone(t, 250).do(h, tc); res.status != 404 && res.status != 405 {
			t.Errorf("%s %s: %d", tc.method, tc.path, res.status)
		}
	}
}

// TestHeaders: every answer forbids what it does not need, none sets a cookie or lets another origin in.
func TestHeaders(t *testing.T) {
	h, p := newHub(t, nil), newPhone(t, 2)
	for path, wantType := range map[string]string{
		"/": "text/html; charset=utf-8", "/signin": "text/html; charset=utf-8", "/guest/state": "application/json",
		"/guest/messages": "application/json", "/guest/channels": "application/json", "/nothing": "application/json",
	} {
		res := p.get(h, path)
		csp := res.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") {
			t.Errorf("%s: policy %q", path, csp)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Type": wantType,
			"Set-Cookie": "", "Access-Control-Allow-Origin": "", "Server": "", "Cache-Control": "no-store",
		} {
			if got := res.header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", path, header, got, want)
			}
		}
	}
}

// address is anything that looks like one of somebody's addresses on loopback, but for the hub's own.
var address = regexp.MustCompile(`127\.0\.0\.(\d{2,}|[2-9])`)

// TestNoAddresses: no guest sees another's address, and no log has any.
func TestNoAddresses(t *testing.T) {
	h, pen := newHub(t, func(c *guest.Config) { c.Forms = true }), newPen(t)
	var shown strings.Builder
	for i := range 12 {
		p := newPhone(t, 20+i)
		p.post(h, pen.write("all", fmt.Sprint("from ", i), nil).Wire(), []byte("noise"))
		for _, path := range []string{"/", "/signin", "/guest/state", "/guest/channels", "/nothing", "/guest/messages?limit=x"} {
			shown.WriteString(p.get(h, path).text())
		}
		shown.WriteString(p.do(h, call{path: "/generate_204", host: "x"}).header.Get("Location"))
		shown.WriteString(p.turn(h, "bad", nil).text())
	}
	must(t, h.store.Close()) // everything fails from here on, and says so
	broken := newPhone(t, 99).get(h, "/guest/messages")
	if broken.status != 500 {
		t.Errorf("with a closed store: %d", broken.status)
	}
	shown.WriteString(broken.text())
	if found := address.FindString(shown.String()); found != "" {
		t.Errorf("guests are shown %s", found)
	}
	log := h.log.String()
	if log == "" {
		t.Error("nothing was logged: the check below proves nothing")
	}
	if strings.Contains(log, "127.0.0.") {
		t.Errorf("the log has addresses: %s", log)
	}
}

// TestTooFast: whoever asks too fast is told so, and not at once.
func TestTooFast(t *testing.T) {
	h, p := newHub(t, nil), newPhone(t, 2)
	for n := range 120 {
		if res := p.get(h, "/guest/state"); res.status != 200 {
			t.Fatalf("request %d: %d", n, res.status)
		}
	}
	began := time.Now()
	if res := p.get(h, "/guest/state"); res.status != 429 || time.Since(began) < 200*time.Millisecond {
		t.Errorf("one too many: %d after %v", res.status, time.Since(began))
	}
	if res := newPhone(t, 3).get(h, "/guest/state"); res.status != 200 {
		t.Errorf("another guest: %d", res.status)
	}
}

// busy is a node to which it is much work to say what it wants.
type busy struct {
	guest.Surroundings
	h *hub
}

func (b *busy) Scope() reconcile.Scope {
	b.h.mu.Lock()
	defer b.h.mu.Unlock()
	b.h.work = b.h.work.Add(20 * time.Millisecond)
	return b.Surroundings.Scope()
}

// TestWorkIsCharged: whatever keeps the hub busy costs whoever asked for it, also when it led to nothing, and nobody else. At 20 ms each a guest has
// 25 of them at once, and one more on credit.
func TestWorkIsCharged(t *testing.T) {
	var around busy
	h := newHub(t, func(c *guest.Config) { around.Surroundings, c.Around = c.Around, &around })
	around.h = h
	other := newPhone(t, 2)
	other.get(h, "/") // the channels are counted for all: whoever comes first would be charged for that too
	begin := round(t, reconcile.NewSession(reconcile.Config{Initiator: true}), reconcile.NewMem(nil))
	turn := func(body []byte) call {
		_, name := sessionName()
		return call{method: "POST", path: "/guest/sync/" + name, body: body, header: syncHeader}
	}
	for i, c := range []struct {
		what   string
		pace   time.Duration // of the watch, where the work itself does not move it
		ask    call
		status int
	}{
		{"the board", 20 * time.Millisecond, call{path: "/"}, 200},
		{"the sign-in window", 20 * time.Millisecond, call{path: "/signin"}, 200},
		{"a turn of an exchange", 0, turn(begin), 200},
		{"a turn that breaks off", 0, turn(append(begin, frame(99, nil)...)), 400},
	} {
		h.slow(c.pace)
		p := newPhone(t, 10+i)
		for n := range 27 {
			want := c.status
			if n >= 26 {
				want = http.StatusTooManyRequests
			}
			if got := p.do(h, c.ask).status; got != want {
				t.Errorf("%s, request %d: %d, want %d", c.what, n+1, got, want)
				break
			}
		}
	}
	if got := other.get(h, "/").status; got != 200 {
		t.Errorf("another guest: %d", got)
	}
}

// TestConnections: one address holds 16 connections, and more are closed, though not at once; others still come in.
func TestConnections(t *testing.T) {
	h := newHub(t, nil)
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 7)}}
	closed, began := 0, time.Now()
	for range 20 {
		c, err := d.DialContext(t.Context(), "tcp", h.addr)
		must(t, err)
		defer c.Close()
		if _, err := c.Write([]byte("GET /guest/state HTTP/1.1\r\nHost: " + h.addr + "\r\n\r\n")); err != nil {
			closed++
			continue
		}
		if n, _ := c.Read(make([]byte, 1)); n == 0 {
			closed++
		}
	}
	if closed != 4 || time.Since(began) < 900*time.Millisecond {
		t.Errorf("%d of 20 connections closed after %v, want 4 after a second", closed, time.Since(began))
	}
	if res := newPhone(t, 8).get(h, "/guest/state"); res.status != 200 {
		t.Errorf("another guest: %d", res.status)
	}
}

// TestManyVisitors: addresses beyond what is remembered push out the oldest, and the hub goes on.
func TestManyVisitors(t *testing.T) {
	h := newHub(t, nil)
	for i := range 5000 {
		if w := h.direct(t, fmt.Sprintf("10.1.%d.%d:1", i/250, i%250), "/guest/state"); w.Code != 200 {
			t.Fatalf("visitor %d: %d", i, w.Code)
		}
	}
	var state guest.State
	newPhone(t, 2).get(h, "/guest/state").json(t, &state)
	if state.Guests != 4096 {
		t.Errorf("%d guests, want the 4096 that are remembered", state.Guests)
	}
}
