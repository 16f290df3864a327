package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// fact is one figure in words.
type fact struct{ Name, Value string }

// table is figures that belong side by side: a head that begins with what its columns tell apart, and rows that begin with their name.
type table struct {
	Title string
	Head  []string
	Rows  [][]string
}

// none stands where a figure has no meaning, a ratio to nothing, a share of nothing; or where it is not known.
const none = "–"

// facts are the figures that a sentence tells best.
func (r *Report) facts() []fact {
	crowd := plural(r.Nodes-r.Hubs, "phone")
	if r.Hubs > 0 {
		crowd += ", " + plural(r.Hubs, "hub")
	}
	links := "instant flooding"
	if r.Groups != nil {
		links += " of everybody in range"
	}
	memory := none
	if r.Memory > 0 {
		memory = size(float64(r.Memory))
	}
	facts := []fact{
		{"story", safe(r.Story, 200)},
		{"seed", strconv.FormatUint(r.Seed, 10)},
		{"nodes", crowd},
		{"time", fmt.Sprintf("%s virtual, %s real, %s CPU", span(r.Virtual), span(r.Real), span(r.CPU))},
		{"peak memory", memory},
		{"messages", count(r.Messages)},
		{"delivered", fmt.Sprintf("%s of %s (%s)", count(r.Deliveries), count(r.wanted()), percent(r.delivered()))},
		{"of the oracle", fmt.Sprintf("%s of the %s that %s delivers", percent(r.ofOracle()), count(r.Possible), links)},
		{"copies per delivery", number(r.Copies)},
		{"contacts", fmt.Sprintf("%s, connected on %s (%s)", count(r.Contacts), count(r.Connected), percent(ratio(float64(r.Connected), float64(r.Contacts))))},
	}
	if r.Groups != nil {
		facts = append(facts, r.Groups.facts(r.Deliveries)...)
	}
	return facts
}

// cut says where a run was interrupted.
func (r *Report) cut() string {
	if r.CutAt == 0 {
		return "cut short"
	}
	return fmt.Sprintf("cut short in line %d", r.CutAt)
}

// looked says how many of the story's expectations are known to hold or not.
func (r *Report) looked() string {
	if r.Expected == 0 {
		return "the story expects nothing"
	}
	return fmt.Sprintf("%s of the story's %s looked at", count(r.Looked), plural(r.Expected, "expectation"))
}

// verdict is what is known of a run in which nothing failed. Of one that was cut short no more is known than what was looked at.
func (r *Report) verdict() string {
	switch {
	case r.Cut && r.Looked == 0:
		return "nothing failed so far, and " + r.looked()
	case r.Cut:
		return "what was looked at so far held: " + r.looked()
	case r.Expected == 0:
		return "nothing failed, and " + r.looked()
	}
	return fmt.Sprintf("all that was expected held: %s", plural(r.Expected, "expectation"))
}

// plural is so many of something.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// tables are the figures that are read by comparing them.
func (r *Report) tables() []table {
	tables := []table{r.latencies(), r.arrivals(), byNumber("Hops", "links crossed", r.Hops), r.bytes(), r.refusals()}
	if r.Groups != nil {
		tables = append(tables, r.Groups.tables()...)
	}
	return tables
}

func (r *Report) latencies() table {
	t := table{"Latency", []string{"quantile", "p50", "p90", "p99", "last"}, [][]string{{"nodes"}, {"oracle"}, {"ratio"}}}
	oracle := r.Oracle.list()
	for i, d := range r.Latency.list() {
		t.Rows[0] = append(t.Rows[0], span(d))
		t.Rows[1] = append(t.Rows[1], span(oracle[i]))
		t.Rows[2] = append(t.Rows[2], number(ratio(float64(d), float64(oracle[i]))))
	}
	return t
}

func (q Quantiles) list() []time.Duration { return []time.Duration{q.P50, q.P90, q.P99, q.Last} }

// arrivalColumns is how many moments of the delivery curve a table shows.
const arrivalColumns = 9

// arrivals are the delivery curve at some of its moments: from the first at which a hundredth was delivered, evenly on the
// curve's own steps, which grow as they go.
func (r *Report) arrivals() table {
	t := table{"Delivered", []string{"since publishing"}, [][]string{{"nodes"}, {"oracle"}}}
	if len(r.Curve) == 0 {
		return table{t.Title, []string{t.Head[0], none}, [][]string{{"nodes", none}, {"oracle", none}}}
	}
	from := slices.IndexFunc(r.Curve, func(p CurvePoint) bool { return p.Share >= 0.01 })
	for _, p := range evenly(r.Curve[max(from, 0):], arrivalColumns) {
		t.Head = append(t.Head, span(p.After))
		t.Rows[0] = append(t.Rows[0], percent(p.Share))
		t.Rows[1] = append(t.Rows[1], percent(p.Oracle))
	}
	return t
}

// hopColumns is how many numbers of hops a table tells apart: more do not fit a terminal.
const hopColumns = 10

// byNumber is deliveries by a number of something that they crossed, or by ranges of numbers if there are many.
func byNumber(title, of string, deliveries []int) table {
	t := table{title, []string{of}, [][]string{{"deliveries"}, {"share"}}}
	all := 0
	for _, n := range deliveries {
		all += n
	}
	from := 0
	if len(deliveries) > hopColumns && deliveries[0] == 0 { // none is a number like others only where it fits
		from = 1
	}
	wide := max(1, (len(deliveries)-from+hopColumns-1)/hopColumns)
	for i := from; i < len(deliveries); i += wide {
		end := min(i+wide, len(deliveries))
		n := 0
		for _, d := range deliveries[i:end] {
			n += d
		}
		name := strconv.Itoa(i)
		if end-i > 1 {
			name += "–" + strconv.Itoa(end-1)
		}
		t.Head = append(t.Head, name)
		t.Rows[0] = append(t.Rows[0], count(n))
		t.Rows[1] = append(t.Rows[1], percent(ratio(float64(n), float64(all))))
	}
	return t
}

func (r *Report) bytes() table {
	t := table{"Bytes", []string{"kind", "gossip", "sync", "discovery", "all", "of it repeated", "payload"}, [][]string{{"a node"}, {"per payload byte"}}}
	b := r.Bytes
	for _, v := range []float64{b.Gossip, b.Sync, b.Discovery, b.all(), b.Repeated, r.Payload} {
		t.Rows[0] = append(t.Rows[0], size(v))
		t.Rows[1] = append(t.Rows[1], number(ratio(v, r.Payload)))
	}
	return t
}

func (b Bytes) all() float64 { return b.Gossip + b.Sync + b.Discovery }

func (r *Report) refusals() table {
	t := table{"Refused", []string{"verdict"}, [][]string{{"messages"}}}
	for _, verdict := range byCount(r.Refused) {
		t.Head = append(t.Head, safe(verdict, 40))
		t.Rows[0] = append(t.Rows[0], group(strconv.FormatUint(r.Refused[verdict], 10)))
	}
	if len(r.Refused) == 0 {
		t.Head, t.Rows = []string{"verdict", "any"}, [][]string{{"messages", "0"}}
	}
	return t
}

// byCount orders verdicts by how often they were given, then by name.
func byCount(refused map[string]uint64) []string {
	names := make([]string, 0, len(refused))
	for name := range refused {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if refused[a] != refused[b] {
			if refused[a] > refused[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

// wanted is the pairs of a message and a node that is not its author's.
func (r *Report) wanted() int { return r.Pairs }

func (r *Report) delivered() float64 { return ratio(float64(r.Deliveries), float64(r.wanted())) }
func (r *Report) ofOracle() float64  { return ratio(float64(r.Deliveries), float64(r.Possible)) }

// overhead is the bytes that a node sent for each byte of the messages that came to it.
func (r *Report) overhead() float64 { return ratio(r.Bytes.all(), r.Payload) }

// ratio is a/b, or NaN if that says nothing; percent and number show NaN as none.
func ratio(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

func percent(share float64) string {
	switch {
	case !finite(share):
		return none
	case share > 0 && share < 0.0005: // and 0% of nothing
		return "<0.1%"
	case share > 0.999 && share < 1: // 100% is said only of all
		return fmt.Sprintf("%.2f%%", math.Floor(share*10000)/100)
	}
	return strconv.FormatFloat(math.Round(share*1000)/10, 'f', -1, 64) + "%"
}

// number shows three digits, or all before the point.
func number(v float64) string {
	switch a := math.Abs(v); {
	case !finite(v):
		return none
	case a >= 100:
		return group(strconv.FormatFloat(v, 'f', 0, 64))
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// count shows a whole number in groups of three digits.
func count(n int) string { return group(strconv.Itoa(n)) }

func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// size shows bytes.
func size(bytes float64) string {
	if !finite(bytes) {
		return none
	}
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if math.Abs(bytes) < 1000 || unit == "GiB" {
			if unit == "B" {
				return strconv.FormatFloat(bytes, 'f', 0, 64) + " B"
			}
			return number(bytes) + " " + unit
		}
		bytes /= 1024
	}
	return none
}

// span shows a duration with as many digits as people read: 840ms, 12.3s, 4m05s, 4m, 2h10m, 3d4h.
func span(d time.Duration) string {
	switch a := d.Abs(); {
	case a < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case a < time.Second:
		return d.Round(time.Millisecond).String()
	case a < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case a < time.Hour:
		return parts(int(d.Round(time.Second)/time.Second), 60, "m", "%02ds")
	case a < 48*time.Hour:
		return parts(int(d.Round(time.Minute)/time.Minute), 60, "h", "%02dm")
	}
	return parts(int(d.Round(time.Hour)/time.Hour), 24, "d", "%dh")
}

// parts writes n as so many of a large unit, and what is left over if that is something.
func parts(n, each int, large, small string) string {
	s := strconv.Itoa(n/each) + large
	if n%each != 0 {
		s += fmt.Sprintf(small, n%each)
	}
	return s
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// safe makes a text that a stranger may have written fit for a terminal and a page: what would move the cursor or turn the
// direction of the text around it shows as U+FFFD, and what is longer than so many runes is cut.
func safe(s string, runes int) string {
	var b strings.Builder
	n := 0
	for _, c := range s {
		if n++; n > runes {
			b.WriteRune('…')
			break
		}
		switch {
		case c == '\n' || c == '\t':
			c = ' '
		case unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\u2028' || c == '\u2029':
			c = unicode.ReplacementChar
		}
		b.WriteRune(c)
	}
	return b.String()
}
