package node_test

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"

	"longear/node"
	"longear/protocol"
	fr "longear/protocol/frame"
	"longear/store"
)

// miser is a host whose node offers messages in sync and gives none: keeps says which of its frames do not go out.
type miser struct {
	host.Host
	keeps func(s *stingy, whole []byte) bool
}

func (m miser) NewStream(ctx context.Context, p peer.ID, ids ...libp2p.ID) (network.Stream, error) {
	s, err := m.Host.NewStream(ctx, p, ids...)
	return &stingy{Stream: s, keeps: m.keeps}, err
}

func (m miser) SetStreamHandler(id libp2p.ID, h network.StreamHandler) {
	m.Host.SetStreamHandler(id, func(s network.Stream) { h(&stingy{Stream: s, keeps: m.keeps}) })
}

// stingy is a stream of a miser's.
type stingy struct {
	network.Stream
	keeps func(s *stingy, whole []byte) bool
	mu    sync.Mutex // whole frames are written at a time
}

// Write passes on all frames of sync but those that are kept. A node writes whole frames.
func (s *stingy) Write(b []byte) (int, error) {
	if !strings.HasPrefix(string(s.Protocol()), "/longear/sync/") {
		return s.Stream.Write(b)
	}
	var out []byte
	for rest := b; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		whole := rest[:1+n+int(size)]
		if rest = rest[len(whole):]; !s.keeps(s, whole) {
			out = append(out, whole...)
		}
	}
	if err := s.put(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s *stingy) put(frames []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.Stream.Write(frames)
	return err
}

// offered is a message that its author has not, and others have had for an hour: gossip does not tell it any more.
type offered struct{ *protocol.Message }

func offer(t *testing.T, author ed25519.PrivateKey) offered {
	t.Helper()
	msg, err := protocol.Sign(author, protocol.Draft{Channel: water(t), Body: []byte("nobody gives it")})
	if err != nil {
		t.Fatal(err)
	}
	return offered{msg}
}

// kept is a store that has it.
func (o offered) kept(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Put(t.Context(), []store.Item{{Message: o.Message, Age: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	return st
}

// miser starts a miser that has it.
func (o offered) miser(t *testing.T, w *world, keeps func(s *stingy, whole []byte) bool) *member {
	t.Helper()
	return w.join(o.kept(t), func(c *node.Config) {
		open := c.Host
		c.Host = func(o node.HostOptions) (host.Host, error) {
			h, err := open(o)
			return miser{h, keeps}, err
		}
	})
}

// TestMisers: peers that offer what they never give do not make a node ask one after the other without end, and cost nobody
// the message who can have it.
func TestMisers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg := offer(t, victim.key)
		for range 5 {
			w.meet(msg.miser(t, w, func(_ *stingy, whole []byte) bool { return fr.Kind(whole[0]) == fr.Messages }), victim)
		}
		time.Sleep(2 * time.Minute)
		before := victim.Status().Sync
		time.Sleep(10 * time.Minute)
		after := victim.Status().Sync
		if n := (after.Sent + after.Received - before.Sent - before.Received) / 10; after.Took != 0 || n == 0 || n > 6000 {
			t.Errorf("5 misers cost %d bytes of sync a minute, and gave %d messages", n, after.Took)
		}
		w.meet(victim, w.add(msg.kept(t)))
		time.Sleep(2 * time.Second)
		if victim.lacks(t, []*protocol.Message{msg.Message}) != 0 {
			t.Error("an honest peer came, and the message did not")
		}
	})
}

// silent keeps messages back, and that there will be no more.
func silent(_ *stingy, whole []byte) bool {
	return fr.Kind(whole[0]) == fr.Messages || fr.Kind(whole[0]) == fr.Done
}

// TestLeft: what rounds with one peer left to another, which then goes away without having given it, comes from the first
// although nothing has changed since. Who dials starts the rounds, and takes what nobody asked it for in one of them for settled: it
// posts, so that rounds come as fast as they may, and on a slow network the next begins before all is said about the last.
func TestLeft(t *testing.T) {
	for _, c := range []struct {
		what   string
		oneWay time.Duration
		dials  bool
	}{
		{"the node dials", 5 * time.Millisecond, true},
		{"the peer dials", 5 * time.Millisecond, false},
		{"the peer dials, 100 ms away", 100 * time.Millisecond, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			inWorldAt(t, c.oneWay, func(t *testing.T, w *world) {
				victim := w.add(nil)
				victim.post(t, 600)
				msg := offer(t, victim.key)
				other := msg.miser(t, w, silent)
				w.meet(other, victim)
				time.Sleep(time.Second)
				honest := w.add(msg.kept(t))
				if c.dials {
					w.meet(victim, honest)
				} else {
					w.meet(honest, victim)
				}
				time.Sleep(time.Second)
				for range 20 {
					honest.post(t, 1)
					time.Sleep(90 * time.Millisecond)
				}
				other.stop()
				time.Sleep(5 * time.Second)
				if victim.lacks(t, []*protocol.Message{msg.Message}) != 0 {
					t.Error("the other peer is gone, and the message has not come")
				}
			})
		})
	}
}

// TestUnanswered: a peer that answers no pull loses its link, however many rounds it starts. It posts, so that its rounds come before any of
// the node's own.
func TestUnanswered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		other := offer(t, victim.key).miser(t, w, silent)
		w.meet(other, victim)
		met := time.Now()
		for time.Since(met) < 80*time.Second {
			other.post(t, 1)
			time.Sleep(time.Second)
		}
		if age := linkAge(t, victim, other); age > 20*time.Second {
			t.Errorf("a link of %v is open, over which a pull has had no answer", age)
		}
	})
}

// linkAge is how long the one link of two nodes has been open.
func linkAge(t *testing.T, a, b *member) (age time.Duration) {
	t.Helper()
	links := 0
	for _, c := range a.host.Network().ConnsToPeer(b.host.ID()) {
		for _, s := range c.GetStreams() {
			if strings.HasPrefix(string(s.Protocol()), "/longear/sync/") {
				links++
				age = time.Since(s.Stat().Opened)
			}
		}
	}
	if links != 1 {
		t.Errorf("%d links are open, want 1", links)
	}
	return age
}

// TestNeverDone: a peer that says after every round that it left something out, or asks for one all the time, has them as fast as one that starts
// them may, and not as fast as the network goes. Nothing that it has is lost for that.
func TestNeverDone(t *testing.T) {
	for _, c := range []struct {
		what        string
		says        func(s *stingy, recon []byte) // of the payload of each
		least, most int
	}{
		{"left something out", func(_ *stingy, recon []byte) { recon[0] = 1 }, 600, 1200}, // SPEC 14: the flag incomplete
		{"has something new", func(s *stingy, _ []byte) { s.put(fr.Append(nil, fr.Nudge, nil)) }, 100, 600},
	} {
		t.Run(c.what, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				victim := w.add(nil)
				msg := offer(t, victim.key)
				var rounds atomic.Int64
				other := msg.miser(t, w, func(s *stingy, whole []byte) bool {
					if fr.Kind(whole[0]) == fr.Recon {
						_, n := binary.Uvarint(whole[1:])
						c.says(s, whole[1+n:])
						rounds.Add(1)
					}
					return false
				})
				w.meet(victim, other)
				time.Sleep(time.Minute)
				if age := linkAge(t, victim, other); age < 59*time.Second {
					t.Errorf("the link is %v old: the peer's own bound ended the first", age)
				}
				if n := int(rounds.Load()); n < c.least || n > c.most {
					t.Errorf("%d rounds in a minute, want %d to %d", n, c.least, c.most)
				}
				if victim.lacks(t, []*protocol.Message{msg.Message}) != 0 {
					t.Error("the message that the peer has did not come")
				}
			})
		})
	}
}

// TestTrickle: a peer that answers without end does not keep from a node what others would give it: not for long with frames
// that hold nothing, and not for ever with messages of its own that nobody asked it for.
func TestTrickle(t *testing.T) {
	for _, c := range []struct {
		what   string
		drops  func(*protocol.Message) []byte // of each frame, what comes after the request's number
		within time.Duration
	}{
		{"nothing", func(*protocol.Message) []byte { return nil }, 10 * time.Second},
		{"messages of its own", func(m *protocol.Message) []byte { return fr.AppendRecord(nil, 0, m.Wire()) }, 2 * time.Minute},
	} {
		t.Run(c.what, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				victim := w.add(nil)
				msg := offer(t, victim.key)
				other := w.add(nil).post(t, 100)
				end := make(chan struct{})
				defer close(end)
				// In place of the message, a drop comes every three seconds, and no end. What else is asked for is answered: a link is lost
				// for less.
				drip := func(s *stingy, number uint64) {
					for _, m := range other {
						select {
						case <-time.After(3 * time.Second):
						case <-end:
							return
						}
						s.SetWriteDeadline(time.Now().Add(time.Minute))
						if s.put(fr.Append(nil, fr.Messages, append(binary.AppendUvarint(nil, number), c.drops(m)...))) != nil {
							return
						}
					}
				}
				type request struct {
					s      *stingy
					number uint64
				}
				var dripping sync.Map // by request
				w.meet(msg.miser(t, w, func(s *stingy, whole []byte) bool {
					_, n := binary.Uvarint(whole[1:])
					number, _ := binary.Uvarint(whole[1+n:])
					switch fr.Kind(whole[0]) {
					case fr.Messages:
						if _, again := dripping.LoadOrStore(request{s, number}, true); !again {
							go drip(s, number)
						}
						return true
					case fr.Done:
						_, endless := dripping.Load(request{s, number})
						return endless
					}
					return false
				}), victim)
				time.Sleep(15 * time.Second)
				w.meet(victim, w.add(msg.kept(t)))
				time.Sleep(c.within)
				if victim.lacks(t, []*protocol.Message{msg.Message}) != 0 {
					t.Errorf("an honest peer came, and %v later the message had not", c.within)
				}
			})
		})
	}
}
