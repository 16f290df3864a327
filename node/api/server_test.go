package api_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/node"
	"longear/node/api"
	"longear/protocol"
	"longear/store"
)

// place is one installation: keys, a store in memory and a node that has no network.
type place struct {
	t        *testing.T
	dir      string
	store    *store.Store
	node     *node.Node
	desk     *api.Desk
	server   *api.Server
	loopback *api.Loopback
	stopped  chan struct{} // receives when the API asked to stop the node
	client   *api.Client
}

// newPlace serves the API of a fresh installation on a real Unix socket.
func newPlace(t *testing.T) *place {
	t.Helper()
	return newPlaceAt(t, nil)
}

// newPlaceAt is newPlace with a clock by which things are written.
func newPlaceAt(t *testing.T, now func() time.Time) *place {
	t.Helper()
	p := newBare(t, now)
	l, err := api.ListenSocket(p.socket())
	must(t, err)
	run(t, func(ctx context.Context) error { return api.Serve(ctx, l, p.server.Handler()) })
	run(t, p.server.Receipts)
	p.client, err = api.Dial(t.Context(), p.socket())
	must(t, err)
	t.Cleanup(p.client.Close)
	return p
}

// newBare is a fresh installation that nobody serves.
func newBare(t *testing.T, now func() time.Time) *place {
	t.Helper()
	p := &place{t: t, dir: shortDir(t)}
	id, err := store.NewIdentity()
	must(t, err)
	p.store, err = store.Open(store.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, p.store.Close()) })
	mutes, err := store.OpenMutes(p.dir, now)
	must(t, err)
	p.node, err = node.New(node.Config{Store: p.store, Key: id.Author, Mutes: mutes})
	must(t, err)
	ring, err := store.OpenKeyring(p.dir)
	must(t, err)
	p.desk, err = api.NewDesk(api.DeskConfig{Key: id.Author, Seal: id.Seal, Keyring: ring, Letters: filepath.Join(p.dir, "letters.json"), Now: now})
	must(t, err)
	p.loopback, p.stopped = api.NewLoopback(nil), make(chan struct{}, 1)
	p.server, err = api.New(api.Config{
		Keeper: p.node, Reader: p.node, Links: p.node, Store: p.store, Desk: p.desk, Past: p.node, Muter: p.node, Mutes: mutes,
		Page: p.loopback.Page, Stop: func() { p.stopped <- struct{}{} },
	})
	must(t, err)
	return p
}

func (p *place) socket() string { return filepath.Join(p.dir, "longear.sock") }

// run runs a part until the test ends, and fails the test if the part does.
func run(t *testing.T, part func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- part(ctx) }()
	t.Cleanup(func() {
		stop()
		must(t, <-done)
	})
}

// shortDir is a folder whose path is short enough for a socket, whatever the test is called.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "le")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *place) post(post api.Post) api.Message {
	p.t.Helper()
	m, err := p.client.Post(p.t.Context(), post)
	must(p.t, err)
	return m
}

// read is what the place has, oldest first.
func (p *place) read(channel string) []api.Message {
	p.t.Helper()
	var out []api.Message
	for m, err := range p.client.Messages(p.t.Context(), api.Watch{Channel: channel, History: -1}) {
		must(p.t, err)
		out = append(out, m)
	}
	return out
}

// carryTo brings everything to another place.
func (p *place) carryTo(q *place) api.CarryReport {
	p.t.Helper()
	var file bytes.Buffer
	_, err := p.client.CarryOut(p.t.Context(), "", &file)
	must(p.t, err)
	r, err := q.client.CarryIn(p.t.Context(), &file)
	must(p.t, err)
	return r
}

func codeOf(err error) api.Code {
	if e, ok := errors.AsType[*api.Error](err); ok {
		return e.Code
	}
	return -1
}

func TestPostAndRead(t *testing.T) {
	p := newPlace(t)
	sent := p.post(api.Post{Channel: "#Water", Text: "clean water at gate 4", Alert: true, Lifetime: 7200, Stamp: 4})
	if sent.Channel != "#water" || !sent.Own || sent.Delivery != "kept here" || sent.Class != "alert" || sent.Stamp < 4 {
		t.Errorf("posted %+v", sent)
	}
	got := p.read("#water")
	if len(got) != 1 || got[0].Text != "clean water at gate 4" || got[0].ID != sent.ID || !got[0].Verified || got[0].Private {
		t.Errorf("read %+v", got)
	}
	if got[0].Expires > 7200 || got[0].Expires < 7100 {
		t.Errorf("expires in %d s, asked for 7200", got[0].Expires)
	}
	if other := p.read("#food"); len(other) != 0 {
		t.Errorf("#food has %d messages", len(other))
	}
}

func TestWatchGoesFromHistoryToLive(t *testing.T) {
	p := newPlace(t)
	p.post(api.Post{Channel: "#all", Text: "before"})
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	var got []string
	for m, err := range p.client.Messages(ctx, api.Watch{History: 5, Live: true}) {
		must(t, err)
		if got = append(got, m.Text); len(got) == 1 {
			p.post(api.Post{Channel: "#all", Text: "after"})
		}
		if len(got) == 2 {
			break
		}
	}
	if strings.Join(got, " ") != "before after" {
		t.Errorf("watched %q", got)
	}
}

// TestWatchEndsWithTheNode: a program that follows a node must learn that it is gone, and why.
func TestWatchEndsWithTheNode(t *testing.T) {
	p := newPlace(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l, err := api.ListenSocket(filepath.Join(p.dir, "second.sock"))
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- api.Serve(ctx, l, p.server.Handler()) }()
	c, err := api.Dial(t.Context(), filepath.Join(p.dir, "second.sock"))
	must(t, err)
	p.post(api.Post{Channel: "#all", Text: "one"})
	var last error
	for _, err := range c.Messages(t.Context(), api.Watch{History: 1, Live: true}) {
		if last = err; err == nil {
			stop()
		}
	}
	if codeOf(last) != api.NoNode {
		t.Errorf("the stream ended with %v, want the code NoNode", last)
	}
	must(t, <-done)
}

func TestLifeByPrefix(t *testing.T) {
	p := newPlace(t)
	sent := p.post(api.Post{Channel: "#all", Text: "hello"})
	for _, tc := range []struct {
		prefix string
		want   api.Code // 0: found
	}{
		{sent.ID, 0},                  // whole
		{sent.ID[:4], 0},              // the shortest allowed
		{strings.ToUpper(sent.ID), 0}, // as a QR code or a shouting person has it
		{sent.ID[:3], api.Usage},      // too short to mean anything
		{strings.Repeat("a", 8) + sent.ID[8:12], api.NotFound}, // as long as none begins by chance
		{"!!!!", api.Usage},                     // not base32
		{strings.Repeat("a", 53), api.Usage},    // longer than an ID
		{strings.Repeat("a", 52), api.NotFound}, // a whole ID of nothing
	} {
		_, err := p.client.Life(t.Context(), tc.prefix)
		if got := max(codeOf(err), 0); got != tc.want {
			t.Errorf("%q: code %d (%v), want %d", tc.prefix, got, err, tc.want)
		}
	}
}

func TestRefusedPosts(t *testing.T) {
	p := newPlace(t)
	card, other := p.desk.Card().String(), "7"
	if card[40:41] == other {
		other = "6"
	}
	for _, tc := range []struct {
		name string
		post api.Post
	}{
		{"no text", api.Post{Channel: "#all"}},
		{"white space only", api.Post{Channel: "#all", Text: " \n\t"}},
		{"nowhere to", api.Post{Text: "x"}},
		{"two places", api.Post{Channel: "#all", To: card, Text: "x"}},
		{"not a card", api.Post{To: "longear:abc", Text: "x"}},
		{"a card with one letter changed", api.Post{To: card[:40] + other + card[41:], Text: "x"}},
		{"alert to a person", api.Post{To: card, Text: "x", Alert: true}},
		{"lifetime beyond the longest", api.Post{Channel: "#all", Text: "x", Lifetime: 1 << 40}},
		{"negative lifetime", api.Post{Channel: "#all", Text: "x", Lifetime: -1}},
		{"stamp that would take days", api.Post{Channel: "#all", Text: "x", Stamp: 40}},
		{"negative stamp", api.Post{Channel: "#all", Text: "x", Stamp: -1}},
		{"five parents", api.Post{Channel: "#all", Text: "x", Parents: make([]string, 5)}},
		{"parent that is no ID", api.Post{Channel: "#all", Text: "x", Parents: []string{"abc"}}},
		{"longer than a body", api.Post{Channel: "#all", Text: strings.Repeat("x", protocol.MaxBody+1)}},
		{"longer than a sealed text", api.Post{To: card, Text: strings.Repeat("x", protocol.MaxDirectText)}},
		{"name with a space", api.Post{Channel: "#a b", Text: "x"}},
		{"empty name", api.Post{Channel: "#", Text: "x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := p.client.Post(t.Context(), tc.post)
			e, ok := errors.AsType[*api.Error](err)
			if !ok || e.Code != api.Usage || e.Type != "error" || e.What == "" {
				t.Errorf("got %v (%+v), want a usage error", err, e)
			}
		})
	}
	if got := p.read(""); len(got) != 0 {
		t.Errorf("%d messages were kept", len(got))
	}
}

func TestWatchesAreBounded(t *testing.T) {
	p := newPlace(t)
	p.post(api.Post{Channel: "#all", Text: "x"})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	open := make(chan error, 64)
	for range 33 {
		go func() {
			for _, err := range p.client.Messages(ctx, api.Watch{History: 1, Live: true}) {
				open <- err
			}
		}()
	}
	refused := 0
	for range 33 {
		if err := <-open; err != nil {
			refused++
		}
	}
	if refused != 1 {
		t.Errorf("%d of 33 watches were refused, want 1", refused)
	}
}

// TestSlowHeader: a client that does not finish its request is dropped.
func TestSlowHeader(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 5 s")
	}
	p := newPlace(t)
	c, err := net.Dial("unix", p.socket())
	must(t, err)
	defer c.Close()
	_, err = c.Write([]byte("POST /v1/messages HTTP/1.1\r\nHost: longear\r\n"))
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
	buf := make([]byte, 1024)
	for err == nil {
		_, err = c.Read(buf)
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Error("the connection is still open after 20 s")
	}
}
