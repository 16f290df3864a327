package crowd

import (
	"fmt"
	"slices"
	"time"

	"longear/test/crowd/report"
)

// report sums up. The run's real time and memory are known only outside its bubble.
func (w *World) report(cut bool) (*report.Report, error) {
	if w.ledger == nil {
		return &report.Report{Story: w.story.Name, Seed: w.seed, Cut: cut, Failed: []string{}}, nil
	}
	w.readTraffic(w.now())
	w.frame(w.now())
	if err := w.checkAll(); err != nil {
		return nil, err
	}
	w.checkOracle()
	if !cut {
		w.checkPublished()
	}
	ours, oracle, extra := w.latencies()
	r := &report.Report{
		Story: w.story.Name, Seed: w.seed, Nodes: len(w.members), Hubs: len(w.members) - w.phones, Cut: cut,
		Virtual: w.now(), Failed: append([]string{}, w.failed...),
		Messages: len(w.ledger.all()), Deliveries: len(ours), Extra: extra, Shortened: w.cut, Possible: len(oracle), Pairs: w.pairs(),
		Latency: quantiles(ours), Oracle: quantiles(oracle),
		Curve: curve(ours, oracle, w.pairs()), Histogram: histogram(ours), Hops: w.hops(),
		Contacts: w.topology.contacts, Connected: w.topology.joined,
		Groups:  w.groups.result(),
		Traffic: w.film.traffic, Replay: w.replay(), Refused: make(map[string]uint64),
	}
	w.sum(r)
	return r, nil
}

// sum adds up the counters of all members.
func (w *World) sum(r *report.Report) {
	c, n := w.cost(), float64(len(w.members))
	r.Bytes = report.Bytes{
		Gossip: float64(c.gossip) / n, Sync: float64(c.sync) / n,
		Discovery: (float64(c.air) - float64(c.gossip) - float64(c.sync)) / n, // checked not to be negative
		Repeated:  float64(c.repeated) / n,
	}
	r.Refused, r.Payload, r.Copies = c.refused, float64(c.payload)/n, c.copies()
}

// cost is what all members together have sent so far, and for what.
type cost struct {
	tally
	air     uint64 // bytes sent, of whatever kind
	payload uint64 // bytes of the messages that members took from others, a flooder's too
}

func (w *World) cost() (c cost) {
	for i, m := range w.members {
		c.tally = c.plus(w.tallyOf(m))
		c.air += w.air.sent[i].Load()
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	c.payload = uint64(w.ledger.noisy)
	for _, p := range w.ledger.posts {
		size := uint64(len(p.msg.Wire()))
		for node, when := range p.when {
			if when != never && node != p.from {
				c.payload += size
			}
		}
	}
	return c
}

// since is what it has come to since another time.
func (c cost) since(o cost) cost {
	return cost{
		tally: tally{gossip: c.gossip - o.gossip, sync: c.sync - o.sync, repeated: c.repeated - o.repeated},
		air:   c.air - o.air, payload: c.payload - o.payload,
	}
}

// copies are the times that a message was received for each time that it was new, 0 if none was.
func (c cost) copies() float64 {
	if c.payload == 0 {
		return 0
	}
	return 1 + float64(c.repeated)/float64(c.payload)
}

// pairs counts the messages and nodes that a message was meant for.
func (w *World) pairs() (n int) {
	for _, p := range w.ledger.all() {
		for _, m := range w.members {
			if w.counts(p, m) {
				n++
			}
		}
	}
	return n
}

// latencies are those of the oracle's deliveries, in order, and ours of the same: what did not come has none. Extra counts what
// came where the oracle had nothing to bring it: it makes up for nothing that did not come.
func (w *World) latencies() (ours, oracle []time.Duration, extra int) {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	for _, p := range w.ledger.posts {
		for n, m := range w.members {
			if !w.counts(p, m) {
				continue
			}
			best, possible := w.topology.oracle.Arrival(p.number, n)
			switch at := p.when[n]; {
			case at != never && possible:
				ours = append(ours, at-p.at)
			case at != never:
				extra++
			}
			if possible {
				oracle = append(oracle, best-p.at)
			}
		}
	}
	slices.Sort(ours)
	slices.Sort(oracle)
	return ours, oracle, extra
}

// checkPublished checks that all was published that the story told: with less it has not shown what it says.
func (w *World) checkPublished() {
	if w.unsaid > 0 {
		w.fail("%d of %d messages were not published: nobody was up who could", w.unsaid, w.told)
	}
	if left := w.told - w.unsaid - len(w.ledger.all()); left > 0 {
		w.fail("%d of %d messages were not published: the story ends before their time", left, w.told)
	}
}

// checkOracle checks that nothing came before it could: else the oracle is wrong, and what it was compared with says nothing. Packets on
// their way are no excuse: whoever could be sent one over a link had by then what could come over it. Only at the end of a life
// nodes count in milliseconds and may be late by a second, and the oracle is not.
func (w *World) checkOracle() {
	n, first := 0, ""
	for _, p := range w.ledger.all() {
		for i, at := range p.when {
			best, possible := w.topology.limit.Arrival(p.number, i)
			if at == never || possible && at >= best || !possible && p.deadAt(at) {
				continue
			}
			if n++; first == "" {
				first = fmt.Sprintf("n%d had message %d of n%d %v after it was published", i, p.number, p.from, at-p.at)
			}
		}
	}
	if n > 0 {
		w.fail("the oracle is wrong: %s, before it could; so did %d in all", first, n)
	}
}

// hops counts the deliveries by the links they crossed.
func (w *World) hops() []int {
	counts := []int{}
	for _, p := range w.ledger.all() {
		for n, m := range w.members {
			if _, possible := w.topology.oracle.Arrival(p.number, n); !possible || !w.counts(p, m) || p.when[n] == never {
				continue
			}
			for len(counts) <= int(p.hops[n]) {
				counts = append(counts, 0)
			}
			counts[p.hops[n]]++
		}
	}
	return counts
}

// quantile is that of sorted times, of which there should have been n: what is missing took longer than all others.
func quantile(sorted []time.Duration, n int, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := int(q * float64(max(n, len(sorted))-1))
	return sorted[min(i, len(sorted)-1)]
}

func quantiles(sorted []time.Duration) report.Quantiles {
	at := func(q float64) time.Duration { return quantile(sorted, len(sorted), q) }
	return report.Quantiles{P50: at(0.5), P90: at(0.9), P99: at(0.99), Last: at(1)}
}

// steps are times that grow from 10 ms by a quarter each, up to the longest.
func steps(longest time.Duration) (list []time.Duration) {
	for d := 10 * time.Millisecond; ; d += d / 4 {
		list = append(list, d)
		if d >= longest {
			return list
		}
	}
}

func curve(ours, oracle []time.Duration, pairs int) []report.CurvePoint {
	list := []report.CurvePoint{}
	if pairs == 0 {
		return list
	}
	upTo := func(sorted []time.Duration, d time.Duration) float64 {
		n, _ := slices.BinarySearch(sorted, d+1)
		return float64(n) / float64(pairs)
	}
	list = append(list, report.CurvePoint{Share: upTo(ours, 0), Oracle: upTo(oracle, 0)})
	for _, d := range steps(max(quantile(ours, 0, 1), quantile(oracle, 0, 1))) {
		list = append(list, report.CurvePoint{After: d, Share: upTo(ours, d), Oracle: upTo(oracle, d)})
	}
	return list
}

func histogram(sorted []time.Duration) []report.Bin {
	bins := []report.Bin{}
	done := 0
	for _, d := range steps(quantile(sorted, 0, 1)) {
		n, _ := slices.BinarySearch(sorted, d+1)
		bins = append(bins, report.Bin{UpTo: d, N: n - done})
		done = n
	}
	return bins
}
