package node

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"longear/protocol/frame"
)

// TestNudges: a peer that nudges without end does not keep the schedule from all other links, and what it may have is looked for when the
// round is over.
func TestNudges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &link{n: &Node{wakes: make(chan wake, 10_000)}, initiator: true, begun: rate.NewLimiter(roundRate, roundBurst)}
		for range 10 {
			for range 1000 {
				if err := l.handle(t.Context(), event{kind: frame.Nudge}); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
		if n := len(l.n.wakes); n != 100+9*20 {
			t.Errorf("%d looks for 10,000 nudges in ten seconds, want 280", n)
		}
		if !l.again {
			t.Error("the last of them are forgotten")
		}
	})
}

// TestStalled: a pull is stalled that has long had no answer, unless it is for nothing, or the peer answers another.
func TestStalled(t *testing.T) {
	ago := func(s int) time.Time { return time.Now().Add(-time.Duration(s) * time.Second) }
	for _, c := range []struct {
		what  string
		fed   int
		pulls []*pull
		want  bool
	}{
		{"none", 90, nil, false},
		{"long ago", 90, []*pull{{alive: ago(90)}, {alive: ago(10)}}, true},
		{"not so long", 90, []*pull{{alive: ago(50)}}, false},
		{"for nothing", 90, []*pull{{alive: ago(90), claim: true}}, false},
		{"for nothing lately", 90, []*pull{{alive: ago(90)}, {alive: ago(1), claim: true}}, true},
		{"being taken in", 90, []*pull{{alive: ago(90), intake: 1}}, false},
		{"another is answered", 50, []*pull{{alive: ago(90)}}, false},
	} {
		l := &link{fed: ago(c.fed), pulls: make(map[uint64]*pull)}
		for i, p := range c.pulls {
			l.pulls[uint64(i)] = p
		}
		if got := l.stalled(time.Minute); got != c.want {
			t.Errorf("%s: stalled %v, want %v", c.what, got, c.want)
		}
	}
}
