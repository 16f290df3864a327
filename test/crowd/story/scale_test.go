package story_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"longear/test/crowd/story"
)

func TestScale(t *testing.T) {
	tests := []struct {
		text  string
		nodes int
		wrong string // empty if it can be
	}{
		{"full\npublish 5 over 1m\nexpect all within 5s", 500, ""},
		{"split 50% 50%\ncrash n30", 40, ""},
		{"split 30 30", 60, ""},
		{"crash n30", 30, `s.txt:2: "crash n30": expected "crash WHO", as in "crash n7": found "n30", expected a node from n0 to n29 there`},
		{"split 50 50", 200, "expected shares, as in 50% 50%"},
		{"split 50 50", 60, "expected groups of together at most 60 phones"},
		{"hubs 2\ncrash h1", 200, ""},
		{"hubs 2\ncrash n101", 200, "expected h1, which is this hub with any number of phones"},
		{"hubs 2\ncrash n101", 99, "expected h1, which is this hub with any number of phones"},
		{"hubs 2\ncrash n101\nsplit 50 50", 100, ""},
		{"full", 0, "expected phones from 1 to 10000"},
		{"full", -5, "expected phones from 1 to 10000"},
		{"hubs 2", 9999, "expected at most 10000 phones and hubs"},
		{"streams 2 squares 1m x 1m apart 1m mules 10 1m/s range 1m", 9, "expected mules, who are phones, from 1 to 9"},
	}
	for _, test := range tests {
		s, err := story.Parse("s.txt", strings.NewReader("nodes 100 # people\n"+test.text))
		if err != nil {
			t.Fatal(err)
		}
		scaled, err := s.Scale(test.nodes)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q with %d phones: %v, want %s", test.text, test.nodes, err, test.wrong)
			}
			continue
		}
		want, wrong := story.Parse("s.txt", strings.NewReader(fmt.Sprintf("nodes %d\n%s", test.nodes, test.text)))
		if err != nil || wrong != nil || !reflect.DeepEqual(scaled, want) {
			t.Errorf("%q with %d phones: %v, %v, want %v, %v", test.text, test.nodes, scaled, err, want, wrong)
		}
		if got := s.Steps[0].Do; got != (story.Nodes{N: 100}) {
			t.Errorf("the story itself has become %v", got)
		}
	}
}

func TestTracePath(t *testing.T) {
	environment := func(name string) string { return map[string]string{"DATA": "/data", "SFHH": "/data/x.gz"}[name] }
	tests := []struct{ file, want string }{
		{"a.one", "stories/a.one"},
		{"$DATA/b/c", "/data/b/c"},
		{"$SFHH", "/data/x.gz"},
		{"$NONE/x", ""},
	}
	for _, test := range tests {
		got, err := story.Trace{File: test.file}.Path("stories", environment)
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", test.file, got, err, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), "set NONE to where it is") {
			t.Error(err)
		}
	}
}
