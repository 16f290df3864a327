package reconcile_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"longear/test/bench/figure"
)

// BenchmarkReconcile prints what a round costs, both sides together, next to what is the least possible: which of its keys each
// side must be told (2*log2 C(n, d/2) bits), and 8 bytes a difference.
func BenchmarkReconcile(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		for _, d := range []int{0, 10, 100, 1000, 10_000} {
			for _, recent := range []bool{false, true} {
				if d == 0 && recent || d >= n {
					continue
				}
				b.Run(fmt.Sprintf("n=%d/d=%d/recent=%v", n, d, recent), func(b *testing.B) { figures(b, n, d, recent) })
			}
		}
	}
}

func figures(b *testing.B, n, d int, recent bool) {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(d)))
	keysA, keysB := twoSets(rng, n, d, recent)
	x, y := newPair(keysA, keysB, nil, nil)
	var r round
	var spent time.Duration
	for b.Loop() {
		began := figure.CPU()
		r = talk(b, x, y)
		spent += figure.CPU() - began
		x.wants, y.wants = nil, nil
		x.session.End(false)
		y.session.End(false)
	}
	reads := float64(x.reads.nodes+x.reads.ranges+y.reads.nodes+y.reads.ranges) / float64(b.N)
	b.ReportMetric(float64(r.bytes+r.wants), "bytes")
	b.ReportMetric(r.trips(), "trips")
	b.ReportMetric(reads, "reads")
	b.ReportMetric(float64(x.reads.keys+y.reads.keys)/float64(b.N), "keys")
	if d > 0 {
		b.ReportMetric(float64(r.bytes+r.wants)/float64(d), "B/diff")
		b.ReportMetric(limit(n, d), "limit-B/diff")
	}
	b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms")
	rounds := 1.0
	if r.left { // what one round does not hold: go on until the sets are equal
		r = round{}
		x.wants, y.wants = nil, nil
		for rounds = 0; x.set.Len() != n+d/2 || y.set.Len() != n+d/2; rounds++ {
			next := sync(b, x, y)
			r.bytes, r.wants = r.bytes+next.bytes, r.wants+next.wants
		}
		b.ReportMetric(float64(r.bytes+r.wants)/float64(d), "B/diff")
		b.ReportMetric(float64(r.bytes+r.wants), "bytes")
	}
	b.ReportMetric(rounds, "rounds")
}

// limit returns 2*log2 C(n, d/2) bits, in bytes a difference.
func limit(n, d int) float64 {
	k := float64(d / 2)
	a, _ := math.Lgamma(float64(n) + 1)
	c, _ := math.Lgamma(k + 1)
	e, _ := math.Lgamma(float64(n) - k + 1)
	return 2 * (a - c - e) / math.Ln2 / 8 / float64(d)
}
