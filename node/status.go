package node

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

// counts are the node's counters. Every refusal, drop and arrival is in one of them.
type counts struct {
	verdicts    [32]atomic.Uint64   // by protocol.Verdict, all but Accept
	ways        [ways]atomic.Uint64 // accepted, by way
	arrivals    atomic.Uint64       // accepted, all ways
	unsolicited atomic.Uint64       // frames of messages that nobody asked for

	// Of sync, over all links of this run. Took and gave are messages, the others bytes.
	took, gave, received, sent, repeated atomic.Uint64
}

func (c *counts) refuse(v protocol.Verdict) {
	if v != protocol.Accept {
		c.verdicts[v].Add(1)
	}
}

func (c *counts) arrived(w Way) {
	c.ways[w].Add(1)
	c.arrivals.Add(1)
}

// Status is the node in numbers, for the CLI, the API and tests. All sizes are bytes.
type Status struct {
	Version   string                 `json:"version"`
	Running   bool                   `json:"running"`
	UpSeconds int64                  `json:"up_seconds"`
	Peer      string                 `json:"peer"`
	Listening []string               `json:"listening"`
	Peers     int                    `json:"peers"`
	Messages  int64                  `json:"messages"`
	Stored    int64                  `json:"stored_bytes"`
	Quota     int64                  `json:"quota_bytes"`
	Refused   uint64                 `json:"refused"`  // messages that were a protocol violation
	Banned    uint64                 `json:"banned"`   // links cut for them
	Verdicts  map[string]uint64      `json:"verdicts"` // every message not accepted, by reason
	Accepted  map[string]uint64      `json:"accepted"` // by way: gossip, sync, carry file, this node
	Gossip    GossipStatus           `json:"gossip"`
	Sync      SyncStatus             `json:"sync"`
	Discovery []discovery.RungStatus `json:"discovery"`
	Store     store.Stats            `json:"-"`
	Trouble   []string               `json:"trouble,omitempty"` // what a person should know
}

// GossipStatus counts the fast path since Run began, over all peers and through every sleep. Bytes are of RPCs before encryption,
// without their length prefix and what QUIC, or TCP, Noise and yamux add.
type GossipStatus struct {
	Delivered  uint64 `json:"delivered"`      // messages that came and were new
	Duplicates uint64 `json:"duplicates"`     // messages that came and had come by gossip before
	Dropped    uint64 `json:"dropped"`        // RPCs lost to full queues; sync brings what was in them
	SentBytes  uint64 `json:"sent_bytes"`     // RPCs queued, counted for each peer
	Received   uint64 `json:"received_bytes"` // RPCs that came
	// Repeated is the part of Received that was messages this node had already, by whatever way: their encodings,
	// without the age in front.
	Repeated uint64 `json:"repeated_bytes"`
}

// SyncStatus counts sync since Run began, over all links, closed ones too. Bytes are of frames before encryption.
type SyncStatus struct {
	Took        uint64 `json:"took"`           // messages that came and were new
	Gave        uint64 `json:"gave"`           // messages sent, new to the peer or not
	Received    uint64 `json:"received_bytes"` // all frames, those that only compare included
	Sent        uint64 `json:"sent_bytes"`     // likewise
	Repeated    uint64 `json:"repeated_bytes"` // the part of Received that was messages this node had already: their encodings
	Unsolicited uint64 `json:"unsolicited"`    // frames of messages dropped because nobody had asked for them
}

// Status is a snapshot.
func (n *Node) Status() Status {
	st := n.store.Stats()
	s := Status{
		Version: n.cfg.Version, Messages: st.Messages, Stored: st.Bytes, Quota: st.Quota,
		Verdicts: make(map[string]uint64), Accepted: make(map[string]uint64),
		Banned: n.bans.count(), Store: st,
		Listening: []string{},
	}
	for _, v := range protocol.Verdicts() {
		c := n.counts.verdicts[v].Load()
		if c > 0 {
			s.Verdicts[v.String()] = c
		}
		if v.Rejected() {
			s.Refused += c
		}
	}
	for w := range n.counts.ways {
		s.Accepted[Way(w).String()] = n.counts.ways[w].Load()
	}
	c := &n.counts
	s.Sync = SyncStatus{
		Took: c.took.Load(), Gave: c.gave.Load(), Received: c.received.Load(), Sent: c.sent.Load(),
		Repeated: c.repeated.Load(), Unsolicited: c.unsolicited.Load(),
	}
	g := &n.gossip
	s.Gossip = GossipStatus{
		Delivered: g.delivered.Load(), Duplicates: g.duplicates.Load(), Dropped: g.dropped.Load(),
		SentBytes: g.sentBytes.Load(), Received: g.receivedBytes.Load(), Repeated: g.repeatedBytes.Load(),
	}
	s.trouble(st)
	if n.up() == nil {
		n.liveStatus(&s)
	}
	return s
}

func (s *Status) trouble(st store.Stats) {
	if st.Failed != nil {
		s.Trouble = append(s.Trouble, fmt.Sprintf("the store stopped writing: %v; restart the node", st.Failed))
	}
	if st.Quarantined != "" {
		s.Trouble = append(s.Trouble, "a damaged store was moved to "+st.Quarantined+"; peers give back what it held")
	}
	if st.Corrupt > 0 {
		s.Trouble = append(s.Trouble, fmt.Sprintf("%d messages were damaged on disk and dropped; check the disk", st.Corrupt))
	}
}

func (n *Node) liveStatus(s *Status) {
	s.Running = true
	s.UpSeconds = int64(time.Since(n.started).Seconds())
	s.Peer = n.host.ID().String()
	for _, a := range n.host.Network().ListenAddresses() {
		s.Listening = append(s.Listening, a.String())
	}
	s.Peers = len(n.host.Network().Peers())
	s.Discovery = n.ladder.Status()
}

// Peer is one connected peer.
type Peer struct {
	Peer      string    `json:"peer"`
	Addr      string    `json:"addr"`
	Via       string    `json:"via"` // the rung that found it; "came to us" if it did
	Inbound   bool      `json:"inbound"`
	Transport string    `json:"transport"` // tcp or quic
	Since     time.Time `json:"since"`
	Syncing   bool      `json:"syncing"`            // a sync link is up
	LastSync  time.Time `json:"last_sync,omitzero"` // end of the last round
	Equal     bool      `json:"equal"`              // it found nothing to exchange
	Took      uint64    `json:"took"`               // messages taken from it
	Gave      uint64    `json:"gave"`               // messages given to it
	Received  uint64    `json:"received_bytes"`     // by sync and gossip, before encryption
	Sent      uint64    `json:"sent_bytes"`         // likewise
}

// Peers are the connected peers.
func (n *Node) Peers() []Peer {
	if n.up() != nil {
		return nil
	}
	var out []Peer
	for _, p := range n.host.Network().Peers() {
		conns := n.host.Network().ConnsToPeer(p)
		if len(conns) == 0 {
			continue
		}
		c := conns[0]
		q := Peer{
			Peer: p.String(), Addr: discovery.Unnamed(c.RemoteMultiaddr().String()), Via: n.foundBy(p),
			Inbound: c.Stat().Direction == network.DirInbound, Transport: c.ConnState().Transport,
			Since: c.Stat().Opened,
		}
		if l := n.links.get(p); l != nil {
			q.Syncing, q.Equal, q.Took, q.Gave = true, l.equal.Load(), l.took.Load(), l.gave.Load()
			q.Received, q.Sent = l.received.Load(), l.sent.Load()
			if l.rounds.Load() > 0 {
				q.LastSync = time.Now().Add(-time.Since(l.lastRound())).Truncate(time.Millisecond) // by the clock of now
			}
		}
		out = append(out, q)
	}
	return out
}

// foundBy names the rung that found a peer.
func (n *Node) foundBy(p peer.ID) string {
	if by := n.ladder.Found(p); by != "" {
		return string(by)
	}
	return "came to us"
}
