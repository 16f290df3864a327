package reconcile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
)

// ID names a message: a SHA-256 that commits to the message's class and creation time.
type ID [32]byte

// KeySize is the length of a [Key] in bytes.
const KeySize = 1 + 6 + 32

// MaxCreated is the largest creation time a key can hold, in milliseconds: the year 10889.
const MaxCreated = 1<<48 - 1

// MaxRank is the largest rank a key can hold. The protocol uses 0 alert, 1 text, 2 media.
const MaxRank = 15

// ErrKey is returned by [ParseKey] for bytes that are not a key.
var ErrKey = errors.New("not a key")

// Key orders messages alike on every node: rank (1 byte, at most [MaxRank]), created (6 bytes, big endian, milliseconds),
// ID (32 bytes). Comparing the bytes compares the keys.
//
// Read as nibbles, high half first, a key has [Nibbles] of them: one of rank (the low half of byte 0), 12 of created, 64 of ID.
type Key [KeySize]byte

// NewKey returns the key of a message. A rank or creation time that is too large is lowered to the largest that fits, so that
// every message has a place in the order.
func NewKey(rank uint8, created uint64, id ID) Key {
	var k Key
	k[0] = min(rank, MaxRank)
	var t [8]byte
	binary.BigEndian.PutUint64(t[:], min(created, MaxCreated))
	copy(k[1:7], t[2:])
	copy(k[7:], id[:])
	return k
}

// ParseKey reads a key from exactly [KeySize] bytes.
func ParseKey(b []byte) (Key, error) {
	if len(b) != KeySize || b[0] > MaxRank {
		return Key{}, ErrKey
	}
	return Key(b), nil
}

// Rank returns the key's rank: smaller is more urgent.
func (k Key) Rank() uint8 { return k[0] }

// Created returns the author's claimed creation time in milliseconds.
func (k Key) Created() uint64 {
	var t [8]byte
	copy(t[2:], k[1:7])
	return binary.BigEndian.Uint64(t[:])
}

// ID returns the message's ID.
func (k Key) ID() ID { return ID(k[7:]) }

// Compare returns -1, 0 or 1 as k sorts before, with or after other.
func (k Key) Compare(other Key) int { return bytes.Compare(k[:], other[:]) }

// Prefix returns the first n nibbles of the key; n is cut to 0..[Nibbles].
func (k Key) Prefix(n int) Prefix {
	n = max(0, min(n, Nibbles))
	p := Prefix{n: uint8(n)}
	// Nibble n-1 sits at place n of the key's half bytes: whole bytes first, then the high half of the next one.
	whole := (n + 1) / 2
	copy(p.key[:whole], k[:whole])
	if n%2 == 1 || n == 0 {
		return p
	}
	p.key[whole] = k[whole] & 0xf0
	return p
}

// String returns rank, created and the first bytes of the ID, for logs and tests.
func (k Key) String() string {
	return strconv.Itoa(int(k[0])) + "/" + strconv.FormatUint(k.Created(), 10) + "/" + hex.EncodeToString(k[7:13])
}

// nibble returns nibble i.
func (k *Key) nibble(i int) uint8 {
	b := k[(i+1)/2]
	if i%2 == 1 {
		return b >> 4
	}
	return b & 15
}

// setNibble sets nibble i, which must be zero before.
func (k *Key) setNibble(i int, v uint8) {
	if i%2 == 1 {
		v <<= 4
	}
	k[(i+1)/2] |= v
}
