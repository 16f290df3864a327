package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// TestChannelModel puts messages of three channels in batches of mixed times, lets some go and some die, and compares every channel
// with what is kept, newest first.
func TestChannelModel(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 9))
		c := newClock()
		conf := store.Config{Clock: c.Clock()}
		if seed%2 == 0 {
			conf.Dir = t.TempDir()
		}
		s := open(t, conf)
		tmpls := channelTemplates(t)
		for step := range 30 {
			var items []store.Item
			for range 1 + r.IntN(400) {
				// Anywhere in two days, or many in one millisecond.
				created := start + r.Uint64N(48*3600*1000)>>(r.IntN(2)*22)
				items = append(items, store.Item{
					Message: forge(t, tmpls[r.IntN(3)], created, r.Uint64()),
					Age:     time.Duration(r.Int64N(int64(7 * 24 * time.Hour))),
				})
			}
			put(t, s, items...)
			if r.IntN(2) == 0 {
				// A younger copy rewrites the record, here in the batch that brings the message too.
				younger := items[0]
				younger.Age /= 2
				items[1].Age = younger.Age
				put(t, s, younger, store.Item{Message: forge(t, tmpls[0], start, r.Uint64()), Age: 6 * 24 * time.Hour})
				m := forge(t, tmpls[1], start, r.Uint64())
				put(t, s, store.Item{Message: m, Age: 6 * 24 * time.Hour}, store.Item{Message: m})
			}
			removeAny(t, s, 1+r.IntN(300))
			if r.IntN(3) == 0 {
				c.advance(time.Duration(r.Int64N(int64(12 * time.Hour))))
				sweep(t, s)
			}
			if r.IntN(5) == 0 && conf.Dir != "" {
				shut(t, s)
				s = open(t, conf)
			}
			checkChannels(t, s)
			if t.Failed() {
				t.Fatalf("at step %d of seed %d", step, seed)
			}
		}
		// What is empty leaves nothing behind.
		removeAny(t, s, 1<<30)
		for n := range s.Channels() {
			t.Errorf("%v of an empty store", n)
		}
		shut(t, s)
	}
}

func channelTemplates(t *testing.T) (tmpls []*protocol.Message) {
	for i := range byte(3) {
		tmpls = append(tmpls, sign(t, protocol.Draft{
			Created: start, Class: protocol.Class(i), Body: []byte("water at gate 4"), Nonce: 1, Channel: protocol.Channel{i},
		}))
	}
	return tmpls
}

// checkChannels compares all channels with all messages.
func checkChannels(t *testing.T, s *store.Store) {
	t.Helper()
	want := map[protocol.Channel][]*protocol.Message{}
	for e, err := range s.Newest() {
		if err != nil {
			t.Fatal(err)
		}
		want[e.Message.Channel] = append(want[e.Message.Channel], e.Message)
	}
	counted := 0
	for n, err := range s.Channels() {
		if err != nil {
			t.Fatal(err)
		}
		counted += n.Messages
	}
	media, err := s.MediaCount()
	if kept := s.Stats().Messages; err != nil || int64(counted)+media != kept {
		t.Errorf("channels count %d messages beside %d of media, %v; %d are kept", counted, media, err, kept)
	}
	for tag, all := range want {
		seen := map[protocol.ID]bool{}
		last := uint64(1<<63 - 1)
		talk := 0
		for e, err := range s.Talk(tag) {
			if talk++; err != nil || e.Message.Class == protocol.Media {
				t.Fatalf("%v: %v among what people said, %v", tag, e.Message.Class, err)
			}
		}
		for e, err := range s.ChannelMedia(tag) {
			if talk++; err != nil || e.Message.Class != protocol.Media {
				t.Fatalf("%v: %v among media, %v", tag, e.Message.Class, err)
			}
		}
		if talk != len(all) {
			t.Errorf("%v: %d in its two parts, %d kept", tag, talk, len(all))
		}
		for e, err := range s.Channel(tag) {
			m := e.Message
			if err != nil || m.Channel != tag || seen[m.ID] || m.Created > last {
				t.Fatalf("%v: %v, seen %v, created %d after %d", tag, err, seen[m.ID], m.Created, last)
			}
			seen[m.ID], last = true, m.Created
		}
		for _, m := range all {
			if !seen[m.ID] {
				t.Errorf("%v: %v is kept and not shown", tag, m.ID.Short())
			}
		}
		if len(seen) != len(all) {
			t.Errorf("%v: %d shown, %d kept", tag, len(seen), len(all))
		}
		slices.SortFunc(all, func(a, b *protocol.Message) int { return int(b.Created) - int(a.Created) })
		page, err := s.Last(tag, 20)
		for i, e := range page {
			if e.Message.Created != all[len(page)-1-i].Created {
				t.Errorf("%v: place %d of the last page was created at %d, not %d", tag, i, e.Message.Created, all[len(page)-1-i].Created)
			}
		}
		if err != nil || len(page) != min(20, len(all)) {
			t.Errorf("%v: page of %d, %v", tag, len(page), err)
		}
	}
}
