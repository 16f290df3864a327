package discovery_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"longear/node/discovery"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestDecodeRemembered(t *testing.T) {
	line := func(addr string, used time.Time) string {
		return fmt.Sprintf(`{"addr":%q,"used":%q}`, addr, used.Format(time.RFC3339))
	}
	file := func(lines ...string) string {
		return `{"version":1,"endpoints":[` + strings.Join(lines, ",") + `]}`
	}
	var many []string
	for k := range 200 {
		many = append(many, line(fmt.Sprintf("10.0.0.%d:4450", k+1), noon.Add(-time.Duration(k)*time.Hour)))
	}
	for _, c := range []struct {
		name, text string
		want       int
		fails      bool
	}{
		{"a good one", file(line("10.0.0.2:4450", noon)), 1, false},
		{"link-local", file(line("[fe80::1%wlan0]:4450", noon)), 1, false},
		{"the same twice", file(line("10.0.0.2:4450", noon), line("10.0.0.2:4450", noon.Add(-time.Hour))), 1, false},
		{"29 days old", file(line("10.0.0.2:4450", noon.Add(-29*24*time.Hour))), 1, false},
		{"31 days old", file(line("10.0.0.2:4450", noon.Add(-31*24*time.Hour))), 0, false},
		{"from next year", file(line("10.0.0.2:4450", noon.Add(365*24*time.Hour))), 0, false},
		{"public", file(line("8.8.8.8:4450", noon)), 0, false},
		{"loopback", file(line("127.0.0.1:4450", noon)), 0, false},
		{"a privileged port", file(line("10.0.0.2:53", noon)), 0, false},
		{"too many", file(many...), 64, false},
		{"not an address", file(line("ten", noon)), 0, true},
		{"another version", `{"version":2}`, 0, true},
		{"half a file", file(line("10.0.0.2:4450", noon))[:30], 0, true},
		{"empty", "", 0, true},
		{"too large", file(line("10.0.0.2:4450", noon)) + strings.Repeat(" ", 70_000), 0, true},
	} {
		got, err := discovery.DecodeRemembered(strings.NewReader(c.text), noon)
		if len(got) != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %d endpoints, error %v; want %d, %v", c.name, len(got), err, c.want, c.fails)
		}
	}
}

func FuzzDecodeRemembered(f *testing.F) {
	f.Add(`{"version":1,"endpoints":[{"addr":"10.0.0.2:4450","used":"2026-11-24T00:00:00Z"}]}`)
	f.Add(`{"version":1,"endpoints":[{"addr":"[fe80::1%wlan0]:4450","used":"2026-11-01T00:00:00Z"},{}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := discovery.DecodeRemembered(strings.NewReader(text), noon)
		if err == nil && len(got) > 64 || err != nil && got != nil {
			t.Fatalf("%d endpoints, error %v", len(got), err)
		}
		for _, e := range got {
			if !e.Addr.Addr().IsPrivate() && !e.Addr.Addr().IsLinkLocalUnicast() || e.Addr.Port() < 1024 {
				t.Fatalf("kept %v", e.Addr)
			}
		}
	})
}

// What was connected is in the file after Run, private to the user, and nothing else is beside it.
func TestRemembers(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "endpoints.json")
	if err := os.WriteFile(file, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := newLadder(t, discovery.Config{Self: peerID(t, 0), Dialer: &dialer{}, File: file, Off: quiet, Watcher: watcher(wlan("10.0.0.1/16"))})
		stop := start(t, l)
		for k, a := range []string{
			"/ip4/10.0.0.2/tcp/50123", "/ip6zone/wlan0/ip6/fe80::9/tcp/4001", "/ip4/10.0.0.2/udp/4001/quic-v1",
			"/ip4/127.0.0.1/tcp/4001", "/ip4/8.8.8.8/tcp/4001", // never remembered
		} {
			l.Connected(peerID(t, k+1), ma.StringCast(a))
		}
		l.Connected(peerID(t, 9), nil)
		stop()
	})
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := discovery.DecodeRemembered(f, time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)) // a bubble begins in 2000
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v; want two endpoints", got, err)
	}
	for _, e := range got {
		if s := e.Addr.String(); s != "10.0.0.2:4450" && s != "[fe80::9%wlan0]:4450" {
			t.Errorf("remembered %s", s)
		}
	}
	if info, err := f.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("%d files, %v", len(list), err)
	}
}

func TestParseRoutes(t *testing.T) {
	// The kernel prints addresses as numbers in the machine's byte order.
	gateway := fmt.Sprintf("%08X", binary.NativeEndian.Uint32([]byte{10, 0, 0, 1}))
	text := `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	` + gateway + `	0003	0	0	100	00000000	0	0	0
eth0	0000000A	00000000	0001	0	0	100	00FFFFFF	0	0	0
tun0	00000000	00000000	0001	0	0	0	00000000	0	0	0
bad	00000000	zz	0001	0	0	0	00000000	0	0	0
short	00000000
`
	got := discovery.ParseRoutes(strings.NewReader(text))
	// The default route with a gateway; not the subnet, the tunnel without one, or the damaged lines.
	if len(got) != 1 || got[0].String() != "10.0.0.1" {
		t.Errorf("%v, want 10.0.0.1", got)
	}
	if got := discovery.ParseRoutes(strings.NewReader(strings.Repeat(strings.Split(text, "\n")[1]+"\n", 1000))); len(got) > 8 {
		t.Errorf("%d gateways", len(got))
	}
}
