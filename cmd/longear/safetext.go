package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// safeText makes text from the network fit to be printed on a terminal, on one line. What could move the cursor, recolour,
// retitle, paste or reorder is taken out: control characters (C0 and C1, escape among them), the bidirectional
// overrides and isolates, line and paragraph separators, and whatever is not UTF-8. A line break inside becomes
// a visible mark, so that one message cannot pass for two.
func safeText(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		s = s[n:]
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError)
		case r == '\n':
			b.WriteString(" ⏎ ")
		case r == '\t':
			b.WriteByte(' ')
		case hostile(r):
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hostile reports the characters that a terminal acts on, or that change the order or the look of others.
func hostile(r rune) bool {
	switch {
	case unicode.Is(unicode.Cc, r): // C0, DEL, C1
		return true
	case r == 0x061C, r == 0x200E, r == 0x200F, // bidirectional marks
		r >= 0x202A && r <= 0x202E, // embeddings and overrides
		r >= 0x2066 && r <= 0x2069, // isolates
		r == 0x2028, r == 0x2029,   // line and paragraph separators
		r >= 0x206A && r <= 0x206F, // deprecated shaping controls
		r == 0xFEFF,
		r >= 0xFFF9 && r <= 0xFFFB,   // interlinear annotation
		r >= 0xE0000 && r <= 0xE0FFF: // invisible tags
		return true
	}
	return false
}
