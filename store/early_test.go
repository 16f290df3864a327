package store_test

import (
	"fmt"
	"testing"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// refuses reports whether reconciliation leaves a message out.
func refuses(t testing.TB, s *store.Store, m *protocol.Message) bool {
	t.Helper()
	found := false
	err := s.View(func(v *store.View) error {
		for k, err := range v.Refused(reconcile.Prefix{}) {
			if err != nil {
				return err
			}
			found = found || k == keyOf(m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestEarlyGrave: what died of an age that was told comes back for a clearly smaller one, and dies when it had to.
func TestEarlyGrave(t *testing.T) {
	const (
		life   = protocol.MaxLifetime
		step   = life / 256
		told   = life - day
		seen   = day + width + time.Minute // when it has been dead for that minute and a bucket's width
		killed = told + seen               // the age that killed it, by then
	)
	for _, tt := range []struct {
		name       string
		told       time.Duration // at the first receipt
		after, age time.Duration // when a copy comes, and how old that is
		want       protocol.Verdict
		left       time.Duration // how long it lives then
	}{
		{"a copy from before the first receipt", told, seen, 2 * day, protocol.Accept, life - 2*day},
		{"one that was written at that time", told, seen, seen, protocol.Accept, life - seen},
		{"one that cannot be so young", told, seen, 0, protocol.Accept, life - seen},
		{"late, for its last minutes", told, life - time.Minute, life - time.Hour, protocol.Accept, time.Minute},
		{"just young enough", told, seen, killed - step, protocol.Accept, life - (killed - step)},
		{"not clearly younger", told, seen, killed - step + time.Millisecond, protocol.IgnoreDead, 0},
		{"at its end", told, seen, life - time.Millisecond, protocol.IgnoreDead, 0},
		{"dead itself", told, seen, life, protocol.IgnoreExpired, 0},
		{"a lifetime after the first receipt", told, life, 0, protocol.IgnoreDead, 0},
		{"later than that", told, life + day, 0, protocol.IgnoreDead, 0},
		{"no age to speak of was told", step, life - step + width, 0, protocol.IgnoreDead, 0},
		{"little more than that", 2 * step, life - 2*step + width, 0, protocol.Accept, 2*step - width},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, restart), func(t *testing.T) {
				c := newClock()
				conf := store.Config{Clock: c.Clock()}
				if restart {
					conf.Dir = t.TempDir()
				}
				s := open(t, conf)
				defer func() { shut(t, s) }()
				reopen := func() {
					if restart {
						shut(t, s)
						s = open(t, conf)
					}
				}
				m := lasting(t, "killed", life)
				put(t, s, store.Item{Message: m, Age: tt.told})
				c.advance(life - tt.told + width)
				sweep(t, s)
				reopen()
				if v := s.Known(m.ID); v != protocol.IgnoreDead {
					t.Fatal(v)
				}
				c.advance(tt.after - (life - tt.told + width))
				if v := put(t, s, store.Item{Message: m, Age: tt.age}); v[0] != tt.want {
					t.Fatalf("%v, want %v", v[0], tt.want)
				}
				st := s.Stats()
				if back := tt.want == protocol.Accept; !back {
					if st.Messages != 0 || st.Tombstones != 1 || st.Returned != 0 {
						t.Errorf("it has not come back: %+v", st)
					}
					checkTrie(t, s)
					return
				}
				if st.Messages != 1 || st.Tombstones != 0 || st.DeadBytes != 0 || st.Returned != 1 {
					t.Errorf("it has come back: %+v", st)
				}
				checkTrie(t, s)
				reopen()
				if e, err := s.Get(m.ID); err != nil || e.Expires != tt.left || refuses(t, s, m) {
					t.Errorf("it lives for %v more, %v, want %v", e.Expires, err, tt.left)
				}
				c.advance(tt.left + width)
				sweep(t, s)
				if st := s.Stats(); s.Known(m.ID) != protocol.IgnoreDead || st.Tombstones != 1 || st.Expired != 2 {
					t.Errorf("and is dead then: %v, %+v", s.Known(m.ID), st)
				}
				checkTrie(t, s)
			})
		}
	}
}

// TestEarlyGraveIsLookedInto: reconciliation is to look for what died early, but not while others may offer what died with it, and
// not when its time is over. From then on it is remembered like all others.
func TestEarlyGraveIsLookedInto(t *testing.T) {
	c := newClock()
	conf := store.Config{Dir: t.TempDir(), Clock: c.Clock()}
	s := open(t, conf)
	defer func() { shut(t, s) }()
	m, old := lasting(t, "killed", 10*time.Hour), lasting(t, "old", 10*time.Hour)
	put(t, s, store.Item{Message: m, Age: 9 * time.Hour})
	at := time.Duration(0)
	for _, tt := range []struct {
		at    time.Duration
		known protocol.Verdict
		leave bool
	}{
		{time.Hour + width, protocol.IgnoreDead, true},
		{time.Hour + width + time.Minute - time.Millisecond, protocol.IgnoreDead, true},
		{time.Hour + width + time.Minute, protocol.IgnoreDead, false},
		{10*time.Hour - time.Millisecond, protocol.IgnoreDead, false},
		{10 * time.Hour, protocol.IgnoreDead, true},
		{10*time.Hour + protocol.Remember, protocol.IgnoreDead, true},
		{10*time.Hour + protocol.Remember + width, protocol.Accept, false},
	} {
		c.advance(tt.at - at)
		at = tt.at
		sweep(t, s)
		if v, leave := s.Known(m.ID), refuses(t, s, m); v != tt.known || leave != tt.leave {
			t.Errorf("after %v: %v, left out %v; want %v, %v", at, v, leave, tt.known, tt.leave)
		}
		shut(t, s)
		s = open(t, conf)
	}
	if st := s.Stats(); st.Tombstones != 0 || st.Bytes != 0 {
		t.Errorf("something is left: %+v", st)
	}
	// What died of its own age is left out from its death on.
	put(t, s, store.Item{Message: old})
	c.advance(10*time.Hour + width)
	sweep(t, s)
	if !refuses(t, s, old) {
		t.Error("reconciliation looks for what is dead everywhere")
	}
}

// TestEarlyGraveBound: however often somebody kills a message and brings it back, it is written a few hundred times, and ends a lifetime after its
// first receipt.
func TestEarlyGraveBound(t *testing.T) {
	const life = 240 * time.Hour
	for _, left := range []time.Duration{time.Second, time.Hour, life} { // to live, as is told
		c := newClock()
		s := open(t, store.Config{Clock: c.Clock()})
		m := lasting(t, "again and again", life)
		put(t, s, store.Item{Message: m, Age: life - time.Second})
		for c.mono < life {
			c.advance(min(width, life-c.mono))
			sweep(t, s)
			put(t, s, store.Item{Message: m, Age: life - left})
			if e, err := s.Get(m.ID); err == nil && c.mono+e.Expires > life {
				t.Fatalf("%v after its first receipt it has %v to live", c.mono, e.Expires)
			}
		}
		if _, err := s.Get(m.ID); err == nil {
			t.Error("it outlives a lifetime")
		}
		if n := s.Stats().Returned; n == 0 || n > 256 {
			t.Errorf("with %v to live it came back %d times", left, n)
		}
		c.advance(width)
		sweep(t, s)
		checkGone(t, s, m)
		shut(t, s)
	}
}

// TestEarlyGraveRefused: from there nothing comes back of an author who is not wanted, until that is over.
func TestEarlyGraveRefused(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Clock: c.Clock()})
	defer shut(t, s)
	m := lasting(t, "muted", 10*time.Hour)
	put(t, s, store.Item{Message: m, Age: 9 * time.Hour})
	c.advance(2 * time.Hour)
	sweep(t, s)
	if refuses(t, s, m) {
		t.Fatal("it is not looked for")
	}
	for range 2 { // once is enough
		if err := s.Refuse(t.Context(), []key{keyOf(m)}); err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.Tombstones != 1 || !refuses(t, s, m) {
			t.Errorf("%d dead, it is looked for", st.Tombstones)
		}
		checkGone(t, s, m)
	}
	if err := s.Readmit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := put(t, s, store.Item{Message: m, Age: 2 * time.Hour}); v[0] != protocol.Accept || s.Stats().Tombstones != 0 {
		t.Errorf("%v, %d dead", v, s.Stats().Tombstones)
	}
}

// TestEarlyGravesAreTrimmed: they have a share of the quota with all that are dead, and what comes back is not counted twice, nor what was
// forgotten.
func TestEarlyGravesAreTrimmed(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Quota: 256 << 10, Clock: c.Clock()})
	defer shut(t, s)
	tmpl := template(t, protocol.Text, 200)
	const many = 300
	var items, young []store.Item
	for n := range uint64(many) {
		m := forge(t, tmpl, start+n, n)
		items, young = append(items, store.Item{Message: m, Age: m.Life() - time.Hour}), append(young, store.Item{Message: m})
	}
	put(t, s, items...)
	c.advance(2 * time.Hour)
	sweep(t, s)
	sweep(t, s) // which trims
	st := s.Stats()
	if st.Messages != 0 || st.Tombstones == 0 || st.Tombstones == many || st.DeadBytes > st.Quota/8 {
		t.Fatalf("%+v", st)
	}
	for i, v := range put(t, s, young...) {
		if v != protocol.Accept {
			t.Fatal(i, v)
		}
	}
	if after := s.Stats(); after.Messages != many || after.Tombstones != 0 || int64(after.Returned) != st.Tombstones {
		t.Errorf("%d were dead: %+v", st.Tombstones, after)
	}
	checkTrie(t, s)
}

// TestEarlyGraveMakesRoom: a message that comes back may be forgotten for the room that it needs. It is counted once all the same.
func TestEarlyGraveMakesRoom(t *testing.T) {
	c := newClock()
	const quota = 256 << 10
	s := open(t, store.Config{Quota: quota, Clock: c.Clock()})
	defer shut(t, s)
	n := uint64(0)
	pour := func(tmpl *protocol.Message, age time.Duration, more func() bool) (all []*protocol.Message) {
		for more() {
			m := forge(t, tmpl, start+n, n)
			n++
			if v := put(t, s, store.Item{Message: m, Age: age}); v[0] != protocol.Accept {
				t.Fatal(v)
			}
			all = append(all, m)
		}
		return all
	}
	large, small := template(t, protocol.Text, 4000), template(t, protocol.Text, 200)
	kept := func(many int64) func() bool { return func() bool { return s.Stats().Messages < many } }
	killed := pour(large, large.Life()-time.Hour, kept(10))
	c.advance(2 * time.Hour)
	sweep(t, s)
	// Too many are dead, which nobody has seen to yet, and there is room for one that is small.
	var ids []protocol.ID
	for _, m := range pour(small, 0, kept(250)) {
		ids = append(ids, m.ID)
	}
	if err := s.Remove(t.Context(), ids, store.Removed); err != nil {
		t.Fatal(err)
	}
	pour(small, 0, func() bool { return s.Stats().Bytes+4000 < quota })
	before := s.Stats()
	if v := put(t, s, store.Item{Message: killed[0]}); v[0] != protocol.Accept {
		t.Fatal(v)
	}
	var dead int64
	for _, id := range ids {
		killed = append(killed, &protocol.Message{ID: id})
	}
	for _, m := range killed {
		if s.Known(m.ID) == protocol.IgnoreDead {
			dead++
		}
	}
	if st := s.Stats(); st.Tombstones != dead || st.Tombstones >= before.Tombstones-10 || st.Evicted > 0 {
		t.Errorf("%d are dead: %+v, and before %+v", dead, st, before)
	}
	checkTrie(t, s)
}

// TestEarlyGraveAndRemoved: what came back and was removed then is remembered as long as all that a person removed, though there are too many
// dead.
func TestEarlyGraveAndRemoved(t *testing.T) {
	c := newClock()
	s := open(t, store.Config{Quota: 256 << 10, Clock: c.Clock()})
	defer shut(t, s)
	m := lasting(t, "not wanted", 10*time.Hour)
	put(t, s, store.Item{Message: m, Age: 9 * time.Hour})
	c.advance(2 * time.Hour)
	sweep(t, s)
	if v := put(t, s, store.Item{Message: m, Age: 2 * time.Hour}); v[0] != protocol.Accept {
		t.Fatal(v)
	}
	if err := s.Remove(t.Context(), []protocol.ID{m.ID}, store.Removed); err != nil {
		t.Fatal(err)
	}
	c.advance(10 * time.Hour)
	var strangers []key
	for n := range uint64(2000) {
		var id reconcile.ID
		id[0], id[1] = byte(n>>8), byte(n)
		strangers = append(strangers, reconcile.NewKey(1, start+n, id))
	}
	if err := s.Refuse(t.Context(), strangers); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().Tombstones; n == 0 || n > 1000 {
		t.Fatalf("%d dead", n)
	}
	checkGone(t, s, m)
}
