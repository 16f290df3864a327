package wifidirect_test

import (
	"strings"
	"testing"

	"longear/node/discovery/wifidirect"
)

func TestRecord(t *testing.T) {
	full := wifidirect.Record{
		Peer: "12D3KooWGRUayCCnXxM5yVnGQzYpZrkXB6BmGRL1D9pZ3WwZ5wQz", Port: 4550,
		Name: wifidirect.GroupName("", "00c0ffee"), Fixed: true, Places: 8, Digest: [8]byte{1, 2, 3, 4, 5, 6, 7, 8},
	}
	size := 0
	for _, p := range full.Pairs() {
		size += 1 + len(p)
	}
	if size > 210 {
		t.Errorf("a full record has %d bytes", size)
	}
	for _, want := range []wifidirect.Record{full, {Peer: "p", Port: 1}} {
		got, ok := wifidirect.ParseRecord(want.Pairs())
		if !ok || got != want {
			t.Errorf("got %+v %v, want %+v", got, ok, want)
		}
	}
	for _, c := range []struct{ what, pairs string }{
		{"nothing", ""},
		{"no version", "p=1 id=x"},
		{"another version", "v=2 p=1 id=x"},
		{"no peer", "v=1 p=1"},
		{"a port that is none", "v=1 p=65536 id=x"},
		{"half a digest", "v=1 p=1 id=x h=0102"},
		{"no digest", "v=1 p=1 id=x h=zzzzzzzzzzzzzzzz"},
		{"a digest and more", "v=1 p=1 id=x h=010203040506070809"},
		{"places below zero", "v=1 p=1 id=x c=-1"},
		{"a name no network has", "v=1 p=1 id=x n=" + strings.Repeat("n", 33)},
		{"an endless peer", "v=1 p=1 id=" + strings.Repeat("x", 129)},
	} {
		if r, ok := wifidirect.ParseRecord(strings.Fields(c.pairs)); ok {
			t.Errorf("%s: taken as %+v", c.what, r)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add("v=1\np=4550\nid=x\nh=0102030405060708\nn=DIRECT-\nc=3\nf=1")
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := wifidirect.ParseRecord(strings.Split(text, "\n"))
		if !ok {
			return
		}
		if again, ok := wifidirect.ParseRecord(r.Pairs()); !ok || again.Peer != r.Peer || again.Digest != r.Digest {
			t.Errorf("%+v became %+v %v", r, again, ok)
		}
	})
}

func TestCredentials(t *testing.T) {
	name := wifidirect.GroupName("", "00c0ffee")
	if name != wifidirect.GroupName("", "00c0ffee") || len(name) != 30 || !strings.HasPrefix(name, "DIRECT-00-longear-00c0ffee") {
		t.Errorf("the name is %q", name)
	}
	if !wifidirect.OurName("", name) || wifidirect.OurName("theirs", name) {
		t.Error("a name belongs to its circle and to no other")
	}
	if !wifidirect.OurName("c", wifidirect.GroupName("c", "north gate")) {
		t.Error("any text is a tag")
	}
	for _, other := range []string{"", "DIRECT-ab-printer", name + "0", name[:len(name)-1], strings.ToUpper(name), "DIRECT-00-longear-00c0ffee0000", "longear"} {
		if wifidirect.OurName("", other) {
			t.Errorf("%q is taken for ours", other)
		}
	}
	p := wifidirect.Passphrase("", name)
	if len(p) < 8 || len(p) > 63 || p == wifidirect.Passphrase("c", name) || p == wifidirect.Passphrase("", wifidirect.GroupName("", "00c0ffef")) {
		t.Errorf("the passphrase is %q", p)
	}
	if a, b := wifidirect.NewTag(), wifidirect.NewTag(); a == b || len(a) != 8 {
		t.Errorf("tags are %q and %q", a, b)
	}
}
