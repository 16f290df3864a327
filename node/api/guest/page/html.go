package page

import (
	"html"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// markup is HTML of our own. Only constants become markup by themselves: a string that came from somebody does not compile.
type markup string

// writer composes HTML.
type writer struct{ b []byte }

func (w *writer) raw(m markup) { w.b = append(w.b, m...) }

// text writes somebody's text, escaped for an element or a quoted attribute.
func (w *writer) text(s string) { w.b = append(w.b, html.EscapeString(s)...) }

// attr writes ` name="value"`, escaped.
func (w *writer) attr(name markup, value string) {
	w.raw(" ")
	w.raw(name)
	w.raw(`="`)
	w.text(value)
	w.raw(`"`)
}

// isolated writes a name or a number so that its direction cannot reorder what is around it.
func (w *writer) isolated(s string) {
	w.raw("<bdi>")
	w.text(s)
	w.raw("</bdi>")
}

// Bounds of one text on a page: a message is up to 32 KiB, and a wall of empty lines would hide all others.
const (
	maxRunes = 600
	maxLines = 14
)

// clean makes somebody's text fit to be shown: valid UTF-8, no control characters but line ends, none of the characters that
// override or isolate direction (the element does that), at most maxRunes and maxLines. cut says that something is missing.
func clean(s string) (out string, cut bool) {
	var b strings.Builder
	runes, lines := 0, 0
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == '\n':
			if lines++; lines == maxLines {
				return b.String(), strings.TrimSpace(s) != ""
			}
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029, r == 0xFEFF:
			continue
		}
		if runes++; runes > maxRunes {
			return b.String(), true
		}
		b.WriteRune(r)
	}
	return b.String(), false
}

// line is clean for what has to stay on one line.
func line(s string) string {
	s, _ = clean(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, s))
	return s
}

// Age says how long something has been travelling.
func (w *Words) Age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return w.Say("now")
	case d < time.Hour:
		return w.Say("minutes", "n", strconv.Itoa(int(d/time.Minute)))
	case d < 24*time.Hour:
		return w.Say("hours", "n", strconv.Itoa(int(d/time.Hour)))
	}
	return w.Say("days", "n", strconv.Itoa(int(d/(24*time.Hour))))
}
