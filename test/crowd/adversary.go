package crowd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
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
	"longear/protocol/frame"
)

// guise is a member's host. While the member is honest it is the host itself; a mute one loses what it should pass on and a
// liar alters what it says in sync, or of ages. The node above knows nothing of it: all else about it is real.
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

// The protocols that are worn: what a node says to others goes over these two, and a test looks whether it still does.
const (
	gossipStream = libp2p.ID("/longear/meshsub/1.2.0")
	syncStream   = libp2p.ID("/longear/sync/1")
)

// wear puts the guise on a stream of ours.
func (g *guise) wear(s network.Stream) network.Stream {
	d := &g.m.w.topology.deceits[g.m.number]
	switch s.Protocol() {
	case gossipStream:
		return &worn{Stream: s, m: g.m, cut: cutRPC, change: d.changeRPC}
	case syncStream:
		return &worn{Stream: s, m: g.m, cut: cutFrame, change: d.lies(g.m, s).change}
	}
	return s
}

// worn is a stream whose writes are cut into frames and changed, frame by frame, while its member is not honest.
type worn struct {
	network.Stream
	m      *member
	cut    func([]byte) int                  // the length of the first whole frame, 0 if there is none
	change func(r role, whole []byte) []byte // nil: lost

	mu   sync.Mutex
	part []byte // guarded by mu; a frame that is not whole yet
}

// Write implements network.Stream.
func (s *worn) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := role(s.m.role.Load())
	if !r.deceives() && len(s.part) == 0 && s.whole(b) {
		return s.Stream.Write(b)
	}
	s.part = append(s.part, b...)
	var out []byte
	for {
		n := s.cut(s.part)
		if n == 0 {
			break
		}
		if r.deceives() {
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

// cutFrame is the sync protocol's.
func cutFrame(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	_, _, rest, err := frame.Split(b)
	if err != nil { // a node writes none that is wrong, so it is not whole
		return 0
	}
	return len(b) - len(rest)
}

// deceit counts what one node's guise did, over all its lives.
type deceit struct {
	hushed atomic.Uint64                          // RPCs of gossip that lost what they told
	aged   atomic.Uint64                          // messages of which a wrong age was told
	frames [habits][frame.Nudge + 1]atomic.Uint64 // of sync, lost or altered; by habit, a mute node's under withholds, and by kind
}

// changeRPC takes messages and the news of them out of an RPC, or their ages; a liar in sync gossips like anybody.
func (d *deceit) changeRPC(r role, whole []byte) []byte {
	_, n := binary.Uvarint(whole)
	var rpc pb.RPC
	if r == liar || proto.Unmarshal(whole[n:], &rpc) != nil {
		return whole
	}
	if r == ager {
		d.age(&rpc)
	} else {
		d.hush(&rpc)
	}
	b, err := proto.Marshal(&rpc)
	if err != nil {
		return whole
	}
	return protowire.AppendBytes(nil, b)
}

// hush takes out what an RPC tells of messages.
func (d *deceit) hush(rpc *pb.RPC) {
	if len(rpc.Publish) > 0 || len(rpc.GetControl().GetIhave()) > 0 {
		d.hushed.Add(1)
	}
	rpc.Publish = nil
	if rpc.Control != nil {
		rpc.Control.Ihave = nil
	}
}

// age tells wrong ages of what is in an RPC, whose data a node has written.
func (d *deceit) age(rpc *pb.RPC) {
	for _, msg := range rpc.Publish {
		_, n := binary.Uvarint(msg.Data)
		wire := msg.Data[max(n, 0):]
		msg.Data = append(binary.AppendUvarint(nil, wrongAge(wire)), wire...)
		d.aged.Add(1)
	}
}

// wrongAge is what is said of a message's age, in ms: so much that it dies in dying, or nothing. It is the same from all who lie.
func wrongAge(wire []byte) uint64 {
	u, v := protocol.Decode(wire)
	if v != protocol.Accept || wire[len(wire)-1]&1 == 0 {
		return 0
	}
	_, d := u.Claims()
	return uint64(max(d.Life()-dying, 0).Milliseconds())
}

// dying is how much is left of a message's life that is said to be about to end.
const dying = 20 * time.Second

// habit is how a liar lies to one peer. It keeps to it: who does all of it is soon banned, and harms nobody.
type habit uint8

const (
	withholds habit = iota // answers what it is asked for with nothing
	stalls                 // does not answer that at all
	deaf                   // does not answer in a round
	agrees                 // says in each round that the sets are equal, and starts none
	boasts                 // offers what nobody has and, asked for it, stalls
	hides                  // says that it has nothing, or much that nobody has
	endless                // says in each round that it has left something out
	garbles                // breaks frames of every kind
	repeats                // says again what was true before
	habits
)

// What SPEC.md section 14 has liars say: a message of a round begins with flags.
const (
	saysIncomplete = 1
	saysEqual      = 2
)

// lies is what is done to one sync stream.
type lies struct {
	*deceit
	habit  habit
	dice   *rand.Rand
	opened bool                  // the member opened the stream, so it starts the rounds
	said   map[frame.Kind][]byte // the last frame of a kind that was true
}

func (d *deceit) lies(m *member, s network.Stream) *lies {
	peer := 0
	if ip, err := s.Conn().RemoteMultiaddr().ValueForProtocol(multiaddr.P_IP4); err == nil {
		peer, _ = nodeAt(&net.UDPAddr{IP: net.ParseIP(ip)})
	}
	first := rng(m.w.seed, "habit", m.number).IntN(int(habits))
	return &lies{
		deceit: d, habit: habit((first + peer) % int(habits)), dice: rng(m.w.seed, fmt.Sprint("lie to ", peer), m.number),
		said: make(map[frame.Kind][]byte), opened: s.Stat().Direction == network.DirOutbound,
	}
}

// change loses the messages of a mute node, and does to a liar's frames what its habit is.
func (l *lies) change(r role, whole []byte) []byte {
	kind, payload, _, err := frame.Split(whole)
	if err != nil {
		return whole
	}
	if r == ager {
		return l.age(kind, payload, whole)
	}
	how := l.habit
	if r == mute {
		how = withholds
	}
	lie, lied := l.lie(how, kind, payload)
	if !lied {
		return whole
	}
	l.frames[how][kind].Add(1)
	if lie == nil {
		return nil
	}
	return frame.Append(nil, kind, lie)
}

// lie is what stands in place of a frame's payload, nil if the frame is lost; lied is false where the truth is told.
func (l *lies) lie(how habit, kind frame.Kind, payload []byte) (lie []byte, lied bool) {
	switch how {
	case withholds:
		return nil, kind == frame.Messages
	case stalls:
		return nil, kind == frame.Messages || kind == frame.Done
	case deaf:
		return nil, kind == frame.Recon
	case agrees:
		if kind == frame.Round {
			return nil, true
		}
		return []byte{saysEqual}, kind == frame.Recon && !l.opened // to one that answers it may not be said
	case boasts:
		if kind == frame.Recon && !l.opened { // its own node would wait for the answer, and end the stream
			return l.offer(), true
		}
		return nil, kind == frame.Messages || kind == frame.Done
	case hides:
		if kind == frame.Round {
			return l.pretend(payload), true
		}
		return []byte{0}, kind == frame.Recon && !l.opened // an answer in which there is nothing to say
	case endless:
		if kind != frame.Recon || len(payload) == 0 || payload[0] != 0 {
			return nil, false
		}
		lie = bytes.Clone(payload)
		lie[0] = saysIncomplete
		return lie, true
	case garbles:
		return l.garble(payload)
	}
	return l.repeat(kind, payload)
}

// age tells wrong ages of messages that were asked for.
func (l *lies) age(kind frame.Kind, payload, whole []byte) []byte {
	_, n := binary.Uvarint(payload)
	if kind != frame.Messages || n <= 0 {
		return whole
	}
	out := bytes.Clone(payload[:n])
	for rest := payload[n:]; len(rest) > 0; {
		_, wire, next, err := frame.SplitRecord(rest)
		if err != nil {
			return whole
		}
		out, rest = frame.AppendRecord(out, wrongAge(wire), wire), next
		l.aged.Add(1)
	}
	return frame.Append(nil, kind, out)
}

// offer is a message of a round that offers a hundred messages: SPEC.md section 14, an Offer under the root.
func (l *lies) offer() []byte {
	const count = 100
	b := []byte{0, 5 << 5, count}
	for range count {
		b = binary.BigEndian.AppendUint32(b, l.dice.Uint32())
	}
	return b
}

// pretend is the beginning of a round (SPEC.md section 14, a Root) about a set that nobody has: an empty one, or a large one.
func (l *lies) pretend(payload []byte) []byte {
	scope, _, err := frame.SplitScope(payload)
	if err != nil {
		return payload
	}
	b := append(frame.AppendScope(nil, scope), 0, 0)
	b = binary.AppendUvarint(b, l.dice.Uint64N(2)*l.dice.Uint64N(1<<20))
	for range 2 {
		b = binary.BigEndian.AppendUint64(b, l.dice.Uint64())
	}
	return b
}

// garble breaks every fourth frame.
func (l *lies) garble(payload []byte) (lie []byte, lied bool) {
	if len(payload) == 0 || l.dice.IntN(4) > 0 {
		return nil, false
	}
	lie = bytes.Clone(payload)
	for range 1 + l.dice.IntN(8) {
		lie[l.dice.IntN(len(lie))] ^= byte(1 + l.dice.IntN(255))
	}
	return lie, true
}

// repeat says every second time what it said the last time.
func (l *lies) repeat(kind frame.Kind, payload []byte) (lie []byte, lied bool) {
	lie, before := l.said[kind]
	if l.said[kind] = bytes.Clone(payload); !before || kind == frame.Hello || l.dice.IntN(2) == 0 {
		return nil, false
	}
	return lie, true
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
