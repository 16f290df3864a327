package protocol_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"longear/protocol"
)

func BenchmarkSign(b *testing.B) {
	key, d := testKey("alice"), fullDraft(b)
	for b.Loop() {
		protocol.Sign(key, d)
	}
}

// BenchmarkVerify reports what a batch saves: the standard library's price for one signature over ours.
func BenchmarkVerify(b *testing.B) {
	all := unverified(b, 1024)
	var open []*protocol.Message
	for _, u := range all[:64] {
		m, _ := u.Verify()
		open = append(open, m)
	}
	std := time.Duration(1 << 62) // the best of several passes, since other programs disturb some
	for range 10 {
		start := time.Now()
		for _, m := range open {
			ed25519.Verify(m.Author[:], m.Content(), m.Signature())
		}
		std = min(std, time.Since(start)/time.Duration(len(open)))
	}
	b.Run("std", func(b *testing.B) {
		m := open[0]
		for b.Loop() {
			ed25519.Verify(m.Author[:], m.Content(), m.Signature())
		}
	})
	b.Run("single", func(b *testing.B) {
		for b.Loop() {
			all[0].Verify()
		}
		b.ReportMetric(float64(std)/float64(b.Elapsed()/time.Duration(b.N)), "std/this")
	})
	for _, n := range []int{4, 16, 64, 256, 1024} {
		b.Run(fmt.Sprintf("batch%d", n), func(b *testing.B) {
			for b.Loop() {
				protocol.VerifyAll(all[:n])
			}
			each := float64(b.Elapsed()) / float64(b.N) / float64(n)
			b.ReportMetric(each, "ns/message")
			b.ReportMetric(float64(std)/each, "std/this")
		})
	}
	b.Run("batch64-one-forged", func(b *testing.B) {
		bad := append(all[:63:63], mustDecode(b, forge(b)))
		for b.Loop() {
			protocol.VerifyAll(bad)
		}
		each := float64(b.Elapsed()) / float64(b.N) / 64
		b.ReportMetric(each, "ns/message")
		b.ReportMetric(float64(std)/each, "std/this")
	})
}

func BenchmarkDecode(b *testing.B) {
	wire := mustSign(b, testKey("alice"), fullDraft(b)).Wire()
	b.ReportAllocs()
	b.SetBytes(int64(len(wire)))
	for b.Loop() {
		protocol.Decode(wire)
	}
}

func BenchmarkStamp(b *testing.B) {
	id := testID("a")
	for b.Loop() {
		protocol.Stamp(id)
	}
}

// BenchmarkMint reports hashes per second on one core.
func BenchmarkMint(b *testing.B) {
	key, tries := testKey("alice"), uint64(0)
	d := protocol.Draft{Body: make([]byte, 300)}
	for b.Loop() {
		d.Created++
		m, err := protocol.Mint(b.Context(), key, d, 14)
		if err != nil {
			b.Fatal(err)
		}
		tries += m.Nonce
	}
	b.ReportMetric(float64(tries)/b.Elapsed().Seconds(), "hashes/s")
}

func BenchmarkChannelSeal(b *testing.B) {
	k, author := protocol.NewChannelKey(), protocol.AuthorOf(testKey("alice"))
	for b.Loop() {
		k.Seal(author, "water at gate 4")
	}
}

func BenchmarkChannelOpen(b *testing.B) {
	k, key := protocol.NewChannelKey(), testKey("alice")
	body, err := k.Seal(protocol.AuthorOf(key), "water at gate 4")
	if err != nil {
		b.Fatal(err)
	}
	m := mustSign(b, key, protocol.Draft{Channel: k.Tag(), Body: body})
	other := protocol.NewChannelKey()
	b.Run("mine", func(b *testing.B) {
		for b.Loop() {
			k.Open(m)
		}
	})
	b.Run("other", func(b *testing.B) {
		for b.Loop() {
			other.Open(m)
		}
	})
}

func BenchmarkDirect(b *testing.B) {
	key, reader := testKey("alice"), testSealKey(b, "bob")
	card := mustCard(b, testKey("bob"), reader)
	d := protocol.Draft{Body: []byte("water at gate 4")}
	m, err := protocol.SealDirect(b.Context(), key, card, d, 0)
	if err != nil {
		b.Fatal(err)
	}
	stranger := testSealKey(b, "carol")
	b.Run("seal", func(b *testing.B) {
		for b.Loop() {
			protocol.SealDirect(b.Context(), key, card, d, 0)
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			protocol.OpenDirect(reader, m)
		}
	})
	b.Run("trial", func(b *testing.B) {
		for b.Loop() {
			protocol.OpenDirect(stranger, m)
		}
	})
}

func BenchmarkPassphrase(b *testing.B) {
	for b.Loop() {
		protocol.PassphraseChannel("north-gate", "tin river seven lamps")
	}
}
