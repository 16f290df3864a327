package node

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/reconcile"
	"longear/store"
)

// TestNudges: a peer that nudges without end does not keep the schedule from all other links, and what it may have is looked for when the
// round is over.
func TestNudges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &link{n: &Node{wakes: make(chan wake, 10_000)}, initiator: true, meter: meter{begun: rate.NewLimiter(roundRate, roundBurst)}}
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

// TestPace: a peer whose rounds and pulls make this node read much is served as fast as its work is allowed, never after so long a wait that it
// takes the link for dead, and has no more for another link.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meters
		for _, c := range []struct {
			name  string
			spent []int
			want  time.Duration
		}{
			{"within the burst", slices.Repeat([]int{65_536}, 61), 0},
			{"beyond it", slices.Repeat([]int{65_536}, 161), 105_490 * time.Millisecond}, // 222 times 65,536 less 4,000,000, at 100,000 a second
			{"one step that is too much", []int{1 << 40}, 10 * time.Second},
		} {
			l, began := &link{meter: m.of("peer")}, time.Now()
			for _, l.spent = range c.spent {
				if err := l.pace(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began).Round(time.Millisecond); took != c.want {
				t.Errorf("%s: %v, want %v", c.name, took, c.want)
			}
		}
		m.forget("peer")
		l := &link{meter: m.of("peer"), spent: 65_536}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.pace(ctx); err != nil {
			t.Errorf("a new connection waits: %v", err)
		}
		l.meter = m.of("peer")
		l.work.AllowN(time.Now(), workBurst-65_536)
		l.spent = 1
		if err := l.pace(ctx); err != context.Canceled {
			t.Errorf("the wait goes on when the link ends: %v", err)
		}
	})
}

// TestVetoed: what is not taken from a peer is found under any prefix, before the dead of the store.
func TestVetoed(t *testing.T) {
	st, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	key := func(rank, last uint8) reconcile.Key { return reconcile.NewKey(rank, 1000, reconcile.ID{31: last}) }
	dead := []reconcile.Key{key(1, 2), key(1, 4)}
	if err := st.Refuse(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	l := &link{n: &Node{store: st}, spurned: make(map[reconcile.Key]bool)}
	for _, k := range []reconcile.Key{key(0, 1), key(1, 1), key(1, 3), key(2, 9)} {
		l.spurned[k] = true
	}
	for _, c := range []struct {
		p    reconcile.Prefix
		want []reconcile.Key
	}{
		{reconcile.Prefix{}, []reconcile.Key{key(0, 1), key(1, 1), key(1, 3), key(2, 9), key(1, 2), key(1, 4)}},
		{reconcile.Prefix{}.Child(1), []reconcile.Key{key(1, 1), key(1, 3), key(1, 2), key(1, 4)}},
		{key(1, 3).Prefix(reconcile.Nibbles), []reconcile.Key{key(1, 3)}},
		{key(1, 4).Prefix(reconcile.Nibbles), []reconcile.Key{key(1, 4)}},
		{reconcile.Prefix{}.Child(3), nil},
	} {
		var got []reconcile.Key
		l.veto()
		err := l.look(func(v *store.View) error {
			l.view = v
			for k, err := range l.refused(c.p) {
				if err != nil {
					return err
				}
				got = append(got, k)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("under %v: %v, %v, want %v", c.p, got, err, c.want)
		}
		if n := 4 + len(got); l.spent < n {
			t.Errorf("under %v: %d keys are counted, want %d or more", c.p, l.spent, n)
		}
		l.spent = 0
	}
}

// TestMediaWork: what a peer says that it has of photos is looked at within the work for a page at a time, and each want has its turn, though most
// lie where another link has something on lease.
func TestMediaWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const held, leased = 300, 400
		st, err := store.Open(store.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		var items []store.Item
		for i := range held {
			m, err := protocol.Sign(key, protocol.Draft{Created: 7, Class: protocol.Media, Kind: protocol.KindChunk, Body: fmt.Append(nil, i)})
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, store.Item{Message: m})
		}
		if _, err := st.Put(t.Context(), items); err != nil {
			t.Fatal(err)
		}
		part := func(created uint64) reconcile.Prefix {
			return reconcile.NewKey(rankMedia, created, reconcile.ID{}).Prefix(13)
		}
		l := &link{n: &Node{store: st}}
		l.n.leases.take(new(link), part(8))
		unknown := []reconcile.ShortID{1}
		l.media.wants = append(slices.Repeat([]reconcile.Want{{Prefix: reconcile.Prefix{}.Child(rankMedia), Short: unknown}}, leased),
			reconcile.Want{Prefix: part(9), Short: unknown})
		var asked *pull
		for calls := 0; calls <= leased*held/pageWork && (asked == nil || len(asked.Wants) == 0); calls++ {
			l.spent = 0
			if asked = l.nextMedia(); l.spent > pageWork+2*held {
				t.Errorf("%d keys are read at a time, want at most %d and those of a want", l.spent, pageWork)
			}
		}
		if len(asked.Wants) != 1 || asked.Wants[0].Prefix != part(9) || len(l.media.wants) != leased {
			t.Errorf("%d wants are asked for and %d stay, want the one that nobody pulls, and the others", len(asked.Wants), len(l.media.wants))
		}
	})
}
