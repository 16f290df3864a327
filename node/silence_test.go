package node

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

// TestSilence counts seconds in which a peer did not answer.
func TestSilence(t *testing.T) {
	type look struct {
		after          time.Duration
		sent, received uint64
		suspect, gone  bool
	}
	for _, c := range []struct {
		name  string
		looks []look
	}{
		{"who is not spoken to is not suspect", []look{{0, 9, 9, false, false}, {time.Hour, 9, 9, false, false}}},
		{"who answers is not suspect", []look{{0, 1, 1, false, false}, {time.Second, 2, 2, false, false}, {time.Second, 9, 3, false, false}}},
		{"an answer ends it", []look{
			{0, 1, 1, false, false},
			{time.Second, 5, 1, true, false},
			{time.Second, 7, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 11, 1, true, false},
			{time.Second, 13, 1, true, false},
			{time.Second, 13, 2, false, false},
			{time.Second, 17, 2, true, false},
		}},
		{"gone after five steps", []look{
			{0, 1, 1, false, false},
			{time.Second, 5, 1, true, false},
			{time.Second / 2, 6, 1, true, false}, // sooner than a step: does not count
			{time.Second, 6, 1, true, false},
			{time.Second, 8, 1, true, false},
			{time.Second, 8, 1, true, false},
			{time.Second, 10, 1, true, false},
			{time.Second, 10, 1, true, true},
		}},
		{"acknowledgements are not answered", []look{
			{0, 1, 1, false, false},
			{time.Second, 2, 1, false, false},
			{time.Minute, 4, 1, false, false},
			{time.Hour, 4, 1, false, false},
			{time.Second, 7, 1, true, false},
			{time.Second, 7, 2, false, false},
		}},
		{"this node stood still itself", []look{
			{0, 1, 1, false, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Minute, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, false},
			{time.Second, 9, 1, true, true},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s silence
			now := time.Unix(1e9, 0)
			for i, l := range c.looks {
				now = now.Add(l.after)
				if suspect, gone := s.look(now, l.sent, l.received); suspect != l.suspect || gone != l.gone {
					t.Fatalf("look %d: suspect %v, gone %v, want %v and %v", i, suspect, gone, l.suspect, l.gone)
				}
			}
		})
	}
}

// plainConn is a connection of which nothing is known.
type plainConn struct{ network.Conn }

func (*plainConn) As(any) bool { return false }

// TestVigil: a connection is watched from when it came until it is gone, and others coming or going do not begin that anew.
func TestVigil(t *testing.T) {
	first, second, third := &plainConn{}, &plainConn{}, &plainConn{}
	v := make(vigil)
	v.refresh([]network.Conn{first, second})
	watched := v[second]
	v.refresh([]network.Conn{second, third})
	if len(v) != 2 || v[first] != nil || v[third] == nil {
		t.Errorf("%d are watched, the first %v and the third %v, want the second and the third", len(v), v[first] != nil, v[third] != nil)
	}
	if watched == nil || v[second] != watched {
		t.Error("the watch of the second began anew")
	}
}
