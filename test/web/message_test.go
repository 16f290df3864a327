package web_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"

	"longear/protocol"
	"longear/protocol/reconcile"
)

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// bits returns a number of up to so many random bits: small ones are as likely as large ones, so that every length of a
// uvarint occurs, and 0, which is left out.
func bits(rng *rand.Rand, n int) uint64 { return rng.Uint64() >> (64 - rng.IntN(n+1)) }

// randomDraft returns a draft with any value in any field that a valid message may have.
func randomDraft(rng *rand.Rand) protocol.Draft {
	d := protocol.Draft{
		Created: bits(rng, 48), Lifetime: uint32(bits(rng, 20)), Channel: protocol.Channel(randomBytes(rng, 16)), Class: protocol.Class(rng.IntN(3)),
		Kind: protocol.Kind(bits(rng, 16)), Flags: uint32(bits(rng, 16)), Nonce: bits(rng, 64),
	}
	for range rng.IntN(protocol.MaxParents + 1) {
		d.Parents = append(d.Parents, protocol.ID(randomBytes(rng, 32)))
	}
	if rng.IntN(5) > 0 {
		d.Body = randomBytes(rng, int(bits(rng, 15)))
	}
	return d
}

func tellDraft(d *protocol.Draft) told {
	w := told{
		Created: d.Created, Lifetime: d.Lifetime, Channel: hex.EncodeToString(d.Channel[:]), Class: uint8(d.Class), Kind: uint16(d.Kind),
		Flags: d.Flags, Parents: []string{}, Body: hex.EncodeToString(d.Body), Nonce: d.Nonce,
	}
	for _, p := range d.Parents {
		w.Parents = append(w.Parents, hex.EncodeToString(p[:]))
	}
	return w
}

// tell says of bytes what the TypeScript end says of them.
func tell(wire []byte) told {
	m, v := protocol.Open(wire)
	if v != protocol.Accept {
		return told{Verdict: v.String()}
	}
	w := tellDraft(&m.Draft)
	key := reconcile.NewKey(m.Class.Rank(), m.Created, reconcile.ID(m.ID))
	w.Verdict, w.ID, w.Author, w.Key = v.String(), m.ID.String(), hex.EncodeToString(m.Author[:]), hex.EncodeToString(key[:])
	return w
}

func sameTold(a, b told) bool {
	same := slices.Equal(a.Parents, b.Parents)
	a.Parents, b.Parents = nil, nil
	return same && a.Seed == b.Seed && a.Verdict == b.Verdict && a.ID == b.ID && a.Key == b.Key && a.Author == b.Author && a.Created == b.Created &&
		a.Lifetime == b.Lifetime && a.Channel == b.Channel && a.Class == b.Class && a.Kind == b.Kind && a.Flags == b.Flags && a.Body == b.Body && a.Nonce == b.Nonce
}

// randomMessages returns n signed messages.
func randomMessages(t *testing.T, rng *rand.Rand, n int) [][]byte {
	t.Helper()
	wires := make([][]byte, n)
	for i := range wires {
		m, err := protocol.Sign(ed25519.NewKeyFromSeed(randomBytes(rng, 32)), randomDraft(rng))
		if err != nil {
			t.Fatal(err)
		}
		wires[i] = m.Wire()
	}
	return wires
}

const manyMessages = 1000

// TestGoWritesTypeScriptReads: what Go signs, the TypeScript accepts, and finds the same in it.
func TestGoWritesTypeScriptReads(t *testing.T) {
	p := newPeer(t)
	wires := randomMessages(t, rand.New(rand.NewPCG(1, 1)), manyMessages)
	for i, got := range p.read(wires) {
		if want := tell(wires[i]); want.Verdict != "accept" || !sameTold(got, want) {
			t.Fatalf("message %d %x reads as\n%+v, want\n%+v", i, wires[i], got, want)
		}
	}
}

// TestTypeScriptWritesGoReads: what the TypeScript signs, Go accepts; and since signing has one outcome, it is the same bytes.
func TestTypeScriptWritesGoReads(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(2, 2))
	var drafts []protocol.Draft
	r := request{Op: "write"}
	for range manyMessages {
		d, w := randomDraft(rng), told{}
		drafts = append(drafts, d)
		w = tellDraft(&d)
		w.Seed = hex.EncodeToString(randomBytes(rng, 32))
		r.Drafts = append(r.Drafts, w)
	}
	for i, got := range p.ask(r).List {
		wire := unhex(t, got)
		if _, v := protocol.Open(wire); v != protocol.Accept {
			t.Fatalf("message %d is written so that Go says %v: %s", i, v, got)
		}
		m, err := protocol.Sign(ed25519.NewKeyFromSeed(unhex(t, r.Drafts[i].Seed)), drafts[i])
		if err != nil {
			t.Fatal(err)
		}
		if want := hex.EncodeToString(m.Wire()); got != want {
			t.Fatalf("message %d is written as\n%s, want\n%s", i, got, want)
		}
	}
}

// mutate changes a message a little: bits, bytes, a cut, a piece moved or put in twice, as a careless or hostile node might.
func mutate(rng *rand.Rand, wire []byte) []byte {
	b := slices.Clone(wire)
	for range 1 + rng.IntN(3) {
		at := rng.IntN(len(b) + 1)
		// Most bytes of a message are body and signature; what is decoded lies at its ends.
		if rng.IntN(2) == 0 {
			at = min(at, rng.IntN(220))
		}
		at = min(at, len(b)-1)
		if at < 0 {
			return b
		}
		switch rng.IntN(8) {
		case 0, 1:
			b[at] ^= 1 << rng.IntN(8)
		case 2:
			b[at] = byte(rng.Uint32())
		case 3:
			b = b[:at]
		case 4:
			b = slices.Delete(b, at, min(len(b), at+1+rng.IntN(40)))
		case 5:
			b = slices.Insert(b, at, randomBytes(rng, 1+rng.IntN(40))...)
		case 6: // a field that begins here comes again
			b = slices.Insert(b, at, slices.Clone(b[at:min(len(b), at+34)])...)
		case 7: // a tag byte
			b[at] = []byte{0x08, 0x12, 0x18, 0x20, 0x2a, 0x30, 0x38, 0x40, 0x4a, 0x52, 0x59, 0x7a}[rng.IntN(12)]
		}
	}
	return b
}

// aimed returns changes that random ones seldom make: to the numbers and places that rules speak of. Some are signed anew, so
// that what is behind the first rule is reached.
func aimed(rng *rand.Rand, wire []byte) []byte {
	b := slices.Clone(wire)
	switch rng.IntN(8) {
	case 0: // S + L, or another S of the same form
		s := b[len(b)-32:]
		carry := 0
		for i, l := range groupOrder {
			carry += int(s[i]) + int(l)
			s[i], carry = byte(carry), carry>>8
		}
	case 1: // the sign of R or of the author
		b[[]int{33, len(b) - 33}[rng.IntN(2)]] ^= 0x80
	case 2: // an author or R of small order, or not reduced
		copy(b[[]int{2, len(b) - 64}[rng.IntN(2)]:], unusual[rng.IntN(len(unusual))])
	case 3: // a version
		b = slices.Concat([]byte{0x08, byte(rng.IntN(4))}, b)
	case 4: // the length of what follows the channel
		b[52] = byte(rng.Uint32())
	case 6: // author and R of small order and S = 0: valid for whoever keeps to the rule, whatever is signed
		copy(b[2:], unusual[rng.IntN(len(unusual))])
		copy(b[len(b)-64:], unusual[rng.IntN(len(unusual))])
		clear(b[len(b)-32:])
	case 7: // a body or a nonce that is there and empty
		b = slices.Insert(b, 52, [][]byte{{0x52, 0}, append([]byte{0x59}, make([]byte, 8)...), {0x30, 0}}[rng.IntN(3)]...)
	case 5: // two parents alike, five parents
		parent := append([]byte{0x4a, 32}, randomBytes(rng, 32)...)
		for range 1 + rng.IntN(5) {
			b = slices.Insert(b, 52, parent...)
		}
	}
	return b
}

// groupOrder is L, little-endian.
var groupOrder = []byte{
	0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
}

// unusual are encodings of points that libraries treat differently: 0, 1, p, p+1, -1, with the sign set.
var unusual = func() (points [][]byte) {
	for _, first := range []byte{0, 1, 0xec, 0xed, 0xee} {
		p := make([]byte, 32)
		p[0] = first
		if first > 1 {
			for i := 1; i < 32; i++ {
				p[i] = 0xff
			}
			p[31] = 0x7f
		}
		q := slices.Clone(p)
		q[31] |= 0x80
		points = append(points, p, q)
	}
	return points
}()

// resigned changes what is signed, and signs it anew: so that what lies behind a bad signature is reached.
func resigned(rng *rand.Rand, key ed25519.PrivateKey, wire []byte) []byte {
	content := mutate(rng, wire[:len(wire)-66])
	signature := ed25519.Sign(key, append([]byte("longear/1 message\x00"), content...))
	return slices.Concat(content, []byte{0x7a, 64}, signature)
}

// TestMutations: whatever becomes of a message on its way, both make the same of it.
func TestMutations(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(3, 3))
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	from := randomMessages(t, rng, 200)
	own := ed25519.NewKeyFromSeed(randomBytes(rng, 32))
	wires := make([][]byte, n)
	for i := range wires {
		wire := from[rng.IntN(len(from))]
		switch i % 4 {
		case 0:
			wires[i] = aimed(rng, wire)
		case 1:
			m, err := protocol.Sign(own, randomDraft(rng))
			if err != nil {
				t.Fatal(err)
			}
			wires[i] = resigned(rng, own, m.Wire())
		default:
			wires[i] = mutate(rng, wire)
		}
	}
	seen := map[string]int{}
	for i, got := range p.read(wires) {
		want := tell(wires[i])
		seen[want.Verdict]++
		if !sameTold(got, want) {
			t.Fatalf("mutation %d %x reads as\n%+v, want\n%+v", i, wires[i], got, want)
		}
	}
	t.Logf("%d mutations: %v", n, seen)
	for _, v := range []string{"accept", "reject: size", "reject: malformed", "reject: limit", "reject: signature", "ignore: version"} {
		if seen[v] < n/500 {
			t.Errorf("only %d mutations gave %q", seen[v], v)
		}
	}
}
