package protocol

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"log/slog"
	"strings"
)

// ID names a message: the SHA-256 of its domain-separated content. The signature is
// outside it, so one content has one ID.
type ID [32]byte

// Author is an Ed25519 public key, a pseudonym. It never signs, and is never signed by,
// a transport key.
type Author [32]byte

// Channel is the 16-byte tag of the place a message is posted in.
type Channel [16]byte

// text32 is the text form of IDs and authors: base32 (RFC 4648) in lower case without
// padding, so that it survives case-insensitive file names, QR codes and dictation.
var text32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// short is how many characters name a thing to people: 40 bits.
const short = 8

// String is the whole text form, 52 characters.
func (id ID) String() string { return encode32(id[:]) }

// Short is the first 8 characters, for people.
func (id ID) Short() string { return id.String()[:short] }

// LogValue keeps logs short.
func (id ID) LogValue() slog.Value { return slog.StringValue(id.Short()) }

// ParseID reads the text form.
func ParseID(s string) (ID, error) {
	var id ID
	return id, decode32(id[:], s, "a message ID")
}

// String is the whole text form, 52 characters.
func (a Author) String() string { return encode32(a[:]) }

// Short is the first 8 characters, for people.
func (a Author) Short() string { return a.String()[:short] }

// LogValue keeps logs free of full keys.
func (a Author) LogValue() slog.Value { return slog.StringValue(a.Short()) }

// ParseAuthor reads the text form.
func ParseAuthor(s string) (Author, error) {
	var a Author
	return a, decode32(a[:], s, "an author")
}

// AuthorOf is the author that a private key signs as.
func AuthorOf(key ed25519.PrivateKey) Author {
	return Author(key.Public().(ed25519.PublicKey))
}

// String is the text form of the tag, 26 characters.
func (c Channel) String() string { return encode32(c[:]) }

// LogValue keeps logs short.
func (c Channel) LogValue() slog.Value { return slog.StringValue(c.String()[:short]) }

// ParseChannel reads the text form of a tag.
func ParseChannel(s string) (Channel, error) {
	var c Channel
	return c, decode32(c[:], s, "a channel tag")
}

func encode32(b []byte) string { return strings.ToLower(text32.EncodeToString(b)) }

// decode32 fills dst exactly. The length is checked before anything is allocated, and the text is
// compared with its own encoding, because base32 leaves spare bits that must be zero.
func decode32(dst []byte, s, what string) error {
	if len(s) != text32.EncodedLen(len(dst)) {
		return fmt.Errorf("%s has %d characters, this has %d", what, text32.EncodedLen(len(dst)), len(s))
	}
	b, err := text32.DecodeString(strings.ToUpper(s))
	if err != nil || encode32(b) != strings.ToLower(s) {
		return fmt.Errorf("%s is written with the letters a-z and the digits 2-7", what)
	}
	copy(dst, b)
	return nil
}

// Domains separate what is hashed or signed for one purpose from every other. Each ends in a zero byte,
// so none is a prefix of another.
const (
	domainMessage       = "longear/1 message\x00"
	domainDirect        = "longear/1 direct\x00"
	domainCard          = "longear/1 card\x00"
	domainPublic        = "longear/1 channel public\x00"
	domainPassphrase    = "longear/1 channel passphrase\x00"
	domainSeal          = "longear/1 channel seal\x00"
	domainDirectChannel = "longear/1 channel direct\x00"
)

// digest is SHA-256 over a domain and content. Content of usual sizes is joined to the domain on the stack, which is
// the fastest way; larger content is not copied.
func digest(domain string, content []byte) ID {
	var stack [1024]byte
	if len(domain)+len(content) <= len(stack) {
		return sha256.Sum256(append(append(stack[:0], domain...), content...))
	}
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(content)
	return ID(h.Sum(stack[:0]))
}
