package node_test

import (
	"context"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// miser is a host whose node offers messages in sync and never gives any.
type miser struct{ host.Host }

func (m miser) NewStream(ctx context.Context, p peer.ID, ids ...libp2p.ID) (network.Stream, error) {
	s, err := m.Host.NewStream(ctx, p, ids...)
	return stingy{s}, err
}

func (m miser) SetStreamHandler(id libp2p.ID, h network.StreamHandler) {
	m.Host.SetStreamHandler(id, func(s network.Stream) { h(stingy{s}) })
}

// stingy is a stream of a miser's.
type stingy struct{ network.Stream }

// Write passes on all frames of sync but those with messages. A node writes whole frames.
func (s stingy) Write(b []byte) (int, error) {
	if !strings.HasPrefix(string(s.Protocol()), "/longear/sync/") {
		return s.Stream.Write(b)
	}
	var out []byte
	for rest := b; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		whole := rest[:1+n+int(size)]
		if rest = rest[len(whole):]; whole[0] != frameMessages {
			out = append(out, whole...)
		}
	}
	if _, err := s.Stream.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

// frameMessages is the kind of frame that a miser keeps to itself (SPEC.md section 15).
const frameMessages = 5

// TestMisers: peers that offer what they never give do not make a node ask one after the other without end, and cost nobody
// the message who can have it.
func TestMisers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg, err := protocol.Sign(victim.key, protocol.Draft{Channel: water(t), Body: []byte("nobody gives it")})
		if err != nil {
			t.Fatal(err)
		}
		has := func() *store.Store {
			st, err := store.Open(store.Config{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Put(t.Context(), []store.Item{{Message: msg, Age: time.Hour}}); err != nil {
				t.Fatal(err)
			}
			return st
		}
		for range 5 {
			w.meet(w.join(has(), func(c *node.Config) {
				open := c.Host
				c.Host = func() (host.Host, error) {
					h, err := open()
					return miser{h}, err
				}
			}), victim)
		}
		time.Sleep(2 * time.Minute)
		before := victim.Status().Sync
		time.Sleep(10 * time.Minute)
		after := victim.Status().Sync
		if n := (after.Sent + after.Received - before.Sent - before.Received) / 10; after.Took != 0 || n == 0 || n > 6000 {
			t.Errorf("5 misers cost %d bytes of sync a minute, and gave %d messages", n, after.Took)
		}
		w.meet(victim, w.add(has()))
		time.Sleep(2 * time.Second)
		if victim.lacks(t, []*protocol.Message{msg}) != 0 {
			t.Error("an honest peer came, and the message did not")
		}
	})
}
