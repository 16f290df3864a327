package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Config is how a store is opened. The zero value is a store in memory.
type Config struct {
	// Dir is the folder that the store owns; it is made if it is missing. Empty: in memory, gone when closed.
	Dir string
	// Profile is how much of the machine the store takes. Without Dir it is always Memory.
	Profile Profile
	// Quota is how many bytes messages, their indexes and tombstones may take; 0 is the profile's own: phone 256 MiB, hub
	// 8 GiB, memory 16 MiB. Badger's logs and unmerged tables are counted in. Who turns it down has less to carry to others.
	Quota int64
	// Key encrypts the store at rest: 16, 24 or 32 bytes, empty for none. A store keeps the key it was made with.
	Key []byte
	// Clock is where time is read; the zero value is the real clocks.
	Clock Clock
	// Log takes the few things that no caller is told; nil discards them.
	Log *slog.Logger
	// FreeSpace tells how many bytes are free on the file system of a folder; nil asks the system.
	FreeSpace func(dir string) (uint64, error)
}

// ErrClosed is returned by every method of a store after Close.
var ErrClosed = errors.New("the store is closed")

// ErrNotFound is returned when a message is not kept here: it never was, it died, or its bytes were damaged.
var ErrNotFound = errors.New("no such message here")

// errRot is damage on disk. It never reaches a caller: the message is gone, and may be fetched again.
var errRot = errors.New("damaged record")

// Store keeps messages. It is safe for concurrent use.
type Store struct {
	dir     string
	profile Profile
	limits  limits
	log     *slog.Logger
	free    func(dir string) (uint64, error)
	clock   clock
	db      *badger.DB
	lock    io.Closer // the folder is ours; nil in memory
	users   users
	closing closing
	filter  filter

	firstAuthor protocol.Author // where a range of answers begins

	// token is held by the one writer. What it guards: pending, top, marked, orphans, brink, and every write to db.
	token   chan struct{}
	pending []change
	top     *top
	marked  map[reconcile.Prefix]struct{} // dirty marks on disk
	orphans map[reconcile.Key]struct{}    // damaged records that were dropped and may be in the index of answers
	brink   [maxEvicts]time.Duration      // by class: when the last that was let go of for want of room would have died; see past

	// merging is held by whoever merges tables.
	merging chan struct{}

	// wake tells Run that there is something to sync. One is enough: Run looks at everything.
	wake chan struct{}

	mu          sync.Mutex // guards what follows; never held across I/O
	queue       []*request
	state       state
	own         map[protocol.ID]struct{} // own messages that are remembered
	rot         []reconcile.Key          // damaged records to drop, at most maxRot
	due         time.Duration            // when the next agenda bucket is due
	saved       time.Duration            // when the running time was written down last
	calm        time.Duration            // when to give memory back, or 0
	written     int64                    // bytes put since memory was given back
	unsynced    bool
	full        uint64
	returned    uint64
	failed      error
	quarantined string
}

// change is a key that came or went since the last fold.
type change struct {
	key  reconcile.Key
	gone bool
}

// Open opens the store, or makes it. See [ErrLocked], [ErrNoSpace]. A store that is damaged beyond opening is moved aside, into
// a folder that [Stats] names, and an empty one takes its place: peers give back what it held.
func Open(c Config) (*Store, error) {
	if c.Dir == "" {
		c.Profile = Memory
	} else if c.Profile == Memory {
		return nil, errors.New("open store: the memory profile has no folder")
	}
	if n := len(c.Key); n != 0 && n != 16 && n != 24 && n != 32 {
		return nil, errors.New("open store: the key must have 16, 24 or 32 bytes")
	}
	s := &Store{
		dir: c.Dir, profile: c.Profile, limits: c.Profile.limits(c.Quota),
		log: c.Log, free: c.FreeSpace,
		closing: closing{done: make(chan error, 1)},
		top:     new(top),
		token:   make(chan struct{}, 1), wake: make(chan struct{}, 1), merging: make(chan struct{}, 1),
		marked:  map[reconcile.Prefix]struct{}{},
		orphans: map[reconcile.Key]struct{}{},
		own:     map[protocol.ID]struct{}{},
		filter:  filter{now: newIDSet(0)},
	}
	rand.Read(s.firstAuthor[:]) // never fails: the runtime crashes the program first
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.free == nil {
		s.free = freeSpace
	}
	if err := s.open(c); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// open gets the database and reads from it what is kept in memory.
func (s *Store) open(c Config) error {
	if err := s.openFiles(c.Key); err != nil {
		return err
	}
	if err := s.load(c.Clock); err != nil {
		return errors.Join(err, s.release())
	}
	return nil
}
