package protocol_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"
	"testing/cryptotest"

	"longear/protocol"
)

func makeVectors(t *testing.T) *vectorFiles {
	// Everything random below comes from this seed, so that the files can be made again.
	cryptotest.SetGlobalRandom(t, 1)
	v := new(vectorFiles)
	v.Messages.Valid = validMessages(t)
	v.Messages.Invalid = invalidMessages(t)
	v.Ed25519.Vectors = edgeSignatures(t)
	makeChannelVectors(t, v)
	makeSealedVectors(t, v)
	makeDirectVectors(t, v)
	makeCardVectors(t, v)
	makeAnswerVectors(t, v)
	makePollVectors(t, v)
	makeStampVectors(t, v)
	makeManifestVectors(t, v)
	makeCarryVectors(t, v)
	return v
}

// testKey is an author's key that anybody can make again from a name.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("longear test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// testID is an ID that stands for some other message.
func testID(name string) protocol.ID { return sha256.Sum256([]byte("longear test id " + name)) }

func testChannel(t testing.TB) protocol.Channel {
	t.Helper()
	c, err := protocol.PublicChannel("square")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustSign(t testing.TB, key ed25519.PrivateKey, d protocol.Draft) *protocol.Message {
	t.Helper()
	m, err := protocol.Sign(key, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fullDraft has every field.
func fullDraft(t testing.TB) protocol.Draft {
	return protocol.Draft{
		Created: 1_790_000_000_000, Lifetime: 86_400, Channel: testChannel(t), Class: protocol.Alert, Kind: protocol.Response, Flags: protocol.LocalOnly,
		Parents: []protocol.ID{testID("a"), testID("b")}, Body: []byte("water at gate 4"), Nonce: 0x1122334455667788,
	}
}

func validMessages(t *testing.T) []messageVector {
	ch := testChannel(t)
	four := []protocol.ID{testID("d"), testID("c"), testID("b"), testID("a")}
	full := fullDraft(t)
	drafts := []struct {
		name string
		d    protocol.Draft
	}{
		{"smallest", protocol.Draft{Channel: ch}},
		{"every field", full},
		{"text", protocol.Draft{Created: 1_790_000_000_000, Channel: ch, Body: []byte("су 4-қақпада")}},
		{"alert", protocol.Draft{Channel: ch, Class: protocol.Alert, Body: []byte("!")}},
		{"media manifest", protocol.Draft{Channel: ch, Class: protocol.Media, Kind: protocol.KindManifest, Body: []byte{0, 1, 2}}},
		{"created 1", protocol.Draft{Channel: ch, Created: 1}},
		{"largest created", protocol.Draft{Channel: ch, Created: protocol.MaxCreated}},
		{"lifetime 127", protocol.Draft{Channel: ch, Lifetime: 127}},
		{"lifetime 128", protocol.Draft{Channel: ch, Lifetime: 128}},
		{"longest lifetime", protocol.Draft{Channel: ch, Lifetime: 1_209_600}},
		{"unknown kind", protocol.Draft{Channel: ch, Kind: 300}},
		{"largest kind", protocol.Draft{Channel: ch, Kind: protocol.MaxKind}},
		{"unknown flags", protocol.Draft{Channel: ch, Flags: protocol.MaxFlags}},
		{"four parents in no order", protocol.Draft{Channel: ch, Parents: four}},
		{"body of 1", protocol.Draft{Channel: ch, Body: []byte{0}}},
		{"body of 127", protocol.Draft{Channel: ch, Body: bytes.Repeat([]byte{'x'}, 127)}},
		{"body of 128", protocol.Draft{Channel: ch, Body: bytes.Repeat([]byte{'x'}, 128)}},
		{"largest body", protocol.Draft{Channel: ch, Body: bytes.Repeat([]byte{'x'}, protocol.MaxBody)}},
		{"largest message", protocol.Draft{
			Created: protocol.MaxCreated, Lifetime: 1_209_600, Channel: ch, Class: protocol.Media, Kind: protocol.MaxKind, Flags: protocol.MaxFlags,
			Parents: four, Body: make([]byte, protocol.MaxBody), Nonce: 1<<64 - 1,
		}},
		{"body that looks like fields", protocol.Draft{Channel: ch, Body: mustSign(t, testKey("bob"), full).Wire()}},
		{"body that is not UTF-8", protocol.Draft{Channel: ch, Body: []byte{0xff, 0xfe, 0x80}}},
		{"nonce 1", protocol.Draft{Channel: ch, Nonce: 1}},
		{"zero channel", protocol.Draft{}},
		{"parent of zeros", protocol.Draft{Channel: ch, Parents: []protocol.ID{{}}}},
	}
	var out []messageVector
	for _, d := range drafts {
		out = append(out, messageVectorOf(d.name, testKey("alice"), mustSign(t, testKey("alice"), d.d)))
	}
	return out
}

func messageVectorOf(name string, key ed25519.PrivateKey, m *protocol.Message) messageVector {
	return messageVector{
		Name: name, Seed: key.Seed(), Author: m.Author[:],
		Created: m.Created, Lifetime: m.Lifetime, Channel: m.Channel[:], Class: uint8(m.Class), Kind: uint16(m.Kind), Flags: m.Flags,
		Parents: hexesOf(m.Parents), Body: m.Body, Nonce: m.Nonce,
		Wire: m.Wire(), ID: m.ID.String(), Signature: m.Signature(),
	}
}

// num is an integer field as a lax encoder would write it, zero included.
func num(tag byte, v uint64) []byte { return binary.AppendUvarint([]byte{tag}, v) }

// field is a bytes field.
func field(tag byte, b []byte) []byte {
	return append(binary.AppendUvarint([]byte{tag}, uint64(len(b))), b...)
}

// signed joins fields to a content and signs it as the protocol would if it allowed that content.
func signed(key ed25519.PrivateKey, fields ...[]byte) []byte {
	content := slices.Concat(fields...)
	sig := ed25519.Sign(key, append([]byte("longear/1 message\x00"), content...))
	return append(content, field(0x7a, sig)...)
}

func invalidMessages(t *testing.T) []verdictVector {
	key, ch := testKey("alice"), testChannel(t)
	author := field(0x12, key.Public().(ed25519.PublicKey))
	channel := field(0x2a, ch[:])
	parent := func(name string) []byte { id := testID(name); return field(0x4a, id[:]) }
	small := mustSign(t, key, protocol.Draft{Channel: ch}).Wire()
	full := mustSign(t, key, fullDraft(t)).Wire()
	nonce := []byte{0x59, 1, 0, 0, 0, 0, 0, 0, 0}
	cut := func(b []byte, n int) []byte { return slices.Clone(b[:n]) }
	flip := func(b []byte, at int, mask byte) []byte { c := slices.Clone(b); c[at] ^= mask; return c }
	unsigned := func(fields ...[]byte) []byte { return slices.Concat(fields...) }

	const size, malformed, limit, signature, version = "reject: size", "reject: malformed", "reject: limit", "reject: signature", "ignore: version"
	return []verdictVector{
		{"empty", hexBytes{}, size},
		{"one byte", hexBytes{0x12}, size},
		{"smallest less its last byte", cut(small, 117), size},
		{"one byte too long", signed(key, author, channel, field(0x52, make([]byte, 33280-118-4+1))), size},
		{"version 2, too long", append([]byte{0x08, 2}, make([]byte, 33279)...), size},

		{"cut in the signature", cut(full, len(full)-1), malformed},
		{"cut before the signature", cut(full, len(full)-66), malformed},
		{"cut in the nonce", cut(full, len(full)-70), malformed},
		{"cut in the body", cut(full, len(full)-66-9-3), malformed},
		{"cut to the smallest size", cut(full, 118), malformed},
		{"zeros", make([]byte, 118), malformed},

		{"created in a longer form", signed(key, author, []byte{0x18, 0x81, 0x00}, channel), malformed},
		{"lifetime in a longer form", signed(key, author, []byte{0x20, 0x81, 0x80, 0x00}, channel), malformed},
		{"class in a longer form", signed(key, author, channel, []byte{0x30, 0x81, 0x00}), malformed},
		{"kind in a longer form", signed(key, author, channel, []byte{0x38, 0x81, 0x00}), malformed},
		{"flags in a longer form", signed(key, author, channel, []byte{0x40, 0x81, 0x00}), malformed},
		{"author's length in a longer form", signed(key, []byte{0x12, 0xa0, 0x00}, author[2:], channel), malformed},
		{"channel's length in a longer form", signed(key, author, []byte{0x2a, 0x90, 0x00}, channel[2:]), malformed},
		{"parent's length in a longer form", signed(key, author, channel, []byte{0x4a, 0xa0, 0x00}, parent("a")[2:]), malformed},
		{"body's length in a longer form", signed(key, author, channel, []byte{0x52, 0x81, 0x00, 'x'}), malformed},
		{"signature's length in a longer form", slices.Concat(small[:53], []byte{0xc0, 0x00}, small[54:]), malformed},
		{"created of 11 bytes", signed(key, author, []byte{0x18, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, channel), malformed},
		{"created of 2^64", signed(key, author, []byte{0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, channel), malformed},
		{"created without an end", append(unsigned(author, []byte{0x18}), bytes.Repeat([]byte{0x80}, 100)...), malformed},

		{"created 0 written", signed(key, author, num(0x18, 0), channel), malformed},
		{"lifetime 0 written", signed(key, author, num(0x20, 0), channel), malformed},
		{"class 0 written", signed(key, author, channel, num(0x30, 0)), malformed},
		{"kind 0 written", signed(key, author, channel, num(0x38, 0)), malformed},
		{"flags 0 written", signed(key, author, channel, num(0x40, 0)), malformed},
		{"empty body written", signed(key, author, channel, field(0x52, nil)), malformed},
		{"nonce 0 written", signed(key, author, channel, make([]byte, 0), []byte{0x59, 0, 0, 0, 0, 0, 0, 0, 0}), malformed},

		{"lifetime before created", signed(key, author, num(0x20, 1), num(0x18, 1), channel), malformed},
		{"channel before author", signed(key, channel, author), malformed},
		{"kind before class", signed(key, author, channel, num(0x38, 1), num(0x30, 1)), malformed},
		{"body before parents", signed(key, author, channel, field(0x52, []byte("x")), parent("a")), malformed},
		{"nonce before body", signed(key, author, channel, nonce, field(0x52, []byte("x"))), malformed},
		{"parents apart", signed(key, author, channel, parent("a"), field(0x52, []byte("x")), parent("b")), malformed},
		{"signature first", slices.Concat(small[52:], small[:52]), malformed},

		{"author twice", signed(key, author, author, channel), malformed},
		{"created twice", signed(key, author, num(0x18, 1), num(0x18, 1), channel), malformed},
		{"channel twice", signed(key, author, channel, channel), malformed},
		{"class twice", signed(key, author, channel, num(0x30, 1), num(0x30, 1)), malformed},
		{"body twice", signed(key, author, channel, field(0x52, []byte("x")), field(0x52, []byte("x"))), malformed},
		{"nonce twice", signed(key, author, channel, nonce, nonce), malformed},
		{"signature twice", slices.Concat(small, small[52:]), malformed},

		{"no author", signed(key, channel, field(0x52, make([]byte, 60))), malformed},
		{"no channel", signed(key, author, field(0x52, make([]byte, 60))), malformed},
		{"no signature", unsigned(author, channel, field(0x52, make([]byte, 100))), malformed},
		{"field 12", signed(key, author, channel, num(0x60, 1)), malformed},
		{"field 14", signed(key, author, channel, field(0x72, []byte("x"))), malformed},
		{"field 16 after the signature", slices.Concat(small, []byte{0x82, 0x01, 0x01, 0x00}), malformed},
		{"created as fixed64", signed(key, author, []byte{0x19, 1, 0, 0, 0, 0, 0, 0, 0}, channel), malformed},
		{"kind as bytes", signed(key, author, channel, field(0x3a, []byte{1})), malformed},
		{"body as a group", signed(key, author, channel, []byte{0x53, 0x54}), malformed},
		{"version behind the author", signed(key, author, num(0x08, 2), channel), malformed},

		{"a byte behind", slices.Concat(small, []byte{0}), malformed},
		{"a second message behind", slices.Concat(small, small), malformed},
		{"author of 31", signed(key, field(0x12, author[2:33]), channel), size},
		{"author of 31 with a body", signed(key, field(0x12, author[2:33]), channel, field(0x52, []byte("xxxx"))), malformed},
		{"author of 33", signed(key, field(0x12, append(slices.Clone(author[2:]), 0)), channel), malformed},
		{"channel of 15", signed(key, author, field(0x2a, ch[:15]), field(0x52, []byte("xxxx"))), malformed},
		{"channel of 17", signed(key, author, field(0x2a, append(slices.Clone(ch[:]), 0))), malformed},
		{"parent of 31", signed(key, author, channel, field(0x4a, parent("a")[2:33])), malformed},
		{"parent of 33", signed(key, author, channel, field(0x4a, append(parent("a")[2:], 0))), malformed},
		{"signature of 63", append(unsigned(author, channel, num(0x38, 1)), field(0x7a, small[54:117])...), malformed},
		{"signature of 65", append(unsigned(author, channel), field(0x7a, append(slices.Clone(small[54:]), 0))...), malformed},
		{"body longer than the rest", signed(key, author, channel, []byte{0x52, 0x80, 0x01}, []byte("x")), malformed},
		{"body of 2^63", signed(key, author, channel, []byte{0x52, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}), malformed},
		{"body of 2^64-1", signed(key, author, channel, []byte{0x52, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}), malformed},
		{"five parents, the fifth cut", append(unsigned(author, channel, parent("a"), parent("b"), parent("c"), parent("d")), parent("e")[:20]...), malformed},

		{"created 2^48", signed(key, author, num(0x18, 1<<48), channel), limit},
		{"created 2^64-1", signed(key, author, num(0x18, 1<<64-1), channel), limit},
		{"lifetime too long by a second", signed(key, author, num(0x20, 1_209_601), channel), limit},
		{"lifetime 2^32+1, which 32 bits would take for 1", signed(key, author, num(0x20, 1<<32+1), channel), limit},
		{"class 3", signed(key, author, channel, num(0x30, 3)), limit},
		{"class 256, which 8 bits would take for 0", signed(key, author, channel, num(0x30, 256)), limit},
		{"kind 65536", signed(key, author, channel, num(0x38, 65536)), limit},
		{"kind 2^32", signed(key, author, channel, num(0x38, 1<<32)), limit},
		{"flags 65536", signed(key, author, channel, num(0x40, 65536)), limit},
		{"body of 32769", signed(key, author, channel, field(0x52, make([]byte, 32769))), limit},
		{"five parents", signed(key, author, channel, parent("a"), parent("b"), parent("c"), parent("d"), parent("e")), limit},
		{"five parents and nothing more", unsigned(author, channel, parent("a"), parent("b"), parent("c"), parent("d"), parent("e")), limit},
		{"a parent twice", signed(key, author, channel, parent("a"), parent("b"), parent("a")), limit},
		{"class 3 and a bad signature", flip(signed(key, author, channel, num(0x30, 3)), 80, 1), limit},

		{"version 0 written", signed(key, num(0x08, 0), author, channel), malformed},
		{"version 1 written", signed(key, num(0x08, 1), author, channel), malformed},
		{"version 2", signed(key, num(0x08, 2), author, channel), version},
		{"version 2 in a longer form", signed(key, []byte{0x08, 0x82, 0x00}, author, channel), malformed},
		{"version 3 and something else", append([]byte{0x08, 3}, make([]byte, 200)...), version},
		{"version 2^64-1", signed(key, num(0x08, 1<<64-1), author, channel), version},
		{"version 2^64", signed(key, []byte{0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02}, author, channel), malformed},

		{"a bit of R flipped", flip(full, len(full)-64, 1), signature},
		{"a bit of S flipped", flip(full, len(full)-32, 1), signature},
		{"the top bit of S flipped", flip(full, len(full)-1, 0x80), signature},
		{"a bit of the body flipped", flip(full, len(full)-66-9-1, 1), signature},
		{"a bit of the nonce flipped", flip(full, len(full)-67, 1), signature},
		{"a bit of the author flipped", flip(full, 2, 1), signature},
		{"signature of zeros", append(cut(small, 54), make([]byte, 64)...), signature},
		{"signed by another", append(cut(full, len(full)-66), field(0x7a, ed25519.Sign(testKey("bob"), append([]byte("longear/1 message\x00"), full[:len(full)-66]...)))...), signature},
		{"signed without a domain", append(cut(full, len(full)-66), field(0x7a, ed25519.Sign(key, full[:len(full)-66]))...), signature},
		{"signed in the domain of direct messages", append(cut(full, len(full)-66), field(0x7a, ed25519.Sign(key, append([]byte("longear/1 direct\x00"), full[:len(full)-66]...)))...), signature},
		{"signature of another message", append(cut(full, len(full)-64), small[54:]...), signature},
	}
}

func TestVectorsMessages(t *testing.T) {
	v := vectors(t).Messages
	for _, v := range v.Valid {
		m, verdict := protocol.Open(v.Wire)
		if verdict != protocol.Accept {
			t.Errorf("%s: %v", v.Name, verdict)
			continue
		}
		if got := messageVectorOf(v.Name, ed25519.NewKeyFromSeed(v.Seed), m); !equalJSON(t, got, v) {
			t.Errorf("%s: read as %+v", v.Name, got)
		}
		again := mustSign(t, ed25519.NewKeyFromSeed(v.Seed), protocol.Draft{
			Created: v.Created, Lifetime: v.Lifetime, Channel: protocol.Channel(v.Channel), Class: protocol.Class(v.Class), Kind: protocol.Kind(v.Kind),
			Flags: v.Flags, Parents: idsOf(v.Parents), Body: v.Body, Nonce: v.Nonce,
		})
		if !again.Equal(m) {
			t.Errorf("%s: signed again it is %x", v.Name, again.Wire())
		}
	}
	for _, v := range v.Invalid {
		if _, verdict := protocol.Open(v.Wire); verdict.String() != v.Verdict {
			t.Errorf("%s: %v, want %s", v.Name, verdict, v.Verdict)
		}
	}
}

// TestVectorsEd25519 wants one verdict of an edge case alone, in a batch with honest neighbours, and in a batch of its like.
func TestVectorsEd25519(t *testing.T) {
	var batch []*protocol.Unverified
	var want []bool
	for i := range 16 {
		u, verdict := protocol.Decode(mustSign(t, testKey("alice"), protocol.Draft{Nonce: uint64(i)}).Wire())
		if verdict != protocol.Accept {
			t.Fatal(verdict)
		}
		batch, want = append(batch, u), append(want, true)
	}
	for _, v := range vectors(t).Ed25519.Vectors {
		u, verdict := protocol.Decode(v.Wire)
		if verdict != protocol.Accept {
			t.Fatalf("%s: %v", v.Name, verdict)
		}
		if _, verdict := u.Verify(); verdict.String() != v.Verdict {
			t.Errorf("%s: %v, want %s", v.Name, verdict, v.Verdict)
		}
		valid := v.Verdict == protocol.Accept.String()
		if alone := protocol.VerifyAll(append(slices.Clone(batch[:8]), u)); (alone[8] != nil) != valid {
			t.Errorf("%s: the batch disagrees", v.Name)
		}
		batch, want = append(batch, u), append(want, valid)
	}
	for i, m := range protocol.VerifyAll(batch) {
		if (m != nil) != want[i] {
			t.Errorf("message %d of the big batch: accepted %v, want %v", i, m != nil, want[i])
		}
	}
	// A batch of valid ones alone goes through the batch equation and never falls back.
	var valid []*protocol.Unverified
	for i, u := range batch {
		if want[i] {
			valid = append(valid, u)
		}
	}
	for i, m := range protocol.VerifyAll(valid) {
		if m == nil {
			t.Errorf("message %d of the valid ones was refused", i)
		}
	}
}
