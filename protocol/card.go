package protocol

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// Card is how to write to an author: the author and the key that opens direct messages, tied together by the author's
// signature. A Card that is not zero was signed or checked here. Whether its author is who the reader thinks is for people to compare.
type Card struct {
	author    Author
	sealing   Sealing
	signature [64]byte
}

const (
	// cardPrefix makes the text a URI, which phones offer to open.
	cardPrefix  = "longear:"
	cardVersion = 1
	cardSize    = 1 + 32 + 32 + 64
)

// NewCard makes the card of the author of key.
func NewCard(key ed25519.PrivateKey, sealing Sealing) (Card, error) {
	if len(key) != ed25519.PrivateKeySize {
		return Card{}, errors.New("make card: not an Ed25519 private key")
	}
	signed := append([]byte(domainCard), sealing[:]...)
	return Card{author: AuthorOf(key), sealing: sealing, signature: [64]byte(ed25519.Sign(key, signed))}, nil
}

// ParseCard reads the text of a card in either case and checks its signature.
func ParseCard(s string) (Card, error) {
	if len(s) != len(cardPrefix)+text32.EncodedLen(cardSize) || !strings.EqualFold(s[:len(cardPrefix)], cardPrefix) {
		return Card{}, fmt.Errorf("a card is %q and %d letters and digits", cardPrefix, text32.EncodedLen(cardSize))
	}
	var b [cardSize]byte
	if err := decode32(b[:], s[len(cardPrefix):], "a card"); err != nil {
		return Card{}, err
	}
	if b[0] != cardVersion {
		return Card{}, fmt.Errorf("a card of version %d: get a newer longear to read it", b[0])
	}
	c := Card{author: Author(b[1:33]), sealing: Sealing(b[33:65]), signature: [64]byte(b[65:])}
	if !verify(c.author, domainCard, c.sealing[:], c.signature[:]) {
		return Card{}, errors.New("the card's signature is wrong: it was altered on its way")
	}
	return c, nil
}

// Author is who signed the card.
func (c Card) Author() Author { return c.author }

// Sealing is the key that messages to the author are sealed to.
func (c Card) Sealing() Sealing { return c.sealing }

// String is the card's text, 215 characters.
func (c Card) String() string {
	b := make([]byte, 0, cardSize)
	b = append(b, cardVersion)
	b = append(b, c.author[:]...)
	b = append(b, c.sealing[:]...)
	return cardPrefix + encode32(append(b, c.signature[:]...))
}

// LogValue keeps logs free of full keys.
func (c Card) LogValue() slog.Value { return c.author.LogValue() }
