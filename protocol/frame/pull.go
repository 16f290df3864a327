package frame

import (
	"encoding/binary"
	"fmt"

	"longear/protocol"
	"longear/protocol/reconcile"
)

// AllRanks is a bit for each rank: alerts, texts and media.
const AllRanks = 1<<3 - 1

// AppendScope appends the head of ROUND, which stands before the first reconciliation message.
func AppendScope(b []byte, s reconcile.Scope) []byte {
	b = binary.AppendUvarint(b, s.Floor/reconcile.FloorStep)
	return binary.AppendUvarint(b, uint64(s.Ranks))
}

// SplitScope reads the head of ROUND and returns the reconciliation message behind it.
func SplitScope(b []byte) (s reconcile.Scope, message []byte, err error) {
	floor, n := binary.Uvarint(b)
	if n <= 0 || floor > protocol.MaxCreated/reconcile.FloorStep {
		return s, nil, fmt.Errorf("%w: a round's floor", ErrFrame)
	}
	ranks, m := binary.Uvarint(b[n:])
	if m <= 0 || ranks > AllRanks {
		return s, nil, fmt.Errorf("%w: a round's classes", ErrFrame)
	}
	return reconcile.Scope{Floor: floor * reconcile.FloorStep, Ranks: uint16(ranks)}, b[n+m:], nil
}

// Request is the payload of PULL: what to send, and where to go on if an earlier answer ended early.
type Request struct {
	Number uint64 // the puller's own, new for each
	Wants  []reconcile.Want
	Below  reconcile.Key // in the first want; the zero key: from its newest
}

// Append appends the payload.
func (p Request) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, p.Number)
	if p.Below == (reconcile.Key{}) {
		b = append(b, 0)
	} else {
		b = append(append(b, 1), p.Below[:]...)
	}
	return reconcile.AppendWants(b, p.Wants)
}

// ParseRequest reads the payload of PULL.
func ParseRequest(b []byte) (Request, error) {
	number, n := binary.Uvarint(b)
	if n <= 0 || len(b) == n || b[n] > 1 {
		return Request{}, fmt.Errorf("%w: a pull", ErrFrame)
	}
	p := Request{Number: number}
	cursor := b[n] == 1
	b = b[n+1:]
	if cursor {
		k, err := reconcile.ParseKey(b[:min(len(b), reconcile.KeySize)])
		if err != nil {
			return Request{}, fmt.Errorf("%w: a pull's key", ErrFrame)
		}
		p.Below, b = k, b[reconcile.KeySize:]
	}
	wants, err := reconcile.ParseWants(b)
	if err != nil || len(wants) == 0 {
		return Request{}, fmt.Errorf("%w: a pull's wants", ErrFrame)
	}
	p.Wants = wants
	return p, nil
}

// End is the payload of DONE: the answer to a pull has ended. If there is more, it is in the wants from number At on, and in
// that one below the key.
type End struct {
	Number uint64
	More   bool
	At     int
	Below  reconcile.Key
}

// Append appends the payload.
func (d End) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, d.Number)
	if d.More {
		b = binary.AppendUvarint(b, uint64(d.At))
		b = append(b, d.Below[:]...)
	}
	return b
}

// ParseEnd reads the payload of DONE.
func ParseEnd(b []byte) (End, error) {
	number, n := binary.Uvarint(b)
	if n <= 0 {
		return End{}, fmt.Errorf("%w: the end of an answer", ErrFrame)
	}
	if b = b[n:]; len(b) == 0 {
		return End{Number: number}, nil
	}
	at, n := binary.Uvarint(b)
	if n <= 0 || at >= reconcile.MaxItems {
		return End{}, fmt.Errorf("%w: the end of an answer", ErrFrame)
	}
	k, err := reconcile.ParseKey(b[n:])
	if err != nil {
		return End{}, fmt.Errorf("%w: the key of an answer's end", ErrFrame)
	}
	return End{Number: number, More: true, At: int(at), Below: k}, nil
}

// Next is the request that goes on where the answer to p ended. One that does not lie behind p's beginning is a breach: it
// could go on for ever. ok is false if the answer was whole.
func (d End) Next(p Request) (next Request, ok bool, err error) {
	if !d.More {
		return Request{}, false, nil
	}
	if d.At >= len(p.Wants) || !p.Wants[d.At].Prefix.Contains(d.Below) ||
		d.At == 0 && p.Below != (reconcile.Key{}) && d.Below.Compare(p.Below) >= 0 {
		return Request{}, false, fmt.Errorf("%w: an answer that goes on where it was", ErrFrame)
	}
	return Request{Wants: p.Wants[d.At:], Below: d.Below}, true, nil
}
