package node_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"longear/protocol"
	sync "longear/protocol/frame"
	"longear/protocol/reconcile"
)

// stranger is a peer that says over a sync stream what the test says.
type stranger struct {
	t      *testing.T
	stream network.Stream
	frames chan heard // what comes; closed when the stream has ended
	rounds byte
}

type heard struct {
	kind    sync.Kind
	payload []byte
}

// stranger connects to a node and says hello.
func (w *world) stranger(victim *member) *stranger {
	h := w.listen()
	w.t.Cleanup(func() { h.Close() })
	s := &stranger{t: w.t, stream: syncWith(w.t, h, victim), frames: make(chan heard, 1<<16)}
	go func() {
		defer close(s.frames)
		for r := bufio.NewReader(s.stream); ; {
			kind, payload, err := sync.Read(r, func(sync.Kind, []byte) {})
			if err != nil {
				return
			}
			s.frames <- heard{kind, payload}
		}
	}()
	s.say(sync.Hello, hello)
	return s
}

func (s *stranger) say(kind sync.Kind, payload []byte) {
	s.t.Helper()
	if _, err := s.stream.Write(sync.Append(nil, kind, payload)); err != nil {
		s.t.Fatal(err)
	}
}

// round begins a round with a root that no store has, and that was not settled in the rounds before.
func (s *stranger) round() {
	s.rounds++
	s.say(sync.Round, newRound(s.rounds))
}

func newRound(number byte) []byte {
	root := append([]byte{0, 0, 99, number}, make([]byte, 15)...)
	return append(sync.AppendScope(nil, reconcile.Scope{Ranks: 7}), root...)
}

// hello is one with a salt of zeros.
var hello = append([]byte{0x08, 1, 0x3a, 16}, make([]byte, 16)...)

// offer says which keys it has, and ends the round with that.
func (s *stranger) offer(has []reconcile.Want) {
	const kindOffer = 5 // of the items of section 14: coded as wants are
	msg, from := []byte{0}, 0
	for i := range has {
		coded := reconcile.AppendWants(nil, has[:i+1])
		coded[from] |= kindOffer << 5
		msg, from = append(msg, coded[from:]...), len(coded)
	}
	s.say(sync.Recon, msg)
}

// TestToldMuch: a peer that says without end what it has, and holds up what it is asked for, makes a node keep no more than so much of it in
// mind.
func TestToldMuch(t *testing.T) {
	const rounds, lists, each = 50, 4, 4000
	const most = 1<<16 + 2*(2048+each) // short IDs: what waits, and two pulls
	for name, rank := range map[string]uint8{"texts": 1, "chunks": 2} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				victim := w.add(nil)
				victim.post(t, 20)
				s := w.stranger(victim)
				before := live()
				short := uint32(0)
				for i := range uint16(rounds) {
					s.round()
					var has []reconcile.Want
					for j := range uint8(lists) {
						p := under(rank)
						for shift := range 4 {
							p = p.Child(uint8(i >> (12 - 4*shift)))
						}
						w := reconcile.Want{Prefix: p.Child(j)}
						for range each {
							short++
							w.Short = append(w.Short, reconcile.ShortID(short))
						}
						has = append(has, w)
					}
					s.offer(has)
				}
				time.Sleep(5 * time.Second)
				t.Logf("%d kB are held of %d short IDs", (live()-before)>>10, short)
				asked := 0
				for quiet := false; !quiet; {
					select {
					case f, ok := <-s.frames:
						if !ok {
							t.Fatal("the link has ended")
						}
						if f.kind != sync.Pull {
							continue
						}
						p, err := sync.ParseRequest(f.payload)
						if err != nil {
							t.Fatal(err)
						}
						for _, w := range p.Wants {
							asked += len(w.Short)
						}
						s.say(sync.Done, binary.AppendUvarint(nil, p.Number))
					case <-time.After(time.Minute):
						quiet = true
					}
				}
				t.Logf("%d short IDs are asked for", asked)
				if asked < each || asked > most {
					t.Errorf("%d short IDs are asked for, want at most %d", asked, most)
				}
			})
		})
	}
}

// live is how many bytes are in use.
func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestVainPull: an alert does not wait for a request that is the work of a million keys and brings nothing.
func TestVainPull(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		victim.post(t, 8000)
		alert, err := victim.Publish(t.Context(), protocol.Draft{Channel: water(t), Class: protocol.Alert, Body: []byte("leave the square")})
		if err != nil {
			t.Fatal(err)
		}
		s := w.stranger(victim)
		vain := sync.Request{Number: 1, Wants: slices.Repeat([]reconcile.Want{{Prefix: under(1), Short: []reconcile.ShortID{1}}}, 200)}
		urgent := sync.Request{Number: 2, Wants: []reconcile.Want{{Prefix: under(0), Whole: true}}}
		b := sync.Append(nil, sync.Pull, vain.Append(nil))
		if _, err := s.stream.Write(sync.Append(b, sync.Pull, urgent.Append(nil))); err != nil {
			t.Fatal(err)
		}
		var came []string
		for len(came) < 3 {
			select {
			case f := <-s.frames:
				if f.kind != sync.Messages && f.kind != sync.Done {
					continue
				}
				number, n := binary.Uvarint(f.payload)
				came = append(came, fmt.Sprint(f.kind, number))
				if f.kind == sync.Messages && !bytes.Contains(f.payload[n:], alert.Wire()) {
					t.Errorf("%d bytes of messages are not the alert", len(f.payload))
				}
			case <-time.After(time.Minute):
				t.Fatalf("so far %v", came)
			}
		}
		if want := []string{fmt.Sprint(sync.Messages, 2), fmt.Sprint(sync.Done, 2), fmt.Sprint(sync.Done, 1)}; !slices.Equal(came, want) {
			t.Errorf("kinds and numbers are %v, want %v", came, want)
		}
	})
}

// TestVainOffers: rounds that make a node read all that it has, without end, are answered as fast as the work for a link may be, and the link
// lives on.
func TestVainOffers(t *testing.T) {
	const seconds, rate, each = 10, 15, 65_000 // keys read for a round, at least
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msgs := victim.post(t, 3000)
		s := w.stranger(victim)
		var salt reconcile.Salt
		known := []reconcile.ShortID{salt.Short(reconcile.ID(msgs[0].ID))} // there is nothing to pull
		all := slices.Repeat([]reconcile.Want{{Prefix: under(1), Short: known}}, 30)
		for range seconds * rate {
			s.round()
			s.offer(all)
			time.Sleep(time.Second / rate)
		}
		answered := 0
		for len(s.frames) > 0 {
			f, ok := <-s.frames
			if !ok {
				t.Fatal("the link has ended")
			}
			if f.kind == sync.Recon {
				answered++
			}
		}
		const most = (4_000_000 + seconds*100_000) / each
		t.Logf("%d of %d rounds are answered, %d million keys", answered, seconds*rate, answered*each/1_000_000)
		if answered < most/2 || answered > most+1 {
			t.Errorf("%d of %d rounds are answered, want %d", answered, seconds*rate, most)
		}
	})
}

// TestStreamAfterStream: a peer that opens stream after stream has no more rounds answered than over one.
func TestStreamAfterStream(t *testing.T) {
	const streams, each, seconds = 100, 50, 10 // rounds of each stream
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		h := w.listen()
		defer h.Close()
		var answered atomic.Int64
		for range streams {
			s := syncWith(t, h, victim)
			go func() {
				for r := bufio.NewReader(s); ; {
					kind, _, err := sync.Read(r, func(sync.Kind, []byte) {})
					if err != nil {
						return
					}
					if kind == sync.Recon {
						answered.Add(1)
					}
				}
			}()
			b := sync.Append(nil, sync.Hello, hello)
			for i := range byte(each) {
				b = sync.Append(b, sync.Round, newRound(i))
			}
			s.Write(b) // which fails when the stream has been refused
			time.Sleep(seconds * time.Second / streams)
		}
		const most = 100 + seconds*20
		if n := answered.Load(); n < each || n > most {
			t.Errorf("%d of %d rounds are answered in %d s, want at most %d", n, streams*each, seconds, most)
		}
	})
}

// TestTooManyStreams: a stream that is one too many is refused, and does not end the link that there is.
func TestTooManyStreams(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		h := w.listen()
		defer h.Close()
		var open []network.Stream
		still := func() (left []int) {
			time.Sleep(time.Second)
			for i, s := range open {
				if _, err := s.Write(sync.Append(nil, sync.Done, []byte{1})); err == nil {
					left = append(left, i)
				}
			}
			return left
		}
		for range 150 {
			s := syncWith(t, h, victim)
			if _, err := s.Write(sync.Append(nil, sync.Hello, hello)); err != nil {
				t.Fatal(err)
			}
			open = append(open, s)
			time.Sleep(time.Millisecond)
		}
		if left := still(); len(left) != 1 || left[0] < 99 || left[0] > 105 {
			t.Errorf("of 150 streams %v are open, want one of the first 100 or a few more", left)
		}
		open = append(open, syncWith(t, h, victim))
		open[150].Write(sync.Append(nil, sync.Hello, hello))
		if left := still(); len(left) != 1 || left[0] != 150 {
			t.Errorf("a second later %v are open, want the new one", left)
		}
	})
}

// under is the prefix of a rank.
func under(rank uint8) reconcile.Prefix { return reconcile.Prefix{}.Child(rank) }
