package node

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2p "github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"

	"longear/protocol"
)

// Gossip is the fast path and nothing more: what it loses, sync brings (SPEC.md section 12). One topic carries
// every channel, so that nobody learns from subscriptions what a person reads.
const (
	topicName      = "longear/1"
	gossipProtocol = libp2p.ID("/longear/meshsub/1.2.0")
)

// gossip is the node's place in the mesh. It sleeps while no peer is connected: see sleep.go.
type gossip struct {
	moves chan struct{} // of size 1: a peer came or went; more of them say the same
	lost  chan struct{} // of size 1: the mesh lost its stream to a peer
	links *links        // the node's, for their counts of bytes

	mu    sync.Mutex
	mesh  *mesh                // guarded by mu; nil while asleep
	risen chan struct{}        // guarded by mu; closed when mesh is there, nil while nobody waits for it
	reach map[peer.ID]struct{} // guarded by mu; the peers that the mesh has a stream to

	outflows sync.Map // of *outflow by peer.ID: the stream to each

	// Counters of what pubsub would lose in silence. They go on from one waking to the next.
	dropped, duplicates, delivered          atomic.Uint64
	sentBytes, receivedBytes, repeatedBytes atomic.Uint64
}

// meshParams are gossipsub's parameters. A thin mesh: with D=3 60 nodes of 16 links each sent 2.9 times the payload and 1.0
// duplicates a delivery, with D=4 4.05 and 2.2, with the default 6 7.5 and 5.9; the 0.15 % that D=3 was late with came by sync. gossipsub
// wants Dout below D/2, so it is 0 there: a node whose mesh an attacker has filled is served by sync, which asks every
// link. What it has is told to a tenth of the other peers, two at least, for two heartbeats: with a quarter, four and six the IDs took
// three times the bytes of the messages. A node is still told of each message by some four peers, and sync asks every link.
func meshParams(lim limits) pubsub.GossipSubParams {
	p := pubsub.DefaultGossipSubParams()
	p.D, p.Dlo, p.Dhi, p.Dout = 3, 2, 5, 0
	if lim.meshWide {
		p.D, p.Dlo, p.Dhi, p.Dout = 6, 4, 12, 2
	}
	p.Dscore, p.Dlazy, p.GossipFactor = 1, 2, 0.1
	p.HistoryLength, p.HistoryGossip = 10, 2
	p.PruneBackoff = 20 * time.Second
	p.HeartbeatInterval = time.Second
	return p
}

// validators is how many messages of gossip are at the door together: each has a goroutine of pubsub's, which lives as long as the mesh. The
// 512 that wait in pubsub's queue are the rest of a burst.
const validators = 16

// features says what our one protocol ID can do: a mesh and IDONTWANT, no peer exchange (a crowd would dial addresses
// of other networks) and no extensions.
func features(f pubsub.GossipSubFeature, _ libp2p.ID) bool {
	return f == pubsub.GossipSubFeatureMesh || f == pubsub.GossipSubFeatureIdontwant
}

// mesh is pubsub from one waking to the next sleep.
type mesh struct {
	ps      *pubsub.PubSub
	topic   *pubsub.Topic
	handler network.StreamHandler // pubsub's, for the streams that peers open
	streams int                   // guarded by the gossip's mu; how many of them it serves
}

// joinMesh starts pubsub, whose goroutines end with ctx.
func (n *Node) joinMesh(ctx context.Context) (*mesh, error) {
	h := &meshHost{Host: n.host, gossip: &n.gossip}
	ps, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubProtocols([]libp2p.ID{gossipProtocol}, features),
		pubsub.WithGossipSubParams(meshParams(n.cfg.Profile.limits())),
		// The author's signature is inside. pubsub's own would tie an author to a radio, and the
		// last publisher's name would make every second telling a new message.
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(gossipID),
		pubsub.WithSubscriptionFilter(pubsub.WrapLimitSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(topicName), 16)),
		pubsub.WithMaxMessageSize(protocol.MaxFrame),
		pubsub.WithMaxControlMessageSize(64<<10),
		pubsub.WithPeerOutboundQueueSize(256),
		pubsub.WithValidateQueueSize(512),
		pubsub.WithValidateWorkers(validators),
		pubsub.WithSeenMessagesTTL(10*time.Minute),
		pubsub.WithFloodPublish(false),
		pubsub.WithPeerExchange(false),
		pubsub.WithRawTracer((*gossipTrace)(&n.gossip)),
	)
	if err != nil {
		return nil, fmt.Errorf("join gossip: %w", err)
	}
	err = ps.RegisterTopicValidator(topicName, n.validate, pubsub.WithValidatorInline(true))
	if err != nil {
		return nil, fmt.Errorf("join gossip: %w", err)
	}
	topic, err := ps.Join(topicName)
	if err != nil {
		return nil, fmt.Errorf("join gossip: %w", err)
	}
	// Relaying is enough: readers are woken by the store's door, so there is no subscription to overflow.
	if _, err := topic.Relay(); err != nil {
		return nil, fmt.Errorf("join gossip: %w", err)
	}
	h.joined.Store(true)
	return &mesh{ps: ps, topic: topic, handler: h.handler}, nil
}

// gossipID names what pubsub has seen. It covers the signature: were it the message's ID, whoever sent a
// copy with a broken signature first would make the mesh forget the good one. It leaves out the age in
// front, which may differ between copies.
func gossipID(m *pb.Message) string {
	data := m.GetData()
	if _, n := binary.Uvarint(data); n > 0 {
		data = data[n:]
	}
	sum := sha256.Sum256(data)
	return string(sum[:20])
}

// validate is gossip's way to the one door: it stores before it forwards, so what this node passes on is kept here.
func (n *Node) validate(ctx context.Context, from peer.ID, msg *pubsub.Message) pubsub.ValidationResult {
	if from == n.host.ID() {
		return pubsub.ValidationAccept
	}
	if !n.enter() { // pubsub outlives Run by what it has begun
		return pubsub.ValidationIgnore
	}
	defer n.inside.Done()
	age, size := binary.Uvarint(msg.Data)
	if size <= 0 || age > maxAge {
		n.chronicle.refuse(from, protocol.RejectMalformed)
		n.blame(from, pointsMessage, protocol.RejectMalformed.String())
		return pubsub.ValidationReject
	}
	allowed := n.meters.allow(from)
	n.parted(from)
	if !allowed {
		n.counts.refuse(protocol.IgnoreBudget)
		n.chronicle.refuse(from, protocol.IgnoreBudget)
		return pubsub.ValidationIgnore
	}
	a := arrival{wire: msg.Data[size:], age: time.Duration(age) * time.Millisecond, from: from, way: ByGossip}
	u, v := protocol.Decode(a.wire)
	if v == protocol.Accept {
		_, d := u.Claims()
		a.read, a.age = u, min(a.age, newsAge(d))
		if !gossips(d) {
			// Nobody honest tells it. It is not kept, or whoever tells it would fill the share of photos past every order; and not
			// blamed, since it costs no more than the air it has used.
			n.counts.refuse(protocol.IgnoreBudget)
			return pubsub.ValidationIgnore
		}
	}
	// pubsub keeps msg.Data for its own cache and never writes to it; the store copies.
	v = n.door.one(ctx, a)
	switch {
	case v == protocol.Accept:
		return pubsub.ValidationAccept
	case v == protocol.IgnoreKnown:
		n.gossip.repeatedBytes.Add(uint64(len(msg.Data) - size))
	case v.Rejected():
		return pubsub.ValidationReject
	}
	return pubsub.ValidationIgnore
}

// newsAge is the largest age that gossip tells of a message, and that it is believed: a sixteenth of the lifetime. Gossip is for news; ages are
// not signed, and whoever told it that a message is about to die would kill it within a second for a crowd that has no other copy.
func newsAge(d *protocol.Draft) time.Duration { return d.Life() / 16 }

// tell gives a message that is stored here to the mesh and reports whether the mesh has it. While gossip sleeps there is nobody
// to tell; whoever comes gets it by sync.
func (n *Node) tell(ctx context.Context, m *protocol.Message, age time.Duration) (bool, error) {
	return n.tellWire(ctx, m.Wire(), &m.Draft, age)
}

// gossips reports whether a message is for the mesh at all. It cannot choose its links, so what stays local goes by sync; and a photo in a
// hundred parts, told two or three times over each link, would hold up every text.
func gossips(d *protocol.Draft) bool {
	return d.Flags&protocol.LocalOnly == 0 && d.Kind != protocol.KindChunk
}

func (n *Node) tellWire(ctx context.Context, wire []byte, d *protocol.Draft, age time.Duration) (bool, error) {
	mesh := n.gossip.now()
	if mesh == nil || !gossips(d) || age > newsAge(d) {
		return false, nil
	}
	data := binary.AppendUvarint(make([]byte, 0, 10+len(wire)), uint64(max(age.Milliseconds(), 0)))
	err := mesh.topic.Publish(ctx, append(data, wire...))
	return err == nil, err
}

// watchdog closes connections whose gossip has gone deaf: one reset of one pubsub stream silences that
// direction for as long as the connection lives, while it still looks connected. Discovery dials again.
func (n *Node) watchdog(strikes map[peer.ID]int) {
	mesh := n.gossip.now()
	if mesh == nil {
		return
	}
	listed := mesh.ps.ListPeers(topicName)
	for _, l := range n.links.all() {
		p := l.peer
		if time.Since(l.opened) < 10*time.Second || slices.Contains(listed, p) || !n.speaksGossip(p) {
			delete(strikes, p)
			continue
		}
		if strikes[p]++; strikes[p] >= 2 {
			delete(strikes, p)
			n.log.Debug("gossip went deaf, reconnecting", "peer", short(p))
			n.host.Network().ClosePeer(p)
		}
	}
	for p := range strikes {
		if n.links.get(p) == nil {
			delete(strikes, p)
		}
	}
}

func (n *Node) speaksGossip(p peer.ID) bool {
	got, err := n.host.Peerstore().SupportsProtocols(p, gossipProtocol)
	return err == nil && len(got) > 0
}

// gossipTrace counts what pubsub does in silence.
type gossipTrace gossip

func (t *gossipTrace) DropRPC(*pubsub.RPC, peer.ID)         { t.dropped.Add(1) }
func (t *gossipTrace) UndeliverableMessage(*pubsub.Message) { t.dropped.Add(1) }
func (t *gossipTrace) DeliverMessage(*pubsub.Message)       { t.delivered.Add(1) }
func (t *gossipTrace) DuplicateMessage(m *pubsub.Message) {
	t.duplicates.Add(1)
	_, age := binary.Uvarint(m.Data)
	t.repeatedBytes.Add(uint64(len(m.Data) - max(age, 0)))
}

func (t *gossipTrace) RecvRPC(rpc *pubsub.RPC) {
	size := uint64(proto.Size(&rpc.RPC))
	t.receivedBytes.Add(size)
	if l := t.links.get(rpc.From()); l != nil {
		l.received.Add(size)
	}
}

// SendRPC is called when an RPC has been put into the queue to a peer, and for nothing else.
func (t *gossipTrace) SendRPC(rpc *pubsub.RPC, p peer.ID) {
	if o, ok := t.outflows.Load(p); ok {
		o.(*outflow).queued.Add(1)
	}
	size := uint64(proto.Size(&rpc.RPC))
	t.sentBytes.Add(size)
	if l := t.links.get(p); l != nil {
		l.sent.Add(size)
	}
}

func (t *gossipTrace) OnNewOutboundStream(p peer.ID, _ libp2p.ID) { (*gossip)(t).reached(p, true) }

func (t *gossipTrace) OnClosedOutboundStream(p peer.ID)                     { (*gossip)(t).reached(p, false) }
func (t *gossipTrace) Join(string)                                          {}
func (t *gossipTrace) Leave(string)                                         {}
func (t *gossipTrace) Graft(peer.ID, string)                                {}
func (t *gossipTrace) Prune(peer.ID, string)                                {}
func (t *gossipTrace) ValidateMessage(*pubsub.Message)                      {}
func (t *gossipTrace) RejectMessage(*pubsub.Message, string)                {}
func (t *gossipTrace) ThrottlePeer(peer.ID)                                 {}
func (t *gossipTrace) SendRPCCompleted(*pubsub.RPC, peer.ID, time.Duration) {}
