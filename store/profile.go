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
	// Phone: small memory, little disk. The zero value.
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
	// pending is how many changed keys wait for a fold at most: 40 bytes each.
	pending int
	// reserve is the free disk space below which nothing is accepted: Badger dies of a full disk by SIGBUS, in
	// whatever it was about to write, so there must be room for every memtable and a compaction.
	reserve uint64
}

// reserve is the least free disk space in bytes that a store leaves to itself.
const reserve = 64 << 20

func (p Profile) limits(quota int64) limits {
	var l limits
	switch p {
	case Hub:
		l = limits{quota: 8 << 30, memtable: 32 << 20, pending: 8192}
	case Memory:
		l = limits{quota: 16 << 20, memtable: 256 << 10, pending: 1024}
	default:
		l = limits{quota: 256 << 20, memtable: 4 << 20, pending: 8192}
	}
	if quota > 0 {
		l.quota = quota
	}
	if p != Memory {
		// A small quota must not drown in the overhead of big tables: what is deleted stays on disk until
		// tables are merged, and a table is as large as a memtable.
		l.memtable = min(l.memtable, max(l.quota/16, 1<<20))
	}
	l.reserve = reserve
	if p == Hub {
		l.reserve += 4 * uint64(l.memtable)
	}
	return l
}

// maxValue is above the largest record (MaxMessage and its header), so that every value lives in the tree: the value log
// gives back no space without a garbage collection that has brought deleted data back. Open demands that it is below
// 15 % of a memtable.
const maxValue = 36 << 10

// options are Badger's. Every size that is not set here allocates or maps nothing by itself. BaseLevelSize is large on purpose: it
// keeps a phone's store in one level below level 0, where messages, which come in the order of time, are merged once; only the
// ID index, a tenth of the bytes, is merged again and again.
func (p Profile) options(dir string, l limits, key []byte) badger.Options {
	o := badger.DefaultOptions(dir).
		WithLogger(nil).
		WithMetricsEnabled(false).
		WithDetectConflicts(false). // there is one writer
		WithSyncWrites(false).
		WithNumVersionsToKeep(1).
		WithNumGoroutines(1).
		WithValueThreshold(maxValue).
		WithValueLogFileSize(1 << 20).
		WithMemTableSize(l.memtable).
		WithNumCompactors(2). // the least that works
		WithCompactL0OnClose(false).
		WithEncryptionKey(key)
	switch p {
	case Memory:
		return o.WithInMemory(true).WithDir("").WithValueDir("").
			WithNumMemtables(1).
			WithNumLevelZeroTables(2).WithNumLevelZeroTablesStall(4).
			WithBaseTableSize(256 << 10).WithBaseLevelSize(1 << 20).
			WithCompression(options.None).WithBlockCacheSize(0).WithIndexCacheSize(0)
	case Hub:
		return o.WithNumMemtables(3).WithNumCompactors(3).
			WithValueLogFileSize(16 << 20).
			WithNumLevelZeroTables(4).WithNumLevelZeroTablesStall(12).
			WithBaseTableSize(8 << 20).WithBaseLevelSize(512 << 20).
			WithCompression(options.Snappy).WithBlockCacheSize(64 << 20).WithIndexCacheSize(64 << 20)
	}
	return o.WithNumMemtables(2).
		WithNumLevelZeroTables(5).WithNumLevelZeroTablesStall(12).
		WithBaseTableSize(min(l.memtable, 4<<20)).WithBaseLevelSize(max(l.quota, 32<<20)).
		WithCompression(options.Snappy).WithBlockCacheSize(4 << 20).WithIndexCacheSize(4 << 20)
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
