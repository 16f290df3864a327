package contact_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"longear/test/crowd/contact"
)

const s = time.Second

func up(at time.Duration, a, b int) contact.Change {
	return contact.Change{At: at, A: a, B: b, Up: true}
}

func down(at time.Duration, a, b int) contact.Change {
	return contact.Change{At: at, A: a, B: b}
}

func zip(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func TestReadONE(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		nodes   []string
		changes []contact.Change
		creates []contact.Create
	}{
		{name: "nothing", text: "\n# only a comment\n\n"},
		{
			name:  "numbers sort as numbers, whatever comes first",
			text:  "10 CONN 10 2 up\n12.5 CONN 2 10 down\n",
			nodes: []string{"2", "10"}, changes: []contact.Change{up(0, 0, 1), down(2500*time.Millisecond, 0, 1)},
		},
		{
			name:  "letters, tabs, blanks, carriage returns",
			text:  "\t5.0\tCONN\tw1\tp12 up\r\n  6 CONN p2 p12 up \r\n",
			nodes: []string{"p2", "p12", "w1"}, changes: []contact.Change{up(0, 1, 2), up(s, 0, 1)},
		},
		{
			name:  "names that differ by zeros are two",
			text:  "0 CONN p01 p1 up",
			nodes: []string{"p1", "p01"}, changes: []contact.Change{up(0, 0, 1)},
		},
		{
			name:  "messages, and events of no concern",
			text:  "3 S M1 1 2\n2 C M2 7 1 1000\n1 C M1 1 2 500 20\n4 DE M1 1 2 D\n4 DR M1 1\n4 A M1 1 2\n4 R M1 1\n3 CONN 1 2 up\n",
			nodes: []string{"1", "2", "7"}, changes: []contact.Change{up(2*s, 0, 1)},
			creates: []contact.Create{{At: 0, ID: "M1", From: 0, To: 1, Size: 500}, {At: s, ID: "M2", From: 2, To: 0, Size: 1000}},
		},
		{
			name:  "not in the order of time; at the same time as they stand",
			text:  "9 CONN 0 1 up\n9 CONN 0 1 down\n4 CONN 0 1 up\n8 CONN 1 0 down",
			nodes: []string{"0", "1"}, changes: []contact.Change{up(0, 0, 1), down(4*s, 0, 1), up(5*s, 0, 1), down(5*s, 0, 1)},
		},
		{
			name:  "overlaps",
			text:  "0 CONN 0 1 down\n1 CONN 0 1 up\n2 CONN 1 0 up\n3 CONN 0 1 down\n4 CONN 0 1 down",
			nodes: []string{"0", "1"}, changes: []contact.Change{up(1*s, 0, 1), down(3*s, 0, 1)},
		},
		{
			name:  "compressed",
			text:  zip("0 CONN 0 1 up\n"),
			nodes: []string{"0", "1"}, changes: []contact.Change{up(0, 0, 1)},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, creates, err := contact.ReadONE(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if changes := got.Advance(time.Hour); !reflect.DeepEqual(changes, test.changes) {
				t.Errorf("changes %v, want %v", changes, test.changes)
			}
			if !reflect.DeepEqual(got.Names, test.nodes) || got.Nodes() != len(test.nodes) {
				t.Errorf("nodes %q, want %q", got.Names, test.nodes)
			}
			if !reflect.DeepEqual(creates, test.creates) {
				t.Errorf("messages %v, want %v", creates, test.creates)
			}
		})
	}
}

func TestReadPairs(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		nodes   []string
		changes []contact.Change
	}{
		{name: "nothing", text: ""},
		{name: "one interval", text: "32520 1467 1591\n", nodes: []string{"1467", "1591"}, changes: []contact.Change{up(0, 0, 1), down(20*s, 0, 1)}},
		{name: "classes are ignored", text: "20 1 2 MED ADM\n", nodes: []string{"1", "2"}, changes: []contact.Change{up(0, 0, 1), down(20*s, 0, 1)}},
		{
			name: "intervals that touch, in any order", text: "60 1 2\n20 2 1\n40 1 2\n100 1 2\n",
			nodes: []string{"1", "2"}, changes: []contact.Change{up(0, 0, 1), down(60*s, 0, 1), up(80*s, 0, 1), down(100*s, 0, 1)},
		},
		{
			name: "intervals that overlap", text: "20 1 2\n30 1 2\n",
			nodes: []string{"1", "2"}, changes: []contact.Change{up(0, 0, 1), down(30*s, 0, 1)},
		},
		{
			name: "listed twice", text: "20 1 2\n20 2 1\n20 1 2\n",
			nodes: []string{"1", "2"}, changes: []contact.Change{up(0, 0, 1), down(20*s, 0, 1)},
		},
		{
			name: "down before up, by number", text: "40 7 9\n20 1 2\n40 2 8\n",
			nodes: []string{"1", "2", "7", "8", "9"}, changes: []contact.Change{up(0, 0, 1), down(20*s, 0, 1), up(20*s, 1, 3), up(20*s, 2, 4), down(40*s, 1, 3), down(40*s, 2, 4)},
		},
		{
			name: "before time 0, and the nights stay", text: "10 1 2\n86410 1 2\n",
			nodes: []string{"1", "2"}, changes: []contact.Change{up(0, 0, 1), down(20*s, 0, 1), up(86400*s, 0, 1), down(86420*s, 0, 1)},
		},
		{name: "compressed", text: zip("20 1 2\n"), nodes: []string{"1", "2"}, changes: []contact.Change{up(0, 0, 1), down(20*s, 0, 1)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := contact.ReadPairs(strings.NewReader(test.text), 20*s)
			if err != nil {
				t.Fatal(err)
			}
			if changes := got.Advance(1000 * time.Hour); !reflect.DeepEqual(changes, test.changes) {
				t.Errorf("changes %v, want %v", changes, test.changes)
			}
			if !reflect.DeepEqual(got.Names, test.nodes) {
				t.Errorf("nodes %q, want %q", got.Names, test.nodes)
			}
		})
	}
}

// What is wrong is told by its line, with what was expected there.
func TestReadBad(t *testing.T) {
	var crowded strings.Builder
	for i := range contact.MaxNodes {
		fmt.Fprintf(&crowded, "20 %d %d\n", i, i+1)
	}
	bad := zip(strings.Repeat("20 1 2\n", 1000))
	both := []struct{ name, text, want string }{
		{"no time", "soon CONN 1 2 up", `line 1: time "soon": expected seconds`},
		{"no number", "nan 1 2", `line 1: time "nan": expected seconds`},
		{"no end", "\n#\ninf 1 2", `line 3: time "inf": expected seconds`},
		{"before time", "-1 1 2", `line 1: time "-1": expected seconds`},
		{"after time", "1e300 1 2", `line 1: time "1e300": expected seconds`},
		{"long", "\n" + strings.Repeat("7", 2000), "line 2: expected at most 1024 bytes"},
		{"broken gzip", "\x1f\x8b rubbish", "line 1: a gzip file"},
		{"half a gzip", bad[:len(bad)/2], "unexpected EOF"},
	}
	one := []struct{ name, text, want string }{
		{"alone", "1", `line 1: event "": expected CONN, C,`},
		{"unknown", "1 CONN 1 2 up\n1 MOVE 1 2", `line 2: event "MOVE": expected CONN, C,`},
		{"short", "1 CONN 1 2", "expected two nodes, then up or down"},
		{"sideways", "1 CONN 1 2 left", "expected two nodes, then up or down"},
		{"with itself", "1 CONN 1 1 up", "node 1 with itself: expected two nodes"},
		{"no name", "1 CONN p 1 up", `node "p": expected a number, or letters and a number`},
		{"odd name", "1 CONN 1 p-2 up", `node "p-2": expected a number, or letters and a number`},
		{"long name", "1 CONN 1 " + strings.Repeat("1", 65) + " up", "expected a number, or letters and a number, of at most 64 bytes"},
		{"short message", "1 C M1 1 2", "expected its name, two nodes and its size"},
		{"no size", "1 C M1 1 2 big", `size "big": expected bytes`},
		{"less than nothing", "1 C M1 1 2 -1", `size "-1": expected bytes`},
	}
	pairs := []struct{ name, text, want string }{
		{"short", "20 1", "line 1: \"20 1\": expected a time and two nodes"},
		{"with itself", "20 1 2\n20 7 7", "line 2: node 7 with itself: expected two nodes"},
		{"too many nodes", crowded.String(), "line 10000: node \"10000\": expected at most 10000 nodes"},
	}
	check := func(t *testing.T, err error, want string) {
		t.Helper()
		if err == nil || !strings.HasPrefix(err.Error(), "line ") || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%v, want %q with its line", err, want)
		}
	}
	for _, test := range append(one, both...) {
		t.Run("one "+test.name, func(t *testing.T) {
			_, _, err := contact.ReadONE(strings.NewReader(test.text))
			check(t, err, test.want)
		})
	}
	for _, test := range append(pairs, both...) {
		t.Run("pairs "+test.name, func(t *testing.T) {
			_, err := contact.ReadPairs(strings.NewReader(test.text), 20*s)
			check(t, err, test.want)
		})
	}
	for _, every := range []time.Duration{0, -s, 1 << 62} {
		if _, err := contact.ReadPairs(strings.NewReader("20 1 2"), every); err == nil {
			t.Errorf("intervals of %v: taken", every)
		}
	}
}

// Our own trace: who has what when can be followed by hand.
func TestMeet(t *testing.T) {
	file, err := os.Open("../testdata/meet.one")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	trace, creates, err := contact.ReadONE(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields("p1 p2 p3 p4 p5 p6 p7 p8"); !reflect.DeepEqual(trace.Names, want) {
		t.Errorf("nodes %q, want %q", trace.Names, want)
	}
	f := contact.NewFlood(trace.Nodes())
	changes := trace.Advance(time.Hour)
	for message, c := range creates {
		for len(changes) > 0 && changes[0].At <= c.At {
			f.Link(changes[0])
			changes = changes[1:]
		}
		f.Publish(message, c.From, c.At)
	}
	for _, c := range changes {
		f.Link(c)
	}
	var got []time.Duration // when each message is where it is to go
	for message, c := range creates {
		at, ok := f.Arrival(message, c.To)
		if !ok {
			at = -1
		}
		got = append(got, at)
	}
	// M1 goes with p4, M2 waits for p8 to meet p1, M3 for p4 to come home. M4 is there at once, as p5 to p8 are linked. M5
	// crosses where p8 meets p1. M6 leaves p7 when p6 is back at 540: p4, who would bring it, left home at 520.
	want := []time.Duration{180 * s, 300 * s, 400 * s, 200 * s, 310 * s, -1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("arrivals %v, want %v", got, want)
	}
}

// The published contacts of 403 people at a conference. Its figures are those of the data set's description.
func TestSFHH(t *testing.T) {
	name := os.Getenv("LONGEAR_SFHH")
	if name == "" {
		t.Skip("LONGEAR_SFHH is not set: it lacks the path of SFHH_tij.dat.gz or of the same unpacked, which SocioPatterns publishes as " +
			`"SFHH conference data set" (M. Génois and A. Barrat, EPJ Data Science 7, 11, 2018)`)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	trace, err := contact.ReadPairs(file, 20*s)
	if err != nil {
		t.Fatal(err)
	}
	changes := trace.Advance(1 << 62)
	w := world{up: map[[2]int]bool{}}
	w.apply(t, changes, 1<<62)
	held := 0 * s
	since := map[[2]int]time.Duration{}
	contacts := 0
	f := contact.NewFlood(trace.Nodes())
	published := 0
	for _, c := range changes {
		for ; published < 200 && c.At >= time.Duration(published)*3*time.Minute; published++ {
			f.Publish(published, published*2, time.Duration(published)*3*time.Minute)
		}
		f.Link(c)
		p := [2]int{c.A, c.B}
		if c.Up {
			contacts++
			since[p] = c.At
		} else {
			held += c.At - since[p]
		}
	}
	last := changes[len(changes)-1].At
	if got, want := trace.Nodes(), 403; got != want {
		t.Errorf("%d nodes, want %d", got, want)
	}
	if got, want := held, 70_261*20*s; got != want {
		t.Errorf("contacts of %v together, want %v", got, want)
	}
	if last < 31*time.Hour || last > 33*time.Hour {
		t.Errorf("the trace lasts %v, want about 32h", last)
	}
	delivered := -published // at their authors
	for message := range published {
		for node := range trace.Nodes() {
			if _, ok := f.Arrival(message, node); ok {
				delivered++
			}
		}
	}
	if share := float64(delivered) / (200 * 402); f.Err() != nil || share < 0.9 {
		t.Errorf("the oracle delivered %.3f of all: %v", share, f.Err())
	}
	t.Logf("%d contacts over %v; the oracle delivers %d of %d", contacts, last, delivered, 200*402)
}

func FuzzReadONE(f *testing.F) {
	for _, seed := range []string{
		"", "# a comment\n\n1 CONN 1 2 up\n2 CONN 2 1 down\n", "0.5\tCONN\tp1\tp10\tup\n1 C M1 p1 p10 500\n2 S M1 p1 p10\n", "1e9 CONN 0 1 up\n0 CONN 0 1 up",
		"nan CONN 1 2 up", "1 CONN 1 1 up", "1 CONN", "1 C M1 1 2 -5", zip("1 CONN 1 2 up\n"), "\x1f\x8b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		trace, creates, err := contact.ReadONE(strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("no line: %v", err)
			}
			return
		}
		checkTrace(t, trace)
		for _, c := range creates {
			if c.At < 0 || c.From < 0 || c.To < 0 || c.From >= trace.Nodes() || c.To >= trace.Nodes() || c.Size < 0 {
				t.Errorf("%+v of %d nodes", c, trace.Nodes())
			}
		}
	})
}

func FuzzReadPairs(f *testing.F) {
	for _, seed := range []string{
		"", "32520 1467 1591\n32540 1467 1591\n", "20 1 2 A B\n20 2 1\n10 1 2", "4e9 1 2\n0 1 2", "-1 1 2", "1 1 1", "1 x 2", zip("20 1 2\n"), "\x1f\x8b",
	} {
		f.Add(seed, int64(20*s))
	}
	f.Add("1 1 2", int64(1<<62))
	f.Fuzz(func(t *testing.T, text string, every int64) {
		trace, err := contact.ReadPairs(strings.NewReader(text), time.Duration(every))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") && !strings.HasPrefix(err.Error(), "intervals of ") {
				t.Errorf("no line: %v", err)
			}
			return
		}
		checkTrace(t, trace)
		if at, ok := trace.Next(); ok {
			t.Errorf("something is left at %v", at)
		}
	})
}

func checkTrace(t *testing.T, trace *contact.Trace) {
	w := world{up: map[[2]int]bool{}}
	changes := trace.Advance(1<<63 - 1)
	w.apply(t, changes, 1<<63-1)
	for _, c := range changes {
		if c.B >= trace.Nodes() {
			t.Errorf("%+v of %d nodes", c, trace.Nodes())
		}
	}
	if len(trace.Names) != trace.Nodes() {
		t.Errorf("%d names of %d nodes", len(trace.Names), trace.Nodes())
	}
}
