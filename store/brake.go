package store

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"time"
)

// brake keeps Badger's merges within the memory limit of the process. A merge makes its tables as fast as it can and lets up to 13
// of them wait for the disk, each with a buffer of twice its size and 3 MiB for its index; two merges run at once. All of that is in use, so
// the collector cannot help: with a slow disk a phone took 90 MiB where 64 were granted, and collected all the time.
//
// It is Badger's logger, because Badger calls that in the goroutine that has filled a table and is about to make the next: whoever is held up here
// holds up the merge. Were the message ever gone, merges would take more memory again, and nothing else would change.
type brake struct {
	mu     sync.Mutex // guards what follows; held while a merge waits: the others wait too
	cycle  uint64     // the last collection
	tables int64      // filled since then
}

const (
	// tableFilled begins the message that Badger logs for each table of a merge.
	tableFilled = "[%d] LOG Compact. Added"
	// tableTakes is what a table of 512 KiB takes until it is on disk.
	tableTakes = 4 << 20
	// brakePause is about what a table takes to get to the disk.
	brakePause = 20 * time.Millisecond
	// brakePauses is how often a table waits at most. Waiting for as long as the memory is in use, or collecting meanwhile, is a spiral: tables of
	// level 0 older than 10 s are merged into one by Badger, in a buffer many times as large, which stays.
	brakePauses = 2
)

// Debugf holds a merge up while more than brakeAt is in use.
func (b *brake) Debugf(format string, _ ...any) {
	if !strings.HasPrefix(format, tableFilled) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	most := brakeAt()
	b.tables++
	for range brakePauses {
		if b.taken() <= most {
			return
		}
		<-time.After(brakePause)
	}
}

// Infof, Warningf and Errorf drop what Badger says: whatever matters is in the errors it returns.
func (b *brake) Infof(string, ...any)    {}
func (b *brake) Warningf(string, ...any) {}
func (b *brake) Errorf(string, ...any)   {}

// brakeAt is the memory in use from which merges wait: 9/16 of the limit of the process. The rest is for what is made between two looks, some
// 5 MiB for each part of a merge under way, and for the collector. Without a limit nothing waits.
func brakeAt() int64 {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return limit
	}
	return limit / 16 * 9
}

// taken is how many bytes of objects the last collection found in use, and what tables took since then.
func (b *brake) taken() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	if c := s[1].Value.Uint64(); c != b.cycle {
		b.cycle, b.tables = c, 0
	}
	return int64(s[0].Value.Uint64()) + b.tables*tableTakes
}
