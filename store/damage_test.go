package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// TestMain lets the kill test run this binary as the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LONGEAR_TEST_VICTIM"); dir != "" {
		if err := victim(dir, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// victim writes until it is killed, and says each ID once it was acknowledged. Every tenth message is its own.
func victim(dir string, out io.Writer) error {
	profile := store.Phone
	if os.Getenv("LONGEAR_TEST_HUB") != "" {
		profile = store.Hub
	}
	s, err := store.Open(store.Config{Dir: dir, Profile: profile, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if q := s.Stats().Quarantined; q != "" {
		return fmt.Errorf("moved aside to %s", q)
	}
	for n := uint64(time.Now().UnixNano()); ; n++ {
		m, err := protocol.Sign(author, protocol.Draft{Created: start + n%1e9, Nonce: n, Body: make([]byte, n%700)})
		if err != nil {
			return err
		}
		own := n%10 == 0
		if _, err := s.Put(context.Background(), []store.Item{{Message: m, Own: own}}); err != nil {
			return err
		}
		if own {
			fmt.Fprintln(out, "own", m.ID)
		} else {
			fmt.Fprintln(out, "put", m.ID)
		}
		if n%64 == 0 {
			if err := s.View(func(*store.View) error { return nil }); err != nil {
				return err
			}
		}
	}
}

// TestKill kills a writing process again and again. The store opens by itself each time, and what was acknowledged is there: a kill,
// unlike a power cut, loses nothing that reached the system.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var acked []protocol.ID
	for round := range 20 {
		ids := killedRun(t, exe, dir, time.Duration(20+rand.IntN(120))*time.Millisecond)
		acked = append(acked, ids...)
		if round%5 == 4 {
			s := open(t, store.Config{Dir: dir})
			for _, id := range acked {
				if _, err := s.Get(id); err != nil {
					t.Fatalf("round %d: acknowledged %v is lost: %v", round, id, err)
				}
			}
			checkTrie(t, s)
			shut(t, s)
		}
	}
	if len(acked) < 100 {
		t.Errorf("only %d messages were written in all", len(acked))
	}
	t.Logf("%d messages acknowledged over 20 kills, none lost", len(acked))
}

// killedRun starts the victim, kills it some time after its first word, and returns what it acknowledged.
func killedRun(t *testing.T, exe, dir string, after time.Duration) []protocol.ID {
	t.Helper()
	return killedWhen(t, exe, dir, func(kill func()) { time.AfterFunc(after, kill) })
}

// killedWhen starts a writing process and arms what kills it once it has begun.
func killedWhen(t *testing.T, exe, dir string, arm func(kill func())) (acked []protocol.ID) {
	t.Helper()
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "LONGEAR_TEST_VICTIM="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	armed := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if !armed {
			armed = true
			arm(func() { cmd.Process.Kill() })
		}
		if word := strings.Fields(lines.Text()); len(word) == 2 {
			if id, err := protocol.ParseID(word[1]); err == nil {
				acked = append(acked, id)
			}
		}
	}
	_ = cmd.Wait() // killed, so it fails
	if !armed {
		t.Fatalf("the store did not open: %s", complaint.String())
	}
	return acked
}

// TestRot flips bytes in the tables. Whatever is served has the right bytes, and what was lost can be put again.
func TestRot(t *testing.T) {
	tmpl := template(t, protocol.Text, 400)
	var items []store.Item
	for i := range uint64(3000) {
		items = append(items, store.Item{Message: forge(t, tmpl, start+i*gap, i)})
	}
	rounds := 10
	if *long {
		rounds = 50
	}
	lost, aside := 0, 0
	for round := range rounds {
		dir := t.TempDir()
		s := open(t, store.Config{Dir: dir})
		put(t, s, items...)
		shut(t, s)
		flip(t, dir, rand.New(rand.NewPCG(uint64(round), 7)))
		s = open(t, store.Config{Dir: dir})
		if s.Stats().Quarantined != "" {
			aside++
		}
		served := map[protocol.ID]bool{}
		for e, err := range s.Newest() {
			if err != nil {
				t.Logf("round %d: the range ended with %v", round, err)
				break
			}
			served[e.Message.ID] = true
		}
		for _, it := range items {
			e, err := s.Get(it.Message.ID)
			switch {
			case err == nil && !e.Message.Equal(it.Message):
				t.Fatalf("round %d: wrong bytes served", round)
			case err != nil:
				lost++
			}
		}
		// The next view has dropped what was found: it can be had again.
		if err := s.View(func(*store.View) error { return nil }); err != nil {
			t.Logf("round %d: view: %v", round, err)
		}
		put(t, s, items...)
		for _, it := range items {
			if _, err := s.Get(it.Message.ID); err != nil {
				t.Errorf("round %d: %v cannot be had again: %v", round, it.Message.ID.Short(), err)
				break
			}
		}
		shut(t, s)
	}
	if lost == 0 && aside == 0 {
		t.Error("no flip damaged anything: the test does not test")
	}
	t.Logf("%d flips: %d messages lost and put again, %d stores moved aside", rounds*3, lost, aside)
}

// flip changes three bytes in random tables.
func flip(t *testing.T, dir string, r *rand.Rand) {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(dir, "messages", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	for range 3 {
		name := tables[r.IntN(len(tables))]
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestQuarantine damages what Badger would not survive, or would make worse.
func TestQuarantine(t *testing.T) {
	for _, row := range []struct {
		name   string
		damage func(t *testing.T, dir string)
	}{
		{"manifest lost", func(t *testing.T, dir string) { remove(t, dir, "messages/MANIFEST") }},
		{"manifest cut", func(t *testing.T, dir string) { truncate(t, dir, "messages/MANIFEST", 20) }},
		{"table empty", func(t *testing.T, dir string) { truncate(t, dir, "messages/*.sst", 0) }},
		{"table lost", func(t *testing.T, dir string) { remove(t, dir, "messages/*.sst") }},
		{"opening crashed eight times in a row", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "opening"), []byte("8"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, store.Config{Dir: dir})
			fill(t, s, newFeed(t, false), 20_000)
			shut(t, s)
			row.damage(t, dir)
			before := sums(t, filepath.Join(dir, "messages"))
			s = open(t, store.Config{Dir: dir})
			aside := s.Stats().Quarantined
			if aside == "" {
				t.Fatalf("opened in place with %d messages", s.Stats().Messages)
			}
			after := sums(t, aside)
			for name, sum := range before {
				if after[name] != sum {
					t.Errorf("%s was changed", name)
				}
			}
			put(t, s, store.Item{Message: text(t, time.UnixMilli(start), "it goes on")})
			shut(t, s)
			s = open(t, store.Config{Dir: dir})
			if st := s.Stats(); st.Quarantined != "" || st.Messages != 1 {
				t.Errorf("the next start: %+v", st)
			}
			shut(t, s)
		})
	}
}

// sums is the content of the tables.
func sums(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][32]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(n)] = hash(b)
	}
	return all
}

func first(t *testing.T, dir, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return names[0]
}

func remove(t *testing.T, dir, pattern string) {
	t.Helper()
	if err := os.Remove(first(t, dir, pattern)); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, dir, pattern string, size int64) {
	t.Helper()
	if err := os.Truncate(first(t, dir, pattern), size); err != nil {
		t.Fatal(err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir})
	if _, err := store.Open(store.Config{Dir: dir}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	shut(t, s)
	s = open(t, store.Config{Dir: dir})
	shut(t, s)
}

func TestEncrypted(t *testing.T) {
	dir := t.TempDir()
	right := []byte("0123456789abcdef0123456789abcdef")
	s := open(t, store.Config{Dir: dir, Key: right})
	m := text(t, time.UnixMilli(start), strings.Repeat("a secret in the clear ", 20))
	put(t, s, store.Item{Message: m, Own: true})
	shut(t, s)
	for _, wrong := range [][]byte{nil, []byte("another key, also of 32 bytes ok"), []byte("short")} {
		if s, err := store.Open(store.Config{Dir: dir, Key: wrong}); err == nil {
			shut(t, s)
			t.Errorf("opened with key %q", wrong)
		}
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), "a secret in the clear") {
			t.Errorf("%s holds the message in the clear", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s = open(t, store.Config{Dir: dir, Key: right})
	if e, err := s.Get(m.ID); err != nil || !e.Message.Equal(m) {
		t.Errorf("with the right key: %v", err)
	}
	shut(t, s)
}

// A kill while Badger removes a table leaves it empty and unnamed. That is no damage: everything is still here.
func TestTableCutByKill(t *testing.T) {
	dir := t.TempDir()
	s := open(t, store.Config{Dir: dir})
	fill(t, s, newFeed(t, false), 5000)
	shut(t, s)
	if err := os.WriteFile(filepath.Join(dir, "messages", "900000.sst"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, store.Config{Dir: dir})
	defer shut(t, s)
	if st := s.Stats(); st.Messages != 5000 || st.Quarantined != "" {
		t.Errorf("%d messages, quarantined %q; want 5000 and none", st.Messages, st.Quarantined)
	}
}
