package reconcile

import (
	"crypto/sha256"
	"encoding/binary"
)

// Salt keys the short forms of hashes and IDs on one link. The initiator of the link draws it at random and renews it now and then: a
// chance match of short forms hides a difference only until the next salt.
type Salt [16]byte

// ShortID names a message on one link: the first 4 bytes, big endian, of SHA-256(salt, ID).
type ShortID uint32

const (
	shortSize = 4  // bytes of a short ID; among the 4096 keys of the longest list one in a million matches by chance
	printSize = 3  // bytes of a child's fingerprint: one difference in 2^24 is overlooked by chance, at each level, until the next salt
	rootSize  = 16 // bytes of the root's fingerprint: it is believed for a whole set
)

// Short returns the short form of an ID.
func (s *Salt) Short(id ID) ShortID {
	sum := s.sum(id)
	return ShortID(binary.BigEndian.Uint32(sum[:]))
}

// print returns the short form of a child's hash.
func (s *Salt) print(h Hash) [printSize]byte {
	sum := s.sum(h)
	return [printSize]byte(sum[:])
}

// root returns the form of the root's hash that begins a round.
func (s *Salt) root(h Hash) [rootSize]byte {
	sum := s.sum(h)
	return [rootSize]byte(sum[:])
}

// sum hashes salt and h: 48 bytes, one block of SHA-256.
func (s *Salt) sum(h [32]byte) [32]byte {
	var b [len(s) + len(h)]byte
	copy(b[:], s[:])
	copy(b[len(s):], h[:])
	return sha256.Sum256(b[:])
}
