package discovery_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node/discovery"
)

func example(t testing.TB) (discovery.Beacon, []byte) {
	t.Helper()
	b := discovery.Beacon{
		Reply: true, Ports: discovery.Ports{TCP: 4001, QUIC: 4002}, Peer: peerID(t, 1), Count: 5,
		Digest: [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
	}
	data, err := b.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b, data
}

// The layout of the specification, byte for byte.
func TestBeaconLayout(t *testing.T) {
	b, data := example(t)
	want := "4c454152" + "01" + "01" + "0fa1" + "0fa2" + "26" + hex.EncodeToString([]byte(b.Peer)) + "00000005" + "0102030405060708"
	if got := hex.EncodeToString(data); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got, err := discovery.DecodeBeacon(data)
	if err != nil || got != b {
		t.Errorf("decoded %+v, %v; want %+v", got, err, b)
	}
}

// The example of the specification.
func TestBeaconExample(t *testing.T) {
	data, err := hex.DecodeString("4c45415201000fa10fa126002408011220000102030405060708090a0b0c0d0e" +
		"0f101112131415161718191a1b1c1d1e1f000000050102030405060708")
	if err != nil {
		t.Fatal(err)
	}
	b, err := discovery.DecodeBeacon(data)
	want := discovery.Beacon{Ports: ports(), Count: 5, Digest: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, Peer: b.Peer}
	if err != nil || b != want || len(b.Peer) != 38 {
		t.Errorf("decoded %+v, %v", b, err)
	}
}

func TestBeaconRefused(t *testing.T) {
	_, good := example(t)
	with := func(at int, v ...byte) []byte {
		p := bytes.Clone(good)
		copy(p[at:], v)
		return p
	}
	for _, c := range []struct {
		name string
		data []byte
	}{
		{"nothing at all", nil},
		{"another magic", with(0, 'l')},
		{"a later version", with(4, 2)},
		{"cut short", good[:len(good)-1]},
		{"a byte too many", append(bytes.Clone(good), 0)},
		{"longer than any beacon", append(bytes.Clone(good), make([]byte, 128)...)},
		{"no peer ID", with(10, 0)},
		{"a peer ID longer than the rest", with(10, 39)},
		{"a peer ID longer than allowed", with(10, 255)},
		{"a peer ID that is no multihash", with(11, 0xff, 0xff)},
		{"no ports", with(6, 0, 0, 0, 0)},
		{"a privileged TCP port", with(6, 0, 22)},
		{"a privileged UDP port", with(8, 0, 53)},
	} {
		if _, err := discovery.DecodeBeacon(c.data); !errors.Is(err, discovery.ErrBeacon) {
			t.Errorf("%s: error %v, want ErrBeacon", c.name, err)
		}
	}
	// A bye needs no ports, and bits nobody knows yet are ignored.
	bye := with(5, 0x82, 0, 0, 0, 0)
	if b, err := discovery.DecodeBeacon(bye); err != nil || !b.Bye || b.Reply {
		t.Errorf("bye: %+v, %v", b, err)
	}
	for _, id := range []peer.ID{"", peer.ID(make([]byte, 65))} {
		if _, err := (discovery.Beacon{Peer: id}).Append(nil); !errors.Is(err, discovery.ErrBeacon) {
			t.Errorf("Append with a peer ID of %d bytes: %v, want ErrBeacon", len(id), err)
		}
	}
}

func FuzzDecodeBeacon(f *testing.F) {
	_, good := example(f)
	f.Add(good)
	f.Add(good[:20])
	f.Add([]byte("LEAR\x01\x02\x00\x00\x00\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		b, err := discovery.DecodeBeacon(p)
		if err != nil {
			return
		}
		again, err := b.Append(nil)
		if err != nil {
			t.Fatalf("decoded and cannot encode: %v", err)
		}
		p = bytes.Clone(p)
		p[5] &= 3 // unknown flags are not kept
		if !bytes.Equal(again, p) {
			t.Fatalf("encodes to %x, was %x", again, p)
		}
	})
}

func BenchmarkDecodeBeacon(b *testing.B) {
	_, good := example(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := discovery.DecodeBeacon(good); err != nil {
			b.Fatal(err)
		}
	}
}
