package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// batch is one transaction under way: whole or not at all on disk. It is the writer's, so it reads its own writes and
// nobody else writes meanwhile. What changes in memory changes only when it is committed.
type batch struct {
	s       *Store
	txn     *badger.Txn
	now     time.Duration
	wall    uint64
	state   state
	changes []change
	agenda  uint64 // number of its agenda entries
	lists   map[slot][]byte
	ties    map[place]*tying // what comes into channels
	sheaves map[sheaf][]byte // what is left of sheaves that something was taken out of
	own     []protocol.ID    // new own messages
	lost    []protocol.ID    // own messages that are forgotten
	back    uint64           // messages that came out of early graves
	due     time.Duration    // earliest new agenda bucket
	sync    bool

	entries []badger.Entry // slab for the entries of txn
	arena   []byte         // slab for keys and values: Badger keeps them until the commit
	count   int            // entries so far
	size    int            // bytes so far, as Badger counts them, or more
}

const (
	// entryOverhead is more than what Badger adds to each key and value when it measures a transaction.
	entryOverhead = 24
	// batchSlack is what is kept free for what commit itself writes: state and the ends of lists.
	batchSlack = 1 << 10
	// maxList bounds one entry of an agenda, so that it stays in the tree like every other value.
	maxList = 32 << 10
	// firstEntries and firstBytes are the slabs that a batch of one message needs, slabEntries and slabBytes the largest: each is twice the
	// one before. What gossip brings comes by ones and twos, and half of what a node allocated for it were empty slabs.
	firstEntries, slabEntries = 8, 256
	firstBytes, slabBytes     = 1 << 10, 32 << 10
)

// begin starts a batch. The caller holds the token.
func (s *Store) begin() *batch {
	s.mu.Lock()
	st := s.state
	s.mu.Unlock()
	st.seq++
	return &batch{
		s: s, txn: s.db.NewTransaction(true),
		now: s.clock.running(), wall: s.clock.wallMilli(),
		state: st, agenda: st.seq, lists: map[slot][]byte{}, ties: map[place]*tying{}, sheaves: map[sheaf][]byte{},
	}
}

// fits reports whether n more entries with size bytes of keys and values have room in the transaction.
func (b *batch) fits(n, size int) bool {
	size += n * entryOverhead
	n += len(b.lists) + len(b.ties) + len(b.sheaves) + 8
	return int64(b.count+n) < b.s.db.MaxBatchCount() && int64(b.size+size+batchSlack) < b.s.db.MaxBatchSize()
}

// alloc returns n bytes of the arena, empty, to append to.
func (b *batch) alloc(n int) []byte {
	if cap(b.arena)-len(b.arena) < n {
		b.arena = make([]byte, 0, max(min(2*cap(b.arena), slabBytes), firstBytes, n))
	}
	at := len(b.arena)
	b.arena = b.arena[:at+n]
	return b.arena[at : at : at+n]
}

func (b *batch) entry(key, value []byte) *badger.Entry {
	if len(b.entries) == cap(b.entries) {
		b.entries = make([]badger.Entry, 0, max(min(2*cap(b.entries), slabEntries), firstEntries))
	}
	b.entries = append(b.entries, badger.Entry{Key: key, Value: value})
	b.count++
	b.size += len(key) + len(value) + entryOverhead
	return &b.entries[len(b.entries)-1]
}

func (b *batch) set(key, value []byte) error { return b.txn.SetEntry(b.entry(key, value)) }

func (b *batch) delete(key []byte) error {
	b.count++
	b.size += len(key) + entryOverhead
	return b.txn.Delete(key)
}

// lookup tells what is known of an ID.
func (b *batch) lookup(id protocol.ID) (k reconcile.Key, dead, found bool, err error) {
	return b.s.lookup(b.txn, id)
}

func (s *Store) lookup(txn *badger.Txn, id protocol.ID) (k reconcile.Key, dead, found bool, err error) {
	if s.filter.unknown(id) {
		return k, false, false, nil
	}
	var buf [idKeySize]byte
	item, err := txn.Get(appendIDKey(buf[:0], id))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return k, false, false, nil
	}
	if err != nil {
		return k, false, false, err
	}
	err = item.Value(func(v []byte) error {
		// A damaged value counts as unknown: the message is put again, over it.
		k, dead, found = parseID(v, id)
		return nil
	})
	return k, dead, found, err
}

// changed notes that a key came or went: for the next fold, and on disk for a crash before it.
func (b *batch) changed(k reconcile.Key, gone bool) error {
	b.changes = append(b.changes, change{k, gone})
	p := k.Prefix(dirtyNibbles)
	if _, ok := b.s.marked[p]; ok {
		return nil
	}
	// Marked before the commit is certain: a mark too many costs a little reading, and a failed commit is the last.
	b.s.marked[p] = struct{}{}
	return b.set(appendDirtyKey(b.alloc(16), k), nil)
}

// schedule puts a key on an agenda. Own messages have a class of their own, where eviction does not look.
func (b *batch) schedule(kind byte, class uint8, at time.Duration, k reconcile.Key) {
	n := bucketOf(at)
	a := slot{kind, class, n, b.agenda}
	if len(b.lists[a])+len(k) > maxList {
		b.state.seq++
		b.agenda = b.state.seq
		a.seq = b.agenda
	}
	b.lists[a] = append(b.lists[a], k[:]...)
	b.size += len(k)
	if end := bucketEnd(n); b.due == 0 || end < b.due {
		b.due = end
	}
}

// commit writes the batch. An error is the end of writing to this store: what is on disk is the last batch that
// succeeded, and Badger is not trusted to go on from there.
func (b *batch) commit() error {
	if err := b.write(); err != nil {
		b.txn.Discard()
		b.s.fail(err)
		return err
	}
	s := b.s
	s.pending = append(s.pending, b.changes...)
	s.mu.Lock()
	s.state = b.state
	s.saved = b.now
	s.unsynced = true
	s.written += int64(b.size)
	s.returned += b.back
	for _, id := range b.own {
		s.own[id] = struct{}{}
	}
	for _, id := range b.lost {
		delete(s.own, id)
	}
	sooner := b.due != 0 && (s.due == 0 || b.due < s.due)
	if sooner {
		s.due = b.due
	}
	s.mu.Unlock()
	s.poke()
	return s.compact(s.limits.compactAt + s.limits.compactAt/2)
}

func (b *batch) write() error {
	if err := b.writeSheaves(); err != nil {
		return err
	}
	for a, keys := range b.lists {
		if err := b.set(a.append(b.alloc(agendaKeySize)), keys); err != nil {
			return err
		}
	}
	b.state.running, b.state.wall = b.now, b.s.clock.wall()
	if err := b.set(stateKey(), b.state.append(b.alloc(stateSize))); err != nil {
		return err
	}
	return b.txn.Commit()
}

// empty reports whether there is nothing to commit.
func (b *batch) empty() bool { return b.count == 0 && len(b.lists) == 0 }

// flush commits the batch if it has anything and starts the next one in its place.
func (b *batch) flush() error {
	if b.empty() {
		return nil
	}
	if err := b.commit(); err != nil {
		return err
	}
	sync := b.sync
	*b = *b.s.begin()
	b.sync = sync
	return nil
}

// finish commits the batch if it has anything.
func (b *batch) finish() error {
	if b.empty() {
		b.txn.Discard()
		return nil
	}
	return b.commit()
}

// fail remembers the first write error.
func (s *Store) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = fmt.Errorf("a write failed, and the store must be opened anew: %w", err)
		s.log.Error("store failed", "err", err)
	}
}

// poke tells Run that something changed.
func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default: // it has been told already
	}
}

// saveState writes the running time, so that it goes on from here. The caller holds the token.
func (s *Store) saveState() error { return s.write((*batch).touch) }

// touch makes the batch one that is committed, with nothing but the state.
func (b *batch) touch() error {
	b.count++
	return nil
}
