package page

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Style is the one style sheet of all pages, inline. Logical properties only, so that right-to-left needs nothing of its own; widths
// from 320 px; light and dark by the system.
const Style = `:root{color-scheme:light dark;--i:#111;--b:#fff;--m:#595959;--l:#0b57d0;--e:#d0d0d0;--a:#b3261e}` +
	`@media(prefers-color-scheme:dark){:root{--i:#eee;--b:#000;--m:#a8a8a8;--l:#8ab4f8;--e:#3a3a3a;--a:#ff8a80}}` +
	`*{box-sizing:border-box}body{margin:0 auto;padding:.5rem;max-inline-size:42rem;font:1rem/1.45 system-ui,sans-serif;color:var(--i);background:var(--b);overflow-wrap:anywhere}` +
	`h1{font-size:1.2rem;margin:.3rem 0}a{color:var(--l);display:inline-block;padding:.6rem .5rem;min-block-size:2.75rem}` +
	`nav{border-block-end:1px solid var(--e)}nav b{display:inline-block;padding:.6rem .5rem}small,.m{color:var(--m);font-size:.85rem}` +
	`article{border-block-end:1px solid var(--e);padding-block:.5rem;overflow:hidden}article p{margin:.2rem 0;white-space:pre-wrap}` +
	`.a{border-inline-start:.3rem solid var(--a);padding-inline-start:.5rem}.a strong{color:var(--a)}` +
	`textarea{inline-size:100%;font:inherit;color:inherit;background:inherit;border:1px solid var(--m);padding:.4rem}` +
	`button{font:inherit;min-block-size:2.75rem;padding:.5rem 1.2rem;color:var(--b);background:var(--l);border:0}` +
	`:focus-visible{outline:3px solid var(--l);outline-offset:2px}.n{border:1px solid var(--m);padding:.5rem}code{font-size:1.05rem}`

// StyleHash names Style in a Content-Security-Policy: the one style that a page may use.
func StyleHash() string {
	sum := sha256.Sum256([]byte(Style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageBudget is the most bytes of a page: with its header it fits into the 14,600 that a server may send before the first
// acknowledgement (RFC 6928), so that a page takes one round trip on a crowded radio.
const pageBudget = 13_600

// Item is a message as a page shows it.
type Item struct {
	ID      string // the beginning of the message's, by which the richer page finds the text that is being read; "" none
	Channel string // a name, or the beginning of a tag
	Author  string // the beginning of a key
	Age     time.Duration
	Text    string
	Alert   bool
	Sealed  bool   // cannot be read without a key
	File    *File  // of a photo or file; its caption is the text
	Cursor  string // where a page that goes on behind it starts

	Petition bool
	Options  []Option // of a poll, whose text is the question
	Answers  Answers
}

// File is a photo or file, by its author's word.
type File struct {
	Name string
	Size int // bytes
}

// Tab is a channel to choose.
type Tab struct {
	Name, Tag string
	Count     int
}

// Board is the page of messages.
type Board struct {
	Words   *Words
	Catalog *Catalog
	Lang    string // in links: the language that was asked for by name, if it was
	Hub     string
	Channel string // the tag of the channel shown; "" all
	State   State
	Tabs    []Tab // at most maxTabs are shown
	Items   []Item
	After   string // where those begin that are older than Items; "" there are none
	Notice  string // a key of the catalogue: what became of a form; "" none
	Form    *Form  // nil: writing needs script
	Script  string // address of the page with script, which takes over when it is loaded; "" none
}

// State is the line about how the hub is.
type State struct {
	Guests, Neighbours int
	Messages           int64
	Synced             time.Duration // since the last exchange with a neighbour; negative: never
}

// Form is a form to write with.
type Form struct {
	Token   string // proves that the form was made here for this guest
	Channel string // name of the channel that is written to
}

// maxTabs bounds the channels shown.
const maxTabs = 16

// Bytes is the page. Items that do not fit are left to the page behind it.
func (b Board) Bytes() []byte {
	w := b.Words.head(b.Hub)
	if b.Script != "" {
		w.raw(`<script type="module"`)
		w.attr("src", b.Script)
		w.raw("></script>")
	}
	b.header(w)
	w.raw("<main>")
	if b.Notice != "" {
		w.raw(`<p class="n" role="status">`)
		w.text(b.Words.Say(b.Notice))
		w.raw("</p>")
	}
	b.hint(w)
	tail := &writer{}
	b.form(tail)
	tail.raw("</main>")
	b.foot(tail)
	const link = 400 // more than the link to older messages takes
	rest := b.After
	for i, item := range b.Items {
		part := &writer{}
		b.Words.item(part, item)
		if i > 0 && len(w.b)+len(part.b)+len(tail.b)+link > pageBudget {
			rest = b.Items[i-1].Cursor
			break
		}
		w.b = append(w.b, part.b...)
	}
	if len(b.Items) == 0 && b.After == "" {
		w.raw("<p>")
		w.text(b.Words.Say("empty"))
		w.raw("</p>")
	}
	if rest != "" {
		w.raw("<p><a")
		w.attr("href", b.link(b.Channel, b.Lang, rest))
		w.raw(">")
		w.text(b.Words.Say("older"))
		w.raw("</a></p>")
	}
	w.b = append(w.b, tail.b...)
	return w.b
}

// head begins every page.
func (words *Words) head(title string) *writer {
	w := &writer{b: make([]byte, 0, pageBudget+1024)}
	w.raw("<!doctype html><html")
	w.attr("lang", words.Code)
	w.attr("dir", words.Dir())
	w.raw(`><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>longear · `)
	w.text(line(title))
	w.raw("</title><style>" + Style + "</style>")
	return w
}

func (b Board) header(w *writer) {
	w.raw("<header><h1>longear · ")
	w.isolated(line(b.Hub))
	w.raw("</h1><p>")
	w.text(b.Words.Say("tagline"))
	w.raw(`</p><p class="m">`)
	w.text(b.Words.state(b.State))
	w.raw("</p></header><nav>")
	b.tab(w, Tab{Name: b.Words.Say("all")})
	for _, t := range b.Tabs[:min(len(b.Tabs), maxTabs)] {
		b.tab(w, t)
	}
	w.raw("</nav>")
}

func (b Board) tab(w *writer, t Tab) {
	if t.Tag == b.Channel {
		w.raw(`<b aria-current="page">`)
		w.isolated(line(t.Name))
		w.raw("</b> ")
		return
	}
	w.raw("<a")
	w.attr("href", b.link(t.Tag, b.Lang, ""))
	w.raw(">")
	w.isolated(line(t.Name))
	if t.Count > 0 {
		w.raw(" <small>")
		w.text(strconv.Itoa(t.Count))
		w.raw("</small>")
	}
	w.raw("</a> ")
}

// link is an address within the board.
func (b Board) link(channel, lang, after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"channel": channel, "lang": lang, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func (words *Words) state(s State) string {
	synced := words.Say("never")
	if s.Synced >= 0 {
		synced = words.Age(s.Synced)
	}
	return words.Say("state", "guests", strconv.Itoa(s.Guests), "neighbours", strconv.Itoa(s.Neighbours),
		"messages", strconv.FormatInt(s.Messages, 10), "synced", synced)
}

func (words *Words) item(w *writer, it Item) {
	w.raw("<article")
	if it.ID != "" {
		w.attr("id", "p-"+it.ID)
	}
	if it.Alert {
		w.raw(` class="a"><small><strong>`)
		w.text(words.Say("alert"))
		w.raw("</strong> · ")
	} else {
		w.raw("><small>")
	}
	w.isolated(line(it.Channel))
	w.raw(" · ")
	w.isolated(line(it.Author))
	w.raw(" · ")
	w.text(words.Age(it.Age))
	switch {
	case it.Petition:
		w.raw(" · ")
		w.text(words.Say("petition"))
	case it.Options != nil:
		w.raw(" · ")
		w.text(words.Say("poll"))
	}
	w.raw("</small>")
	if it.File != nil {
		w.raw("<p>\U0001F4CE ")
		w.isolated(line(it.File.Name))
		w.raw(" · ")
		w.isolated(fmt.Sprintf("%d kB", (it.File.Size+999)/1000))
		w.raw("</p>")
	}
	switch {
	case it.Sealed:
		w.raw(`<p class="m">`)
		w.text(words.Say("sealed"))
	case it.File != nil && it.Text == "":
		w.raw("</article>")
		return
	default:
		text, cut := clean(it.Text)
		w.raw(`<p dir="auto">`)
		w.text(text)
		if cut {
			w.raw(" …")
		}
	}
	w.raw("</p>")
	words.answers(w, it)
	w.raw("</article>")
}

// hint says how to write. The form itself is below the messages: what is urgent comes first.
func (b Board) hint(w *writer) {
	if b.Form == nil {
		w.raw(`<p class="m">`)
		w.text(b.Words.Say("no_form"))
		w.raw("</p>")
		return
	}
	w.raw(`<a href="#t">`)
	w.text(b.Words.Say("write"))
	w.raw(" ")
	w.isolated("#" + line(b.Form.Channel))
	w.raw("</a>")
}

func (b Board) form(w *writer) {
	if b.Form == nil {
		return
	}
	w.raw(`<form method="post" action="/post"><input type="hidden" name="token"`)
	w.attr("value", b.Form.Token)
	w.raw(`><input type="hidden" name="channel"`)
	w.attr("value", b.Form.Channel)
	w.raw(`><input type="hidden" name="lang"`)
	w.attr("value", b.Lang)
	w.raw(`><label for="t">`)
	w.text(b.Words.Say("write"))
	w.raw(" ")
	w.isolated("#" + line(b.Form.Channel))
	w.raw(`</label><textarea id="t" name="text" rows="3" maxlength="1000" dir="auto" required></textarea><small>`)
	w.text(b.Words.Say("form_note", "hub", line(b.Hub)))
	w.raw("</small><br><button>")
	w.text(b.Words.Say("send"))
	w.raw("</button></form>")
}

func (b Board) foot(w *writer) {
	w.raw("<footer><p><small>")
	w.text(b.Words.Say("signed"))
	if slices.ContainsFunc(b.Items, func(it Item) bool { return it.counted() }) {
		w.raw(" ")
		w.text(b.Words.Say("keys_note"))
	}
	w.raw("</small></p>")
	b.Words.languages(w, b.Catalog, func(code string) string { return b.link(b.Channel, code, "") })
	w.raw("</footer></html>")
}

// languages writes the switch: each language by its own name, in its own direction.
func (words *Words) languages(w *writer, c *Catalog, link func(code string) string) {
	w.raw("<nav")
	w.attr("aria-label", words.Say("language"))
	w.raw(">")
	for _, other := range c.all {
		if other == words {
			w.raw(`<b aria-current="true">`)
			w.isolated(other.Name())
			w.raw("</b> ")
			continue
		}
		w.raw("<a")
		w.attr("lang", other.Code)
		w.attr("dir", other.Dir())
		w.attr("hreflang", other.Code)
		w.attr("href", link(other.Code))
		w.raw(">")
		w.text(other.Name())
		w.raw("</a> ")
	}
	w.raw("</nav>")
}
