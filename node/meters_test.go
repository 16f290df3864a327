package node

import (
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"longear/store"
)

// TestGoneHasNoBuckets: what a peer has sent and is looked at when its connection has ended leaves nothing of it.
func TestGoneHasNoBuckets(t *testing.T) {
	st, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	n, err := New(Config{Store: st})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.begin(); err != nil {
		t.Fatal(err)
	}
	if n.host, err = n.newHost(); err != nil {
		t.Fatal(err)
	}
	defer n.host.Close()
	for _, c := range []struct {
		what string
		late func(p peer.ID)
	}{
		{"a message of gossip", func(p peer.ID) {
			if v := n.validate(t.Context(), p, &pubsub.Message{Message: &pb.Message{Data: []byte{0, 1}}}); v != pubsub.ValidationReject {
				t.Errorf("a message that is none has the result %v", v) // it is looked at, if late
			}
		}},
		{"a stream of sync", func(p peer.ID) { n.runLink(t.Context(), deadStream{peer: p}, false) }},
		{"a stream of ours", func(p peer.ID) { n.runLink(t.Context(), deadStream{peer: p}, true) }},
		{"a stream more than it may open", func(p peer.ID) {
			for range 2 { // as many again: it takes a while until there is one
				n.meters.of(p).begun.ReserveN(time.Now(), roundBurst)
			}
			n.runLink(t.Context(), deadStream{peer: p}, false)
		}},
	} {
		if c.late(peer.ID(c.what)); len(n.meters.link) != 0 {
			t.Errorf("%s: %d peers that are gone have buckets", c.what, len(n.meters.link))
			clear(n.meters.link)
		}
	}
}

// deadStream is a stream whose connection has ended.
type deadStream struct {
	network.Stream
	peer peer.ID
}

func (s deadStream) Conn() network.Conn             { return deadConn{peer: s.peer} }
func (deadStream) Read([]byte) (int, error)         { return 0, network.ErrReset }
func (deadStream) Write([]byte) (int, error)        { return 0, network.ErrReset }
func (deadStream) SetWriteDeadline(time.Time) error { return nil }
func (deadStream) Reset() error                     { return nil }

type deadConn struct {
	network.Conn
	peer peer.ID
}

func (c deadConn) RemotePeer() peer.ID { return c.peer }
func (deadConn) RemoteMultiaddr() ma.Multiaddr {
	return ma.StringCast("/ip4/192.0.2.1/udp/4550/quic-v1")
}
func (deadConn) As(any) bool { return false }

// TestBucketsOutliveLinks: a peer has those that it had when its link is made anew, on either side, and new ones when it is connected anew.
func TestBucketsOutliveLinks(t *testing.T) {
	n := new(Node)
	first := newLink(n, deadStream{peer: "p"}, true)
	for what, c := range map[string]struct {
		peer      peer.ID
		initiator bool
		same      bool
	}{
		"another stream":           {"p", true, true},
		"one that the peer opened": {"p", false, true},
		"another peer":             {"q", true, false},
	} {
		if same := newLink(n, deadStream{peer: c.peer}, c.initiator).meter == first.meter; same != c.same {
			t.Errorf("%s: the same buckets %v, want %v", what, same, c.same)
		}
	}
	if n.meters.forget("p"); newLink(n, deadStream{peer: "p"}, true).meter == first.meter {
		t.Error("what is left of the connection before is in the next")
	}
}
