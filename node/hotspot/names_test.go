package hotspot_test

import (
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"longear/node/hotspot"
)

// question is a query as phones send it, with an OPT record if edns.
func question(t testing.TB, name string, kind dnsmessage.Type, edns bool) []byte {
	t.Helper()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 0x1234, RecursionDesired: true})
	b.EnableCompression()
	err := b.StartQuestions()
	if err == nil {
		err = b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET})
	}
	if err == nil && edns {
		var h dnsmessage.ResourceHeader
		if err = h.SetEDNS0(1232, dnsmessage.RCodeSuccess, false); err == nil {
			if err = b.StartAdditionals(); err == nil {
				err = b.OPTResource(h, dnsmessage.OPTResource{})
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestNames: every name is the hub, and nothing else about it is known.
func TestNames(t *testing.T) {
	long := strings.Repeat("abcdefghi.", 25)
	for _, tc := range []struct {
		name    string
		kind    dnsmessage.Type
		address bool
	}{
		{"captive.apple.com.", dnsmessage.TypeA, true},
		{"connectivitycheck.gstatic.com.", dnsmessage.TypeA, true},
		{"cOnNeCtIvItYcHeCk.GsTaTiC.cOm.", dnsmessage.TypeA, true}, // some resolvers mix cases, and want them back
		{long, dnsmessage.TypeA, true},
		{".", dnsmessage.TypeA, true},
		{"captive.apple.com.", dnsmessage.TypeAAAA, false},
		{"captive.apple.com.", 65, false}, // HTTPS
		{"example.com.", dnsmessage.TypeMX, false},
		{"example.com.", dnsmessage.TypeTXT, false},
		{"example.com.", dnsmessage.TypeALL, false},
		{"1.49.168.192.in-addr.arpa.", dnsmessage.TypePTR, false},
		{"use-application-dns.net.", dnsmessage.TypeA, false}, // keeps Firefox from asking elsewhere
	} {
		for _, edns := range []bool{false, true} {
			query := question(t, tc.name, tc.kind, edns)
			out := hotspot.Resolve(query)
			var m dnsmessage.Message
			if err := m.Unpack(out); err != nil {
				t.Fatalf("%s %v: %v", tc.name, tc.kind, err)
			}
			if m.ID != 0x1234 || !m.Response || !m.RecursionAvailable || m.RCode != dnsmessage.RCodeSuccess || len(m.Questions) != 1 || m.Questions[0].Name.String() != tc.name {
				t.Errorf("%s %v: %+v", tc.name, tc.kind, m)
			}
			if len(m.Answers) > 1 || len(m.Answers) == 1 != tc.address {
				t.Errorf("%s %v: %d answers", tc.name, tc.kind, len(m.Answers))
			}
			for _, a := range m.Answers {
				if r, ok := a.Body.(*dnsmessage.AResource); !ok || r.A != hotspot.Addr().As4() || a.Header.TTL > 60 {
					t.Errorf("%s: %+v", tc.name, a)
				}
			}
			if len(out) > len(query)+16 {
				t.Errorf("%s: %d bytes are answered with %d", tc.name, len(query), len(out))
			}
		}
	}
}

// TestNoQuestion: what is not one question of the usual kind gets a code, or nothing.
func TestNoQuestion(t *testing.T) {
	good := question(t, "example.com.", dnsmessage.TypeA, false)
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	for name, tc := range map[string]struct {
		query []byte
		code  int // -1: no answer
	}{
		"nothing":        {nil, -1},
		"half a head":    {good[:7], -1},
		"an answer":      {change(2, 0x81), -1}, // two hubs must not talk to each other without end
		"no question":    {change(5, 0), int(dnsmessage.RCodeFormatError)},
		"two questions":  {change(5, 2), int(dnsmessage.RCodeFormatError)},
		"cut":            {good[:len(good)-3], int(dnsmessage.RCodeFormatError)},
		"a loop":         {append(append([]byte(nil), good[:12]...), 0xc0, 12, 0, 1, 0, 1), int(dnsmessage.RCodeFormatError)},
		"an update":      {change(2, 5<<3), int(dnsmessage.RCodeNotImplemented)},
		"another class":  {change(len(good)-1, 3), int(dnsmessage.RCodeRefused)},
		"a letter's bit": {change(12, 0x80), int(dnsmessage.RCodeFormatError)},
	} {
		out := hotspot.Resolve(tc.query)
		got := -1
		if out != nil {
			got = int(out[3] & 15)
		}
		if got != tc.code || len(out) > max(len(tc.query), 12) {
			t.Errorf("%s: code %d in %d bytes, want %d", name, got, len(out), tc.code)
		}
	}
}

// FuzzQuery: no question makes the hub say much, or fall.
func FuzzQuery(f *testing.F) {
	f.Add(question(f, "captive.apple.com.", dnsmessage.TypeA, true))
	f.Add(question(f, "x.", dnsmessage.TypeAAAA, false))
	f.Add([]byte{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1})
	f.Fuzz(func(t *testing.T, query []byte) {
		if out := hotspot.Resolve(query); len(out) > len(query)+16 {
			t.Errorf("%d bytes are answered with %d", len(query), len(out))
		}
	})
}
