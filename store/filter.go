package store

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"longear/protocol"
)

// filter tells without reading anything that an ID is surely unknown here, which nearly every ID is that comes in: Badger would look
// into each memtable and each table of level 0 to say so.
//
// Invariant: the ID of every key prefixID that a reader can see is in it, or it is not whole. So an ID enters before the batch that
// writes it is committed, and none ever leaves: those that the store forgot cost a look on disk, until there are so many that the filter is
// made anew. IDs are hashes, and their bits are used as they are; who grinds IDs that collide here only makes them slower to look up.
type filter struct {
	mu    sync.RWMutex  // guards what follows
	now   *idSet        // what readers ask
	next  *idSet        // what is being made in its place, or nil
	whole bool          // now holds every ID; until then it knows of none that it is unknown
	retry time.Duration // running time before which a reading that failed is not tried again
}

const (
	// filterFirst is the capacity of a filter's first part, in IDs.
	filterFirst = 2 << 10
	// filterBits is the room for an ID: with filterProbes of them set, one unknown ID in a thousand is looked up in vain.
	filterBits   = 16
	filterProbes = 7
	// filterAtOnce is how many IDs Open reads to fill the filter, which takes it some 20 ms. More are left to Run.
	filterAtOnce = 50_000
)

// unknown reports that an ID is surely neither kept nor remembered as dead.
func (f *filter) unknown(id protocol.ID) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.whole && !f.now.has(id)
}

// add lets an ID in. It comes before the commit that makes the ID known.
func (f *filter) add(id protocol.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now.add(id)
	if f.next != nil {
		f.next.add(id)
	}
}

// begin starts a new set, into which goes from now on whatever is added. The caller holds the token and reads the IDs of before
// from a transaction that it opens before it lets go: no batch may be under way in between.
func (f *filter) begin(capacity int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = newIDSet(capacity)
}

// fill adds IDs of before to the set that was begun.
func (f *filter) fill(ids []protocol.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ids {
		f.next.add(id)
	}
}

// end puts the new set in place, or drops it if it did not become whole.
func (f *filter) end(whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if whole {
		f.now, f.whole = f.next, true
	}
	f.next = nil
}

// stale reports whether the filter is worth making anew now for so many IDs.
func (f *filter) stale(ids int64, now time.Duration) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return now >= f.retry && (!f.whole || int64(f.now.size) > 2*ids+filterAtOnce)
}

// later puts off what failed.
func (f *filter) later(until time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.retry = until
}

var (
	// errMany ends a reading of IDs that takes too long for where it happens.
	errMany = errors.New("too many to read now")
	// errFew is a reading that found fewer IDs than are counted: Badger ends a scan in silence where a table is damaged.
	errFew = errors.New("fewer IDs than are counted")
)

// refilter makes the filter anew from the keys, from at most so many, unless done says that it is no longer wanted.
func (s *Store) refilter(most int, done func() error) error {
	s.token <- struct{}{} // the writer is never away for long
	counted := s.ids()
	s.filter.begin(int(min(counted, int64(most))))
	txn := s.db.NewTransaction(false)
	<-s.token
	defer txn.Discard()
	n := 0
	err := eachID(txn, func(ids []protocol.ID) error {
		if n += len(ids); n > most {
			return errMany
		}
		s.filter.fill(ids)
		return done()
	})
	if err == nil && int64(n) < counted {
		err = errFew
	}
	s.filter.end(err == nil)
	return err
}

// ids is how many IDs are kept or remembered as dead.
func (s *Store) ids() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.messages + s.state.dead
}

// eachID calls fn for all IDs, some at a time, which are valid during the call.
func eachID(txn *badger.Txn, fn func([]protocol.ID) error) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{prefixID}})
	defer it.Close()
	var buf [256]protocol.ID
	ids := buf[:0]
	for it.Rewind(); it.Valid(); it.Next() {
		k := it.Item().Key()
		if len(k) != idKeySize {
			continue
		}
		if ids = append(ids, protocol.ID(k[1:])); len(ids) == len(buf) {
			if err := fn(ids); err != nil {
				return err
			}
			ids = buf[:0]
		}
	}
	return fn(ids)
}

// refilterOpen is refilter for Open, which leaves long readings to Run and does without a filter rather than fail.
func (s *Store) refilterOpen() {
	if s.ids() > filterAtOnce {
		return
	}
	err := s.refilter(filterAtOnce, func() error { return nil })
	if err != nil && !errors.Is(err, errMany) {
		s.log.Warn("no filter yet", "err", err)
	}
}

// refilterIdle is refilter for Run.
func (s *Store) refilterIdle(ctx context.Context) error {
	now := s.clock.running()
	if !s.filter.stale(s.ids(), now) {
		return nil
	}
	if err := s.users.enter(); err != nil {
		return err
	}
	defer s.users.leave()
	err := s.refilter(math.MaxInt, ctx.Err)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("no new filter", "err", err)
		s.filter.later(now + saveEvery)
	}
	return nil
}

// idSet is a set of IDs that never denies a member: Bloom filters of a cache line for some 32 IDs each, in parts of doubling size, because a part
// cannot grow. It takes 2 to 4 bytes an ID.
type idSet struct {
	parts [][][8]uint64
	room  int // IDs that the last part still takes
	next  int // capacity of the next part
	size  int // IDs in all parts, the doubled too
}

func newIDSet(capacity int) *idSet {
	s := &idSet{next: filterFirst}
	for s.next < capacity {
		s.next *= 2
	}
	return s
}

func (s *idSet) add(id protocol.ID) {
	if s.room == 0 {
		s.parts = append(s.parts, make([][8]uint64, s.next*filterBits/512))
		s.room, s.next = s.next, s.next*2
	}
	s.room--
	s.size++
	b := line(s.parts[len(s.parts)-1], id)
	for p := probes(id); p != 1; p >>= 9 {
		b[p>>6&7] |= 1 << (p & 63)
	}
}

func (s *idSet) has(id protocol.ID) bool {
	for i := range s.parts {
		if holds(line(s.parts[len(s.parts)-1-i], id), probes(id)) {
			return true
		}
	}
	return false
}

func holds(b *[8]uint64, p uint64) bool {
	for ; p != 1; p >>= 9 {
		if b[p>>6&7]>>(p&63)&1 == 0 {
			return false
		}
	}
	return true
}

// line picks the cache line of an ID by its first 8 bytes.
func line(part [][8]uint64, id protocol.ID) *[8]uint64 {
	at, _ := bits.Mul64(binary.BigEndian.Uint64(id[:]), uint64(len(part)))
	return &part[at]
}

// probes takes filterProbes bit numbers of 9 bits from the next 8 bytes of an ID, and a one that ends them.
func probes(id protocol.ID) uint64 {
	return binary.BigEndian.Uint64(id[8:])&(1<<(9*filterProbes)-1) | 1<<(9*filterProbes)
}
