package protocol

import (
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// zip215 is the one verification rule (SPEC.md section 4): the cofactored equation with the
// lenient point decoding of ZIP-215. Alone, in a batch and in the browser it gives the same verdict on every input,
// which the standard library's cofactorless rule cannot give to a batch: with it, a crafted signature
// would make honest nodes ban each other.
var zip215 = &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215}

// Unverified is a well-formed message whose signature nobody has checked.
type Unverified struct{ m Message }

// Decode reads the canonical encoding of a message. The result aliases wire.
func Decode(wire []byte) (*Unverified, Verdict) {
	u := new(Unverified)
	if v := decode(wire, &u.m); v != Accept {
		return nil, v
	}
	return u, Accept
}

// ID is the message's name; whether its author made it is not known yet.
func (u *Unverified) ID() ID { return u.m.ID }

// Claims is what the message says of itself, unverified: for the checks that are cheaper than the signature.
func (u *Unverified) Claims() (Author, *Draft) { return u.m.Author, &u.m.Draft }

// Verify checks the signature.
func (u *Unverified) Verify() (*Message, Verdict) {
	if !verify(u.m.Author, domainMessage, u.m.Content(), u.m.Signature()) {
		return nil, RejectSignature
	}
	return &u.m, Accept
}

// Open is Decode and Verify.
func Open(wire []byte) (*Message, Verdict) {
	u, v := Decode(wire)
	if v != Accept {
		return nil, v
	}
	return u.Verify()
}

func verify(author Author, domain string, content, signature []byte) bool {
	var stack [1024]byte
	signed := append(append(stack[:0], domain...), content...)
	return ed25519.VerifyWithOptions(author[:], signed, signature, zip215)
}

// VerifyAll checks many signatures at once, at a half (16) to a third (1024) of the price each, and gives each message the verdict
// that Verify would. The result has a nil where the verdict is RejectSignature. When one signature is bad
// all are checked singly, so whoever sent the batch should lose the link after a few.
func VerifyAll(batch []*Unverified) []*Message {
	out := make([]*Message, len(batch))
	if len(batch) < 3 { // below this the batch equation costs more than it saves
		for i, u := range batch {
			out[i], _ = u.Verify()
		}
		return out
	}
	v := ed25519.NewBatchVerifierWithCapacity(len(batch))
	var buf []byte
	for _, u := range batch {
		// The verifier hashes the bytes at once and keeps nothing of buf.
		buf = append(append(buf[:0], domainMessage...), u.m.Content()...)
		v.AddWithOptions(u.m.Author[:], buf, u.m.Signature(), zip215)
	}
	all, each := v.Verify(nil)
	for i, u := range batch {
		if all || each[i] {
			out[i] = &u.m
		}
	}
	return out
}
