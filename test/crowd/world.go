// Package crowd plays stories of crowds: hundreds of real nodes with real stores, on full libp2p hosts whose only untrue
// part is the radio beneath, in a testing/synctest bubble: an hour of virtual time takes 60 phones that stand around some seconds, and 300 that
// walk some minutes. After every step it checks
// what must hold of the whole world, and at the end it reports what came of the messages, beside what any network could have
// done over the same contacts.
//
// A node that crashes is cut off in the middle of what it does, and nobody hears goodbye. Its store is in memory, where nothing could be opened
// again, so it stays open and is handed to the next life as it is. What a crash makes of a store on disk is in TestCrashOnDisk: there the
// next life opens the files as they were when the last one was cut off.
//
// It does not simulate nodes. What it makes up: where people are, which packets their radios carry, how they behave, and
// that a node hears another's beacon some seconds after it comes into reach.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"longear/protocol"
	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// Options are what a run may be told beside its story.
type Options struct {
	// Seed decides identities, movement, topology and who does what. Packets are lost and goroutines run as chance has it.
	Seed uint64
	// Watch, when not nil, is told how far the run has come, and can end it.
	Watch *Watch
	// Env reads environment variables in paths of traces; nil knows none.
	Env func(string) string
	// Dir is where the story's traces are; "" is the current folder.
	Dir string

	// quota is what each store may take, in bytes; 0 is what a store in memory takes by itself.
	quota int64
	// disk is a folder for stores, "" for memory. Tests of crashes set it, and a quota: a store on disk has another by itself.
	disk string
}

// memoryQuota is that of a store in memory.
const memoryQuota = 16 << 20

// Watch is a run as seen from outside its bubble, where time is real.
type Watch struct {
	Cut        atomic.Bool  // set it to end the run early: the report is written all the same
	Now        atomic.Int64 // virtual nanoseconds so far
	Whole      atomic.Int64 // virtual nanoseconds of the whole story, about
	Messages   atomic.Int64 // published
	Deliveries atomic.Int64
	Step       atomic.Pointer[story.Step]
}

// World is a crowd in the middle of its story. One goroutine, the one that plays, owns everything without a lock of its own.
type World struct {
	seed    uint64
	opts    Options
	story   story.Story
	ctx     context.Context // the run's: members come and go within it
	end     func()
	begin   time.Time
	channel protocol.Channel

	air     *air
	ledger  *ledger
	agenda  agenda
	members []*member
	phones  int
	started bool // the members that are not late have begun

	topology topology
	groups   *groups // nil where whoever is in reach is linked
	film     film
	failed   []string
	churn    int // the number of the churn that is on; deeds of others do nothing
	doze     []int
	joined   cost // what all had cost when the last join came
	publish  int  // posts by chance so far, for their seed
	told     int  // messages that the story, or its trace so far, has told nodes to publish
	unsaid   int  // of them, for which nobody honest was up
	cut      int  // messages of a trace that were longer than may be
	checks   int  // of the whole world so far
	ended    bool // somebody's life, since the last check
}

// errCut ends a run whose watcher has had enough.
var errCut = errors.New("cut short")

// newWorld is a world in which nothing has happened. It has to be made and closed in a bubble.
func newWorld(ctx context.Context, s story.Story, o Options) (*World, error) {
	if o.Watch == nil {
		o.Watch = new(Watch)
	}
	channel, err := protocol.PublicChannel("square")
	if err != nil {
		return nil, err
	}
	o.Watch.Whole.Store(int64(length(s)))
	ctx, end := context.WithCancel(ctx)
	w := &World{seed: o.Seed, opts: o, story: s, ctx: ctx, end: end, begin: time.Now(), channel: channel}
	w.film.every = filmEvery(s)
	return w, nil
}

// play runs a story to its end in a bubble and reports. The error is for a story that cannot be played; what did not hold
// is in the report.
func play(ctx context.Context, s story.Story, o Options) (r *report.Report, err error) {
	w, err := newWorld(ctx, s, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for i := range s.Steps {
		switch err := w.step(&s.Steps[i]); {
		case errors.Is(err, errCut):
			return w.report(true)
		case err != nil:
			return nil, err
		}
	}
	return w.report(false)
}

// step plays one line and checks the world.
func (w *World) step(s *story.Step) error {
	w.opts.Watch.Step.Store(s)
	if err := w.do(s); err != nil {
		return fmt.Errorf("%s:%d: %w", w.story.File, s.Line, err)
	}
	return w.check(fmt.Sprintf("after line %d", s.Line))
}

// now is the time of the run.
func (w *World) now() time.Duration { return time.Since(w.begin) }

// fail notes that something does not hold. The run goes on: what else does not hold is worth knowing.
func (w *World) fail(format string, args ...any) {
	if len(w.failed) < 100 {
		w.failed = append(w.failed, fmt.Sprintf(format, args...))
	}
}

// people makes the members, once it is known how many there are.
func (w *World) people() error {
	for _, s := range w.story.Steps {
		switch d := s.Do.(type) {
		case story.Nodes:
			w.phones = d.N
		case story.Hubs:
			w.members = make([]*member, d.N)
		}
	}
	n := w.phones + len(w.members)
	w.members = make([]*member, n)
	w.doze = make([]int, n)
	w.air, w.ledger = newAir(n), newLedger(n, w.opts.Watch)
	w.topology.init(n)
	for i := range w.members {
		m, err := w.newMember(i, i >= w.phones)
		if err != nil {
			return err
		}
		w.members[i] = m
	}
	return nil
}

// ready starts whoever is here from the beginning, as the first thing happens.
func (w *World) ready() error {
	if w.started {
		return nil
	}
	w.started = true
	if w.topology.source == nil { // a story that says nothing of places is a room where all hear all
		s, err := w.source(story.Full{})
		if err != nil {
			return err
		}
		w.follow(s)
	}
	return w.startAll(w.members)
}

// startAll starts members that are neither late nor running.
func (w *World) startAll(list []*member) error {
	var g errgroup.Group
	g.SetLimit(16)
	for _, m := range list {
		if !m.late && !m.running {
			g.Go(m.start)
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, m := range list {
		w.refresh(m.number, soon)
	}
	return nil
}

// crash ends members without a goodbye: their links go first.
func (w *World) crash(list []*member) error {
	var g errgroup.Group
	g.SetLimit(16)
	for _, m := range list {
		if m.running {
			w.isolate(m.number)
			w.ended = true
		}
	}
	w.look()
	if err := w.leaveFiles(list); err != nil {
		return err
	}
	for _, m := range list {
		if m.running {
			g.Go(m.end)
		}
	}
	return g.Wait()
}

// leaveFiles sees to it that members who are about to end leave their stores as a crash does, where they are on disk.
func (w *World) leaveFiles(list []*member) error {
	if w.opts.disk == "" {
		return nil
	}
	for _, m := range list {
		if m.running {
			m.freeze()
		}
	}
	synctest.Wait()
	var errs []error
	for _, m := range list {
		if m.running {
			errs = append(errs, m.leave())
		}
	}
	return errors.Join(errs...)
}

// close ends all members and their stores.
func (w *World) close() error {
	defer w.end()
	for _, m := range w.members {
		if m != nil {
			w.floodFrom(m, 0)
		}
	}
	errs := []error{w.crash(w.members)}
	synctest.Wait()
	for _, left := range w.left() {
		errs = append(errs, errors.New(left))
	}
	if w.groups != nil {
		errs = append(errs, w.groups.left())
	}
	for _, m := range w.members {
		if m != nil {
			errs = append(errs, m.store.Close())
		}
	}
	return errors.Join(errs...)
}

// advance lets time pass: people move, what is on the agenda is done.
func (w *World) advance(d time.Duration) error {
	if err := w.ready(); err != nil {
		return err
	}
	until := w.now() + d
	for {
		if w.opts.Watch.Cut.Load() {
			return errCut
		}
		at := until
		if t, ok := w.topology.next(); ok {
			at = min(at, t)
		}
		if t, ok := w.agenda.next(); ok {
			at = min(at, t)
		}
		if next := w.film.next; next > w.now() { // a night in which nothing moves is filmed too, and can be ended
			at = min(at, next)
		}
		at = min(until, (at + slot - 1).Truncate(slot))
		if wait := at - w.now(); wait > 0 {
			time.Sleep(wait)
		}
		w.opts.Watch.Now.Store(int64(w.now()))
		w.move()
		for {
			t, ok := w.agenda.next()
			if !ok || t > w.now() {
				break
			}
			if err := w.agenda.take().do(); err != nil {
				return err
			}
		}
		w.shoot()
		if w.now() >= until {
			return nil
		}
	}
}

// length is about how long a story takes.
func length(s story.Story) (d time.Duration) {
	for _, step := range s.Steps {
		switch x := step.Do.(type) {
		case story.Advance:
			d += x.For
		case story.Expect:
			if d == 0 {
				d = x.Within
			}
		}
	}
	return max(d, time.Second)
}

// each lists the members that a line means.
func (w *World) each(who story.Who) []*member {
	switch {
	case who.All:
		return w.members
	case who.Hubs:
		return w.members[w.phones:]
	case who.Share > 0:
		// The same share of the same seed names the same phones: a mute tenth and a lying tenth would be one, so the
		// line's own number is in the draw.
		line := w.opts.Watch.Step.Load().Line
		order := rng(w.seed, "share", line).Perm(w.phones)
		out := make([]*member, 0, len(order))
		for _, i := range order[:int(float64(w.phones)*who.Share+0.5)] {
			out = append(out, w.members[i])
		}
		return out
	}
	out := make([]*member, 0, len(who.Nodes))
	for _, i := range who.Nodes {
		out = append(out, w.members[i])
	}
	return out
}
