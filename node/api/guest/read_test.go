package guest_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"longear/node"
	"longear/node/api/guest"
	"longear/protocol"
)

// open checks a record as a page does: by its bytes alone.
func open(t *testing.T, r guest.Record) *protocol.Message {
	t.Helper()
	wire, err := base64.RawURLEncoding.DecodeString(r.Wire)
	must(t, err)
	u, v := protocol.Decode(wire)
	if v != protocol.Accept {
		t.Fatalf("a record is no message: %v", v)
	}
	m, v := u.Verify()
	if v != protocol.Accept {
		t.Fatalf("a record is not signed: %v", v)
	}
	return m
}

// readAll follows the pages of a list.
func readAll(t *testing.T, p *phone, h *hub, query string) (all []*protocol.Message, pages int) {
	t.Helper()
	since := ""
	for {
		res := p.get(h, "/guest/messages?"+query+"&since="+since)
		if res.status != 200 {
			t.Fatalf("%d %s", res.status, res.body)
		}
		var got guest.Messages
		res.json(t, &got)
		for _, r := range got.Messages {
			if r.Age < 0 {
				t.Errorf("an age of %d", r.Age)
			}
			all = append(all, open(t, r))
		}
		pages++
		if since = got.Next; since == "" {
			return all, pages
		}
	}
}

func TestPages(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	var texts, alerts []*protocol.Message
	for i := range 130 {
		if i%13 == 0 {
			alerts = append(alerts, pen.write("all", fmt.Sprint("alert ", i), alert))
		} else {
			texts = append(texts, pen.write([]string{"water", "all"}[i%2], fmt.Sprint("text ", i), nil))
		}
	}
	h.keep(slices.Concat(texts, alerts)...)
	slices.Reverse(texts)
	slices.Reverse(alerts)

	same := func(got, want []*protocol.Message) bool {
		return slices.EqualFunc(got, want, func(a, b *protocol.Message) bool { return a.ID == b.ID && string(a.Wire()) == string(b.Wire()) })
	}
	got, pages := readAll(t, p, h, "limit=50")
	if !same(got, slices.Concat(alerts, texts)) || pages != 3 {
		t.Errorf("all: %d messages in %d pages, want 130 in 3, alerts first, newest first", len(got), pages)
	}
	want := slices.DeleteFunc(slices.Clone(texts), func(m *protocol.Message) bool { return m.Channel != tag(t, "water") })
	for _, channel := range []string{"water", "%23water", tag(t, "water").String()} {
		if got, pages := readAll(t, p, h, "limit=7&channel="+channel); !same(got, want) || pages != (len(want)+6)/7 {
			t.Errorf("channel %s: %d messages in %d pages, want %d", channel, len(got), pages, len(want))
		}
	}
	if got, _ := readAll(t, p, h, "channel=nothing-here"); len(got) != 0 {
		t.Errorf("an empty channel has %d messages", len(got))
	}
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "since=x", "channel=a+b", "since=" + strings.Repeat("_", 52)} {
		if res := p.get(h, "/guest/messages?"+bad); res.status != 400 {
			t.Errorf("?%s: %d, want 400", bad, res.status)
		}
	}

	var list guest.Channels
	p.get(h, "/guest/channels").json(t, &list)
	if len(list.Channels) != 2 || list.Channels[0].Messages+list.Channels[1].Messages != 130 || list.Channels[0].Name == "" {
		t.Errorf("channels: %+v", list)
	}
	var state guest.State
	p.get(h, "/guest/state").json(t, &state)
	if state.Messages != 130 || state.Guests != 1 || state.Hub != "north gate" || state.LastSync != nil || state.Neighbours != 0 {
		t.Errorf("state: %+v", state)
	}
}

// TestLocalOnly: what never leaves a local network is given to guests on one, and to nobody else.
func TestLocalOnly(t *testing.T) {
	h, pen := newHub(t, nil), newPen(t)
	h.keep(pen.write("all", "for here", localOnly), pen.write("all", "for all", nil))
	for from, want := range map[string]int{
		"127.0.0.9:1": 2, "192.168.49.7:1": 2, "[fe80::1%wlan0]:1": 2, "[fd00::1]:1": 2, // at hand
		"203.0.113.9:1": 1, "[2001:db8::1]:1": 1, // from afar
	} {
		res := h.direct(t, from, "/guest/messages")
		var got guest.Messages
		reply{res.Code, res.Header(), res.Body.Bytes()}.json(t, &got)
		if len(got.Messages) != want {
			t.Errorf("%s gets %d messages, want %d", from, len(got.Messages), want)
		}
		if board := h.direct(t, from, "/").Body.String(); len(board) == 0 || want == 1 && containsAny(board, "for here") {
			t.Errorf("%s sees on the board what is not for there", from)
		}
	}
}

// direct asks without a connection, from any address.
func (h *hub) direct(t *testing.T, from, path string) *httptest.ResponseRecorder {
	t.Helper()
	local, err := net.ResolveTCPAddr("tcp", h.addr)
	must(t, err)
	r := httptest.NewRequest(http.MethodGet, "http://"+h.addr+path, nil)
	r.RemoteAddr = from
	w := httptest.NewRecorder()
	h.guest.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local))))
	return w
}

func containsAny(text string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
}

// crowded is a node with neighbours.
type crowded struct {
	guest.Surroundings
	peers []node.Peer
}

func (c crowded) Peers() []node.Peer { return c.peers }

// TestState: the line counts neighbours and guests, and says how long ago the last exchange was, whoever it was with.
func TestState(t *testing.T) {
	at := time.Now().Add(-10 * time.Minute)
	h := newHub(t, func(c *guest.Config) {
		c.Around = crowded{c.Around, []node.Peer{{Peer: "a", Addr: "10.9.9.9", LastSync: at.Add(-time.Hour)}, {Peer: "b", LastSync: at}, {Peer: "c"}}}
	})
	newPhone(t, 2).get(h, "/")
	newPhone(t, 3).stream(h, "").next()
	h.advance(3 * time.Minute) // the first is gone by now, the second still listens
	p := newPhone(t, 4)
	res := p.get(h, "/guest/state")
	var got guest.State
	res.json(t, &got)
	if got.Guests != 2 || got.Neighbours != 3 || got.LastSync == nil || *got.LastSync < 779 || *got.LastSync > 900 {
		t.Errorf("state: %s", res.body)
	}
	if strings.Contains(res.text(), "10.9.9.9") {
		t.Error("a neighbour's address is told")
	}
	contains(t, p.get(h, "/?lang=en").text(), "Phones here: 2", "neighbours: 3", "last exchange: 13 min")
}
