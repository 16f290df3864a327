package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNoSpace is returned by Open, and by changes that cannot answer with IgnoreFull, when the disk is too full to write safely.
var ErrNoSpace = errors.New("the disk is full: free some space, at least 64 MiB")

const (
	// sweepReserve is the free space below which not even deleting is safe: it writes too.
	sweepReserve = 16 << 20
	// ballastSize is what the ballast file gives back when a start finds the disk full: enough to open, to
	// expire and to evict.
	ballastSize = 32 << 20
	// ballastFrom is the free space from which the ballast is laid: a small disk should not lose a part of itself.
	ballastFrom = 1 << 30
)

// BUG: Badger writes tables through memory maps. If another program takes the last of the disk in the moment of a merge, the system ends the
// process with SIGBUS, which no Go program can catch there. The reserve makes room for what is under way here, not
// for what others write. Nothing acknowledged is lost; the next start drops the ballast and goes on. A mend would have to reserve the blocks of
// a table before Badger maps it, which its API does not let us do; a ballast that is dropped at that moment is there for
// whoever takes it first, and the other program is the one that is writing.

// writable reports why nothing new may be written: a failed write before, or a disk that is nearly full.
func (s *Store) writable() error { return s.checkSpace(s.limits.reserve) }

// shrinkable reports why not even deletions may be written.
func (s *Store) shrinkable() error { return s.checkSpace(sweepReserve) }

func (s *Store) checkSpace(least uint64) error {
	s.mu.Lock()
	err := s.failed
	s.mu.Unlock()
	if err != nil {
		return err
	}
	if s.dir == "" {
		return nil
	}
	free, err := s.free(s.dir)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	if free < least {
		return ErrNoSpace
	}
	return nil
}

func isNoSpace(err error) bool { return errors.Is(err, ErrNoSpace) }

// clearDisk makes sure that Badger can open without running out of disk, of which it would die: if it is full the ballast goes.
func (s *Store) clearDisk() error {
	free, err := s.free(s.dir)
	if err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	if free >= s.limits.reserve {
		return nil
	}
	if err := s.dropBallast(); err != nil {
		return err
	}
	if free, err = s.free(s.dir); err != nil {
		return fmt.Errorf("free space: %w", err)
	}
	if free < sweepReserve {
		return ErrNoSpace
	}
	return nil
}

func (s *Store) dropBallast() error {
	err := os.Remove(filepath.Join(s.dir, ballastFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// layBallast puts the ballast file back when there is room. Without it the store works too, so its failure is only noted.
func (s *Store) layBallast() {
	ballast := filepath.Join(s.dir, ballastFile)
	if i, err := os.Stat(ballast); err == nil && i.Size() == ballastSize {
		return
	}
	if free, err := s.free(s.dir); err != nil || free < ballastFrom {
		return
	}
	if err := writeBallast(ballast); err != nil {
		s.log.Warn("no ballast", "err", err, "cleanup", os.Remove(ballast))
	}
}

// writeBallast writes real bytes: a file with holes would give nothing back.
func writeBallast(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	var block [256 << 10]byte
	for i := range block {
		block[i] = byte(i * i >> 3) // a file system that compresses or finds holes must not save on it
	}
	for n := 0; n < ballastSize && err == nil; n += len(block) {
		_, err = f.Write(block[:])
	}
	return errors.Join(err, f.Close())
}
