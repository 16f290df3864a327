package store

import (
	"encoding/binary"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// The key space: one byte says what the rest is. All integers are big endian, so that byte order is number order.
//
// Messages come last and newest first, so that what is new lies together with the small indexes before it: a table that holds the end of one kind of
// key and the beginning of the next is merged with all that lies between the two, and that must not be the old messages.
const (
	prefixID      = 'i' // ID -> rank and created of the living, or of the dead with the cause
	prefixAnswer  = 'a' // target, channel, author, inverted created, inverted ID of a response -> when it dies, body
	prefixChannel = 'c' // channel, inverted created of the newest, number -> sheaf: keys, newest first
	prefixExpiry  = 'e' // agenda of keys that may expire
	prefixForget  = 'x' // agenda of keys of the dead that may be forgotten
	prefixDead    = 't' // the same for the dead -> nothing, or early for those who may come back: what will not be taken again
	prefixNode    = 'n' // reconcile.Prefix -> reconcile.Node
	prefixDirty   = 'd' // first nibbles of keys that the trie may not know yet -> nothing
	prefixOwn     = 'w' // ID of an own message -> Life
	prefixState   = 's' // name -> what the store knows about itself
	prefixMessage = 'z' // Key, all but the rank inverted -> record: a forward scan streams messages newest first
)

const (
	messageKeySize = 1 + reconcile.KeySize
	idKeySize      = 1 + 32
	agendaKeySize  = 1 + 1 + 4 + 8

	liveSize = 7 // rank, created
	deadSize = 8 // deadMark|cause, rank, created

	// deadMark is set in the first byte of an ID's value when the message is dead; a rank never has this bit.
	deadMark = 0x80
)

// keyOf is a message's place in the order.
func keyOf(m *protocol.Message) reconcile.Key {
	return reconcile.NewKey(m.Class.Rank(), m.Created, reconcile.ID(m.ID))
}

func appendMessageKey(b []byte, k reconcile.Key) []byte { return appendOrdered(b, prefixMessage, k) }

func appendDeadKey(b []byte, k reconcile.Key) []byte { return appendOrdered(b, prefixDead, k) }

// appendOrdered writes a kind of key that is ordered by rank and then from the newest to the oldest.
func appendOrdered(b []byte, kind byte, k reconcile.Key) []byte {
	b = append(b, kind, k[0])
	for _, v := range k[1:] {
		b = append(b, ^v)
	}
	return b
}

// parseOrdered is the inverse of appendOrdered; ok is false for another kind of key.
func parseOrdered(b []byte, kind byte) (k reconcile.Key, ok bool) {
	if len(b) != messageKeySize || b[0] != kind {
		return k, false
	}
	k[0] = b[1]
	for i, v := range b[2:] {
		k[1+i] = ^v
	}
	return k, true
}

func appendIDKey(b []byte, id protocol.ID) []byte { return append(append(b, prefixID), id[:]...) }

func appendOwnKey(b []byte, id protocol.ID) []byte { return append(append(b, prefixOwn), id[:]...) }

func appendNodeKey(b []byte, p reconcile.Prefix) []byte {
	return reconcile.AppendPrefix(append(b, prefixNode), p)
}

// liveValue is what an ID's key holds while its message is kept.
func appendLive(b []byte, k reconcile.Key) []byte { return append(b, k[:liveSize]...) }

func appendDead(b []byte, k reconcile.Key, c Cause) []byte {
	return append(append(b, deadMark|byte(c)), k[:liveSize]...)
}

// parseID reads the value of an ID's key. ok is false for bytes that cannot be one.
func parseID(v []byte, id protocol.ID) (k reconcile.Key, dead, ok bool) {
	switch {
	case len(v) == liveSize && v[0] <= reconcile.MaxRank:
	case len(v) == deadSize && v[0]&deadMark != 0:
		dead, v = true, v[1:]
	default:
		return k, false, false
	}
	copy(k[:], v)
	copy(k[7:], id[:])
	return k, dead, true
}

// bucketBits is the width of an agenda bucket: 2^20 ms, 17.5 minutes. A message leaves the indexes that
// much late at most (reads are exact); wider buckets group more keys into one entry.
const bucketBits = 20

// bucketOf is the agenda bucket of a running time.
func bucketOf(t time.Duration) uint32 {
	ms := max(t.Milliseconds(), 0)
	return uint32(min(ms>>bucketBits, 1<<32-1))
}

// bucketEnd is when everything in a bucket is due.
func bucketEnd(b uint32) time.Duration {
	return time.Duration((int64(b)+1)<<bucketBits) * time.Millisecond
}

// slot names one entry of an agenda: the keys that one batch put into one class and bucket. The batch's number
// keeps entries of different batches apart, so that writing one never reads another.
type slot struct {
	kind   byte // prefixExpiry or prefixForget
	class  uint8
	bucket uint32
	seq    uint64
}

func (a slot) append(b []byte) []byte {
	b = append(b, a.kind, a.class)
	b = binary.BigEndian.AppendUint32(b, a.bucket)
	return binary.BigEndian.AppendUint64(b, a.seq)
}

// parseSlot reads an agenda key, which must have agendaKeySize bytes.
func parseSlot(b []byte) slot {
	return slot{b[0], b[1], binary.BigEndian.Uint32(b[2:]), binary.BigEndian.Uint64(b[6:])}
}

// dirtyNibbles is how much of a key a dirty mark names: rank and created to 2^20 ms. Fewer marks for a batch
// of mixed times, against more keys to read again after a crash.
const dirtyNibbles = 1 + 12 - bucketBits/4

// appendDirtyKey writes the key of the mark for k's part of the trie: rank and the first 4 bytes of created,
// of which the last nibble is cut.
func appendDirtyKey(b []byte, k reconcile.Key) []byte {
	return reconcile.AppendPrefix(append(b, prefixDirty), k.Prefix(dirtyNibbles))
}
