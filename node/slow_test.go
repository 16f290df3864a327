package node

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"longear/protocol/frame"
)

// slowStream is a stream whose peer, or whose radio, takes so many bytes a second.
type slowStream struct {
	network.Stream
	rate     int
	deadline time.Time
}

func (s *slowStream) SetWriteDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

func (s *slowStream) Write(b []byte) (int, error) {
	most := int(time.Until(s.deadline) * time.Duration(s.rate) / time.Second)
	n := min(len(b), most)
	time.Sleep(time.Duration(n) * time.Second / time.Duration(s.rate))
	if n < len(b) {
		time.Sleep(time.Until(s.deadline))
		return n, os.ErrDeadlineExceeded
	}
	return n, nil
}

// slowLink is a link over such a stream.
func slowLink(rate int) (*link, *slowStream) {
	s := &slowStream{rate: rate}
	return &link{n: &Node{}, stream: s, page: pageFirst, patience: writeTimeout, pulls: make(map[uint64]*pull)}, s
}

// TestSlowPeer: who takes a KiB in 20 s is waited for, however long it takes in all, and who takes less is not.
func TestSlowPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := make([]byte, pageBytes)
		l, _ := slowLink(52)
		if err := l.flush(page); err != nil {
			t.Errorf("a peer that takes 52 bytes a second: %v", err)
		}
		if n := l.sent.Load(); n != pageBytes {
			t.Errorf("%d bytes are counted, want %d", n, pageBytes)
		}
		l, _ = slowLink(51)
		began := time.Now()
		if err := l.flush(page); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != writeTimeout {
			t.Errorf("a peer that takes 51 bytes a second: %v after %v, want an end after %v", err, time.Since(began), writeTimeout)
		}
	})
}

// TestPages: pages grow to the largest on a fast link, shrink to what a slow one takes in a second, and grow again. Small answers say nothing of
// how large they may be.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := slowLink(10 << 20)
		for _, c := range []struct{ rate, pages, least, most int }{
			{10 << 20, 2, 32 << 10, 32 << 10},
			{10 << 20, 10, pageBytes, pageBytes},
			{10 << 10, 3, 8 << 10, 10 << 10},
			{1 << 10, 3, pageLeast, pageLeast},
			{10 << 20, 10, pageBytes, pageBytes},
		} {
			s.rate = c.rate
			for range c.pages {
				if err := l.send(make([]byte, l.page)); err != nil {
					t.Fatal(err)
				}
			}
			if l.page < c.least || l.page > c.most {
				t.Errorf("after %d pages at %d bytes a second a page is %d bytes, want %d to %d", c.pages, c.rate, l.page, c.least, c.most)
			}
		}
		l, _ = slowLink(10 << 20)
		for range 10 {
			if err := l.send(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
		}
		if l.page != pageFirst {
			t.Errorf("after small answers a page is %d bytes, want %d", l.page, pageFirst)
		}
	})
}

// TestOverdue: a peer that leaves a question open is not silent while something comes behind which the answer may stand, and not while
// it takes slowly what the question stood behind.
func TestOverdue(t *testing.T) {
	ago := func(s int) time.Time { return time.Now().Add(-time.Duration(s) * time.Second) }
	for _, c := range []struct {
		what                     string
		answering                bool
		round, fed, said, waited int // seconds ago
		pull                     int
		want                     bool
	}{
		{"a round without an answer", true, 21, 90, 90, 90, 0, true},
		{"not so long", true, 19, 90, 90, 90, 0, false},
		{"no round", false, 21, 90, 90, 90, 0, false},
		{"behind messages", true, 90, 19, 90, 90, 0, false},
		{"behind messages long ago", true, 90, 21, 90, 90, 0, true},
		{"behind another frame", true, 90, 90, 19, 90, 0, false},
		{"it takes what was before", true, 90, 90, 90, 19, 0, false},
		{"it took that long ago", true, 90, 90, 90, 21, 0, true},
		{"a pull without an answer", false, 90, 90, 90, 90, 21, true},
		{"frames that do not answer it", false, 90, 90, 1, 90, 21, true},
		{"another is answered", false, 90, 19, 90, 90, 21, false},
		{"it takes what was before the pull", false, 90, 90, 90, 19, 21, false},
	} {
		l := &link{patience: writeTimeout, answering: c.answering, roundAt: ago(c.round), fed: ago(c.fed), said: ago(c.said), waited: ago(c.waited), pulls: make(map[uint64]*pull)}
		l.pulls[1] = &pull{alive: ago(c.pull)}
		if got := l.overdue() != nil; got != c.want {
			t.Errorf("%s: overdue %v, want %v", c.what, got, c.want)
		}
	}
}

// TestComing: parts of what was asked for feed a link, and nothing else does.
func TestComing(t *testing.T) {
	for _, c := range []struct {
		what      string
		kind      frame.Kind
		number    uint64
		fed, said bool
	}{
		{"messages", frame.Messages, 1, true, false},
		{"messages for a pull that is over", frame.Messages, 2, false, false},
		{"messages for nothing", frame.Messages, 3, false, false},
		{"messages that nobody asked for", frame.Messages, 4, false, false},
		{"an answer in a round", frame.Recon, 1, false, true},
		{"a pull, which goes before it", frame.Pull, 1, false, true},
		{"a round", frame.Round, 1, false, false},
	} {
		l := &link{pulls: map[uint64]*pull{1: {}, 2: {ended: true}, 3: {claim: true}}}
		l.coming(c.kind, binary.AppendUvarint(nil, c.number))
		if fed, said := !l.fed.IsZero(), !l.said.IsZero(); fed != c.fed || said != c.said {
			t.Errorf("%s: fed %v, said %v, want %v and %v", c.what, fed, said, c.fed, c.said)
		}
	}
}
