//go:build linux

package browser_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longear/protocol"
)

// corpusSize is how many hostile messages there are, corpusBatch how many of them go into one request.
const (
	corpusSize  = 200
	corpusBatch = 50
)

// corpus makes messages of strangers who mean harm. The same ones each time.
type corpus struct {
	t        *testing.T
	messages []*protocol.Message
}

// hostileTexts are what a page or a terminal must show as text, if at all.
func hostileTexts() []string {
	return []string{
		`<script>window.pwned=1;alert(1)</script>`, `<img src=x onerror="window.pwned=1">`, `<svg onload="window.pwned=1"><script>alert(2)</script></svg>`,
		`"><iframe srcdoc="<script>parent.pwned=1</script>">`, `javascript:window.pwned=1`, `<a href="javascript:window.pwned=1">water</a>`,
		`' onfocus=window.pwned=1 autofocus tabindex=1 x='`, `</article></main><script>window.pwned=1</script>`, `<style>*{display:none}@import "http://10.0.0.1/x"</style>`,
		`<link rel=stylesheet href=http://10.0.0.1/x>`, `<meta http-equiv=refresh content="0;url=http://10.0.0.1/">`, `<base href=http://10.0.0.1/>`,
		`<form action=http://10.0.0.1/><button>Send</button></form>`, `{{constructor.constructor('window.pwned=1')()}}`, `${window.pwned=1}`, `<object data=http://10.0.0.1/x></object>`,
		"\u202eclosed is gate north\u202d open", "\u2066\u2066\u2066\u2067unclosed", "a\u200bb\u200cc\u200dd\ufeffe\u2060f", strings.Repeat("W", 4000),
		strings.Repeat("\u0301", 600) + "tall", "e" + strings.Repeat("\u0335\u0489", 400), "line\nbreaks\n\n\n\n" + strings.Repeat("\n", 500) + "end", strings.Repeat("\t", 300) + "tab",
		"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b]52;c;cm0gLXJm\x07", "\u009b31mC1\u009d0;owned\u009c", "bell\x07\b\b\b\b\rgone\x00null\x7f", "\xff\xfe\xc3\x28\xed\xa0\x80 not UTF-8",
		"شمال\u202e\u2067 north \u2069\u200f مفتوح", "\U000e0041\U000e0042 tags", "\ufff9hidden\ufffaruby\ufffb", "𒀱﷽﷽﷽﷽﷽﷽", "👨‍👩‍👧‍👦" + strings.Repeat("\U0001f3fb", 50),
		"%s%s%n%x", "http://10.0.0.1/?q=" + strings.Repeat("a", 300), "[north gate](javascript:alert(3)) ![x](http://10.0.0.1/x.png)", "__proto__",
	}
}

func (c *corpus) key(i int) ed25519.PrivateKey {
	seed := sha256.Sum256(fmt.Appendf(nil, "hostile %d", i))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (c *corpus) sign(author int, d protocol.Draft) {
	c.t.Helper()
	if d.Channel == (protocol.Channel{}) {
		tag, err := protocol.PublicChannel("water")
		if err != nil {
			c.t.Fatal(err)
		}
		d.Channel = tag
	}
	if d.Created == 0 {
		d.Created = 1_790_000_000_000 + uint64(len(c.messages))*1000
	}
	m, err := protocol.Sign(c.key(author), d)
	if err != nil {
		c.t.Fatalf("message %d: %v", len(c.messages), err)
	}
	c.messages = append(c.messages, m)
}

// cut is the first bytes of a text that are valid UTF-8, without what a rule forbids.
func cut(text string, most int, forbidden func(rune) bool) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "?") {
		if forbidden(r) {
			continue
		}
		if b.Len()+len(string(r)) > most {
			break
		}
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return "x"
	}
	return b.String()
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 }

func noReaction(r rune) bool {
	return r <= 0x20 || r >= 0x7f && r <= 0xa0 || r >= 0x2000 && r <= 0x200a || r == 0x2028 || r == 0x2029
}
func never(rune) bool { return false }

// previews are pictures that are none, or that claim too much.
func previews(t *testing.T) [][]byte {
	t.Helper()
	var real bytes.Buffer
	if err := png.Encode(&real, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	giant := bytes.Clone(real.Bytes())
	binary.BigEndian.PutUint32(giant[16:], 0x7fffffff)
	binary.BigEndian.PutUint32(giant[20:], 0x7fffffff)
	return [][]byte{
		[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="window.pwned=1"><image href="http://10.0.0.1/x"/></svg>`),
		[]byte(`<html><script>window.pwned=1</script></html>`), real.Bytes()[:30], giant, real.Bytes(), nil,
		append([]byte{0xff, 0xd8, 0xff, 0xe0}, bytes.Repeat([]byte{0}, 2000)...), []byte("RIFF\xff\xff\xff\xffWEBPVP8 "),
	}
}

// add makes the i-th message.
func (c *corpus) add(i int) {
	c.t.Helper()
	texts := hostileTexts()
	text := texts[i%len(texts)]
	author := i
	before := func(n int) protocol.ID { return c.messages[max(0, i-n)].ID }
	switch i % 10 {
	case 0:
		c.sign(author, protocol.Draft{Body: []byte(text)})
	case 1:
		c.sign(author, protocol.Draft{Body: []byte(text), Class: protocol.Alert})
	case 2:
		c.sign(author, protocol.Draft{Body: []byte(text), Kind: protocol.KindPetition})
	case 3:
		c.sign(author, protocol.Draft{Body: c.poll(texts, i), Kind: protocol.KindPoll})
	case 4:
		c.sign(author, protocol.Draft{Body: c.manifest(text, i), Kind: protocol.KindManifest})
	case 5: // the profile of who writes the next message; every other one imitates
		name := cut(text, 64, isControl)
		if i%20 == 5 {
			name = []string{"north gate", "nоrth gate", "north\u200b gate", "north gate\u202e"}[i/20%4]
		}
		c.sign(author, protocol.Draft{Body: []byte(name), Kind: protocol.Profile})
	case 6:
		c.sign(author-1, protocol.Draft{Body: []byte(text), Lifetime: uint32(protocol.MaxLifetime.Seconds())})
	case 7:
		answer, err := protocol.AppendAnswer(nil, protocol.Answer{Kind: protocol.React, Text: cut(text, protocol.MaxReaction, noReaction)})
		if err != nil {
			c.t.Fatal(err)
		}
		c.sign(author, protocol.Draft{Body: answer, Kind: protocol.Response, Parents: []protocol.ID{before(1)}})
	case 8: // a chain of replies as long as the corpus, and parents that nobody has
		c.sign(author, protocol.Draft{Body: []byte(text), Parents: []protocol.ID{before(10), {byte(i), 1}, {byte(i), 2}}})
	case 9:
		c.extreme(i, text)
	}
}

func (c *corpus) poll(texts []string, i int) []byte {
	c.t.Helper()
	p := protocol.Poll{Question: cut(texts[i%len(texts)], 5000, never), Most: uint8(1 + i%16)}
	for n := range protocol.MaxOptions {
		p.Options = append(p.Options, cut(texts[(i+n)%len(texts)], protocol.MaxOption, never))
	}
	body, err := protocol.AppendPoll(nil, p)
	if err != nil {
		c.t.Fatal(err)
	}
	return body
}

func (c *corpus) manifest(text string, i int) []byte {
	c.t.Helper()
	all := previews(c.t)
	types := []string{"image/svg+xml", "text/html", "application/xhtml+xml", "image/png", "image/jpeg", `x"onload=alert(4)`, "", "application/javascript", "image/webp"}
	m := &protocol.Manifest{
		Size: 10, Chunks: []protocol.ID{{byte(i), 9}}, Type: types[i/10%len(types)], Name: strings.ReplaceAll(cut(text, 100, isControl), "/", "\\") + "\u202egnp.exe",
		Width: protocol.MaxSide, Height: 1 + i%2*(protocol.MaxSide-1), Preview: all[i/10%len(all)], Caption: cut(text, 4000, never),
	}
	if i%40 == 4 { // a file that is here: the message before is its only part
		m.Chunks, m.Size = []protocol.ID{c.messages[i-4].ID}, max(1, len(c.messages[i-4].Body))
	}
	body, err := protocol.AppendManifest(nil, m)
	if err != nil {
		c.t.Fatal(err)
	}
	return body
}

// extreme makes what stands at the edges of the format, or beyond what a body may be.
func (c *corpus) extreme(i int, text string) {
	c.t.Helper()
	d := protocol.Draft{Body: []byte(text)}
	switch i / 10 % 10 {
	case 0:
		d.Created = protocol.MaxCreated // in the year 10889
	case 1:
		d.Created = 1 // 1970
	case 2:
		d.Lifetime = 1
	case 3:
		d.Body, d.Channel = bytes.Repeat([]byte{0x5e, 0xa1, 0xed}, 300), protocol.Channel{1, 2, 3} // looks sealed
	case 4:
		d.Body = bytes.Repeat([]byte("<b>"), protocol.MaxBody/3)
	case 5:
		d.Kind, d.Body = protocol.KindPoll, []byte{255, 255, 255, 255, 0x80, 0x80}
	case 6:
		d.Kind, d.Body = protocol.KindManifest, bytes.Repeat([]byte{0xff}, 100)
	case 7:
		d.Kind, d.Body, d.Parents = protocol.Response, []byte{200, 1, 2}, []protocol.ID{{7}}
	case 8:
		d.Kind = 60_000
	case 9:
		d.Kind, d.Class, d.Flags = protocol.Direct, protocol.Alert, protocol.MaxFlags
	}
	c.sign(i, d)
}

// writeCorpus writes the messages as bodies of POST /guest/messages, and returns the files.
func writeCorpus(t *testing.T) (files []string) {
	t.Helper()
	c := &corpus{t: t}
	for i := range corpusSize {
		c.add(i)
	}
	dir := t.TempDir()
	for at := 0; at < corpusSize; at += corpusBatch {
		var body []byte
		for _, m := range c.messages[at : at+corpusBatch] {
			body = binary.AppendUvarint(body, uint64(1+len(m.Wire())))
			body = append(append(body, 0), m.Wire()...) // age 0
		}
		file := filepath.Join(dir, fmt.Sprintf("batch%d", at))
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
