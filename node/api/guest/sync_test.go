package guest_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"longear/node/api/guest"
	"longear/protocol"
	"longear/protocol/reconcile"
)

// carrier is a page that keeps what it read: the other end of a sync, written from GUEST.md.
type carrier struct {
	*phone
	wires    map[reconcile.Key][]byte
	mem      *reconcile.Mem
	requests int // of the last sync
	sent     int // bytes of bodies, likewise
}

func newCarrier(t *testing.T, last int, all ...*protocol.Message) *carrier {
	c := &carrier{phone: newPhone(t, last), wires: map[reconcile.Key][]byte{}, mem: reconcile.NewMem(nil)}
	for _, m := range all {
		c.keep(m.Wire())
	}
	return c
}

// keep checks a message and keeps it.
func (c *carrier) keep(wire []byte) {
	c.t.Helper()
	u, v := protocol.Decode(wire)
	if v == protocol.Accept {
		_, v = u.Verify()
	}
	if v != protocol.Accept {
		c.t.Fatalf("a carried message: %v", v)
	}
	_, d := u.Claims()
	k := reconcile.NewKey(d.Class.Rank(), d.Created, reconcile.ID(u.ID()))
	c.wires[k] = slices.Clone(wire)
	must(c.t, c.mem.Apply([]reconcile.Key{k}, nil))
}

func frame(kind byte, payload []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(payload))), payload...)
}

// frames takes a body apart.
func frames(t *testing.T, b []byte) (kinds []byte, payloads [][]byte) {
	t.Helper()
	for len(b) > 0 {
		size, n := binary.Uvarint(b[1:])
		if n <= 0 || int(size) > len(b)-1-n {
			t.Fatalf("an answer of ours is not frames: % x", b[:min(len(b), 20)])
		}
		kinds, payloads = append(kinds, b[0]), append(payloads, b[1+n:1+n+int(size)])
		b = b[1+n+int(size):]
	}
	return kinds, payloads
}

func sessionName() (reconcile.Salt, string) {
	var salt reconcile.Salt
	rand.Read(salt[:])
	return salt, base64.RawURLEncoding.EncodeToString(salt[:])
}

var syncHeader = http.Header{"Content-Type": {"application/vnd.longear.sync"}}

// turn sends one body of a session.
func (p *phone) turn(h *hub, name string, body []byte) reply {
	p.t.Helper()
	return p.do(h, call{method: "POST", path: "/guest/sync/" + name, body: body, header: syncHeader})
}

// round is the first frame of a round: everything.
func round(t *testing.T, s *reconcile.Session, nodes reconcile.Nodes) []byte {
	t.Helper()
	msg, err := s.Start(nodes)
	must(t, err)
	return frame(2, append([]byte{0, 7}, msg...))
}

// sync makes the page and a hub equal.
func (c *carrier) sync(h *hub) {
	c.t.Helper()
	salt, name := sessionName()
	s := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
	c.requests, c.sent = 0, 0
	out := round(c.t, s, c.mem)
	pulls, number := map[uint64][]reconcile.Want{}, uint64(0)
	ask := func(wants []reconcile.Want, below *reconcile.Key) {
		number++
		pulls[number] = wants
		head := binary.AppendUvarint(nil, number)
		if below == nil {
			head = append(head, 0)
		} else {
			head = append(append(head, 1), below[:]...)
		}
		out = append(out, frame(4, reconcile.AppendWants(head, wants))...)
	}
	for len(out) > 0 {
		if c.requests++; c.requests > 60 {
			c.t.Fatal("sync does not end")
		}
		c.sent += len(out)
		res := c.turn(h, name, out)
		if res.status != 200 {
			c.t.Fatalf("request %d: %d %s", c.requests, res.status, res.body)
		}
		out = nil
		kinds, payloads := frames(c.t, res.body)
		for i, b := range payloads {
			switch kinds[i] {
			case 3:
				reply, _, err := s.Receive(c.mem, b)
				must(c.t, err)
				if reply != nil {
					out = append(out, frame(3, reply)...)
				}
				if wants := s.Wants(); len(wants) > 0 {
					ask(wants, nil)
				}
			case 4:
				out = append(out, c.give(b, salt)...)
			case 5:
				_, n := binary.Uvarint(b)
				for b = b[n:]; len(b) > 0; {
					size, n := binary.Uvarint(b)
					record := b[n : n+int(size)]
					b = b[n+int(size):]
					_, n = binary.Uvarint(record)
					c.keep(record[n:])
				}
			case 6:
				seq, n := binary.Uvarint(b)
				wants := pulls[seq]
				delete(pulls, seq)
				if b = b[n:]; len(b) > 0 {
					at, n := binary.Uvarint(b)
					below := reconcile.Key(b[n:])
					ask(wants[at:], &below)
				}
			default:
				c.t.Fatalf("an answer with a frame of type %d", kinds[i])
			}
		}
	}
}

// give answers a pull of the hub's.
func (c *carrier) give(b []byte, salt reconcile.Salt) []byte {
	c.t.Helper()
	seq, n := binary.Uvarint(b)
	if b[n] != 0 {
		c.t.Fatal("this page never ends an answer early")
	}
	wants, err := reconcile.ParseWants(b[n+1:])
	must(c.t, err)
	number := binary.AppendUvarint(nil, seq)
	var out []byte
	page := slices.Clone(number)
	for _, w := range wants {
		keys := reconcile.Match(c.mem, salt, w.Prefix, w.Short)
		if w.Whole {
			keys = c.mem.Keys(w.Prefix)
		}
		for k, err := range keys {
			must(c.t, err)
			if page = append(page, records(time.Minute, c.wires[k])...); len(page) > 60<<10 {
				out = append(out, frame(5, page)...)
				page = slices.Clone(number)
			}
		}
	}
	return append(append(out, frame(5, page)...), frame(6, number)...)
}

func (p *pen) many(n int, channel string) (all []*protocol.Message) {
	for i := range n {
		all = append(all, p.write(channel, fmt.Sprintf("message %d of some length, as people write them", i), nil))
	}
	return all
}

// same checks that a hub has exactly these messages, unaltered.
func (h *hub) same(t *testing.T, wires map[reconcile.Key][]byte) {
	t.Helper()
	n := 0
	for e, err := range h.store.Newest() {
		must(t, err)
		n++
		if string(wires[e.Key()]) != string(e.Message.Wire()) {
			t.Errorf("message %v is not what the page had", e.Message.ID)
		}
		if e.Age < time.Minute {
			t.Errorf("message %v has lost its age", e.Message.ID)
		}
	}
	if n != len(wires) {
		t.Errorf("the hub has %d messages, the page %d", n, len(wires))
	}
}

// TestCarry: 500 messages that were read at one hub come to the next by difference, in a few requests, none altered; and back.
func TestCarry(t *testing.T) {
	north, south, pen := newHub(t, nil), newHub(t, nil), newPen(t)
	news := pen.many(500, "water")
	p := newCarrier(t, 2)
	for chunk := range slices.Chunk(news, 50) { // by the usual door at the north gate
		north.keep(chunk...)
	}
	p.sync(north)
	if p.requests > 4 || len(p.wires) != 500 {
		t.Errorf("reading 500: %d requests, %d messages", p.requests, len(p.wires))
	}
	t.Logf("read 500 messages in %d requests with bodies of %d bytes", p.requests, p.sent)

	p.sync(south)
	south.same(t, p.wires)
	if p.requests > 4 {
		t.Errorf("bringing 500: %d requests", p.requests)
	}
	t.Logf("brought 500 messages in %d requests with bodies of %d bytes", p.requests, p.sent)

	p.sync(south) // equal: one small request
	t.Logf("equal: %d bytes", p.sent)
	if p.requests != 1 || p.sent > 30 {
		t.Errorf("nothing new: %d requests, %d bytes", p.requests, p.sent)
	}

	// Both have something new.
	south.keep(pen.many(3, "all")...)
	p.keep(pen.write("all", "mine", nil).Wire())
	p.sync(south)
	if len(p.wires) != 504 || p.requests > 5 || p.sent > 4000 {
		t.Errorf("3 and 1 new of 504: page %d, %d requests, %d bytes", len(p.wires), p.requests, p.sent)
	}
	if n := south.store.Stats().Messages; n != 504 {
		t.Errorf("the hub has %d of 504", n)
	}
}

// TestLargeAnswer: what does not fit into one answer is asked on for.
func TestLargeAnswer(t *testing.T) {
	h, pen, p := newHub(t, nil), newPen(t), newCarrier(t, 2)
	body := make([]byte, 30<<10)
	var all []*protocol.Message
	for i := range 90 { // 2.7 MB
		all = append(all, pen.write("all", string(body[:len(body)-i]), nil))
	}
	h.keep(all...)
	p.sync(h)
	if len(p.wires) != 90 || p.requests < 3 {
		t.Errorf("%d messages in %d requests, want 90 in 3 or more", len(p.wires), p.requests)
	}
}

// TestVainPull: an answer ends when it has been work enough, and is gone on with behind the last message that it found, if it found one.
func TestVainPull(t *testing.T) {
	h := newHub(t, nil)
	all := newPen(t).many(3000, "all")
	h.keep(all...)
	salt, name := sessionName()
	at := reconcile.NewKey(1, all[7].Created, reconcile.ID(all[7].ID))
	text := reconcile.Prefix{}.Child(1)
	found := reconcile.Want{Prefix: text, Short: []reconcile.ShortID{salt.Short(at.ID())}}
	vain := slices.Repeat([]reconcile.Want{{Prefix: text, Short: []reconcile.ShortID{1}}}, 300) // 3,000 keys each
	more := func(at reconcile.Key) []byte { return append([]byte{1, 0}, at[:]...) }
	for what, tc := range map[string]struct {
		wants []reconcile.Want
		kinds []byte
		end   []byte
	}{
		"nothing is found":      {vain, []byte{6}, []byte{1}},
		"one is found":          {append([]reconcile.Want{found}, vain...), []byte{5, 6}, more(at)},
		"one is found, at ease": {append([]reconcile.Want{found}, vain[:20]...), []byte{5, 6}, []byte{1}},
		"one would be found":    {append(vain, found), []byte{6}, []byte{1}},
	} {
		p := newPhone(t, 2)
		res := p.turn(h, name, frame(4, reconcile.AppendWants([]byte{1, 0}, tc.wants)))
		kinds, payloads := frames(t, res.body)
		if res.status != 200 || !slices.Equal(kinds, tc.kinds) || !slices.Equal(payloads[len(payloads)-1], tc.end) {
			t.Errorf("%s: %d, frames %v, % x", what, res.status, kinds, payloads)
		}
	}
}

// TestSessions: a session lives a minute, belongs to one guest, and is one of few.
func TestSessions(t *testing.T) {
	h, p, q := newHub(t, nil), newPhone(t, 2), newPhone(t, 3)
	h.keep(newPen(t).many(100, "all")...)
	begin := func(p *phone) (*reconcile.Session, string) {
		t.Helper()
		salt, name := sessionName()
		s := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
		if res := p.turn(h, name, round(t, s, reconcile.NewMem([]reconcile.Key{{1}}))); res.status != 200 {
			t.Fatalf("begin: %d %s", res.status, res.body)
		}
		return s, name
	}
	again := frame(3, []byte{0})
	for name, tc := range map[string]struct {
		by    *phone
		after time.Duration
		more  int // sessions of the same guest meanwhile
		want  int
	}{
		"the next turn":  {p, 0, 0, 200},
		"somebody else":  {q, 0, 0, 400},
		"after 50 s":     {p, 50 * time.Second, 0, 200},
		"after a minute": {p, 61 * time.Second, 0, 400},
		"with one more":  {p, 0, 1, 200},
		"with two more":  {p, 0, 2, 400},
	} {
		_, session := begin(p)
		for range tc.more {
			begin(p)
		}
		h.advance(tc.after)
		if res := tc.by.turn(h, session, again); res.status != tc.want {
			t.Errorf("%s: %d %s, want %d", name, res.status, res.body, tc.want)
		}
	}
	full := 0
	for i := range 100 { // two each
		p := newPhone(t, 10+i)
		for range 2 {
			salt, name := sessionName()
			s := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
			if res := p.turn(h, name, round(t, s, reconcile.NewMem(nil))); res.status == 503 {
				full++
			}
		}
	}
	if full < 60 || full > 76 {
		t.Errorf("%d of 200 sessions refused, want about 72: there are 128", full)
	}
	h.advance(2 * time.Minute)
	begin(newPhone(t, 200))
}

// TestSyncRefused: what no page sends ends the session, and nothing is taken in.
func TestSyncRefused(t *testing.T) {
	h, p := newHub(t, nil), newPhone(t, 2)
	pen := newPen(t)
	h.keep(pen.many(40, "all")...)
	stray := pen.write("all", "unasked", nil)
	empty := round(t, reconcile.NewSession(reconcile.Config{Initiator: true}), reconcile.NewMem(nil))
	wide := frame(4, reconcile.AppendWants([]byte{1, 0}, []reconcile.Want{{Whole: true}}))
	for name, tc := range map[string]struct {
		session string
		body    []byte
		want    int
	}{
		"no frames":                  {"", nil, 400},
		"an unknown frame":           {"", frame(9, nil), 400},
		"a hello":                    {"", frame(1, []byte{8, 1}), 400},
		"a frame cut short":          {"", empty[:len(empty)-1], 400},
		"recon without a round":      {"", frame(3, []byte{0}), 400},
		"a round of noise":           {"", frame(2, []byte("noise that is none")), 400},
		"a floor past time":          {"", frame(2, []byte{0xff, 0xff, 0xff, 0xff, 0x7f, 7, 0}), 400},
		"classes that are not":       {"", frame(2, append([]byte{0, 8}, empty[4:]...)), 400},
		"two rounds":                 {"", slices.Concat(empty, empty), 400},
		"five pulls":                 {"", slices.Concat(wide, wide, wide, wide, wide), 400},
		"a pull of nothing":          {"", frame(4, []byte{1, 0}), 400},
		"a pull with a bad key":      {"", frame(4, append([]byte{1, 1}, make([]byte, 10)...)), 400},
		"65 frames":                  {"", slices.Repeat(frame(6, []byte{9}), 65), 400},
		"a name too short":           {"abc", empty, 400},
		"a name with spare bits":     {"AAAAAAAAAAAAAAAAAAAAAB", empty, 400},
		"a name that climbs":         {"..%2f..%2fv1%2fstatus", empty, 400},
		"a good one":                 {"", empty, 200},
		"messages nobody asked for":  {"", frame(5, append([]byte{1}, records(0, stray.Wire())...)), 200},
		"a pull without a round":     {"", wide, 200},
		"an end of what is not open": {"", frame(6, []byte{9}), 200},
		"too large":                  {"", make([]byte, 1<<20+1), 413},
	} {
		session := tc.session
		if session == "" {
			_, session = sessionName()
		}
		if res := p.turn(h, session, tc.body); res.status != tc.want {
			t.Errorf("%s: %d %.200s, want %d", name, res.status, res.body, tc.want)
		}
	}
	if n := h.store.Stats().Messages; n != 40 {
		t.Errorf("the hub has %d messages, want 40", n)
	}
}

// narrow is a node that wants less than everything.
type narrow struct {
	guest.Surroundings
	scope reconcile.Scope
}

func (n narrow) Scope() reconcile.Scope { return n.scope }

// TestScope: a hub that wants less says so, and within that the exchange goes on.
func TestScope(t *testing.T) {
	scope := reconcile.Scope{Floor: 1_790_000_000_000 &^ (reconcile.FloorStep - 1), Ranks: 7}
	h := newHub(t, func(c *guest.Config) { c.Around = narrow{c.Around, scope} })
	p := newPhone(t, 2)
	salt, name := sessionName()
	s := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
	res := p.turn(h, name, round(t, s, reconcile.NewMem(nil)))
	kinds, payloads := frames(t, res.body)
	floor, n := binary.Uvarint(payloads[0])
	if len(kinds) != 1 || kinds[0] != 2 || floor*reconcile.FloorStep != scope.Floor || payloads[0][n] != 7 || len(payloads[0]) != n+1 {
		t.Fatalf("frames %v % x", kinds, payloads)
	}
	msg, err := s.Start(scope.View(reconcile.NewMem(nil)))
	must(t, err)
	res = p.turn(h, name, frame(2, append(payloads[0], msg...)))
	if kinds, _ := frames(t, res.body); res.status != 200 || len(kinds) != 1 || kinds[0] != 3 {
		t.Errorf("within the scope: %d, frames %v", res.status, kinds)
	}
	var state guest.State
	p.get(h, "/guest/state").json(t, &state)
	if state.Scope.Oldest != scope.Floor || state.Scope.Classes != 7 {
		t.Errorf("state: %+v", state.Scope)
	}
}

// asked begins an exchange as a page that claims to have something, and is the number of the hub's pull. 0: the hub does not listen.
func (p *phone) asked(h *hub, name string, salt reconcile.Salt) uint64 {
	p.t.Helper()
	has := reconcile.NewMem([]reconcile.Key{{1, 2}})
	s := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
	for body := round(p.t, s, has); body != nil; {
		res := p.turn(h, name, body)
		if res.status != 200 {
			return 0
		}
		body = nil
		kinds, payloads := frames(p.t, res.body)
		for i, b := range payloads {
			if kinds[i] == 4 {
				number, _ := binary.Uvarint(b)
				return number
			}
			reply, _, err := s.Receive(has, b)
			must(p.t, err)
			if reply != nil {
				body = frame(3, reply)
			}
		}
	}
	p.t.Fatal("the hub asks for nothing")
	return 0
}

// TestForger: a page that brings what nobody signed loses its session, and soon its say; what is good in the same body is kept.
func TestForger(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	good := pen.write("all", "good", nil)
	ended, deaf := 0, 0
	for range 12 {
		salt, name := sessionName()
		number := p.asked(h, name, salt)
		if number == 0 {
			deaf++
			continue
		}
		wires := [][]byte{good.Wire()}
		for i := range 60 {
			m := slices.Clone(pen.write("all", fmt.Sprint(i), nil).Wire())
			m[len(m)-1] ^= 1
			wires = append(wires, m)
		}
		body := frame(5, append(binary.AppendUvarint(nil, number), records(0, wires...)...))
		if res := p.turn(h, name, body); res.status != 400 {
			t.Errorf("60 forged messages: %d %s", res.status, res.body)
		}
		if res := p.turn(h, name, frame(3, []byte{0})); res.status == 400 || res.status == 429 {
			ended++
		}
	}
	if ended < 3 || ended > 6 || deaf != 12-ended {
		t.Errorf("of 12 tries %d ended in the loss of a session, and to %d the hub did not listen", ended, deaf)
	}
	if n := h.store.Stats().Messages; n != 1 {
		t.Errorf("the hub has %d messages, want the good one", n)
	}
}
