package reconcile_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"longear/protocol/reconcile"
)

// hostile builds messages item by item: each begins with kind and a prefix coded against the one before.
func hostile(items ...[]byte) []byte { return append([]byte{0}, slices.Concat(items...)...) }

// TestHostileWork: no message makes a node of 100,000 keys read more than a bounded part of it.
func TestHostileWork(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	keys := randomKeys(rng, 100_000, start, day)
	set := reconcile.NewMem(keys)
	long := reconcile.AppendPrefix(nil, keys[7].Prefix(9))[1:]
	at := func(kind byte, rest ...byte) []byte {
		return slices.Concat([]byte{kind<<5 | 31, 0, 9}, long, rest)
	}
	again := func(kind byte, rest ...byte) []byte { return append([]byte{kind << 5}, rest...) }
	all := slices.Concat([]byte{0xff, 0xff}, make([]byte, 48))
	only := slices.Concat([]byte{77}, reconcile.AppendPrefix(nil, keys[9].Prefix(77))[1:])
	messages := map[string][]byte{
		"every child differs, again and again": hostile(slices.Repeat([][]byte{again(3, all...)}, 1200)...),
		"the same bucket":                      hostile(slices.Concat([][]byte{at(3, all...)}, slices.Repeat([][]byte{again(3, all...)}, 1200))...),
		"an empty list of all":                 hostile(slices.Repeat([][]byte{again(4, 0)}, 4096)...),
		"an empty list of a bucket":            hostile(slices.Concat([][]byte{at(4, 0)}, slices.Repeat([][]byte{again(4, 0)}, 4000))...),
		"one offer, often":                     hostile(slices.Repeat([][]byte{again(5, 1, 1, 2, 3, 4)}, 4096)...),
		"a branch without children":            hostile(slices.Repeat([][]byte{again(2, 0xff, 0xff, 0xff, 0xff)}, 4096)...),
		"all is new, often":                    hostile(slices.Repeat([][]byte{again(6)}, 4096)...),
		"a long way down":                      hostile(slices.Concat([]byte{1 << 5}, only)),
	}
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			c := &counted{Nodes: set}
			s := reconcile.NewSession(reconcile.Config{Initiator: true})
			if _, err := s.Start(c); err != nil {
				t.Fatal(err)
			}
			reply, _, err := s.Receive(c, msg)
			if err != nil || len(reply) > reconcile.MaxMessage {
				t.Fatalf("reply of %d bytes, error %v", len(reply), err)
			}
			short := 0
			for _, w := range s.Wants() {
				short += 1 + len(w.Short)
			}
			t.Logf("%d bytes in: %d nodes, %d ranges, %d keys, %d out, %d wanted", len(msg), c.nodes, c.ranges, c.keys, len(reply), short)
			if c.nodes+c.ranges > 41_000 || c.keys > 70_000 || short > 1<<16 {
				t.Errorf("%d nodes, %d ranges, %d keys, %d wanted", c.nodes, c.ranges, c.keys, short)
			}
		})
	}
}

// TestLongListOfLittle: a list that names one missing key among thousands that are not makes a want no larger than that.
func TestLongListOfLittle(t *testing.T) {
	keys := randomKeys(rand.New(rand.NewPCG(1, 1)), 20, start, day)
	set := reconcile.NewMem(keys)
	s := reconcile.NewSession(reconcile.Config{Initiator: true})
	if _, err := s.Start(set); err != nil {
		t.Fatal(err)
	}
	var salt reconcile.Salt
	known := binary.BigEndian.AppendUint32(nil, uint32(salt.Short(keys[3].ID())))
	list := slices.Concat([]byte{4 << 5, 0x80, 0x20}, bytes.Repeat(known, 4095), []byte{1, 2, 3, 4})
	if _, _, err := s.Receive(set, hostile(list)); err != nil {
		t.Fatal(err)
	}
	wants := s.Wants()
	if len(wants) != 1 || len(wants[0].Short) != 1 || cap(wants[0].Short) > 16 {
		t.Fatalf("wants %v, with room for %d", wants, cap(wants[0].Short))
	}
}

// TestKeep: what is kept is within both bounds, and what is not is let go of.
func TestKeep(t *testing.T) {
	some := make([]reconcile.Want, 10)
	for i := range some {
		some[i].Short = make([]reconcile.ShortID, i)
	}
	for _, c := range []struct {
		most, shorts, want int
	}{
		{10, 45, 10}, {11, 99, 10}, {9, 45, 9}, {0, 45, 0}, // so many wants
		{10, 44, 9}, {10, 36, 9}, {10, 35, 8}, {10, 0, 1}, // so many short IDs: the first has none
	} {
		kept, all := reconcile.Keep(some, c.most, c.shorts)
		if len(kept) != c.want || all != (c.want == 10) {
			t.Errorf("at most %d wants of %d short IDs: %d, all %v; want %d", c.most, c.shorts, len(kept), all, c.want)
		}
		if !all && len(kept) > 0 && &kept[0] == &some[0] {
			t.Errorf("at most %d wants of %d short IDs hold all ten", c.most, c.shorts)
		}
	}
}

// TestRefusedMessages holds one message of each kind that must not be accepted, and who receives it.
func TestRefusedMessages(t *testing.T) {
	root := append([]byte{0, 0, 5}, make([]byte, 16)...)
	table := []struct {
		name      string
		initiator bool
		msg       []byte
	}{
		{"nothing at all", true, nil},
		{"an unknown flag", true, []byte{4}},
		{"equal with an item", true, []byte{2, 6 << 5}},
		{"equal and incomplete", true, []byte{3}},
		{"equal to the side that answers", false, []byte{2}},
		{"a root to the initiator", true, root},
		{"two roots", false, append(slices.Clone(root), root[1:]...)},
		{"a root with more", false, append(slices.Clone(root), 6<<5)},
		{"an item before the root", false, []byte{0, 6 << 5}},
		{"an empty message before the root", false, []byte{0}},
		{"an unknown kind", true, []byte{0, 7 << 5}},
		{"a cut root", false, root[:18]},
		{"a root with a prefix", false, append([]byte{0, 1}, root[2:]...)},
		{"a count that is not the shortest", false, append([]byte{0, 0, 0x85, 0}, root[3:]...)},
		{"a prefix below the root's length", true, []byte{0, 6<<5 | 1, 0x10}},
		{"a long form where the short one serves", true, []byte{0, 6<<5 | 31, 0, 0}},
		{"more nibbles in common than there are", true, []byte{0, 6<<5 | 31, 1, 1, 0x10}},
		{"too many nibbles", true, append([]byte{0, 6<<5 | 31, 0, 78}, make([]byte, 39)...)},
		{"a half byte that is not zero", true, []byte{0, 6<<5 | 31, 0, 1, 0x11}},
		{"fewer nibbles in common than there are", true, []byte{0, 6<<5 | 31, 0, 2, 0x11, 6<<5 | 31, 1, 2, 0x12, 0x30}},
		{"no children", true, []byte{0, 3 << 5, 0, 0}},
		{"a branch that nothing follows", true, []byte{0, 2 << 5, 0, 1, 0, 0, 1, 2, 3}},
		{"a branch followed by absent children", true, []byte{0, 2 << 5, 0, 1, 0, 2}},
		{"too few fingerprints", true, []byte{0, 3 << 5, 0, 3, 1, 2, 3, 4, 5}},
		{"an empty offer", true, []byte{0, 5 << 5, 0}},
		{"a cut list", true, []byte{0, 4 << 5, 2, 1, 2, 3, 4, 5, 6, 7}},
		{"a list too long", true, append([]byte{0, 4 << 5, 0x81, 0x20}, make([]byte, 4097*4)...)},
		{"too many items", true, append([]byte{0}, slices.Repeat([]byte{6 << 5}, 4097)...)},
		{"a message too long", true, append([]byte{0}, slices.Repeat([]byte{4 << 5, 1, 1, 2, 3, 4}, 11_000)...)},
		{"a way to the same place", true, []byte{0, 1 << 5, 0}},
		{"a way too long", true, append([]byte{0, 1 << 5, 78}, make([]byte, 39)...)},
	}
	for _, row := range table {
		t.Run(row.name, func(t *testing.T) {
			set := reconcile.NewMem(nil)
			s := reconcile.NewSession(reconcile.Config{Initiator: row.initiator})
			if row.initiator {
				if _, err := s.Start(set); err != nil {
					t.Fatal(err)
				}
			}
			if reply, _, err := s.Receive(set, row.msg); err != reconcile.ErrMessage || reply != nil {
				t.Fatalf("reply %x, error %v", reply, err)
			}
			if _, _, err := s.Receive(set, []byte{0}); err != reconcile.ErrMessage {
				t.Errorf("the round went on: %v", err)
			}
		})
	}
}

func TestStartIsTheInitiators(t *testing.T) {
	if _, err := reconcile.NewSession(reconcile.Config{}).Start(reconcile.NewMem(nil)); err != reconcile.ErrInitiator {
		t.Errorf("error is %v", err)
	}
}

// TestEndlessRound: a peer that keeps asking is cut off.
func TestEndlessRound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	set := reconcile.NewMem(randomKeys(rng, 5000, start, day))
	s := reconcile.NewSession(reconcile.Config{Initiator: true})
	if _, err := s.Start(set); err != nil {
		t.Fatal(err)
	}
	ask := append([]byte{0, 3 << 5, 0xff, 0xff}, make([]byte, 48)...)
	for n := 1; ; n += 2 {
		reply, done, err := s.Receive(set, ask)
		if err != nil {
			t.Fatal(err)
		}
		if done {
			if len(reply) != 1 || !s.Incomplete() || n < reconcile.MaxSteps-4 {
				t.Fatalf("ended after %d messages with %x", n, reply)
			}
			return
		}
		if n > reconcile.MaxSteps {
			t.Fatal("the round goes on")
		}
	}
}
