package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"longear/test/crowd/report"
)

// keep is where TestPages leaves its pages: to look at them, and for the browser's test.
var keep = flag.String("pages", "", "keep the sample pages in this folder")

// written is what a report writes.
func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(b.Bytes()) {
		t.Error("it is not UTF-8")
	}
	return b.String()
}

func TestText(t *testing.T) {
	r := &report.Report{
		Story: "gate", Seed: 7, Nodes: 303, Hubs: 3, Virtual: time.Hour, Real: 133 * time.Second, CPU: 238 * time.Second, Memory: 812 << 20,
		Messages: 200, Deliveries: 59_000, Possible: 59_500, Pairs: 59_800, Copies: 1.3749, Contacts: 12_000, Connected: 11_400,
		Latency: report.Quantiles{P50: 1234 * time.Millisecond, P90: 35 * time.Second, P99: 130 * time.Second, Last: 543 * time.Second},
		Oracle:  report.Quantiles{P90: 28 * time.Second, P99: 125 * time.Second, Last: 540 * time.Second},
		Hops:    []int{0, 4000, 5000, 1000}, Bytes: report.Bytes{Gossip: 40 << 10, Sync: 8 << 20, Discovery: 500, Repeated: 9 << 10}, Payload: 20 << 10,
		Curve:   []report.CurvePoint{{}, {After: time.Second, Share: 0.009, Oracle: 0.5}, {After: 90 * time.Second, Share: 0.4, Oracle: 0.75}, {After: time.Hour, Share: 0.9866, Oracle: 0.995}},
		Refused: map[string]uint64{"late": 3, "duplicate": 90}, Expected: 4, Looked: 4, Failed: []string{"line 9: expect all within 30s", "\x1b[2Jline 12"},
	}
	want := `story                gate
seed                 7
nodes                300 phones, 3 hubs
time                 1h virtual, 2m13s real, 3m58s CPU
peak memory          812 MiB
messages             200
delivered            59,000 of 59,800 (98.7%)
of the oracle        99.2% of the 59,500 that instant flooding delivers
copies per delivery  1.37
contacts             12,000, connected on 11,400 (95%)
`
	got := written(t, r.Text)
	if !strings.HasPrefix(got, want) {
		t.Errorf("text:\n%s\nwant it to begin with:\n%s", got, want)
	}
	for _, line := range []string{
		"\nlatency   p50   p90    p99   last\nnodes    1.2s   35s  2m10s  9m03s\noracle     0s   28s  2m05s     9m\nratio       –  1.25   1.04   1.01\n",
		"\nhops         0      1      2      3\ndeliveries   0  4,000  5,000  1,000\nshare       0%    40%    50%    10%\n",
		"\nrefused   duplicate  late\nmessages         90     3\n",
		"\ndelivered  1m30s     1h\nnodes        40%  98.7%\noracle       75%  99.5%\n",
		"FAILED: 2 did not hold; 4 of the story's 4 expectations looked at\n  FAILED  line 9: expect all within 30s\n  FAILED  \ufffd[2Jline 12\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in:\n%s", line, got)
		}
	}
	for _, part := range []string{"40.0 KiB", "8.00 MiB", "500 B", "9.00 KiB", "412"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in:\n%s", part, got)
		}
	}
	if n := strings.Count(got, "\n"); n > 40 {
		t.Errorf("%d lines: that is more than a screen", n)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("%d runes wide: %q", n, line)
		}
	}
}

// TestTextOfNothing: what has no meaning shows as a dash, and a run without failures says so.
func TestTextOfNothing(t *testing.T) {
	got := written(t, (&report.Report{}).Text)
	for _, want := range []string{"peak memory          –\n", "0 of 0 (–)", "ok: nothing failed, and the story expects nothing\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	for _, never := range []string{"NaN", "Inf", "FAILED", "CUT"} {
		if strings.Contains(got, never) {
			t.Errorf("%q in:\n%s", never, got)
		}
	}
}

// TestVerdict: of a run that was cut short no report says more than what was looked at.
func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name string
		r    report.Report
		want []string // in the text, the page and JSON
	}{
		{
			"whole",
			report.Report{Expected: 3, Looked: 3},
			[]string{"ok: all that was expected held: 3 expectations\n", ">All that was expected held: 3 expectations<", `"looked_at": 3`},
		},
		{
			"cut",
			report.Report{Cut: true, CutAt: 7, Expected: 3, Looked: 1},
			[]string{"CUT SHORT IN LINE 7: the figures are of what happened until then\n\nwhat was looked at so far held: 1 of the story's 3 expectations looked at\n", ">What was looked at so far held: 1 of the story&#39;s 3 expectations looked at<", `"cut_at": 7`},
		},
		{
			"cut before any",
			report.Report{Cut: true, CutAt: 2, Expected: 1},
			[]string{"nothing failed so far, and 0 of the story's 1 expectation looked at\n", ">Nothing failed so far, and 0 of the story&#39;s 1 expectation looked at<", `"looked_at": 0`},
		},
		{
			"cut, and failed",
			report.Report{Cut: true, CutAt: 9, Expected: 2, Looked: 1, Failed: []string{"line 8"}},
			[]string{"FAILED: 1 did not hold; 1 of the story's 2 expectations looked at\n  FAILED  line 8\n", ">1 of the story&#39;s 2 expectations looked at<", `"expected": 2`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, write := range []func(io.Writer) error{c.r.Text, c.r.HTML, c.r.JSON} {
				got := written(t, write)
				if !strings.Contains(got, c.want[i]) {
					t.Errorf("no %q in:\n%s", c.want[i], got[:min(len(got), 20_000)])
				}
				if c.r.Cut && (strings.Contains(got, "ok: ") || strings.Contains(got, "ll that was expected held")) {
					t.Errorf("a run that was cut short says that all held:\n%s", got)
				}
			}
		})
	}
}

// TestGroups: what came of groups is in the text, in JSON and in the page, and nothing of it where there are none.
func TestGroups(t *testing.T) {
	r := grouped()
	text := strings.Join(strings.Fields(written(t, r.Text)), " ")
	for _, want := range []string{
		"instant flooding of everybody in range delivers copies", "groups Wi-Fi Direct, 5 places, 9 at a hub in a group",
		"in a group 86.1% of the time (of one node 42%), and 3.1% alone in its own of the", "times 31 412 120 14 11 44 151",
		"9 failed more", "8 to join 30 carried 97 carried", "groups at a time 1.20 3.40 2.10 1.00 0.50 0.04", "deliveries 0 500 320 61 7 share",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	var got report.Report
	if err := json.Unmarshal([]byte(written(t, r.JSON)), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Groups, r.Groups) || !slices.Equal(got.Replay.Frames[9].Owner, r.Replay.Frames[9].Owner) {
		t.Errorf("JSON holds %+v, want %+v", got.Groups, r.Groups)
	}
	if page := written(t, r.HTML); !strings.Contains(page, `id="groups"`) || !strings.Contains(page, "Groups over time") {
		t.Error("no groups in the page")
	}
	without := walking().run()
	for _, out := range []string{written(t, without.Text), written(t, without.JSON)} {
		if strings.Contains(out, "roups") {
			t.Errorf("groups in a report without them:\n%s", out[:min(len(out), 2000)])
		}
	}
	if page := written(t, without.HTML); strings.Contains(page, `id="groups"`) {
		t.Error("groups in the page of a report without them")
	}
	empty := &report.Report{Groups: &report.Groups{Grouped: math.NaN()}}
	if out := written(t, empty.JSON); !strings.Contains(out, `"grouped": 0`) || !strings.Contains(out, `"over": []`) {
		t.Errorf("of no groups:\n%s", out)
	}
}

// TestJSON pins the names, which programs read.
func TestJSON(t *testing.T) {
	var got map[string]json.RawMessage
	if err := json.Unmarshal([]byte(written(t, walking().run().JSON)), &got); err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`bytes_per_node connected contacts copies cpu curve deliveries expected extra failed histogram hops hubs latency looked_at messages nodes
		oracle_latency pairs payload_per_node peak_memory possible real refused replay seed story traffic virtual`)
	if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
		t.Errorf("names %q\nwant  %q", names, want)
	}
	var again report.Report
	if err := json.Unmarshal([]byte(written(t, walking().run().JSON)), &again); err != nil {
		t.Fatal(err)
	}
	if again.Seed != math.MaxUint64-7 || len(again.Replay.Frames) != 361 || again.Deliveries == 0 {
		t.Errorf("read again: seed %d, %d frames, %d deliveries", again.Seed, len(again.Replay.Frames), again.Deliveries)
	}
}

// TestJSONOfNothing: an empty report has empty lists, and what is no number does not reach JSON or the page.
func TestJSONOfNothing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	r := &report.Report{
		Copies: nan, Payload: inf, Bytes: report.Bytes{Gossip: inf, Sync: nan, Discovery: -inf, Repeated: nan},
		Curve: []report.CurvePoint{{Share: nan, Oracle: inf}}, Replay: &report.Replay{Width: nan, Height: inf},
	}
	got := written(t, r.JSON)
	for _, want := range []string{`"failed": []`, `"hops": []`, `"refused": {}`, `"copies": 0`, `"share": 0`, `"frames": []`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
	if !math.IsNaN(r.Curve[0].Share) || !math.IsNaN(r.Replay.Width) {
		t.Error("the report itself was changed")
	}
	if page := written(t, r.HTML); strings.Contains(page, "NaN") && !strings.Contains(page, "isNaN") {
		t.Error("NaN in the page")
	}
}

// outside finds what would make a browser ask for something: an address, or an element that loads one.
var outside = regexp.MustCompile(`(?i)https?:|["'(=\s]//|\b(src|href|srcset|action|poster|ping)\s*=|url\(|@import|\bimport\b[ (]|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|<(link|iframe|object|embed|base|form)\b`)

func TestPages(t *testing.T) {
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	for name, make := range pages {
		page := written(t, make().HTML)
		if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">`
		if n := strings.Count(page, policy); n != 1 {
			t.Errorf("%s: %d policies", name, n)
		}
		if found := outside.FindString(page); found != "" && name != "hostile" {
			t.Errorf("%s: %q could load something", name, found)
		}
		for _, element := range []string{"<script", "</script", "<!--"} {
			want := map[string]int{"<script": 2, "</script": 2}[element]
			if n := strings.Count(strings.ToLower(page), element); n != want {
				t.Errorf("%s: %d times %q, want %d", name, n, element, want)
			}
		}
		t.Logf("%s: %d bytes", name, len(page))
	}
}

// TestOutsideBites: the check in TestPages sees what it looks for.
func TestOutsideBites(t *testing.T) {
	for text, want := range map[string]bool{
		`<img src=x>`: true, `<a href="//x">`: true, `url(x)`: true, `"http://x"`: true, `fetch("x")`: true, `import("x")`: true, `'//x'`: true,
		`</script> /* a comment */ a / b`: false, `the source`: false,
	} {
		if got := outside.MatchString(text); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// TestPageSize: the code is small, and a crowd of 500 for an hour fits.
func TestPageSize(t *testing.T) {
	if n := len(written(t, (&report.Report{}).HTML)); n > 60_000 {
		t.Errorf("the page without data has %d bytes", n)
	}
	if testing.Short() {
		t.Skip("makes a large crowd")
	}
	c := &crowd{nodes: 500, hubs: 5, messages: 250, seconds: 3600, every: 1, side: 500, reach: 40}
	r := c.run()
	n := len(written(t, r.HTML))
	t.Logf("500 nodes, %d frames, %d messages: %d bytes", len(r.Replay.Frames), len(r.Replay.Messages), n)
	if n > 10_000_000 || n < 1_000_000 {
		t.Errorf("the page of 500 nodes has %d bytes", n)
	}
}

// TestPageBudget: a replay too large for any page gives up frames and messages until it fits, and is still one.
func TestPageBudget(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := &report.Replay{Width: 1000, Height: 1000}
	for i := range 400 {
		f := report.Frame{At: time.Duration(i) * time.Second}
		for range 2 * 2500 {
			f.Place = append(f.Place, random.IntN(10_000))
		}
		p.Frames = append(p.Frames, f)
	}
	for i := range 400 {
		m := report.Film{Text: "x", From: i}
		for n := range 2500 {
			m.Nodes, m.Parent, m.Times = append(m.Nodes, n), append(m.Parent, i), append(m.Times, time.Duration(random.IntN(400_000))*time.Millisecond)
		}
		p.Messages = append(p.Messages, m)
	}
	r := &report.Report{Nodes: 2500, Replay: p}
	if n := len(written(t, r.HTML)); n > 10_000_000 || n < 3_000_000 {
		t.Errorf("the page has %d bytes", n)
	}
	if len(p.Frames) != 400 || len(p.Messages) != 400 {
		t.Error("the replay itself was changed")
	}
}

// TestTrafficInNoTime: traffic that took no time, as the first and the last point of a real run, is shown with its neighbour's.
func TestTrafficInNoTime(t *testing.T) {
	r := &report.Report{Traffic: []report.TrafficPoint{
		{At: 0, Discovery: 256}, {At: 20 * time.Second, Gossip: 5}, {At: 40 * time.Second, Sync: 7}, {At: 60 * time.Second, Sync: 1}, {At: 60*time.Second + 10, Gossip: 2},
	}}
	const want = `"traffic":[{"at":20000000000,"gossip":5,"sync":0,"discovery":256},{"at":40000000000,"gossip":0,"sync":7,"discovery":0},{"at":60000000010,"gossip":2,"sync":1,"discovery":0}]`
	if page := written(t, r.HTML); !strings.Contains(page, want) {
		t.Errorf("no %s in the page", want)
	}
	r.Traffic = r.Traffic[:1]
	if page := written(t, r.HTML); !strings.Contains(page, `"traffic":[{"at":0,"gossip":0,"sync":0,"discovery":256}]`) {
		t.Error("all traffic in no time is not in the page")
	}
}

// TestManyHops: of many numbers of hops the text shows ranges, and no delivery is left out.
func TestManyHops(t *testing.T) {
	r := &report.Report{Hops: make([]int, 66)}
	for i := range r.Hops {
		r.Hops[i] = 2 * i
	}
	r.Hops[64], r.Hops[65] = 1, 1
	got := written(t, r.Text)
	for _, want := range []string{" 1–7  8–14 ", " 57–63  64–65\n", "\ndeliveries    56   154 ", "  840      2\n", " <0.1%\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestThin(t *testing.T) {
	p := walking().run().Replay
	thin := p.Thin(10, 5)
	if len(thin.Frames) != 10 || len(thin.Messages) != 5 {
		t.Fatalf("%d frames, %d messages", len(thin.Frames), len(thin.Messages))
	}
	if len(p.Frames) != 361 || len(p.Messages) != 24 {
		t.Error("the replay itself was changed")
	}
	if first, last := thin.Frames[0].At, thin.Frames[9].At; first != 0 || last != 30*time.Minute {
		t.Errorf("frames from %v to %v", first, last)
	}
	for i := 1; i < 10; i++ {
		if gap := thin.Frames[i].At - thin.Frames[i-1].At; gap < 195*time.Second || gap > 205*time.Second {
			t.Errorf("%v between frames", gap)
		}
	}
	if whole := p.Thin(1000, 1000); len(whole.Frames) != 361 || len(whole.Messages) != 24 {
		t.Error("a replay that fits was thinned")
	}
}

// TestImports: the report is made of the standard library alone.
func TestImports(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range f.Imports {
			first, _, _ := strings.Cut(strings.Trim(i.Path.Value, `"`), "/")
			if !strings.HasSuffix(name, "_test.go") && (strings.Contains(first, ".") || first == "longear") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}
