package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// pot is a small store and what was poured into it.
type pot struct {
	t     *testing.T
	s     *store.Store
	tmpls map[protocol.Class]*protocol.Message
	n     uint64
}

func newPot(t *testing.T, c store.Config) *pot {
	p := &pot{t: t, s: open(t, c), tmpls: map[protocol.Class]*protocol.Message{}}
	for class, size := range map[protocol.Class]int{protocol.Alert: 300, protocol.Text: 1000, protocol.Media: 4000} {
		p.tmpls[class] = template(t, class, size)
	}
	return p
}

// pour puts messages of one class and counts those that were taken.
func (p *pot) pour(class protocol.Class, count int, age time.Duration, own bool) (taken int) {
	p.t.Helper()
	for range count {
		p.n++
		m := forge(p.t, p.tmpls[class], start+p.n, p.n)
		if put(p.t, p.s, store.Item{Message: m, Age: age, Own: own})[0] == protocol.Accept {
			taken++
		}
	}
	return taken
}

// kept counts what is there by rank, and what its media weigh by the store's own measure of a message.
func (p *pot) kept() (by [3]int, media int64) {
	p.t.Helper()
	for e, err := range p.s.Newest() {
		if err != nil {
			p.t.Fatal(err)
		}
		r := e.Message.Class.Rank()
		if by[r]++; r == 2 {
			media += int64(len(e.Message.Wire()))
		}
	}
	return by, media
}

// TestMediaShare: media fills half and no more, whatever else is there, and what is not media loses nothing to it.
func TestMediaShare(t *testing.T) {
	c := newClock()
	p := newPot(t, store.Config{Quota: 512 << 10, Clock: c.Clock()})
	defer shut(t, p.s)
	p.pour(protocol.Media, 200, 0, false)
	st := p.s.Stats()
	if st.Media > st.Quota/2 || st.Media < st.Quota*4/10 {
		t.Errorf("media takes %d of %d", st.Media, st.Quota)
	}
	by, _ := p.kept()
	first := by[2]
	if got := p.pour(protocol.Text, 100, 0, false); got != 100 {
		t.Errorf("%d of 100 texts found room beside media", got)
	}
	if by, _ := p.kept(); by[1] != 100 || by[2] != first {
		t.Errorf("texts that had room cost media: %v, %d media before", by, first)
	}
	// Media that dies later replaces media, and nothing else.
	c.advance(time.Hour)
	if got := p.pour(protocol.Media, 100, 0, false); got != 100 {
		t.Errorf("%d of 100 new media taken", got)
	}
	if by, _ := p.kept(); by[1] != 100 {
		t.Errorf("media pushed out text: %v", by)
	}
	// What dies sooner than all media does not.
	if got := p.pour(protocol.Media, 20, 6*24*time.Hour, false); got > 5 {
		t.Errorf("%d of 20 dying media taken", got)
	}
	// Text pushes out media, down to nothing.
	p.pour(protocol.Text, 800, 0, false)
	if by, _ := p.kept(); by[2] != 0 {
		t.Errorf("media outlives text: %v", by)
	}
	if st := p.s.Stats(); st.Media != 0 || st.Bytes > st.Quota {
		t.Errorf("%+v", st)
	}
	checkTrie(t, p.s)
}

// TestOwnMedia: what the person sends pushes out what others sent, has the same bound, and is never pushed out.
func TestOwnMedia(t *testing.T) {
	p := newPot(t, store.Config{Quota: 512 << 10})
	defer shut(t, p.s)
	p.pour(protocol.Media, 200, 0, false)
	taken := p.pour(protocol.Media, 200, 6*24*time.Hour, true)
	st := p.s.Stats()
	if taken < 40 || taken > 70 || st.Media > st.Quota/2 {
		t.Errorf("%d own media taken, %d of %d", taken, st.Media, st.Quota)
	}
	if got := p.pour(protocol.Media, 50, 0, false); got != 0 {
		t.Errorf("%d of others' media taken beside a share full of own", got)
	}
	if got := p.pour(protocol.Text, 10, 0, true); got != 10 {
		t.Errorf("%d of 10 own texts taken", got)
	}
	if by, _ := p.kept(); by[2] != taken {
		t.Errorf("%d own media left of %d", by[2], taken)
	}
}

// TestMediaIsCounted pours, removes, expires and reopens at random: the count is that of what is there, and never above the share.
func TestMediaIsCounted(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 7))
		c := newClock()
		conf := store.Config{Clock: c.Clock(), Quota: 512 << 10}
		if seed == 0 {
			conf.Dir, conf.Quota = t.TempDir(), 8<<20
		}
		p := newPot(t, conf)
		per := int64(0) // what one media message weighs
		for step := range 60 {
			switch r.IntN(6) {
			case 0:
				p.pour(protocol.Text, r.IntN(100), time.Duration(r.Int64N(int64(7*24*time.Hour))), false)
			case 1:
				c.advance(time.Duration(r.Int64N(int64(24 * time.Hour))))
				sweep(t, p.s)
			case 2:
				if conf.Dir != "" {
					shut(t, p.s)
					p.s = open(t, conf)
				}
			default:
				p.pour(protocol.Media, r.IntN(60), time.Duration(r.Int64N(int64(7*24*time.Hour))), r.IntN(30) == 0)
			}
			sweep(t, p.s)
			st := p.s.Stats()
			by, _ := p.kept()
			if per == 0 && by[2] > 0 && st.Media%int64(by[2]) == 0 {
				per = st.Media / int64(by[2])
			}
			// Those that are due but in a bucket that is not over are counted and not shown.
			if n := int64(by[2]); per > 0 && (st.Media%per != 0 || st.Media/per < n || st.Media/per > n+60) {
				t.Fatalf("seed %d, step %d: %d bytes of media counted, %d messages of %d bytes are there", seed, step, st.Media, n, per)
			}
			if st.Media > st.Quota/2 {
				t.Fatalf("seed %d, step %d: %d bytes of media, quota %d", seed, step, st.Media, st.Quota)
			}
		}
		if per == 0 {
			t.Error("no media was ever kept")
		}
		shut(t, p.s)
	}
}
