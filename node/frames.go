package node

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// The frames of the sync protocol: SPEC.md section 15. Each is a type byte, the payload's length as a uvarint, and the
// payload.
const (
	frameHello    byte = 1 // who I am to this link: limits, what I want, the salt
	frameRound    byte = 2 // a new round: scope, then the first reconciliation message
	frameRecon    byte = 3 // a reconciliation message of the round
	framePull     byte = 4 // give me these
	frameMessages byte = 5 // what you asked for
	frameDone     byte = 6 // the end of an answer
	frameNudge    byte = 7 // to the initiator: start a round
)

// frameLimits is the largest payload of each type. Only messages need much.
var frameLimits = [...]int{
	frameHello:    256,
	frameRound:    reconcile.MaxMessage + 16,
	frameRecon:    reconcile.MaxMessage,
	framePull:     reconcile.MaxMessage,
	frameMessages: protocol.MaxFrame,
	frameDone:     64,
	frameNudge:    0,
}

// errFrame is a violation of the framing or the order of frames: the link is closed.
var errFrame = errors.New("the peer broke the sync protocol")

// readFrame reads one frame. The length is checked against the type's limit before anything is allocated.
func readFrame(r *bufio.Reader) (byte, []byte, error) {
	kind, err := r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	size, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, fmt.Errorf("frame length: %w", err)
	}
	if kind == 0 || int(kind) >= len(frameLimits) || size > uint64(frameLimits[kind]) {
		return 0, nil, fmt.Errorf("%w: frame type %d of %d bytes", errFrame, kind, size)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, fmt.Errorf("frame: %w", err)
	}
	return kind, payload, nil
}

// appendFrame appends a whole frame.
func appendFrame(b []byte, kind byte, payload []byte) []byte {
	b = binary.AppendUvarint(append(b, kind), uint64(len(payload)))
	return append(b, payload...)
}

// appendRecord appends one message as a messages frame holds it: length of the rest, age in ms, encoding.
func appendRecord(b []byte, age uint64, wire []byte) []byte {
	b = binary.AppendUvarint(b, uint64(uvarintLen(age)+len(wire)))
	b = binary.AppendUvarint(b, age)
	return append(b, wire...)
}

// splitRecord takes the first record off a messages frame.
func splitRecord(b []byte) (age uint64, wire, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return 0, nil, nil, fmt.Errorf("%w: a record's length", errFrame)
	}
	rest = b[n+int(size):]
	b = b[n : n+int(size)]
	age, n = binary.Uvarint(b)
	if n <= 0 || age > maxAge {
		return 0, nil, nil, fmt.Errorf("%w: a record's age", errFrame)
	}
	return age, b[n:], rest, nil
}

func uvarintLen(v uint64) int {
	n := 1
	for ; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

// pullRequest is the payload of a pull frame: what to send, and where to go on if an earlier answer ended early.
type pullRequest struct {
	seq   uint64
	wants []reconcile.Want
	below reconcile.Key // in the first want; the zero key: from its newest
}

func (p pullRequest) append(b []byte) []byte {
	b = binary.AppendUvarint(b, p.seq)
	if p.below == (reconcile.Key{}) {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), p.below[:]...)
	}
	return reconcile.AppendWants(b, p.wants)
}

func parsePull(b []byte) (pullRequest, error) {
	var p pullRequest
	seq, n := binary.Uvarint(b)
	if n <= 0 || len(b) == n {
		return p, fmt.Errorf("%w: a pull's number", errFrame)
	}
	p.seq = seq
	b = b[n:]
	switch below := b[0]; {
	case below == 1 && len(b) > reconcile.KeySize:
		k, err := reconcile.ParseKey(b[1 : 1+reconcile.KeySize])
		if err != nil {
			return p, fmt.Errorf("%w: a pull's key", errFrame)
		}
		p.below = k
		b = b[1+reconcile.KeySize:]
	case below == 0:
		b = b[1:]
	default:
		return p, fmt.Errorf("%w: a pull", errFrame)
	}
	wants, err := reconcile.ParseWants(b)
	if err != nil || len(wants) == 0 {
		return p, fmt.Errorf("%w: a pull's wants", errFrame)
	}
	p.wants = wants
	return p, nil
}

// doneNote is the payload of a done frame: the answer to a pull has ended. If there is more, it is in the wants from
// number at on, and in that one below the key.
type doneNote struct {
	seq   uint64
	more  bool
	at    int
	below reconcile.Key
}

func (d doneNote) append(b []byte) []byte {
	b = binary.AppendUvarint(b, d.seq)
	if d.more {
		b = binary.AppendUvarint(b, uint64(d.at))
		b = append(b, d.below[:]...)
	}
	return b
}

func parseDone(b []byte) (doneNote, error) {
	seq, n := binary.Uvarint(b)
	if n <= 0 {
		return doneNote{}, fmt.Errorf("%w: a done frame", errFrame)
	}
	if len(b) == n {
		return doneNote{seq: seq}, nil
	}
	at, m := binary.Uvarint(b[n:])
	if m <= 0 || at >= reconcile.MaxItems {
		return doneNote{}, fmt.Errorf("%w: a done frame", errFrame)
	}
	k, err := reconcile.ParseKey(b[n+m:])
	if err != nil {
		return doneNote{}, fmt.Errorf("%w: a done frame's key", errFrame)
	}
	return doneNote{seq: seq, more: true, at: int(at), below: k}, nil
}
