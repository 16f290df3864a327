package protocol

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// The limits of a poll.
const (
	MinOptions = 2
	MaxOptions = 16
	// MaxOption is the longest option in bytes of UTF-8.
	MaxOption = 200
)

// Poll is the body of a message of KindPoll: SPEC.md section 17.
type Poll struct {
	// Question is at least one byte of UTF-8.
	Question string
	// Options are MinOptions to MaxOptions texts of 1 to MaxOption bytes of UTF-8.
	Options []string
	// Most is how many of them one author may choose: 1 to all.
	Most uint8
}

// AppendPoll encodes a poll. It refuses one that is not in the form above.
func AppendPoll(b []byte, p Poll) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	b = append(b, p.Most, byte(len(p.Options)))
	for _, o := range p.Options {
		b = binary.AppendUvarint(b, uint64(len(o)))
		b = append(b, o...)
	}
	return append(b, p.Question...), nil
}

// check says what keeps a poll from being written.
func (p *Poll) check() error {
	switch n := len(p.Options); {
	case n < MinOptions || n > MaxOptions:
		return fmt.Errorf("a poll has %d to %d options, this has %d", MinOptions, MaxOptions, n)
	case p.Most < 1 || int(p.Most) > n:
		return fmt.Errorf("of %d options one may choose 1 to %d, not %d", n, n, p.Most)
	case p.Question == "" || !utf8.ValidString(p.Question):
		return fmt.Errorf("a poll asks a question, in UTF-8")
	}
	for _, o := range p.Options {
		if o == "" || len(o) > MaxOption || !utf8.ValidString(o) {
			return fmt.Errorf("an option has 1 to %d bytes of UTF-8, not %q", MaxOption, o)
		}
	}
	return nil
}

// ParsePoll reads the body of a poll; ok is false if it is malformed.
func ParsePoll(body []byte) (p Poll, ok bool) {
	if len(body) < 2 || body[1] > MaxOptions {
		return Poll{}, false
	}
	p.Most = body[0]
	p.Options = make([]string, 0, body[1])
	rest := body[2:]
	for range body[1] {
		size, n := binary.Uvarint(rest)
		if n <= 0 || rest[n-1] == 0 || size > MaxOption || int(size) > len(rest)-n {
			return Poll{}, false
		}
		p.Options = append(p.Options, string(rest[n:n+int(size)]))
		rest = rest[n+int(size):]
	}
	p.Question = string(rest)
	if p.check() != nil {
		return Poll{}, false
	}
	return p, true
}
