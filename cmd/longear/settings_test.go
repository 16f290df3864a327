package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestParseSettings(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       map[string][]string // nil: an error
	}{
		{"empty", "", map[string][]string{}},
		{"each kind", "a = \"x\"\nb = 3\nc = true\nd = [\"x\", \"y,z\"]\ne = []", map[string][]string{
			"a": {"x"}, "b": {"3"}, "c": {"true"}, "d": {"x", "y,z"}, "e": {},
		}},
		{"a table", "[a]\nb = 1", nil},
		{"a list of lists", "a = [[1]]", nil},
		{"a time", "a = 2026-11-24", nil},
		{"twice", "a = 1\na = 2", nil},
		{"not TOML", "a", nil},
	} {
		got, err := parseSettings(tc.text)
		if (err != nil) != (tc.want == nil) || err == nil && !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %v, %v; want %v", tc.name, got, err, tc.want)
		}
	}
}

// TestEveryFlagHasAVariable: the names must not collide, and none may be forgotten by --help's reader.
func TestEveryFlagHasAVariable(t *testing.T) {
	root := (&app{}).root()
	for _, cmd := range root.Commands() {
		seen := map[string]string{}
		cmd.InheritedFlags()
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			v := variable(f.Name)
			if strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" || seen[v] != "" {
				t.Errorf("--%s of %s has the variable %s, as --%s has", f.Name, cmd.Name(), v, seen[v])
			}
			seen[v] = f.Name
			if f.Usage == "" {
				t.Errorf("--%s of %s has no help", f.Name, cmd.Name())
			}
		})
	}
	if keys := fileKeys(root); len(keys) < 15 || keys["store-max"] == nil || keys["home"] != nil || keys["yes"] != nil || keys["passphrase-file"] != nil {
		t.Errorf("config.toml may hold %v", keys)
	}
}

// FuzzSettings: a file is settings or an error, and settings given to flags never panic.
func FuzzSettings(f *testing.F) {
	f.Add("profile = \"hub\"\nstore-max = \"2GB\"\nconnect = [\"10.0.0.1\"]\nno-mdns = true")
	f.Add("store-max = 1e400\nhistory = -9223372036854775808")
	f.Add("a = [[1]]\n[b]\n'' = \"\\u0000\"")
	f.Fuzz(func(t *testing.T, text string) {
		settings, err := parseSettings(text)
		if err != nil {
			return
		}
		_ = (&app{}).tryEverywhere(settings)
	})
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "1": 1, "1k": 1024, "1kB": 1000, "1KiB": 1024, "1.5GiB": 3 << 29, "2GB": 2e9, " 7 MB ": 7e6, "256MiB": 256 << 20, "1T": 1 << 40,
		"": -1, "GB": -1, "1XB": -1, "-1": -1, "1e9": -1, "9999999999TB": -1, "1.2.3": -1, "NaN": -1, "Inf": -1,
	} {
		var s byteSize
		err := s.Set(text)
		if want < 0 && err == nil || want >= 0 && (err != nil || int64(s) != want) {
			t.Errorf("%q: %d, %v; want %d", text, s, err, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999499: "999 kB", 999500: "1.0 MB", 2e9: "2.0 GB", 5e15: "5000 TB"} {
		if got := showBytes(n); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
}
