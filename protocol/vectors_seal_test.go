package protocol_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
	"longear/protocol"
)

func makeChannelVectors(t *testing.T, v *vectorFiles) {
	for _, s := range []string{
		"square", "#square", "Square", "north-gate_4", "ҚАЛА", "#Қала", "әіңғүұқөһ", "ІІМ", "ΣΊΣΥΦΟΣ", "σίσυφος", "İSTANBUL", "I\u0307STANBUL", "istanbul", "straße", "STRAẞE",
		"Ǆ", "é", "e\u0301", "E\u0301", "Å", "\u212b", "ﬁ", "ساحة", "广场", "कॉलेज", "각", "\u1100\u1161\u11a8", "٤", "Ⅳ", "a", "-", "_",
		strings.Repeat("a", 64), strings.Repeat("é", 32), strings.Repeat("e\u0301", 32), "Ω", "\u2126", "K", "\u212a", "ꙋ", "ა", "Ა",
	} {
		name, err := protocol.ParseChannelName(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		tag, err := protocol.PublicChannel(s)
		if err != nil {
			t.Fatal(err)
		}
		v.Channels.Names = append(v.Channels.Names, nameVector{hexText(s), name, tag.String()})
	}
	for _, s := range []string{
		"", "#", "##square", "north gate", "square!", "a/b", "🔥", "square🔥", "a\u200db", "a\u200bb", "a\u202eb", "a\u0000b", "a\nb", "a.b", "€", "…", "a\u00a0b", "a\u00adb", "\ue000",
		strings.Repeat("a", 65), strings.Repeat("é", 33), strings.Repeat("e\u0301", 86), "\xff", "a\xc3", "\xed\xa0\x80", "\u2028", "+", "\ufeffsquare", "\u0130\u200d",
	} {
		if name, err := protocol.ParseChannelName(s); err == nil {
			t.Fatalf("%q is taken for %q", s, name)
		}
		v.Channels.Refused = append(v.Channels.Refused, nameVector{Input: hexText(s)})
	}
	for range 4 {
		v.Channels.Keys = append(v.Channels.Keys, keyVectorOf(t, "", "", protocol.NewChannelKey()))
	}
	for _, p := range [][2]string{
		{"north-gate", "tin river seven lamps"},
		{"#North-Gate", "tin river seven lamps"},
		{"қала", "төрт жыл бойы күткен"},
		{"north-gate", "été long été chaud"},
	} {
		k, err := protocol.PassphraseChannel(p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		v.Channels.Passphrases = append(v.Channels.Passphrases, keyVectorOf(t, p[0], p[1], k))
	}
}

func keyVectorOf(t *testing.T, name, passphrase string, k *protocol.ChannelKey) keyVector {
	return keyVector{Name: name, Passphrase: passphrase, Secret: k.Secret(), Tag: k.Tag().String(), SealKey: sealKeyOf(t, k.Secret())}
}

// sealKeyOf derives the key as SPEC.md section 6 says, apart from the code under test.
func sealKeyOf(t *testing.T, secret string) []byte {
	t.Helper()
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(secret))
	if err != nil {
		t.Fatal(err)
	}
	k, err := hkdf.Key(sha256.New, raw, nil, "longear/1 channel seal", 32)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// sealRaw seals any plaintext, also such as no honest program makes.
func sealRaw(t *testing.T, k *protocol.ChannelKey, author protocol.Author, nonce, plaintext []byte) []byte {
	t.Helper()
	aead, err := chacha20poly1305.NewX(sealKeyOf(t, k.Secret()))
	if err != nil {
		t.Fatal(err)
	}
	tag := k.Tag()
	aad := slices.Concat([]byte("longear/1 channel seal\x00"), tag[:], author[:])
	return aead.Seal(slices.Clone(nonce), nonce, plaintext, aad)
}

// plaintext is a length, content and zeros up to size.
func plaintext(length int, content string, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint16(b, uint16(length))
	copy(b[2:], content)
	return b
}

func makeSealedVectors(t *testing.T, v *vectorFiles) {
	k, other := protocol.NewChannelKey(), protocol.NewChannelKey()
	key := testKey("alice")
	author := protocol.AuthorOf(key)
	post := func(channel protocol.Channel, signer ed25519.PrivateKey, body []byte) []byte {
		return mustSign(t, signer, protocol.Draft{Created: 1_790_000_000_000, Channel: channel, Body: body}).Wire()
	}
	texts := []struct{ name, text string }{
		{"empty", ""},
		{"short", "су 4-қақпада"},
		{"fills 256", strings.Repeat("x", 256-42)},
		{"one more than 256 holds", strings.Repeat("x", 256-42+1)},
		{"fills 512", strings.Repeat("x", 512-42)},
		{"fills 1024", strings.Repeat("x", 1024-42)},
		{"fills 2048", strings.Repeat("x", 2048-42)},
		{"longest", strings.Repeat("x", protocol.MaxSealedText)},
		{"ends in zeros", "x\x00\x00"},
	}
	for _, c := range texts {
		body, err := k.Seal(author, c.text)
		if err != nil {
			t.Fatal(err)
		}
		wire := post(k.Tag(), key, body)
		v.Sealed.Seal = append(v.Sealed.Seal, sealVector{c.name, k.Secret(), author[:], body[:24], []byte(c.text), body, wire})
	}
	v.Sealed.Seal = append(v.Sealed.Seal, sealedMedia(t, k)...)
	nonce := make([]byte, 24)
	raw := func(plain []byte) []byte { return sealRaw(t, k, author, nonce, plain) }
	good := raw(plaintext(1, "x", 256-40))
	bent := slices.Clone(good)
	bent[200] ^= 1
	padded := plaintext(1, "x", 256-40)
	padded[len(padded)-1] = 1
	for _, c := range []struct {
		name, err string
		wire      []byte
	}{
		{"zero nonce", "", post(k.Tag(), key, good)},
		{"larger bucket than needed", "", post(k.Tag(), key, raw(plaintext(1, "x", 1024-40)))},
		{"the tag of another channel", "other key", post(other.Tag(), key, good)},
		{"sealed with another key", "other key", post(k.Tag(), key, sealRaw(t, other, author, nonce, plaintext(1, "x", 256-40)))},
		{"posted again by another author", "other key", post(k.Tag(), testKey("bob"), good)},
		{"a bit flipped", "other key", post(k.Tag(), key, bent)},
		{"no body", "other key", post(k.Tag(), key, nil)},
		{"a size that is no bucket", "other key", post(k.Tag(), key, raw(plaintext(1, "x", 300-40)))},
		{"128 bytes", "other key", post(k.Tag(), key, raw(plaintext(1, "x", 128-40)))},
		{"8192 bytes", "other key", post(k.Tag(), key, raw(plaintext(1, "x", 8192-40)))},
		{"a chunk of 8192 bytes, larger than needed", "", sealedChunk(t, k, raw(plaintext(1, "x", 8192-40)))},
		{"a chunk of a size that is no bucket", "other key", sealedChunk(t, k, raw(plaintext(1, "x", 5120-40)))},
		{"padding that is not zero", "malformed", post(k.Tag(), key, raw(padded))},
		{"length beyond the plaintext", "malformed", post(k.Tag(), key, raw(plaintext(256-42+1, "x", 256-40)))},
		{"length of 65535", "malformed", post(k.Tag(), key, raw(plaintext(65535, "x", 256-40)))},
	} {
		o := openVector{Name: c.name, Secret: k.Secret(), Wire: c.wire, Error: c.err}
		if c.err == "" {
			o.Author, o.Created, o.Text = author.String(), 1_790_000_000_000, []byte("x")
			o.Kind = uint16(mustOpen(t, c.wire).Kind)
		}
		v.Sealed.Open = append(v.Sealed.Open, o)
	}
}

// sealedMedia are bodies that only manifests and chunks may have.
func sealedMedia(t *testing.T, k *protocol.ChannelKey) []sealVector {
	author := protocol.AuthorOf(testKey("alice"))
	var out []sealVector
	for _, c := range []struct {
		name string
		kind protocol.Kind
		size int
	}{
		{"chunk that fills 256", protocol.KindChunk, 256 - 42},
		{"chunk that is longer than any text", protocol.KindChunk, protocol.MaxSealedText + 1},
		{"manifest that fills 8192", protocol.KindManifest, 8192 - 42},
		{"longest chunk", protocol.KindChunk, protocol.MaxSealedBytes},
	} {
		text := bytes.Repeat([]byte{'x'}, c.size)
		body, err := k.SealMedia(author, text)
		if err != nil {
			t.Fatal(err)
		}
		m := mustSign(t, testKey("alice"), protocol.Draft{Created: 1_790_000_000_000, Channel: k.Tag(), Kind: c.kind, Body: body})
		out = append(out, sealVector{c.name, k.Secret(), author[:], body[:24], text, body, m.Wire()})
	}
	return out
}

func sealedChunk(t *testing.T, k *protocol.ChannelKey, body []byte) []byte {
	d := protocol.Draft{Created: 1_790_000_000_000, Channel: k.Tag(), Class: protocol.Media, Kind: protocol.KindChunk, Body: body}
	return mustSign(t, testKey("alice"), d).Wire()
}

func TestVectorsChannels(t *testing.T) {
	v := vectors(t).Channels
	for _, v := range v.Names {
		name, err := protocol.ParseChannelName(string(v.Input))
		if err != nil || name != v.Name {
			t.Errorf("%q: %q, %v, want %q", v.Input, name, err, v.Name)
		}
		if tag, err := protocol.PublicChannel(string(v.Input)); err != nil || tag.String() != v.Tag {
			t.Errorf("%q: tag %v, %v, want %v", v.Input, tag, err, v.Tag)
		}
	}
	for _, v := range v.Refused {
		if name, err := protocol.ParseChannelName(string(v.Input)); err == nil {
			t.Errorf("%q is taken for %q", v.Input, name)
		}
	}
	for _, v := range v.Keys {
		if k, err := protocol.ParseChannelKey(v.Secret); err != nil || k.Tag().String() != v.Tag || k.Secret() != v.Secret {
			t.Errorf("%v: %v, %v", v.Secret, k, err)
		}
	}
	for _, v := range v.Passphrases {
		if k, err := protocol.PassphraseChannel(v.Name, v.Passphrase); err != nil || k.Tag().String() != v.Tag || k.Secret() != v.Secret {
			t.Errorf("%v, %v: %v, %v", v.Name, v.Passphrase, k, err)
		}
	}
}

// openError is how vectors write what went wrong.
func openError(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, protocol.ErrOtherKey):
		return "other key"
	}
	return "malformed"
}

func checkOpened(t *testing.T, v openVector, m *protocol.Message, p *protocol.Private, err error) {
	t.Helper()
	if got := openError(err); got != v.Error {
		t.Errorf("%s: %q (%v), want %q", v.Name, got, err, v.Error)
		return
	}
	if err != nil {
		return
	}
	got := openVector{
		Name: v.Name, Secret: v.Secret, Key: v.Key, Wire: v.Wire,
		Author: p.Author().String(), Created: p.Created(), Kind: uint16(p.Kind()), Parents: hexesOf(p.Parents()), Text: []byte(p.Text()),
	}
	if !equalJSON(t, got, v) || p.ID() != m.ID {
		t.Errorf("%s: opened as %+v, want %+v", v.Name, got, v)
	}
}

func mustOpen(t testing.TB, wire []byte) *protocol.Message {
	t.Helper()
	m, v := protocol.Open(wire)
	if v != protocol.Accept {
		t.Fatal(v)
	}
	return m
}

func TestVectorsSealed(t *testing.T) {
	v := vectors(t).Sealed
	for _, v := range v.Seal {
		k, err := protocol.ParseChannelKey(v.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Text) > protocol.MaxSealedText {
			if _, err := k.Seal(protocol.Author(v.Author), string(v.Text)); err == nil {
				t.Errorf("%s: sealed as a text", v.Name)
			}
		}
		if want := sealRaw(t, k, protocol.Author(v.Author), v.Nonce, plaintext(len(v.Text), string(v.Text), len(v.Body)-40)); string(want) != string(v.Body) {
			t.Errorf("%s: sealed again it is %x", v.Name, want)
		}
		m := mustOpen(t, v.Wire)
		p, err := k.Open(m)
		if err != nil || p.Text() != string(v.Text) || string(m.Body) != string(v.Body) {
			t.Errorf("%s: %v, %v", v.Name, p, err)
		}
	}
	for _, v := range v.Open {
		k, err := protocol.ParseChannelKey(v.Secret)
		if err != nil {
			t.Fatal(err)
		}
		m := mustOpen(t, v.Wire)
		p, err := k.Open(m)
		checkOpened(t, v, m, p, err)
	}
}
