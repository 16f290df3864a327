package protocol_test

import (
	"bytes"
	"crypto/ed25519"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"longear/protocol"
)

var long = flag.Bool("long", false, "check a million mutated messages instead of a few seconds' worth")

// unverified is n different messages, decoded only.
func unverified(t testing.TB, n int) []*protocol.Unverified {
	t.Helper()
	out := make([]*protocol.Unverified, n)
	for i := range out {
		d := protocol.Draft{Created: 1_790_000_000_000, Channel: testChannel(t), Body: fmt.Appendf(nil, "%d %s", i, strings.Repeat("x", 200))}
		u, v := protocol.Decode(mustSign(t, testKey(fmt.Sprint(i%16)), d).Wire())
		if v != protocol.Accept {
			t.Fatal(v)
		}
		out[i] = u
	}
	return out
}

// mutate changes a valid message into another string of bytes.
func mutate(r *rand.Rand, wire []byte) []byte {
	b := slices.Clone(wire)
	switch at := r.IntN(len(b)); r.IntN(6) {
	case 0: // a bit
		b[at] ^= 1 << r.IntN(8)
	case 1: // a byte
		b[at] ^= byte(1 + r.IntN(255))
	case 2: // a byte less
		b = slices.Delete(b, at, at+1)
	case 3: // a byte more
		b = slices.Insert(b, at, byte(r.IntN(256)))
	case 4: // a stretch of another length
		b = append(b[:at], b[r.IntN(len(b)):]...)
	case 5: // several bytes
		for range 1 + r.IntN(8) {
			b[r.IntN(len(b))] = byte(r.IntN(256))
		}
	}
	return b
}

// TestMutatedMessagesAreRefused is what stands between a forger and everybody's screen: of all changed messages none is accepted, alone or
// in a batch.
func TestMutatedMessagesAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	full := mustSign(t, testKey("alice"), fullDraft(t)).Wire()
	tried, deadline := 0, time.Now().Add(3*time.Second)
	for tried < 1_000_000 && (*long || tried < 1000 || time.Now().Before(deadline)) {
		var batch []*protocol.Unverified
		for range 256 {
			b := mutate(r, full)
			if bytes.Equal(b, full) {
				continue
			}
			tried++
			u, v := protocol.Decode(b)
			if v != protocol.Accept {
				continue
			}
			if _, v := u.Verify(); v != protocol.RejectSignature {
				t.Fatalf("%v: %x", v, b)
			}
			if len(batch) < 8 {
				batch = append(batch, u)
			}
		}
		for _, m := range protocol.VerifyAll(batch) {
			if m != nil {
				t.Fatalf("accepted in a batch: %x", m.Wire())
			}
		}
	}
	t.Logf("%d mutated messages, none accepted", tried)
}

// TestOneForgeryInABatch: it is found, wherever it stands, and harms none of its neighbours.
func TestOneForgeryInABatch(t *testing.T) {
	honest := unverified(t, 33)
	forged := mustDecode(t, forge(t))
	for at := range honest {
		batch := slices.Clone(honest)
		batch[at] = forged
		for i, m := range protocol.VerifyAll(batch) {
			if (m == nil) != (i == at) {
				t.Fatalf("forgery at %d: message %d accepted %v", at, i, m != nil)
			}
		}
	}
	for n := range 6 { // the small batches go another way
		for i, m := range protocol.VerifyAll(append(honest[:n:n], forged)) {
			if (m == nil) != (i == n) {
				t.Fatalf("%d honest: message %d accepted %v", n, i, m != nil)
			}
		}
	}
	if got := protocol.VerifyAll(nil); len(got) != 0 {
		t.Fatalf("nothing verified gives %v", got)
	}
}

// forge is a message of alice that mallory signed.
func forge(t testing.TB) []byte {
	m := mustSign(t, testKey("alice"), fullDraft(t))
	sig := ed25519.Sign(testKey("mallory"), append([]byte("longear/1 message\x00"), m.Content()...))
	return append(bytes.Clone(m.Content()), field(0x7a, sig)...)
}

func mustDecode(t testing.TB, wire []byte) *protocol.Unverified {
	t.Helper()
	u, v := protocol.Decode(wire)
	if v != protocol.Accept {
		t.Fatal(v)
	}
	return u
}

// TestDomainsAreApart: a signature made for one purpose never serves another.
func TestDomainsAreApart(t *testing.T) {
	key, reader := testKey("alice"), testSealKey(t, "bob")
	pub := reader.Public()
	domains := map[string]string{
		"message": "longear/1 message\x00", "direct": "longear/1 direct\x00" + string(pub[:]), "card": "longear/1 card\x00", "none": "",
	}
	dc := protocol.DirectChannel()
	content := slices.Concat(field(0x12, key.Public().(ed25519.PublicKey)), field(0x2a, dc[:]))
	for name, domain := range domains {
		wire := append(slices.Clone(content), field(0x7a, ed25519.Sign(key, append([]byte(domain), content...)))...)
		if _, v := protocol.Open(wire); (v == protocol.Accept) != (name == "message") {
			t.Errorf("signed as %s, as a message: %v", name, v)
		}
		m := mustOpen(t, sealDirectRaw(t, pub, protocol.Draft{Channel: dc, Kind: protocol.Direct}, plaintext(len(wire), string(wire), 256-48)))
		if _, err := protocol.OpenDirect(reader, m); (err == nil) != (name == "direct") {
			t.Errorf("signed as %s, as a direct message: %v", name, err)
		}
	}
}

// TestRestore: bytes from the disk are what they were, or an error.
func TestRestore(t *testing.T) {
	m := mustSign(t, testKey("alice"), fullDraft(t))
	if r, err := protocol.Restore(m.Wire(), m.ID); err != nil || !r.Equal(m) {
		t.Fatalf("%v, %v", r, err)
	}
	rotten := bytes.Clone(m.Wire())
	rotten[len(rotten)-66-9-1] ^= 1
	if _, err := protocol.Restore(rotten, m.ID); err == nil {
		t.Error("restored a rotten message")
	}
	if _, err := protocol.Restore(m.Wire()[:50], m.ID); err == nil {
		t.Error("restored half a message")
	}
}

// TestCloneOwnsItsBytes: a caller may use its buffer again.
func TestCloneOwnsItsBytes(t *testing.T) {
	for _, d := range []protocol.Draft{fullDraft(t), {Body: []byte("x")}, {Nonce: 1}, {}} {
		m := mustSign(t, testKey("alice"), d)
		buffer := bytes.Clone(m.Wire())
		c := mustOpen(t, buffer).Clone()
		clear(buffer)
		if !c.Equal(m) || !bytes.Equal(c.Body, m.Body) || !slices.Equal(c.Parents, m.Parents) || c.ID != m.ID {
			t.Errorf("the clone of %+v became %+v", m, c)
		}
	}
}

// TestSignRefuses: what no node would accept is not signed, and the error says why.
func TestSignRefuses(t *testing.T) {
	id := testID("a")
	for _, c := range []struct {
		d    protocol.Draft
		says string
	}{
		{protocol.Draft{Body: make([]byte, protocol.MaxBody+1)}, "at most 32768"},
		{protocol.Draft{Parents: make([]protocol.ID, 5)}, "at most 4"},
		{protocol.Draft{Parents: []protocol.ID{id, id}}, "twice"},
		{protocol.Draft{Created: protocol.MaxCreated + 1}, "created"},
		{protocol.Draft{Lifetime: 1_209_601}, "lifetime"},
		{protocol.Draft{Class: 3}, "class 3"},
		{protocol.Draft{Flags: 1 << 16}, "flags"},
	} {
		_, err := protocol.Sign(testKey("alice"), c.d)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v does not say %q", err, c.says)
		}
		if _, err := protocol.Mint(t.Context(), testKey("alice"), c.d, 1); err == nil {
			t.Errorf("minted what says %q", c.says)
		}
	}
	if _, err := protocol.Sign(nil, protocol.Draft{}); err == nil {
		t.Error("signed without a key")
	}
}

// TestTextForms: IDs, authors and tags are read as they are written, in either case, and nothing else is.
func TestTextForms(t *testing.T) {
	id := testID("a")
	if got, err := protocol.ParseID(strings.ToUpper(id.String())); err != nil || got != id {
		t.Errorf("%v, %v", got, err)
	}
	author := protocol.AuthorOf(testKey("alice"))
	if got, err := protocol.ParseAuthor(author.String()); err != nil || got != author {
		t.Errorf("%v, %v", got, err)
	}
	ch := testChannel(t)
	if got, err := protocol.ParseChannel(ch.String()); err != nil || got != ch {
		t.Errorf("%v, %v", got, err)
	}
	s := id.String()
	for _, bad := range []string{"", s[1:], s + "a", s[:51] + "=", "0" + s[1:], s[:51] + "b", strings.Repeat("ſ", 26), s[:51] + "\n"} {
		if got, err := protocol.ParseID(bad); err == nil {
			t.Errorf("%q is read as %v", bad, got)
		}
	}
}
