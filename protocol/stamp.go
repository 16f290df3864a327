package protocol

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// MaxStamp bounds what Mint attempts: 2^40 hashes are days of work.
const MaxStamp = 40

// mintStride is how many nonces are tried between two looks at the context: under a millisecond.
const mintStride = 4096

// Stamp is the proof of work in an ID: its leading zero bits.
func Stamp(id ID) int {
	for i := 0; i < len(id); i += 8 {
		if w := binary.BigEndian.Uint64(id[i:]); w != 0 {
			return 8*i + bits.LeadingZeros64(w)
		}
	}
	return 8 * len(id)
}

// Mint signs a draft with the first nonce that gives its ID at least the given number of leading zero bits: about
// 2^zeros hashes on one core. It stops with the context's error.
func Mint(ctx context.Context, key ed25519.PrivateKey, d Draft, zeros int) (*Message, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("mint: not an Ed25519 private key")
	}
	if zeros < 0 || zeros > MaxStamp {
		return nil, fmt.Errorf("mint: a stamp has 0 to %d bits, not %d", MaxStamp, zeros)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("mint: %w", err)
	}
	d.Nonce = 0
	if zeros > 0 {
		nonce, err := findNonce(ctx, AuthorOf(key), &d, zeros)
		if err != nil {
			return nil, fmt.Errorf("mint: %w", err)
		}
		d.Nonce = nonce
	}
	return signUnder(key, domainMessage, d)
}

// findNonce hashes everything before the nonce once and only the rest for each try: the nonce is the last field of
// the content so that the price does not depend on the body.
func findNonce(ctx context.Context, author Author, d *Draft, zeros int) (uint64, error) {
	h := sha256.New()
	h.Write([]byte(domainMessage))
	h.Write(appendContent(nil, author, d))
	h.Write([]byte{tagNonce})
	state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return 0, err
	}
	restore := h.(encoding.BinaryUnmarshaler)
	var id ID
	var field [8]byte
	for nonce := uint64(1); ; nonce++ {
		if nonce%mintStride == 0 && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if err := restore.UnmarshalBinary(state); err != nil {
			return 0, err
		}
		binary.LittleEndian.PutUint64(field[:], nonce)
		h.Write(field[:])
		h.Sum(id[:0])
		if Stamp(id) >= zeros {
			return nonce, nil
		}
	}
}
