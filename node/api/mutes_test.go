package api_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"longear/node"
	"longear/node/api"
	"longear/protocol"
	"longear/store"
)

// TestMuteLetters: a letter's author is inside. Muted, what opens is hidden from who reads, in history and live, and is told only to
// who asks by its ID.
func TestMuteLetters(t *testing.T) {
	a, b, c := newPlace(t), newPlace(t), newPlace(t)
	author := a.desk.Card().Author().String()
	letter := a.post(api.Post{To: b.desk.Card().String(), Text: "read me"})
	c.post(api.Post{To: b.desk.Card().String(), Text: "and me"})
	a.carryTo(b)
	c.carryTo(b)
	if got := b.read("@"); len(got) != 2 {
		t.Fatalf("%d letters came", len(got))
	}
	// A card names an author, and so does the beginning of a key that only a letter has inside.
	for _, name := range []string{"@" + a.desk.Card().String(), author[:6], author} {
		m, err := b.client.Mute(t.Context(), name, api.Mute{})
		must(t, err)
		if m.Author != author || m.Drop || m.Until != "" {
			t.Errorf("%s: %+v", name, m)
		}
		if got := b.read("@"); len(got) != 1 || got[0].Text != "and me" {
			t.Errorf("%s is muted, and heard: %+v", name, got)
		}
		// The newest one letter is the newest that is shown.
		for m, err := range b.client.Messages(t.Context(), api.Watch{Channel: "@", History: 1}) {
			must(t, err)
			if m.Text != "and me" {
				t.Errorf("history has %q", m.Text)
			}
		}
		life, err := b.client.Life(t.Context(), letter.ID)
		must(t, err)
		if !life.Message.Muted || life.Message.Text != "read me" {
			t.Errorf("asked for by its ID: %+v", life.Message)
		}
		must(t, b.client.Unmute(t.Context(), author[:5]))
	}
	if got := b.read("@"); len(got) != 2 {
		t.Errorf("heard again, %d letters", len(got))
	}
}

// TestMuteAlike: a beginning that several keys share is refused, with the candidates; that of nobody too.
func TestMuteAlike(t *testing.T) {
	p := newPlace(t)
	byStart := make(map[string][]ed25519.PrivateKey)
	var twins []ed25519.PrivateKey
	for n := uint64(0); twins == nil; n++ { // about 1200 tries: two of so many keys have 4 characters in common
		var seed [ed25519.SeedSize]byte
		binary.BigEndian.PutUint64(seed[:], n)
		key := ed25519.NewKeyFromSeed(seed[:])
		start := protocol.AuthorOf(key).String()[:4]
		if byStart[start] = append(byStart[start], key); len(byStart[start]) == 2 {
			twins = byStart[start]
		}
	}
	for i, key := range twins {
		m, err := protocol.Sign(key, protocol.Draft{Body: fmt.Appendf(nil, "%d", i)})
		must(t, err)
		_, err = p.store.Put(t.Context(), []store.Item{{Message: m}})
		must(t, err)
	}
	one, two := protocol.AuthorOf(twins[0]).String(), protocol.AuthorOf(twins[1]).String()
	_, err := p.client.Mute(t.Context(), one[:4], api.Mute{})
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Code != api.Usage || !strings.Contains(e.Fix, one) || !strings.Contains(e.Fix, two) {
		t.Errorf("an ambiguous author: %+v", err)
	}
	if list, err := p.client.Mutes(t.Context()); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	for _, name := range []string{one, two[:12]} {
		_, err = p.client.Mute(t.Context(), name, api.Mute{Drop: true, For: 3600})
		must(t, err)
	}
	list, err := p.client.Mutes(t.Context())
	if err != nil || len(list) != 2 || !list[0].Drop || list[0].Until == "" || p.store.Stats().Messages != 0 {
		t.Errorf("%+v %v, %d messages are kept", list, err, p.store.Stats().Messages)
	}
	err = p.client.Unmute(t.Context(), one[:4])
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != api.Usage || !strings.Contains(e.Fix, two) {
		t.Errorf("an ambiguous author: %+v", err)
	}
}

// TestMutesGuarded: on loopback the list is for who has the token, and no page of another origin can change it.
func TestMutesGuarded(t *testing.T) {
	p := newPlace(t)
	port, token := p.tcp()
	author := (&protocol.Author{1}).String()
	good := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	put := request{method: "PUT", path: "/v1/mutes/" + author, body: "{}"}
	for name, change := range map[string]func(http.Header){
		"no token":       func(h http.Header) { h.Del("Authorization") },
		"another origin": func(h http.Header) { h.Set("Origin", "http://evil.example") },
		"another site":   func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"not JSON":       func(h http.Header) { h.Set("Content-Type", "text/plain") },
	} {
		put.header = good.Clone()
		change(put.header)
		if res := put.send(t, port); res.StatusCode < 400 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	if res := (request{method: "GET", path: "/v1/mutes"}).send(t, port); res.StatusCode != 401 {
		t.Errorf("the list without a token: %d", res.StatusCode)
	}
	if list, err := p.client.Mutes(t.Context()); err != nil || len(list) != 0 {
		t.Fatal(list, err)
	}
	put.header = good
	if res := put.send(t, port); res.StatusCode != 200 {
		t.Errorf("the right request: %d", res.StatusCode)
	}
	if list, err := p.client.Mutes(t.Context()); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

var _ api.Muter = (*node.Node)(nil)
