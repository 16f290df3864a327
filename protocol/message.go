package protocol

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
)

// Class orders what nodes carry and fetch: alerts, then text, then media.
type Class uint8

// The classes, by their wire values; Rank gives the order.
const (
	Text  Class = 0
	Alert Class = 1
	Media Class = 2
)

// Rank is the class's place in every order of fetching and keeping: 0 alert, 1 text, 2 media.
func (c Class) Rank() uint8 { return [...]uint8{Text: 1, Alert: 0, Media: 2}[c] }

// String names the class.
func (c Class) String() string {
	switch c {
	case Text:
		return "text"
	case Alert:
		return "alert"
	case Media:
		return "media"
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Kind says what a body is. A node carries kinds that it does not know.
type Kind uint16

// The kinds of version 1. Kind stands before the name where the body has a type of its own, or might be taken for one.
const (
	Post         Kind = 0 // text for people
	Response     Kind = 1 // an answer to a parent: confirm, sign, vote, react: Answer
	Profile      Kind = 2 // what an author says of itself
	Retract      Kind = 3 // the author takes a parent back
	KindManifest Kind = 4 // what a photo or file consists of
	Direct       Kind = 5 // a body sealed to one reader
	Receipt      Kind = 6 // inside a direct message only: its parents were read
	KindPetition Kind = 7 // a text that others sign
	KindPoll     Kind = 8 // a question with options to vote for: Poll
	KindChunk    Kind = 9 // bytes of a photo or file, never shown by themselves
)

// String names the kind.
func (k Kind) String() string {
	names := [...]string{"post", "response", "profile", "retract", "manifest", "direct", "receipt", "petition", "poll", "chunk"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint16(k))
}

// LocalOnly is the flag of a message that never leaves over a link that is not local.
const LocalOnly uint32 = 1

// Draft is what an author writes, before the signature.
type Draft struct {
	// Created is the author's clock in ms since 1970: a claim that nobody checks; 0 is unknown.
	Created uint64
	// Lifetime is how long the message asks to live, in seconds; 0 is DefaultLifetime.
	Lifetime uint32
	// Channel is where it is posted.
	Channel Channel
	Class   Class
	Kind    Kind
	Flags   uint32
	// Parents are at most MaxParents messages that this one answers or follows, all different.
	Parents []ID
	// Body is at most MaxBody bytes.
	Body []byte
	// Nonce is what minting turns until the ID has its leading zero bits.
	Nonce uint64
}

// Life is the lifetime with its default in place.
func (d *Draft) Life() time.Duration {
	if d.Lifetime == 0 {
		return DefaultLifetime
	}
	return time.Duration(d.Lifetime) * time.Second
}

// Message is a signed message whose signature has been checked. It is immutable: its slices alias its
// encoding and must not be written.
type Message struct {
	Draft
	Author Author
	ID     ID

	wire []byte
}

// Wire is the encoding, signature included. The caller must not write to it.
func (m *Message) Wire() []byte { return m.wire }

// Content is the signed part of the encoding: all of it but the signature.
func (m *Message) Content() []byte {
	n := len(m.wire) - signatureField
	return m.wire[:n:n]
}

// Signature is the author's signature, 64 bytes.
func (m *Message) Signature() []byte { return m.wire[len(m.wire)-64:] }

// Field tags: the number in pb/longear.proto shifted by three, with the wire type below.
const (
	varint  = 0
	fixed64 = 1
	bytelen = 2

	tagVersion   = 1<<3 | varint
	tagAuthor    = 2<<3 | bytelen
	tagCreated   = 3<<3 | varint
	tagLifetime  = 4<<3 | varint
	tagChannel   = 5<<3 | bytelen
	tagClass     = 6<<3 | varint
	tagKind      = 7<<3 | varint
	tagFlags     = 8<<3 | varint
	tagParent    = 9<<3 | bytelen
	tagBody      = 10<<3 | bytelen
	tagNonce     = 11<<3 | fixed64
	tagSignature = 15<<3 | bytelen
)

// appendContent is the canonical encoding without the signature: fields in ascending order, shortest
// varints, defaults left out.
func appendContent(b []byte, author Author, d *Draft) []byte {
	b = append(b, tagAuthor, 32)
	b = append(b, author[:]...)
	b = appendUint(b, tagCreated, d.Created)
	b = appendUint(b, tagLifetime, uint64(d.Lifetime))
	b = append(b, tagChannel, 16)
	b = append(b, d.Channel[:]...)
	b = appendUint(b, tagClass, uint64(d.Class))
	b = appendUint(b, tagKind, uint64(d.Kind))
	b = appendUint(b, tagFlags, uint64(d.Flags))
	for i := range d.Parents {
		b = append(b, tagParent, 32)
		b = append(b, d.Parents[i][:]...)
	}
	if len(d.Body) > 0 {
		b = append(b, tagBody)
		b = binary.AppendUvarint(b, uint64(len(d.Body)))
		b = append(b, d.Body...)
	}
	if d.Nonce != 0 {
		b = append(b, tagNonce)
		b = binary.LittleEndian.AppendUint64(b, d.Nonce)
	}
	return b
}

func appendUint(b []byte, tag byte, v uint64) []byte {
	if v == 0 {
		return b
	}
	return binary.AppendUvarint(append(b, tag), v)
}

// decode reads the one canonical encoding into m, aliasing wire: the steps of SPEC.md section 3 but the signature. It never
// allocates more than the parents, whose number it has bounded.
func decode(wire []byte, m *Message) Verdict {
	if len(wire) > MaxMessage || len(wire) < MinMessage {
		return RejectSize
	}
	r := reader{rest: wire}
	if version, ok := r.uint(tagVersion); ok && !r.bad {
		return versionVerdict(version)
	}
	copy(m.Author[:], r.fixed(tagAuthor, 32))
	m.Created, _ = r.uint(tagCreated)
	lifetime, _ := r.uint(tagLifetime)
	copy(m.Channel[:], r.fixed(tagChannel, 16))
	class, _ := r.uint(tagClass)
	kind, _ := r.uint(tagKind)
	flags, _ := r.uint(tagFlags)
	parents := 0
	for at := r.rest; parents*34 < len(at) && at[parents*34] == tagParent; parents++ {
		r.fixed(tagParent, 32)
		if r.bad || parents == MaxParents {
			return parentsVerdict(r.bad)
		}
	}
	m.Parents = parentsOf(wire[:len(wire)-len(r.rest)], parents)
	m.Body = r.body()
	m.Nonce = r.nonce()
	r.fixed(tagSignature, 64)
	if r.bad || len(r.rest) != 0 {
		return RejectMalformed
	}
	if m.Created > MaxCreated || lifetime > uint64(MaxLifetime/time.Second) || class > uint64(Media) ||
		kind > MaxKind || flags > MaxFlags || len(m.Body) > MaxBody || repeated(m.Parents) {
		return RejectLimit
	}
	m.Lifetime, m.Class, m.Kind, m.Flags = uint32(lifetime), Class(class), Kind(kind), uint32(flags)
	m.wire = wire
	m.ID = digest(domainMessage, m.Content())
	return Accept
}

// versionVerdict tells a later version, which is nobody's fault, from the two ways to write version 1 that
// the canonical encoding forbids.
func versionVerdict(v uint64) Verdict {
	if v <= 1 {
		return RejectMalformed
	}
	return IgnoreVersion
}

func parentsVerdict(bad bool) Verdict {
	if bad {
		return RejectMalformed
	}
	return RejectLimit
}

// parentsOf copies out the n parents that end the given bytes.
func parentsOf(b []byte, n int) []ID {
	if n == 0 {
		return nil
	}
	ids := make([]ID, n)
	b = b[len(b)-34*n:]
	for i := range ids {
		copy(ids[i][:], b[34*i+2:])
	}
	return ids
}

func repeated(ids []ID) bool {
	for i := range ids {
		for j := range ids[:i] {
			if ids[i] == ids[j] {
				return true
			}
		}
	}
	return false
}

// reader takes fields off the front of an encoding and turns bad at the first that is not canonical.
type reader struct {
	rest []byte
	bad  bool
}

// uint takes an optional integer field. A last byte of zero is bad: either the value is zero, which is written by leaving
// the field out, or the form is longer than it must be.
func (r *reader) uint(tag byte) (v uint64, ok bool) {
	if len(r.rest) == 0 || r.rest[0] != tag {
		return 0, false
	}
	v, n := binary.Uvarint(r.rest[1:])
	if n <= 0 || r.rest[n] == 0 {
		r.bad = true
		return 0, true
	}
	r.rest = r.rest[1+n:]
	return v, true
}

// fixed takes a required field of n bytes, n < 128.
func (r *reader) fixed(tag byte, n int) []byte {
	if len(r.rest) < 2+n || r.rest[0] != tag || int(r.rest[1]) != n {
		r.bad = true
		return nil
	}
	b := r.rest[2 : 2+n]
	r.rest = r.rest[2+n:]
	return b
}

func (r *reader) body() []byte {
	if len(r.rest) == 0 || r.rest[0] != tagBody {
		return nil
	}
	size, n := binary.Uvarint(r.rest[1:])
	if n <= 0 || r.rest[n] == 0 || size > uint64(len(r.rest)-1-n) {
		r.bad = true
		return nil
	}
	end := 1 + n + int(size)
	b := r.rest[1+n : end : end] // an append by a careless caller must not reach the signature
	r.rest = r.rest[end:]
	return b
}

func (r *reader) nonce() uint64 {
	if len(r.rest) < 9 || r.rest[0] != tagNonce {
		return 0
	}
	v := binary.LittleEndian.Uint64(r.rest[1:])
	r.bad = r.bad || v == 0
	r.rest = r.rest[9:]
	return v
}

// Equal reports whether two messages are the same bytes.
func (m *Message) Equal(o *Message) bool { return bytes.Equal(m.wire, o.wire) }
