package supplicant_test

import (
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"testing"

	"longear/node/discovery/wifidirect"
	"longear/node/discovery/wifidirect/supplicant"
)

// answer packs an advertised entry as wpa_supplicant hands it to whoever asked.
func answer(query, response []byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(3+len(query)+len(response)))
	return append(append(append(b, 1, 1, 0), query...), response...)
}

func TestRecordOverTheAir(t *testing.T) {
	want := wifidirect.Record{
		Peer: "12D3KooWGRUayCCnXxM5yVnGQzYpZrkXB6BmGRL1D9pZ3WwZ5wQz", Port: 4550,
		Name: wifidirect.GroupName("", "00c0ffee"), Places: 7, Digest: [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
	}
	var tlvs []byte
	for _, e := range supplicant.Entries(want) {
		tlvs = append(tlvs, answer(e.Query(), e.Response())...)
	}
	got, ok := supplicant.ReadRecord(tlvs)
	if !ok || got != want {
		t.Errorf("got %+v %v, want %+v", got, ok, want)
	}
	// Android's own table has the same bytes: labels, c00c for _tcp.local., the type, version 1.
	if q := hex.EncodeToString(supplicant.Entries(want)[0].Query()); q != "085f6c6f6e67656172"+"c00c"+"000c"+"01" {
		t.Errorf("the PTR question is %s", q)
	}
	for cut := range tlvs {
		supplicant.ReadRecord(tlvs[:cut]) // must not panic
	}
	printer := answer([]byte("\x04_ipp\xc0\x0c\x00\x10\x01"), []byte("\x09txtvers=1"))
	if r, ok := supplicant.ReadRecord(printer); ok {
		t.Errorf("a printer is taken for %+v", r)
	}
	if _, ok := supplicant.ReadRecord(append(printer, tlvs...)); !ok {
		t.Error("a record behind another service's is not found")
	}
}

func FuzzReadRecord(f *testing.F) {
	for _, e := range supplicant.Entries(wifidirect.Record{Peer: "p", Port: 1}) {
		f.Add(answer(e.Query(), e.Response()))
	}
	f.Add([]byte{255, 255, 1, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, ok := supplicant.ReadRecord(b); ok && r.Peer == "" {
			t.Error("a record without a peer")
		}
	})
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		text string
		want map[string]string
	}{
		{"", map[string]string{}},
		{"bssid=02:00\nssid=a b\nmode=P2P GO", map[string]string{"bssid": "02:00", "ssid": "a", "mode": "P2P"}},
		{`p2p-wlan0-0 client ssid="DIRECT-a b" freq=2437 ip_addr=192.168.49.100`, map[string]string{"ssid": "DIRECT-a b", "freq": "2437", "ip_addr": "192.168.49.100"}},
		{`x="never closed`, map[string]string{"x": `"never`}},
		{`a=1 b="" c=3`, map[string]string{"a": "1", "b": "", "c": "3"}},
	} {
		if got := supplicant.Fields(c.text); !maps.Equal(got, c.want) {
			t.Errorf("%q: %v, want %v", c.text, got, c.want)
		}
	}
}

func TestGroupOf(t *testing.T) {
	for _, c := range []struct {
		iface, name string
		want        bool
	}{
		{"wlan0", "p2p-wlan0-0", true},
		{"wlan0", "p2p-wlan0-17", true},
		{"wlan0", "wlan0", true},         // a driver without interfaces of their own
		{"wlan0", "p2p-wlan1-0", false},  // another radio's
		{"wlan0", "p2p-wlan01-0", false}, // likewise
		{"wlan0", "p2p-dev-wlan0", false},
		{"wlan0", "p2p-3", false},
		{"wlx00c0ca123456", "p2p-3", true}, // its own name would be too long
		{"wlx00c0ca123456", "p2p-dev-x", false},
		{"wlan0", "", false},
	} {
		if got := supplicant.GroupOf(c.iface, c.name); got != c.want {
			t.Errorf("group %q of %q: %v", c.name, c.iface, got)
		}
	}
}

func TestColons(t *testing.T) {
	if s, ok := supplicant.Colons("420000000100"); !ok || s != "42:00:00:00:01:00" {
		t.Errorf("%q %v", s, ok)
	}
	for _, bad := range []wifidirect.Device{"", "4200", "42000000010000"} {
		if s, ok := supplicant.Colons(bad); ok {
			t.Errorf("%q became %q", bad, s)
		}
	}
}

func TestNew(t *testing.T) {
	for _, bad := range []string{"", "a/b", "..", "a b", "sixteen-letters-"} {
		if _, err := supplicant.New(supplicant.Config{Iface: bad}); err == nil {
			t.Errorf("%q is taken for an interface", bad)
		}
	}
	r, err := supplicant.New(supplicant.Config{Iface: "longear-none"})
	if err != nil {
		t.Fatal(err)
	}
	s := r.Look(t.Context())
	if s.Trouble == nil || s.Trouble.Reason != wifidirect.NoInterface || s.Trouble.Fix == "" {
		t.Errorf("no interface is %+v", s.Trouble)
	}
	if _, err := r.Open(t.Context()); err == nil || err.Error() != s.Trouble.Error() {
		t.Errorf("opening says %v", err)
	}
}

// attr is a netlink attribute.
func attr(kind uint16, value ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}

func u32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func TestAbilities(t *testing.T) {
	flags := func(types ...uint16) (b []byte) {
		for _, k := range types {
			b = append(b, attr(k)...)
		}
		return b
	}
	limit := func(most uint32, types ...uint16) []byte {
		return attr(1, slices.Concat(attr(1, u32(most)...), attr(2, flags(types...)...))...)
	}
	combo := func(channels uint32, limits ...[]byte) []byte {
		return attr(0x78, attr(1, slices.Concat(attr(1, slices.Concat(limits...)...), attr(4, u32(channels)...))...)...)
	}
	band := attr(0x16, attr(0, attr(1, slices.Concat(
		attr(0, attr(1, u32(2412)...)...),
		attr(1, slices.Concat(attr(1, u32(2484)...), attr(2))...),
	)...)...)...)
	for _, c := range []struct {
		what  string
		attrs []byte
		want  supplicant.Abilities
	}{
		{"nothing", nil, supplicant.Abilities{}},
		{
			"a laptop's", slices.Concat(attr(0x20, flags(2, 3, 8, 9)...), combo(2, limit(1, 2), limit(1, 8, 9)), attr(0xca, 16, 0), band),
			supplicant.Abilities{Owner: true, Client: true, AP: true, WhileConnected: true, Channels: 2, MaxClients: 16, Frequencies: []int{2412}},
		},
		{
			"one interface at a time", slices.Concat(attr(0x20, flags(2, 8, 9)...), combo(1, limit(1, 2, 8, 9))),
			supplicant.Abilities{Owner: true, Client: true, Channels: 1},
		},
		{"two of one list", combo(1, limit(2, 2, 9)), supplicant.Abilities{WhileConnected: true, Channels: 1}},
	} {
		got := supplicant.ReadAbilities(c.attrs)
		if !slices.Equal(got.Frequencies, c.want.Frequencies) {
			t.Errorf("%s: frequencies %v", c.what, got.Frequencies)
		}
		got.Frequencies, c.want.Frequencies = nil, nil
		if got.Owner != c.want.Owner || got.Client != c.want.Client || got.AP != c.want.AP || got.WhileConnected != c.want.WhileConnected ||
			got.Channels != c.want.Channels || got.MaxClients != c.want.MaxClients {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
		for cut := range c.attrs {
			supplicant.ReadAbilities(c.attrs[:cut]) // must not panic
		}
	}
}

func FuzzAbilities(f *testing.F) {
	f.Add(attr(0x78, attr(1, attr(1, attr(1)...)...)...))
	f.Fuzz(func(_ *testing.T, b []byte) { supplicant.ReadAbilities(b) })
}
