package protocol_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"longear/protocol"
)

func makeAnswerVectors(t *testing.T, v *vectorFiles) {
	text := func(s string) []byte { return append([]byte{5}, s...) }
	all := []byte{4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	for _, a := range []answerVector{
		{Name: "withdraw", Body: hexBytes{0}},
		{Name: "confirm", Body: hexBytes{1}},
		{Name: "contradict", Body: hexBytes{2}},
		{Name: "sign", Body: hexBytes{3}},
		{Name: "vote for the first", Body: hexBytes{4, 0}},
		{Name: "vote for the last there can be", Body: hexBytes{4, 15}},
		{Name: "vote for two", Body: hexBytes{4, 1, 7}},
		{Name: "vote for all", Body: all},
		{Name: "react with a letter", Body: text("x")},
		{Name: "react with an emoji", Body: text("👍")},
		{Name: "react with joiners and a selector", Body: text("👩\u200d❤\ufe0f\u200d👩")},
		{Name: "react with a flag", Body: text("🇰🇿")},
		{Name: "react with a word", Body: text("рақмет")},
		{Name: "react right to left", Body: text("شكرا")},
		{Name: "react with a mark of byte order", Body: text("\ufeffx")},
		{Name: "react with a noncharacter", Body: text("\uffff")},
		{Name: "react with 32 bytes", Body: text(strings.Repeat("x", 32))},
		{Name: "react with a character beside white space", Body: text("\u200b!\u00a1\u200f")},
	} {
		got, ok := protocol.ParseAnswer(a.Body)
		if !ok {
			t.Fatalf("%s is malformed", a.Name)
		}
		a.Answer, a.Text = got.Kind.String(), got.Text
		for _, o := range got.Options {
			a.Options = append(a.Options, int(o))
		}
		v.Responses.Valid = append(v.Responses.Valid, a)
	}
	bad := func(name string, body []byte) {
		v.Responses.Malformed = append(v.Responses.Malformed, answerVector{Name: name, Body: body})
	}
	bad("empty", nil)
	for _, k := range []byte{0, 1, 2, 3} {
		bad(protocol.AnswerKind(k).String()+" with a byte behind", []byte{k, 0})
	}
	bad("an answer that is not known", []byte{6})
	bad("an answer that is not known, with a rest", []byte{255, 1})
	bad("vote for nothing", []byte{4})
	bad("vote for what no poll has", []byte{4, 16})
	bad("vote for 255", []byte{4, 0, 255})
	bad("vote descending", []byte{4, 1, 0})
	bad("vote twice for one", []byte{4, 2, 2})
	bad("vote for 17", append(slices.Clone(all), 15))
	bad("vote of the largest body", append([]byte{4}, bytes.Repeat([]byte{1}, protocol.MaxBody-1)...))
	bad("react with nothing", []byte{5})
	bad("react with 33 bytes", text(strings.Repeat("x", 33)))
	bad("react with the largest body", text(strings.Repeat("x", protocol.MaxBody-1)))
	bad("react with what is not UTF-8", text("\xff"))
	bad("react with a character cut", text("👍"[:3]))
	bad("react with a surrogate", text("\xed\xa0\xbd\xed\xb1\x8d"))
	bad("react with a longer form", text("\xc1\xb8"))
	for _, r := range []rune{0, 9, 10, 27, 31, 32, 0x7f, 0x80, 0x85, 0x9f, 0xa0, 0x1680, 0x2000, 0x2005, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000} {
		bad("react with "+runeName(r), text("a"+string(r)+"b"))
	}
}

// runeName is U+ and the number in hex.
func runeName(r rune) string {
	const digits = "0123456789ABCDEF"
	return "U+" + string([]byte{digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15]})
}

func makePollVectors(t *testing.T, v *vectorFiles) {
	sixteen := make([]string, 16)
	for i := range sixteen {
		sixteen[i] = string(rune('a' + i))
	}
	for _, p := range []struct {
		name string
		poll protocol.Poll
	}{
		{"smallest", protocol.Poll{Question: "?", Options: []string{"a", "b"}, Most: 1}},
		{"one of three", protocol.Poll{Question: "Қай жаққа жүреміз?", Options: []string{"солтүстік", "оңтүстік", "қаламыз"}, Most: 1}},
		{"all of two", protocol.Poll{Question: "which?", Options: []string{"a", "b"}, Most: 2}},
		{"sixteen options", protocol.Poll{Question: "which?", Options: sixteen, Most: 16}},
		{"option of 127 and of 128 bytes", protocol.Poll{Question: "?", Options: []string{strings.Repeat("x", 127), strings.Repeat("x", 128)}, Most: 1}},
		{"longest options", protocol.Poll{Question: "?", Options: []string{strings.Repeat("ж", 100), strings.Repeat("x", 200)}, Most: 1}},
		{"equal options", protocol.Poll{Question: "?", Options: []string{"a", "a"}, Most: 1}},
		{"lines and controls in the text", protocol.Poll{Question: "a\nb\x1b[1m", Options: []string{"\x00", "\ufeff \t"}, Most: 1}},
		{"right to left", protocol.Poll{Question: "أين الماء؟", Options: []string{"هنا", "هناك"}, Most: 1}},
	} {
		body, err := protocol.AppendPoll(nil, p.poll)
		if err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
		v.Polls.Valid = append(v.Polls.Valid, pollVector{p.name, body, p.poll.Most, p.poll.Options, p.poll.Question})
	}
	bad := func(name, body string) {
		v.Polls.Malformed = append(v.Polls.Malformed, pollVector{Name: name, Body: hexBytes(body)})
	}
	bad("empty", "")
	bad("most alone", "\x01")
	bad("no options", "\x01\x00?")
	bad("one option", "\x01\x01\x01a?")
	bad("seventeen options", "\x01\x11"+strings.Repeat("\x01a", 17)+"?")
	bad("255 options", "\x01\xff"+strings.Repeat("\x01a", 255)+"?")
	bad("none may be chosen", "\x00\x02\x01a\x01b?")
	bad("more than all may be chosen", "\x03\x02\x01a\x01b?")
	bad("no question", "\x01\x02\x01a\x01b")
	bad("an option missing", "\x01\x03\x01a\x01b")
	bad("an empty option", "\x01\x02\x01a\x00?")
	bad("an option beyond the body", "\x01\x02\x01a\x05b?")
	bad("an option of 201 bytes", "\x01\x02\x01a\xc9\x01"+strings.Repeat("x", 201)+"?")
	bad("a length in a longer form", "\x01\x02\x01a\x81\x00b?")
	bad("a length cut", "\x01\x02\x01a\x80")
	bad("a length of 2^63", "\x01\x02\x01a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01b?")
	bad("a length of 11 bytes", "\x01\x02\x01a\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01b?")
	bad("an option that is not UTF-8", "\x01\x02\x01a\x01\xff?")
	bad("a character cut by an option's end", "\x01\x02\x01a\x01\xd0\xb6?")
	bad("a question that is not UTF-8", "\x01\x02\x01a\x01b\xff")
	bad("a question with a surrogate", "\x01\x02\x01a\x01b\xed\xa0\x80")
}

func TestVectorsResponses(t *testing.T) {
	v := vectors(t).Responses
	for _, v := range v.Valid {
		a, ok := protocol.ParseAnswer(v.Body)
		if !ok || a.Kind.String() != v.Answer || a.Text != v.Text || len(a.Options) != len(v.Options) {
			t.Errorf("%s: %+v, %v", v.Name, a, ok)
			continue
		}
		for i, o := range a.Options {
			if int(o) != v.Options[i] {
				t.Errorf("%s: chose %v", v.Name, a.Options)
			}
		}
		if b, err := protocol.AppendAnswer(nil, a); err != nil || !bytes.Equal(b, v.Body) {
			t.Errorf("%s: written again it is %x, %v", v.Name, b, err)
		}
	}
	for _, v := range v.Malformed {
		if a, ok := protocol.ParseAnswer(v.Body); ok {
			t.Errorf("%s: read as %+v", v.Name, a)
		}
	}
}

func TestVectorsPolls(t *testing.T) {
	v := vectors(t).Polls
	for _, v := range v.Valid {
		p, ok := protocol.ParsePoll(v.Body)
		if !ok || p.Question != v.Question || p.Most != v.Most || !slices.Equal(p.Options, v.Options) {
			t.Errorf("%s: %+v, %v", v.Name, p, ok)
		}
		if b, err := protocol.AppendPoll(nil, p); err != nil || !bytes.Equal(b, v.Body) {
			t.Errorf("%s: written again it is %x, %v", v.Name, b, err)
		}
	}
	for _, v := range v.Malformed {
		if p, ok := protocol.ParsePoll(v.Body); ok {
			t.Errorf("%s: read as %+v", v.Name, p)
		}
	}
}
