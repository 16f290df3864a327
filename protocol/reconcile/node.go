package reconcile

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"
)

// Hash is the hash of a node or a leaf of the trie.
type Hash [32]byte

// Nodes is the trie and the ordered keys of one set, as of one moment. A store presents a read transaction this way.
type Nodes interface {
	// Node returns the inner node stored at p, or false if there is none: then at most LeafSize keys lie under p.
	Node(p Prefix) (Node, bool, error)
	// Keys ranges over the keys under p in ascending order. An error ends the range.
	Keys(p Prefix) iter.Seq2[Key, error]
}

// Node is an inner node: for each of the 16 children how many keys lie under it, and its hash. A child without keys has
// count and hash zero.
type Node struct {
	Count [16]uint64
	Hash  [16]Hash
}

// ErrNode is returned by [ParseNode] for bytes that are not the canonical form of a node.
var ErrNode = errors.New("not a trie node")

// ErrTrie is returned when the stored trie contradicts the keys. [Rebuild] of the root repairs it.
var ErrTrie = errors.New("trie and keys disagree")

const (
	leafTag = "longear/1 leaf\x00"
	nodeTag = "longear/1 node\x00"
)

// Total returns the number of keys under the node.
func (n *Node) Total() uint64 {
	var t uint64
	for _, c := range n.Count {
		t += c
	}
	return t
}

// Sum returns the node's hash: SHA-256 of a tag and of nibble, count and hash of each child that has keys.
func (n *Node) Sum() Hash {
	var buf [len(nodeTag) + 16*(1+binary.MaxVarintLen64+32)]byte
	b := append(buf[:0], nodeTag...)
	for i, c := range n.Count {
		if c == 0 {
			continue
		}
		b = append(b, byte(i))
		b = binary.AppendUvarint(b, c)
		b = append(b, n.Hash[i][:]...)
	}
	return sha256.Sum256(b)
}

// present returns a bit for each child that has keys.
func (n *Node) present() uint16 {
	var m uint16
	for i, c := range n.Count {
		if c != 0 {
			m |= 1 << i
		}
	}
	return m
}

// leafHash returns the hash of at most LeafSize keys in ascending order. The IDs alone are hashed: they commit to rank and created.
func leafHash(keys []Key) Hash {
	var buf [len(leafTag) + LeafSize*32]byte
	b := append(buf[:0], leafTag...)
	for i := range keys {
		b = append(b, keys[i][7:]...)
	}
	return sha256.Sum256(b)
}

// AppendNode appends the canonical form of n: a bitmap of the children that have keys (2 bytes, big endian, bit i for nibble
// i), then for each in nibble order its count (uvarint) and hash (32 bytes).
func AppendNode(b []byte, n *Node) []byte {
	b = binary.BigEndian.AppendUint16(b, n.present())
	for i, c := range n.Count {
		if c != 0 {
			b = binary.AppendUvarint(b, c)
			b = append(b, n.Hash[i][:]...)
		}
	}
	return b
}

// ParseNode reads a node from all of b. Only the canonical form of a possible inner node is accepted: more than LeafSize keys in total.
func ParseNode(b []byte) (Node, error) {
	var n Node
	if len(b) < 2 {
		return Node{}, ErrNode
	}
	present := binary.BigEndian.Uint16(b)
	b = b[2:]
	var total uint64
	for i := range 16 {
		if present>>i&1 == 0 {
			continue
		}
		c, size := uvarint(b)
		if size == 0 || c == 0 || total+c < total || len(b) < size+32 {
			return Node{}, ErrNode
		}
		total += c
		n.Count[i], n.Hash[i] = c, Hash(b[size:size+32])
		b = b[size+32:]
	}
	if len(b) != 0 || total <= LeafSize {
		return Node{}, ErrNode
	}
	return n, nil
}

// uvarint reads a canonical (shortest) uvarint and its size; size 0 means there is none.
func uvarint(b []byte) (uint64, int) {
	v, size := binary.Uvarint(b)
	if size <= 0 || size > 1 && b[size-1] == 0 {
		return 0, 0
	}
	return v, size
}
