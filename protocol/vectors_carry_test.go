package protocol_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"longear/protocol"
)

// equalJSON compares vectors as they are written, where no list and an empty one are the same.
func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(x, y)
}

func makeStampVectors(t *testing.T, v *vectorFiles) {
	for bits := range 256 {
		if bits > 24 && bits%41 != 0 {
			continue
		}
		id := bytes.Repeat([]byte{0xff}, 32)
		for i := range bits {
			id[i/8] &^= 0x80 >> (i % 8)
		}
		v.Stamps.Stamps = append(v.Stamps.Stamps, stampVector{id, bits})
	}
	one := make([]byte, 32)
	one[31] = 1
	v.Stamps.Stamps = append(v.Stamps.Stamps, stampVector{one, 255}, stampVector{make([]byte, 32), 256})
	for _, bits := range []int{1, 4, 8, 12, 16} {
		for _, d := range []protocol.Draft{fullDraft(t), {Channel: testChannel(t), Body: bytes.Repeat([]byte{'x'}, 1000)}} {
			m, err := protocol.Mint(t.Context(), testKey("alice"), d, bits)
			if err != nil {
				t.Fatal(err)
			}
			v.Stamps.Minted = append(v.Stamps.Minted, messageVectorOf("mint "+string(rune('0'+bits/10))+string(rune('0'+bits%10)), testKey("alice"), m))
		}
	}
}

// carryFile is a file written by hand, with its trailer.
type carryFile struct {
	b     []byte
	count uint64
}

func newCarryFile() *carryFile { return &carryFile{b: []byte("longear carry 1\n")} }

func (c *carryFile) record(age, wire []byte) *carryFile {
	c.b = binary.AppendUvarint(c.b, uint64(len(age)+len(wire)))
	c.b = append(append(c.b, age...), wire...)
	c.count++
	return c
}

func (c *carryFile) end() []byte {
	b := binary.AppendUvarint(append(slices.Clone(c.b), 0), c.count)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func makeCarryVectors(t *testing.T, v *vectorFiles) {
	one := mustSign(t, testKey("alice"), protocol.Draft{Channel: testChannel(t), Body: []byte("one")}).Wire()
	two := mustSign(t, testKey("bob"), protocol.Draft{Channel: testChannel(t), Body: []byte("two")}).Wire()
	zero, minute := []byte{0}, binary.AppendUvarint(nil, 60_000)
	take := func(wire []byte, age int64) carryEvent { return carryEvent{Wire: wire, Age: age} }
	skipped, stopped := carryEvent{Damage: "skipped"}, carryEvent{Damage: "stopped"}
	whole := newCarryFile().record(zero, one).record(minute, two)
	flip := func(b []byte, at int) []byte { c := slices.Clone(b); c[at] ^= 1; return c }
	count := func(n uint64) []byte { c := *whole; c.count = n; return c.end() }
	raw := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	magic := []byte("longear carry 1\n")
	junk := func(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }
	// A bad length between two good records, with as many bytes behind it.
	between := func(n int) []byte {
		c := newCarryFile().record(zero, one)
		c.b = append(append(c.b, junk(n)...), make([]byte, n)...)
		c.count++
		return c.record(minute, two).end()
	}
	long := binary.AppendUvarint(nil, uint64(protocol.MaxLifetime.Milliseconds()))
	v.Carry.Files = []carryVector{
		{"nothing in it", newCarryFile().end(), []carryEvent{}},
		{"two", whole.end(), []carryEvent{take(one, 0), take(two, 60_000)}},
		{"the longest age", newCarryFile().record(long, one).end(), []carryEvent{take(one, protocol.MaxLifetime.Milliseconds())}},
		{"an age of 2^64-1 counts as the longest", newCarryFile().record(binary.AppendUvarint(nil, 1<<64-1), one).end(), []carryEvent{take(one, protocol.MaxLifetime.Milliseconds())}},
		{"a record that is no message", newCarryFile().record(zero, make([]byte, 118)).record(zero, two).end(), []carryEvent{take(make([]byte, 118), 0), take(two, 0)}},
		{"no file", nil, []carryEvent{stopped}},
		{"something else", []byte("PK\x03\x04 and so on, long enough"), []carryEvent{stopped}},
		{"version 2", append([]byte("longear carry 2\n"), whole.end()[16:]...), []carryEvent{stopped}},
		{"magic cut", magic[:15], []carryEvent{stopped}},
		{"cut after the magic", magic, []carryEvent{stopped}},
		{"cut in the first record", whole.end()[:30], []carryEvent{stopped}},
		{"cut in the second record", whole.b[:len(whole.b)-1], []carryEvent{take(one, 0), stopped}},
		{"cut before the trailer", whole.b, []carryEvent{take(one, 0), take(two, 60_000), stopped}},
		{"cut in the checksum", whole.end()[:len(whole.end())-1], []carryEvent{take(one, 0), take(two, 60_000), stopped}},
		{"a byte behind", append(whole.end(), 0), []carryEvent{take(one, 0), take(two, 60_000), stopped}},
		{"count too small", count(1), []carryEvent{take(one, 0), take(two, 60_000), stopped}},
		{"count too large", count(3), []carryEvent{take(one, 0), take(two, 60_000), stopped}},
		{"checksum wrong", flip(whole.end(), len(whole.end())-1), []carryEvent{take(one, 0), take(two, 60_000), stopped}},
		{"a bit of a record flipped", flip(whole.end(), 60), []carryEvent{take(flip(one, 60-16-2), 0), take(two, 60_000), stopped}},
		{"a length of 118", between(118), []carryEvent{take(one, 0), skipped, take(two, 60_000)}},
		{"a length of 1", between(1), []carryEvent{take(one, 0), skipped, take(two, 60_000)}},
		{"a length of 33291", between(33_291), []carryEvent{take(one, 0), skipped, take(two, 60_000)}},
		{"a length of 131072", between(131_072), []carryEvent{take(one, 0), skipped, take(two, 60_000)}},
		{"a length of 131073", between(131_073), []carryEvent{take(one, 0), stopped}},
		{"a length of 2^64-1", raw(magic, bytes.Repeat([]byte{0xff}, 9), []byte{1}), []carryEvent{stopped}},
		{"a length of 2^64", raw(magic, bytes.Repeat([]byte{0x80}, 9), []byte{2}), []carryEvent{stopped}},
		{"a length in a longer form", raw(magic, []byte{0x80 | 119, 0}, make([]byte, 119)), []carryEvent{stopped}},
		{"a bad length cut short", raw(magic, junk(118), make([]byte, 50)), []carryEvent{stopped}},
		{"an age in a longer form", newCarryFile().record([]byte{0x80, 0}, one).record(zero, two).end(), []carryEvent{skipped, take(two, 0)}},
		{"an age without an end", newCarryFile().record(bytes.Repeat([]byte{0xff}, 11), one).record(zero, two).end(), []carryEvent{skipped, take(two, 0)}},
	}
}

func TestVectorsStamps(t *testing.T) {
	v := vectors(t).Stamps
	for _, v := range v.Stamps {
		if got := protocol.Stamp(protocol.ID(v.ID)); got != v.Bits {
			t.Errorf("%x: %d bits, want %d", v.ID, got, v.Bits)
		}
	}
	for i, v := range v.Minted {
		m, err := protocol.Sign(ed25519.NewKeyFromSeed(v.Seed), protocol.Draft{
			Created: v.Created, Lifetime: v.Lifetime, Channel: protocol.Channel(v.Channel), Class: protocol.Class(v.Class), Kind: protocol.Kind(v.Kind),
			Flags: v.Flags, Parents: idsOf(v.Parents), Body: v.Body, Nonce: v.Nonce,
		})
		want := []int{1, 4, 8, 12, 16}[i/2]
		if err != nil || m.ID.String() != v.ID || protocol.Stamp(m.ID) < want {
			t.Errorf("%s: %v, %v", v.Name, m, err)
		}
	}
}

func TestVectorsCarry(t *testing.T) {
	for _, v := range vectors(t).Carry.Files {
		got := []carryEvent{}
		for r, err := range protocol.ReadCarry(bytes.NewReader(v.File)) {
			got = append(got, eventOf(t, r, err))
		}
		if !equalJSON(t, got, v.Events) {
			t.Errorf("%s: %+v, want %+v", v.Name, got, v.Events)
		}
	}
}

func eventOf(t testing.TB, r protocol.CarryRecord, err error) carryEvent {
	t.Helper()
	if err == nil {
		return carryEvent{Wire: r.Wire, Age: int64(r.Age / time.Millisecond)}
	}
	damage, ok := errors.AsType[*protocol.CarryError](err)
	if !ok {
		t.Fatalf("%T is no CarryError", err)
	}
	if damage.Last {
		return carryEvent{Damage: "stopped"}
	}
	return carryEvent{Damage: "skipped"}
}
