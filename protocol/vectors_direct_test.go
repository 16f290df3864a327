package protocol_test

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"testing"

	"longear/protocol"
)

func mustCard(t testing.TB, key ed25519.PrivateKey, k *protocol.SealKey) protocol.Card {
	t.Helper()
	c, err := protocol.NewCard(key, k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testSealKey(t testing.TB, name string) *protocol.SealKey {
	t.Helper()
	seed := sha256.Sum256([]byte("longear test seal key " + name))
	k, err := protocol.ParseSealKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// innerOf is an inner message for a reader, of any content.
func innerOf(key ed25519.PrivateKey, reader protocol.Sealing, fields ...[]byte) []byte {
	content := slices.Concat(fields...)
	sig := ed25519.Sign(key, slices.Concat([]byte("longear/1 direct\x00"), reader[:], content))
	return append(content, field(0x7a, sig)...)
}

// sealDirectRaw seals any plaintext to a reader.
func sealDirectRaw(t *testing.T, reader protocol.Sealing, draft protocol.Draft, plain []byte) []byte {
	t.Helper()
	outer := testKey("throwaway")
	author := protocol.AuthorOf(outer)
	pub, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(reader[:])
	if err != nil {
		t.Fatal(err)
	}
	enc, s, err := hpke.NewSender(pub, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), []byte("longear/1 direct\x00"))
	if err != nil {
		t.Fatal(err)
	}
	ct, err := s.Seal(author[:], plain)
	if err != nil {
		t.Fatal(err)
	}
	draft.Body = append(enc, ct...)
	return mustSign(t, outer, draft).Wire()
}

func makeDirectVectors(t *testing.T, v *vectorFiles) {
	key, reader := testKey("alice"), testSealKey(t, "bob")
	card := mustCard(t, testKey("bob"), reader)
	readerBytes, err := reader.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, problem string, wire []byte) *openVector {
		v.Direct.Open = append(v.Direct.Open, openVector{Name: name, Key: readerBytes, Wire: wire, Error: problem})
		return &v.Direct.Open[len(v.Direct.Open)-1]
	}
	for _, c := range []struct {
		name string
		d    protocol.Draft
	}{
		{"empty", protocol.Draft{}},
		{"text", protocol.Draft{Created: 1_790_000_000_000, Lifetime: 3600, Body: []byte("су 4-қақпада")}},
		{"answer", protocol.Draft{Created: 1_790_000_000_000, Kind: protocol.Response, Parents: []protocol.ID{testID("a")}, Body: []byte("иә")}},
		{"receipt for four", protocol.Draft{Kind: protocol.Receipt, Parents: []protocol.ID{testID("a"), testID("b"), testID("c"), testID("d")}}},
		{"longest", protocol.Draft{
			Created: protocol.MaxCreated, Kind: protocol.MaxKind, Parents: []protocol.ID{testID("a"), testID("b"), testID("c"), testID("d")},
			Body: []byte(strings.Repeat("x", protocol.MaxDirectText)),
		}},
	} {
		m, err := protocol.SealDirect(t.Context(), key, card, c.d, 0)
		if err != nil {
			t.Fatal(err)
		}
		o := add(c.name, "", m.Wire())
		o.Author, o.Created, o.Kind = protocol.AuthorOf(key).String(), c.d.Created, uint16(c.d.Kind)
		o.Parents, o.Text = hexesOf(c.d.Parents), c.d.Body
	}

	dc, pub := protocol.DirectChannel(), reader.Public()
	outer := protocol.Draft{Channel: dc, Kind: protocol.Direct}
	author, channel := field(0x12, key.Public().(ed25519.PublicKey)), field(0x2a, dc[:])
	good := innerOf(key, pub, author, channel, field(0x52, []byte("x")))
	raw := func(inner []byte) []byte {
		return sealDirectRaw(t, pub, outer, plaintext(len(inner), string(inner), 256-48))
	}
	o := add("made by hand", "", raw(good))
	o.Author, o.Text = protocol.AuthorOf(key).String(), []byte("x")
	o = add("inner class, flags, lifetime and nonce are not looked at", "",
		raw(innerOf(key, pub, author, num(0x20, 5), channel, num(0x30, 1), num(0x40, 1), field(0x52, []byte("x")), []byte{0x59, 1, 0, 0, 0, 0, 0, 0, 0})))
	o.Author, o.Text = protocol.AuthorOf(key).String(), []byte("x")

	stranger := testSealKey(t, "carol").Public()
	add("to another reader", "other key", sealDirectRaw(t, stranger, outer, plaintext(len(good), string(good), 256-48)))
	add("outer kind post", "other key", sealDirectRaw(t, pub, protocol.Draft{Channel: dc}, plaintext(len(good), string(good), 256-48)))
	add("another outer channel", "other key", sealDirectRaw(t, pub, protocol.Draft{Channel: testChannel(t), Kind: protocol.Direct}, plaintext(len(good), string(good), 256-48)))
	add("a size that is no bucket", "other key", sealDirectRaw(t, pub, outer, plaintext(len(good), string(good), 300-48)))
	m, verdict := protocol.Open(raw(good))
	if verdict != protocol.Accept {
		t.Fatal(verdict)
	}
	add("posted again by another author", "other key", mustSign(t, testKey("mallory"), m.Draft).Wire())
	low := slices.Clone(m.Body)
	copy(low, make([]byte, 32))
	add("encapsulated key of zeros", "other key", mustSign(t, testKey("throwaway"), protocol.Draft{Channel: dc, Kind: protocol.Direct, Body: low}).Wire())

	add("sealed again by its reader to another", "malformed", raw(innerOf(key, stranger, author, channel, field(0x52, []byte("x")))))
	add("inner signature in the domain of messages", "malformed", raw(signed(key, author, channel, field(0x52, []byte("x")))))
	add("inner signature by another", "malformed", raw(innerOf(testKey("bob"), pub, author, channel, field(0x52, []byte("x")))))
	add("another inner channel", "malformed", raw(innerOf(key, pub, author, field(0x2a, make([]byte, 16)), field(0x52, []byte("x")))))
	add("inner class 3", "malformed", raw(innerOf(key, pub, author, channel, num(0x30, 3))))
	add("inner message cut", "malformed", raw(good[:len(good)-1]))
	add("inner version 2", "malformed", raw(innerOf(key, pub, num(0x08, 2), author, channel)))
	add("nothing inside", "malformed", raw(nil))
	padded := plaintext(len(good), string(good), 256-48)
	padded[len(padded)-1] = 1
	add("padding that is not zero", "malformed", sealDirectRaw(t, pub, outer, padded))
	add("length beyond the plaintext", "malformed", sealDirectRaw(t, pub, outer, plaintext(300, string(good), 256-48)))
}

func makeCardVectors(t *testing.T, v *vectorFiles) {
	for _, name := range []string{"alice", "bob", "қуаныш"} {
		key, k := testKey(name), testSealKey(t, name)
		c := mustCard(t, key, k)
		author, sealing := c.Author(), c.Sealing()
		v.Cards.Valid = append(v.Cards.Valid, cardVector{name, c.String(), author[:], sealing[:]})
	}
	first := v.Cards.Valid[0]
	v.Cards.Valid = append(v.Cards.Valid,
		cardVector{"upper case, as in a QR code", strings.ToUpper(first.Card), first.Author, first.Sealing},
		cardVector{"mixed case", "LongEar:" + first.Card[8:], first.Author, first.Sealing})

	make32 := func(b ...[]byte) string {
		return "longear:" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(slices.Concat(b...)))
	}
	key := testKey("alice")
	pub := key.Public().(ed25519.PublicKey)
	sign := func(k ed25519.PrivateKey, domain string) []byte {
		return ed25519.Sign(k, append([]byte(domain), first.Sealing...))
	}
	other := testSealKey(t, "mallory").Public()
	spare := []byte(first.Card)
	spare[len(spare)-1]++
	v.Cards.Invalid = []cardVector{
		{Name: "empty"},
		{Name: "prefix alone", Card: "longear:"},
		{Name: "no prefix", Card: first.Card[8:]},
		{Name: "another prefix", Card: "longbow:" + first.Card[8:]},
		{Name: "a character short", Card: first.Card[:len(first.Card)-1]},
		{Name: "a character long", Card: first.Card + "a"},
		{Name: "a space behind", Card: first.Card + " "},
		{Name: "a digit that base32 lacks", Card: first.Card[:20] + "1" + first.Card[21:]},
		{Name: "spare bits set", Card: string(spare)},
		{Name: "version 0", Card: make32([]byte{0}, pub, first.Sealing, sign(key, "longear/1 card\x00"))},
		{Name: "version 2", Card: make32([]byte{2}, pub, first.Sealing, sign(key, "longear/1 card\x00"))},
		{Name: "another seal key", Card: make32([]byte{1}, pub, other[:], sign(key, "longear/1 card\x00"))},
		{Name: "signed by another", Card: make32([]byte{1}, pub, first.Sealing, sign(testKey("bob"), "longear/1 card\x00"))},
		{Name: "signed in another domain", Card: make32([]byte{1}, pub, first.Sealing, sign(key, "longear/1 direct\x00"))},
	}
}

func TestVectorsDirect(t *testing.T) {
	for _, v := range vectors(t).Direct.Open {
		k, err := protocol.ParseSealKey(v.Key)
		if err != nil {
			t.Fatal(err)
		}
		m := mustOpen(t, v.Wire)
		p, err := protocol.OpenDirect(k, m)
		checkOpened(t, v, m, p, err)
	}
}

func TestVectorsCards(t *testing.T) {
	v := vectors(t).Cards
	for _, v := range v.Valid {
		c, err := protocol.ParseCard(v.Card)
		if err != nil || c.Author() != protocol.Author(v.Author) || c.Sealing() != protocol.Sealing(v.Sealing) {
			t.Errorf("%s: %v, %v", v.Name, c, err)
		}
		if c.String() != strings.ToLower(v.Card) {
			t.Errorf("%s: written again it is %s", v.Name, c)
		}
	}
	for _, v := range v.Invalid {
		if c, err := protocol.ParseCard(v.Card); err == nil {
			t.Errorf("%s: taken for %v", v.Name, c)
		}
	}
}
