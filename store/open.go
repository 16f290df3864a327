package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"longear/protocol"
)

// The folder of a store.
const (
	dataDir     = "messages" // Badger's
	lockFile    = "lock"
	openingFile = "opening" // there while Badger opens; holds how often that began and did not end
	ballastFile = "ballast"
)

// ErrLocked is returned by Open when another process has the store.
var ErrLocked = errors.New("another longear uses this store: stop it, or ask it instead (is `longear relay` running?)")

// maxOpenings is how many times in a row opening may end the process before the data is moved aside. A table that makes Badger panic
// does so at every start; a phone that kills the app while it starts may do that several times in a row, and a healthy store must
// outlive it.
const maxOpenings = 8

// openFiles gets the database open, for a store on disk or in memory.
func (s *Store) openFiles(key []byte) (err error) {
	if s.dir == "" {
		s.db, err = badger.Open(s.profile.options("", s.limits, key))
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if s.lock, err = lockDir(filepath.Join(s.dir, lockFile)); err != nil {
		return err
	}
	if err := s.openData(key); err != nil {
		return errors.Join(err, s.lock.Close())
	}
	s.layBallast()
	return nil
}

// openData opens what is on disk, or moves it aside when it is damaged and opens an empty store.
func (s *Store) openData(key []byte) error {
	if err := s.clearDisk(); err != nil {
		return err
	}
	data := filepath.Join(s.dir, dataDir)
	opts := s.profile.options(data, s.limits, key)
	need, err := s.memtableFor(opts)
	if err != nil {
		return err
	}
	doubt := s.preflight(data, opts)
	if doubt == nil {
		if len(key) == 0 {
			opts = opts.WithChecksumVerificationMode(options.NoVerification) // checkTables has done it
		}
		doubt = s.openLogged(opts, need)
		if doubt == nil || !isDamage(doubt) {
			return doubt
		}
	}
	if err := s.quarantine(data, doubt); err != nil {
		return err
	}
	return s.tryOpen(opts)
}

// openLogged opens the database with the memtables of its options. What a killed process left in logs that need larger ones is put into tables
// first, by opening with those and closing: a log is twice as large as a memtable, and who is killed again and again would keep that size, and the
// buffers that go with it. A disk that is nearly full is spared the tables, and the size stays.
func (s *Store) openLogged(opts badger.Options, need int64) (err error) {
	if need > opts.MemTableSize && s.writable() == nil {
		// Closing would wait for merges.
		if err := s.tryOpen(opts.WithMemTableSize(need).WithNumCompactors(0).WithNumLevelZeroTablesStall(noStall)); err != nil {
			return err
		}
		_ = s.db.Close() // what it could not write is in the logs still
		if need, err = s.memtableFor(opts); err != nil {
			return err
		}
	}
	return s.tryOpen(opts.WithMemTableSize(need))
}

// memtableFor is the size of memtable to open a folder with. A process that was killed leaves logs, which Badger reads into memtables: one that was
// written under a larger quota, by another profile or version, does not fit into a small one, of which Badger would end the process. Badger makes
// a log twice as long as a memtable and cuts it when it has read it, and what is in a log takes a tenth more in a memtable at most, for which there
// is room.
func (s *Store) memtableFor(opts badger.Options) (int64, error) {
	logs, err := filesIn(opts.Dir, ".mem")
	if err != nil {
		return 0, err
	}
	size, largest := opts.MemTableSize, s.profile.largestMemtable()
	need := size
	for _, name := range logs {
		i, err := os.Stat(name)
		if err != nil {
			return 0, err
		}
		switch n := i.Size(); {
		case n == 2*size: // ours
		case n == 2*largest || n <= largest:
			need = max(need, largest)
		default: // a verb without a relay opens a hub's store as a phone's
			need = max(need, Hub.largestMemtable())
		}
	}
	return need, nil
}

// filesIn are the files of a folder whose names end so; none if there is no folder. The folder's own name may be any: it is no pattern.
func filesIn(dir, suffix string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names, err
}

// tryOpen opens the database under the protection of the marker: damage can make Badger panic in a goroutine
// of its own, which ends the process, and the next start must know.
func (s *Store) tryOpen(opts badger.Options) error {
	mark := filepath.Join(s.dir, openingFile)
	if err := os.WriteFile(mark, []byte(strconv.Itoa(openings(mark)+1)), 0o600); err != nil {
		return err
	}
	db, err := openBadger(opts)
	if err != nil && isDamage(err) {
		// A process that was killed at the wrong moment leaves an empty log file, which the first open trips over and removes.
		db, err = openBadger(opts)
	}
	if rm := os.Remove(mark); err == nil {
		err = rm
	}
	s.db = db
	return err
}

// openBadger makes an error of a panic in this goroutine.
func openBadger(opts badger.Options) (db *badger.DB, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errRot, r)
		}
	}()
	return badger.Open(opts)
}

func openings(mark string) int {
	b, err := os.ReadFile(mark)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return 1
	}
	return n
}

// isDamage tells damaged data from the errors that leave it alone: a disk, a permission, a limit or a key that is not right. Badger
// wraps most errors by their text alone, so the text decides.
func isDamage(err error) bool {
	for _, e := range []error{
		os.ErrPermission, syscall.EROFS, syscall.ENOSPC, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EIO,
		badger.ErrEncryptionKeyMismatch, badger.ErrInvalidEncryptionKey, badger.ErrWindowsNotSupported, ErrNoSpace,
	} {
		if strings.Contains(err.Error(), e.Error()) {
			return false
		}
	}
	return true
}

// preflight looks for damage that Badger would not report but make worse: it opens a store without its manifest as an
// empty one, and deletes the tables. It returns what is wrong, or nil.
func (s *Store) preflight(data string, opts badger.Options) error {
	if n := openings(filepath.Join(s.dir, openingFile)); n >= maxOpenings {
		return fmt.Errorf("opening it ended the process %d times", n)
	}
	tables, err := filesIn(data, ".sst")
	if err != nil || len(tables) == 0 {
		return err
	}
	f, err := os.Open(filepath.Join(data, badger.ManifestFilename))
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("the manifest is missing")
	}
	if err != nil {
		return nil // the open reports it
	}
	defer f.Close()
	return compareManifest(f, opts, tables)
}

// compareManifest compares the tables that the manifest names with those that are there. A killed process leaves tables that it does not
// name: older than the newest it names, the input of a merge that was about to be removed; newer, one of a flush or the output of a
// merge, about as many as its input, which it names. More of these mean that the manifest was cut, and Badger would
// delete what it does not name.
func compareManifest(f *os.File, opts badger.Options, tables []string) error {
	m, _, err := badger.ReplayManifestFile(f, opts.ExternalMagicVersion, opts)
	if err != nil {
		return fmt.Errorf("the manifest: %w", err)
	}
	here := make(map[uint64]bool, len(tables))
	for _, t := range tables {
		name := filepath.Base(t)
		n, err := strconv.ParseUint(name[:len(name)-len(".sst")], 10, 64)
		if err != nil {
			continue
		}
		here[n] = true
		// Badger cuts a table to nothing before it removes it: an empty one that is not named is what a kill in between leaves.
		if i, err := os.Stat(t); err == nil && i.Size() == 0 {
			if _, named := m.Tables[n]; named {
				return fmt.Errorf("table %s is empty", name)
			}
		}
	}
	var newest uint64
	for n := range m.Tables {
		if !here[n] {
			return fmt.Errorf("table %06d is missing", n)
		}
		newest = max(newest, n)
	}
	stray := 0
	for n := range here {
		if _, ok := m.Tables[n]; !ok && n > newest {
			stray++
		}
	}
	if stray > len(m.Tables)+1 {
		return fmt.Errorf("the manifest names %d of %d tables", len(m.Tables), len(tables))
	}
	if len(opts.EncryptionKey) > 0 {
		return nil // only Badger can read them
	}
	return checkTables(opts.Dir, m, opts)
}

// quarantine moves the data aside under a new name.
func (s *Store) quarantine(data string, why error) error {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.quarantine-%d", data, n)
		if _, err := os.Lstat(aside); err == nil {
			continue
		}
		if err := os.Rename(data, aside); err != nil {
			return fmt.Errorf("damaged (%w), and cannot be moved aside: %w", why, err)
		}
		s.quarantined = aside
		s.log.Warn("store was damaged and moved aside", "why", why, "to", aside)
		return errors.Join(os.RemoveAll(filepath.Join(s.dir, openingFile)), syncDir(s.dir))
	}
}

// load reads the state, the own messages and the dirty marks.
func (s *Store) load(c Clock) error {
	s.state.format = formatVersion
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	item, err := txn.Get(stateKey())
	switch {
	case errors.Is(err, badger.ErrKeyNotFound): // new, or lost: the counters start again
	case err != nil:
		return err
	default:
		v, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		st, ok := parseState(v)
		if !ok {
			return errors.New("this store was made by another version of longear")
		}
		s.state = st
		if st.media < 0 {
			s.weighMedia(txn)
		}
	}
	if s.state.format == formatUnindexed {
		if err := s.indexAnswers(); err != nil {
			return err
		}
	}
	s.clock = newClock(c, s.state.running, s.state.wall)
	s.due, s.saved = s.clock.running(), s.clock.running() // look at once
	err = s.eachOwn(func(id protocol.ID, _ []byte) { s.own[id] = struct{}{} })
	if err != nil {
		return err
	}
	s.refilterOpen()
	return s.refold()
}

// release closes what openFiles opened.
func (s *Store) release() error {
	err := s.db.Close()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}
