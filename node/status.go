package node

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

// counts are the node's counters. Every refusal, drop and arrival is in one of them.
type counts struct {
	verdicts    [32]atomic.Uint64 // by protocol.Verdict, all but Accept
	ways        [3]atomic.Uint64  // accepted, by way
	unsolicited atomic.Uint64     // frames of messages that nobody asked for
}

func (c *counts) refuse(v protocol.Verdict) {
	if v != protocol.Accept {
		c.verdicts[v].Add(1)
	}
}

func (c *counts) arrived(w way) { c.ways[w].Add(1) }

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
	Accepted  map[string]uint64      `json:"accepted"` // by way: gossip, sync, this node
	Gossip    GossipStatus           `json:"gossip"`
	Sync      SyncStatus             `json:"sync"`
	Discovery []discovery.RungStatus `json:"discovery"`
	Store     store.Stats            `json:"-"`
	Trouble   []string               `json:"trouble,omitempty"` // what a person should know
}

// GossipStatus counts the fast path.
type GossipStatus struct {
	Delivered  uint64 `json:"delivered"`
	Duplicates uint64 `json:"duplicates"`
	Dropped    uint64 `json:"dropped"`    // lost to full queues; sync brings them
	SentBytes  uint64 `json:"sent_bytes"` // RPCs queued, all peers
}

// SyncStatus sums the open links.
type SyncStatus struct {
	Took        uint64 `json:"took"` // messages
	Gave        uint64 `json:"gave"`
	Received    uint64 `json:"received_bytes"`
	Sent        uint64 `json:"sent_bytes"`
	Unsolicited uint64 `json:"unsolicited"` // frames dropped
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
		s.Accepted[way(w).String()] = n.counts.ways[w].Load()
	}
	s.Sync.Unsolicited = n.counts.unsolicited.Load()
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
	g := &n.gossip
	s.Gossip = GossipStatus{g.delivered.Load(), g.duplicates.Load(), g.dropped.Load(), g.sentBytes.Load()}
	s.Peers = len(n.host.Network().Peers())
	for _, l := range n.links.all() {
		s.Sync.Took += l.took.Load()
		s.Sync.Gave += l.gave.Load()
		s.Sync.Received += l.received.Load()
		s.Sync.Sent += l.sent.Load()
	}
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
			Peer: p.String(), Addr: c.RemoteMultiaddr().String(), Via: string(n.ladder.Found(p)),
			Inbound: c.Stat().Direction == network.DirInbound, Transport: c.ConnState().Transport,
			Since: c.Stat().Opened,
		}
		if q.Via == "" {
			q.Via = "came to us"
		}
		if l := n.links.get(p); l != nil {
			q.Syncing, q.Equal, q.Took, q.Gave = true, l.equal.Load(), l.took.Load(), l.gave.Load()
			if at := l.lastRound.Load(); at > 0 {
				q.LastSync = time.UnixMilli(at)
			}
		}
		out = append(out, q)
	}
	return out
}
