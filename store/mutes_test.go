package store_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

func authorOf(n int) (a protocol.Author) {
	binary.BigEndian.PutUint64(a[:], uint64(n))
	return a
}

func openMutes(t *testing.T, dir string, wall func() time.Time) *store.Mutes {
	t.Helper()
	m, err := store.OpenMutes(dir, wall)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMutes: both strengths, an end by the clock, and all of it the same after a restart; the file is for its owner alone.
func TestMutes(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(1_800_000_000, 0)
	wall := func() time.Time { return now }
	m := openMutes(t, dir, wall)
	var nobody *store.Mutes
	if m.Hides(authorOf(1)) || nobody.Hides(authorOf(1)) || nobody.Drops(authorOf(1)) || !nobody.Empty() || len(nobody.List()) != 0 {
		t.Error("somebody is muted in an empty list")
	}
	for _, mute := range []store.Mute{
		{Author: authorOf(1)}, {Author: authorOf(2), Drop: true, Due: true}, {Author: authorOf(3), Drop: true, Until: now.Add(time.Hour)},
	} {
		gen := m.Generation()
		if err := m.Set(mute); err != nil {
			t.Fatal(err)
		}
		if m.Generation() == gen {
			t.Error("the list changed, and its generation did not")
		}
	}
	for range 2 {
		for n, want := range [][2]bool{{false, false}, {true, false}, {true, true}, {true, true}} {
			if a := authorOf(n); m.Hides(a) != want[0] || m.Drops(a) != want[1] {
				t.Errorf("author %d: hidden %v, dropped %v", n, m.Hides(a), m.Drops(a))
			}
		}
		if list := m.List(); len(list) != 3 || !list[1].Due || list[2].Due || !list[2].Until.Equal(now.Add(time.Hour)) {
			t.Errorf("the list is %+v", list)
		}
		m = openMutes(t, dir, wall)
	}
	if info, err := os.Stat(filepath.Join(dir, "muted.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	gen := m.Generation()
	if err := m.Lapse(); err != nil || m.Generation() != gen || len(m.List()) != 3 {
		t.Error("somebody's time is over too soon", err)
	}
	now = now.Add(time.Hour)
	if m.Hides(authorOf(3)) || len(m.List()) != 2 {
		t.Error("a mute outlives its end")
	}
	if err := m.Remove(authorOf(3)); !errors.Is(err, store.ErrNotMuted) {
		t.Errorf("one that is over was taken out: %v", err)
	}
	if m.Owed() {
		t.Error("nobody is wanted again, and something is owed")
	}
	if err := m.Lapse(); err != nil || m.Generation() != gen+1 {
		t.Error("whose time is over stays in the list", err)
	}
	if m = openMutes(t, dir, wall); !m.Owed() {
		t.Error("a kill forgets that what was refused shall come again")
	}
	if err := m.Readmitted(m.Generation() - 1); err != nil || !m.Owed() {
		t.Errorf("the list has changed since, and nothing is owed (%v)", err)
	}
	if err := m.Readmitted(m.Generation()); err != nil || m.Owed() || openMutes(t, dir, wall).Owed() {
		t.Error("readmitted, and still owed", err)
	}
	if err := m.Swept([]protocol.Author{authorOf(2)}); err != nil || openMutes(t, dir, wall).List()[1].Due {
		t.Error("swept, and still due", err)
	}
	if err := m.Remove(authorOf(2)); err != nil || m.Hides(authorOf(2)) || !m.Owed() {
		t.Error("taken out, and still muted, or nothing owed", err)
	}
}

// TestMutesBound: the list is bounded, its error says what helps, and the largest file can be read again.
func TestMutesBound(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString(`{"version":1,"muted":{`)
	for n := range store.MaxMutes - 1 {
		b.WriteString(`"` + authorOf(n).String() + `":{"until":99999999999,"drop":true,"due":true},`)
	}
	b.WriteString(`"` + authorOf(store.MaxMutes).String() + `":{}}}`)
	if err := os.WriteFile(filepath.Join(dir, "muted.json"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	m := openMutes(t, dir, nil)
	if n := len(m.List()); n != store.MaxMutes {
		t.Fatalf("%d are muted", n)
	}
	err := m.Set(store.Mute{Author: authorOf(1 << 20)})
	if !errors.Is(err, store.ErrManyMutes) || !strings.Contains(err.Error(), "longear unmute") || m.Hides(authorOf(1<<20)) {
		t.Error(err)
	}
	if err := m.Set(store.Mute{Author: authorOf(5)}); err != nil { // who is in it can be changed
		t.Error(err)
	}
	if n := len(openMutes(t, dir, nil).List()); n != store.MaxMutes {
		t.Errorf("%d are muted after a restart", n)
	}
}

// TestMutesDamaged: what cannot be read is an error that says what helps, and is left as it is.
func TestMutesDamaged(t *testing.T) {
	whole := `{"version":1,"muted":{"` + authorOf(1).String() + `":{}}}`
	for text, why := range map[string]string{
		"":                               "it is damaged: mend it",
		whole[:len(whole)-1]:             "it is damaged: mend it",
		`{"version":1,"muted":{"x":{}}}`: "it is damaged: mend it",
		strings.Replace(whole, "{}", `{"until":-1}`, 1): "it is damaged: mend it",
		`{"version":2}`: "a later version",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "muted.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.OpenMutes(dir, nil); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", text, err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, "muted.json")); err != nil || string(b) != text {
			t.Errorf("%q became %q", text, b)
		}
	}
}
