package story_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"longear/test/crowd/story"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
)

func nodes(list ...int) story.Who { return story.Who{Nodes: list} }

func span(from, to int) (list []int) {
	for n := from; n <= to; n++ {
		list = append(list, n)
	}
	return list
}

// Each row is a step as it can stand after "nodes 100", "hubs 3", and the steps before it in the row.
func TestSteps(t *testing.T) {
	phones := story.Who{Share: 1}
	tests := []struct {
		before, text string
		want         any
	}{
		{"", "radio 20Mbit/s 5ms loss 1%", story.Radio{BitsPerSecond: 20_000_000, Latency: 5 * time.Millisecond, Loss: 0.01, Who: story.Who{All: true}}},
		{"", "radio 2.5kbit/s", story.Radio{BitsPerSecond: 2500, Latency: story.UsualLatency, Who: story.Who{All: true}}},
		{"", "radio 1Gbit/s loss 0%", story.Radio{BitsPerSecond: 1_000_000_000, Latency: story.UsualLatency, Who: story.Who{All: true}}},
		{"", "radio 300bit/s 0s", story.Radio{BitsPerSecond: 300, Who: story.Who{All: true}}},
		{"", "radio 50kbit/s loss 5% of n3,n5", story.Radio{BitsPerSecond: 50_000, Latency: story.UsualLatency, Loss: 0.05, Who: story.Who{Nodes: []int{3, 5}}, Some: true}},
		{"radio 1Mbit/s\nadvance 1s", "radio 1kbit/s of all", story.Radio{BitsPerSecond: 1000, Latency: story.UsualLatency, Who: story.Who{All: true}, Some: true}},
		{"", "stand crowd 100m x 50.5m range 30m", story.Stand{Width: 100, Height: 50.5, Range: 30}},
		{"", "walk crowd 500m x 500m 1.4m/s range 40m", story.Walk{Width: 500, Height: 500, Speed: 1.4, Range: 40}},
		{"", "walk crowd 500m x 500m 1.4m/s range 40m pause 60s", story.Walk{Width: 500, Height: 500, Speed: 1.4, Range: 40, Pause: time.Minute}},
		{"", "streams 2 squares 100m x 90m apart 500m mules 10 1.4m/s range 40m", story.Streams{Width: 100, Height: 90, Apart: 500, Mules: 10, Speed: 1.4, Range: 40}},
		{"", "full", story.Full{}},
		{"", "ring 4", story.Ring{Each: 4}},
		{"", "trace one contacts.txt", story.Trace{Format: "one", File: "contacts.txt"}},
		{"", `trace one "my contacts"`, story.Trace{Format: "one", File: "my contacts"}},
		{"", "trace pairs $DATA/SFHH_tij.dat.gz every 20s", story.Trace{Format: "pairs", File: "$DATA/SFHH_tij.dat.gz", Every: 20 * time.Second}},
		{"", "wifi-direct places 8", story.WifiDirect{Places: 8}},
		{"", "wifi-direct places 8 hubs 16 battery", story.WifiDirect{Places: 8, Hubs: 16, Battery: true}},
		{"wifi-direct places 8", "expect grouped 80%", story.Expect{What: "grouped", Share: 0.8}},
		{"wifi-direct places 8", "expect takeovers 2", story.Expect{What: "takeovers", Count: 2}},
		{"wifi-direct places 8", "expect ferries 3", story.Expect{What: "ferries", Count: 3}},
		{"", "split 50 40", story.Split{Groups: [][]int{span(0, 49), span(50, 89)}}},
		{"", "split 50% 50%", story.Split{Groups: [][]int{span(0, 49), span(50, 99)}}},
		{"", "split 33.3% 33.3% 33.4%", story.Split{Groups: [][]int{span(0, 32), span(33, 66), span(67, 99)}}},
		{"", "split n0-n9,h0 n50-n99", story.Split{Groups: [][]int{append(span(0, 9), 100), span(50, 99)}}},
		{"split 50", "join", story.Join{}},
		{"split 50", "join n3 h2", story.Join{Single: true, A: 3, B: 102}},
		{"full\nsplit 50\njoin", "split 40", story.Split{Groups: [][]int{span(0, 39)}}},
		{"stand crowd 1m x 1m range 1m", "wall 0,0 250.5,500", story.Wall{X2: 250.5, Y2: 500}},
		{"", "crash n7", story.Crash{Who: nodes(7)}},
		{"", "crash n9,n3-n5", story.Crash{Who: nodes(3, 4, 5, 9)}},
		{"", "crash hubs", story.Crash{Who: story.Who{Hubs: true}}},
		{"crash 10%", "restart 12.5%", story.Restart{Who: story.Who{Share: 0.125}}},
		{"churn 1%/min", "restart all", story.Restart{Who: story.Who{All: true}}},
		{"", "late n90-n99", story.Late{Who: nodes(span(90, 99)...)}},
		{"late n9", "enter all", story.Enter{Who: story.Who{All: true}}},
		{"", "churn 30%/min", story.Churn{PerMinute: 0.3}},
		{"churn 30%/min", "churn off", story.Churn{}},
		{"", "doze all 80% of 60s", story.Doze{Who: story.Who{All: true}, Share: 0.8, Cycle: time.Minute}},
		{"", "skew n9 +3h", story.Skew{Who: nodes(9), From: 3 * time.Hour, To: 3 * time.Hour}},
		{"", "skew 50% -10y..+10y", story.Skew{Who: story.Who{Share: 0.5}, From: -10 * year, To: 10 * year}},
		{"", "skew h1 -1d12h..0", story.Skew{Who: nodes(101), From: -36 * time.Hour}},
		{"", "mute 10%", story.Mute{Who: story.Who{Share: 0.1}}},
		{"", "lie 10%", story.Lie{Who: story.Who{Share: 0.1}}},
		{"", "lie n1 about ages", story.Lie{Who: story.Who{Nodes: []int{1}}, Ages: true}},
		{"", "flood n13 500/s", story.Flood{Node: 13, Rate: 500}},
		{"", "flood h0 30/min", story.Flood{Node: 100, Rate: 0.5}},
		{"flood n1 36/h", "flood off", story.Flood{}},
		{"", "flood n1 1/h", story.Flood{Node: 1, Rate: 1. / 3600}},
		{"", "churn 0.1%/min", story.Churn{PerMinute: 0.001}},
		{"", "doze all 100% of 1s", story.Doze{Who: story.Who{All: true}, Share: 1, Cycle: time.Second}},
		{"", "publish 194174", story.Publish{From: phones, Count: 194_174}},
		{"", `publish n3 "water at gate 4"`, story.Publish{From: nodes(3), Text: "water at gate 4", Count: 1}},
		{"", `publish n3 alert "say \"hi\" # no comment" life 2h # a comment`, story.Publish{From: nodes(3), Text: `say "hi" # no comment`, Count: 1, Alert: true, Life: 2 * time.Hour}},
		{"", "publish 200 over 30m", story.Publish{From: phones, Count: 200, Over: 30 * time.Minute}},
		{"", "publish 5000 from n0-n4", story.Publish{From: nodes(0, 1, 2, 3, 4), Count: 5000}},
		{"", "publish 10 alerts over 5m", story.Publish{From: phones, Count: 10, Over: 5 * time.Minute, Alert: true}},
		{"", "publish 1 life 3d size 2KiB from hubs over 1h", story.Publish{From: story.Who{Hubs: true}, Count: 1, Over: time.Hour, Size: 2048, Life: 3 * day}},
		{"", "publish 7 size 500B", story.Publish{From: phones, Count: 7, Size: 500}},
		{"", "advance 1h30m", story.Advance{For: 90 * time.Minute}},
		{"", "advance 1.5d", story.Advance{For: 36 * time.Hour}},
		{"publish 1", "expect all within 30s", story.Expect{What: "all", Within: 30 * time.Second}},
		{"publish 1", "expect carried within 10m", story.Expect{What: "carried", Within: 10 * time.Minute}},
		{"publish 1", "expect 99% of oracle", story.Expect{What: "share", Share: 0.99}},
		{"publish 1", "expect median 1.25x of oracle plus 5s", story.Expect{What: "median", Factor: 1.25, Plus: 5 * time.Second}},
		{"publish 1", "expect median 2x of oracle", story.Expect{What: "median", Factor: 2}},
		{"publish 1", "expect copies 2.5", story.Expect{What: "copies", Factor: 2.5}},
		{"publish 1", "expect bytes 3", story.Expect{What: "bytes", Factor: 3}},
		{"publish 1", "expect kept 99%", story.Expect{What: "kept", Share: 0.99}},
		{"publish 1", "expect repeated 1.3x", story.Expect{What: "repeated", Factor: 1.3}},
		{"trace one t", "expect nobody n4", story.Expect{What: "nobody", Who: nodes(4)}},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			file := "# about\nnodes 100\n\nhubs 3\n" + test.before + "\n\t" + test.text + "  \r\n"
			s, err := story.Parse("a/b.txt", strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			step := s.Steps[len(s.Steps)-1]
			if !reflect.DeepEqual(step.Do, test.want) {
				t.Errorf("%#v\nwant %#v", step.Do, test.want)
			}
			if text, _, _ := strings.Cut(test.text, " # a "); step.Text != text || s.Name != "b" {
				t.Errorf("text %q in story %q, want %q in b", step.Text, s.Name, text)
			}
			if want := strings.Count(file, "\n"); step.Line != want {
				t.Errorf("line %d, want %d", step.Line, want)
			}
			if !reflect.DeepEqual(s.Steps[:2], []story.Step{{Line: 2, Text: "nodes 100", Do: story.Nodes{N: 100}}, {Line: 4, Text: "hubs 3", Do: story.Hubs{N: 3}}}) {
				t.Errorf("began with %v", s.Steps[:2])
			}
		})
	}
}

// Each story is wrong in its last line, and in no other.
func TestWrong(t *testing.T) {
	tests := []struct{ text, want string }{
		{"walk 300m", `"walk 300m": expected "walk crowd WIDTHm x HEIGHTm SPEEDm/s range RANGEm [pause TIME]", as in "walk crowd 500m x 500m 1.4m/s range 40m": found "300m", expected "crowd" there`},
		{"walk crowd 5m x 5m 1m/s", `it ends where it should go on with "range"`},
		{"walk crowd 5m x 5m 1m/s range 4m pause", "it ends where it should go on with a time"},
		{"walk crowd -5m x 5m 1m/s range 4m", `found "-5m", expected a width from 0.1m to 1000000m, as in 500m there`},
		{"walk crowd 5m x 5m infm/s range 4m", `found "infm/s", expected a speed`},
		{"walk crowd 5m x 5m 1m/s range 4e9m", `found "4e9m", expected a range from`},
		{"walk crowd 5m x 1000001m 1m/s range 4m", `found "1000001m", expected a height from`},
		{"full stop", `found "stop", expected the end of the line there`},
		{"wakl crowd", `found "wakl", expected one of nodes, hubs, radio,`},
		{"wakl crowd", `did you mean "walk"?`},
		{"xylophone", `expect`},
		{`"full"`, `found "full", expected one of`},
		{"nodes 100", "expected nodes once, as the first step"},
		{"hubs 9999", "expected at most 10000 phones and hubs"},
		{"hubs 1\nhubs 1", "expected hubs once"},
		{"crash n1\nhubs 1", "expected hubs once, right after nodes"},
		{"full\nhubs 1", "before anything moves or names them"},
		{"radio fast", `found "fast", expected a bandwidth`},
		{"radio 0bit/s", "expected a bandwidth"},
		{"radio 1bit/s -5ms", "expected a latency of 0s or more"},
		{"radio 1bit/s loss 101%", "expected a share from 0% to 100%"},
		{"radio 1bit/s\nradio 1bit/s", "expected radio once"},
		{"radio 1bit/s of n3\nradio 1bit/s", "expected radio once"},
		{"advance 1s\nradio 1bit/s", "expected radio once, before anything happens"},
		{"radio 1bit/s of", "it ends where it should go on with a node"},
		{"radio 1bit/s of n3\nhubs 1", "before anything moves or names them"},
		{"full\nring 3", "expected only one way to meet: line 2 says another"},
		{"advance 1s\nfull", "expected how nodes meet before anything happens"},
		{"ring 0", `found "0", expected neighbours from 1`},
		{"streams 3 squares", `found "3", expected "2" there`},
		{"streams 2 squares 1m x 1m apart 1m mules 101 1m/s range 1m", "expected mules, who are phones, from 1 to 100"},
		{"trace two x", `expected "one" or "pairs"`},
		{"trace one", "it ends where it should go on with a file"},
		{"trace one ../secret", "expected a file beside the story"},
		{"trace one /etc/passwd", "expected a file beside the story"},
		{"trace one $A/../../b", "expected a file beside the story"},
		{"trace pairs x", `expected "trace pairs FILE every TIME", as in "trace pairs $DATA/SFHH_tij.dat.gz every 20s": it ends where it should go on with "every"`},
		{"split", "expected \"split N N...\" or \"split NODES NODES...\""},
		{"split 50 51", `found "51", expected groups of together at most 100 phones there`},
		{"split 50% 60%", `found "60%", expected groups of together at most 100 phones`},
		{"split 50 50%", `found "50%", expected phones from 1`},
		{"split n0-n9 n9", `found "n9", expected nodes that are in no group before`},
		{"split n0,n0", "expected each node once"},
		{"split 5\nsplit 6", "expected a join first: line 2 split already"},
		{"join", "expected a split or a wall before"},
		{"split 5\njoin\njoin", "expected a split or a wall before"},
		{"split 5\njoin n3", "it ends where it should go on with a node from n0 to n99"},
		{"split 5\njoin n3 n3", "expected another node than before"},
		{"wall 0,0 1,1", "expected stand, walk or streams before"},
		{"stand crowd 1m x 1m range 1m\nwall 0,0 1,1\njoin\njoin", "expected a split or a wall before"},
		{"stand crowd 1m x 1m range 1m\nwall 0,0 0,0", "expected another place than before"},
		{"stand crowd 1m x 1m range 1m\nwall 0 1", `found "0", expected a place X,Y`},
		{"crash n100", `found "n100", expected a node from n0 to n99 there`},
		{"hubs 2\ncrash h2", "expected a node from n0 to n101, or a hub from h0 to h1"},
		{"crash n5-n3", "expected a range that goes up"},
		{"crash n0-", "expected a node from n0 to n99"},
		{"crash n1, n2", "expected a node from n0 to n99"},
		{"crash hubs", "the story has no hubs"},
		{"crash 0%", "expected a share above 0%"},
		{"crash", "it ends where it should go on with a node from n0 to n99"},
		{"restart n1", "expected crash or churn before"},
		{"enter n1", "expected late before"},
		{"advance 1s\nlate n1", "expected late nodes before anything happens"},
		{"churn 30%", "as in 30%/min"},
		{"churn 0.09%/min", `found "0.09%/min", expected a share a minute from 0.1%/min`}, // a time would overflow
		{"churn 1001%/min", "expected a share a minute from 0.1%/min to 1000%/min"},
		{"doze all 50% of 999ms", `found "999ms", expected a time from 1s to 100y`}, // as many turns as it likes within one moment
		{"walk crowd 0.09m x 5m 1m/s range 4m", `found "0.09m", expected a width from 0.1m`},
		{"wifi-direct 8", `found "8", expected "places" there`},
		{"wifi-direct places 300", "expected places from 1 to 255"},
		{"wifi-direct places 8 hubs 16", "expected hubs before"},
		{"wifi-direct places 8\nwifi-direct places 8", "expected wifi-direct once"},
		{"advance 1s\nwifi-direct places 8", "expected wifi-direct once, before anything happens"},
		{"expect grouped 80%", "expected wifi-direct before"},
		{"expect ferries 1", "expected wifi-direct before"},
		{"wifi-direct places 8\nexpect takeovers 0", "expected takeovers from 1 to 1000000"},
		{"churn off", "expected churn before"},
		{"doze all 80% 60s", `found "60s", expected "of" there`},
		{"skew n1 +10y..-10y", "expected a time, or a lower and a higher one"},
		{"skew n1 200y", "expected a time, or a lower"},
		{"skew n1 99y2500000h", "expected a time, or a lower"}, // the sum of both would overflow
		{"skew n1 99y400d", "expected a time, or a lower"},
		{"skew n1 soon", "expected a time, or a lower"},
		{"flood n1-n2 5/s", "expected a node from n0 to n99"},
		{"flood n1 5", `found "5", expected messages from 1/h to 100000/s, as in 500/s there`},
		{"flood n1 0.9/h", `found "0.9/h", expected messages from 1/h`}, // a ticker's time would overflow
		{"flood n1 100001/s", "expected messages from 1/h to 100000/s"},
		{"flood off", "expected flood before"},
		{"publish n3", `expected "publish NODE [alert] "TEXT" [life TIME]", as in`},
		{"publish n3 water", `found "water", expected a text in quotes`},
		{`publish n3 ""`, "expected a text in quotes"},
		{`publish n3 "water`, "expected a closing quote"},
		{`publish n3 "a"b`, `found "b", expected the end of the line`},
		{"publish 5 over 1s over 2s", "expected each option once"},
		{"publish 5 under 1s", `found "under", expected "from", "over", "size" or "life"`},
		{"publish 5 size 33KiB", "expected bytes up to 32KiB"},
		{"publish 199999\npublish 2", "expected at most 200000 messages in all for 100 nodes"},
		{"hubs 100\npublish 100001", "expected at most 100000 messages in all for 200 nodes"},
		{"publish 0", "expected messages from 1 to 1000000"},
		{"advance", "it ends where it should go on with a time"},
		{"advance -1s", "expected a time from 1ns to 100y"},
		{"advance 5", "expected a time from 1ns to 100y"},
		{"advance 101y", "expected a time from 1ns to 100y"},
		{"advance 1h1", "expected a time from 1ns to 100y"},
		{"advance 1..5s", "expected a time from 1ns to 100y"},
		{"advance 60y\nadvance 60y", "expected at most 100y in all"},
		{"expect all within 5s", "expected publish before"},
		{"flood n1 5/s\nexpect all within 5s", "expected publish before"},
		{"trace pairs x every 20s\nexpect all within 5s", "expected publish before"},
		{"publish 1\nexpect all", `expected "expect all within TIME", as in "expect all within 30s": it ends where it should go on with "within"`},
		{"publish 1\nexpect more", `found "more", expected "all", "carried", "median", "nobody", "grouped", "takeovers", "ferries", "copies", "bytes", "repeated", "kept" or a share`},
		{"publish 1\nexpect repeated 1.3", `found "1.3", expected a factor, as in 1.3x there`},
		{"publish 1\nexpect copies 0.9", `expected "expect copies N", as in "expect copies 2.5": found "0.9", expected a number of 1 or more, as in 2.5 there`},
		{"publish 1\nexpect bytes 3.5x", `found "3.5x", expected a number of 1 or more`},
		{"expect bytes 3.5", "expected publish before"},
		{"publish 1\nexpect 101% of oracle", "expected a share above 0%"},
		{"publish 1\nexpect 0% of oracle", "expected a share above 0%"},
		{"publish 1\nexpect median 0.5x of oracle", "expected a factor of 1x or more"},
		{"publish 1\nexpect nobody all", "expected a node from n0 to n99"},
		{"advance 1s \xff", "expected at most 1024 bytes of UTF-8"},
		{"# " + strings.Repeat("long ", 300), "expected at most 1024 bytes of UTF-8"},
	}
	for _, test := range tests {
		t.Run(clip(test.text), func(t *testing.T) {
			_, err := story.Parse("dir/square.txt", strings.NewReader("nodes 100\n"+test.text+"\n"))
			if err == nil {
				t.Fatal("taken")
			}
			line := 2 + strings.Count(test.text, "\n")
			if prefix := fmt.Sprintf("dir/square.txt:%d: ", line); !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v\nwant %s...%s", err, prefix, test.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line is wrong: %v", err)
			}
			if e, ok := errors.AsType[*story.Error](err); !ok || e.Line != line || e.File != "dir/square.txt" {
				t.Errorf("%#v", e)
			}
		})
	}
}

func clip(s string) string { return s[:min(len(s), 60)] }

// All wrong lines are told, a mistake once, and not without end.
func TestAllWrong(t *testing.T) {
	lines := func(text string) (numbers []int) {
		t.Helper()
		_, err := story.Parse("s.txt", strings.NewReader(text))
		if err == nil {
			t.Fatalf("taken: %q", text)
		}
		many, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("%T", err)
		}
		for _, err := range many.Unwrap() {
			if e, ok := errors.AsType[*story.Error](err); ok {
				numbers = append(numbers, e.Line)
			}
		}
		return numbers
	}
	tests := []struct {
		name, text string
		want       []int
	}{
		{"nothing", "", []int{1}},
		{"nothing but comments", "# a\n\n# b\n", []int{3}},
		{"no nodes", "full\npublish 5\nexpect all within 5s", []int{1}},
		{"wrong nodes", "noeds 5\ncrash n4\nnodes x\n", []int{1, 3}},
		{"several", "nodes 5\nfall\npublish n9 \"x\"\nadvance 1h\nexpect all in 5s", []int{2, 3, 5}},
		{"what follows from a wrong line is not wrong", "nodes 5\nhubs x\ncrush hubs\nlate x\nenter all\nsplit\njoin\npublish\nexpect all within 1s\nrestart h0", []int{2, 3, 4, 6, 8}},
	}
	for _, test := range tests {
		if got := lines(test.text); !slices.Equal(got, test.want) {
			t.Errorf("%s: lines %v are wrong, want %v", test.name, got, test.want)
		}
	}
	_, err := story.Parse("s.txt", strings.NewReader("nodes 5\n"+strings.Repeat("dance\n", 35)))
	if err == nil || strings.Count(err.Error(), "\n") != 20 || !strings.HasSuffix(err.Error(), "\ns.txt: and 15 more lines") {
		t.Errorf("35 wrong lines: %v", err)
	}
}

func TestBounds(t *testing.T) {
	if _, err := story.Parse("s.txt", strings.NewReader("nodes 10001")); err == nil || !strings.Contains(err.Error(), "expected phones from 1 to 10000") {
		t.Error(err)
	}
	if _, err := story.Parse("s.txt", strings.NewReader("nodes 1\n"+strings.Repeat("#\n", 1<<19))); err == nil || err.Error() != "s.txt: expected at most 1048576 bytes" {
		t.Error(err)
	}
	if _, err := story.Parse("s.txt", strings.NewReader("nodes 1\n"+strings.Repeat("crash n0\n", 999))); err != nil {
		t.Error(err)
	}
	if _, err := story.Parse("s.txt", strings.NewReader("nodes 1\n"+strings.Repeat("crash n0\n", 1000))); err == nil || !strings.HasPrefix(err.Error(), "s.txt:1001: ") || !strings.Contains(err.Error(), "at most 1000 steps") {
		t.Error(err)
	}
	if _, err := story.Parse("s.txt", strings.NewReader("nodes 1\npublish 1000000\npublish 1")); err == nil || !strings.Contains(err.Error(), "expected at most 1000000 messages in all") {
		t.Error(err)
	}
	broken := errors.New("broken")
	if _, err := story.Parse("s.txt", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
}
