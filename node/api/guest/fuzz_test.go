package guest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"longear/protocol/reconcile"
)

// fuzzed is a hub that is asked without a network.
func fuzzed(f *testing.F) *hub {
	h := &hub{log: &lockedBuffer{}, addr: "192.168.49.1:8440"}
	h.build(f, 8440, nil)
	return h
}

// ask sends one request from an address of its own, so that no budget is in the way.
func (h *hub) ask(method, path, kind string, body []byte, n byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://"+h.addr+path, bytes.NewReader(body))
	r.RemoteAddr = "10.0.0." + string("0123456789"[n%10]) + ":1"
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	h.advance(60e9)
	local := &net.TCPAddr{IP: net.IPv4(192, 168, 49, 1), Port: 8440}
	w := httptest.NewRecorder()
	h.guest.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local))))
	return w
}

// FuzzSync: no body makes a hub fall over, take in what is not signed, or answer with more than it may.
func FuzzSync(f *testing.F) {
	h := fuzzed(f)
	pen := newPen(f)
	wire := pen.write("all", "x", nil).Wire()
	s := reconcile.NewSession(reconcile.Config{Initiator: true})
	msg, err := s.Start(reconcile.NewMem([]reconcile.Key{{1, 2, 3}}))
	must(f, err)
	start := frame(2, append([]byte{0, 7}, msg...))
	f.Add(start)
	f.Add(append(start, frame(3, []byte{0})...))
	f.Add(append(start, frame(5, append([]byte{1}, records(0, wire)...))...))
	f.Add(frame(4, reconcile.AppendWants([]byte{1, 0}, []reconcile.Want{{Whole: true}})))
	f.Add(frame(4, reconcile.AppendWants(append([]byte{1, 1}, make([]byte, 39)...), []reconcile.Want{{Short: []reconcile.ShortID{1, 2}}})))
	f.Add(frame(6, append([]byte{1, 0}, make([]byte, 39)...)))
	name := base64.RawURLEncoding.EncodeToString(make([]byte, 16))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := h.ask("POST", "/guest/sync/"+name, "application/vnd.longear.sync", body, byte(len(body)))
		switch w.Code {
		case 200:
			if w.Body.Len() > 2<<20 {
				t.Errorf("an answer of %d bytes", w.Body.Len())
			}
			frames(t, w.Body.Bytes())
		case 400, 413, 429, 503:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzPost: no body is taken in but signed messages.
func FuzzPost(f *testing.F) {
	h := fuzzed(f)
	wire := newPen(f).write("all", "x", nil).Wire()
	f.Add(records(0, wire))
	f.Add(records(1<<40, wire, wire))
	f.Add([]byte{0})
	f.Add(bytes.Repeat([]byte{0xff}, 12))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := h.ask("POST", "/guest/messages", "application/vnd.longear.records", body, byte(len(body)))
		if w.Code != 200 && w.Code != 400 && w.Code != 413 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if h.store.Stats().Messages > 1 {
			t.Fatal("more than the one signed message was taken in")
		}
	})
}

// FuzzAddress: no query or language makes a page that is torn or shows what came in the address.
func FuzzAddress(f *testing.F) {
	h := fuzzed(f)
	h.keepFor(f, newPen(f).write("all", "a text", nil))
	f.Add("channel=all&lang=kk&notice=kept&after=", "kk,ru;q=0.5")
	f.Add("since=////&limit=-1", ";q=,;;,--")
	f.Add("channel=%3Cscript%3E", "<script>")
	f.Fuzz(func(t *testing.T, query, accept string) {
		for _, path := range []string{"/", "/guest/messages", "/signin"} {
			r := httptest.NewRequest("GET", "http://"+h.addr+path, nil)
			r.URL.RawQuery = query
			r.Header.Set("Accept-Language", accept)
			r.RemoteAddr = "10.0.0.1:1"
			h.advance(60e9)
			local := &net.TCPAddr{IP: net.IPv4(192, 168, 49, 1), Port: 8440}
			w := httptest.NewRecorder()
			h.guest.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local))))
			if w.Code != 200 && !(w.Code == 400 && path == "/guest/messages") {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			if path != "/guest/messages" && (!strings.HasSuffix(w.Body.String(), "</html>") || strings.Contains(w.Body.String(), "<script")) {
				t.Errorf("%s is torn: %s", path, w.Body)
			}
		}
	})
}
