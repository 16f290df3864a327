package protocol

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealing is what a sealed body holds beside its content: nonce, authenticator and length.
const sealing = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead + 2

const (
	// MaxSealedText is the longest text of a sealed body.
	MaxSealedText = maxTextBucket - sealing

	// MaxSealedBytes is the longest content of a sealed body whose kind may be larger: a manifest, or a chunk of a photo.
	MaxSealedBytes = maxBucket - sealing
)

// The sizes of a sealed body are powers of two from minBucket, so that a length tells an onlooker almost nothing. What is not
// a part of a photo or file ends at maxTextBucket: texts are of few sizes, and none of them is rare.
const (
	minBucket     = 256
	maxTextBucket = 4096
	maxBucket     = MaxBody
)

// ErrOtherKey says that a body was not sealed with the key that was tried, which is the usual outcome
// of trial decryption, or was damaged, which cannot be told apart.
var ErrOtherKey = errors.New("sealed with another key")

// Private is what a sealed body held. Only decryption makes one: ChannelKey.Open and OpenDirect. A public
// message can therefore never be shown where a private one is expected.
type Private struct {
	id      ID
	author  Author
	created uint64
	kind    Kind
	parents []ID
	text    string
}

// ID is the message that carried it, which a receipt or an answer names as its parent.
func (p *Private) ID() ID { return p.id }

// Author is who wrote it, proved by a signature.
func (p *Private) Author() Author { return p.author }

// Created is the author's clock in ms since 1970, a claim.
func (p *Private) Created() uint64 { return p.created }

// Kind says what it is.
func (p *Private) Kind() Kind { return p.kind }

// Parents are the messages it answers, or, for a Receipt, those that were read. They must not be written.
func (p *Private) Parents() []ID { return p.parents }

// Text is the text. Its author may have put any bytes there: whoever shows it replaces what is not UTF-8.
func (p *Private) Text() string { return p.text }

// Seal makes the body of a message that the author is about to post in the channel. The body opens only in
// a message signed by that author, so that nobody can post it again under another name.
func (k *ChannelKey) Seal(author Author, text string) ([]byte, error) {
	return k.seals(author, []byte(text), MaxSealedText)
}

// SealMedia is Seal for the body of a manifest or a chunk, which may be larger. In a message of another kind it would not open.
func (k *ChannelKey) SealMedia(author Author, content []byte) ([]byte, error) {
	return k.seals(author, content, MaxSealedBytes)
}

func (k *ChannelKey) seals(author Author, content []byte, most int) ([]byte, error) {
	if len(content) > most {
		return nil, fmt.Errorf("seal: the text has %d bytes, at most %d fit", len(content), most)
	}
	const outside = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	aead, err := chacha20poly1305.NewX(k.seal[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	plain := pad(content, outside)
	body := make([]byte, chacha20poly1305.NonceSizeX, len(plain)+outside)
	rand.Read(body)
	return aead.Seal(body, body, plain, k.context(author)), nil
}

// Open decrypts a message of the channel. It returns ErrOtherKey for a message of another channel or sealed with
// another key.
func (k *ChannelKey) Open(m *Message) (*Private, error) {
	if m.Channel != k.tag || !bucket(len(m.Body), largest(m.Kind)) {
		return nil, ErrOtherKey
	}
	aead, err := chacha20poly1305.NewX(k.seal[:])
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	nonce, sealed := m.Body[:chacha20poly1305.NonceSizeX], m.Body[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, sealed, k.context(m.Author))
	if err != nil {
		return nil, ErrOtherKey
	}
	text, err := unpad(plain)
	if err != nil {
		return nil, fmt.Errorf("open %v: %w", m.ID.Short(), err)
	}
	return &Private{
		id: m.ID, author: m.Author, created: m.Created, kind: m.Kind,
		parents: m.Parents, text: string(text),
	}, nil
}

// context is the associated data: it ties a ciphertext to one channel and one author.
func (k *ChannelKey) context(author Author) []byte {
	b := make([]byte, 0, 96)
	b = append(b, domainSeal...)
	b = append(b, k.tag[:]...)
	return append(b, author[:]...)
}

// bucket reports whether n is one of the sizes of a sealed body of which largest is the last.
func bucket(n, largest int) bool { return n >= minBucket && n <= largest && n&(n-1) == 0 }

// largest is the last size that sealed bodies of a kind come in.
func largest(k Kind) int {
	if k == KindManifest || k == KindChunk {
		return maxBucket
	}
	return maxTextBucket
}

// pad puts the length before content and zeros after it, so that with the given number of bytes outside the plaintext the
// whole fills a bucket. The caller has checked that it fits the largest.
func pad(content []byte, outside int) []byte {
	size := minBucket
	for size < 2+len(content)+outside {
		size *= 2
	}
	plain := make([]byte, size-outside)
	binary.BigEndian.PutUint16(plain, uint16(len(content)))
	copy(plain[2:], content)
	return plain
}

// unpad takes content out of a plaintext. Padding other than zeros is refused: it would be a hidden channel, and a
// second way to seal the same text.
func unpad(plain []byte) ([]byte, error) {
	if len(plain) < 2 {
		return nil, errors.New("the plaintext has no length")
	}
	n := int(binary.BigEndian.Uint16(plain))
	if n > len(plain)-2 {
		return nil, errors.New("the length exceeds the plaintext")
	}
	for _, b := range plain[2+n:] {
		if b != 0 {
			return nil, errors.New("the padding is not zero")
		}
	}
	return plain[2 : 2+n], nil
}
