package compare_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nbd-wtf/go-nostr"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy"
	"github.com/nbd-wtf/go-nostr/nip77/negentropy/storage/vector"

	"longear/protocol/reconcile"
	"longear/test/bench/figure"
)

// workload is two sets of n messages over one day that differ in d, half on each side.
type workload struct {
	n, d   int
	recent bool // the differences lie in the last hundredth of the day, as after a short separation
}

func (w workload) String() string {
	where := "spread"
	if w.recent {
		where = "recent"
	}
	return fmt.Sprintf("n=%d/d=%d/%s", w.n, w.d, where)
}

var workloads = []workload{
	{100_000, 0, false}, // equal sets: the price of asking
	{100_000, 10, false},
	{100_000, 100, false},
	{100_000, 1_000, false},
	{100_000, 10_000, false}, // a tenth differs
	{100_000, 10, true},
	{100_000, 100, true},
	{100_000, 1_000, true},
	{100_000, 10_000, true}, // the last hundredth has nothing in common
	{1_000_000, 1_000, true},
}

// half is the most that we may send, as a part of what negentropy sends.
const half = 0.5

const (
	day   = 24 * 3600 // seconds
	start = 1_790_000_000
)

// set is one side's messages in both programs' forms.
type set struct {
	keys  []reconcile.Key
	times []uint64 // seconds, which is negentropy's grain: it need not send more
}

func (s *set) add(o set) {
	s.keys = append(s.keys, o.keys...)
	s.times = append(s.times, o.times...)
}

func random(rng *rand.Rand, n int, from, span uint64) (s set) {
	for range n {
		ms := (start+from)*1000 + rng.Uint64N(span*1000)
		var id reconcile.ID
		for i := range id {
			id[i] = byte(rng.Uint32())
		}
		s.keys = append(s.keys, reconcile.NewKey(1, ms, id))
		s.times = append(s.times, ms/1000)
	}
	return s
}

func (w workload) sets() (a, b set) {
	rng := rand.New(rand.NewPCG(uint64(w.n), uint64(w.d)))
	from, span := uint64(0), uint64(day)
	if w.recent {
		from, span = day-day/100, day/100
	}
	common := random(rng, w.n-w.d/2, 0, day)
	a.add(common)
	b.add(common)
	a.add(random(rng, w.d/2, from, span))
	b.add(random(rng, w.d/2, from, span))
	return a, b
}

// cost is what it took until both sides' differences were known.
type cost struct {
	bytes, messages int
	found           int // differences, both ways
	cpu             time.Duration
}

// trips is in round trips: two messages.
func (c cost) trips() float64 { return float64(c.messages) / 2 }

// side is one end of our protocol.
type side struct {
	set     *reconcile.Mem
	session *reconcile.Session
	wants   []reconcile.Want
}

var salt = reconcile.Salt{1, 2, 3}

func newSide(s set, initiator bool) *side {
	return &side{
		set:     reconcile.NewMem(s.keys),
		session: reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: initiator}),
	}
}

// ours runs as many rounds as it takes until each side knows what it lacks: a message is at most 64 KiB, so a tenth of the set
// takes several. It counts what is sent to find the differences and to ask for all of them, which negentropy's count
// leaves out.
func ours(tb testing.TB, setA, setB set) (c cost) {
	tb.Helper()
	a, b := newSide(setA, true), newSide(setB, false)
	for more := true; more; {
		before := figure.CPU()
		round(tb, a, b, &c)
		c.cpu += figure.CPU() - before
		got := pull(tb, a, b) + pull(tb, b, a)
		c.found += got
		more = got > 0 && (a.session.Incomplete() || b.session.Incomplete())
		a.session.End(got == 0)
		b.session.End(got == 0)
	}
	return c
}

func round(tb testing.TB, a, b *side, c *cost) {
	tb.Helper()
	msg, err := a.session.Start(a.set)
	for from, to := a, b; msg != nil && err == nil; from, to = to, from {
		c.messages++
		c.bytes += len(msg)
		msg, _, err = to.session.Receive(to.set, msg)
		if wants := to.session.Wants(); len(wants) > 0 {
			c.bytes += len(reconcile.AppendWants(nil, wants))
			to.wants = append(to.wants, wants...)
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// pull gives a side what it wants and returns how many keys that were.
func pull(tb testing.TB, to, from *side) int {
	tb.Helper()
	var got []reconcile.Key
	for _, w := range to.wants {
		keys := from.set.Keys(w.Prefix)
		if !w.Whole {
			keys = reconcile.Match(from.set, salt, w.Prefix, w.Short)
		}
		for k, err := range keys {
			if err != nil {
				tb.Fatal(err)
			}
			got = append(got, k)
		}
	}
	to.wants = nil
	before := to.set.Len()
	if len(got) > 0 {
		if err := to.set.Apply(got, nil); err != nil {
			tb.Fatal(err)
		}
	}
	return to.set.Len() - before
}

func sealed(s set) *vector.Vector {
	v := vector.New()
	for i, k := range s.keys {
		id := k.ID()
		v.Insert(nostr.Timestamp(s.times[i]), hex.EncodeToString(id[:]))
	}
	v.Seal()
	return v
}

// theirs runs negentropy with no limit on the size of a frame. Its messages travel as hexadecimal in JSON; the bytes counted
// are those of the binary form.
func theirs(tb testing.TB, a, b *vector.Vector) (c cost) {
	tb.Helper()
	before := figure.CPU()
	x, y := negentropy.New(a, 0), negentropy.New(b, 0)
	counts := make(chan int, 2)
	for _, ids := range []chan string{x.Haves, x.HaveNots} {
		go func() {
			n := 0
			for range ids {
				n++
			}
			counts <- n
		}()
	}
	from, to := x, y
	msg := from.Start()
	for msg != "" {
		c.messages++
		c.bytes += len(msg) / 2
		var err error
		if msg, err = to.Reconcile(msg); err != nil {
			tb.Fatal(err)
		}
		from, to = to, from
	}
	c.found = <-counts + <-counts
	c.cpu = figure.CPU() - before
	return c
}

// TestNegentropy holds the bytes to half of negentropy's. They do not depend on the machine.
func TestNegentropy(t *testing.T) {
	for _, w := range workloads {
		if testing.Short() && w.n > 100_000 {
			continue
		}
		t.Run(w.String(), func(t *testing.T) {
			a, b := w.sets()
			us := ours(t, a, b)
			them := theirs(t, sealed(a), sealed(b))
			if us.found != w.d {
				t.Errorf("found %d differences, want %d", us.found, w.d)
			}
			if them.found != w.d {
				t.Errorf("negentropy found %d differences, want %d", them.found, w.d)
			}
			if got := float64(us.bytes) / float64(them.bytes); got > half {
				t.Errorf("%d bytes, negentropy %d: %.2f of it, want at most %g", us.bytes, them.bytes, got, half)
			}
		})
	}
}

// BenchmarkNegentropy prints both programs' costs. Making the ordered set is not in them: a store of ours keeps the
// trie on disk, negentropy's has to be sorted or kept in memory.
func BenchmarkNegentropy(b *testing.B) {
	for _, w := range workloads {
		b.Run(w.String(), func(b *testing.B) { compare(b, w) })
	}
}

func compare(b *testing.B, w workload) {
	setA, setB := w.sets()
	theirA, theirB := sealed(setA), sealed(setB)
	var us, them cost
	var ourCPU, theirCPU, ratio []float64
	for b.Loop() {
		us, them = ours(b, setA, setB), theirs(b, theirA, theirB)
		ourCPU = append(ourCPU, us.cpu.Seconds()*1000)
		theirCPU = append(theirCPU, them.cpu.Seconds()*1000)
		ratio = append(ratio, us.cpu.Seconds()/them.cpu.Seconds())
	}
	figure.Report(b, "bytes", float64(us.bytes), "B", figure.None)
	figure.Report(b, "negentropy-bytes", float64(them.bytes), "B", figure.None)
	figure.Report(b, "bytes-ratio", float64(us.bytes)/float64(them.bytes), "x", figure.AtMost(half))
	figure.Report(b, "trips", us.trips(), "rt", figure.None)
	figure.Report(b, "negentropy-trips", them.trips(), "rt", figure.None)
	figure.Report(b, "cpu", figure.Median(ourCPU), "ms", figure.None)
	figure.Report(b, "negentropy-cpu", figure.Median(theirCPU), "ms", figure.None)
	figure.Report(b, "cpu-ratio", figure.Median(ratio), "x", figure.None)
}
