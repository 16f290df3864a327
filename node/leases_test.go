package node

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longear/protocol/reconcile"
)

// TestLeases plays links that want parts of the set from peers who bring much, little or nothing.
func TestLeases(t *testing.T) {
	const little, enough = 1638, 1639 // in 40 messages: 16 bytes less than what a window must bring, and 24 more
	for _, c := range []struct {
		name string
		play []turn
	}{
		{"one has it", []turn{takes("a", "21"), misses("b", "21"), takes("b", "31"), misses("a", "31"), misses("c", "21"), takes("a", "21")}},
		{"what lies above it and under it is not to be had", []turn{
			takes("a", "213"),
			misses("b", "21"), misses("b", "2"), misses("b", ""), misses("b", "2134"), misses("b", "21345"),
			takes("b", "214"), takes("b", "22"), takes("b", "3"),
		}},
		{"who has all leaves nothing", []turn{takes("a", ""), misses("b", ""), misses("b", "2"), misses("b", "21345")}},
		{"what is given is free, and what is under the same prefix is not", []turn{
			takes("a", "211"), takes("a", "212"), takes("a", "21"), gives("a", "21", ""), misses("b", "21"),
			gives("a", "211", "b"), takes("b", "211"), misses("c", "212"),
			gives("a", "212", "c"), takes("c", "212"), gives("b", "211", ""), gives("c", "212", ""), takes("b", "21"),
		}},
		{"who took it twice gives it once", []turn{takes("a", "21"), takes("a", "21"), gives("a", "21", ""), takes("b", "2")}},
		{"nobody gives what it has not", []turn{
			takes("a", "21"), takes("b", "3"), gives("b", "21", ""), gives("c", "21", ""), misses("c", "21"),
			gives("a", "21", "c"), gives("a", "21", ""), takes("c", "21"), drops("c", ""), misses("a", ""),
		}},
		{"who missed something is told once", []turn{
			takes("a", "21"), takes("a", "3"), takes("b", "4"),
			misses("b", "21"), misses("b", "2"), misses("c", "3"),
			gives("a", "21", "b c"), gives("a", "3", ""), // c looks, and is told anew if it misses it again
			takes("a", "3"), misses("c", "3"), gives("a", "3", "c"),
		}},
		{"who ends leaves all, and who missed it is told", []turn{
			takes("a", "21"), takes("a", "3"), misses("b", "3"), misses("c", "21"), drops("a", "b c"),
			takes("b", ""), drops("a", ""), drops("d", ""), misses("a", "3"), drops("b", "a"),
		}},
		{"who has ended is not told", []turn{takes("a", "21"), misses("b", "21"), misses("c", "21"), drops("b", ""), gives("a", "21", "c")}},
		{"who is silent for 5 s leaves all", []turn{
			takes("a", "21"), takes("a", "3"), waits(5*time.Second - 1), misses("b", "21"), misses("b", "3"),
			waits(1), takes("b", "21"), takes("b", "3"),
		}},
		{"and to ask in vain is to be silent", []turn{
			takes("a", "21"), takes("b", "3"), waits(4 * time.Second), brings("b", 1), misses("a", "3"),
			waits(time.Second - 1), misses("b", "21"), waits(1), takes("b", "21"),
		}},
		{"a message, or something more that is asked for, makes 5 s of it again", []turn{
			takes("a", "21"), waits(4 * time.Second), brings("a", 1), waits(4 * time.Second), misses("b", "21"),
			takes("a", "3"), waits(5*time.Second - 1), misses("b", "21"), waits(1), takes("b", "21"),
		}},
		{"who was silent for longer and went on may be so again", []turn{
			takes("a", "21"), waits(12 * time.Second), brings("a", 1), brings("a", 1), waits(12*time.Second - 1), misses("b", "21"),
			waits(1), takes("b", "21"), takes("a", "3"), takes("b", "4"), waits(5 * time.Second), misses("b", "3"), takes("a", "4"),
		}},
		{"but for 20 s", []turn{
			takes("a", "21"), waits(time.Minute), brings("a", 1), waits(20*time.Second - 1), misses("b", "21"), waits(1), takes("b", "21"),
		}},
		{"who brings little has it for 2 min", []turn{
			takes("a", "21"), trickles("a", 39, 100), waits(3*time.Second - 1), misses("b", "21"), waits(1), takes("b", "21"),
		}},
		{"who brings 64 KiB in 2 min has it for as long as it takes", slices.Concat(
			[]turn{takes("a", "21")},
			slices.Repeat([]turn{brings("a", 16), trickles("a", 40, little), misses("b", "21")}, 30),
		)},
		{"a byte less is little", []turn{takes("a", "21"), brings("a", 15), trickles("a", 40, little), takes("b", "21")}},
		{"what came before it was asked for does not count", []turn{
			brings("a", 1<<20), takes("a", "21"), trickles("a", 40, little), takes("b", "21"),
		}},
		{"nor what came in the 2 min before", []turn{
			takes("a", "21"), brings("a", 1<<20), trickles("a", 40, little), misses("b", "21"), trickles("a", 40, little), takes("b", "21"),
		}},
		{"to ask again for what one has makes no 2 min of it again", []turn{
			takes("a", "21"), trickles("a", 20, little), takes("a", "21"), trickles("a", 20, little), takes("b", "21"),
		}},
		{"who had nothing for 2 min may bring little", []turn{
			takes("a", "21"), trickles("a", 30, little), gives("a", "21", ""), takes("a", "22"), trickles("a", 10, little), misses("b", "22"),
			trickles("a", 39, little), misses("b", "22"), trickles("a", 1, little), takes("b", "22"),
		}},
		{"nothing is left to who brought little in one part, whichever is looked at last", slices.Concat(
			[]turn{takes("a", "21")},
			slices.Repeat([]turn{
				trickles("a", 39, little), takes("a", "3"), trickles("a", 1, little),
				takes("b", "3"), gives("b", "3", ""), gives("a", "3", ""),
			}, 30),
			[]turn{takes("a", "4"), takes("b", "4"), takes("c", "21"), misses("a", "21")},
		)},
		{"until it has brought enough for 2 min", []turn{
			takes("a", "21"), trickles("a", 40, little), takes("b", "21"), gives("b", "21", ""),
			trickles("a", 39, enough), takes("b", "21"), gives("b", "21", ""), trickles("a", 1, enough), misses("b", "21"),
			trickles("a", 39, little), misses("b", "21"), trickles("a", 1, little), takes("b", "21"),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &play{links: make(map[string]*link)}
				began := time.Now()
				for i, next := range c.play {
					if err := next(p); err != nil {
						t.Fatalf("turn %d, after %v: %v", i, time.Since(began), err)
					}
				}
			})
		})
	}
}

// TestLeasesHeld: what a peer has on lease takes little memory, however deep in the trie it says that it lies.
func TestLeasesHeld(t *testing.T) {
	const links, each = 8, pullsOpen*pullWants + mediaShorts
	used := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	var ls leases
	before := used()
	for i := range links {
		l := new(link)
		for j := range each {
			var id reconcile.ID
			binary.BigEndian.PutUint16(id[:], uint16(i*each+j)) // 64 nibbles from the end
			if !ls.take(l, reconcile.NewKey(1, 7, id).Prefix(reconcile.Nibbles)) {
				t.Fatal("a part is not to be had")
			}
		}
	}
	got := (used() - before) / links
	t.Logf("%d kB a link", got>>10)
	if got > 1<<20 {
		t.Errorf("%d parts that are on lease to one link take %d kB, want less than 1 MB", each, got>>10)
	}
	runtime.KeepAlive(&ls)
}

// play is leases and the links that it is about, by name.
type play struct {
	leases leases
	links  map[string]*link
}

func (p *play) link(name string) *link {
	if p.links[name] == nil {
		p.links[name] = new(link)
	}
	return p.links[name]
}

// turn is what happens next in a play. Its error is that it went otherwise.
type turn func(*play) error

func waits(d time.Duration) turn {
	return func(*play) error { time.Sleep(d); return nil }
}

func takes(who, part string) turn { return wants(who, part, true) }

func misses(who, part string) turn { return wants(who, part, false) }

func wants(who, part string, granted bool) turn {
	return func(p *play) error {
		if got := p.leases.take(p.link(who), under(part)); got != granted {
			return fmt.Errorf("%s gets %q: %v, want %v", who, part, got, granted)
		}
		return nil
	}
}

func brings(who string, bytes int) turn {
	return func(p *play) error { p.leases.touch(p.link(who), bytes); return nil }
}

// trickles: so many messages, each 3 s after what was before.
func trickles(who string, messages, bytes int) turn {
	return func(p *play) error {
		for range messages {
			time.Sleep(3 * time.Second)
			p.leases.touch(p.link(who), bytes)
		}
		return nil
	}
}

// gives and drops tell who is to be told, in the order of names.
func gives(who, part, told string) turn {
	return func(p *play) error {
		return p.told(who, p.leases.give(p.link(who), []reconcile.Want{{Prefix: under(part)}}), told)
	}
}

func drops(who, told string) turn {
	return func(p *play) error { return p.told(who, p.leases.drop(p.link(who)), told) }
}

func (p *play) told(by string, got map[*link]struct{}, want string) error {
	var names []string
	for name, l := range p.links {
		if _, ok := got[l]; ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if s := strings.Join(names, " "); s != want {
		return fmt.Errorf("%s lets go, and %q are told, want %q", by, s, want)
	}
	return nil
}

// under is the prefix of these nibbles.
func under(hex string) (p reconcile.Prefix) {
	for _, c := range hex {
		p = p.Child(uint8(c - '0'))
	}
	return p
}
