package guest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"longear/node/api/guest"
	"longear/protocol"
)

// stream is an open event stream.
type stream struct {
	t    *testing.T
	res  *http.Response
	in   *bufio.Scanner
	last string
	stop context.CancelFunc
}

func (p *phone) stream(h *hub, last string) *stream {
	p.t.Helper()
	ctx, stop := context.WithCancel(p.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.addr+"/guest/events", nil)
	must(p.t, err)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := p.http.Do(req)
	must(p.t, err)
	s := &stream{t: p.t, res: res, in: bufio.NewScanner(res.Body), stop: stop, last: last}
	s.in.Buffer(nil, 1<<20)
	p.t.Cleanup(s.end)
	return s
}

func (s *stream) end() { s.stop(); s.res.Body.Close() }

// next is the next event's name and data.
func (s *stream) next() (name, data string) {
	s.t.Helper()
	for s.in.Scan() {
		field, value, _ := strings.Cut(s.in.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "data":
			data = value
		case "id":
			s.last = value
		case "":
			if name != "" {
				return name, data
			}
		}
	}
	s.t.Fatalf("the stream ended: %v", s.in.Err())
	return "", ""
}

// message is the message of the next event.
func (s *stream) message() *protocol.Message {
	s.t.Helper()
	name, data := s.next()
	if name != "message" {
		s.t.Fatalf("event %q %s", name, data)
	}
	var got struct {
		ID string
		guest.Record
	}
	reply{200, nil, []byte(data)}.json(s.t, &got)
	m := open(s.t, got.Record)
	if got.ID != m.ID.String() {
		s.t.Errorf("the ID says %s, the message is %v", got.ID, m.ID)
	}
	return m
}

// TestEvents: what arrives is told at once; a stream that breaks goes on where it was, without a gap and without a double.
func TestEvents(t *testing.T) {
	h, p, q, pen := newHub(t, nil), newPhone(t, 2), newPhone(t, 3), newPen(t)
	s := p.stream(h, "")
	if name, _ := s.next(); name != "hello" {
		t.Errorf("a stream begins with %q", name)
	}
	if got := s.res.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("type %q", got)
	}
	first := pen.write("water", "one", nil)
	q.post(h, first.Wire())
	if m := s.message(); m.ID != first.ID {
		t.Errorf("told of %v, want %v", m.ID, first.ID)
	}
	last := s.last
	s.end()
	var missed []*protocol.Message
	for i := range 70 {
		missed = append(missed, pen.write("all", fmt.Sprint(i), nil))
	}
	q.post(h, missed[0].Wire())
	for _, m := range missed[1:] {
		if r := q.post(h, m.Wire()).Records[0]; r.Word != "kept" {
			t.Fatalf("%+v", r)
		}
	}
	s = p.stream(h, last)
	if name, _ := s.next(); name != "hello" {
		t.Errorf("a stream that goes on begins with %q", name)
	}
	for i, want := range missed {
		if m := s.message(); m.ID != want.ID {
			t.Fatalf("message %d is %v, want %v", i, m.ID, want.ID)
		}
	}
	epoch, _, _ := strings.Cut(last, ".")
	for i, strange := range []string{"other.1", "x", epoch + ".9999", epoch + ".-1", epoch + ".18446744073709551615", epoch + "."} {
		if name, _ := newPhone(t, 10+i).stream(h, strange).next(); name != "missed" {
			t.Errorf("Last-Event-ID %q: %q, want missed", strange, name)
		}
	}

	// More than the hub remembers, in parts that this reader can keep up with.
	for range 21 {
		var part []protocol.CarryRecord
		for range 100 {
			part = append(part, protocol.CarryRecord{Wire: pen.write("all", "x", nil).Wire()})
		}
		_, err := h.node.OfferFrom(t.Context(), "sync", part, true)
		must(t, err)
		for range part {
			s.message()
		}
	}
	if s.last != epoch+".2171" {
		t.Errorf("the last event is %s", s.last)
	}
	if name, _ := p.stream(h, last).next(); name != "missed" {
		t.Errorf("after 2,100 messages: %q, want missed", name)
	}
	if name, _ := p.stream(h, epoch+".2000").next(); name != "hello" {
		t.Errorf("after 171 messages: %q, want hello", name)
	}
}

// TestStreamsAreBounded: each guest has few, and what is closed makes room.
func TestStreamsAreBounded(t *testing.T) {
	h, p, q := newHub(t, nil), newPhone(t, 2), newPhone(t, 3)
	var open []*stream
	for range 4 {
		s := p.stream(h, "")
		s.next()
		open = append(open, s)
	}
	if s := p.stream(h, ""); s.res.StatusCode != 429 {
		t.Errorf("a fifth stream: %d", s.res.StatusCode)
	}
	if s := q.stream(h, ""); s.res.StatusCode != 200 {
		t.Errorf("another guest: %d", s.res.StatusCode)
	}
	open[0].end()
	for { // as soon as the server has noticed
		s := p.stream(h, "")
		if s.res.StatusCode == 200 {
			break
		}
		_, err := io.Copy(io.Discard, s.res.Body) // so that one connection is enough, of the 16 that a guest may have
		must(t, err)
		s.end()
		h.advance(time.Second)
	}
	if res := q.do(h, call{method: "HEAD", path: "/guest/events"}); res.status != 200 {
		t.Errorf("HEAD: %d", res.status)
	}
}

// TestAllStreams: all guests together hold 512 streams.
func TestAllStreams(t *testing.T) {
	h := newHub(t, nil)
	status := map[int]int{}
	for i := range 129 {
		p := newPhone(t, 2+i)
		for range 4 {
			status[p.stream(h, "").res.StatusCode]++
		}
	}
	if status[200] != 512 || status[429] != 4 {
		t.Errorf("516 streams: %v", status)
	}
}

// pipes is a listener without a network, for virtual time.
type pipes struct {
	calls chan net.Conn
	once  sync.Once
	over  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.over) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// inTime runs a test in virtual time against a hub that is reached by pipes: a write waits until it is read.
func inTime(t *testing.T, test func(t *testing.T, h *hub, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		h := &hub{t: t, log: &lockedBuffer{}}
		h.build(t, 8440, func(c *guest.Config) { c.URL = "http://hub:8440" })
		l := &pipes{calls: make(chan net.Conn), over: make(chan struct{})}
		ctx, stop := context.WithCancel(t.Context())
		var parts sync.WaitGroup
		parts.Go(func() { must(t, h.guest.Run(ctx)) })
		parts.Go(func() { must(t, h.guest.Serve(ctx, l)) })
		synctest.Wait()
		test(t, h, func() net.Conn {
			near, far := net.Pipe()
			l.calls <- far
			return near
		})
		stop()
		parts.Wait()
	})
}

// TestSlowReader: who does not take what is sent is cut, while others get everything.
func TestSlowReader(t *testing.T) {
	inTime(t, func(t *testing.T, h *hub, dial func() net.Conn) {
		pen := newPen(t)
		slow := dial()
		defer slow.Close()
		_, err := io.WriteString(slow, "GET /guest/events HTTP/1.1\r\nHost: hub:8440\r\n\r\n")
		must(t, err)
		in := bufio.NewReader(slow)
		for line := ""; line != "data: {}\n"; {
			line, err = in.ReadString('\n')
			must(t, err)
		}
		_, err = h.node.OfferFrom(t.Context(), "x", []protocol.CarryRecord{{Wire: pen.write("all", strings.Repeat("x", 30<<10), nil).Wire()}}, false)
		must(t, err)
		// Another reader is served meanwhile, and long after.
		quick := dial()
		defer quick.Close()
		_, err = io.WriteString(quick, "GET /guest/state HTTP/1.1\r\nHost: hub:8440\r\nConnection: close\r\n\r\n")
		must(t, err)
		if b, err := io.ReadAll(quick); err != nil || !strings.Contains(string(b), `"messages":1`) {
			t.Errorf("another reader: %q, %v", b, err)
		}
		must(t, slow.SetReadDeadline(time.Now().Add(12*time.Second)))
		time.Sleep(11 * time.Second)
		if n, err := io.Copy(io.Discard, in); errors.Is(err, os.ErrDeadlineExceeded) || n > 64<<10 {
			t.Errorf("a reader who takes nothing for 11 s is still served: %d bytes, %v", n, err)
		}
	})
}

// TestHeartbeat: a stream on which nothing happens says so every 15 s.
func TestHeartbeat(t *testing.T) {
	inTime(t, func(t *testing.T, h *hub, dial func() net.Conn) {
		c := dial()
		defer c.Close()
		_, err := io.WriteString(c, "GET /guest/events HTTP/1.1\r\nHost: hub:8440\r\n\r\n")
		must(t, err)
		in, beats, began := bufio.NewReader(c), 0, time.Now()
		for beats < 3 {
			line, err := in.ReadString('\n')
			must(t, err)
			if strings.HasPrefix(line, ": here") {
				beats++
			}
		}
		if got := time.Since(began); got != 45*time.Second {
			t.Errorf("three beats in %v, want 45s", got)
		}
	})
}

// TestSlowRequests: a header or a body that trickles is not waited for.
func TestSlowRequests(t *testing.T) {
	for name, tc := range map[string]struct {
		say  string
		most time.Duration
	}{
		"nothing at all": {"", 5 * time.Second},
		"half a header":  {"GET / HTTP/1.1\r\nHost: hub", 5 * time.Second},
		"half a body": {"POST /guest/messages HTTP/1.1\r\nHost: hub:8440\r\nContent-Type: application/vnd.longear.records\r\n" +
			"Content-Length: 1000\r\n\r\nhalf", 20 * time.Second},
		"an idle connection": {"GET /guest/state HTTP/1.1\r\nHost: hub:8440\r\n\r\n", 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, h *hub, dial func() net.Conn) {
				c := dial()
				defer c.Close()
				began := time.Now()
				if _, err := io.WriteString(c, tc.say); tc.say != "" {
					must(t, err)
				}
				_, _ = io.Copy(io.Discard, c)
				if got := time.Since(began); got > tc.most+time.Second || got < tc.most-time.Second {
					t.Errorf("ended after %v, want %v", got, tc.most)
				}
			})
		})
	}
}
