package crowd

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
	"longear/test/crowd/story"
)

// tell reads a story from its lines.
func tell(t *testing.T, lines ...string) story.Story {
	t.Helper()
	s, err := story.Parse("told", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inWorld plays a story and then lets a test at the world it leaves.
func inWorld(t *testing.T, seed uint64, s story.Story, test func(t *testing.T, w *World)) {
	t.Helper()
	inWorldOf(t, s, Options{Seed: seed}, test)
}

func inWorldOf(t *testing.T, s story.Story, o Options, test func(t *testing.T, w *World)) {
	t.Helper()
	defer oneProcessor()()
	synctest.Test(t, func(t *testing.T) {
		w, err := newWorld(t.Context(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.close(); err != nil {
				t.Error(err)
			}
		}()
		goOn(t, w, s.Steps)
		if len(w.failed) > 0 {
			t.Fatalf("before the test began: %v", w.failed)
		}
		test(t, w)
	})
}

// goOn plays steps in a world.
func goOn(t *testing.T, w *World, steps []story.Step) {
	t.Helper()
	for i := range steps {
		if err := w.step(&steps[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChecksBite breaks the world in each way that the checks are there for, and looks whether they say so: long after what they are to notice
// was new.
func TestChecksBite(t *testing.T) {
	s := tell(t, "nodes 3", "full", `publish n0 "water" life 1h`, "advance 20s", "expect all within 1s")
	// give lets n0 keep what its node has never seen.
	give := func(t *testing.T, w *World, msg *protocol.Message) {
		t.Helper()
		if v, err := w.members[0].store.Put(t.Context(), []store.Item{{Message: msg, Own: true}}); err != nil || v[0] != protocol.Accept {
			t.Fatal(v, err)
		}
	}
	sign := func(t *testing.T, w *World, text string) *protocol.Message {
		t.Helper()
		msg, err := w.sign(t.Context(), w.members[0], draft{text: text, to: -1})
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	remove := func(t *testing.T, w *World, n int, c store.Cause) {
		t.Helper()
		if err := w.members[n].store.Remove(t.Context(), []protocol.ID{w.ledger.posts[0].msg.ID}, c); err != nil {
			t.Fatal(err)
		}
	}
	comes := func(w *World, n int) {
		w.ledger.arrived(n, node.Arrival{ID: w.ledger.posts[0].msg.ID, From: w.members[0].info.ID}, w.members[n].store.Stats().Evicted)
	}
	for _, c := range []struct {
		name, want string
		harm       func(t *testing.T, w *World)
	}{
		{"lost", "n1 has lost message 0", func(t *testing.T, w *World) { remove(t, w, 1, store.Removed) }},
		{"lost for no other's eviction", "n1 has lost message 0", func(t *testing.T, w *World) {
			remove(t, w, 2, store.Evicted)
			remove(t, w, 1, store.Removed)
		}},
		{"altered", "altered message 0", func(t *testing.T, w *World) {
			other := sign(t, w, "wine")
			other.ID = w.ledger.posts[0].msg.ID
			w.ledger.posts[0].msg = other
		}},
		{"immortal", "past its life", func(_ *testing.T, w *World) { w.ledger.posts[0].life = time.Second }},
		{"wrong age", "old, it is", func(_ *testing.T, w *World) { w.ledger.posts[0].at -= time.Minute }},
		{"kept for longer than its life, where ages are lies", "after it came, and its life is", func(_ *testing.T, w *World) {
			w.ledger.distrust()
			w.ledger.posts[0].life = time.Second
		}},
		{"lost, where ages are lies", "n1 has lost message 0", func(t *testing.T, w *World) {
			w.ledger.distrust()
			remove(t, w, 1, store.Removed)
		}},
		{"older than it is", "old, it is", func(_ *testing.T, w *World) { w.ledger.posts[0].at += time.Minute }},
		{"from nowhere", "n1 keeps message 0 and has not taken it", func(_ *testing.T, w *World) { w.ledger.posts[0].when[1] = never }},
		{"unpublished", "n0 keeps message", func(t *testing.T, w *World) { give(t, w, sign(t, w, "in nobody's name")) }},
		{"badly signed", "n0 serves message 1, whose signature does not verify", func(t *testing.T, w *World) {
			wire := slices.Clone(sign(t, w, "in another's name").Wire())
			wire[len(wire)-1] ^= 1
			u, v := protocol.Decode(wire)
			if v != protocol.Accept {
				t.Fatal(v)
			}
			msg, err := protocol.Restore(wire, u.ID())
			if err != nil {
				t.Fatal(err)
			}
			w.ledger.publish(&post{msg: msg, at: w.now(), life: msg.Life()})
			give(t, w, msg)
		}},
		{"noise lost", "n0 has lost noise 0", func(t *testing.T, w *World) {
			msg := sign(t, w, "noise")
			w.ledger.expectNoise(msg)
			w.ledger.arrived(0, node.Arrival{ID: msg.ID}, 0)
		}},
		{"noise altered", "n0 altered noise 0", func(t *testing.T, w *World) {
			msg := sign(t, w, "noise")
			w.ledger.expectNoise(msg)
			w.ledger.arrived(0, node.Arrival{ID: msg.ID}, 0)
			give(t, w, msg)
			w.ledger.noise[0].msg = w.ledger.posts[0].msg
		}},
		{"late", "after the end of its life", func(_ *testing.T, w *World) {
			w.ledger.posts[0].life = 0 // it has had it before, which is no excuse
			comes(w, 1)
		}},
		{"again", "n1 took message 0 again", func(_ *testing.T, w *World) { comes(w, 1) }},
		{"again, more often than evicted", "n1 took message 0 again", func(t *testing.T, w *World) {
			remove(t, w, 1, store.Evicted)
			comes(w, 1)
			if got := w.ledger.takeWrong(); len(got) > 0 {
				t.Errorf("once is no wonder: %q", got)
			}
			comes(w, 1)
		}},
		{"again, more often than it died early", "n1 took message 0 again", func(t *testing.T, w *World) {
			m, msg, p := w.members[1], sign(t, w, "as old as a liar says"), w.ledger.posts[0]
			p.life = msg.Life()
			w.ledger.expectNoise(msg)
			for _, age := range []time.Duration{msg.Life() - time.Second, time.Hour} {
				if v, err := m.store.Put(t.Context(), []store.Item{{Message: msg, Age: age}}); err != nil || v[0] != protocol.Accept {
					t.Fatal(v, err)
				}
				time.Sleep(time.Hour)
			}
			a := node.Arrival{ID: p.msg.ID, From: w.members[0].info.ID}
			m.arrived(a)
			if got := w.ledger.takeWrong(); len(got) > 0 {
				t.Errorf("once is no wonder: %q", got)
			}
			m.arrived(a)
		}},
		{"quota", "bytes, its quota is 16777216 of 100", func(_ *testing.T, w *World) { w.opts.quota = 100 }},
		{"size", "n1 keeps 1000 bytes of messages, and counts", func(_ *testing.T, w *World) {
			w.checkRoom(w.members[1], kept{bytes: 1000}, w.members[1].store.Stats())
		}},
		{"damage", "n0's store: 1 messages damaged", func(t *testing.T, w *World) {
			msg := sign(t, w, "its bytes are not what its name says")
			msg.ID[0] ^= 1
			give(t, w, msg)
			for range w.members[0].store.Newest() { // which comes upon it, and the next writer drops it
			}
			give(t, w, sign(t, w, "the next"))
		}},
		{"accepted", "counts 1 messages accepted from others, and took 7", func(_ *testing.T, w *World) { w.ledger.arrivals[2] = 7 }},
		{"own", "counts 1 messages of its own, and wrote 2", func(_ *testing.T, w *World) { w.ledger.own[0]++ }},
		{"by sync", "its door says", func(_ *testing.T, w *World) { w.members[1].past.took++ }},
		{"taken and let go of", "store counts 1 messages and 0 that went, and took 2", func(_ *testing.T, w *World) { w.ledger.arrivals[1]++ }},
		{"unswept", "n0 counts 1 messages and keeps 2", func(_ *testing.T, w *World) {
			w.checkKept(w.members[0], kept{messages: 2, posts: []bool{true}}, w.members[0].store.Stats())
		}},
		{"full", "n1 refused 1 messages for want of room", func(_ *testing.T, w *World) {
			w.members[1].past.refused = map[string]uint64{protocol.IgnoreFull.String(): 1}
		}},
		{"violations", "n1 counts 1 violations", func(_ *testing.T, w *World) { w.members[1].past.violations++ }},
		{"sync sent", "of sync sent, its streams", func(_ *testing.T, w *World) { w.members[1].meter.sync.written.Add(1) }},
		{"sync received", "of sync received, its streams", func(_ *testing.T, w *World) { w.members[1].meter.sync.read.Add(1) }},
		{"gossip received", "of gossip received, its streams", func(_ *testing.T, w *World) { w.members[1].meter.gossip.read.Store(0) }},
		{"on the air", "n1 wrote", func(_ *testing.T, w *World) { w.air.sent[1].Store(w.members[1].meter.gossip.written.Load()) }},
		{"left behind", "a goroutine of n1.1 is left", func(t *testing.T, w *World) {
			ctx, release := context.WithCancel(t.Context())
			defer release()
			go pprof.Do(ctx, pprof.Labels(lifeLabel, lifeOf(1, 1)), func(ctx context.Context) { <-ctx.Done() })
			w.ended = true
			if err := w.check("while it lives"); err != nil || len(w.failed) > 0 {
				t.Fatal(err, w.failed)
			}
			if err := w.crash(w.members[1:2]); err != nil {
				t.Fatal(err)
			}
			if err := w.check("when it is over"); err != nil {
				t.Fatal(err)
			}
		}},
		{"forged", "which nobody published", func(t *testing.T, w *World) {
			if err := w.members[0].node.PostOwn(t.Context(), sign(t, w, "said by nobody")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Second)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, 1, s, func(t *testing.T, w *World) {
				c.harm(t, w)
				if err := w.check("after the harm"); err != nil {
					t.Fatal(err)
				}
				if got := strings.Join(w.failed, "\n"); !strings.Contains(got, c.want) {
					t.Errorf("the checks said %q, want something with %q", got, c.want)
				}
			})
		})
	}
}

// TestQuotaBinds: stores that are far too small for what is said let go of the oldest, and everybody hears all the same all that is said.
func TestQuotaBinds(t *testing.T) {
	const quota = 128 << 10
	s := tell(t, "nodes 8", "full", "publish 200 over 5m size 500B", "advance 5m", "advance 10s", "expect 100% of oracle")
	inWorldOf(t, s, Options{Seed: 1, quota: quota}, func(t *testing.T, w *World) {
		for _, m := range w.members {
			stats := m.store.Stats()
			if stats.Evicted == 0 || stats.Bytes < quota*3/4 || stats.RefusedFull > 0 {
				t.Errorf("n%d has let go of %d messages, keeps %d bytes and refused %d messages: the quota of %d does not bind",
					m.number, stats.Evicted, stats.Bytes, stats.RefusedFull, quota)
			}
		}
	})
}

// TestFullStoresRest: stores that are so small that they forget what they have let go of do not fetch it from each other again and again.
func TestFullStoresRest(t *testing.T) {
	s := tell(t, "nodes 8", "full", "publish 200 over 5m size 500B", "advance 5m", "advance 10s")
	inWorldOf(t, s, Options{Seed: 1, quota: 64 << 10}, func(t *testing.T, w *World) {
		// taken is what all took from others so far.
		taken := func() (n int) {
			w.ledger.mu.Lock()
			defer w.ledger.mu.Unlock()
			for _, a := range w.ledger.arrivals {
				n += a
			}
			return n
		}
		before := taken()
		if most := 200 * (len(w.members) - 1); before > most {
			t.Errorf("%d messages were taken, there were %d to take", before, most)
		}
		if err := w.advance(5 * time.Minute); err != nil {
			t.Fatal(err)
		}
		if n := taken() - before; n > 0 {
			t.Errorf("%d messages were taken in five minutes in which nobody said anything", n)
		}
	})
}

// TestCrashOnDisk: whoever crashes and comes back with the files that the crash has left keeps all that it had, takes none of it again, and counts
// on from where it was.
func TestCrashOnDisk(t *testing.T) {
	s := tell(t, "nodes 6", "full", "publish 100 over 3m", "publish 10 over 2m life 4m", "churn 60%/min", "advance 2m", "crash n1", "restart n1", "advance 2m",
		"churn off", "restart all", "expect all within 30s", "advance 3m", "crash all", "restart all", "advance 10s")
	inWorldOf(t, s, Options{Seed: 1, disk: t.TempDir(), quota: memoryQuota}, func(t *testing.T, w *World) {
		lives := 0
		for _, m := range w.members {
			lives += m.life
			alive := 0
			for _, err := range m.store.Newest() {
				if alive++; err != nil {
					t.Fatal(err)
				}
			}
			if alive != 100 {
				t.Errorf("n%d keeps %d messages that are alive, want 100", m.number, alive)
			}
		}
		if t.Logf("%d lives of 6", lives); lives < 20 {
			t.Errorf("%d lives of 6: too few crashes", lives)
		}
	})
}

// TestExpectationsBite: an expectation that does not hold fails the run and names its line; the run goes on.
func TestExpectationsBite(t *testing.T) {
	s := tell(t,
		"nodes 4", "full", "split n0-n1 n2-n3", "crash n3", `publish n0 "water"`,
		"expect all within 10s", "expect nobody n1", "expect nobody n2", "expect carried within 10s", "expect 99% of oracle",
		"restart n3", "join", "expect all within 10s")
	r, err := Run(t, s, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failed) != 2 || !strings.Contains(r.Failed[0], "line 6") || !strings.Contains(r.Failed[1], "line 7") {
		t.Errorf("failed: %q, want line 6 and line 7", r.Failed)
	}
	if r.Deliveries != 3 || r.Possible != 3 {
		t.Errorf("%d deliveries of %d, want 3 of 3", r.Deliveries, r.Possible)
	}
}

// TestSeed: the seed decides who everybody is, where they are, who meets whom and who does what.
func TestSeed(t *testing.T) {
	s := tell(t, "nodes 12", "walk crowd 150m x 150m 1.4m/s range 40m pause 10s", "mute 25%", "skew 50% -1h..+1h", "publish 5 over 1m", "advance 2m")
	world := func(seed uint64) (sum string) {
		inWorld(t, seed, s, func(_ *testing.T, w *World) {
			h := sha256.New()
			for _, m := range w.members {
				fmt.Fprintln(h, m.key, m.info.ID, m.role.Load(), m.skew.Load())
			}
			fmt.Fprintln(h, w.topology.place)
			for _, c := range w.topology.log {
				fmt.Fprintln(h, c.At.Truncate(time.Second), c.A, c.B, c.Up)
			}
			for _, p := range w.ledger.posts {
				fmt.Fprintln(h, p.from, p.text, p.at.Truncate(time.Second))
			}
			sum = fmt.Sprintf("%x", h.Sum(nil))
		})
		return sum
	}
	first := world(1)
	if second := world(1); second != first {
		t.Error("two runs of one seed differ")
	}
	if other := world(2); other == first {
		t.Error("two seeds make the same world")
	}
}

// TestCut: a run that is ended early still reports.
func TestCut(t *testing.T) {
	watch := new(Watch)
	watch.Cut.Store(true)
	r, err := Run(t, tell(t, "nodes 3", "full", `publish n0 "water"`, "advance 1h"), Options{Seed: 1, Watch: watch})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Cut || r.Messages != 1 || r.Virtual > time.Minute {
		t.Errorf("cut %v, %d messages after %v, want a report of the one message, at once", r.Cut, r.Messages, r.Virtual)
	}
}

// TestCostsBite: what costs more than expected fails, and what was paid before a join is not counted after it.
func TestCostsBite(t *testing.T) {
	s := tell(t,
		"nodes 6", "full", "split n0-n2 n3-n5", "publish 30 over 1m", "advance 90s", "expect carried within 1s",
		"expect copies 1", "expect bytes 1", "expect repeated 0x",
		"expect copies 6", "expect bytes 100", "expect repeated 5x",
		"join n0 n3", "expect all within 20s", "advance 20s")
	r, err := Run(t, s, Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failed) != 3 {
		t.Fatalf("failed: %q, want lines 7, 8 and 9", r.Failed)
	}
	for i, want := range []string{"copies were received", "bytes of gossip and sync", "bytes came again"} {
		if got := r.Failed[i]; !strings.Contains(got, fmt.Sprintf("line %d,", 7+i)) || !strings.Contains(got, want) {
			t.Errorf("%q: want line %d and %q", got, 7+i, want)
		}
	}
	s.Steps = slices.DeleteFunc(s.Steps, func(step story.Step) bool { return step.Line >= 7 && step.Line <= 9 })
	inWorld(t, 1, s, func(t *testing.T, w *World) {
		var missing uint64
		for _, p := range w.ledger.posts {
			missing += 3 * uint64(len(p.msg.Wire())) // the three on the other side
		}
		c := w.cost()
		if got := c.since(w.joined); got.payload != missing || w.joined.repeated == 0 || got.repeated != c.repeated-w.joined.repeated {
			t.Errorf("since the join %d bytes came and %d came again, %d before; want %d that were missing", got.payload, got.repeated, w.joined.repeated, missing)
		}
		for _, c := range []struct {
			base float64
			want bool
		}{{1.3, true}, {0, false}} {
			w.joined.repeated = w.cost().repeated - missing // as many as were missing
			if why := w.lacking(story.Expect{What: "repeated", Factor: c.base}); (why == "") != c.want {
				t.Errorf("at most %v: %q", c.base, why)
			}
		}
	})
}
