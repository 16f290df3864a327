package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
	"longear/test/bench/figure"
)

// mutingMany is a list that has the authors of messages in it from an earlier run.
func mutingMany(t testing.TB, dir string, of []store.Item) *store.Mutes {
	t.Helper()
	var names []string
	for _, it := range of {
		names = append(names, fmt.Sprintf("%q:{}", it.Message.Author))
	}
	file := `{"version":1,"muted":{` + strings.Join(names, ",") + `}}`
	if err := os.WriteFile(filepath.Join(dir, "muted.json"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := store.OpenMutes(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Muted authors are left out of counts at once, though what is dear to count is kept for a while; and are in them again when they are
// heard again. So it is after a restart.
func TestTallyMuted(t *testing.T) {
	h := newHall(t, protocol.Draft{Channel: water(t), Body: []byte("x")})
	const crowd, muted = 10_000, 1000
	items, dir := h.crowd(crowd), t.TempDir()
	mutes := mutingMany(t, dir, items[:muted])
	all := node.NewTallies(h.store, mutes)
	count := func(want int) {
		t.Helper()
		sum, err := all.Of(t.Context(), h.target, nil)
		if err != nil || sum.Confirms != want || sum.AtLeast {
			t.Errorf("%d confirm, want %d (%v)", sum.Confirms, want, err)
		}
	}
	count(crowd + 1 - muted)
	if err := mutes.Set(store.Mute{Author: items[muted].Message.Author}); err != nil {
		t.Fatal(err)
	}
	count(crowd - muted)
	again, err := store.OpenMutes(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	mutes, all = again, node.NewTallies(h.store, again)
	count(crowd - muted)
	for _, it := range items[:2] {
		if err := mutes.Remove(it.Message.Author); err != nil {
			t.Fatal(err)
		}
	}
	count(crowd - muted + 2)
}

// BenchmarkTallyMuted counts 10,000 answers with 1000 of their authors muted, and with nobody: the ratio of the CPU time is to stay
// below 2.
func BenchmarkTallyMuted(b *testing.B) {
	h := newHall(b, protocol.Draft{Channel: water(b), Body: []byte("x")})
	items := h.crowd(10_000)
	mutes := mutingMany(b, b.TempDir(), items[:1000])
	count := func(all *node.Tallies) time.Duration {
		began := figure.CPU()
		if _, err := all.Of(b.Context(), h.target, nil); err != nil {
			b.Fatal(err)
		}
		all.Forget(h.target.ID)
		return figure.CPU() - began
	}
	with, without := node.NewTallies(h.store, mutes), node.NewTallies(h.store, nil)
	var muted, plain time.Duration
	for b.Loop() {
		muted += count(with)
		plain += count(without)
	}
	b.ReportMetric(float64(muted)/float64(plain), "muted/plain")
	b.ReportMetric(float64(plain.Microseconds())/float64(b.N), "plain-µs")
}
