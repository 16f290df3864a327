package store

import (
	"encoding/binary"
	"time"
)

// Stats is what a store says about itself. Nothing is counted by scanning.
type Stats struct {
	// Messages, Bytes and Tombstones are what is kept now. Bytes includes the indexes, and the tombstones.
	Messages, Bytes, Tombstones int64
	// DeadBytes is the part of Bytes that the tombstones take, Media what photos and files take: never more than half of what the quota has
	// for messages.
	DeadBytes, Media int64
	// Quota is what the store may take. Bytes stays a sixth below it: logs and what is not merged yet take the rest.
	Quota int64
	// Expired, Evicted, Removed and Corrupt count messages that left, since the store was made. Corrupt ones were
	// damaged on disk and may be fetched again.
	Expired, Evicted, Removed, Corrupt uint64
	// RefusedFull counts messages refused for want of room since Open.
	RefusedFull uint64
	// Returned counts messages since Open that had expired before their time, because of an age that was told, and came back with a smaller one.
	Returned uint64
	// Running is the running time that ages are counted in.
	Running time.Duration
	// Quarantined is where a damaged store was moved by Open, or empty. The person should be told.
	Quarantined string
	// Failed is the first write error: from then on nothing is accepted until the store is opened anew.
	Failed error
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Messages: s.state.messages, Bytes: s.state.bytes + s.state.dead*tombCost, Tombstones: s.state.dead,
		DeadBytes: s.state.dead * tombCost, Media: s.state.media,
		Quota:   s.limits.quota,
		Expired: s.state.gone[Expired], Evicted: s.state.gone[Evicted], Removed: s.state.gone[Removed], Corrupt: s.state.corrupt,
		RefusedFull: s.full, Returned: s.returned, Running: s.clock.running(),
		Quarantined: s.quarantined, Failed: s.failed,
	}
}

// state is what the store knows about itself, written with every batch.
type state struct {
	format  uint64
	running time.Duration // when written
	wall    time.Time     // when written
	seq     uint64        // number of the last batch

	messages, bytes, dead int64
	gone                  [causes]uint64
	corrupt               uint64
	media                 int64 // of bytes; -1: not counted yet
}

// formatVersion changes when a store of before cannot be read as it is. formatUnindexed has no index of answers, and gets it when it is opened.
const (
	formatVersion   = 3
	formatUnindexed = 2
)

// stateSize is the encoded state: eight-byte integers in the order of the fields. It had no media at first.
const (
	stateSize = 8 * (9 + int(causes))
	oldState  = stateSize - 8
)

func (s *state) append(b []byte) []byte {
	for _, v := range []uint64{
		s.format, uint64(s.running.Milliseconds()), uint64(s.wall.UnixMilli()), s.seq,
		uint64(s.messages), uint64(s.bytes), uint64(s.dead), s.corrupt,
	} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	for _, v := range s.gone {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return binary.BigEndian.AppendUint64(b, uint64(s.media))
}

func parseState(v []byte) (s state, ok bool) {
	if len(v) != stateSize && len(v) != oldState {
		return s, false
	}
	at := func(i int) uint64 { return binary.BigEndian.Uint64(v[8*i:]) }
	s = state{
		format: at(0), running: time.Duration(at(1)) * time.Millisecond, wall: time.UnixMilli(int64(at(2))), seq: at(3),
		messages: int64(at(4)), bytes: int64(at(5)), dead: int64(at(6)), corrupt: at(7),
	}
	for i := range s.gone {
		s.gone[i] = at(8 + i)
	}
	if s.media = -1; len(v) == stateSize {
		s.media = int64(at(8 + int(causes)))
	}
	return s, s.format == formatVersion || s.format == formatUnindexed
}

func stateKey() []byte { return []byte{prefixState, 's'} }
