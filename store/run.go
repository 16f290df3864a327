package store

import (
	"context"
	"time"
)

const (
	// syncEvery is how much of what others sent may be lost with the power. They send it again.
	syncEvery = 2 * time.Second
	// saveEvery is how often an idle store writes its running time down: the wall clock bridges the rest.
	saveEvery = time.Hour
)

// Run does what must happen from time to time, until ctx ends: it syncs what was written, expires what is due, and keeps the running
// time. An idle store wakes once an hour.
func (s *Store) Run(ctx context.Context) error {
	t := time.NewTimer(0)
	defer t.Stop()
	at := s.clock.mono() // when t fires
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			s.tick(ctx)
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
	due := s.due != 0 && now >= s.due
	save := now-s.saved >= saveEvery
	s.mu.Unlock()
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
