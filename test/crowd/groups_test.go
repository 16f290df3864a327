package crowd

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// TestGroupChecksBite breaks a world of groups in each way that its checks are there for.
func TestGroupChecksBite(t *testing.T) {
	s := tell(t, "nodes 4", "hubs 1", "stand crowd 10m x 10m range 20m", "wifi-direct places 8", `publish n0 "water"`, "advance 90s", "expect all within 1s", "expect grouped 50%")
	away := func(w *World, n int) { // out of the owner's reach, without a word to its radio
		g := w.groups
		for i := range g.at {
			for _, k := range []int{i*len(g.at) + n, n*len(g.at) + i} {
				g.near.set(k, false)
				g.want.set(k, false)
			}
		}
	}
	for _, c := range []struct {
		name, want string
		harm       func(w *World)
	}{
		{"unharmed", "", func(*World) {}},
		{"too many", "4 members and 2 places", func(w *World) { w.groups.say = story.WifiDirect{Places: 2} }},
		{"out of reach", "n1 stays in the group of n4, which it has not heard for 6.", func(w *World) { away(w, 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, 1, s, func(t *testing.T, w *World) {
				c.harm(w)
				if err := w.advance(8 * time.Second); err != nil {
					t.Fatal(err)
				}
				said := strings.Join(w.failed, "\n")
				if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
					t.Errorf("said %q, want %q", said, c.want)
				}
			})
		})
	}
}

// TestNoLinkWithoutGroup: whoever is in reach and in no group is linked with nobody, and members are linked with each other.
func TestNoLinkWithoutGroup(t *testing.T) {
	s := tell(t, "nodes 2", "hubs 1", "stand crowd 10m x 10m range 20m", "wifi-direct places 8", `publish n0 "water"`, "advance 100ms")
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		if len(w.topology.contact) > 0 {
			t.Errorf("%d links before any group", len(w.topology.contact))
		}
		if err := w.advance(30 * time.Second); err != nil {
			t.Fatal(err)
		}
		if owners := w.groups.owners(); owners[0] != 2 || owners[1] != 2 || len(w.topology.contact) != 3 {
			t.Errorf("owners %v, %d links", owners, len(w.topology.contact))
		}
		if why := w.missing(false); why != "" {
			t.Error(why)
		}
	})
}

// TestEveryNodeCanOwn: the first node's group is as good as any.
func TestEveryNodeCanOwn(t *testing.T) {
	s := tell(t, "nodes 2", "stand crowd 10m x 10m range 20m", "wifi-direct places 8", "late n1", `publish n0 "water"`, "advance 30s", "enter n1", "expect all within 30s")
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		if owners := w.groups.owners(); owners[0] != 0 || owners[1] != 0 {
			t.Errorf("owners %v", owners)
		}
	})
}

// TestGroupsCrossed follows a message from its author's group by a walker into the next.
func TestGroupsCrossed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(4, new(Watch))
		l.follow()
		p := &post{when: []time.Duration{0, never, never, never}, via: []int32{-1, -1, -1, -1}, crossed: make([]int16, 4)}
		got := func(from, to int) {
			p.when[to] = time.Since(l.begin)
			l.crosses(p, from, to)
		}
		l.enters(0, 7, false)
		l.enters(1, 7, false)
		got(0, 1)
		l.enters(1, -1, false)
		time.Sleep(time.Second)
		l.enters(1, 8, true)
		l.enters(2, 8, false)
		l.enters(3, 8, false)
		got(1, 2)
		got(2, 3)
		if p.crossed[1] != 1 || p.crossed[2] != 2 || p.crossed[3] != 2 {
			t.Errorf("crossed %v", p.crossed)
		}
		l.posts = []*post{p}
		var r report.Groups
		l.groups(&r)
		if r.Counts.Moves != 1 || r.Counts.Carried != 1 || r.Counts.Loaded != 1 || len(r.Crossed) != 3 || r.Crossed[2] != 2 {
			t.Errorf("%+v", r)
		}
	})
}
