package crowd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multiaddr"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"longear/protocol"
)

// guise is a member's host. While the member is honest it is the host itself; a mute one loses what it should pass on and a
// liar alters what it says in sync. The node above knows nothing of it: all else about it is real.
type guise struct {
	host.Host
	m *member
}

// Connect implements host.Host. Over the air an owner names the TCP port where it listens, and in the crowd it is QUIC that listens
// there.
func (g *guise) Connect(ctx context.Context, info peer.AddrInfo) error {
	addrs := make([]multiaddr.Multiaddr, 0, len(info.Addrs))
	for _, a := range info.Addrs {
		if port, err := a.ValueForProtocol(multiaddr.P_TCP); err == nil {
			ip, _ := multiaddr.SplitFirst(a)
			a = ip.Multiaddr().Encapsulate(multiaddr.StringCast("/udp/" + port + "/quic-v1"))
		}
		addrs = append(addrs, a)
	}
	return g.Host.Connect(ctx, peer.AddrInfo{ID: info.ID, Addrs: addrs})
}

// NewStream implements host.Host.
func (g *guise) NewStream(ctx context.Context, p peer.ID, ids ...libp2p.ID) (network.Stream, error) {
	s, err := g.Host.NewStream(ctx, p, ids...)
	if err != nil {
		return nil, err
	}
	return g.wear(s), nil
}

// SetStreamHandler implements host.Host.
func (g *guise) SetStreamHandler(id libp2p.ID, h network.StreamHandler) {
	g.Host.SetStreamHandler(id, func(s network.Stream) { h(g.wear(s)) })
}

// SetStreamHandlerMatch implements host.Host.
func (g *guise) SetStreamHandlerMatch(id libp2p.ID, match func(libp2p.ID) bool, h network.StreamHandler) {
	g.Host.SetStreamHandlerMatch(id, match, func(s network.Stream) { h(g.wear(s)) })
}

// wear puts the guise on a stream of ours.
func (g *guise) wear(s network.Stream) network.Stream {
	name := string(s.Protocol())
	switch {
	case strings.HasPrefix(name, "/longear/meshsub/"):
		return &worn{Stream: s, m: g.m, cut: cutRPC, change: changeRPC}
	case strings.HasPrefix(name, "/longear/sync/"):
		return &worn{Stream: s, m: g.m, cut: cutFrame, change: (&lies{dice: rng(g.m.w.seed, "lie", g.m.number)}).change}
	}
	return s
}

// worn is a stream whose writes are cut into frames and changed, frame by frame, while its member is not honest.
type worn struct {
	network.Stream
	m      *member
	cut    func([]byte) int                  // the length of the first whole frame, 0 if there is none
	change func(r role, frame []byte) []byte // nil: lost

	mu   sync.Mutex
	part []byte // guarded by mu; a frame that is not whole yet
}

// Write implements network.Stream.
func (s *worn) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := role(s.m.role.Load())
	if r != mute && r != liar && len(s.part) == 0 && s.whole(b) {
		return s.Stream.Write(b)
	}
	s.part = append(s.part, b...)
	var out []byte
	for {
		n := s.cut(s.part)
		if n == 0 {
			break
		}
		if r == mute || r == liar {
			out = append(out, s.change(r, s.part[:n])...)
		} else {
			out = append(out, s.part[:n]...)
		}
		s.part = append([]byte(nil), s.part[n:]...)
	}
	if len(out) > 0 {
		if _, err := s.Stream.Write(out); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// whole reports whether b is nothing but whole frames.
func (s *worn) whole(b []byte) bool {
	for len(b) > 0 {
		n := s.cut(b)
		if n == 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// cutRPC is pubsub's framing: a length and so many bytes.
func cutRPC(b []byte) int {
	size, n := binary.Uvarint(b)
	if n <= 0 || uint64(len(b)-n) < size {
		return 0
	}
	return n + int(size)
}

// cutFrame is the sync protocol's (SPEC.md section 15): a type, a length and so many bytes.
func cutFrame(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if n := cutRPC(b[1:]); n > 0 {
		return 1 + n
	}
	return 0
}

// changeRPC takes messages and the news of them out of an RPC; a liar gossips like anybody.
func changeRPC(r role, frame []byte) []byte {
	_, n := binary.Uvarint(frame)
	var rpc pb.RPC
	if r != mute || proto.Unmarshal(frame[n:], &rpc) != nil {
		return frame
	}
	rpc.Publish = nil
	if rpc.Control != nil {
		rpc.Control.Ihave = nil
	}
	b, err := proto.Marshal(&rpc)
	if err != nil {
		return frame
	}
	return protowire.AppendBytes(nil, b)
}

// The frames of the sync protocol that are changed.
const (
	frameRecon    = 3
	frameMessages = 5
)

// lies is what is done to one sync stream.
type lies struct {
	dice *rand.Rand
	said []byte // an earlier reconciliation message
}

// change loses the messages of a mute node. A liar says again what was true of other sets, says what was never true, and
// keeps messages it was asked for.
func (l *lies) change(r role, frame []byte) []byte {
	switch {
	case frame[0] == frameMessages && (r == mute || l.dice.IntN(4) == 0):
		return nil
	case frame[0] != frameRecon || r == mute || l.dice.IntN(4) == 0:
		return frame
	}
	said := l.said
	l.said = bytes.Clone(frame)
	if said != nil && l.dice.IntN(2) == 0 {
		return said
	}
	_, n := binary.Uvarint(frame[1:])
	lie := bytes.Clone(frame)
	if body := lie[1+n:]; len(body) > 4 {
		for range 1 + l.dice.IntN(8) {
			body[4+l.dice.IntN(len(body)-4)] ^= byte(1 + l.dice.IntN(255))
		}
	}
	return lie
}

// flood is a member that makes messages as fast as it is told to, each by another author.
type flood struct {
	stop func()
}

// floodFrom begins a flood, or ends it with a rate of 0.
func (w *World) floodFrom(m *member, perSecond float64) {
	if m.flood != nil {
		m.flood.stop()
		m.flood = nil
	}
	if perSecond <= 0 {
		return
	}
	m.role.Store(uint32(flooder))
	ctx, cancel := context.WithCancel(w.ctx)
	over := make(chan struct{})
	n := m.node
	m.flood = &flood{stop: func() { cancel(); <-over }}
	go func() {
		defer close(over)
		tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			msg, err := protocol.Sign(ed25519.NewKeyFromSeed(keyOf(w.seed, fmt.Sprint("flood", i), m.number).Seed()), protocol.Draft{
				Created: uint64(time.Now().UnixMilli()), Channel: w.channel, Body: fmt.Appendf(nil, "flood %d %080d", i, i),
			})
			if err != nil {
				continue
			}
			w.ledger.expectNoise(msg)
			_ = n.PostOwn(ctx, msg) // a full store ends nothing: the flooder goes on
		}
	}()
}
