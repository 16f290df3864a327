package hotspot

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"unicode/utf8"
)

// AccessPoint is a Wi-Fi of the hub's own, for radios and systems that cannot make a Wi-Fi Direct group. hostapd or, where it
// is not installed, wpa_supplicant makes it, as a child of this program that ends with it.
type AccessPoint struct {
	Iface    string // of the radio; whoever manages it must leave it alone
	Name     string // 1 to 32 bytes
	Password string // 8 to 63 characters of ASCII, as IEEE 802.11i has it. Never logged, and not in the file that the child reads
	Log      *slog.Logger
}

// maxName is the longest name that a Wi-Fi has, in bytes.
const maxName = 32

// WifiName is the name of the Wi-Fi of a hub that has not been given one: as phones expect it of a Wi-Fi Direct group, the same at every
// start, so that a card that was printed stays true.
func WifiName(hub string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	h := fnv.New32a()
	h.Write([]byte(hub))
	n := h.Sum32()
	name := "DIRECT-" + string(letters[n%36]) + string(letters[n/36%36]) + "-longear-" + strings.ReplaceAll(hub, " ", "-")
	for len(name) > maxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// check refuses what a radio cannot do.
func (a AccessPoint) check() error {
	if len(a.Name) < 1 || len(a.Name) > maxName {
		return &Trouble{What: "the name of a Wi-Fi has 1 to 32 bytes", Fix: "choose another"}
	}
	ascii := strings.IndexFunc(a.Password, func(r rune) bool { return r < ' ' || r > '~' }) < 0
	if len(a.Password) < 8 || len(a.Password) > 63 || !ascii {
		return &Trouble{What: "the password of a Wi-Fi has 8 to 63 characters of ASCII", Fix: "choose another: letters, digits, hyphens"}
	}
	return nil
}

// key is what both programs take in place of the password (IEEE 802.11i, annex H.4): so neither needs quoting, and the password is not on disk.
func (a AccessPoint) key() (string, error) {
	k, err := pbkdf2.Key(sha1.New, a.Password, []byte(a.Name), 4096, 32)
	if err != nil {
		return "", fmt.Errorf("make the key of a Wi-Fi: %w", err)
	}
	return hex.EncodeToString(k), nil
}

// channel spreads hubs over the three channels of the 2.4 GHz band that do not overlap. Every phone has that band, and it reaches farthest.
func (a AccessPoint) channel() int {
	h := fnv.New32a()
	h.Write([]byte(a.Name))
	return []int{1, 6, 11}[h.Sum32()%3]
}

// hostapd is the configuration for hostapd.
func (a AccessPoint) hostapd() (string, error) {
	key, err := a.key()
	if err != nil {
		return "", err
	}
	return strings.Join([]string{
		"interface=" + a.Iface,
		"driver=nl80211",
		"ssid2=" + hex.EncodeToString([]byte(a.Name)),
		"hw_mode=g",
		fmt.Sprint("channel=", a.channel()),
		"ieee80211n=1",
		"wmm_enabled=1",
		"auth_algs=1",
		"wpa=2",
		"wpa_key_mgmt=WPA-PSK",
		"rsn_pairwise=CCMP",
		"wpa_psk=" + key,
		fmt.Sprint("max_num_sta=", poolSize),
		"disassoc_low_ack=0", // a phone at the edge of reach is better served badly than sent away
		"",
	}, "\n"), nil
}

// supplicant is the configuration for wpa_supplicant.
func (a AccessPoint) supplicant() (string, error) {
	key, err := a.key()
	if err != nil {
		return "", err
	}
	return strings.Join([]string{
		"ap_scan=2",
		"network={",
		"\tssid=" + hex.EncodeToString([]byte(a.Name)),
		"\tmode=2",
		fmt.Sprint("\tfrequency=", 2407+5*a.channel()),
		"\tkey_mgmt=WPA-PSK",
		"\tproto=RSN",
		"\tpairwise=CCMP",
		"\tgroup=CCMP",
		"\tpsk=" + key,
		"}",
		"",
	}, "\n"), nil
}
