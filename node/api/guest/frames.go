package guest

import (
	"encoding/binary"
	"errors"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// The frames of a sync request and its answer: those of SPEC.md section 15.1, in a body instead of a stream. There is no HELLO: the session's
// name is its salt, and GET /guest/state has what the hub wants.
const (
	frameRound    byte = 2
	frameRecon    byte = 3
	framePull     byte = 4
	frameMessages byte = 5
	frameDone     byte = 6
)

// frameLimits is the largest payload of each type; 0: no such type here.
var frameLimits = [...]int{
	frameRound:    reconcile.MaxMessage + 16,
	frameRecon:    reconcile.MaxMessage,
	framePull:     reconcile.MaxMessage,
	frameMessages: protocol.MaxFrame,
	frameDone:     64,
}

// maxFrames bounds the frames of one body: each answer of ours is at most so many MESSAGES, and a page's is not more.
const maxFrames = 64

// errFrame is a body that breaks the protocol: the session ends.
var errFrame = errors.New("the body breaks the sync protocol")

// frame is one frame; its payload aliases the body.
type frame struct {
	kind    byte
	payload []byte
}

// parseFrames reads frames from all of b.
func parseFrames(b []byte) ([]frame, error) {
	var out []frame
	for len(b) > 0 {
		kind := b[0]
		size, n := binary.Uvarint(b[1:])
		if int(kind) >= len(frameLimits) || frameLimits[kind] == 0 || n <= 0 || len(out) == maxFrames {
			return nil, errFrame
		}
		b = b[1+n:]
		if size > uint64(frameLimits[kind]) || size > uint64(len(b)) {
			return nil, errFrame
		}
		out = append(out, frame{kind, b[:size]})
		b = b[size:]
	}
	return out, nil
}

func appendFrame(b []byte, kind byte, payload []byte) []byte {
	b = binary.AppendUvarint(append(b, kind), uint64(len(payload)))
	return append(b, payload...)
}

// parseScope reads the head of a ROUND and returns the reconciliation message behind it.
func parseScope(b []byte) (reconcile.Scope, []byte, error) {
	floor, n := binary.Uvarint(b)
	if n <= 0 || floor > protocol.MaxCreated/reconcile.FloorStep {
		return reconcile.Scope{}, nil, errFrame
	}
	ranks, m := binary.Uvarint(b[n:])
	if m <= 0 || ranks > allRanks {
		return reconcile.Scope{}, nil, errFrame
	}
	return reconcile.Scope{Floor: floor * reconcile.FloorStep, Ranks: uint16(ranks)}, b[n+m:], nil
}

// allRanks is alerts, texts and media.
const allRanks = 1<<0 | 1<<1 | 1<<2

func appendScope(b []byte, s reconcile.Scope) []byte {
	b = binary.AppendUvarint(b, s.Floor/reconcile.FloorStep)
	return binary.AppendUvarint(b, uint64(s.Ranks))
}

// pull is the payload of PULL: what to send, and where to go on if an earlier answer ended early.
type pull struct {
	number uint64
	wants  []reconcile.Want
	below  reconcile.Key // in the first want; the zero key: from its newest
}

func (p pull) append(b []byte) []byte {
	b = binary.AppendUvarint(b, p.number)
	if p.below == (reconcile.Key{}) {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), p.below[:]...)
	}
	return reconcile.AppendWants(b, p.wants)
}

func parsePull(b []byte) (pull, error) {
	number, n := binary.Uvarint(b)
	if n <= 0 || len(b) == n || b[n] > 1 {
		return pull{}, errFrame
	}
	p := pull{number: number}
	cursor := b[n] == 1
	if b = b[n+1:]; cursor {
		if len(b) < reconcile.KeySize {
			return pull{}, errFrame
		}
		k, err := reconcile.ParseKey(b[:reconcile.KeySize])
		if err != nil {
			return pull{}, errFrame
		}
		p.below, b = k, b[reconcile.KeySize:]
	}
	wants, err := reconcile.ParseWants(b)
	if err != nil || len(wants) == 0 {
		return pull{}, errFrame
	}
	p.wants = wants
	return p, nil
}

// done is the payload of DONE: the answer to a pull has ended; if there is more, it is in the wants from number at on, and in that one
// below the key.
type done struct {
	number uint64
	more   bool
	at     int
	below  reconcile.Key
}

func (d done) append(b []byte) []byte {
	b = binary.AppendUvarint(b, d.number)
	if d.more {
		b = binary.AppendUvarint(b, uint64(d.at))
		b = append(b, d.below[:]...)
	}
	return b
}

func parseDone(b []byte) (done, error) {
	number, n := binary.Uvarint(b)
	if n <= 0 {
		return done{}, errFrame
	}
	if b = b[n:]; len(b) == 0 {
		return done{number: number}, nil
	}
	at, n := binary.Uvarint(b)
	if n <= 0 || at >= reconcile.MaxItems {
		return done{}, errFrame
	}
	k, err := reconcile.ParseKey(b[n:])
	if err != nil {
		return done{}, errFrame
	}
	return done{number: number, more: true, at: int(at), below: k}, nil
}

// follows reports whether an answer that ended early went on from where its pull began: if not, it could go on for ever.
func (d done) follows(p pull) bool {
	if d.at >= len(p.wants) || !p.wants[d.at].Prefix.Contains(d.below) {
		return false
	}
	return d.at > 0 || p.below == (reconcile.Key{}) || d.below.Compare(p.below) < 0
}
