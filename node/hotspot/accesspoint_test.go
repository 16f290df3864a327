package hotspot_test

import (
	"context"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/node/hotspot"
)

// TestConfigs: both programs are told the same Wi-Fi, nothing that a name could smuggle in, and not the password.
func TestConfigs(t *testing.T) {
	for _, name := range []string{"IEEE", "DIRECT-ab-longear-north", "Солтүстік\nwpa=0", `"}` + "\n"} {
		a := hotspot.AccessPoint{Iface: "wlan0", Name: name, Password: "open-the-steppe"}
		h, s, err := hotspot.Configs(a)
		if err != nil {
			t.Fatal(err)
		}
		for program, text := range map[string]string{"hostapd": h, "wpa_supplicant": s} {
			if strings.Contains(text, a.Password) {
				t.Errorf("%s is told the password", program)
			}
			if !strings.Contains(text, hex.EncodeToString([]byte(name))+"\n") {
				t.Errorf("%s is not told the name %q:\n%s", program, name, text)
			}
		}
		if n := strings.Count(h, "\n"); n != 14 {
			t.Errorf("the file for hostapd has %d lines:\n%s", n, h)
		}
		if strings.Count(s, "\n") != 11 || !strings.Contains(s, "\tmode=2\n") {
			t.Errorf("the file for wpa_supplicant:\n%s", s)
		}
	}
	// The vector of IEEE 802.11i, annex H.4.
	h, s, err := hotspot.Configs(hotspot.AccessPoint{Iface: "wlan0", Name: "IEEE", Password: "password"})
	const psk = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
	if err != nil || !strings.Contains(h, "wpa_psk="+psk+"\n") || !strings.Contains(s, "psk="+psk+"\n") {
		t.Errorf("the key is not that of the standard: %v\n%s", err, h)
	}
	for _, a := range []hotspot.AccessPoint{
		{Name: "x", Password: "short"},
		{Name: "x", Password: strings.Repeat("p", 64)},
		{Name: "x", Password: "жасырын сөз"},
		{Name: "x", Password: "line\nwpa=0 "},
		{Name: "", Password: "open-the-steppe"},
		{Name: strings.Repeat("n", 33), Password: "open-the-steppe"},
	} {
		if _, _, err := hotspot.Configs(a); err == nil {
			t.Errorf("%+v is taken", a)
		}
	}
}

// TestWifiName: what a hub's Wi-Fi is called is the same each time, and fits.
func TestWifiName(t *testing.T) {
	for _, hub := range []string{"north gate", "here", "Солтүстік қақпа алаңы", strings.Repeat("x", 64)} {
		name := hotspot.WifiName(hub)
		if name != hotspot.WifiName(hub) || len(name) > 32 || !strings.HasPrefix(name, "DIRECT-") || name[9:18] != "-longear-" || strings.ToValidUTF8(name, "") != name {
			t.Errorf("%q gives %q", hub, name)
		}
	}
	if hotspot.WifiName("north gate") == hotspot.WifiName("south gate") {
		t.Error("two hubs have one name")
	}
}

// TestProgramsTakeIt: the real hostapd and wpa_supplicant read their files. Then they fail: there is no such interface.
func TestProgramsTakeIt(t *testing.T) {
	h, s, err := hotspot.Configs(hotspot.AccessPoint{Iface: "nowhere0", Name: "DIRECT-ab-longear-north", Password: "open-the-steppe"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		program    string
		args       []string
		good, evil string
	}{
		{"hostapd", nil, h, strings.Replace(h, "wpa_psk=", "wpa_psk=zz", 1)},
		{"wpa_supplicant", []string{"-D", "nl80211", "-i", "nowhere0", "-c"}, s, strings.Replace(s, "psk=", "psk=zz", 1)},
	} {
		t.Run(c.program, func(t *testing.T) {
			path, err := exec.LookPath(c.program)
			if err != nil {
				t.Skipf("SKIPPED: there is no %s; install it", c.program)
			}
			for text, bad := range map[string]bool{c.good: false, c.evil: true} {
				file := filepath.Join(t.TempDir(), "wifi.conf")
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				out, _ := exec.CommandContext(ctx, path, append(c.args, file)...).CombinedOutput()
				cancel()
				if strings.Contains(string(out), "Line ") != bad {
					t.Errorf("bad %v, and it says: %s", bad, out)
				}
			}
		})
	}
}
