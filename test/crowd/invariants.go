package crowd

import (
	"errors"
	"fmt"
	"testing/synctest"
	"time"

	"longear/store"
)

// check checks what must hold of the whole world, whatever its story, once every node has done what it was doing. What does not is noted; the
// error is for what cannot be read.
func (w *World) check(when string) error {
	synctest.Wait() // a node that is taking a message has counted it before it says so
	for _, wrong := range w.ledger.takeWrong() {
		w.fail("%s: %s", when, wrong)
	}
	w.look()
	for _, o := range w.topology.oracles() {
		if err := o.Err(); err != nil {
			return fmt.Errorf("the oracle: %w", err)
		}
	}
	for _, m := range w.members {
		if err := w.checkMember(m); err != nil {
			return fmt.Errorf("%s: n%d: %w", when, m.number, err)
		}
	}
	return nil
}

// checkMember checks one node: what came since the last check is there, byte for byte as it was signed (that the signature verifies
// was checked as it was published); the store is within its
// quota; the counters tell the same story.
func (w *World) checkMember(m *member) error {
	if m.store == nil {
		return nil
	}
	fresh, arrivals := w.ledger.takeFresh(m.number)
	stats := m.store.Stats()
	for _, p := range fresh {
		now, end := w.now(), p.at+p.life
		e, err := m.store.Get(p.msg.ID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			if now < end-slack(p.life) && stats.Evicted == 0 {
				w.fail("n%d has lost message %d, %v before the end of its life", m.number, p.number, end-now)
			}
		case err != nil:
			return err
		case !e.Message.Equal(p.msg):
			w.fail("n%d altered message %d", m.number, p.number)
		case now > end+slack(p.life):
			w.fail("n%d serves message %d %v past its life", m.number, p.number, now-end)
		case (e.Age - (now - p.at)).Abs() > slack(p.life):
			w.fail("n%d holds message %d to be %v old, it is %v", m.number, p.number, e.Age, now-p.at)
		}
	}
	if stats.Bytes > stats.Quota {
		w.fail("n%d keeps %d bytes, its quota is %d", m.number, stats.Bytes, stats.Quota)
	}
	if stats.Corrupt > 0 || stats.Failed != nil {
		w.fail("n%d's store: %d messages damaged, %v", m.number, stats.Corrupt, stats.Failed)
	}
	if m.running {
		t := m.past.plus(tallyOf(m.node.Status()))
		if int(t.accepted) != arrivals {
			w.fail("n%d counts %d messages accepted from others, and took %d", m.number, t.accepted, arrivals)
		}
	}
	return nil
}

// slack is how much a life may be off: each hop rounds an age to milliseconds, and a store sweeps in its own time.
func slack(life time.Duration) time.Duration { return time.Second + life/1000 }

// mostChecked bounds the messages that the last check reads again, of all nodes together.
const mostChecked = 200_000

// checkAll checks at the end that every node keeps every message that it ever had and that is alive, and serves none that is
// not: or, of a great many, every so-manieth.
func (w *World) checkAll() error {
	stride := 1 + len(w.ledger.all())*len(w.members)/mostChecked
	for _, m := range w.members {
		w.ledger.reread(m.number, stride)
	}
	return w.check("at the end")
}
