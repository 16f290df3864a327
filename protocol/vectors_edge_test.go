package protocol_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// edgeSignatures are the inputs on which Ed25519 libraries disagree, each as a smallest message. The points are made
// with the curve's own arithmetic, apart from the code under test.
func edgeSignatures(t *testing.T) []verdictVector {
	e := edges{t: t}
	e.smallOrder()
	e.torsion()
	e.scalars()
	e.points()
	return e.out
}

type edges struct {
	t   *testing.T
	out []verdictVector
}

func (e *edges) add(valid bool, author, r, s []byte, format string, args ...any) {
	verdict := "reject: signature"
	if valid {
		verdict = "accept"
	}
	wire := slices.Concat(e.content(author), []byte{0x7a, 64}, r, s)
	e.out = append(e.out, verdictVector{Name: fmt.Sprintf(format, args...), Wire: wire, Verdict: verdict})
}

func (e *edges) content(author []byte) []byte {
	return slices.Concat(field(0x12, author), field(0x2a, make([]byte, 16)))
}

// challenge is k of SPEC.md section 4.
func (e *edges) challenge(author, r []byte) *scalar.Scalar {
	h := sha512.Sum512(slices.Concat(r, author, []byte("longear/1 message\x00"), e.content(author)))
	k, err := scalar.NewFromBytesModOrderWide(h[:])
	if err != nil {
		e.t.Fatal(err)
	}
	return k
}

// smallOrderEncodings are all 14 ways to write the eight points of small order: eight canonical ones, and those with
// y of p or p+1 or with the sign of an x that is zero.
func smallOrderEncodings() [][]byte {
	var all [][]byte
	for _, p := range curve.EIGHT_TORSION {
		c := curve.NewCompressedEdwardsY().SetEdwardsPoint(p)
		all = append(all, c[:])
	}
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	le := func(y *big.Int, sign byte) []byte {
		b := y.FillBytes(make([]byte, 32))
		slices.Reverse(b)
		b[31] |= sign << 7
		return b
	}
	one := big.NewInt(1)
	return append(all,
		le(one, 1), le(new(big.Int).Sub(p, one), 1),
		le(p, 0), le(p, 1),
		le(new(big.Int).Add(p, one), 0), le(new(big.Int).Add(p, one), 1))
}

// smallOrder: author and R of small order and S of zero satisfy the equation with the factor 8, whatever was signed.
func (e *edges) smallOrder() {
	zero := make([]byte, 32)
	for i, a := range smallOrderEncodings() {
		for j, r := range smallOrderEncodings() {
			e.add(true, a, r, zero, "small order: author %d, R %d", i, j)
		}
	}
	enc := smallOrderEncodings()
	e.add(false, enc[0], enc[0], []byte{31: 0x10}, "small order, S of 2^252, which is below L but not zero")
	e.add(false, enc[3], enc[2], append([]byte{1}, zero[1:]...), "small order, S of 1")
	e.add(false, enc[0], enc[0], order(0), "small order, S of L")
}

// order is L + n in little-endian.
func order(n int64) []byte {
	l, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	l.Add(l, new(big.Int).Lsh(big.NewInt(1), 252))
	b := l.Add(l, big.NewInt(n)).FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

// torsion: an honest author or R plus a point of small order. A verifier without the factor 8 refuses most of
// these; a batch accepts them.
func (e *edges) torsion() {
	a, r := scalar.NewFromUint64(0x1ea2), scalar.NewFromUint64(0xbeef)
	for i, ta := range curve.EIGHT_TORSION {
		for _, j := range []int{0, 1, 4} {
			author, rb := e.plus(a, ta), e.plus(r, curve.EIGHT_TORSION[j])
			s := scalar.New().Mul(e.challenge(author, rb), a)
			e.add(true, author, rb, e.bytes(s.Add(s, r)), "mixed order: author + %d, R + %d", i, j)
		}
	}
	// The same with S off by one is wrong with any factor.
	author, rb := e.plus(a, curve.EIGHT_TORSION[1]), e.plus(r, curve.EIGHT_TORSION[0])
	s := scalar.New().Mul(e.challenge(author, rb), a)
	s.Add(s, r)
	e.add(false, author, rb, e.bytes(s.Add(s, scalar.One())), "mixed order, S off by one")
	// k must be taken over the bytes that came, not over R written anew.
	for i, r := range smallOrderEncodings() {
		author := e.plus(a, curve.EIGHT_TORSION[0])
		s := scalar.New().Mul(e.challenge(author, r), a)
		e.add(true, author, r, e.bytes(s), "honest author, small order R %d", i)
	}
}

// plus is [n]B + p, encoded.
func (e *edges) plus(n *scalar.Scalar, p *curve.EdwardsPoint) []byte {
	q := curve.NewEdwardsPoint().MulBasepoint(curve.ED25519_BASEPOINT_TABLE, n)
	c := curve.NewCompressedEdwardsY().SetEdwardsPoint(q.Add(q, p))
	return bytes.Clone(c[:])
}

func (e *edges) bytes(s *scalar.Scalar) []byte {
	b := make([]byte, 32)
	if err := s.ToBytes(b); err != nil {
		e.t.Fatal(err)
	}
	return b
}

// scalars: S must be below L, or every signature would have several forms.
func (e *edges) scalars() {
	a, r := scalar.NewFromUint64(7), scalar.NewFromUint64(11)
	author, rb := e.plus(a, curve.EIGHT_TORSION[0]), e.plus(r, curve.EIGHT_TORSION[0])
	s := scalar.New().Mul(e.challenge(author, rb), a)
	honest := e.bytes(s.Add(s, r))
	e.add(true, author, rb, honest, "plain signature")
	for n := int64(1); n <= 15; n++ {
		v := slices.Clone(honest)
		slices.Reverse(v)
		l := order(0)
		slices.Reverse(l)
		sum := new(big.Int).Add(new(big.Int).SetBytes(v), new(big.Int).Mul(big.NewInt(n), new(big.Int).SetBytes(l)))
		if sum.BitLen() > 256 {
			break
		}
		b := sum.FillBytes(make([]byte, 32))
		slices.Reverse(b)
		e.add(false, author, rb, b, "S + %d L", n)
	}
	e.add(false, author, rb, order(-1), "S of L - 1")
	e.add(false, author, rb, order(0), "S of L")
	e.add(false, author, rb, bytes.Repeat([]byte{0xff}, 32), "S of 2^256 - 1")
}

// points: 32 bytes that are no point.
func (e *edges) points() {
	honest := testKey("alice")
	pub := []byte(honest.Public().(ed25519.PublicKey))
	zero := make([]byte, 32)
	off := append([]byte{2}, zero[1:]...) // y = 2 has no x
	e.add(false, off, pub, zero, "author is no point")
	e.add(false, pub, off, zero, "R is no point")
	e.add(false, off, off, zero, "neither is a point")
	all := bytes.Repeat([]byte{0xff}, 32) // y = 2^255 - 1 is 18 modulo p
	e.add(false, all, all, zero, "author and R of ones")
}
