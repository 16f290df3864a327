package crowd

import (
	"fmt"
	"time"

	"longear/test/crowd/story"
)

// beat is how often an expectation is looked at.
const beat = 200 * time.Millisecond

// expect lets time pass until something holds, or notes that it does not.
func (w *World) expect(d story.Expect) error {
	if err := w.ready(); err != nil {
		return err
	}
	line := w.opts.Watch.Step.Load()
	var why string
	pause := beat
	if w.distrusts() { // all stores are looked into
		pause = max(beat, d.Within/200)
	}
	for until := w.now() + d.Within; ; {
		if why = w.lacking(d); why == "" {
			return nil
		}
		left := until - w.now()
		if left <= 0 {
			break
		}
		if err := w.advance(min(pause, left)); err != nil {
			return err
		}
	}
	w.fail("line %d, %q: %s", line.Line, line.Text, why)
	return nil
}

// lacking says what is not yet as expected, "" if all is.
func (w *World) lacking(d story.Expect) string {
	switch d.What {
	case "all", "carried":
		return w.missing(d.What == "carried")
	case "share":
		ours, oracle, _ := w.latencies()
		made, possible := len(ours), len(oracle)
		if possible == 0 {
			return "nothing could be delivered"
		}
		if float64(made) < d.Share*float64(possible) {
			return fmt.Sprintf("%d of %d deliveries that were possible were made, %.2f%%", made, possible, 100*float64(made)/float64(possible))
		}
	case "median":
		ours, oracle, _ := w.latencies()
		if len(ours) == 0 {
			return "nothing was delivered"
		}
		// Quantiles of all that was possible: what never came took for ever.
		got, best := quantile(ours, len(oracle), 0.5), quantile(oracle, len(oracle), 0.5)
		if limit := time.Duration(float64(best)*d.Factor) + d.Plus; got > limit {
			return fmt.Sprintf("the median is %v, at most %v were expected: the oracle's is %v", got, limit, best)
		}
	case "grouped":
		if got, _ := w.groups.time.grouped(); got < d.Share {
			return fmt.Sprintf("nodes were in a group with somebody for %.2f%% of their time", 100*got)
		}
	case "takeovers":
		return few(w.groups.deed.counts().Takeovers, d.Count, "takeovers")
	case "ferries":
		return few(w.groups.deed.counts().Ferries, d.Count, "ferries")
	case "copies":
		c := w.cost()
		return many(c.copies(), d.Factor, c, "copies were received for each delivery")
	case "bytes":
		// The radio's other bytes are left out: they are for links, and a crowd pays them whether or not anybody speaks.
		c := w.cost()
		return many(float64(c.gossip+c.sync)/float64(c.payload), d.Factor, c, "bytes of gossip and sync were sent for each byte delivered")
	case "repeated":
		c := w.cost().since(w.joined)
		return many(float64(c.repeated)/float64(c.payload), d.Factor, c, "bytes came again for each that was missing")
	case "kept":
		return w.lost(d.Share)
	case "nobody":
		return w.leaked(w.each(d.Who))
	default:
		return fmt.Sprintf("nobody knows how to expect %q", d.What)
	}
	return ""
}

func few(got, want int, what string) string {
	if got >= want {
		return ""
	}
	return fmt.Sprintf("%d %s, at least %d were expected", got, what, want)
}

// many says that something of all deliveries was more than expected.
func many(got, most float64, c cost, what string) string {
	switch {
	case c.payload == 0:
		return "nothing was delivered"
	case got <= most:
		return ""
	}
	return fmt.Sprintf("%.3f %s, at most %v were expected", got, what, most)
}

// counts reports whether a message is expected at a node: whoever lies or floods is owed nothing.
func (w *World) counts(p *post, m *member) bool {
	return p.from != m.number && (p.to < 0 || p.to == m.number) && !m.is(liar) && !m.is(ager) && !m.is(flooder)
}

// missing names a live message that a running node should have and has not: every one, or those that the oracle has there. It says
// so, too, if there is none that a node should have.
func (w *World) missing(possible bool) string {
	n, should, first := 0, 0, ""
	looked := w.distrusts() // a node that has had it may lose it before its time only there
	for _, p := range w.ledger.all() {
		if p.deadAt(w.now()) {
			continue
		}
		for _, m := range w.members {
			if _, ok := w.topology.oracle.Arrival(p.number, m.number); !m.running || !w.counts(p, m) || possible && !ok {
				continue
			}
			if should++; w.ledger.has(p, m.number) && (!looked || m.keeps(p)) {
				continue
			}
			if n++; first == "" {
				first = fmt.Sprintf("n%d has not got message %d of n%d", m.number, p.number, p.from)
			}
		}
	}
	switch {
	case should == 0:
		return "there is no live message that a node up should have"
	case n > 1:
		first = fmt.Sprintf("%s, and %d more", first, n-1)
	}
	return first
}

// lost tells of live messages that came to nodes which are up and are not there any more.
func (w *World) lost(least float64) string {
	kept, came := 0, 0
	for _, p := range w.ledger.all() {
		if p.deadAt(w.now()) {
			continue
		}
		for _, m := range w.members {
			if m.running && w.counts(p, m) && w.ledger.has(p, m.number) {
				if came++; m.keeps(p) {
					kept++
				}
			}
		}
	}
	if came == 0 {
		return "no live message came to a node that is up"
	}
	if float64(kept) < least*float64(came) {
		return fmt.Sprintf("%d of %d live messages that came are kept, %.2f%%", kept, came, 100*float64(kept)/float64(came))
	}
	return ""
}

// distrusts reports whether somebody lies about ages.
func (w *World) distrusts() bool {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	return w.ledger.liedTo
}

// leaked names a message that one of these has, though it was published after the node had lost its last link. Whoever has a
// link has not been cut off.
func (w *World) leaked(list []*member) string {
	t := &w.topology
	for _, m := range list {
		if t.links[m.number] > 0 {
			return fmt.Sprintf("n%d has %d links and is not cut off", m.number, t.links[m.number])
		}
		since := 0
		for _, p := range w.ledger.all() {
			if p.from == m.number || p.at < t.alone[m.number] {
				continue
			}
			if since++; w.ledger.has(p, m.number) {
				return fmt.Sprintf("n%d has message %d", m.number, p.number)
			}
		}
		if since == 0 {
			return fmt.Sprintf("nothing was published since n%d was cut off", m.number)
		}
	}
	return ""
}
