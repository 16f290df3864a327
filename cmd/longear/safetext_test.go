package main

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSafeText(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"clean water at gate 4", "clean water at gate 4"},
		{"таза су 4-қақпада", "таза су 4-қақпада"},
		{"آب در دروازهٔ ۴\u200cها", "آب در دروازهٔ ۴\u200cها"}, // Persian needs its joiner
		{"👩\u200d⚕️", "👩\u200d⚕️"},                             // emoji too
		{"\x1b[2J\x1b]0;title\x07", "[2J]0;title"},             // clear the screen, set the title
		{"\x1b]52;c;cm0gLXJm\x07", "]52;c;cm0gLXJm"},           // write the clipboard
		{"\u009b31m", "31m"},           // the 8-bit form of the same
		{"\x9b31m", "\uFFFD31m"},       // and its bare byte
		{"a\rb\bc\x7fd\x00e", "abcde"}, // overwrite
		{"one\ntwo", "one ⏎ two"},      // no second line
		{"one\u2028two\u2029three\u0085four", "onetwothreefour"},
		{"\u202egpj.exe\u202c", "gpj.exe"},       // right to left override
		{"\u2066x\u2069\u200f\u061c\ufeff", "x"}, // isolates and marks
		{"\U000e0041\U000e0042", ""},             // invisible tags
		{"a\tb", "a b"},
		{"\xff\xfe", "\uFFFD\uFFFD"}, // not UTF-8
	} {
		if got := safeText(tc.in); got != tc.want {
			t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
		}
	}
}

// FuzzSafeText: nothing that a terminal acts on comes out, and what is safe already comes out as it was.
func FuzzSafeText(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m\u202e\x9b\n\u2028")
	f.Add("\xe2\x80")
	f.Fuzz(func(t *testing.T, in string) {
		out := safeText(in)
		if !utf8.ValidString(out) {
			t.Errorf("%q: not UTF-8: %q", in, out)
		}
		for _, r := range out {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 {
				t.Errorf("%q: %U comes out", in, r)
			}
		}
		if again := safeText(out); again != out {
			t.Errorf("%q: %q is changed again to %q", in, out, again)
		}
		if len(out) > 5*len(in) {
			t.Errorf("%d bytes became %d", len(in), len(out))
		}
		if utf8.ValidString(in) && !strings.ContainsFunc(in, func(r rune) bool { return r == '\n' || r == '\t' || hostile(r) }) && out != in {
			t.Errorf("%q is safe and became %q", in, out)
		}
	})
}
