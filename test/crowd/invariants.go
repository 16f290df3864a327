package crowd

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"longear/protocol"
	"longear/store"
)

// How many messages that were read back a check opens again, of all nodes together: a signature takes 20 µs, ten times what reading does.
// Of each message that is as many nodes' copies as there is time for, at least one, and at each check those of others.
const (
	mostOpened     = 500
	mostOpenedLast = 4_000
)

// check checks what must hold of the whole world, whatever its story, once every node has done what it was doing. What does not is noted; the
// error is for what cannot be read.
func (w *World) check(when string) error { return w.checkOpening(when, mostOpened) }

// checkAll is the last check.
func (w *World) checkAll() error { return w.checkOpening("at the end", mostOpenedLast) }

func (w *World) checkOpening(when string, most int) error {
	w.look()
	synctest.Wait() // a node that is taking a message has counted it before it says so
	for _, wrong := range w.ledger.takeWrong() {
		w.fail("%s: %s", when, wrong)
	}
	for _, o := range w.topology.oracles() {
		if err := o.Err(); err != nil {
			return fmt.Errorf("the oracle: %w", err)
		}
	}
	if w.ended {
		w.ended = false
		for _, left := range w.left() {
			w.fail("%s: %s", when, left)
		}
	}
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	copies := (len(w.ledger.posts) + len(w.ledger.noise)) * len(w.members)
	s := sample{stride: min(1+copies/most, max(len(w.members), 1)), turn: w.checks}
	for _, m := range w.members {
		if err := w.checkMember(m, &s); err != nil {
			return fmt.Errorf("%s: n%d: %w", when, m.number, err)
		}
	}
	w.checkSigned(&s)
	w.checks++
	return nil
}

// sample is what of all that is read back is opened again.
type sample struct {
	stride, turn int
	open         []*protocol.Unverified
	holder       []int   // of each
	post         []*post // likewise
}

// checkSigned opens the sample: all signatures together take half the time of one after the other.
func (w *World) checkSigned(s *sample) {
	for i, msg := range protocol.VerifyAll(s.open) {
		if msg == nil {
			w.fail("n%d serves %v, whose signature does not verify", s.holder[i], s.post[i])
		}
	}
}

// checkMember checks one node: its store, and that its counters tell the same story. The ledger's mu is held.
func (w *World) checkMember(m *member, s *sample) error {
	stats := m.store.Stats()
	kept, err := w.readBack(m, s)
	if err != nil {
		return err
	}
	w.checkKept(m, kept, stats)
	w.checkRoom(m, kept, stats)
	if stats.Corrupt > 0 || stats.Failed != nil {
		w.fail("n%d's store: %d messages damaged, %v", m.number, stats.Corrupt, stats.Failed)
	}
	w.checkCounters(m, stats)
	return nil
}

// checkRoom checks that a node keeps no more than it was told to, and that what it says of that is not less than what was read back.
func (w *World) checkRoom(m *member, k kept, stats store.Stats) {
	quota := w.opts.quota
	if quota == 0 {
		quota = memoryQuota
	}
	if k.bytes > stats.Bytes {
		w.fail("n%d keeps %d bytes of messages, and counts %d with all that belongs to them", m.number, k.bytes, stats.Bytes)
	}
	if max(k.bytes, stats.Bytes) > quota || stats.Quota != quota {
		w.fail("n%d keeps %d bytes, its quota is %d of %d", m.number, max(k.bytes, stats.Bytes), stats.Quota, quota)
	}
}

// checkCounters checks that what a node and its store count is what was seen from outside, and that one counter says what another does. The
// ledger's mu is held.
func (w *World) checkCounters(m *member, stats store.Stats) {
	t, l := w.tallyOf(m), w.ledger
	own, arrivals := l.own[m.number], l.arrivals[m.number]
	if int(t.accepted) != arrivals {
		w.fail("n%d counts %d messages accepted from others, and took %d", m.number, t.accepted, arrivals)
	}
	if int(t.own) != own {
		w.fail("n%d counts %d messages of its own, and wrote %d", m.number, t.own, own)
	}
	if t.took != t.pulled {
		w.fail("n%d took %d messages by sync, its door says %d", m.number, t.took, t.pulled)
	}
	gone := stats.Expired + stats.Evicted + stats.Removed + stats.Corrupt
	if had := uint64(own + arrivals); uint64(stats.Messages)+gone != had {
		w.fail("n%d's store counts %d messages and %d that went, and took %d", m.number, stats.Messages, gone, had)
	}
	if t.refused[protocol.IgnoreFull.String()] != stats.RefusedFull {
		w.fail("n%d refused %d messages for want of room, its store says %d", m.number, t.refused[protocol.IgnoreFull.String()], stats.RefusedFull)
	}
	if t.violations > 0 && !slices.ContainsFunc(w.members, func(m *member) bool { return m.is(liar) }) {
		w.fail("n%d counts %d violations, and nobody lies", m.number, t.violations)
	}
	written, read := t.sync, m.meter.sync.read.Load()
	if !role(m.role.Load()).deceives() && t.sent != written {
		w.fail("n%d counts %d bytes of sync sent, its streams %d", m.number, t.sent, written)
	}
	if t.received != read {
		w.fail("n%d counts %d bytes of sync received, its streams %d", m.number, t.received, read)
	}
	if heard := m.meter.gossip.read.Load(); t.heard > heard {
		w.fail("n%d counts %d bytes of gossip received, its streams %d", m.number, t.heard, heard)
	}
	if air := w.air.sent[m.number].Load(); t.gossip+t.sync > air {
		w.fail("n%d wrote %d bytes of gossip and %d of sync, and sent %d", m.number, t.gossip, t.sync, air)
	}
}

// kept is what is read back from a store.
type kept struct {
	messages int64
	bytes    int64  // of encodings
	posts    []bool // by number
	noise    []bool // likewise
}

// readBack reads all that a node keeps: each message is one that the node has taken, byte for byte as it was signed, as old as it is, and
// not past its life. The ledger's mu is held.
func (w *World) readBack(m *member, s *sample) (kept, error) {
	l := w.ledger
	k := kept{posts: make([]bool, len(l.posts)), noise: make([]bool, len(l.noise))}
	for e, err := range m.store.Newest() {
		if err != nil {
			return k, fmt.Errorf("read back: %w", err)
		}
		k.messages++
		k.bytes += int64(len(e.Message.Wire()))
		p := l.byID[e.Message.ID]
		if p == nil {
			w.fail("n%d keeps message %v, which nobody published", m.number, e.Message.ID)
			continue
		}
		if p.noise != nil {
			k.noise[p.number] = true
		} else {
			k.posts[p.number] = true
		}
		w.checkEntry(m, p, &e)
		if (p.number+m.number+s.turn)%s.stride != 0 {
			continue
		}
		u, v := protocol.Decode(e.Message.Wire())
		if v != protocol.Accept {
			w.fail("n%d serves %v as what is no message: %v", m.number, p, v)
			continue
		}
		s.open, s.holder, s.post = append(s.open, u), append(s.holder, m.number), append(s.post, p)
	}
	return k, nil
}

// checkEntry checks one message that a node keeps.
func (w *World) checkEntry(m *member, p *post, e *store.Entry) {
	now, end := w.now(), p.at+p.life
	switch {
	case !p.had(m.number):
		w.fail("n%d keeps %v and has not taken it", m.number, p)
	case !e.Message.Equal(p.msg):
		w.fail("n%d altered %v", m.number, p)
	case w.ledger.liedTo:
		// Whatever a node is told, it keeps nothing for longer than a lifetime.
		if p.noise == nil && now-p.when[m.number] > p.life+slack(p.life) {
			w.fail("n%d serves %v %v after it came, and its life is %v", m.number, p, now-p.when[m.number], p.life)
		}
	case p.tooYoung(m.number, now-end, slack(p.life)):
		w.fail("n%d serves %v %v past its life", m.number, p, now-end)
	case e.Age-(now-p.at) > slack(p.life), p.tooYoung(m.number, now-p.at-e.Age, slack(p.life)):
		w.fail("n%d holds %v to be %v old, it is %v", m.number, p, e.Age, now-p.at)
	}
}

// checkKept checks that a node keeps all that it had and that is alive, but what it let go of for want of room, and what died of an age that somebody told. The
// ledger's mu is held.
func (w *World) checkKept(m *member, k kept, stats store.Stats) {
	now, l := w.now(), w.ledger
	unswept := stats.Messages - k.messages
	var missing uint64
	allowed := stats.Evicted
	if l.liedTo {
		allowed += stats.Expired + uint64(max(unswept, 0))
	}
	var dying int64
	look := func(posts []*post, kept []bool) {
		for i, p := range posts {
			left := p.at + p.life - now
			if kept[i] || !p.had(m.number) {
				continue
			}
			if left <= slack(p.life) {
				dying++
				continue
			}
			if missing++; missing > allowed {
				w.fail("n%d has lost %v, %v before the end of its life", m.number, p, left)
			}
		}
	}
	look(l.posts, k.posts)
	look(l.noise, k.noise)
	if l.liedTo {
		dying += int64(missing)
	}
	if unswept < 0 || unswept > dying {
		w.fail("n%d counts %d messages and keeps %d", m.number, stats.Messages, k.messages)
	}
}

// slack is how much a life may be off: each hop rounds an age to milliseconds, and a store sweeps in its own time.
func slack(life time.Duration) time.Duration { return time.Second + life/1000 }

// left tells of goroutines that are there though the life that they are of is over.
func (w *World) left() (list []string) {
	now := make(map[string]bool)
	for _, m := range w.members {
		if m != nil && m.running {
			now[lifeOf(m.number, m.life)] = true
		}
	}
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return []string{err.Error()}
	}
	// For each stack: how many goroutines have it, their labels, and a line for each function.
	for stack := range strings.SplitSeq(text.String(), "\n\n") {
		_, labels, ok := strings.Cut(stack, `{"`+lifeLabel+`":"`)
		if !ok {
			continue
		}
		if life, _, _ := strings.Cut(labels, `"`); !now[life] {
			list = append(list, fmt.Sprintf("a goroutine of %s is left: %s", life, stack))
		}
	}
	return list
}
