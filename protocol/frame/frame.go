// Package frame is how the sync protocol stands on a wire: SPEC.md section 15.1. The same frames go over a stream between two nodes
// and, in turns, in the bodies of requests between a page and a hub.
//
// Everything read here comes from strangers. A length is checked against the type's limit before anything is allocated for it, and
// whatever is not exactly the form is [ErrFrame]. What a frame means, and when it may come, is for its receiver to know.
package frame

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// Kind is the type of a frame.
type Kind uint8

// The kinds.
const (
	Hello    Kind = 1 // who I am to this link: limits, what I want, the salt
	Round    Kind = 2 // a new round: scope, then the first reconciliation message
	Recon    Kind = 3 // a reconciliation message of the round
	Pull     Kind = 4 // give me these
	Messages Kind = 5 // what you asked for
	Done     Kind = 6 // the end of an answer
	Nudge    Kind = 7 // to the initiator: start a round
)

// limits is the largest payload of each kind. Only messages need much.
var limits = [...]int{
	Hello:    256,
	Round:    reconcile.MaxMessage + 16,
	Recon:    reconcile.MaxMessage,
	Pull:     reconcile.MaxMessage,
	Messages: protocol.MaxFrame,
	Done:     64,
	Nudge:    0,
}

// ErrFrame is a breach of the framing, or of the order of frames: the link or the session ends.
var ErrFrame = errors.New("the sync protocol was broken")

// fits reports whether a kind exists and may have so large a payload.
func fits(kind Kind, size uint64) bool {
	return kind != 0 && int(kind) < len(limits) && size <= uint64(limits[kind])
}

// Append appends a whole frame.
func Append(b []byte, kind Kind, payload []byte) []byte {
	b = binary.AppendUvarint(append(b, byte(kind)), uint64(len(payload)))
	return append(b, payload...)
}

// partBytes is how much of a frame counts as a part of it: what the smallest packet carries.
const partBytes = 1 << 10

// Read reads one frame from a stream. The payload as far as it has come is told each time that partBytes more of it are there: over a slow
// link a frame takes a minute.
func Read(r *bufio.Reader, coming func(kind Kind, part []byte)) (Kind, []byte, error) {
	first, err := r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, fmt.Errorf("frame length: %w", err)
	}
	kind := Kind(first)
	if !fits(kind, size) {
		return 0, nil, fmt.Errorf("%w: frame type %d of %d bytes", ErrFrame, kind, size)
	}
	payload := make([]byte, size)
	for have := 0; have < len(payload); {
		n, err := io.ReadAtLeast(r, payload[have:], min(partBytes, len(payload)-have))
		if err != nil {
			return 0, nil, fmt.Errorf("frame: %w", err)
		}
		if have += n; n >= partBytes {
			coming(kind, payload[:have])
		}
	}
	return kind, payload, nil
}

// Split takes the first frame off b, which is not empty. The payload aliases b.
func Split(b []byte) (kind Kind, payload, rest []byte, err error) {
	kind = Kind(b[0])
	size, n := binary.Uvarint(b[1:])
	if n <= 0 || !fits(kind, size) || size > uint64(len(b)-1-n) {
		return 0, nil, nil, fmt.Errorf("%w: frame type %d", ErrFrame, kind)
	}
	b = b[1+n:]
	return kind, b[:size], b[size:], nil
}

// maxAge is what a larger age in ms counts as (SPEC.md section 10): the longest lifetime.
const maxAge = uint64(protocol.MaxLifetime / time.Millisecond)

// AppendRecord appends one message as MESSAGES holds it: length of the rest, age in ms, encoding.
func AppendRecord(b []byte, age uint64, wire []byte) []byte {
	var travelled [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(travelled[:], age)
	b = binary.AppendUvarint(b, uint64(n+len(wire)))
	return append(append(b, travelled[:n]...), wire...)
}

// SplitRecord takes the first record off b; wire and rest alias it. Whether the bytes are a message is for the door to say.
func SplitRecord(b []byte) (age uint64, wire, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return 0, nil, nil, fmt.Errorf("%w: a record's length", ErrFrame)
	}
	rest = b[n+int(size):]
	b = b[n : n+int(size)]
	age, n = binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, nil, fmt.Errorf("%w: a record's age", ErrFrame)
	}
	return min(age, maxAge), b[n:], rest, nil
}
