package story

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// word is one word of a line: what stands between blanks, or a quoted text with its escapes undone.
type word struct {
	text   string
	quoted bool
}

// cut splits a line into words, and takes the comment off. A comment begins at a # outside quotes.
func cut(text string) (words []word, uncommented, wrong string) {
	rest := text
	for {
		rest = strings.TrimLeft(rest, " \t\r")
		switch {
		case rest == "" || rest[0] == '#':
			return words, strings.TrimSpace(text[:len(text)-len(rest)]), ""
		case rest[0] == '"':
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return nil, strings.TrimSpace(text), `expected a closing quote, and \" for a quote within quotes`
			}
			unquoted, err := strconv.Unquote(quoted)
			if err != nil {
				return nil, strings.TrimSpace(text), `expected a text in quotes, as in "water at gate 4"`
			}
			words = append(words, word{unquoted, true})
			rest = rest[len(quoted):]
		default:
			end := strings.IndexAny(rest, " \t\r#\"")
			if end < 0 {
				end = len(rest)
			}
			words = append(words, word{text: rest[:end]})
			rest = rest[end:]
		}
	}
}

// line is the words of one step while its verb reads them, one after the other. The first that is not as expected stays
// as wrong, and what is read after it is of no account.
type line struct {
	words []word
	at    int // of the next word
	form  int // which of the verb's, once that is known; -1 before
	size  size
	wrong string
}

// size is how many nodes a story has so far.
type size struct {
	phones, hubs int
	was          int // phones in the file, if Scale made it another number; else 0
}

func (z size) nodes() int { return z.phones + z.hubs }

// fail says what should stand where the line is.
func (l *line) fail(want string) {
	switch {
	case l.wrong != "":
	case l.at < len(l.words):
		l.wrong = fmt.Sprintf("found %q, expected %s there", clip(l.words[l.at].text), want)
	default:
		l.wrong = "it ends where it should go on with " + want
	}
}

// bare is the next word if it is not quoted, else nothing.
func (l *line) bare() string {
	if l.at < len(l.words) && !l.words[l.at].quoted {
		return l.words[l.at].text
	}
	return ""
}

// is takes the next word if it is this one.
func (l *line) is(literal string) bool {
	if l.bare() != literal || l.wrong != "" {
		return false
	}
	l.at++
	return true
}

// must takes words that have to follow.
func (l *line) must(literals ...string) {
	for _, w := range literals {
		if !l.is(w) {
			l.fail(strconv.Quote(w))
		}
	}
}

// end takes the end of the line.
func (l *line) end() {
	if l.at < len(l.words) {
		l.fail("the end of the line")
	}
}

// take goes on if the next word could be read, and says what was wanted if not.
func take[T any](l *line, value T, ok bool, want string) T {
	if !ok || l.wrong != "" {
		l.fail(want)
		var none T
		return none
	}
	l.at++
	return value
}

func (l *line) count(what string, most int) int {
	n, err := strconv.ParseUint(l.bare(), 10, 31)
	return take(l, int(n), err == nil && n >= 1 && int(n) <= most, fmt.Sprintf("%s from 1 to %d", what, most))
}

func (l *line) metres(what string) float64 {
	f, ok := parseUnit(l.bare(), "m")
	return take(l, f, ok && f >= minMetres && f <= maxMetres, what+" from 0.1m to 1000000m, as in 500m")
}

func (l *line) speed() float64 {
	f, ok := parseUnit(l.bare(), "m/s")
	return take(l, f, ok && f > 0 && f <= maxSpeed, "a speed up to 1000m/s, as in 1.4m/s")
}

// duration is one longer than 0.
func (l *line) duration() time.Duration {
	d, ok := parseDuration(l.bare())
	return take(l, d, ok && d > 0, "a time from 1ns to 100y, as in 90s or 1h30m or 3d")
}

// share is a percentage as a share; it may be 0 only if so said.
func (l *line) share(zero bool) float64 {
	f, ok := parseUnit(l.bare(), "%")
	want := "a share above 0% and up to 100%, as in 10%"
	if zero {
		want = "a share from 0% to 100%, as in 10%"
	}
	return take(l, f/100, ok && f <= 100 && (f > 0 || zero), want)
}

// place is X,Y in metres.
func (l *line) place() (x, y float64) {
	left, right, ok := strings.Cut(l.bare(), ",")
	x, okX := parseNumber(left)
	y, okY := parseNumber(right)
	ok = take(l, ok && okX && okY, ok && okX && okY && x <= maxMetres && y <= maxMetres, "a place X,Y in metres, as in 250,500")
	if !ok {
		return 0, 0
	}
	return x, y
}

// text is a quoted text.
func (l *line) text() string {
	var w word
	if l.at < len(l.words) {
		w = l.words[l.at]
	}
	return take(l, w.text, w.quoted && w.text != "", `a text in quotes, as in "water at gate 4"`)
}

// who is nodes, in any of the ways to name them.
func (l *line) who() Who {
	switch s := l.bare(); {
	case l.is("all"):
		return Who{All: true}
	case s == "hubs":
		return take(l, Who{Hubs: true}, l.size.hubs > 0, "nodes that there are: the story has no hubs")
	case strings.HasSuffix(s, "%"):
		return Who{Share: l.share(false)}
	}
	return Who{Nodes: l.nodes()}
}

// node is a single one.
func (l *line) node() int {
	n, wrong := l.size.number(l.bare())
	return take(l, n, wrong == "", wrong)
}

// nodes are numbers and ranges of them with commas between, as in n3 or n0-n49,h0. They are sorted.
func (l *line) nodes() (nodes []int) {
	for part := range strings.SplitSeq(l.bare(), ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, wrong := l.size.number(first)
		to := from
		if isRange && wrong == "" {
			to, wrong = l.size.number(last)
		}
		if wrong == "" && to < from {
			wrong = "a range that goes up, as in n0-n49"
		}
		if wrong != "" || len(nodes)+to-from >= maxNodes {
			return take[[]int](l, nil, false, cmp.Or(wrong, "each node once"))
		}
		for n := from; n <= to; n++ {
			nodes = append(nodes, n)
		}
	}
	slices.Sort(nodes)
	all := len(nodes)
	nodes = slices.Compact(nodes)
	return take(l, nodes, len(nodes) == all, "each node once")
}

// number is the node that a name means, or what was expected instead.
func (z size) number(name string) (n int, wrong string) {
	bad := fmt.Sprintf("a node from n0 to n%d", z.nodes()-1)
	if z.hubs > 0 {
		bad += fmt.Sprintf(", or a hub from h0 to h%d", z.hubs-1)
	}
	if len(name) < 2 || name[0] != 'n' && name[0] != 'h' {
		return 0, bad
	}
	u, err := strconv.ParseUint(name[1:], 10, 31)
	n = int(u)
	switch {
	case err == nil && name[0] == 'n' && z.was > 0 && n >= z.was && n < z.was+z.hubs:
		return 0, fmt.Sprintf("h%d, which is this hub with any number of phones", n-z.was)
	case err != nil, name[0] == 'n' && n >= z.nodes(), name[0] == 'h' && n >= z.hubs:
		return 0, bad
	case name[0] == 'h':
		return z.phones + n, ""
	}
	return n, ""
}

// clip keeps a message short that quotes a file.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
