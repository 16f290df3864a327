package node_test

import (
	"context"
	"encoding/binary"
	"strings"
	"sync"
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

// trickler is a host whose node offers messages in sync and, when asked, goes on to give none.
type trickler struct {
	host.Host
	end chan struct{}
}

func (m trickler) NewStream(ctx context.Context, p peer.ID, ids ...libp2p.ID) (network.Stream, error) {
	s, err := m.Host.NewStream(ctx, p, ids...)
	return &trickle{Stream: s, end: m.end}, err
}

func (m trickler) SetStreamHandler(id libp2p.ID, h network.StreamHandler) {
	m.Host.SetStreamHandler(id, func(s network.Stream) { h(&trickle{Stream: s, end: m.end}) })
}

// trickle is a stream of a trickler's.
type trickle struct {
	network.Stream
	end chan struct{}
	mu  sync.Mutex // one frame is written at a time
}

// Write passes on all frames of sync but those with messages and the ends of answers. In their place frames that hold nothing come every three
// seconds. A node writes whole frames.
func (s *trickle) Write(b []byte) (int, error) {
	if !strings.HasPrefix(string(s.Protocol()), "/longear/sync/") {
		return s.Stream.Write(b)
	}
	var out []byte
	for rest := b; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		whole := rest[:1+n+int(size)]
		rest = rest[len(whole):]
		switch fr.Kind(whole[0]) {
		case fr.Messages:
			number, _ := binary.Uvarint(whole[1+n:])
			go s.drip(fr.Append(nil, fr.Messages, binary.AppendUvarint(nil, number)))
		case fr.Done:
		default:
			out = append(out, whole...)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.Stream.Write(out); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (s *trickle) drip(nothing []byte) {
	for {
		select {
		case <-time.After(3 * time.Second):
		case <-s.end:
			return
		}
		s.mu.Lock()
		s.Stream.SetWriteDeadline(time.Now().Add(time.Minute))
		_, err := s.Stream.Write(nothing)
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// TestTrickle: a peer that answers without end and without messages does not keep from a node what others would give it.
func TestTrickle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		victim := w.add(nil)
		msg, err := protocol.Sign(victim.key, protocol.Draft{Channel: water(t), Body: []byte("drop by drop")})
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
		end := make(chan struct{})
		defer close(end)
		w.meet(w.join(has(), func(c *node.Config) {
			open := c.Host
			c.Host = func() (host.Host, error) {
				h, err := open()
				return trickler{h, end}, err
			}
		}), victim)
		time.Sleep(15 * time.Second)
		w.meet(victim, w.add(has()))
		time.Sleep(10 * time.Second)
		if victim.lacks(t, []*protocol.Message{msg}) != 0 {
			t.Error("an honest peer came, and ten seconds later the message had not")
		}
	})
}
