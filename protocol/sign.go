package protocol

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Sign makes the message of a draft under an author's key. It copies what it keeps.
func Sign(key ed25519.PrivateKey, d Draft) (*Message, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("sign: not an Ed25519 private key")
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return signUnder(key, domainMessage, d)
}

// signUnder encodes and signs content under a domain, and reads the result back so that a Message has one origin.
func signUnder(key ed25519.PrivateKey, domain string, d Draft) (*Message, error) {
	content := appendContent(make([]byte, 0, 256+len(d.Body)), AuthorOf(key), &d)
	signed := append([]byte(domain), content...)
	wire := append(content, tagSignature, 64)
	wire = append(wire, ed25519.Sign(key, signed)...)
	var m Message
	if v := decode(wire, &m); v != Accept {
		return nil, fmt.Errorf("sign: %v", v)
	}
	return &m, nil
}

// check says in words which limit a draft breaks.
func (d *Draft) check() error {
	switch {
	case len(d.Body) > MaxBody:
		return fmt.Errorf("the body has %d bytes, at most %d fit", len(d.Body), MaxBody)
	case len(d.Parents) > MaxParents:
		return fmt.Errorf("%d parents, at most %d", len(d.Parents), MaxParents)
	case repeated(d.Parents):
		return errors.New("a parent is named twice")
	case d.Created > MaxCreated:
		return fmt.Errorf("created is %d, at most %d ms", d.Created, uint64(MaxCreated))
	case time.Duration(d.Lifetime)*time.Second > MaxLifetime:
		return fmt.Errorf("lifetime is %ds, at most %v", d.Lifetime, MaxLifetime)
	case d.Class > Media:
		return fmt.Errorf("%v does not exist", d.Class)
	case d.Flags > MaxFlags:
		return fmt.Errorf("flags are %#x, at most %#x", d.Flags, MaxFlags)
	}
	return nil
}

// Restore reads back a message that was checked before it was kept: the bytes must hash to its ID, the
// signature is not checked again. It is for bytes from this node's own disk.
func Restore(wire []byte, id ID) (*Message, error) {
	var m Message
	if v := decode(wire, &m); v != Accept {
		return nil, fmt.Errorf("restore %v: %v", id.Short(), v)
	}
	if m.ID != id {
		return nil, fmt.Errorf("restore %v: the bytes hash to %v", id.Short(), m.ID.Short())
	}
	return &m, nil
}

// Clone is the message with bytes of its own, for a caller whose buffer will be used again.
func (m *Message) Clone() *Message {
	c := *m
	c.wire = slices.Clone(m.wire)
	c.Parents = slices.Clone(m.Parents)
	if n := len(m.Body); n > 0 {
		// The body is the same stretch of the copied encoding.
		at := len(m.wire) - signatureField - n
		if m.Nonce != 0 {
			at -= 9
		}
		c.Body = c.wire[at : at+n : at+n]
	}
	return &c
}
