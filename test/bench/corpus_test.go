package bench_test

import (
	"crypto/ed25519"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"longear/protocol"
	"longear/store"
)

// shape is what a corpus is made of.
type shape struct {
	count   int
	authors int
	size    int // of the encoding; 0: the body decides
	body    int // bytes of text, when size is 0
	seed    uint64
}

// backlog is the standing workload: what a city says in a day, a hundred thousand messages of 300 bytes.
var backlog = shape{count: 100_000, authors: 1_000, size: 300}

// chatter is the workload that Secure Scuttlebutt was measured with: short texts of few authors.
var chatter = shape{count: 10_000, authors: 100, body: 115}

// corpus is signed messages, oldest first.
type corpus struct {
	messages []*protocol.Message
	bytes    int // of all encodings
}

// write makes and signs the messages of a shape: texts, written at random moments of the last day.
func write(tb testing.TB, s shape) corpus {
	tb.Helper()
	rng := rand.New(rand.NewPCG(s.seed, uint64(s.count)))
	keys := make([]ed25519.PrivateKey, s.authors)
	for i := range keys {
		var seed [ed25519.SeedSize]byte
		for j := range seed {
			seed[j] = byte(rng.Uint32())
		}
		keys[i] = ed25519.NewKeyFromSeed(seed[:])
	}
	channel, err := protocol.PublicChannel("water")
	if err != nil {
		tb.Fatal(err)
	}
	now := uint64(time.Now().UnixMilli())
	created := make([]uint64, s.count)
	for i := range created {
		created[i] = now - rng.Uint64N(24*3600*1000)
	}
	slices.Sort(created)
	c := corpus{messages: make([]*protocol.Message, s.count)}
	overhead := 0
	for i := range c.messages {
		d := protocol.Draft{Channel: channel, Created: created[i]}
		if overhead == 0 {
			overhead = bodyless(tb, keys[0], d)
		}
		d.Body = text(rng, max(s.body, s.size-overhead))
		m, err := protocol.Sign(keys[rng.IntN(len(keys))], d)
		if err != nil {
			tb.Fatal(err)
		}
		c.messages[i] = m
		c.bytes += len(m.Wire())
	}
	return c
}

// bodyless is the size of a message without its body's bytes.
func bodyless(tb testing.TB, key ed25519.PrivateKey, d protocol.Draft) int {
	tb.Helper()
	d.Body = make([]byte, 150)
	m, err := protocol.Sign(key, d)
	if err != nil {
		tb.Fatal(err)
	}
	return len(m.Wire()) - len(d.Body)
}

// text is n letters: what a compressing layer could make of it is no part of a figure.
func text(rng *rand.Rand, n int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ."
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[rng.IntN(len(letters))]
	}
	return b
}

// putBatch is as many messages as a sync frame of 64 KiB brings.
const putBatch = 215

// fill puts a corpus into a store.
func fill(tb testing.TB, st *store.Store, messages []*protocol.Message) {
	tb.Helper()
	items := make([]store.Item, 0, putBatch)
	for part := range slices.Chunk(messages, putBatch) {
		items = items[:0]
		for _, m := range part {
			items = append(items, store.Item{Message: m})
		}
		verdicts, err := st.Put(tb.Context(), items)
		if err != nil {
			tb.Fatal(err)
		}
		for i, v := range verdicts {
			if v != protocol.Accept {
				tb.Fatalf("put %v: %v", part[i].ID, v)
			}
		}
	}
}

// open opens a phone's store on disk, which has room for the backlog. The caller closes it.
func open(tb testing.TB, dir string) *store.Store {
	tb.Helper()
	return openAs(tb, dir, store.Phone)
}

func openAs(tb testing.TB, dir string, p store.Profile) *store.Store {
	tb.Helper()
	st, err := store.Open(store.Config{Dir: dir, Profile: p})
	if err != nil {
		tb.Fatal(err)
	}
	return st
}
