package protocol_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"longear/protocol"
)

// FuzzOpen holds what every input must satisfy: no panic, one encoding, and one verdict whether a signature is checked
// alone or in a batch.
func FuzzOpen(f *testing.F) {
	v := vectors(f)
	for _, v := range v.Messages.Valid {
		f.Add([]byte(v.Wire))
	}
	for _, v := range v.Messages.Invalid {
		f.Add([]byte(v.Wire))
	}
	for _, v := range v.Ed25519.Vectors {
		f.Add([]byte(v.Wire))
	}
	neighbours := unverified(f, 7)
	f.Fuzz(func(t *testing.T, wire []byte) {
		u, v := protocol.Decode(wire)
		if v != protocol.Accept {
			if !v.Rejected() && v != protocol.IgnoreVersion {
				t.Fatalf("verdict %v by bytes alone", v)
			}
			return
		}
		checkCanonical(t, u, wire)
		m, v := u.Verify()
		if batch := protocol.VerifyAll(append(neighbours[:7:7], u)); (batch[7] != nil) != (v == protocol.Accept) {
			t.Fatalf("alone %v, in a batch %v", v, batch[7] != nil)
		}
		if v != protocol.Accept {
			return
		}
		if !bytes.Equal(m.Wire(), wire) || len(m.Content())+66 != len(wire) || m.ID != u.ID() {
			t.Fatal("the message is not its wire")
		}
		c := m.Clone()
		if !c.Equal(m) || !bytes.Equal(c.Body, m.Body) || len(c.Parents) != len(m.Parents) {
			t.Fatal("a clone differs")
		}
	})
}

// checkCanonical encodes what was read and wants the same bytes: if two encodings of one message were both read, one of
// them would fail here.
func checkCanonical(t *testing.T, u *protocol.Unverified, wire []byte) {
	t.Helper()
	author, d := u.Claims()
	again := encodeDraft(author, d)
	if !bytes.Equal(again, wire[:len(wire)-66]) {
		t.Fatalf("%x\nis read, and encoded again it is\n%x", wire, again)
	}
}

// encodeDraft is the canonical content, written apart from the code under test.
func encodeDraft(author protocol.Author, d *protocol.Draft) []byte {
	b := field(0x12, author[:])
	optional := func(tag byte, v uint64) {
		if v != 0 {
			b = append(b, num(tag, v)...)
		}
	}
	optional(0x18, d.Created)
	optional(0x20, uint64(d.Lifetime))
	b = append(b, field(0x2a, d.Channel[:])...)
	optional(0x30, uint64(d.Class))
	optional(0x38, uint64(d.Kind))
	optional(0x40, uint64(d.Flags))
	for _, p := range d.Parents {
		b = append(b, field(0x4a, p[:])...)
	}
	if len(d.Body) > 0 {
		b = append(b, field(0x52, d.Body)...)
	}
	if d.Nonce != 0 {
		b = append(b, 0x59)
		for i := range 8 {
			b = append(b, byte(d.Nonce>>(8*i)))
		}
	}
	return b
}

// FuzzSign: whatever draft is signed reads back as the same draft, and what is refused is over a limit.
func FuzzSign(f *testing.F) {
	f.Add(uint64(1), uint32(2), uint8(1), uint16(3), uint32(1), uint8(2), []byte("x"), uint64(9))
	f.Add(uint64(1<<48), uint32(1_209_601), uint8(3), uint16(0), uint32(1<<16), uint8(5), []byte(nil), uint64(0))
	key := testKey("alice")
	f.Fuzz(func(t *testing.T, created uint64, lifetime uint32, class uint8, kind uint16, flags uint32, parents uint8, body []byte, nonce uint64) {
		d := protocol.Draft{Created: created, Lifetime: lifetime, Class: protocol.Class(class), Kind: protocol.Kind(kind), Flags: flags, Body: body, Nonce: nonce}
		for i := range parents % 8 {
			d.Parents = append(d.Parents, protocol.ID{i})
		}
		fits := created < 1<<48 && lifetime <= 1_209_600 && class <= 2 && flags <= 65535 && len(d.Parents) <= 4 && len(body) <= 32768
		m, err := protocol.Sign(key, d)
		if (err == nil) != fits {
			t.Fatalf("%+v: %v", d, err)
		}
		if err != nil {
			return
		}
		if want := encodeDraft(protocol.AuthorOf(key), &d); !bytes.Equal(m.Content(), want) {
			t.Fatalf("encoded as %x, want %x", m.Content(), want)
		}
		if _, v := protocol.Open(m.Wire()); v != protocol.Accept {
			t.Fatal(v)
		}
	})
}

// FuzzChannelName: a canonical name is its own canonical form, and is within its bounds.
func FuzzChannelName(f *testing.F) {
	v := vectors(f).Channels
	for _, v := range append(v.Names, v.Refused...) {
		f.Add(string(v.Input))
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := protocol.ParseChannelName(s)
		if err != nil {
			return
		}
		if len(name) < 1 || len(name) > protocol.MaxChannelName {
			t.Fatalf("%q gives a name of %d bytes", s, len(name))
		}
		if again, err := protocol.ParseChannelName("#" + name); err != nil || again != name {
			t.Fatalf("%q gives %q, which gives %q, %v", s, name, again, err)
		}
	})
}

// FuzzSealedOpen puts any plaintext into a well sealed body: what opens is what a sealer could have put there.
func FuzzSealedOpen(f *testing.F) {
	f.Add([]byte{0, 1, 'x'}, uint8(0))
	f.Add([]byte{0xff, 0xff}, uint8(4))
	f.Add([]byte{0, 0, 0, 1}, uint8(1))
	f.Fuzz(func(t *testing.T, content []byte, bucket uint8) {
		k, err := protocol.ParseChannelKey(testID("fuzz").String())
		if err != nil {
			t.Fatal(err)
		}
		key := testKey("alice")
		plain := make([]byte, 256<<(bucket%5)-40)
		copy(plain, content)
		m := mustSign(t, key, protocol.Draft{Channel: k.Tag(), Body: sealRaw(t, k, protocol.AuthorOf(key), make([]byte, 24), plain)})
		p, err := k.Open(m)
		if err != nil {
			return
		}
		if want := plaintext(len(p.Text()), p.Text(), len(plain)); !bytes.Equal(want, plain) {
			t.Fatalf("%x opened as %q", plain, p.Text())
		}
	})
}

// FuzzSealedBody throws any body at an opener: only one that was sealed with the key opens, and nobody sealed these.
func FuzzSealedBody(f *testing.F) {
	v := vectors(f)
	for _, v := range v.Sealed.Open {
		f.Add([]byte(v.Wire))
	}
	for _, v := range v.Direct.Open {
		f.Add([]byte(v.Wire))
	}
	stranger := testSealKey(f, "nobody")
	f.Fuzz(func(t *testing.T, body []byte) {
		k, err := protocol.ParseChannelKey(testID("fuzz").String())
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > protocol.MaxBody {
			return
		}
		if p, err := k.Open(mustSign(t, testKey("alice"), protocol.Draft{Channel: k.Tag(), Body: body})); err == nil {
			t.Fatalf("opened %q", p.Text())
		}
		m := mustSign(t, testKey("alice"), protocol.Draft{Channel: protocol.DirectChannel(), Kind: protocol.Direct, Body: body})
		if p, err := protocol.OpenDirect(stranger, m); err == nil {
			t.Fatalf("opened %q", p.Text())
		}
	})
}

// FuzzDirectOpen puts anything into a direct message that is sealed to us: a stranger needs only our card to do so.
func FuzzDirectOpen(f *testing.F) {
	key, reader := testKey("alice"), testSealKey(f, "bob")
	dc, pub := protocol.DirectChannel(), reader.Public()
	good := innerOf(key, pub, field(0x12, key.Public().(ed25519.PublicKey)), field(0x2a, dc[:]), field(0x52, []byte("x")))
	f.Add(plaintext(len(good), string(good), len(good)+2))
	f.Add([]byte{0xff})
	f.Fuzz(func(t *testing.T, content []byte) {
		plain := make([]byte, 1024-48)
		copy(plain, content)
		m := mustOpen(t, sealDirectRaw(t, pub, protocol.Draft{Channel: dc, Kind: protocol.Direct}, plain))
		p, err := protocol.OpenDirect(reader, m)
		if err == nil && (p.Author() != protocol.AuthorOf(key) || p.Text() != "x") {
			t.Fatalf("somebody wrote as %v: %q", p.Author(), p.Text())
		}
	})
}

// FuzzCard: a card that is read is written back as it came, but for its case.
func FuzzCard(f *testing.F) {
	v := vectors(f).Cards
	for _, v := range append(v.Valid, v.Invalid...) {
		f.Add(v.Card)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := protocol.ParseCard(s); err == nil && c.String() != lowerASCII(s) {
			t.Fatalf("%s is read as %s", s, c)
		}
	})
}

func lowerASCII(s string) string { return string(bytes.ToLower([]byte(s))) }

// FuzzCarry: any file ends, gives at most what it holds, and says so when it was not whole.
func FuzzCarry(f *testing.F) {
	for _, v := range vectors(f).Carry.Files {
		if len(v.File) < 2000 {
			f.Add([]byte(v.File))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		total := 0
		var last error
		for r, err := range protocol.ReadCarry(bytes.NewReader(file)) {
			eventOf(t, r, err) // fails on an error that is not a CarryError
			if err == nil && (len(r.Wire) > protocol.MaxMessage+9 || r.Age < 0 || r.Age > protocol.MaxLifetime) {
				t.Fatalf("a record of %d bytes, age %v", len(r.Wire), r.Age)
			}
			total += len(r.Wire)
			last = err
		}
		if total > len(file) {
			t.Fatalf("%d bytes out of a file of %d", total, len(file))
		}
		if last == nil && !bytes.HasPrefix(file, []byte("longear carry 1\n")) {
			t.Fatal("no complaint about a file without its magic")
		}
	})
}
