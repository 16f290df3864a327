package store

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Profile is how much of a machine a store may take.
type Profile uint8

// The profiles.
const (
	// Phone: small memory, little disk. When nothing was written for a while, Run makes the whole process give back the memory
	// that it does not use. The zero value.
	Phone Profile = iota
	// Hub: ten million messages.
	Hub
	// Memory: nothing on disk, hundreds in one process. It is what a Config without Dir gets.
	Memory
)

// limits of a profile, from measurements of each option set.
type limits struct {
	quota    int64
	memtable int64
	// room is what messages, indexes and tombstones may take of the quota: the rest is for what is not merged yet.
	room int64
	// pending is how many changed keys wait for a fold at most: 40 bytes each.
	pending int
	// reserve is the free disk space below which nothing is accepted: Badger dies of a full disk by SIGBUS, in
	// whatever it was about to write, so there must be room for every memtable and a compaction.
	reserve uint64
	// compactAt is how many tables wait in level 0 until they are merged, in Run or, at half as many again, by whoever puts. Badger's
	// own compactors look for work 40 times a second, which a phone's battery feels, and so does virtual time. 0: leave it to them.
	compactAt int
}

// maxOwnCompaction is the largest quota with which the store merges its tables by itself: into one level, table by
// table, which costs too much for more.
const maxOwnCompaction = 1 << 30

// largeMemtable is the memtable of a phone's store that Badger merges. Badger writes a memtable into a table through the same pool of buffers as
// merges use, each of twice the base table size: what does not fit into one makes it larger for good.
const largeMemtable = 768 << 10

// unmerged is how many memtables' worth of logs and of tables in level 0 there are beside what is merged.
const unmerged = 15

// reserve is the least free disk space in bytes that a store leaves to itself.
const reserve = 64 << 20

func (p Profile) limits(quota int64) limits {
	var l limits
	switch p {
	case Hub:
		l = limits{quota: 8 << 30, pending: 8192}
	case Memory:
		l = limits{quota: 16 << 20, pending: 1024}
	default:
		l = limits{quota: 256 << 20, pending: 8192}
	}
	l.memtable = p.largestMemtable()
	if quota > 0 {
		l.quota = quota
	}
	l.room = l.quota
	if p != Memory {
		// A small quota must not drown in the overhead of big tables: what is deleted stays on disk until
		// tables are merged, and a table is as large as a memtable.
		l.memtable = min(l.memtable, max(l.quota/64, 256<<10))
		l.room = l.quota - unmerged*l.memtable
	}
	if p != Hub && l.quota <= maxOwnCompaction {
		l.compactAt = 8
	}
	if p == Phone && l.quota > maxOwnCompaction {
		l.memtable = largeMemtable
	}
	l.reserve = reserve
	if p == Hub {
		l.reserve += 4 * uint64(l.memtable)
	}
	return l
}

// largestMemtable is what the profile takes with room enough.
func (p Profile) largestMemtable() int64 {
	switch p {
	case Hub:
		return 32 << 20
	case Memory:
		return 256 << 10
	}
	return 2 << 20
}

// noStall is a number of tables in level 0 that is never reached: without compactors nobody would ever end a stall.
const noStall = 2000

// maxValue is above the largest record (MaxMessage and its header), so that every value lives in the tree: the value log
// gives back no space without a garbage collection that has brought deleted data back. Open demands that it is below
// 15 % of a memtable.
const maxValue = 36 << 10

// options are Badger's. Every size that is not set here allocates or maps nothing by itself. Level 0 always overlaps
// all of the level it is merged into, since every table has all kinds of keys: BaseLevelSize keeps that level about as small as level 0.
func (p Profile) options(dir string, l limits, key []byte) badger.Options {
	o := badger.DefaultOptions(dir).
		WithLogger(nil).
		WithMetricsEnabled(false).
		WithDetectConflicts(false). // there is one writer
		WithSyncWrites(false).
		WithNumVersionsToKeep(1).
		WithNumGoroutines(1).
		WithValueThreshold(maxValue).
		// A table with a flipped bit makes Badger panic when it is read, so tables are checked when they are opened; checking blocks as
		// they are read panics too.
		WithChecksumVerificationMode(options.OnTableRead).
		WithValueLogFileSize(1 << 20).
		WithMemTableSize(l.memtable).
		WithCompactL0OnClose(false).
		WithEncryptionKey(key)
	switch p {
	case Memory:
		o = o.WithInMemory(true).WithDir("").WithValueDir("").
			WithNumMemtables(1).
			WithBaseTableSize(256 << 10).WithBaseLevelSize(2 << 20).
			WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0)
	case Hub:
		// Closing waits for the merge that is under way: with a base level of 64 MiB the largest is about 200 MiB, a fourth level
		// costs no more writing, and 256 MiB made it 320.
		o = o.WithNumMemtables(3).WithNumCompactors(3).
			WithValueLogFileSize(16 << 20).
			WithNumLevelZeroTables(4).WithNumLevelZeroTablesStall(12).
			WithBaseTableSize(8 << 20).WithBaseLevelSize(64 << 20).
			WithCompression(options.Snappy).WithBlockCacheSize(64 << 20).WithIndexCacheSize(256 << 20)
	default:
		// Small tables, because a merge holds the buffers of a dozen of them at once. No compression: it makes each of them three times as
		// large, which under a phone's memory limit costs more in collections than it saves in writing; signatures, IDs and
		// sealed bodies do not shrink. A block is then read where it is mapped, and needs no cache.
		o = o.WithNumMemtables(2).WithNumCompactors(2).
			WithNumLevelZeroTables(5).WithNumLevelZeroTablesStall(12).
			WithBaseTableSize(min(l.memtable, 512<<10)).WithBaseLevelSize(32 << 20).
			WithCompression(options.None).WithBlockCacheSize(0)
	}
	if len(key) > 0 {
		// With encryption Badger panics without these caches. Without encryption a phone keeps the indexes and Bloom filters of all
		// tables in memory, 2 % of their size, which makes every lookup cheaper.
		o = o.WithIndexCacheSize(max(o.IndexCacheSize, 4<<20)).WithBlockCacheSize(max(o.BlockCacheSize, 4<<20))
	}
	return p.merging(o, l)
}

// merging sets who merges tables, and into which.
func (p Profile) merging(o badger.Options, l limits) badger.Options {
	switch {
	case l.compactAt > 0:
		// Flatten does nothing about level 0 until it has more than NumLevelZeroTables.
		return o.WithNumCompactors(0).WithNumLevelZeroTables(l.compactAt - 1).WithNumLevelZeroTablesStall(noStall)
	case p == Phone:
		// Badger doubles the tables from level to level, and the buffers with them, and rewrites the whole base level at a time: a fixed size
		// and a small base level keep that down. The brake does the rest. Each table is an open file: a quota has some 4000 of them.
		o.TableSizeMultiplier = 1
		return o.WithLogger(&brake{}).WithNumLevelZeroTables(13).WithNumLevelZeroTablesStall(28).
			WithBaseTableSize(max(512<<10, l.quota/4096)).WithBaseLevelSize(8 << 20)
	}
	return o
}

// String names the profile.
func (p Profile) String() string {
	switch p {
	case Phone:
		return "phone"
	case Hub:
		return "hub"
	case Memory:
		return "memory"
	}
	return fmt.Sprintf("profile %d", uint8(p))
}
