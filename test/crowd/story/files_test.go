package story_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"longear/test/crowd/story"
)

// Every story of the crowd's can be read, says on top what it shows, and can fail.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := story.Parse(file, strings.NewReader(string(b)))
		if err != nil {
			t.Error(err)
			continue
		}
		names = append(names, s.Name)
		if top, _, _ := strings.Cut(string(b), "\n"); !strings.HasPrefix(top, "# ") || !strings.HasSuffix(top, ".") {
			t.Errorf("%s: expected a sentence as a comment on top", file)
		}
		expects := 0
		for _, step := range s.Steps {
			switch do := step.Do.(type) {
			case story.Expect:
				expects++
			case story.Trace:
				path, err := do.Path(filepath.Dir(file), func(string) string { return "x" })
				if _, missing := os.Stat(path); err != nil || do.Format == "one" && missing != nil {
					t.Errorf("%s: %v, %v", file, err, missing)
				}
			}
		}
		if expects == 0 {
			t.Errorf("%s expects nothing", file)
		}
	}
	for want := range strings.FieldsSeq("square dense mules partition late churn skew quiet mute lie flood hub doze wall trace sfhh crowd500 groups gathering takeover ferry packed poor stadium ages") {
		if !slices.Contains(names, want) {
			t.Errorf("there is no story %s", want)
		}
	}
}

// The language fits a screen, and every line of it is there.
func TestHelp(t *testing.T) {
	help := story.Help()
	if n := strings.Count(help, "\n"); n >= 60 {
		t.Errorf("%d lines", n)
	}
	_, err := story.Parse("s.txt", strings.NewReader("?"))
	if err == nil {
		t.Fatal("taken")
	}
	_, list, _ := strings.Cut(err.Error(), "expected one of ")
	verbs := strings.Split(list, ", ")
	if len(verbs) != 26 {
		t.Errorf("verbs %q", verbs)
	}
	for _, v := range verbs {
		if !strings.Contains(help, "\n  "+v+" ") {
			t.Errorf("nothing about %s", v)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), 50)
	}
	for _, seed := range []string{"", "nodes", "nodes 5\nsplit 50% 50% 1%\njoin n0 n4", "nodes 9\nhubs 1\ncrash n0-n9,h0\nskew 1% -1d2h..+5y", "nodes 1\npublish n0 \"\\", "nodes 2 # x\nradio 1e9bit/s", "wall\x00"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		s, err := story.Parse("f.txt", strings.NewReader(text))
		if err != nil {
			if _, ok := errors.AsType[*story.Error](err); !ok && len(text) <= 1<<20 {
				t.Errorf("no line: %v", err)
			}
			return
		}
		first, ok := s.Steps[0].Do.(story.Nodes)
		if !ok || first.N < 1 || first.N > 10_000 {
			t.Fatalf("began with %v", s.Steps[0])
		}
		if same, err := s.Scale(first.N); err != nil || !reflect.DeepEqual(same, s) {
			t.Errorf("%v became %v: %v", s, same, err)
		}
		if _, err := s.Scale(n); err != nil {
			if _, ok := errors.AsType[*story.Error](err); !ok {
				t.Errorf("no line: %v", err)
			}
		}
	})
}
