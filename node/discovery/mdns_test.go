package discovery_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"longear/node/discovery"
)

func records(t testing.TB, ttl uint32) []byte {
	t.Helper()
	id := peerID(t, 1).String()
	p := discovery.MDNSRecords(strings.Repeat("a", 32), ttl, []string{
		"dnsaddr=/ip4/10.9.0.1/udp/4001/quic-v1/p2p/" + id,
		"dnsaddr=/ip4/10.9.0.1/tcp/4001/p2p/" + id,
	}, []netip.Addr{netip.MustParseAddr("10.9.0.1"), netip.MustParseAddr("fe80::1")})
	if len(p) == 0 {
		t.Fatal("no records")
	}
	return p
}

func TestParseMDNS(t *testing.T) {
	id := peerID(t, 1).String()
	msg := func(name string, txt ...string) []byte {
		m := dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Answers: []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: 9},
			Body:   &dnsmessage.TXTResource{TXT: txt},
		}}}
		p, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var many []string
	for k := range 100 {
		many = append(many, fmt.Sprintf("dnsaddr=/ip4/10.9.0.1/tcp/4001/p2p/%s", peerID(t, k)))
	}
	const ours = "x._longear._udp.local."
	for _, c := range []struct {
		name string
		data []byte
		want int // peers
	}{
		{"our own records: two addresses of one peer", records(t, 120), 1},
		{"case does not matter in DNS", msg("X._LongEar._UDP.local.", "dnsaddr=/ip4/10.9.0.1/tcp/4001/p2p/"+id), 1},
		{"another service", msg("x._p2p._udp.local.", "dnsaddr=/ip4/10.9.0.1/tcp/4001/p2p/"+id), 0},
		{"no peer ID", msg(ours, "dnsaddr=/ip4/10.9.0.1/tcp/4001"), 0},
		{"not a multiaddr", msg(ours, "dnsaddr=hello"), 0},
		{"a name, which nobody looks up", msg(ours, "dnsaddr=/dns4/example.org/tcp/4001/p2p/"+id), 0},
		{"through a relay", msg(ours, "dnsaddr=/ip4/10.9.0.1/tcp/4001/p2p/"+id+"/p2p-circuit/p2p/"+id), 0},
		{"other text", msg(ours, "path=/"), 0},
		{"a hundred peers in one answer", msg(ours, many...), 4},
	} {
		_, found, err := discovery.ParseMDNS(c.data)
		if err != nil || len(found) != c.want {
			t.Errorf("%s: %v, %v; want %d", c.name, found, err, c.want)
		}
	}
	if asks, _, err := discovery.ParseMDNS(discovery.MDNSQuery()); !asks || err != nil {
		t.Errorf("our own query: %v, %v", asks, err)
	}
}

func FuzzParseMDNS(f *testing.F) {
	f.Add(records(f, 120))
	f.Add(records(f, 0))
	f.Add(discovery.MDNSQuery())
	f.Fuzz(func(t *testing.T, p []byte) {
		_, found, _ := discovery.ParseMDNS(p)
		if len(found) > 4 {
			t.Fatalf("%d peers from one datagram", len(found))
		}
	})
}

// The most work a datagram of the largest size read can make: names of 255 bytes, each one pointer away.
func BenchmarkParseMDNSWorst(b *testing.B) {
	const size = 4096
	p := make([]byte, 12, size)
	p[2] = 0x84 // an answer
	name := len(p)
	for range 3 {
		p = append(append(p, 63), strings.Repeat("a", 63)...)
	}
	p = append(append(p, 61), strings.Repeat("a", 61)...)
	p = append(p, 0)
	p = append(p, 0, 12, 0, 1, 0, 0, 0, 9, 0, 0) // the first record
	n := 1
	for ; len(p)+12 <= size; n++ {
		p = append(p, 0xc0, byte(name), 0, 12, 0, 1, 0, 0, 0, 9, 0, 0)
	}
	p[6], p[7] = byte(n>>8), byte(n)
	if _, _, err := discovery.ParseMDNS(p); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = discovery.ParseMDNS(p)
	}
}
