package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"longear/protocol"
	"longear/store"
)

func TestIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	first, err := store.LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Author.Equal(again.Author) || first.Seal.Public() != again.Seal.Public() {
		t.Error("another identity came back")
	}
	if s := fmt.Sprintf("%v %+v %#v", first, first, first); strings.Contains(s, fmt.Sprint(first.Author[0], " ", first.Author[1])) ||
		!strings.Contains(s, protocol.AuthorOf(first.Author).String()) {
		t.Errorf("printing shows %s", s)
	}
	file := filepath.Join(dir, "identity.json")
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %v, %v", i.Mode(), err)
	}
	if i, err := os.Stat(dir); err != nil || i.Mode().Perm() != 0o700 && runtime.GOOS != "windows" {
		t.Errorf("folder mode %v, %v", i.Mode(), err)
	}
	other, err := store.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	aside, err := store.SaveIdentity(dir, other)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(aside)
	if err != nil {
		t.Fatal(err)
	}
	if old, err := store.ParseIdentity(b); err != nil || !old.Author.Equal(first.Author) {
		t.Errorf("the old identity was not kept: %v", err)
	}
	if now, err := store.LoadIdentity(dir); err != nil || !now.Author.Equal(other.Author) {
		t.Errorf("the new identity is not there: %v", err)
	}
}

func TestPrivateFilesRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := store.LoadIdentity(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "identity.json")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		content string
		mode    os.FileMode
		want    error
	}{
		{"group may read", string(whole), 0o640, store.ErrExposed},
		{"all may read", string(whole), 0o604, store.ErrExposed},
		{"empty, as a crash of others' programs leaves", "", 0o600, store.ErrDamaged},
		{"cut in half", string(whole[:len(whole)/2]), 0o600, store.ErrDamaged},
		{"seed too short", `{"version":1,"author_seed":"AAAA","seal_key":"AAAA"}`, 0o600, store.ErrDamaged},
		{"no version", `{}`, 0o600, store.ErrDamaged},
		{"huge", strings.Repeat("x", 2<<20), 0o600, store.ErrDamaged},
	} {
		if runtime.GOOS == "windows" && row.want == store.ErrExposed {
			continue
		}
		if err := os.WriteFile(file, []byte(row.content), row.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, row.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := store.LoadIdentity(dir); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != row.content {
			t.Errorf("%s: the file was changed", row.name)
		}
	}
}

func TestKeyring(t *testing.T) {
	dir := t.TempDir()
	k, err := store.OpenKeyring(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := protocol.NewChannelKey()
	water := store.KnownChannel{Name: "#water", Kind: store.Public, Tag: protocol.Channel{1}}
	secret := store.KnownChannel{Name: "medics", Kind: store.Private, Tag: key.Tag(), Key: key}
	for _, c := range []store.KnownChannel{water, secret, water} { // once more replaces
		if err := k.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	if k, err = store.OpenKeyring(dir); err != nil {
		t.Fatal(err)
	}
	if n := len(k.List()); n != 2 {
		t.Errorf("%d channels", n)
	}
	if c, err := k.Find("medics"); err != nil || c.Key.Secret() != key.Secret() || c.Kind != store.Private {
		t.Errorf("%+v, %v", c, err)
	}
	if c, ok := k.At(protocol.Channel{1}); !ok || c.Name != "water" {
		t.Errorf("%+v, %v", c, ok)
	}
	for name, bad := range map[string]store.KnownChannel{
		"a name twice":      {Name: "water", Tag: protocol.Channel{2}},
		"no name":           {Tag: protocol.Channel{2}},
		"a long name":       {Name: strings.Repeat("x", 65), Tag: protocol.Channel{2}},
		"public with a key": {Name: "x", Tag: key.Tag(), Key: key},
		"private without":   {Name: "x", Kind: store.Private, Tag: protocol.Channel{2}},
		"another's key":     {Name: "x", Kind: store.Private, Tag: protocol.Channel{2}, Key: key},
		"no such kind":      {Name: "x", Kind: 9, Tag: protocol.Channel{2}},
	} {
		if err := k.Add(bad); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if err := k.Remove("#medics"); err != nil {
		t.Error(err)
	}
	if _, err := k.Find("medics"); !errors.Is(err, store.ErrNoChannel) {
		t.Error(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "channels.json"))
	if err != nil || strings.Contains(string(b), key.Secret()) {
		t.Errorf("the key of a channel that was left is still there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "channels.json"), b[:20], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenKeyring(dir); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("cut in half: %v", err)
	}
}

// hash names a file's content.
func hash(b []byte) [32]byte { return sha256.Sum256(b) }
