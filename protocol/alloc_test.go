package protocol_test

import (
	"bytes"
	"runtime"
	"testing"

	"longear/protocol"
)

// TestAllocationIsBounded: no decoder allocates more than four times its input beside a fixed part. Not parallel, because it reads
// the program's own counter.
func TestAllocationIsBounded(t *testing.T) {
	const fixed = 16 << 10 // buffers, hash states and error texts, whatever the input
	v := vectors(t)
	reader := testSealKey(t, "bob")
	check := func(name string, size int, f func()) {
		t.Helper()
		const rounds = 20
		f() // what is allocated once
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range rounds {
			f()
		}
		runtime.ReadMemStats(&after)
		if got := (after.TotalAlloc - before.TotalAlloc) / rounds; got > uint64(4*size+fixed) {
			t.Errorf("%s: %d bytes allocated for %d", name, got, size)
		}
	}
	open := func(name string, wire []byte) {
		check(name, len(wire), func() { protocol.Open(wire) })
	}
	for _, v := range v.Messages.Valid {
		open(v.Name, v.Wire)
	}
	for _, v := range v.Messages.Invalid {
		open(v.Name, v.Wire)
	}
	for _, v := range v.Direct.Open {
		m := mustOpen(t, v.Wire)
		check(v.Name, len(v.Wire), func() { protocol.OpenDirect(reader, m) })
	}
	for _, v := range v.Sealed.Open {
		k := must(protocol.ParseChannelKey(v.Secret))
		m := mustOpen(t, v.Wire)
		check(v.Name, len(v.Wire), func() { k.Open(m) })
	}
	for _, v := range append(v.Cards.Valid, v.Cards.Invalid...) {
		check(v.Name, len(v.Card), func() { protocol.ParseCard(v.Card) })
	}
	long := string(bytes.Repeat([]byte("e\u0301#Қ"), 1<<18))
	check("a name of a megabyte", 0, func() { protocol.ParseChannelName(long) })
	check("a card of a megabyte", 0, func() { protocol.ParseCard(long) })
	check("an ID of a megabyte", 0, func() { protocol.ParseID(long) })
	for _, v := range v.Carry.Files {
		// A record's declared length is believed up to the largest message.
		check(v.Name, len(v.File)+protocol.MaxMessage, func() {
			for range protocol.ReadCarry(bytes.NewReader(v.File)) {
			}
		})
	}
}

// TestDecodeAllocates once: the message, and its parents if it has any.
func TestDecodeAllocates(t *testing.T) {
	plain := mustSign(t, testKey("alice"), protocol.Draft{Body: []byte("x")}).Wire()
	full := mustSign(t, testKey("alice"), fullDraft(t)).Wire()
	if n := testing.AllocsPerRun(100, func() { protocol.Decode(plain) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { protocol.Decode(full) }); n > 2 {
		t.Errorf("%v allocations with parents", n)
	}
}
