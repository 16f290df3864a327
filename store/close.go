package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// closeTimeout is how long one call of Close waits.
const closeTimeout = 5 * time.Second

// ErrUnfinished is returned by Close when closing takes longer than it waits: somebody still reads, the disk does not take what is
// pending, or the database merges tables, which after a million messages takes a busy machine many seconds and cannot be interrupted.
// Nothing acknowledged is lost if the process ends now: it is in the database's log, where the next Open finds it. The folder stays
// locked until closing has ended, which goes on; who wants to open it again in this process calls Close again, which waits again.
var ErrUnfinished = errors.New("not closed yet, but nothing is lost")

// closing is a Close under way, or over.
type closing struct {
	once sync.Once
	work sync.WaitGroup
	done chan error   // gets what came of it, once, and is closed; 1, so that nobody has to wait for it
	at   atomic.Value // a string: what it is at
}

// Close writes down what is pending and closes the store. Nobody gets in any more; whoever is inside is waited for. It returns within about 5
// seconds, whatever the store took in and whatever the disk does: see [ErrUnfinished].
func (s *Store) Close() error {
	c := &s.closing
	c.once.Do(func() {
		idle := s.users.shut()
		c.at.Store("somebody is still inside")
		c.work.Go(func() {
			defer close(c.done)
			<-idle
			c.done <- s.shut()
		})
	})
	t := time.NewTimer(closeTimeout)
	defer t.Stop()
	select {
	case err, first := <-c.done:
		if !first {
			return ErrClosed
		}
		if err != nil {
			return fmt.Errorf("close store: %w", err)
		}
		return nil
	case <-t.C:
		return fmt.Errorf("close store: %w: %s", ErrUnfinished, c.at.Load())
	}
}

// shut folds, so that the next Open has nothing to rebuild, makes everything last, and closes the files.
func (s *Store) shut() error {
	s.closing.at.Store("what is pending is being written")
	s.token <- struct{}{}
	if isNoSpace(s.shrinkable()) {
		// Closing writes the last memtable, and Badger dies of a full disk. The ballast is for this; without it the
		// database stays open, and what it holds is in its log.
		if err := s.dropBallast(); err != nil {
			return err
		}
		if err := s.shrinkable(); isNoSpace(err) {
			return err
		}
	}
	var err error
	if s.writable() == nil {
		// Synced before the files are closed, because that waits for merges, and the process may be ended meanwhile.
		err = errors.Join(s.fold(), s.saveState(), s.db.Sync())
	}
	s.closing.at.Store("the database has tables to write or merge")
	return errors.Join(err, s.release())
}

// users counts who is inside the store, so that Close does not pull the database from under a reader:
// Badger would crash the process.
type users struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // closed when the last one leaves after shut
}

func (u *users) enter() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return ErrClosed
	}
	u.n++
	return nil
}

func (u *users) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n--
	if u.n == 0 && u.closed {
		close(u.idle)
	}
}

// shut lets nobody in any more. What it returns is closed when all have left.
func (u *users) shut() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	u.idle = make(chan struct{})
	if u.n == 0 {
		close(u.idle)
	}
	return u.idle
}
