package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"longear/node/api/guest/page"
)

func catalog(t testing.TB) *page.Catalog {
	t.Helper()
	c, err := page.ReadCatalog(os.DirFS("../../../../cmd/longear/web/lang"), "en")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	said        = regexp.MustCompile(`Say\("([a-z_0-9]+)"`)
	placeholder = regexp.MustCompile(`\{[a-z]+\}`)
)

// TestCatalog: every language has every text that is used, with its placeholders, and nothing that is not used.
func TestCatalog(t *testing.T) {
	c := catalog(t)
	if got := strings.Join(c.Codes(), " "); got != "ar en fa kk ru zh" {
		t.Errorf("languages: %s", got)
	}
	used := map[string]bool{}
	for key := range strings.FieldsSeq("name dir now minutes hours days before through card_1 card_2 card_3 card_4 card_1_only card_2_only " +
		"kept known dead expired muted later full failed refused too_long empty_text stale_form") {
		used[key] = true // by way of a variable
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range said.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
	}
	english := c.Choose("en", "")
	for key := range used {
		want := placeholder.FindAllString(english.Say(key), -1)
		slices.Sort(want)
		for _, code := range c.Codes() {
			text := c.Choose(code, "").Say(key)
			got := placeholder.FindAllString(text, -1)
			slices.Sort(got)
			if text == key && code != "en" || text == "" || !slices.Equal(got, want) {
				t.Errorf("%s.%s is %q; its placeholders should be %v", code, key, text, want)
			}
			if code != "en" && len(text) > 12 && text == english.Say(key) {
				t.Errorf("%s.%s is still English", code, key)
			}
		}
	}
	if got := len(used); got < 40 {
		t.Errorf("only %d keys are used", got)
	}
}

// TestBadCatalogs: a catalogue with a hole does not start.
func TestBadCatalogs(t *testing.T) {
	good := `{"name":"A","dir":"ltr"}`
	for name, files := range map[string]fstest.MapFS{
		"none":            {},
		"no fallback":     {"fr.json": {Data: []byte(good)}},
		"not JSON":        {"en.json": {Data: []byte("{")}},
		"a nested object": {"en.json": {Data: []byte(`{"name":{"a":"b"},"dir":"ltr"}`)}},
		"no direction":    {"en.json": {Data: []byte(`{"name":"A"}`)}},
		"a missing key":   {"en.json": {Data: []byte(`{"name":"A","dir":"ltr","x":"y"}`)}, "fr.json": {Data: []byte(good)}},
	} {
		if _, err := page.ReadCatalog(files, "en"); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPageFits: the fullest board of every language is under 14 kB with its header, and holds several messages.
func TestPageFits(t *testing.T) {
	c := catalog(t)
	for _, code := range c.Codes() {
		w := c.Choose(code, "")
		b := page.Board{
			Words: w, Catalog: c, Lang: code, Hub: strings.Repeat("ҳ", 32), Channel: strings.Repeat("a", 26), Notice: "later",
			State: page.State{Guests: 4096, Neighbours: 100, Messages: 1 << 40, Synced: -1}, Form: &page.Form{Token: strings.Repeat("x", 22), Channel: strings.Repeat("я", 32)}, After: strings.Repeat("c", 52),
		}
		for i := range 40 {
			b.Tabs = append(b.Tabs, page.Tab{Name: "#" + strings.Repeat("я", 32), Tag: fmt.Sprintf("%026d", i), Count: 1 << 30})
			b.Items = append(b.Items, page.Item{Channel: "#" + strings.Repeat("я", 32), Author: "abcdefgh", Age: 26 * time.Hour, Text: strings.Repeat("слово ", 50), Cursor: strings.Repeat("c", 52), Alert: i%2 == 0})
		}
		got := b.Bytes()
		if len(got) > 14_000-700 { // the header takes some 600
			t.Errorf("%s: %d bytes", code, len(got))
		}
		if n := strings.Count(string(got), "<article"); n < 4 {
			t.Errorf("%s: only %d messages fit", code, n)
		}
		t.Logf("%s: %d bytes, %d messages", code, len(got), strings.Count(string(got), "<article"))
	}
	if !strings.Contains(page.Style, "prefers-color-scheme:dark") || strings.Contains(page.Style, "url(") {
		t.Error("the style has no dark mode, or loads something")
	}
}

// TestPollFits: the longest poll, of characters that grow when they are escaped, leaves a page under 14 kB in every language, and says what it counts.
func TestPollFits(t *testing.T) {
	c := catalog(t)
	for _, code := range c.Codes() {
		for _, text := range []string{strings.Repeat("\"", 200), strings.Repeat("🐫", 50), strings.Repeat("слово ", 30)} {
			w := c.Choose(code, "")
			b := page.Board{
				Words: w, Catalog: c, Lang: code, Hub: strings.Repeat("ҳ", 32), Channel: strings.Repeat("a", 26), Notice: "later",
				State: page.State{Guests: 4096, Neighbours: 100, Messages: 1 << 40, Synced: -1}, Form: &page.Form{Token: strings.Repeat("x", 22), Channel: strings.Repeat("я", 32)},
			}
			for i := range 40 {
				b.Tabs = append(b.Tabs, page.Tab{Name: "#" + strings.Repeat("я", 32), Tag: fmt.Sprintf("%026d", i), Count: 1 << 30})
			}
			poll := page.Item{Channel: "#" + strings.Repeat("я", 32), Author: "abcdefgh", Age: 26 * time.Hour, Text: strings.Repeat(text, 20), Cursor: strings.Repeat("c", 52)}
			for range 16 {
				poll.Options = append(poll.Options, page.Option{Text: text, Votes: 16384})
			}
			poll.Answers = page.Answers{Confirms: 16384, Contradicts: 16384, Voters: 16384, AtLeast: true}
			b.Items = []page.Item{poll, poll}
			got := string(b.Bytes())
			if len(got) > 14_000-700 {
				t.Errorf("%s: %d bytes", code, len(got))
			}
			if strings.Count(got, "<article") == 1 && !strings.Contains(got, "after=") {
				t.Errorf("%s: the second poll is nowhere", code)
			}
			for _, want := range []string{"16384+", w.Say("poll"), w.Say("voted_n", "n", "16384+"), w.Say("contradicted_n", "n", "16384+"), w.Say("keys_note")} {
				if !strings.Contains(got, want) {
					t.Errorf("%s: the page lacks %q", code, want)
				}
			}
			t.Logf("%s: %d bytes, %d polls", code, len(got), strings.Count(got, "<article"))
		}
	}
}

// TestCard: four sentences, both codes, nothing from outside, in every language.
func TestCard(t *testing.T) {
	c := catalog(t)
	checker := page.Code{Size: 21, Black: func(x, y int) bool { return (x+y)%2 == 0 }}
	for _, code := range c.Codes() {
		w := c.Choose(code, "")
		card := page.Card{Words: w, Hub: "<north> gate", SSID: `a "net" & more`, Password: "<secret>1", URL: "http://192.168.49.1:8440/", Join: checker, Open: checker}
		got := string(card.Bytes())
		for want, times := range map[string]int{"<svg": 2, "<li>": 4, "<script": 0, "src=": 0, "href=": 0, "url(": 0, "&lt;north&gt;": 2, "&lt;secret&gt;1": 1, "http": 2, `<html lang="` + code + `" dir="` + w.Dir() + `">`: 1, "M4 4h1v1h-1z": 2} {
			if n := strings.Count(got, want); n != times {
				t.Errorf("%s: %q is there %d times, want %d", code, want, n, times)
			}
		}
		card.SSID, card.Password = "", ""
		got = string(card.Bytes())
		if codes, sentences := strings.Count(got, "<svg"), strings.Count(got, "<li>"); codes != 1 || sentences != 4 || strings.Contains(got, w.Say("card_2")) {
			t.Errorf("%s: without a Wi-Fi %d codes and %d sentences", code, codes, sentences)
		}
	}
}

// FuzzBoard: whatever a message says, it is no markup.
func FuzzBoard(f *testing.F) {
	c := catalog(f)
	w := c.Choose("ar", "")
	for _, s := range []string{"", "<b>", "&amp;", "\u202e", "a\nb\n\n\n", "\xff\xfe", strings.Repeat("\n", 100), `"'`} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		bare := page.Board{Words: w, Catalog: c, Items: []page.Item{{}}}
		full := page.Board{Words: w, Catalog: c, Hub: name, Items: []page.Item{{Text: text, Channel: name, Author: name}}, Tabs: nil}
		a, b := string(bare.Bytes()), string(full.Bytes())
		if strings.Count(a, "<") != strings.Count(b, "<") || strings.Count(a, ">") != strings.Count(b, ">") || strings.Count(a, `"`) != strings.Count(b, `"`) {
			t.Errorf("a text became markup: %q %q", text, name)
		}
		if strings.ContainsAny(b, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b") {
			t.Errorf("a control character came through: %q %q", text, name)
		}
	})
}
