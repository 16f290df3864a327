// Package page makes what a guest sees without script: the board of messages, the page of the sign-in window and the printed
// card, as bytes of HTML.
//
// Everything in it is hostile but its own words: texts, channel names and the hub's name pass [html.text], which escapes, and
// [clean], which takes out what could reorder or break a page. Nothing is loaded from anywhere, there is no script, and a page
// fits into the first flight of a TCP connection (see pageBudget).
//
// It does no I/O and does not know HTTP. The words of each language are a catalogue that the richer page shares.
//
// html/template is not used: it looks methods up by name at run time, which keeps the linker from removing dead code, and costs
// the program 4.6 MB that every phone would have to fetch.
package page

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Words are the texts of one language.
type Words struct {
	// Code is the language's tag, such as "kk": the name of its file.
	Code  string
	words map[string]string
}

// Name is the language's name in itself.
func (w *Words) Name() string { return w.words["name"] }

// Dir is "ltr" or "rtl".
func (w *Words) Dir() string { return w.words["dir"] }

// Say is the text for a key. Pairs of a placeholder's name and its value are filled in: Say("minutes", "n", "3").
func (w *Words) Say(key string, pairs ...string) string {
	text, ok := w.words[key]
	if !ok {
		return key // a test holds every key that is used; a person is better off with the key than with nothing
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}

// Catalog is every language that there is.
type Catalog struct {
	all      []*Words // by code
	fallback *Words
}

// ReadCatalog reads a folder of files LANGUAGE.json, each a flat object of texts. All have the same keys, but for the plural forms of
// a key ("phones.one", "phones.other"), which are as many as a language has. fallback is the language of a reader who asks for none
// of them.
func ReadCatalog(files fs.FS, fallback string) (*Catalog, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("read languages: %w", err)
	}
	c := &Catalog{}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read languages: %w", err)
		}
		w := &Words{Code: strings.TrimSuffix(path.Base(name), ".json")}
		if err := json.Unmarshal(b, &w.words); err != nil {
			return nil, fmt.Errorf("read language %s: %w", w.Code, err)
		}
		if w.Dir() != "ltr" && w.Dir() != "rtl" {
			return nil, fmt.Errorf("read language %s: its dir is %q, not ltr or rtl", w.Code, w.Dir())
		}
		c.all = append(c.all, w)
	}
	if c.fallback = c.find(fallback); c.fallback == nil {
		return nil, fmt.Errorf("there is no language %q: there are %s", fallback, strings.Join(c.Codes(), ", "))
	}
	want := c.fallback.keys()
	for _, w := range c.all {
		if got := w.keys(); !slices.Equal(got, want) {
			return nil, fmt.Errorf("language %s has not the same keys as %s", w.Code, fallback)
		}
	}
	return c, nil
}

// keys are what a catalogue has texts for, sorted. A plural form stands for its key: every language has the form "other".
func (w *Words) keys() []string {
	var out []string
	for key := range w.words {
		if base, form, counted := strings.Cut(key, "."); !counted || form == "other" {
			out = append(out, base)
		}
	}
	slices.Sort(out)
	return out
}

// Codes are the tags of all languages.
func (c *Catalog) Codes() []string {
	var out []string
	for _, w := range c.all {
		out = append(out, w.Code)
	}
	return out
}

func (c *Catalog) find(code string) *Words {
	for _, w := range c.all {
		if w.Code == code {
			return w
		}
	}
	return nil
}

// maxAccept bounds what is read of an Accept-Language header: browsers send a handful of tags.
const maxAccept = 256

// Choose picks a reader's language: what they asked for by name, else the best of an Accept-Language header (RFC 9110,
// section 12.5.4) by the language's first subtag, else the fallback. It never fails.
func (c *Catalog) Choose(asked, accept string) *Words {
	if w := c.find(asked); w != nil {
		return w
	}
	best, weight := c.fallback, 0.0
	for part := range strings.SplitSeq(accept[:min(len(accept), maxAccept)], ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		w := c.find(strings.TrimSpace(primary))
		if w == nil {
			continue
		}
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
		}
		if q > weight { // the first of equals
			best, weight = w, q
		}
	}
	return best
}
