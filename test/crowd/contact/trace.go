package contact

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a trace, which may come from anybody.
const (
	maxLine    = 1024       // bytes
	maxLines   = 10_000_000 // also of what a small compressed file may grow to
	maxName    = 64         // bytes of a node's name
	maxSeconds = 4e9        // a Unix time passes; twice that still fits a Duration
)

// Trace is contacts read from a file. Its first event is at time 0: the times between events stay as they were, nights
// and all. Nodes are numbered by their names: first the letters before the number, then the number, so that 2 comes
// before 10 and the order of the lines does not matter.
type Trace struct {
	Recorded
	Names []string // of the nodes, by number
}

// raw is an event of a file, its nodes numbered in order of appearance at first and then as in a Trace.
type raw struct {
	at   time.Duration
	a, b int
	up   bool
}

// names numbers nodes in order of appearance.
type names struct {
	numbers map[string]int
	list    []string
}

// number is the number of a node; it says what it expected of a name that is none.
func (n *names) number(name string) (int, error) {
	if i, ok := n.numbers[name]; ok {
		return i, nil
	}
	digits := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	if len(name) > maxName || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, fmt.Errorf("node %q: expected a number, or letters and a number, of at most %d bytes, as in 12 or p12", clip(name), maxName)
	}
	if len(n.list) == MaxNodes {
		return 0, fmt.Errorf("node %q: expected at most %d nodes", name, MaxNodes)
	}
	if n.numbers == nil {
		n.numbers = map[string]int{}
	}
	i := len(n.list)
	name = strings.Clone(name) // or the whole line would stay in memory
	n.numbers[name] = i
	n.list = append(n.list, name)
	return i, nil
}

// two are the numbers of the two ends of a contact.
func (n *names) two(a, b string) (i, j int, err error) {
	if i, err = n.number(a); err != nil {
		return 0, 0, err
	}
	if j, err = n.number(b); err != nil {
		return 0, 0, err
	}
	if i == j {
		return 0, 0, fmt.Errorf("node %s with itself: expected two nodes", a)
	}
	return i, j, nil
}

// sorted is the names in the order of Trace, and for each number in order of appearance the number there.
func (n *names) sorted() (list []string, to []int) {
	list = slices.SortedFunc(slices.Values(n.list), compareNames)
	to = make([]int, len(list))
	for i, name := range list {
		to[n.numbers[name]] = i
	}
	return list, to
}

// compareNames orders by letters, then by number, then by the zeros before it.
func compareNames(a, b string) int {
	lettersA, lettersB := strings.TrimRight(a, "0123456789"), strings.TrimRight(b, "0123456789")
	numberA, numberB := strings.TrimLeft(a[len(lettersA):], "0"), strings.TrimLeft(b[len(lettersB):], "0")
	return cmp.Or(cmp.Compare(lettersA, lettersB), cmp.Compare(len(numberA), len(numberB)), cmp.Compare(numberA, numberB), cmp.Compare(len(a), len(b)))
}

// renumber gives events the numbers that sorted says.
func renumber(events []raw, to []int) {
	for i, e := range events {
		events[i].a, events[i].b = min(to[e.a], to[e.b]), max(to[e.a], to[e.b])
	}
}

// newTrace makes a trace of events in the order of time, which it shifts by the time of the first event.
func newTrace(events []raw, first time.Duration, names []string) *Trace {
	t := &Trace{Recorded: Recorded{nodes: len(names)}, Names: names}
	up := map[pair]bool{}
	for _, e := range events {
		p := pairOf(e.a, e.b)
		if up[p] == e.up {
			continue // said twice
		}
		if e.up {
			up[p] = true
		} else {
			delete(up, p) // as there are more pairs over days than links at any time
		}
		t.changes = append(t.changes, p.change(e.at-first, e.up))
	}
	return t
}

// lines are the lines of a file that are not empty and no comments, by number, cut into fields. A file that is
// compressed with gzip is told by its first two bytes.
func lines(r io.Reader) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		b := bufio.NewReader(r)
		if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
			z, err := gzip.NewReader(b)
			if err != nil {
				yield(line{number: 1}, fmt.Errorf("a gzip file that breaks off: %w", err))
				return
			}
			b = bufio.NewReader(z)
		}
		scan := bufio.NewScanner(b)
		scan.Buffer(nil, maxLine)
		number := 0
		for scan.Scan() {
			if number++; number > maxLines {
				yield(line{number: number}, fmt.Errorf("expected at most %d lines", maxLines))
				return
			}
			text := strings.TrimSpace(scan.Text())
			if text == "" || text[0] == '#' {
				continue
			}
			if !yield(line{number, strings.Fields(text)}, nil) {
				return
			}
		}
		switch err := scan.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(line{number: number + 1}, fmt.Errorf("expected at most %d bytes", maxLine))
		case err != nil:
			yield(line{number: number + 1}, err)
		}
	}
}

// line is one line of a trace.
type line struct {
	number int
	fields []string
}

// wrap says where an error was.
func (l line) wrap(err error) error { return fmt.Errorf("line %d: %w", l.number, err) }

// parseSeconds reads a time.
func parseSeconds(s string) (time.Duration, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= 0 && f <= maxSeconds) { // false for NaN
		return 0, fmt.Errorf("time %q: expected seconds from 0 to %.0f, as in 12 or 12.5", clip(s), float64(maxSeconds))
	}
	return time.Duration(math.Round(f * 1e9)), nil
}

// clip keeps a message short that quotes a file.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
