package node

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/quic-go/quic-go"
)

// TestSilence counts seconds in which a peer did not answer.
func TestSilence(t *testing.T) {
	type look struct {
		after         time.Duration
		sent          uint64
		heard         bool
		suspect, gone bool
	}
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"who is not spoken to is not suspect", []look{{0, 9, true, false, false}, {time.Hour, 9, false, false, false}}},
		{"who answers is not suspect", []look{{0, 1, true, false, false}, {time.Second, 2, true, false, false}, {time.Second, 9, true, false, false}}},
		{"an answer ends it", []look{
			{0, 1, true, false, false},
			{time.Second, 5, false, true, false},
			{time.Second, 7, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 11, false, true, false},
			{time.Second, 13, false, true, false},
			{time.Second, 13, true, false, false},
			{time.Second, 17, false, true, false},
		}},
		{"gone after five steps", []look{
			{0, 1, true, false, false},
			{time.Second, 5, false, true, false},
			{time.Second / 2, 6, false, true, false}, // sooner than a step: does not count
			{time.Second, 6, false, true, false},
			{time.Second, 8, false, true, false},
			{time.Second, 8, false, true, false},
			{time.Second, 10, false, true, false},
			{time.Second, 10, false, true, true},
		}},
		{"acknowledgements are not answered", []look{
			{0, 1, true, false, false},
			{time.Second, 2, false, false, false},
			{time.Minute, 4, false, false, false},
			{time.Hour, 4, false, false, false},
			{time.Second, 7, false, true, false},
			{time.Second, 7, true, false, false},
		}},
		{"this node stood still itself", []look{
			{0, 1, true, false, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Minute, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, false},
			{time.Second, 9, false, true, true},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s silence
			now := time.Unix(1e9, 0)
			for i, l := range c.looks {
				now = now.Add(l.after)
				if suspect, gone := s.look(now, l.sent, l.heard, silentSteps); suspect != l.suspect || gone != l.gone {
					t.Fatalf("look %d: suspect %v, gone %v, want %v and %v", i, suspect, gone, l.suspect, l.gone)
				}
			}
		})
	}
}

// fakeConn is a connection to a peer, over QUIC unless it is plain.
type fakeConn struct {
	network.Conn
	peer          peer.ID
	plain, closed bool
}

func (c *fakeConn) RemotePeer() peer.ID { return c.peer }
func (c *fakeConn) IsClosed() bool      { return c.closed }

func (c *fakeConn) As(target any) bool {
	if p, ok := target.(**quic.Conn); ok && !c.plain {
		*p = &quic.Conn{}
		return true
	}
	return false
}

// TestVigil: a connection is watched from when it came until it is gone, and others coming or going do not begin that anew.
func TestVigil(t *testing.T) {
	first, second, third, plain := &fakeConn{}, &fakeConn{}, &fakeConn{}, &fakeConn{plain: true}
	v := make(vigil)
	v.refresh([]network.Conn{first, second, plain})
	watched := v[second]
	first.closed = true
	v.refresh([]network.Conn{second, plain, third})
	if len(v) != 2 || v[first] != nil || v[third] == nil {
		t.Errorf("%d are watched, the first %v and the third %v, want the second and the third", len(v), v[first] != nil, v[third] != nil)
	}
	if watched == nil || v[second] != watched {
		t.Error("the watch of the second began anew")
	}
}

// TestHeardOverOne: what comes over one connection shows that the peer is in reach over its other too, and says nothing of another peer. When
// nothing comes over either any more, both are gone, not sooner than if they were alone.
func TestHeardOverOne(t *testing.T) {
	busy, waiting, other := &fakeConn{peer: "a"}, &fakeConn{peer: "a"}, &fakeConn{peer: "b"}
	stats := make(map[network.Conn]*quic.ConnectionStats)
	v := make(vigil)
	for _, c := range []network.Conn{busy, waiting, other} {
		s := &quic.ConnectionStats{PacketsSent: 1, PacketsReceived: 1}
		stats[c] = s
		v[c] = &watch{stats: func() quic.ConnectionStats { return *s }}
	}
	now := time.Unix(1e9, 0)
	// second lets one pass in which every connection sends, and packets come over those of from.
	second := func(from ...network.Conn) []network.Conn {
		now = now.Add(silentStep)
		for _, s := range stats {
			s.PacketsSent += silentSent
		}
		for _, c := range from {
			stats[c].PacketsReceived++
		}
		gone, _ := v.look(now)
		return gone
	}
	second(busy, waiting, other)
	for i := range 2 * silentSteps {
		for _, c := range second(busy) {
			if c != other || i < silentSteps {
				t.Fatalf("second %d: a connection to %s is given up", i+1, c.RemotePeer())
			}
			delete(v, other)
			delete(stats, other)
		}
	}
	if v[other] != nil {
		t.Errorf("a peer that says nothing for %d s is kept, because another was heard", 2*silentSteps)
	}
	for i := range silentSteps {
		if gone := second(); len(gone) != 0 {
			t.Fatalf("%d connections given up after %d s", len(gone), i+1)
		}
	}
	if gone := second(); len(gone) != 2 {
		t.Errorf("%d connections given up when their peer is gone, want 2", len(gone))
	}
}

// TestBehindOthers: a peer is not given up while another's round trips show that it waits behind what was sent to that one, however slow they say
// they are not for ever, and no longer than five seconds when nobody is heard.
func TestBehindOthers(t *testing.T) {
	for _, c := range []struct {
		what string
		trip time.Duration // of the peer that is heard
		each int           // so many seconds; 0 is never
		mean time.Duration // how often the mean trip goes into it
		want int           // seconds in which the other is kept
	}{
		{"on a fast network", 200 * time.Millisecond, 1, 1, 5},
		{"on a slow one", 4 * time.Second, 1, 1, 17},
		{"on one that has just become slow", 4 * time.Second, 1, 20, 17},
		{"behind a window of 40 kB at 40 kbit/s", 8 * time.Second, 5, 1, 25},
		{"who answers slowly on purpose", time.Hour, 1, 1, 25},
		{"nobody is heard", 4 * time.Second, 0, 1, 5},
	} {
		busy, other := &fakeConn{peer: "a"}, &fakeConn{peer: "b"}
		sent, received := uint64(1), uint64(1)
		v := vigil{
			busy: {stats: func() quic.ConnectionStats {
				return quic.ConnectionStats{PacketsSent: 1, PacketsReceived: received, SmoothedRTT: c.trip / c.mean, LatestRTT: c.trip}
			}},
			other: {stats: func() quic.ConnectionStats {
				return quic.ConnectionStats{PacketsSent: sent, PacketsReceived: 1, SmoothedRTT: time.Hour}
			}},
		}
		now := time.Unix(1e9, 0)
		v.look(now)
		kept := -1
		for gone := []network.Conn(nil); len(gone) == 0 && kept < 60; kept++ {
			now = now.Add(silentStep)
			if sent += silentSent; c.each > 0 && (kept+2)%c.each == 0 {
				received++
			}
			gone, _ = v.look(now)
		}
		if kept != c.want {
			t.Errorf("%s: kept for %d s, want %d", c.what, kept, c.want)
		}
	}
}
