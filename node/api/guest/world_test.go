package guest_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"longear/node"
	"longear/node/api/guest"
	"longear/node/api/guest/page"
	"longear/protocol"
	"longear/store"
)

// hub is a hub on a real TCP listener: a real node without neighbours, a real store in memory.
type hub struct {
	t     *testing.T
	store *store.Store
	node  *node.Node
	guest *guest.Server
	addr  string // 127.0.0.1:PORT
	log   *lockedBuffer

	mu   sync.Mutex
	now  time.Time     // guarded by mu; the guests' clock, which stands still until a test moves it
	work time.Time     // guarded by mu; what work is measured by, which moves by pace at each look and by nothing else
	pace time.Duration // guarded by mu
}

// lockedBuffer is a log that a test reads. test/rig has another for what processes print; that folder makes and ends those, which these
// tests have nothing to do with.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// catalog is the real one.
func catalog(t testing.TB) *page.Catalog {
	t.Helper()
	c, err := page.ReadCatalog(os.DirFS("../../../cmd/longear/web/lang"), "en")
	must(t, err)
	return c
}

// newHub starts a hub. change may be nil.
func newHub(t *testing.T, change func(*guest.Config)) *hub {
	t.Helper()
	h := &hub{t: t, log: &lockedBuffer{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	h.addr = l.Addr().String()
	h.build(t, l.Addr().(*net.TCPAddr).Port, change)
	run(t, h.guest.Run)
	run(t, func(ctx context.Context) error { return h.guest.Serve(ctx, l) })
	return h
}

// build makes the parts of a hub.
func (h *hub) build(t testing.TB, port int, change func(*guest.Config)) {
	t.Helper()
	h.now = time.Now()
	var err error
	h.store, err = store.Open(store.Config{})
	must(t, err)
	t.Cleanup(func() {
		if err := h.store.Close(); !errors.Is(err, store.ErrClosed) { // some tests close it before
			must(t, err)
		}
	})
	h.node, err = node.New(node.Config{Store: h.store})
	must(t, err)
	c := guest.Config{
		Door: h.node, Reader: h.node, Around: h.node, Store: h.store, Catalog: catalog(t), Hub: "north gate", Port: port,
		Channels: []string{"all", "water"}, Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now: func() time.Time {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.now
		},
		Watch: func() time.Time {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.work = h.work.Add(h.pace)
			return h.work
		},
	}
	if change != nil {
		change(&c)
	}
	h.guest, err = guest.New(c)
	must(t, err)
}

// slow makes all that the hub does take so long, as its guests are charged for it.
func (h *hub) slow(pace time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pace = pace
}

// advance moves the guests' clock, though not the store's.
func (h *hub) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

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

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// phone is somebody with a browser at an address of 127.0.0.0/8 of their own.
type phone struct {
	t    *testing.T
	at   string
	http *http.Client
}

func newPhone(t *testing.T, last int) *phone {
	t.Helper()
	p := &phone{t: t, at: fmt.Sprintf("127.0.0.%d", last)}
	l, err := net.Listen("tcp", p.at+":0")
	if err != nil {
		t.Skipf("SKIPPED: this system has only one loopback address: %v", err)
	}
	l.Close()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(p.at)}}
	tr := &http.Transport{DialContext: d.DialContext, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	p.http = &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p
}

// call is one request as somebody would send it.
type call struct {
	method, path, host string
	body               []byte
	header             http.Header
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) text() string { return string(r.body) }

// json reads the body.
func (r reply) json(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("status %d, %q: %v", r.status, r.body, err)
	}
}

func (p *phone) do(h *hub, c call) reply {
	p.t.Helper()
	res, err := p.try(h, c)
	must(p.t, err)
	return res
}

func (p *phone) try(h *hub, c call) (reply, error) {
	if c.method == "" {
		c.method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(p.t.Context(), c.method, "http://"+h.addr+c.path, bytes.NewReader(c.body))
	if err != nil {
		return reply{}, err
	}
	if c.header != nil {
		req.Header = c.header
	}
	if c.host != "" {
		req.Host = c.host
	}
	res, err := p.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, b}, err
}

func (p *phone) get(h *hub, path string) reply { p.t.Helper(); return p.do(h, call{path: path}) }

// records is a body of POST /guest/messages.
func records(age time.Duration, wires ...[]byte) []byte {
	var b []byte
	for _, w := range wires {
		head := binary.AppendUvarint(nil, uint64(age/time.Millisecond))
		b = binary.AppendUvarint(b, uint64(len(head)+len(w)))
		b = append(append(b, head...), w...)
	}
	return b
}

// post sends messages as a page would.
func (p *phone) post(h *hub, wires ...[]byte) guest.Posted {
	p.t.Helper()
	res := p.do(h, call{
		method: "POST", path: "/guest/messages", body: records(time.Minute, wires...),
		header: http.Header{"Content-Type": {"application/vnd.longear.records"}, "Origin": {"http://" + h.addr}},
	})
	if res.status != 200 {
		p.t.Fatalf("post: %d %s", res.status, res.body)
	}
	var out guest.Posted
	res.json(p.t, &out)
	return out
}

// pen writes as one author.
type pen struct {
	t   testing.TB
	key ed25519.PrivateKey
	at  uint64
}

func newPen(t testing.TB) *pen {
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	return &pen{t: t, key: key, at: 1_790_000_000_000}
}

func tag(t testing.TB, name string) protocol.Channel {
	t.Helper()
	c, err := protocol.PublicChannel(name)
	must(t, err)
	return c
}

// write signs a text; each is a second younger than the one before.
func (p *pen) write(channel, text string, change func(*protocol.Draft)) *protocol.Message {
	p.t.Helper()
	p.at += 1000
	d := protocol.Draft{Created: p.at, Channel: tag(p.t, channel), Body: []byte(text)}
	if change != nil {
		change(&d)
	}
	m, err := protocol.Sign(p.key, d)
	must(p.t, err)
	return m
}

// keep puts messages into a hub's store, as if neighbours had brought them.
func (h *hub) keep(all ...*protocol.Message) {
	h.t.Helper()
	h.keepFor(h.t, all...)
}

func (h *hub) keepFor(t testing.TB, all ...*protocol.Message) {
	t.Helper()
	var items []store.Item
	for _, m := range all {
		items = append(items, store.Item{Message: m})
	}
	_, err := h.store.Put(t.Context(), items)
	must(t, err)
}

func alert(d *protocol.Draft)     { d.Class = protocol.Alert }
func localOnly(d *protocol.Draft) { d.Flags = protocol.LocalOnly }

// contains fails the test unless every part is in the text.
func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in %.2000q", p, text)
		}
	}
}
