package web_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"longear/protocol"
)

// TestNames: of every character, alone, doubled, and between letters, both make the same name, or none. They may differ on a
// character that the Unicode tables of one do not have yet: there is no name with it for that one.
func TestNames(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(4, 4))
	var typed []string
	for c := rune(1); c <= unicode.MaxRune; c++ {
		if (c < 0xd800 || c > 0xdfff) && (c < 0x30000 || c%97 == 0) {
			typed = append(typed, string(c), "#aΣ"+string(c)+"ς", string(c)+string(c))
		}
	}
	for range 20_000 {
		var s strings.Builder
		for range 1 + rng.IntN(40) {
			s.WriteRune(tricky[rng.IntN(len(tricky))])
		}
		typed = append(typed, s.String())
	}
	for range 2000 {
		typed = append(typed, string(randomBytes(rng, rng.IntN(12))))
	}
	names, unknown := 0, 0
	for part := range slices.Chunk(typed, 50_000) {
		r := request{Op: "names"}
		for _, s := range part {
			r.List = append(r.List, hex.EncodeToString([]byte(s)))
		}
		for i, got := range p.ask(r).List {
			want := ""
			if name, err := protocol.ParseChannelName(part[i]); err == nil {
				tag, err := protocol.PublicChannel(part[i])
				if err != nil {
					t.Fatal(err)
				}
				want = name + " " + tag.String()
				names++
			}
			newHere := strings.ContainsFunc(part[i], func(c rune) bool { return unicode.Is(unicode.Cn, c) })
			got, newThere := strings.CutPrefix(got, "?")
			if newHere || newThere {
				unknown++
			}
			if newHere && want != "" || newThere && got != "" || !newHere && !newThere && got != want {
				t.Fatalf("%+q is %q, want %q (a new character for Go: %v, for TypeScript: %v)", part[i], got, want, newHere, newThere)
			}
		}
	}
	t.Logf("%d inputs, %d names, %d with a character that one does not know (Go has Unicode %s)", len(typed), names, unknown, unicode.Version)
	if names < 100_000 {
		t.Errorf("only %d names", names)
	}
}

// tricky are characters with which lower-casing and composing have to do.
var tricky = []rune("aAzZ09-_ΣσςİıIiÅÅÄ́̈̀ǅßẞéқҚӘЁЙ가각각क़༹ﷺﬁ\u0345\u0307\u1e9e\u212a\u2126\u0130\u03f4\u1c89")

// TestCards: what one makes the other reads; what is changed both refuse.
func TestCards(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(5, 5))
	var cards []string
	for range 30 {
		key, seal := ed25519.NewKeyFromSeed(randomBytes(rng, 32)), protocol.Sealing(randomBytes(rng, 32))
		card, err := protocol.NewCard(key, seal)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.ask(request{Op: "card", Seed: hex.EncodeToString(key.Seed()), Key: hex.EncodeToString(seal[:])}).Text; got != card.String() {
			t.Fatalf("the card is %s, want %s", got, card)
		}
		text := card.String()
		cards = append(cards, text, strings.ToUpper(text), strings.Replace(text, "k", "\u212a", 1))
		for range 5 {
			b := []byte(text)
			b[rng.IntN(len(b))] = "abcdefghijklmnopqrstuvwxyz234567ABCXYZ:=1"[rng.IntN(41)]
			cards = append(cards, string(b))
		}
	}
	read := 0
	for i, got := range p.ask(request{Op: "cards", List: cards}).List {
		want := ""
		if c, err := protocol.ParseCard(cards[i]); err == nil {
			author, seal := c.Author(), c.Sealing()
			want = hex.EncodeToString(author[:]) + hex.EncodeToString(seal[:])
			read++
		}
		if got != want {
			t.Errorf("card %s reads as %q, want %q", cards[i], got, want)
		}
	}
	if read < 60 || read == len(cards) {
		t.Errorf("%d of %d cards are read", read, len(cards))
	}
}

// eventsOf tells what a reader meets in a file as the TypeScript end tells it.
func eventsOf(t *testing.T, file []byte) string {
	t.Helper()
	var events []string
	for r, err := range protocol.ReadCarry(bytes.NewReader(file)) {
		damage, ok := errors.AsType[*protocol.CarryError](err)
		switch {
		case err == nil:
			events = append(events, fmt.Sprintf("%d %x", r.Age/time.Millisecond, r.Wire))
		case !ok:
			t.Fatal(err)
		case damage.Last:
			events = append(events, "stopped")
		default:
			events = append(events, "skipped")
		}
	}
	return strings.Join(events, "\n")
}

// TestCarryFiles: both write the same file, and meet the same in it when it is damaged.
func TestCarryFiles(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(6, 6))
	var files [][]byte
	for range 20 {
		var file bytes.Buffer
		w := protocol.NewCarryWriter(&file)
		r := request{Op: "pack"}
		for age, wire := range randomMessages(t, rng, rng.IntN(6)) {
			m, _ := protocol.Open(wire)
			if err := w.Write(m, time.Duration(age)*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			r.List = append(r.List, hex.EncodeToString(wire))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := p.ask(r).Text; got != hex.EncodeToString(file.Bytes()) {
			t.Fatalf("the file is %.200s, want %.200x", got, file.Bytes())
		}
		files = append(files, file.Bytes())
		for range 40 {
			files = append(files, mutate(rng, file.Bytes()))
		}
	}
	var list []string
	for _, f := range files {
		list = append(list, hex.EncodeToString(f))
	}
	for i, got := range p.ask(request{Op: "carry", List: list}).List {
		if want := eventsOf(t, files[i]); got != want {
			t.Fatalf("file %d %.400x: met\n%.200s, want\n%.200s", i, files[i], got, want)
		}
	}
}

// TestSealedChannels: each opens what the other seals.
func TestSealedChannels(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(8, 8))
	key, author := protocol.NewChannelKey(), ed25519.NewKeyFromSeed(randomBytes(rng, 32))
	var texts, wires []string
	post := func(body []byte) *protocol.Message {
		m, err := protocol.Sign(author, protocol.Draft{Channel: key.Tag(), Body: body})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, n := range []int{0, 1, 214, 215, 500, 2000, 4054} {
		text := randomBytes(rng, n)
		body, err := key.Seal(protocol.AuthorOf(author), string(text))
		if err != nil {
			t.Fatal(err)
		}
		texts, wires = append(texts, hex.EncodeToString(text)), append(wires, hex.EncodeToString(post(body).Wire()))
	}
	for i, got := range p.ask(request{Op: "open", Key: key.Secret(), List: wires}).List {
		if got != "text "+texts[i] {
			t.Errorf("a text of %d bytes opens as %.100s", len(texts[i])/2, got)
		}
	}
	from := protocol.AuthorOf(author)
	for i, body := range p.ask(request{Op: "seal", Key: key.Secret(), Seed: hex.EncodeToString(from[:]), List: texts}).List {
		private, err := key.Open(post(unhex(t, body)))
		if err != nil || hex.EncodeToString([]byte(private.Text())) != texts[i] {
			t.Errorf("Go opens a text of %d bytes with %v", len(texts[i])/2, err)
		}
	}
}

// TestDirectMessages: each opens what the other writes to it.
func TestDirectMessages(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(9, 9))
	author := ed25519.NewKeyFromSeed(randomBytes(rng, 32))
	from := protocol.AuthorOf(author)
	reader, err := protocol.NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	private, err := reader.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	card, err := protocol.NewCard(author, reader.Public())
	if err != nil {
		t.Fatal(err)
	}
	var texts, wires []string
	for _, n := range []int{0, 1, 100, 1000, 3777} {
		text := randomBytes(rng, n)
		m, err := protocol.SealDirect(t.Context(), author, card, protocol.Draft{Created: 5, Body: text}, 0)
		if err != nil {
			t.Fatal(err)
		}
		texts, wires = append(texts, hex.EncodeToString(text)), append(wires, hex.EncodeToString(m.Wire()))
	}
	for i, got := range p.ask(request{Op: "unfold", Key: hex.EncodeToString(private), List: wires}).List {
		if want := fmt.Sprintf("%x 5 %s", from[:], texts[i]); got != want {
			t.Errorf("a letter of %d bytes opens as %.200s, want %.200s", len(texts[i])/2, got, want)
		}
	}
	public := reader.Public()
	for i, wire := range p.ask(request{Op: "letter", Seed: hex.EncodeToString(author.Seed()), Key: hex.EncodeToString(public[:]), List: texts}).List {
		m, v := protocol.Open(unhex(t, wire))
		if v != protocol.Accept {
			t.Fatalf("Go says of a letter: %v", v)
		}
		got, err := protocol.OpenDirect(reader, m)
		if err != nil || got.Author() != from || hex.EncodeToString([]byte(got.Text())) != texts[i] {
			t.Errorf("Go opens a letter of %d bytes with %v", len(texts[i])/2, err)
		}
	}
}
