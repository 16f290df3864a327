package crowd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	libp2p "github.com/libp2p/go-libp2p/core/protocol"

	"longear/protocol/frame"
	"longear/test/crowd/contact"
)

// line is three nodes of which the first and the last reach only the one between them.
var line = []string{"nodes 3", "full", "split n0 n1 n2", "join n0 n1", "join n1 n2"}

// TestGuiseKnowsWhatIsSpoken: what a node says to others goes over the two protocols that a guise is put on. One more, or another
// version, would pass mute nodes and liars unchanged.
func TestGuiseKnowsWhatIsSpoken(t *testing.T) {
	inWorld(t, 1, tell(t, "nodes 2", "full", "advance 20s"), func(t *testing.T, w *World) {
		spoken := make(map[libp2p.ID]bool)
		for _, id := range w.members[0].host.Mux().Protocols() {
			if strings.HasPrefix(string(id), "/longear/") {
				spoken[id] = true
			}
		}
		if len(spoken) != 2 || !spoken[gossipStream] || !spoken[syncStream] {
			t.Errorf("the node speaks %v, and the guise knows %v and %v", spoken, gossipStream, syncStream)
		}
	})
}

// TestMutePassesNothingOn: of what is said before and after the nodes are linked a mute one between two has all, and the one behind it
// nothing; were it honest, that one would have it all.
func TestMutePassesNothingOn(t *testing.T) {
	for _, c := range []struct {
		what   string
		mute   []string
		behind int // of two
	}{
		{"honest", nil, 2},
		{"mute", []string{"mute n1"}, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := tell(t, append(append(append([]string(nil), line...), c.mute...), `publish n0 "before"`, "advance 1m", `publish n0 "after"`, "advance 2m")...)
			inWorld(t, 1, s, func(t *testing.T, w *World) {
				var had [3]int
				for _, p := range w.ledger.all() {
					for i := range had {
						if w.ledger.has(p, i) {
							had[i]++
						}
					}
				}
				if had != [3]int{2, 2, c.behind} {
					t.Errorf("of two messages the nodes have %v, want 2, 2 and %d", had, c.behind)
				}
				d := &w.topology.deceits[1]
				if said, gave := d.hushed.Load(), d.frames[withholds][frame.Messages].Load(); c.mute != nil && (said == 0 || gave == 0) {
					t.Errorf("it kept %d RPCs and %d answers: both ways have to be tried", said, gave)
				}
			})
		})
	}
}

// TestMuteStory: what is delivered goes around those who are mute, and would not if they were not.
func TestMuteStory(t *testing.T) {
	for _, forwards := range []bool{false, true} {
		s, err := Load("testdata/mute.txt", new(Options))
		if err != nil {
			t.Fatal(err)
		}
		if s, err = s.Scale(20); err != nil {
			t.Fatal(err)
		}
		var through int
		inWorld(t, 1, s, func(t *testing.T, w *World) {
			if forwards { // the same ones, and one of them is the only way to somebody: where they stand they may have nothing to pass on
				way := slices.IndexFunc(w.members, func(m *member) bool { return m.is(mute) })
				behind := slices.IndexFunc(w.members, func(m *member) bool { return m.is(honest) })
				for _, m := range w.members {
					m.role.Store(uint32(honest))
				}
				again := tell(t, "nodes 20", fmt.Sprintf("split n%d", behind), fmt.Sprintf("join n%d n%d", behind, way), "publish 10 over 1m", "advance 2m")
				goOn(t, w, again.Steps[1:])
			}
			through = w.throughMute()
		})
		if (through > 0) != forwards {
			t.Errorf("%d deliveries went through mute nodes, forwarding is %v", through, forwards)
		}
	}
}

// throughMute is how many deliveries came over who is mute, or was.
func (w *World) throughMute() (n int) {
	for _, p := range w.ledger.all() {
		for _, from := range p.parent {
			if from >= 0 && int(from) != p.from && w.topology.deceits[from].hushed.Load() > 0 {
				n++
			}
		}
	}
	return n
}

// TestLiarsLie: in every way that they know, about every kind of frame that matters; and who has met nobody but a liar has everything as
// soon as others come. Each way is what a liar does to one of the peers around it, which have to ask it.
func TestLiarsLie(t *testing.T) {
	lines := []string{"nodes 20", "full", "lie n0,n10", "split n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12 n13 n14 n15 n16 n17 n18 n19"}
	for i := range 20 {
		if i%10 > 0 {
			lines = append(lines, fmt.Sprintf("join n%d n%d", i-i%10, i))
		}
	}
	lines = append(lines, "publish 20", "advance 3m", "join", "expect carried within 30s")
	inWorld(t, 1, tell(t, lines...), func(t *testing.T, w *World) {
		var ways [habits]uint64
		var kinds [frame.Nudge + 1]uint64
		for i := range w.members {
			sum := uint64(0)
			for h := range ways {
				for k := range kinds {
					n := w.topology.deceits[i].frames[h][k].Load()
					sum, ways[h], kinds[k] = sum+n, ways[h]+n, kinds[k]+n
				}
			}
			if lied := sum > 0; lied != w.members[i].is(liar) {
				t.Errorf("n%d lied %d times", i, sum)
			}
		}
		t.Logf("lies by way %v, by kind of frame %v", ways, kinds)
		for h, n := range ways {
			if n == 0 {
				t.Errorf("nobody lied in way %d", h)
			}
		}
		for _, k := range []frame.Kind{frame.Round, frame.Recon, frame.Messages, frame.Done} {
			if kinds[k] == 0 {
				t.Errorf("nobody lied in a frame of kind %d", k)
			}
		}
	})
}

// TestAgersLie: about ages in gossip and in sync, and about nothing else. What they say by gossip is hardly believed; what they say by sync kills half of what
// they bring, until others bring it again.
func TestAgersLie(t *testing.T) {
	told := append(append([]string(nil), line...), "lie n1 about ages", "advance 30s", "publish 20 from n0 over 1m", "advance 2m")
	inWorld(t, 1, tell(t, told...), func(t *testing.T, w *World) {
		on := func(lines ...string) {
			t.Helper()
			before := len(told)
			told = append(told, lines...)
			goOn(t, w, tell(t, told...).Steps[before:])
			if len(w.failed) > 0 {
				t.Fatal(w.failed)
			}
		}
		aged := func(i int) uint64 { return w.topology.deceits[i].aged.Load() }
		byGossip := aged(1)
		if killed := w.lost(1); byGossip < 10 || killed != "" {
			t.Errorf("of %d wrong ages told by gossip: %q", byGossip, killed)
		}
		on("crash n2", "publish 20 from n0", "advance 30s", "restart n2", "advance 2m")
		bySync, killed := aged(1)-byGossip, w.lost(1)
		t.Logf("told %d by gossip, %d by sync: %s", byGossip, bySync, killed)
		if bySync < 20 || killed == "" || w.missing(false) == "" {
			t.Errorf("of %d wrong ages told by sync: %q", bySync, killed)
		}
		on("join", "expect carried within 45m", "expect kept 100%")
		if aged(0)+aged(2) > 0 {
			t.Error("who is honest told wrong ages")
		}
	})
}

// TestLieStoryNeedsSync: what liars could spoil is a good part of what is delivered in their story.
func TestLieStoryNeedsSync(t *testing.T) {
	s, err := Load("testdata/lie.txt", new(Options))
	if err != nil {
		t.Fatal(err)
	}
	if s, err = s.Scale(20); err != nil {
		t.Fatal(err)
	}
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		var bySync, all uint64
		for _, m := range w.members {
			took := m.node.Status().Accepted
			bySync, all = bySync+took["sync"], all+took["sync"]+took["gossip"]
		}
		t.Logf("%d of %d deliveries were by sync", bySync, all)
		if bySync < all/2 {
			t.Errorf("%d of %d deliveries were by sync, want half of them", bySync, all)
		}
	})
}

// TestFlood: every node took some of the noise and refused some for its rate, and everybody's messages came within a second all the same.
func TestFlood(t *testing.T) {
	s := tell(t, "nodes 6", "ring 1", "advance 20s", "flood n3 500/s", "publish 20 over 10s", "advance 10s", "expect carried within 1s")
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		made := len(w.ledger.noise)
		if made < 4500 {
			t.Errorf("the flooder made %d messages in ten seconds, want 500 a second", made)
		}
		refused := uint64(0)
		for _, m := range w.members {
			st := m.node.Status()
			refused += st.Verdicts["ignore: budget"]
			if noise := int(st.Messages) - len(w.ledger.all()); !m.is(flooder) && (noise < 100 || noise > made) {
				t.Errorf("n%d took %d messages of %d", m.number, noise, made)
			}
		}
		t.Logf("%d made, %d refused for the rate, %d bytes taken", made, refused, w.ledger.noisy)
		if refused == 0 || w.ledger.noisy == 0 {
			t.Errorf("%d refused for the rate, %d bytes taken", refused, w.ledger.noisy)
		}
	})
}

// TestWall: nothing crosses a wall, and everything does what it kept when it is gone.
func TestWall(t *testing.T) {
	for _, c := range []struct {
		what string
		wall []string
	}{
		{"no wall", nil},
		{"wall", []string{"wall 25,0 25,50"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := tell(t, append(append([]string{"nodes 16", "stand crowd 50m x 50m range 40m"}, c.wall...), "publish 20 over 1m", "advance 2m")...)
			inWorld(t, 1, s, func(t *testing.T, w *World) {
				left := func(n int) bool { return w.topology.place[n].X < 25 }
				across := func() (came, all int) {
					for _, p := range w.ledger.all() {
						for i := range w.members {
							if left(p.from) != left(i) {
								all++
								if w.ledger.has(p, i) {
									came++
								}
							}
						}
					}
					return came, all
				}
				came, all := across()
				if all < 50 || c.wall == nil && came != all || c.wall != nil && came != 0 {
					t.Errorf("%d of %d came across", came, all)
				}
				if c.wall == nil {
					return
				}
				w.topology.walls = []([2]contact.Point){}
				w.refreshAll()
				if err := w.advance(30 * time.Second); err != nil {
					t.Fatal(err)
				}
				if came, all := across(); came != all {
					t.Errorf("%d of %d came across when the wall was gone", came, all)
				}
			})
		})
	}
}
