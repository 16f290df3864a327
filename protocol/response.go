package protocol

import (
	"fmt"
	"unicode/utf8"
)

// MaxReaction is the longest text of a reaction in bytes: one emoji of many parts, or a short word.
const MaxReaction = 32

// MaxAnswer is the longest body of a response, in bytes.
const MaxAnswer = 1 + MaxReaction

// AnswerKind is what a response says to its target.
type AnswerKind uint8

// The answers, by their wire values.
const (
	Withdraw   AnswerKind = 0 // takes back what was answered before
	Confirm    AnswerKind = 1 // I see this too
	Contradict AnswerKind = 2 // this is not so
	CoSign     AnswerKind = 3 // signs a petition
	Vote       AnswerKind = 4 // chooses options of a poll
	React      AnswerKind = 5 // a short text, such as an emoji
)

// String names the answer as the command line does.
func (k AnswerKind) String() string {
	names := [...]string{"withdraw", "confirm", "contradict", "sign", "vote", "react"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("answer %d", uint8(k))
}

// Answer is the body of a response: SPEC.md section 17.
type Answer struct {
	Kind AnswerKind
	// Options are what a vote chooses: 1 to MaxOptions indexes into the options of the poll, ascending, all different.
	Options []uint8
	// Text is what a reaction says: 1 to MaxReaction bytes of UTF-8 without control characters and white space.
	Text string
}

// AppendAnswer encodes an answer. It refuses one that would be read as another or as malformed.
func AppendAnswer(b []byte, a Answer) ([]byte, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	b = append(b, byte(a.Kind))
	b = append(b, a.Options...)
	return append(b, a.Text...), nil
}

// check says what keeps an answer from being written.
func (a *Answer) check() error {
	switch {
	case a.Kind > React:
		return fmt.Errorf("%v is not known", a.Kind)
	case a.Kind == Vote && !isChoice(a.Options):
		return fmt.Errorf("a vote chooses 1 to %d options, ascending, all different", MaxOptions)
	case a.Kind == React && !isReaction(a.Text):
		return fmt.Errorf("a reaction is 1 to %d bytes of text without spaces, such as an emoji", MaxReaction)
	case a.Kind != Vote && len(a.Options) > 0, a.Kind != React && a.Text != "":
		return fmt.Errorf("%v has nothing beside it", a.Kind)
	}
	return nil
}

// ParseAnswer reads the body of a response; ok is false if it is malformed. Whether the answer fits its target is another
// question: Tally.Fits.
func ParseAnswer(body []byte) (a Answer, ok bool) {
	if len(body) == 0 {
		return Answer{}, false
	}
	a.Kind = AnswerKind(body[0])
	switch rest := body[1:]; a.Kind {
	case Vote:
		a.Options = append(a.Options, rest[:min(len(rest), MaxOptions+1)]...)
	case React:
		a.Text = string(rest)
	default:
		if len(rest) > 0 {
			return Answer{}, false
		}
	}
	if a.check() != nil {
		return Answer{}, false
	}
	return a, true
}

// Answers reports whether a message is a response, and to what: kind response, class text, exactly one parent. Its body may be
// malformed all the same.
func (d *Draft) Answers() (target ID, ok bool) {
	if d.Kind != Response || d.Class != Text || len(d.Parents) != 1 {
		return ID{}, false
	}
	return d.Parents[0], true
}

// isChoice reports whether these are the options of a vote.
func isChoice(options []uint8) bool {
	for i, x := range options {
		if x >= MaxOptions || i > 0 && x <= options[i-1] {
			return false
		}
	}
	return len(options) > 0
}

// isReaction reports whether this is the text of a reaction. The characters are written out: what a library takes for white space
// may change with its edition of Unicode, and two nodes must count the same.
func isReaction(s string) bool {
	if s == "" || len(s) > MaxReaction || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		switch {
		case r <= 0x20, r >= 0x7f && r <= 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a,
			r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
			return false
		}
	}
	return true
}
