package test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"longear/node/api/guest/page"
)

// The most that a phone loads of the page, in bytes as they go over the air, without their headers. A crowd of 50 phones loads it over one radio. Raising either
// is a commit of its own, with the reason.
//
// At first is what is fetched before the newest messages stand there checked and live: the board (without messages, whose length is theirs, and compressed,
// as a hub without forms sends it), the script, the style, one catalogue, and the inside, which reads, checks and keeps. Everything else comes right behind it
// and counts in all: writing, the way out, the exchange, checking many signatures at once, photos, carry files, and the words of these. A feed with a photo,
// poll, petition or something of the reader's own among its first messages fetches the file of those (screens/sorts.ts), its look and the other half of the
// catalogue before it is drawn.
const (
	maxFirstLoad = 40_000
	maxPage      = 100_000
)

// built is where the page is built, and what the program takes in.
const built = "../cmd/longear/web/built/page"

func TestPageSize(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(built, "page.json"))
	if os.IsNotExist(err) {
		t.Skip("SKIPPED: the page is not built: run make web (node, npm)")
	}
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Main  string
		First map[string][]string
	}
	if err := json.Unmarshal(text, &told); err != nil {
		t.Fatal(err)
	}
	size := func(name string) int {
		info, err := os.Stat(filepath.Join(built, name))
		if err != nil {
			t.Fatal(err)
		}
		return int(info.Size())
	}
	catalog, err := page.ReadCatalog(os.DirFS("../cmd/longear/web/lang"), "en")
	if err != nil {
		t.Fatal(err)
	}
	board := page.Board{Words: catalog.Choose("en", ""), Catalog: catalog, Hub: "north gate", Script: "/page/" + told.Main}.Bytes()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err1 := z.Write(board)
	if err := errors.Join(err1, z.Close()); err != nil {
		t.Fatal(err)
	}
	html := packed.Len()
	first := html
	for _, part := range []string{"scripts", "styles", "inside", "catalogue"} {
		n := 0
		for _, name := range told.First[part] {
			n += size(name + ".gz")
		}
		if n == 0 {
			t.Errorf("page.json names no %s", part)
		}
		t.Logf("%s: %d bytes", part, n)
		first += n
	}
	names, err := filepath.Glob(filepath.Join(built, "*.gz"))
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, name := range names {
		all += size(filepath.Base(name))
	}
	t.Logf("a board without messages: %d bytes; at first %d of %d; ever %d of %d", html, first, maxFirstLoad, all, maxPage)
	if first > maxFirstLoad || all > maxPage {
		t.Errorf("the page loads %d bytes at first, the bound is %d; %d in all, the bound is %d", first, maxFirstLoad, all, maxPage)
	}
}
