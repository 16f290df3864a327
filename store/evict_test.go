package store_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// onDisk is what the files of a store really take, without the ballast.
func onDisk(t testing.TB, dir string) int64 {
	t.Helper()
	var sum int64
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // Badger removes files while they are being counted
		}
		if err != nil || d.IsDir() || d.Name() == "ballast" {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			sum += blocks(info)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestQuota pushes 12 MB (with -long 100 MB) through a quota of 10 MB.
func TestQuota(t *testing.T) {
	const quota = 10 << 20
	pushed := uint64(6_000)
	if *long {
		pushed = 50_000
	}
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir, Quota: quota})
	tmpl := template(t, protocol.Text, 2000)
	own := text(t, time.UnixMilli(1_600_000_000_000), "mine, and older than all others")
	put(t, s, store.Item{Message: own, Own: true, Age: 6 * 24 * time.Hour})
	var worst, disk int64
	for i := uint64(0); i < pushed; {
		var items []store.Item
		for range 500 {
			items = append(items, store.Item{Message: forge(t, tmpl, start+i*gap, i)})
			i++
		}
		put(t, s, items...)
		worst = max(worst, s.Stats().Bytes)
		if i%5000 == 0 {
			disk = max(disk, onDisk(t, dir))
		}
	}
	t.Logf("quota %d, at most %d counted, %d on disk; %+v", quota, worst, disk, s.Stats())
	if worst > quota {
		t.Errorf("%d bytes counted, quota %d", worst, quota)
	}
	if disk > quota+quota/10 {
		t.Errorf("%d bytes on disk, quota %d", disk, quota)
	}
	st := s.Stats()
	if st.Evicted == 0 || st.Messages < 1000 || st.Tombstones*150 > quota/8 {
		t.Errorf("%+v", st)
	}
	if _, err := s.Get(own.ID); err != nil {
		t.Errorf("an own message was evicted: %v", err)
	}
	checkTrie(t, s)
	shut(t, s)
}

func TestEvictionOrder(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Quota: 256 << 10, Clock: c.Clock()})
	defer shut(t, s)
	tmpls := map[protocol.Class]*protocol.Message{}
	for _, class := range []protocol.Class{protocol.Alert, protocol.Text, protocol.Media} {
		tmpls[class] = template(t, class, 1000)
	}
	n := uint64(0)
	pour := func(class protocol.Class, count int, age time.Duration) (accepted int) {
		for range count {
			n++
			m := forge(t, tmpls[class], start+n, n)
			if put(t, s, store.Item{Message: m, Age: age})[0] == protocol.Accept {
				accepted++
			}
		}
		return accepted
	}
	kept := func() (by [3]int) {
		for e, err := range s.Newest() {
			if err != nil {
				t.Fatal(err)
			}
			by[e.Message.Class.Rank()]++
		}
		return by
	}
	pour(protocol.Media, 300, 0)
	media := kept()[2]
	if media < 80 {
		t.Fatalf("%d media fit", media)
	}
	// Text pushes out media, and media cannot push out text.
	pour(protocol.Text, 150, 0)
	if k := kept(); k[1] != 150 || k[2] > media-30 {
		t.Errorf("after text: %v", k)
	}
	pour(protocol.Text, 300, 0)
	if k := kept(); k[2] != 0 || k[1] < 100 {
		t.Errorf("media outlives text: %v", k)
	}
	texts := kept()[1]
	pour(protocol.Media, 20, 0)
	if k := kept(); k[1] != texts || k[2] > 5 {
		t.Errorf("media in a store full of %d texts: %v", texts, k)
	}
	// What dies sooner than all that is kept is not worth more than it.
	pour(protocol.Text, 20, 0)
	if got := pour(protocol.Text, 50, 6*24*time.Hour); got > 10 {
		t.Errorf("%d dying messages accepted", got)
	}
	// Alerts push out everything else.
	pour(protocol.Alert, 300, 0)
	if k := kept(); k[1] != 0 || k[2] != 0 || k[0] < 100 {
		t.Errorf("after alerts: %v", k)
	}
	if st := s.Stats(); st.Bytes > st.Quota || st.RefusedFull == 0 {
		t.Errorf("%+v", st)
	}
	checkTrie(t, s)
}

// TestForgottenStaysOut: peers that have far more than this store keeps, and more than it remembers of what it let go of, offer it all again and
// again. Once it is full of the newest it takes nothing more of that, and the news all the same.
func TestForgottenStaysOut(t *testing.T) {
	for class, size := range map[protocol.Class]int{protocol.Text: 500, protocol.Media: 2000} {
		t.Run(class.String(), func(t *testing.T) {
			s := open(t, store.Config{Quota: 256 << 10})
			defer shut(t, s)
			tmpl := template(t, class, size)
			const many = 1500
			var all []store.Item
			for i := range uint64(many) {
				all = append(all, store.Item{Message: forge(t, tmpl, start+i*gap, i), Age: time.Duration(many-i) * time.Second})
			}
			// offer gives what a round of sync would, in the order in which it does, and reports how much was taken.
			offer := func() (taken int) {
				for _, it := range slices.Backward(all) {
					if s.Known(it.Message.ID) == protocol.Accept && put(t, s, it)[0] == protocol.Accept {
						taken++
					}
				}
				return taken
			}
			for _, it := range all {
				put(t, s, it)
			}
			dead := s.Stats().Tombstones
			if dead == 0 || dead >= many-s.Stats().Messages {
				t.Fatalf("%d messages are let go of and %d of them remembered: none is forgotten", many-s.Stats().Messages, dead)
			}
			first := offer()
			for range 5 {
				if n := offer(); n != 0 {
					t.Fatalf("%d of those that were let go of are taken once more, after %d", n, first)
				}
			}
			news := store.Item{Message: forge(t, tmpl, start+many*gap, many)}
			if v := put(t, s, news)[0]; v != protocol.Accept {
				t.Errorf("the news: %v", v)
			}
			if _, err := s.Get(all[many-1].Message.ID); err != nil {
				t.Errorf("the newest of before: %v", err)
			}
		})
	}
}

// TestOwnMakesRoom: what the person here writes is kept by a full store, which lets go of what others sent and stays within its quota.
func TestOwnMakesRoom(t *testing.T) {
	s := open(t, store.Config{Quota: 256 << 10})
	defer shut(t, s)
	tmpl := template(t, protocol.Text, 500)
	for i := range uint64(1000) {
		put(t, s, store.Item{Message: forge(t, tmpl, start+i*gap, i)})
	}
	before := s.Stats()
	large := template(t, protocol.Text, 2000)
	var own []*protocol.Message
	for i := range uint64(40) {
		m := forge(t, large, start+i*gap, i)
		own = append(own, m)
		if v := put(t, s, store.Item{Message: m, Own: true})[0]; v != protocol.Accept {
			t.Fatalf("an own message: %v", v)
		}
		if st := s.Stats(); st.Bytes > st.Quota {
			t.Fatalf("%d bytes are kept after %d own messages, the quota is %d", st.Bytes, i+1, st.Quota)
		}
	}
	for _, m := range own {
		if _, err := s.Get(m.ID); err != nil {
			t.Error(err)
		}
	}
	if st := s.Stats(); st.Evicted == before.Evicted {
		t.Error("nothing was let go of for them")
	}
}
