package guest_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// benched is a hub with a day's messages.
func benched(b *testing.B, n int) *hub {
	h := &hub{log: &lockedBuffer{}, addr: "192.168.49.1:8440"}
	h.build(b, 8440, nil)
	pen := newPen(b)
	for range n / 500 {
		var all []*protocol.Message
		for i := range 500 {
			all = append(all, pen.write("all", fmt.Sprintf("message %d of some length, as people write them", i), nil))
		}
		h.keepFor(b, all...)
	}
	return h
}

// BenchmarkGuest is what a guest's requests cost a hub with 10,000 messages, without the network.
func BenchmarkGuest(b *testing.B) {
	h := benched(b, 10_000)
	salt, _ := sessionName()
	s := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
	var mine []reconcile.Key
	for e, err := range h.store.Newest() {
		must(b, err)
		mine = append(mine, e.Key())
	}
	start := func(keys []reconcile.Key) []byte {
		msg, err := s.Start(reconcile.NewMem(keys))
		must(b, err)
		return frame(2, append([]byte{0, 7}, msg...))
	}
	equal, behind := start(mine), start(mine[100:])
	name := base64.RawURLEncoding.EncodeToString(salt[:])
	for _, c := range []struct {
		name, method, path, kind string
		body                     []byte
	}{
		{"board, channels counted anew", "GET", "/", "", nil},
		{"state", "GET", "/guest/state", "", nil},
		{"page of 50", "GET", "/guest/messages", "", nil},
		{"sync, equal", "POST", "/guest/sync/" + name, "application/vnd.longear.sync", equal},
		{"sync, 100 behind, first turn", "POST", "/guest/sync/" + name, "application/vnd.longear.sync", behind},
	} {
		b.Run(c.name, func(b *testing.B) {
			size := 0
			for b.Loop() {
				w := h.ask(c.method, c.path, c.kind, c.body, 1)
				if w.Code != 200 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "answer-bytes")
		})
	}
}

// BenchmarkBoardBehindResponses is a page whose messages stand behind 10,000 newer responses to one of them, of one key.
func BenchmarkBoardBehindResponses(b *testing.B) {
	h := benched(b, 500)
	author := newPen(b)
	target := author.write("all", "the north gate is closed", nil)
	all := []*protocol.Message{target}
	for i := range 10_000 {
		all = append(all, author.write("all", "", func(d *protocol.Draft) { answering(target, 1)(d); d.Created += uint64(1000 + i) }))
	}
	h.keepFor(b, all...)
	for _, path := range []string{"/", "/?channel=all"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				h.advance(time.Minute)
				if w := h.ask("GET", path, "", nil, 1); w.Code != 200 {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
