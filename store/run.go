package store

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// syncEvery is how much of what others sent may be lost with the power. They send it again.
	syncEvery = 2 * time.Second
	// saveEvery is how often an idle store writes its running time down: the wall clock bridges the rest.
	saveEvery = time.Hour
	// calmAfter is how long after the last write a phone gives memory back, if it was about a memtable's worth since the last time: it costs
	// a collection, and reading from disk what is used again.
	calmAfter = 15 * time.Second
)

// Run does what must happen from time to time, until ctx ends: it syncs what was written, expires what is due, and keeps the running
// time. An idle store wakes once an hour, and a phone's once more when it has become calm.
func (s *Store) Run(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(1) // making a filter: it may take longer than a sync may wait
	defer g.Wait()
	t := time.NewTimer(0)
	defer t.Stop()
	at := s.clock.mono() // when t fires
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			s.tick(ctx)
			g.TryGo(func() error { return s.refilterIdle(ctx) })
			wait := s.nextWake()
			at = s.clock.mono() + wait
			t.Reset(wait)
		case <-s.wake:
			// Only ever sooner: a steady stream of messages must not put off the sync for ever.
			if wait := s.nextWake(); s.clock.mono()+wait < at {
				at = s.clock.mono() + wait
				t.Reset(wait)
			}
		}
	}
}

// tick does whatever is due. Its errors end nothing: the store still serves reads, and Stats tells.
func (s *Store) tick(ctx context.Context) {
	if err := s.Sync(); err != nil {
		s.log.Error("sync failed", "err", err)
	}
	if err := s.compactIdle(); err != nil {
		s.log.Error("merging tables failed", "err", err)
	}
	s.mu.Lock()
	now := s.clock.running()
	calm := s.calm != 0 && now >= s.calm
	if calm {
		s.calm, s.written = 0, 0
	}
	due := s.due != 0 && now >= s.due
	save := now-s.saved >= saveEvery
	s.mu.Unlock()
	if calm {
		debug.FreeOSMemory() // merges leave more garbage than the program lives on, and an idle one collects every 2 minutes
		if err := giveBack(filepath.Join(s.dir, dataDir)); err != nil {
			s.log.Debug("memory not given back", "err", err)
		}
	}
	if due {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sweep failed", "err", err)
			s.retryLater(now)
		}
	}
	if save {
		if err := s.update(ctx, (*batch).touch); err != nil && ctx.Err() == nil {
			s.log.Warn("running time not saved", "err", err)
			s.retryLater(now)
		}
	}
}

// retryLater keeps a store that cannot write from trying all the time.
func (s *Store) retryLater(now time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = now + time.Minute
	s.saved = now
}

// nextWake is how long Run may sleep.
func (s *Store) nextWake() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.running()
	wait := s.saved + saveEvery - now
	if s.due != 0 {
		wait = min(wait, s.due-now)
	}
	if s.calm != 0 {
		wait = min(wait, s.calm-now)
	}
	if s.unsynced {
		wait = min(wait, syncEvery)
	}
	return max(wait, time.Millisecond)
}

// Sync makes what was put so far survive a power cut.
func (s *Store) Sync() error {
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	s.mu.Lock()
	do := s.unsynced
	s.unsynced = false
	if do && s.profile == Phone && s.written >= s.limits.memtable {
		s.calm = s.clock.running() + calmAfter
	}
	s.mu.Unlock()
	if !do {
		return nil
	}
	if err := s.db.Sync(); err != nil {
		s.fail(err)
		return err
	}
	return nil
}
