package protocol_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"testing"
	"time"

	"longear/protocol"
)

// TestSealedSizes: five sizes, and none tells more of a text than which it fits.
func TestSealedSizes(t *testing.T) {
	k := protocol.NewChannelKey()
	sizes := map[int]bool{}
	for n := 0; n <= protocol.MaxSealedText; n++ {
		body, err := k.Seal(protocol.Author{}, strings.Repeat("x", n))
		if err != nil {
			t.Fatal(err)
		}
		if len(body) > 256 && n <= len(body)/2-42 {
			t.Fatalf("%d bytes take %d", n, len(body))
		}
		sizes[len(body)] = true
	}
	if len(sizes) != 5 {
		t.Errorf("sizes %v, want five", sizes)
	}
	if _, err := k.Seal(protocol.Author{}, strings.Repeat("x", protocol.MaxSealedText+1)); err == nil {
		t.Error("sealed more than fits")
	}
}

// TestSealingTwiceDiffers: nonces are fresh.
func TestSealingTwiceDiffers(t *testing.T) {
	k := protocol.NewChannelKey()
	a, _ := k.Seal(protocol.Author{}, "x")
	b, _ := k.Seal(protocol.Author{}, "x")
	if bytes.Equal(a, b) || bytes.Equal(a[:24], b[:24]) {
		t.Error("two sealed bodies have one nonce")
	}
}

// TestKeysDoNotPrint: a key in a log or an error is only its public half.
func TestKeysDoNotPrint(t *testing.T) {
	k := protocol.NewChannelKey()
	d := testSealKey(t, "bob")
	raw, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%s", "%#v", "%q"} {
		if s := fmt.Sprintf(format, k); strings.Contains(s, k.Secret()) || !strings.Contains(s, k.Tag().String()) {
			t.Errorf("%s prints %s", format, s)
		}
		if s := fmt.Sprintf(format, d); bytes.Contains([]byte(s), raw) || strings.Contains(s, fmt.Sprintf("%x", raw)) {
			t.Errorf("%s prints %s", format, s)
		}
	}
}

// TestDirect: what one writes the other reads, nobody else does, and the outside names neither.
func TestDirect(t *testing.T) {
	key, reader := testKey("alice"), testSealKey(t, "bob")
	card := mustCard(t, testKey("bob"), reader)
	d := protocol.Draft{Created: 5, Lifetime: 3600, Kind: protocol.Response, Flags: protocol.LocalOnly, Parents: []protocol.ID{testID("a")}, Body: []byte("иә")}
	m, err := protocol.SealDirect(t.Context(), key, card, d, 8)
	if err != nil {
		t.Fatal(err)
	}
	p, err := protocol.OpenDirect(reader, m)
	if err != nil {
		t.Fatal(err)
	}
	if p.Author() != protocol.AuthorOf(key) || p.Text() != "иә" || p.Kind() != protocol.Response || p.Created() != 5 || !slices.Equal(p.Parents(), d.Parents) || p.ID() != m.ID {
		t.Errorf("opened %+v", p)
	}
	if m.Author == protocol.AuthorOf(key) || len(m.Parents) != 0 || m.Kind != protocol.Direct || m.Life() != time.Hour || m.Flags != protocol.LocalOnly || protocol.Stamp(m.ID) < 8 {
		t.Errorf("outside: %+v", m.Draft)
	}
	author, sealing := protocol.AuthorOf(key), reader.Public()
	if bytes.Contains(m.Wire(), author[:]) || bytes.Contains(m.Wire(), sealing[:]) {
		t.Error("the outside names somebody")
	}
	if _, err := protocol.OpenDirect(testSealKey(t, "carol"), m); !errors.Is(err, protocol.ErrOtherKey) {
		t.Errorf("a third reader gets %v", err)
	}
	again, err := protocol.SealDirect(t.Context(), key, card, d, 0)
	if err != nil {
		t.Fatal(err)
	}
	if again.Author == m.Author || bytes.Equal(again.Body[:32], m.Body[:32]) {
		t.Error("two direct messages share an author or a key")
	}
}

// TestDirectLooksTheSameToAll: two messages to two readers differ only where they are random.
func TestDirectLooksTheSameToAll(t *testing.T) {
	var shapes [2]string
	for i, name := range []string{"bob", "carol"} {
		card := mustCard(t, testKey(name), testSealKey(t, name))
		m, err := protocol.SealDirect(t.Context(), testKey("alice"), card, protocol.Draft{Created: 7, Parents: []protocol.ID{testID(name)}, Body: []byte(strings.Repeat(name[:1], 20*i))}, 0)
		if err != nil {
			t.Fatal(err)
		}
		shapes[i] = fmt.Sprint(m.Created, m.Lifetime, m.Channel, m.Class, m.Kind, m.Flags, m.Parents, len(m.Body), m.Nonce)
	}
	if shapes[0] != shapes[1] {
		t.Errorf("%s\nand\n%s", shapes[0], shapes[1])
	}
}

// TestDirectRefuses: what cannot be sent is an error in words.
func TestDirectRefuses(t *testing.T) {
	card := mustCard(t, testKey("bob"), testSealKey(t, "bob"))
	if _, err := protocol.SealDirect(t.Context(), testKey("alice"), card, protocol.Draft{Body: make([]byte, protocol.MaxDirectText+1)}, 0); err == nil {
		t.Error("sealed more than fits")
	}
	if _, err := protocol.SealDirect(t.Context(), nil, card, protocol.Draft{}, 0); err == nil {
		t.Error("sealed without a key")
	}
	// A key of small order would give everybody the same secret.
	if _, err := protocol.SealDirect(t.Context(), testKey("alice"), mustLowOrderCard(t), protocol.Draft{}, 0); err == nil {
		t.Error("sealed to a key of small order")
	}
	if _, err := protocol.SealDirect(t.Context(), testKey("alice"), protocol.Card{}, protocol.Draft{}, 0); err == nil {
		t.Error("sealed to no card")
	}
	if _, err := protocol.ParseSealKey(make([]byte, 31)); err == nil {
		t.Error("a seal key of 31 bytes")
	}
	if _, err := protocol.NewCard(ed25519.PrivateKey{}, protocol.Sealing{}); err == nil {
		t.Error("a card without a key")
	}
}

func mustLowOrderCard(t *testing.T) protocol.Card {
	return must(protocol.NewCard(testKey("mallory"), protocol.Sealing{1}))
}

// TestMint: the stamp is there, the message is valid, and a search that takes too long can be given up.
func TestMint(t *testing.T) {
	for zeros := range 12 {
		m, err := protocol.Mint(t.Context(), testKey("alice"), fullDraft(t), zeros)
		if err != nil {
			t.Fatal(err)
		}
		if protocol.Stamp(m.ID) < zeros {
			t.Errorf("%d bits minted, %d wanted", protocol.Stamp(m.ID), zeros)
		}
		if _, v := protocol.Open(m.Wire()); v != protocol.Accept {
			t.Errorf("%d bits: %v", zeros, v)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := protocol.Mint(ctx, testKey("alice"), fullDraft(t), protocol.MaxStamp); !errors.Is(err, context.Canceled) {
		t.Errorf("minting for ever ended with %v", err)
	}
	for _, zeros := range []int{-1, protocol.MaxStamp + 1} {
		if _, err := protocol.Mint(t.Context(), testKey("alice"), fullDraft(t), zeros); err == nil {
			t.Errorf("minted %d bits", zeros)
		}
	}
}

// TestStampAgrees with the definition, read bit by bit.
func TestStampAgrees(t *testing.T) {
	for i := range 2000 {
		id := testID(fmt.Sprint(i))
		want := 0
		for _, b := range id {
			want += bits.LeadingZeros8(b)
			if b != 0 {
				break
			}
		}
		if got := protocol.Stamp(id); got != want {
			t.Fatalf("%x: %d, want %d", id, got, want)
		}
	}
}

// TestPassphrases: made ones pass the check that weak ones fail, and are never the same. Of so many, three would
// have a word twice if that were allowed.
func TestPassphrases(t *testing.T) {
	seen := map[string]bool{}
	for range 500_000 {
		p := protocol.NewPassphrase()
		if err := protocol.CheckPassphrase(p); err != nil || seen[p] || len(p) != 19 {
			t.Fatalf("%q: %v", p, err)
		}
		seen[p] = true
	}
	for _, weak := range []string{
		"", "password", "correct horse battery", // too few words
		"a b c d e", // too short
		"север север север север",       // one word
		"correcthorsebatterystaple",     // no words
		strings.Repeat("a b c d ", 200), // too long
	} {
		if err := protocol.CheckPassphrase(weak); err == nil {
			t.Errorf("%q passes", weak)
		}
	}
	if err := protocol.CheckPassphrase("төрт жыл бойы күткен"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "\xff", strings.Repeat("x", 1025)} {
		if _, err := protocol.PassphraseChannel("north-gate", bad); err == nil {
			t.Errorf("a channel of %q", bad)
		}
	}
	if _, err := protocol.PassphraseChannel("north gate", "x"); err == nil {
		t.Error("a channel of a name with a space")
	}
}

// TestChannelsOfOneNameAreApart: public, open-secret and direct never meet.
func TestChannelsOfOneNameAreApart(t *testing.T) {
	tags := map[protocol.Channel]string{protocol.DirectChannel(): "direct", testChannel(t): "public"}
	for _, phrase := range []string{"a", "b"} {
		k := must(protocol.PassphraseChannel("square", phrase))
		if other, taken := tags[k.Tag()]; taken {
			t.Errorf("passphrase %s has the tag of %s", phrase, other)
		}
		tags[k.Tag()] = phrase
	}
	if must(protocol.PassphraseChannel("#SQUARE", "a")).Secret() != must(protocol.PassphraseChannel("square", "a")).Secret() {
		t.Error("two spellings of a name give two keys")
	}
}
