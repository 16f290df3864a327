package page

import "strconv"

// Answers are how many keys answer a message. Keys are counted, not people.
type Answers struct {
	Confirms, Contradicts, Signs, Voters int
	AtLeast                              bool // these are not all
}

// Option is what one can vote for.
type Option struct {
	Text  string
	Votes int
}

// maxOption is how much of an option is shown, in characters: sixteen of them must leave room for other messages.
const maxOption = 30

func shortLine(s string) string {
	s = line(s)
	if runes := []rune(s); len(runes) > maxOption {
		return string(runes[:maxOption]) + "…"
	}
	return s
}

// counted reports whether a message shows a count.
func (it Item) counted() bool {
	a := it.Answers
	return !it.Sealed && (it.Petition || it.Options != nil || a.Confirms+a.Contradicts > 0)
}

// answers writes what is counted. Writing answers takes the page with script: they are signed.
func (words *Words) answers(w *writer, it Item) {
	if !it.counted() {
		return
	}
	a := it.Answers
	number := func(n int) string {
		if a.AtLeast {
			return strconv.Itoa(n) + "+"
		}
		return strconv.Itoa(n)
	}
	for _, o := range it.Options {
		w.raw(`<p dir="auto">`)
		w.isolated(shortLine(o.Text))
		w.raw(": ")
		w.text(number(o.Votes))
		w.raw("</p>")
	}
	w.raw(`<p class="m">`)
	between := markup("")
	count := func(text string) {
		w.raw(between)
		w.text(text)
		between = " · "
	}
	if it.Options != nil {
		count(words.Say("voted_n", "n", number(a.Voters)))
	}
	if it.Petition {
		count(words.Say("signed_n", "n", number(a.Signs)))
	}
	if a.Confirms+a.Contradicts > 0 {
		count(words.Say("confirmed_n", "n", number(a.Confirms)))
		count(words.Say("contradicted_n", "n", number(a.Contradicts)))
	}
	w.raw("</p>")
}
