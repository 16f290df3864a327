package crowd

import (
	"slices"
	"strings"
	"testing"
	"time"

	"longear/test/crowd/story"
)

// TestBeyondTheOracle: what comes over a liar is no delivery of the oracle's, and hides none that is missing.
func TestBeyondTheOracle(t *testing.T) {
	s := tell(t, "nodes 4", "full", "split n0 n1 n2 n3", "join n0 n1", "join n1 n2", "join n0 n3", "lie n1",
		"advance 20s", `publish n0 "water"`, "advance 20s")
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		p := w.ledger.posts[0]
		if p.when[2] == never || p.when[3] == never {
			t.Fatal("the message did not come over the liar, or not at all")
		}
		share := story.Expect{What: "share", Share: 1}
		if why := w.lacking(share); why != "" {
			t.Error(why)
		}
		r, err := w.report(false)
		if err != nil {
			t.Fatal(err)
		}
		if r.Deliveries != 1 || r.Extra != 1 || r.Possible != 1 || r.Pairs != 2 || len(r.Failed) > 0 {
			t.Errorf("%d deliveries and %d beside of %d possible among %d pairs, %q; want 1, 1, 1, 2", r.Deliveries, r.Extra, r.Possible, r.Pairs, r.Failed)
		}
		if last := r.Curve[len(r.Curve)-1]; last.Share != 0.5 || last.Oracle != 0.5 {
			t.Errorf("the curve ends at %v, the oracle's at %v, want a half", last.Share, last.Oracle)
		}
		p.when[3] = never
		if why := w.lacking(share); !strings.HasPrefix(why, "0 of 1 deliveries") {
			t.Errorf("the one that is missing is hidden: %q", why)
		}
	})
}

// TestOracleIsTheLimit: a node that has something before it could have come over the links of the world shows that the oracle is wrong.
func TestOracleIsTheLimit(t *testing.T) {
	s := tell(t, "nodes 4", "full", "split n0-n1 n2 n3", "lie n1", `publish n0 "water" life 1m`, "advance 20s", "join n1 n2", "advance 20s")
	for _, c := range []struct {
		name string
		harm func(w *World)
		want string
	}{
		{"as it was", func(*World) {}, ""},
		{"too soon", func(w *World) { w.ledger.posts[0].when[2] = 19 * time.Second }, "n2 had message 0 of n0 19s after"},
		{"as it became possible", func(w *World) { w.ledger.posts[0].when[2] = 20 * time.Second }, ""},
		{"cut off", func(w *World) { w.ledger.posts[0].when[3] = 30 * time.Second }, "n3 had message 0 of n0 30s after"},
		{"at the end of its life", func(w *World) { w.ledger.posts[0].when[3] = time.Minute }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, 1, s, func(t *testing.T, w *World) {
				c.harm(w)
				w.checkOracle()
				got := strings.Join(w.failed, "\n")
				if c.want == "" && got != "" || c.want != "" && !strings.Contains(got, "the oracle is wrong: "+c.want) {
					t.Errorf("failed: %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestUncounted: only what gossip took for a hop, and no more than it can, may be missing of an age.
func TestUncounted(t *testing.T) {
	p := &post{
		when:   []time.Duration{time.Second, 4 * time.Second, 9 * time.Second, 49 * time.Second, never},
		parent: []int32{-1, 0, 1, 2, -1},
		gossip: []bool{false, true, false, true, false},
	}
	for number, want := range []time.Duration{0, 3 * time.Second, 3 * time.Second, 3*time.Second + gossipLongest, 0} {
		if got := p.uncounted(number); got != want {
			t.Errorf("n%d may hold it %v too young, want %v", number, got, want)
		}
	}
	if got := (&post{noise: make([]bool, 1)}).uncounted(0); got != 0 {
		t.Errorf("noise may be held %v too young", got)
	}
}

// TestNothingToLookAt: what could not fail because there is nothing that it is about fails for that.
func TestNothingToLookAt(t *testing.T) {
	none := "there is no live message that a node up should have"
	for _, c := range []struct {
		name  string
		lines []string // from the third on
		want  []string // of what failed
	}{
		{
			"all are dead",
			[]string{`publish n0 "water" life 10s`, "advance 20s", "expect all within 1s", "expect carried within 1s", "expect kept 1%"},
			[]string{
				`line 5, "expect all within 1s": ` + none, `line 6, "expect carried within 1s": ` + none,
				`line 7, "expect kept 1%": no live message came to a node that is up`,
			},
		},
		{
			"whoever could have it is down",
			[]string{"crash n1-n7", `publish n0 "water"`, "expect all within 1s"},
			[]string{`line 5, "expect all within 1s": ` + none},
		},
		{
			"nothing is possible",
			[]string{"split n0 n1 n2 n3 n4 n5 n6 n7", `publish n0 "water"`, "expect 99% of oracle", "expect median 2x of oracle", "expect copies 9"},
			[]string{
				`line 5, "expect 99% of oracle": nothing could be delivered`, `line 6, "expect median 2x of oracle": nothing was delivered`,
				`line 7, "expect copies 9": nothing was delivered`,
			},
		},
		{
			"nothing was said since",
			[]string{`publish n0 "water"`, "advance 1s", "split n2", "expect nobody n2"},
			[]string{`line 6, "expect nobody n2": nothing was published since n2 was cut off`},
		},
		{
			"nobody is up",
			[]string{`publish n0 "water"`, "crash all", "publish 3", `publish n1 "wine"`},
			[]string{"4 of 5 messages were not published: nobody was up who could"},
		},
		{
			"who should speak is mute",
			[]string{"mute n1", `publish n1 "wine"`},
			[]string{"1 of 1 messages were not published: nobody was up who could"},
		},
		{
			"who should speak by a trace is down",
			[]string{"trace one meet.one", "crash n3", "advance 9m"},
			[]string{"1 of 6 messages were not published: nobody was up who could"},
		},
		{
			"a trace says nothing so far",
			[]string{"trace one meet.one", "expect all within 1s"},
			[]string{`line 4, "expect all within 1s": ` + none},
		},
		{
			"the story is too short",
			[]string{"publish 10 over 1m", "advance 30s"},
			[]string{"4 of 10 messages were not published: the story ends before their time"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Run(t, tell(t, append([]string{"nodes 8", "# the fewest that the trace has"}, c.lines...)...), Options{Seed: 1, Dir: "testdata"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.Failed, c.want) {
				t.Errorf("failed: %q\nwant:   %q", r.Failed, c.want)
			}
		})
	}
}

// TestSleepForGood: who sleeps all of the time does not wake.
func TestSleepForGood(t *testing.T) {
	s := tell(t, "nodes 3", "full", "doze n2 100% of 5s", "advance 6s", `publish n0 "water"`, "advance 1m", "expect nobody n2")
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		if w.ledger.posts[0].when[1] == never {
			t.Error("nobody heard it")
		}
	})
}
