package store

import "fmt"

// compact merges level 0 into the rest, if at least so many tables wait there and Badger does not do it itself. It runs beside
// writers; whoever finds it running waits for it.
func (s *Store) compact(least int) error {
	if least == 0 || s.waiting() < least {
		return nil
	}
	s.merging <- struct{}{}
	defer func() { <-s.merging }()
	if s.waiting() < least {
		return nil // another one did it
	}
	// Merging needs the space of what it merges. On a full disk the tables wait: reads are slower, nothing is lost.
	if s.writable() != nil {
		return nil
	}
	if err := s.db.Flatten(1); err != nil {
		err = fmt.Errorf("merge tables: %w", err)
		s.fail(err)
		return err
	}
	return nil
}

// waiting is how many tables are in level 0.
func (s *Store) waiting() int {
	if levels := s.db.Levels(); len(levels) > 0 {
		return levels[0].NumTables
	}
	return 0
}

// compactIdle is compact for Run.
func (s *Store) compactIdle() error {
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	return s.compact(s.limits.compactAt)
}
