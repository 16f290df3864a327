package story

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Error is a line that is wrong: what was found and what was expected there.
type Error struct {
	File  string
	Line  int // from 1
	Text  string
	Wrong string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d: %q: %s", e.File, e.Line, clip(e.Text), e.Wrong)
}

// Parse reads a story. The name is its file's, for the story's own name and for errors. All lines that are wrong are
// reported together, up to twenty, each as an *Error; a file past 1 MiB and a reader that fails are other errors.
func Parse(name string, r io.Reader) (Story, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return Story{}, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > maxFile {
		return Story{}, fmt.Errorf("%s: expected at most %d bytes", name, maxFile)
	}
	p := parser{file: name}
	for text := range strings.Lines(string(b)) {
		p.lines++
		p.line(p.lines, strings.TrimRight(text, "\r\n"))
	}
	return p.story()
}

// Scale is the same story with another number of phones. It fails if the story names phones that there would not be, or
// says what holds for its own number only: a hub as n60 and not as h0, or a split of all into 50 and 50 and not into
// 50% and 50%. It reads the steps' Text again, so it is for stories that Parse made.
func (s Story) Scale(nodes int) (Story, error) {
	p := parser{file: s.File}
	for _, step := range s.Steps {
		p.lines = step.Line
		text := step.Text
		if n, ok := step.Do.(Nodes); ok && n.N != nodes {
			text = fmt.Sprintf("nodes %d", nodes)
			p.seen.size.was = n.N
		}
		p.line(step.Line, text)
	}
	return p.story()
}

// parser reads a story line by line.
type parser struct {
	file  string
	lines int
	steps []Step
	seen  sequence
	wrong []error // of type *Error
	more  int     // that are not in wrong
}

// story is what was read.
func (p *parser) story() (Story, error) {
	if p.seen.steps == 0 && p.wrong == nil {
		p.fail(max(p.lines, 1), "", `expected the phones first, as in "nodes 300"`)
	}
	if p.more > 0 {
		p.wrong = append(p.wrong, fmt.Errorf("%s: and %d more lines", p.file, p.more))
	}
	if p.wrong != nil {
		return Story{}, errors.Join(p.wrong...)
	}
	return Story{File: p.file, Name: nameOf(p.file), Steps: p.steps}, nil
}

func (p *parser) fail(number int, text, wrong string) {
	if len(p.wrong) == maxWrong {
		p.more++
		return
	}
	p.wrong = append(p.wrong, &Error{p.file, number, text, wrong})
}

// line reads one line.
func (p *parser) line(number int, text string) {
	if len(text) > maxLine || !utf8.ValidString(text) {
		p.fail(number, strings.ToValidUTF8(clip(text), "?"), fmt.Sprintf("expected at most %d bytes of UTF-8", maxLine))
		return
	}
	words, text, wrong := cut(text)
	if wrong != "" {
		p.fail(number, text, wrong)
		return
	}
	if len(words) == 0 {
		return
	}
	for _, v := range verbs {
		if v.name == words[0].text && !words[0].quoted {
			l := line{words: words, at: 1, form: -1, size: p.seen.size}
			do := v.read(&l)
			l.end()
			if l.wrong != "" {
				p.fail(number, text, v.expected(l.form)+": "+l.wrong)
				p.seen.skip(v.name)
				return
			}
			if wrong := p.seen.next(number, v.name, do); wrong != "" {
				p.fail(number, text, wrong)
				return
			}
			p.steps = append(p.steps, Step{Line: number, Text: text, Do: do})
			return
		}
	}
	wrong, nearest := unknown(words[0].text)
	p.fail(number, text, wrong)
	p.seen.skip(nearest)
}
