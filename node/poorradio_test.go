package node_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"github.com/marcopolo/simnet"
	ma "github.com/multiformats/go-multiaddr"

	"longear/protocol"
	fr "longear/protocol/frame"
	"longear/protocol/reconcile"
)

// radio is what a host sends over, to whomever: first in, first out. What would wait for longer than its queue is lost.
type radio struct {
	bitsPerSecond int
	queue         time.Duration
	free          time.Time // when all that is in the queue is out; one goroutine carries
}

// carry takes a packet and returns how long it takes to be out.
func (r *radio) carry(p *simnet.Packet) time.Duration {
	now := time.Now()
	if r.free.Before(now) {
		r.free = now
	}
	if r.free.Sub(now) > r.queue {
		return never
	}
	bits := 8 * reflect.ValueOf(p).Elem().FieldByName("buf").Len() // which the simulation does not tell
	r.free = r.free.Add(time.Duration(bits) * time.Second / time.Duration(r.bitsPerSecond))
	return r.free.Sub(now)
}

// sendsOver gives a member a radio.
func (w *world) sendsOver(m *member, r *radio) {
	w.t.Helper()
	ip, err := m.host.Addrs()[0].ValueForProtocol(ma.P_IP4)
	if err != nil {
		w.t.Fatal(err)
	}
	w.radios.Store(ip, r)
}

// backlog imports n messages that are an hour old: gossip does not tell them any more.
func (m *member) backlog(t *testing.T, d protocol.Draft, n int) (msgs []*protocol.Message) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Channel = water(t)
	began := uint64(time.Now().Add(-time.Hour).UnixMilli())
	for i := range n {
		d.Created = began + uint64(i)
		msg, err := protocol.Sign(key, d)
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, msg)
	}
	m.holds(t, msgs)
	return msgs
}

// holds imports messages that are an hour old.
func (m *member) holds(t *testing.T, msgs []*protocol.Message) {
	t.Helper()
	file := func(yield func(protocol.CarryRecord, error) bool) {
		for _, msg := range msgs {
			if !yield(protocol.CarryRecord{Wire: msg.Wire(), Age: time.Hour}, nil) {
				return
			}
		}
	}
	if done, err := m.Import(t.Context(), file); err != nil || done.New != len(msgs) {
		t.Fatal(done, err)
	}
}

// TestPoorRadio: over a radio of 40 kbit/s that several peers share everything comes to all of them, in thrice the time that it takes: to send it to one
// takes three minutes. Two of them do not lose their links meanwhile, though a full page of texts takes half a minute. As they begin, their
// first windows are more than the radio holds: what is lost then may cost a link, of two in one play of a hundred, and of four it does.
func TestPoorRadio(t *testing.T) {
	texts := protocol.Draft{Body: bytes.Repeat([]byte("a"), 4<<10)}
	chunks := protocol.Draft{Class: protocol.Media, Kind: protocol.KindChunk, Body: make([]byte, protocol.MaxBody)}
	for _, c := range []struct {
		what  string
		draft protocol.Draft
		n     int
		soon  bool // the radio is poor when they meet
	}{
		{"texts", texts, 200, false},
		{"photos", chunks, 20, false},
		{"texts from the beginning", texts, 200, true},
		{"photos from the beginning", chunks, 20, true},
	} {
		t.Run(c.what+" to two", func(t *testing.T) {
			cuts := 0
			for range 3 {
				if poorPlay(t, c.draft, c.n, 2, c.soon) < 18*time.Minute {
					cuts++
				}
			}
			if cuts > 1 { // two by chance: in one run of two thousand
				t.Errorf("somebody lost the link in %d plays of 3", cuts)
			}
		})
		if !c.soon {
			t.Run(c.what+" to four", func(t *testing.T) { poorPlay(t, c.draft, c.n, 4, false) })
		}
	}
}

// poorPlay gives peers a backlog over one poor radio and returns how old the youngest of their links is after ten minutes for each of
// them, if they are two.
func poorPlay(t *testing.T, d protocol.Draft, n, peers int, soon bool) (youngest time.Duration) {
	inWorld(t, func(t *testing.T, w *world) {
		hub := w.add(nil)
		air := &radio{bitsPerSecond: 40_000, queue: 10 * time.Second}
		var msgs []*protocol.Message
		if soon {
			msgs = hub.backlog(t, d, n)
			w.sendsOver(hub, air)
		}
		var met []*member
		for range peers {
			p := w.add(nil)
			w.meet(p, hub)
			met = append(met, p)
		}
		time.Sleep(15 * time.Second)
		if !soon {
			w.sendsOver(hub, air)
			msgs = hub.backlog(t, d, n)
		}
		for range 10 * peers {
			time.Sleep(time.Minute)
			for _, p := range met { // discovery dials again
				_ = p.host.Connect(t.Context(), p.host.Peerstore().PeerInfo(hub.host.ID()))
			}
		}
		time.Sleep(10 * time.Second) // for a link that was just dialled
		youngest = never
		for i, p := range met {
			if lacks := p.lacks(t, msgs); lacks != 0 {
				t.Errorf("peer %d lacks %d of %d", i, lacks, n)
			}
			if peers == 2 {
				youngest = min(youngest, linkAge(t, hub, p))
			}
		}
	})
	return youngest
}

// TestPoorPages: who gets what is new from two peers over one radio gets nothing twice: a page comes before what is asked of one is asked of the other
// too. It is as much as the radio's queue holds, so that nothing is lost.
func TestPoorPages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, c := w.add(nil), w.add(nil), w.add(nil)
		w.meet(c, a)
		w.meet(c, b)
		time.Sleep(15 * time.Second)
		air := &radio{bitsPerSecond: 40_000, queue: 10 * time.Second}
		w.sendsOver(a, air)
		w.sendsOver(b, air)
		msgs := a.backlog(t, protocol.Draft{Body: bytes.Repeat([]byte("a"), 1<<10)}, 36)
		b.holds(t, msgs)
		time.Sleep(time.Minute)
		if n := c.lacks(t, msgs); n != 0 {
			t.Errorf("c lacks %d of %d", n, len(msgs))
		}
		if n := gave(a, b); n != uint64(len(msgs)) {
			t.Errorf("%d messages were given for %d", n, len(msgs))
		}
	})
}

// TestPoorSources: who gets a backlog from two peers over one radio, which loses some of it, gets little twice. After a loss nothing comes for twice as long
// as leaseStale, but that was so when the first link began, too.
func TestPoorSources(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		w.meet(a, b)
		msgs := a.backlog(t, protocol.Draft{Body: bytes.Repeat([]byte("a"), 1<<10)}, 400)
		time.Sleep(20 * time.Second)
		if n := b.lacks(t, msgs); n != 0 {
			t.Fatalf("the second source lacks %d", n)
		}
		before := gave(a, b)
		air := &radio{bitsPerSecond: 40_000, queue: 10 * time.Second}
		w.sendsOver(a, air)
		w.sendsOver(b, air)
		c := w.add(nil)
		w.meet(c, a)
		w.meet(c, b)
		time.Sleep(5 * time.Minute)
		if n := c.lacks(t, msgs); n != 0 {
			t.Errorf("c lacks %d of %d", n, len(msgs))
		}
		if n := gave(a, b) - before; n > uint64(len(msgs))*105/100 {
			t.Errorf("%d messages were given for %d", n, len(msgs))
		}
	})
}

// TestDrops: a peer that sends what it was asked for drop by drop loses its link.
func TestDrops(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		s := w.stranger(victim)
		one := append([]byte{0, 0, 1}, make([]byte, 16)...) // SPEC 14: a Root of one message
		s.say(fr.Round, append(fr.AppendScope(nil, reconcile.Scope{Ranks: 7}), one...))
		var number []byte
		for f := range s.frames {
			if f.kind == fr.Pull {
				_, n := binary.Uvarint(f.payload)
				number = f.payload[:n]
				break
			}
		}
		if number == nil {
			t.Fatal("the link has ended before anything was asked for")
		}
		began := time.Now()
		drop := append(binary.AppendUvarint([]byte{byte(fr.Messages)}, protocol.MaxFrame), number...)
		for {
			if _, err := s.stream.Write(drop); err != nil {
				break
			}
			time.Sleep(19 * time.Second)
			drop = []byte{0}
			if time.Since(began) > 2*time.Minute {
				t.Fatal("the link is open after two minutes, in which seven bytes came of what was asked for")
			}
		}
	})
}
