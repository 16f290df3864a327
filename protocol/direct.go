package protocol

import (
	"context"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"
)

// MaxDirectText is the longest text of a direct message: what the largest bucket leaves beside the inner message's other
// fields at their longest.
const MaxDirectText = maxInner - (34 + 8 + 18 + 4 + MaxParents*34 + 3 + signatureField)

// outsideDirect is what a direct message's body has beside its plaintext: the encapsulated key and the authenticator.
const outsideDirect = 32 + chacha20poly1305.Overhead

// maxInner is the largest inner message.
const maxInner = maxTextBucket - outsideDirect - 2

// Sealing is the public half of a SealKey: an X25519 public key.
type Sealing [32]byte

// SealKey is the X25519 private key that opens direct messages. It is not the author's key and is meant to be
// replaced: messages sealed to a key that was destroyed can never be read again.
type SealKey struct {
	private hpke.PrivateKey
	public  Sealing
}

// NewSealKey makes a key.
func NewSealKey() (*SealKey, error) {
	k, err := hpke.DHKEM(ecdh.X25519()).GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("make seal key: %w", err)
	}
	return sealKey(k), nil
}

// ParseSealKey reads the 32 bytes that Bytes wrote.
func ParseSealKey(b []byte) (*SealKey, error) {
	k, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(b)
	if err != nil {
		return nil, fmt.Errorf("read seal key: %w", err)
	}
	return sealKey(k), nil
}

func sealKey(k hpke.PrivateKey) *SealKey {
	return &SealKey{private: k, public: Sealing(k.PublicKey().Bytes())}
}

// Bytes is the private key, 32 bytes, for the file it is kept in.
func (k *SealKey) Bytes() ([]byte, error) { return k.private.Bytes() }

// Public is what others seal to.
func (k *SealKey) Public() Sealing { return k.public }

// String is the public half, so that printing a key by mistake gives nothing away.
func (k *SealKey) String() string { return encode32(k.public[:]) }

// LogValue is the first characters of the public half.
func (k *SealKey) LogValue() slog.Value { return slog.StringValue(k.String()[:short]) }

// SealDirect makes a direct message from the author of key to the owner of a card, whose ID has the given number of leading
// zero bits. Of the draft, Kind, Parents and Body (at most MaxDirectText bytes) are hidden inside; Lifetime and Flags are
// for those who carry it and stand outside; Created stands in both; Channel, Class and Nonce are ignored. Outside stand also an
// author made for this one message and a size that is one of five: nothing tells who wrote it or who can read it.
func SealDirect(ctx context.Context, key ed25519.PrivateKey, to Card, d Draft, bits int) (*Message, error) {
	inner, err := signInner(key, to.sealing, d)
	if err != nil {
		return nil, fmt.Errorf("seal direct: %w", err)
	}
	_, throwaway, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("seal direct: %w", err)
	}
	public, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(to.sealing[:])
	if err != nil {
		return nil, fmt.Errorf("seal direct: the card's key: %w", err)
	}
	enc, sender, err := hpke.NewSender(public, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte(domainDirect))
	if err != nil {
		return nil, fmt.Errorf("seal direct: the card's key: %w", err)
	}
	outer := AuthorOf(throwaway)
	sealed, err := sender.Seal(outer[:], pad(inner, outsideDirect))
	if err != nil {
		return nil, fmt.Errorf("seal direct: %w", err)
	}
	return Mint(ctx, throwaway, Draft{
		Created: d.Created, Lifetime: d.Lifetime, Flags: d.Flags,
		Channel: DirectChannel(), Kind: Direct, Body: append(enc, sealed...),
	}, bits)
}

// signInner makes the inner message. Its signature covers the reader's key, so that the reader cannot pass it on
// sealed to somebody else as if the author had written to them.
func signInner(key ed25519.PrivateKey, to Sealing, d Draft) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("not an Ed25519 private key")
	}
	if len(d.Body) > MaxDirectText {
		return nil, fmt.Errorf("the text has %d bytes, at most %d fit", len(d.Body), MaxDirectText)
	}
	inside := Draft{Created: d.Created, Channel: DirectChannel(), Kind: d.Kind, Parents: d.Parents, Body: d.Body}
	if err := inside.check(); err != nil {
		return nil, err
	}
	m, err := signUnder(key, domainDirect+string(to[:]), inside)
	if err != nil {
		return nil, err
	}
	return m.wire, nil
}

// OpenDirect tries to open a message with a key, in about a tenth of a millisecond. It returns ErrOtherKey for
// whatever was not sealed to the key.
func OpenDirect(key *SealKey, m *Message) (*Private, error) {
	if m.Channel != DirectChannel() || m.Kind != Direct || !bucket(len(m.Body), maxTextBucket) {
		return nil, ErrOtherKey
	}
	r, err := hpke.NewRecipient(m.Body[:32], key.private, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte(domainDirect))
	if err != nil {
		return nil, ErrOtherKey
	}
	plain, err := r.Open(m.Author[:], m.Body[32:])
	if err != nil {
		return nil, ErrOtherKey
	}
	p, err := openInner(key.public, plain)
	if err != nil {
		return nil, fmt.Errorf("open direct %v: %w", m.ID.Short(), err)
	}
	p.id = m.ID
	return p, nil
}

func openInner(reader Sealing, plain []byte) (*Private, error) {
	wire, err := unpad(plain)
	if err != nil {
		return nil, err
	}
	var in Message
	if v := decode(wire, &in); v != Accept {
		return nil, fmt.Errorf("the inner message: %v", v)
	}
	if in.Channel != DirectChannel() {
		return nil, errors.New("the inner message belongs to another channel")
	}
	if !verify(in.Author, domainDirect+string(reader[:]), in.Content(), in.Signature()) {
		return nil, fmt.Errorf("the inner message: %v", RejectSignature)
	}
	return &Private{author: in.Author, created: in.Created, kind: in.Kind, parents: in.Parents, text: string(in.Body)}, nil
}
