package guest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"longear/node/api/guest"
	"longear/protocol"
)

func TestBoard(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	h.keep(
		pen.write("all", "the north gate is closed", alert),
		pen.write("water", "clean water", nil),
		pen.write("medic", "a medic at the east stairs", nil),
		pen.write("all", "\x00\xff sealed", nil),
		pen.write("all", "a profile", func(d *protocol.Draft) { d.Kind = protocol.Profile }),
		pen.write("all", "a letter", func(d *protocol.Draft) { d.Kind, d.Channel = protocol.Direct, protocol.DirectChannel() }),
	)
	page := p.get(h, "/").text()
	contains(t, page, "the north gate is closed", "#water", "clean water", tag(t, "medic").String()[:8], "A sealed message", "longear · <bdi>north gate</bdi>", `<html lang="en" dir="ltr">`)
	if strings.Index(page, "the north gate is closed") > strings.Index(page, "sealed") {
		t.Error("an older alert stands below newer text")
	}
	if containsAny(page, "a profile", "a letter", "<script", "\x00", protocol.DirectChannel().String()[:8], "<form") {
		t.Errorf("the board shows what it should not: %s", page)
	}
	water := p.get(h, "/?channel="+tag(t, "water").String()).text()
	contains(t, water, "clean water", `<b aria-current="page"><bdi>#water</bdi></b>`)
	if strings.Contains(water, "medic at the east") {
		t.Error("a channel shows another's messages")
	}
	contains(t, p.get(h, "/?channel=nothing-here").text(), "Nothing here yet.")
	contains(t, p.get(h, "/?channel=a%20b&after=x&notice=%3Cb%3E").text(), "clean water")
}

// TestLanguages: the browser's preference counts, a choice by name counts more and stays.
func TestLanguages(t *testing.T) {
	h := newHub(t, nil)
	for i, tc := range []struct{ accept, query, want, dir string }{
		{"", "", "en", "ltr"},
		{"kk", "", "kk", "ltr"},
		{"ru-RU,ru;q=0.9,en;q=0.8", "", "ru", "ltr"},
		{"de-DE,de;q=0.9,fa-IR;q=0.3,ar;q=0.2", "", "fa", "rtl"},
		{"zh-Hans-CN", "", "zh", "ltr"},
		{"en;q=0.1, AR;q=0.2", "", "ar", "rtl"},
		{"tr,uz", "", "en", "ltr"},
		{"kk;q=0,ru;q=x,zh;q=2", "", "en", "ltr"},
		{"ru", "?lang=kk", "kk", "ltr"},
		{"ru", "?lang=xx", "ru", "ltr"},
	} {
		res := newPhone(t, 2+i).do(h, call{path: "/" + tc.query, header: http.Header{"Accept-Language": {tc.accept}}})
		contains(t, res.text(), `<html lang="`+tc.want+`" dir="`+tc.dir+`">`)
		for _, other := range []string{"English", "Қазақша", "Русский", "العربية", "فارسی", "中文"} {
			contains(t, res.text(), other)
		}
	}
	page := newPhone(t, 100).get(h, "/?lang=fa&channel=water").text()
	contains(t, page, `href="/?lang=fa"`, "lang=kk")
}

// hostile are texts that have broken pages, terminals and people's eyes elsewhere.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</p></article></main><h1>hub closed</h1>`, `' onmouseover='alert(1)`,
	`<svg/onload=alert(1)>`, `javascript:alert(1)`, `&lt;script&gt;`, `<!--`, `]]>`, `</style><style>*{display:none}`, `</title>`, `<meta http-equiv=refresh content=0>`,
	"a\u202egpj.exe", "\u2066\u2067\u2068 isolates", "line\u2028separator", strings.Repeat("\n", 5000), strings.Repeat("W", 30_000), strings.Repeat("&", 30_000),
	strings.Repeat("\u0301", 10_000), "\x1b[31mred\x1b[0m", "null\x7f\x01\x08", strings.Repeat("<", 20_000), strings.Repeat("غ", 15_000), "🐫" + strings.Repeat("\u200d🐫", 500),
}

var tags = regexp.MustCompile(`</?([a-zA-Z0-9!-]+)`)

// TestHostileTexts: a text shows as a text, whatever it is; the page stays a page, and small.
func TestHostileTexts(t *testing.T) {
	ours := map[string]bool{}
	for tag := range strings.FieldsSeq("!doctype html meta title style header h1 bdi p nav b a small main article strong footer form input label textarea br button code") {
		ours[tag] = true
	}
	h, p, pen := newHub(t, func(c *guest.Config) { c.Hub, c.Forms = `<i>north</i> "gate" & co`, true }), newPhone(t, 2), newPen(t)
	for i, text := range hostile {
		m := pen.write([]string{"all", "water", "scr-ipt"}[i%3], text, nil)
		if i%5 == 0 {
			m = pen.write("all", text, alert)
		}
		h.keep(m)
	}
	pages, next := 0, "/?lang=en"
	for next != "" && pages < 60 {
		pages++
		page := p.get(h, next).text()
		h.advance(time.Second)
		if len(page) > 14_000 {
			t.Errorf("%s has %d bytes", next, len(page))
		}
		for _, m := range tags.FindAllStringSubmatch(page, -1) {
			if !ours[m[1]] {
				t.Errorf("%s has the element %q", next, m[1])
			}
		}
		if containsAny(page, "\u202e", "\u2066", "\u2028", "\x1b", "\x01", "onerror=alert(1)>", "<i>") {
			t.Errorf("%s lets something through", next)
		}
		if strings.Count(page, "<article") != strings.Count(page, "</article>") || !strings.HasSuffix(page, "</html>") {
			t.Errorf("%s is torn", next)
		}
		next = ""
		if m := regexp.MustCompile(`href="(/\?after=[^"]+)"`).FindStringSubmatch(page); m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if pages < 2 || pages > 40 {
		t.Errorf("%d pages", pages)
	}
	t.Logf("%d hostile texts on %d pages", len(hostile), pages)
	if n := len(p.get(h, "/signin").text()); n > 14_000 {
		t.Errorf("the sign-in page has %d bytes", n)
	}
}

// TestEveryMessageIsShown: pages that follow each other leave nothing out and show nothing twice.
func TestEveryMessageIsShown(t *testing.T) {
	h, p, pen := newHub(t, nil), newPhone(t, 2), newPen(t)
	for i := range 200 {
		h.keep(pen.write("all", fmt.Sprintf("text number %d. %s", i, strings.Repeat("long ", i%60)), nil))
	}
	seen := map[string]int{}
	for next := "/?channel=all"; next != ""; {
		page := p.get(h, next).text()
		h.advance(time.Second)
		for _, m := range regexp.MustCompile(`text number (\d+)\.`).FindAllStringSubmatch(page, -1) {
			seen[m[1]]++
		}
		next = ""
		if m := regexp.MustCompile(`href="(/\?after=[^"]+)"`).FindStringSubmatch(page); m != nil {
			next = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("text %s is shown %d times", n, times)
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200 messages are shown", len(seen))
	}
}

// TestForm: what is written without script is marked, signed by no person's key, and only where the operator allows it.
func TestForm(t *testing.T) {
	closed, p := newHub(t, nil), newPhone(t, 2)
	contains(t, p.get(closed, "/").text(), "Writing needs a browser with script")
	if res := p.submit(closed, "/post", url.Values{"text": {"x"}, "channel": {"all"}}); res.status != 403 {
		t.Errorf("a hub without forms: %d", res.status)
	}

	h := newHub(t, func(c *guest.Config) { c.Forms = true })
	page := p.get(h, "/?lang=ru&channel=water").text()
	contains(t, page, `<form method="post" action="/post">`, "гостя без скриптов", `name="channel" value="water"`)
	send := func(channel, text, token string) string {
		t.Helper()
		res := p.submit(h, "/post", url.Values{"text": {text}, "channel": {channel}, "token": {token}, "lang": {"ru"}})
		if res.status != 303 {
			t.Fatalf("%d %s", res.status, res.text())
		}
		return res.header.Get("Location")
	}
	good := token(t, page)
	at := send("water", "вода у ворот\r\nещё час", good)
	if at != "/?channel="+tag(t, "water").String()+"&lang=ru&notice=kept" {
		t.Errorf("it leads to %q", at)
	}
	contains(t, p.get(h, at).text(), "сохранено здесь", "[guest without script at hub north gate] вода у ворот\nещё час")
	for name, tc := range map[string]struct{ channel, text, token, want string }{
		"empty":           {"water", " \n ", good, "empty_text"},
		"too long":        {"water", strings.Repeat("ж", 1001), good, "too_long"},
		"no text":         {"water", "a\x00b", good, "refused"},
		"another channel": {"secret", "x", good, "refused"},
		"no channel":      {"#!", "x", good, "refused"},
		"no token":        {"water", "x", "", "stale_form"},
		"a foreign token": {"water", "x", token(t, newPhone(t, 3).get(h, "/").text()), "stale_form"},
	} {
		if at := send(tc.channel, tc.text, tc.token); !strings.Contains(at, "notice="+tc.want) {
			t.Errorf("%s leads to %q, want %s", name, at, tc.want)
		}
	}
	if n := h.store.Stats().Messages; n != 1 {
		t.Errorf("%d messages were written, want 1", n)
	}
	if res := p.do(h, call{method: "POST", path: "/post", body: []byte("text=x"), header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {"http://evil.example"},
	}}); res.status != 403 {
		t.Errorf("a form of another origin: %d", res.status)
	}
	var author protocol.Author
	for e, err := range h.store.Newest() {
		must(t, err)
		author = e.Message.Author
		if e.Own {
			t.Error("a form's message counts as the operator's own")
		}
	}
	again := newHub(t, func(c *guest.Config) { c.Forms = true })
	form := token(t, p.get(again, "/").text())
	p.submit(again, "/post", url.Values{"text": {"x"}, "channel": {"all"}, "token": {form}})
	for e, err := range again.store.Newest() {
		must(t, err)
		if e.Message.Author == author {
			t.Error("the key of forms is not new at every start")
		}
	}
}
