package store_test

import (
	"iter"
	"slices"
	"testing"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// shelf fills a store with messages of three channels and three classes, and returns them newest first within a class.
func shelf(t *testing.T, s *store.Store) []*protocol.Message {
	t.Helper()
	var all []*protocol.Message
	var items []store.Item
	for i := range uint64(90) {
		m := sign(t, protocol.Draft{
			Created: 1_700_000_000_000 + i*1e6, Class: protocol.Class(i % 3), Channel: protocol.Channel{byte(i / 3 % 3)},
		})
		all = append(all, m)
		items = append(items, store.Item{Message: m})
	}
	put(t, s, items...)
	slices.SortFunc(all, func(a, b *protocol.Message) int {
		if d := int(a.Class.Rank()) - int(b.Class.Rank()); d != 0 {
			return d
		}
		return int(b.Created/1000) - int(a.Created/1000)
	})
	return all
}

func TestChannel(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	all := shelf(t, s)
	for c := range byte(4) {
		tag := protocol.Channel{c}
		var got []uint64
		for e, err := range s.Channel(tag) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Message.Channel != tag {
				t.Errorf("channel %d yields a message of %v", c, e.Message.Channel)
			}
			got = append(got, e.Message.Created)
		}
		if !slices.IsSortedFunc(got, func(a, b uint64) int { return int(b/1000) - int(a/1000) }) {
			t.Errorf("channel %d is not newest first: %v", c, got)
		}
		if want := len(all) / 3; c < 3 && len(got) != want || c == 3 && len(got) != 0 {
			t.Errorf("channel %d has %d messages", c, len(got))
		}
	}
	page, err := s.Last(protocol.Channel{1}, 2)
	if err != nil || len(page) != 2 || page[0].Message.Created > page[1].Message.Created {
		t.Errorf("last two: %v, %v", page, err)
	}
	n := 0
	for c, err := range s.Channels() {
		// A third of each channel is media.
		if err != nil || c.Messages != len(all)/3*2/3 || c.Tag != (protocol.Channel{byte(n)}) || c.Newest.UnixMilli() < 1_700_000_080_000 {
			t.Errorf("channel count %d: %+v, %v", n, c, err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d channels", n)
	}
}

func TestNewest(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	all := shelf(t, s)
	var got []*protocol.Message
	for e, err := range s.Newest() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Message)
	}
	if !slices.EqualFunc(got, all, (*protocol.Message).Equal) {
		t.Errorf("%d messages in another order than %d", len(got), len(all))
	}
}

func TestViewRange(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	all := shelf(t, s)
	err := s.View(func(v *store.View) error {
		// Every prefix length, around a key in the middle, with and without an upper bound.
		mid := keyOf(all[45])
		for n := range reconcile.Nibbles + 1 {
			for _, below := range []key{{}, mid} {
				p := mid.Prefix(n)
				var want, got []key
				for _, m := range all {
					if k := keyOf(m); p.Contains(k) && (below == key{} || k.Compare(below) < 0) {
						want = append(want, k)
					}
				}
				slices.SortFunc(want, func(a, b key) int { return b.Compare(a) })
				for e, err := range v.Range(p, below) {
					if err != nil {
						return err
					}
					got = append(got, e.Key())
				}
				if !slices.Equal(got, want) {
					t.Errorf("prefix %v below %v: %d messages, want %d", p, below, len(got), len(want))
				}
			}
		}
		e, err := v.Read(mid)
		if err != nil || e.Key() != mid {
			t.Errorf("read %v: %v", mid, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestViewIsOneMoment(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	shelf(t, s)
	err := s.View(func(v *store.View) error {
		before, _, err := v.Node(reconcile.Prefix{})
		if err != nil {
			return err
		}
		put(t, s, store.Item{Message: text(t, time.UnixMilli(1_700_000_000_123), "meanwhile")})
		n := 0
		for _, err := range v.Keys(reconcile.Prefix{}) {
			if err != nil {
				return err
			}
			// A scan inside a scan must not disturb it.
			for range v.Keys(reconcile.Prefix{}) {
				break
			}
			n++
		}
		after, _, err := v.Node(reconcile.Prefix{})
		if n != 90 || before != after || after.Total() != 90 {
			t.Errorf("the view shows %d keys and %d counted", n, after.Total())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(keys(t, s)); n != 91 {
		t.Errorf("the next view shows %d keys", n)
	}
}

// TestLeaveRange leaves every range early: the store must close at once, which it does only when nobody is inside.
func TestLeaveRange(t *testing.T) {
	s := open(t, store.Config{})
	shelf(t, s)
	for range s.Newest() {
		break
	}
	for range s.Channel(protocol.Channel{1}) {
		break
	}
	for range s.Channels() {
		break
	}
	err := s.View(func(v *store.View) error {
		for range v.Keys(reconcile.Prefix{}) {
			break
		}
		for range v.Range(reconcile.Prefix{}, key{}) {
			break
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shut(t, s)
}

// TestAfter: a reader that goes on behind any message, kept or not, sees exactly the rest.
func TestAfter(t *testing.T) {
	s := open(t, store.Config{})
	defer shut(t, s)
	shelf(t, s)
	for name, from := range map[string]func(reconcile.Key) iter.Seq2[store.Entry, error]{
		"all":       s.NewestAfter,
		"a channel": func(k reconcile.Key) iter.Seq2[store.Entry, error] { return s.ChannelAfter(protocol.Channel{1}, k) },
	} {
		keys := func(after reconcile.Key) (out []reconcile.Key) {
			t.Helper()
			for e, err := range from(after) {
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, e.Key())
			}
			return out
		}
		whole := keys(reconcile.Key{})
		if len(whole) != map[string]int{"all": 90, "a channel": 30}[name] {
			t.Fatalf("%s has %d messages", name, len(whole))
		}
		for i, k := range whole {
			if got := keys(k); !slices.Equal(got, whole[i+1:]) {
				t.Fatalf("%s behind message %d: %d messages, want %d", name, i, len(got), len(whole)-i-1)
			}
		}
		// A key that is not there, one millisecond younger than the third: the third is the next.
		third := whole[2]
		absent := reconcile.NewKey(third.Rank(), third.Created()+1, reconcile.ID{1})
		if got := keys(absent); !slices.Equal(got, whole[2:]) {
			t.Errorf("%s behind a message that is not there: %d messages, want %d", name, len(got), len(whole)-2)
		}
	}
}
