package story

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

func readRadio(l *line) any {
	b, ok := parseBandwidth(l.bare())
	r := Radio{Latency: UsualLatency, Who: Who{All: true}}
	r.BitsPerSecond = take(l, b, ok, "a bandwidth from 1bit/s to 1000Gbit/s, as in 10Mbit/s")
	if d, ok := parseDuration(l.bare()); ok {
		r.Latency = take(l, d, d >= 0, "a latency of 0s or more, as in 5ms")
	}
	if l.is("loss") {
		r.Loss = l.share(true)
	}
	if l.is("of") {
		r.Some, r.Who = true, l.who()
	}
	return r
}

// area reads WIDTHm x HEIGHTm.
func (l *line) area() (width, height float64) {
	width = l.metres("a width")
	l.must("x")
	return width, l.metres("a height")
}

// reach reads range RANGEm.
func (l *line) reach() float64 {
	l.must("range")
	return l.metres("a range")
}

func readStand(l *line) any {
	var s Stand
	l.must("crowd")
	s.Width, s.Height = l.area()
	s.Range = l.reach()
	return s
}

func readWalk(l *line) any {
	var w Walk
	l.must("crowd")
	w.Width, w.Height = l.area()
	w.Speed = l.speed()
	w.Range = l.reach()
	if l.is("pause") {
		w.Pause = l.duration()
	}
	return w
}

func readStreams(l *line) any {
	var s Streams
	l.must("2", "squares")
	s.Width, s.Height = l.area()
	l.must("apart")
	s.Apart = l.metres("a distance")
	l.must("mules")
	s.Mules = l.count("mules, who are phones,", max(l.size.phones, 1))
	s.Speed = l.speed()
	s.Range = l.reach()
	return s
}

func readTrace(l *line) any {
	t := Trace{Format: l.bare()}
	switch {
	case l.is("one"):
		l.form = 0
	case l.is("pairs"):
		l.form = 1
	default:
		l.fail(`"one" or "pairs"`)
	}
	if l.at < len(l.words) && l.wrong == "" {
		t.File = l.words[l.at].text // quoted if it has blanks
	}
	local := strings.TrimPrefix(t.File, "$")
	t.File = take(l, t.File, filepath.IsLocal(local), "a file beside the story, or $NAME or $NAME/file")
	if l.form == 1 {
		l.must("every")
		t.Every = l.duration()
	}
	return t
}

// Path is where a trace is: beside the story, in this folder, or where the environment says, which is asked by name.
func (t Trace) Path(folder string, environment func(string) string) (string, error) {
	rest, ok := strings.CutPrefix(t.File, "$")
	if !ok {
		return filepath.Join(folder, t.File), nil
	}
	name, rest, _ := strings.Cut(rest, "/")
	value := environment(name)
	if value == "" {
		return "", fmt.Errorf("trace %s: set %s to where it is", t.File, name)
	}
	return filepath.Join(value, rest), nil
}

// maxPlaces is what a record of Wi-Fi Direct can say.
const maxPlaces = 255

func readWifiDirect(l *line) any {
	var w WifiDirect
	l.must("places")
	w.Places = l.count("places", maxPlaces)
	if l.is("hubs") {
		w.Hubs = l.count("places", maxPlaces)
	}
	w.Battery = l.is("battery")
	return w
}

// readSplit makes groups of numbers, of shares or of names.
func readSplit(l *line) any {
	var s Split
	if first := l.bare(); first != "" && first[0] >= '0' && first[0] <= '9' {
		l.form = 0
		s.Groups = l.splitBySize(strings.HasSuffix(first, "%"))
		return s
	}
	seen := make([]bool, l.size.nodes())
	for again := true; again; again = l.at < len(l.words) && l.wrong == "" {
		at := l.at
		group := l.nodes()
		if slices.ContainsFunc(group, func(n int) bool { return seen[n] }) {
			l.at = at
			l.fail("nodes that are in no group before")
			return s
		}
		for _, n := range group {
			seen[n] = true
		}
		if s.Groups = append(s.Groups, group); len(s.Groups) == 1 && len(group) > 0 {
			l.form = 1
		}
	}
	return s
}

// splitBySize makes groups of phones in the order of their numbers.
func (l *line) splitBySize(shares bool) (groups [][]int) {
	from, sum := 0, 0.0
	for again := true; again; again = l.at < len(l.words) && l.wrong == "" {
		at := l.at
		to := from
		if shares {
			sum += l.share(false)
			to = int(sum*float64(l.size.phones) + 0.5)
		} else {
			to += l.count("phones", maxNodes)
		}
		if to > l.size.phones || sum > 1+1e-9 {
			l.at = at
			l.fail(fmt.Sprintf("groups of together at most %d phones", l.size.phones))
			return nil
		}
		var group []int
		for n := from; n < to; n++ {
			group = append(group, n)
		}
		groups = append(groups, group)
		from = to
	}
	if l.wrong == "" && !shares && l.size.was == from && from != l.size.phones {
		l.at = 1
		l.fail("shares, as in 50% 50%, which do for any number of phones,")
	}
	return groups
}

func readJoin(l *line) any {
	if l.at == len(l.words) {
		return Join{}
	}
	j := Join{Single: true, A: l.node()}
	l.form = 1
	at := l.at
	if j.B = l.node(); j.A == j.B && l.wrong == "" {
		l.at = at
		l.fail("another node than before")
	}
	return j
}

func readWall(l *line) any {
	var w Wall
	w.X1, w.Y1 = l.place()
	at := l.at
	w.X2, w.Y2 = l.place()
	if w.X1 == w.X2 && w.Y1 == w.Y2 && l.wrong == "" {
		l.at = at
		l.fail("another place than before")
	}
	return w
}

func readChurn(l *line) any {
	if l.is("off") {
		return Churn{}
	}
	share, perMinute := strings.CutSuffix(l.bare(), "/min")
	f, ok := parseUnit(share, "%")
	return Churn{take(l, f/100, ok && perMinute && f >= 0.1 && f <= 1000, "a share a minute from 0.1%/min to 1000%/min, as in 30%/min, or off")}
}

func readDoze(l *line) any {
	d := Doze{Who: l.who(), Share: l.share(true)}
	l.must("of")
	cycle, ok := parseDuration(l.bare())
	d.Cycle = take(l, cycle, ok && cycle >= minCycle, fmt.Sprintf("a time from %v to 100y, as in 60s", minCycle))
	return d
}

func readSkew(l *line) any {
	s := Skew{Who: l.who()}
	from, to, isRange := strings.Cut(l.bare(), "..")
	var okFrom, okTo bool
	s.From, okFrom = parseDuration(from)
	s.To, okTo = s.From, true
	if isRange {
		s.To, okTo = parseDuration(to)
	}
	return take(l, s, okFrom && okTo && s.From <= s.To, "a time, or a lower and a higher one with .. between, as in +3h or -10y..+10y")
}

func readLie(l *line) any {
	d := Lie{Who: l.who()}
	if d.Ages = l.is("about"); d.Ages {
		l.must("ages")
	}
	return d
}

func readFlood(l *line) any {
	if l.is("off") {
		return Flood{}
	}
	f := Flood{Node: l.node()}
	rate, ok := parseRate(l.bare())
	f.Rate = take(l, rate, ok && rate >= minRate && rate <= maxRate, fmt.Sprintf("messages from 1/h to %d/s, as in 500/s", maxRate))
	return f
}

func readPublish(l *line) any {
	if first := l.bare(); first != "" && first[0] >= '0' && first[0] <= '9' {
		l.form = 1
		return l.publishMany()
	}
	p := Publish{From: Who{Nodes: []int{l.node()}}, Count: 1}
	if l.wrong == "" {
		l.form = 0
	}
	p.Alert = l.is("alert")
	p.Text = l.text()
	if l.is("life") {
		p.Life = l.duration()
	}
	return p
}

// publishMany reads the options in any order, each at most once.
func (l *line) publishMany() Publish {
	p := Publish{From: Who{Share: 1}, Count: l.count("messages", maxPublished)}
	p.Alert = l.is("alerts")
	seen := map[string]bool{}
	for l.at < len(l.words) && l.wrong == "" {
		option := l.bare()
		if seen[option] {
			l.fail("each option once")
		}
		seen[option] = true
		switch {
		case l.is("from"):
			p.From = l.who()
		case l.is("over"):
			p.Over = l.duration()
		case l.is("size"):
			n, ok := parseSize(l.bare())
			p.Size = take(l, n, ok, fmt.Sprintf("bytes up to %dKiB, as in 500B or 2KiB", maxSize/1024))
		case l.is("life"):
			p.Life = l.duration()
		default:
			l.fail(`"from", "over", "size" or "life"`)
		}
	}
	return p
}

func readExpect(l *line) any {
	what := l.bare()
	switch {
	case l.is("all"), l.is("carried"):
		l.form = slices.Index([]string{"all", "carried"}, what)
		l.must("within")
		return Expect{What: what, Within: l.duration()}
	case l.is("median"):
		l.form = 3
		f, ok := parseUnit(l.bare(), "x")
		e := Expect{What: "median", Factor: take(l, f, ok && f >= 1 && f <= 1e6, "a factor of 1x or more, as in 1.25x")}
		l.must("of", "oracle")
		if l.is("plus") {
			e.Plus = l.duration()
		}
		return e
	case l.is("nobody"):
		l.form = 4
		return Expect{What: "nobody", Who: Who{Nodes: l.nodes()}}
	case l.is("grouped"):
		l.form = 5
		return Expect{What: what, Share: l.share(false)}
	case l.is("takeovers"), l.is("ferries"):
		l.form = 6 + slices.Index([]string{"takeovers", "ferries"}, what)
		return Expect{What: what, Count: l.count(what, maxPublished)}
	case l.is("copies"), l.is("bytes"):
		l.form = 8 + slices.Index([]string{"copies", "bytes"}, what)
		f, ok := parseNumber(l.bare())
		return Expect{What: what, Factor: take(l, f, ok && f >= 1 && f <= 1e6, "a number of 1 or more, as in 2.5")}
	case l.is("repeated"):
		l.form = 10
		f, ok := parseUnit(l.bare(), "x")
		return Expect{What: what, Factor: take(l, f, ok && f <= 1e6, "a factor, as in 1.3x")}
	case l.is("kept"):
		l.form = 11
		return Expect{What: what, Share: l.share(false)}
	case strings.HasSuffix(what, "%"):
		l.form = 2
		e := Expect{What: "share", Share: l.share(false)}
		l.must("of", "oracle")
		return e
	}
	l.fail(strconv.Quote("all") + `, "carried", "median", "nobody", "grouped", "takeovers", "ferries", "copies", "bytes", "repeated", "kept" or a share as in 99%`)
	return nil
}
