package node_test

import (
	"bufio"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	sync "longear/protocol/frame"
	"longear/protocol/reconcile"
)

// stranger is a peer that says over a sync stream what the test says.
type stranger struct {
	t      *testing.T
	stream network.Stream
	frames chan heard // what comes; closed when the stream has ended
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
			kind, payload, err := sync.Read(r)
			if err != nil {
				return
			}
			s.frames <- heard{kind, payload}
		}
	}()
	s.say(sync.Hello, append([]byte{0x08, 1, 0x3a, 16}, make([]byte, 16)...))
	return s
}

func (s *stranger) say(kind sync.Kind, payload []byte) {
	s.t.Helper()
	if _, err := s.stream.Write(sync.Append(nil, kind, payload)); err != nil {
		s.t.Fatal(err)
	}
}

// round begins a round with a root that no store has.
func (s *stranger) round() {
	root := append([]byte{0, 0, 99}, make([]byte, 16)...)
	s.say(sync.Round, append(sync.AppendScope(nil, reconcile.Scope{Ranks: 7}), root...))
}

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
						p := reconcile.Prefix{}.Child(rank)
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
