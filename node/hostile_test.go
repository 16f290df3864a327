package node_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// forged is a well-formed message with somebody else's signature.
func forged(t *testing.T, i int) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := protocol.Sign(key, protocol.Draft{Channel: water(t), Body: fmt.Appendf(nil, "the square is empty %d", i)})
	if err != nil {
		t.Fatal(err)
	}
	wire := bytes.Clone(m.Wire())
	wire[len(wire)-40] ^= 1
	return wire
}

// mesh joins the gossip of the network with a bare host, as an attacker would.
func mesh(t *testing.T, ctx context.Context, h host.Host) *pubsub.Topic {
	t.Helper()
	ps, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubProtocols([]libp2p.ID{"/longear/meshsub/1.2.0"},
			func(f pubsub.GossipSubFeature, _ libp2p.ID) bool { return f == pubsub.GossipSubFeatureMesh }),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign), pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(func(m *pb.Message) string { return string(m.GetData()) }))
	if err != nil {
		t.Fatal(err)
	}
	topic, err := ps.Join("longear/1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topic.Relay(); err != nil {
		t.Fatal(err)
	}
	return topic
}

// Forgery is the one thing that costs a peer its link: three bad signatures by gossip, and it is out and stays out, while
// honest messages go on arriving.
func TestForgerIsBanned(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim, honest := w.add(nil), w.add(nil)
		w.meet(honest, victim)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := w.listen()
		defer h.Close()
		topic := mesh(t, ctx, h)
		info := peer.AddrInfo{ID: victim.host.ID(), Addrs: victim.host.Addrs()}
		if err := h.Connect(ctx, info); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		began := time.Now()
		for i := range 200 {
			if err := topic.Publish(ctx, append([]byte{0}, forged(t, i)...)); err != nil {
				t.Fatal(err)
			}
		}
		msgs := honest.post(t, 50)
		time.Sleep(time.Second)
		if s := victim.Status(); s.Banned != 1 || s.Peers != 1 || s.Messages != 50 {
			t.Errorf("after %v: banned %d, peers %d, messages %d; want 1, 1, 50", time.Since(began), s.Banned, s.Peers, s.Messages)
		}
		if n := victim.lacks(t, msgs); n != 0 {
			t.Errorf("%d of 50 honest messages are missing", n)
		}
		if err := h.Connect(ctx, info); err == nil && h.Network().Connectedness(victim.host.ID()) == network.Connected {
			time.Sleep(100 * time.Millisecond)
			if h.Network().Connectedness(victim.host.ID()) == network.Connected {
				t.Error("the banned peer is connected again")
			}
		}
		if s := honest.Status(); s.Refused != 0 {
			t.Errorf("the honest peer was given %d forgeries", s.Refused)
		}
	})
}

// syncWith opens a sync stream as an attacker.
func syncWith(t *testing.T, h host.Host, victim *member) network.Stream {
	t.Helper()
	if err := h.Connect(t.Context(), peer.AddrInfo{ID: victim.host.ID(), Addrs: victim.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	s, err := h.NewStream(t.Context(), victim.host.ID(), "/longear/sync/1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func frame(kind byte, payload []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(payload))), payload...)
}

// Whatever comes over a sync stream that nobody asked for, or that is not the protocol, stores nothing and breaks nothing.
func TestHostileSync(t *testing.T) {
	honest := func(t *testing.T) []byte {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := protocol.Sign(key, protocol.Draft{Channel: water(t), Body: []byte("not asked for")})
		if err != nil {
			t.Fatal(err)
		}
		rec := append([]byte{1}, binary.AppendUvarint(nil, uint64(1+len(m.Wire())))...)
		return append(append(rec, 0), m.Wire()...)
	}
	hello := append([]byte{0x08, 1, 0x3a, 16}, make([]byte, 16)...)
	everything := reconcile.AppendWants([]byte{1, 0}, []reconcile.Want{{Whole: true}})
	for _, test := range []struct {
		name   string
		bytes  func(t *testing.T) []byte
		closed bool // the victim ends the stream
	}{
		{"messages that nobody asked for are dropped", func(t *testing.T) []byte { return frame(5, honest(t)) }, false},
		{"a frame longer than its type allows", func(*testing.T) []byte { return []byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f} }, true},
		{"an unknown frame type", func(*testing.T) []byte { return frame(99, nil) }, true},
		{"a round before a hello", func(*testing.T) []byte { return frame(2, []byte{0, 0, 0}) }, true},
		{"a hello without a salt", func(*testing.T) []byte { return frame(1, []byte{0x08, 1}) }, true},
		{"a reconciliation message outside a round", func(*testing.T) []byte { return append(frame(1, hello), frame(3, []byte{0})...) }, true},
		{"a nudge from the initiator", func(*testing.T) []byte { return append(frame(1, hello), frame(7, nil)...) }, true},
		{"a round of noise", func(*testing.T) []byte { return append(frame(1, hello), frame(2, []byte{0, 7, 9, 9, 9, 9})...) }, true},
		{"more pulls than anyone may have open", func(*testing.T) []byte { return bytes.Repeat(frame(4, everything), 5000) }, true},
		{"the end of an answer that was never asked", func(*testing.T) []byte { return frame(6, []byte{1}) }, false},
		{"a broken pull", func(*testing.T) []byte { return frame(4, []byte{1}) }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				victim := w.add(nil)
				victim.post(t, 3000)
				h := w.listen()
				defer h.Close()
				s := syncWith(t, h, victim)
				defer s.Reset()
				if _, err := s.Write(test.bytes(t)); err != nil && !test.closed {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Second)
				if got := victim.Status().Messages; got != 3000 {
					t.Errorf("%d messages are stored, want 3000", got)
				}
				_, err := s.Write(frame(6, []byte{1}))
				time.Sleep(time.Second)
				if err == nil {
					_, err = s.Write(frame(6, []byte{1}))
				}
				if closed := err != nil; closed != test.closed {
					t.Errorf("stream closed: %v, want %v", closed, test.closed)
				}
			})
		})
	}
}

// Random frames never crash a node or make it store anything.
func TestNoise(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		r := rand.New(rand.NewPCG(3, 4))
		h := w.listen()
		defer h.Close()
		for range 200 {
			if err := h.Connect(t.Context(), peer.AddrInfo{ID: victim.host.ID(), Addrs: victim.host.Addrs()}); err != nil {
				break // banned, as it should be
			}
			s, err := h.NewStream(t.Context(), victim.host.ID(), "/longear/sync/1")
			if err != nil {
				break
			}
			b := make([]byte, r.IntN(200))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			s.Write(append(frame(byte(1+r.IntN(7)), b), b...))
			time.Sleep(50 * time.Millisecond)
			s.Reset()
		}
		if s := victim.Status(); s.Messages != 0 || s.Banned == 0 {
			t.Errorf("%d messages, %d bans; want 0 and at least 1", s.Messages, s.Banned)
		}
	})
}

// Two nodes that differ for good, because one will not take what the other offers, settle at a small cost.
func TestUnequalNodesSettle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		msgs := a.post(t, 2000)
		var dead []reconcile.Key
		for i, m := range msgs {
			if i%4 == 0 {
				dead = append(dead, reconcile.NewKey(m.Class.Rank(), m.Created, reconcile.ID(m.ID)))
			}
		}
		if err := b.store.Refuse(t.Context(), dead); err != nil {
			t.Fatal(err)
		}
		w.meet(a, b)
		time.Sleep(20 * time.Second)
		if got := b.Status().Messages; got != 1500 {
			t.Fatalf("b has %d, want 1500: %+v, %+v", got, b.Status(), a.Status().Sync)
		}
		before := a.Status().Sync
		time.Sleep(5 * time.Minute)
		after := a.Status().Sync
		moved := after.Sent + after.Received - before.Sent - before.Received
		t.Logf("%d bytes in 5 minutes, %d messages given", moved, after.Gave-before.Gave)
		if after.Gave != before.Gave || moved > 60*150 {
			t.Errorf("%d bytes in about 60 rounds, %d messages given again", moved, after.Gave-before.Gave)
		}
	})
}

// What is published while two nodes that differ for good stay connected still passes, also when gossip loses it.
func TestNewsAmongTheSettled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.add(nil), w.add(nil)
		msgs := a.post(t, 100)
		k := reconcile.NewKey(msgs[0].Class.Rank(), msgs[0].Created, reconcile.ID(msgs[0].ID))
		if err := b.store.Refuse(t.Context(), []reconcile.Key{k}); err != nil {
			t.Fatal(err)
		}
		w.meet(a, b)
		time.Sleep(time.Minute)
		// LocalOnly never goes by gossip, and these simulated addresses are public: it must stay.
		m, err := a.Publish(t.Context(), protocol.Draft{Channel: water(t), Body: []byte("here only"), Flags: protocol.LocalOnly})
		if err != nil {
			t.Fatal(err)
		}
		news := a.post(t, 20)
		time.Sleep(10 * time.Second)
		if n := b.lacks(t, news); n != 0 {
			t.Errorf("b lacks %d of 20", n)
		}
		if b.lacks(t, []*protocol.Message{m}) != 1 {
			t.Error("a local message left over a link that is not local")
		}
	})
}
