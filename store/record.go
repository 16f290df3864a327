package store

import (
	"encoding/binary"
	"math"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// record is what is kept beside the bytes of a message.
type record struct {
	own      bool
	received uint64        // wall ms, for display
	since    time.Duration // running time at first receipt, in whole ms
	age      time.Duration // smallest age seen, in whole ms
	newest   uint64        // the sheaf of the message, without the channel
	seq      uint64
}

// recordSize is the encoded record: flags 1, received 6, since 6, age 4, then the sheaf: newest 6, seq 8. The message follows.
const (
	recordSize = recordSheaf + 14

	recordSheaf = 17
)

const flagOwn = 1

func (r record) append(b []byte) []byte {
	var flags byte
	if r.own {
		flags |= flagOwn
	}
	b = append(b, flags)
	b = appendUint48(b, r.received)
	b = appendUint48(b, uint64(max(r.since.Milliseconds(), 0)))
	b = binary.BigEndian.AppendUint32(b, uint32(min(max(r.age.Milliseconds(), 0), math.MaxUint32)))
	return binary.BigEndian.AppendUint64(appendUint48(b, r.newest), r.seq)
}

// setSheaf writes the sheaf into an encoded record.
func setSheaf(value []byte, newest, seq uint64) {
	binary.BigEndian.AppendUint64(appendUint48(value[:recordSheaf], newest), seq)
}

// sheaf is where the message of a record stands in its channel.
func (r record) sheaf(c protocol.Channel) sheaf { return sheaf{c, r.newest, r.seq} }

// parseRecord splits a stored value. ok is false for bytes that cannot be one: disks rot.
func parseRecord(v []byte) (r record, wire []byte, ok bool) {
	if len(v) <= recordSize || v[0]&^flagOwn != 0 {
		return r, nil, false
	}
	r.own = v[0]&flagOwn != 0
	r.received = uint48(v[1:])
	r.since = time.Duration(uint48(v[7:])) * time.Millisecond
	r.age = time.Duration(binary.BigEndian.Uint32(v[13:])) * time.Millisecond
	r.newest = uint48(v[recordSheaf:])
	r.seq = binary.BigEndian.Uint64(v[recordSheaf+6:])
	return r, v[recordSize:], true
}

func appendUint48(b []byte, v uint64) []byte {
	return append(b, byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func uint48(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

// expires is the running time at which the message dies here.
func (r record) expires(life time.Duration) time.Duration { return r.since + life - r.age }

// Entry is a kept message and what this node knows about its travel.
type Entry struct {
	// Message has bytes of its own, which stay valid.
	Message *protocol.Message
	// Received is when it came first, by this node's wall clock.
	Received time.Time
	// Age is how long it has been travelling, up to now.
	Age time.Duration
	// Expires is how long it still has here; more than 0.
	Expires time.Duration
	// Own says that it was written on this node.
	Own bool
}

// Key is the entry's place in the order of sync.
func (e *Entry) Key() reconcile.Key { return keyOf(e.Message) }

// entryOf checks a stored value and makes an Entry of it. fresh is false for a message that has expired. An error
// means that the bytes are not the message that was stored.
func entryOf(value []byte, id protocol.ID, now time.Duration) (e Entry, fresh bool, err error) {
	r, wire, ok := parseRecord(value)
	if !ok {
		return e, false, errRot
	}
	m, err := protocol.Restore(wire, id)
	if err != nil {
		return e, false, err
	}
	// A running time that has gone back means a damaged state: count from now rather than keep for ever.
	here := max(now-r.since, 0)
	e = Entry{
		Message:  m,
		Received: time.UnixMilli(int64(r.received)),
		Age:      r.age + here,
		Expires:  m.Life() - r.age - here,
		Own:      r.own,
	}
	return e, e.Expires > 0, nil
}
