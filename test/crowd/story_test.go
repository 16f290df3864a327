package crowd

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longear/test/crowd/report"
)

// sizes are how many phones play a story: in the everyday check, in the full one, and under the race detector, which makes a
// crowd ten times as slow. 0 is not at all, own the story's number.
var sizes = map[string]struct{ check, full, race int }{
	"ages":      {0, own, 0},
	"churn":     {20, own, 8},
	"crowd500":  {0, 0, 0},
	"dense":     {0, own, 0},
	"doze":      {20, own, 8},
	"ferry":     {0, own, 0},
	"flood":     {0, own, 0},
	"gathering": {own, own, 0},
	"groups":    {0, 0, 0},
	"heal":      {0, own, 0},
	"hub":       {0, own, 0},
	"late":      {0, own, 0},
	"lie":       {20, own, 10},
	"mules":     {0, own, 0},
	"mute":      {0, own, 0},
	"packed":    {0, own, 0},
	"partition": {0, 0, 0},
	"poor":      {0, own, 0},
	"quiet":     {0, own, 0},
	"sfhh":      {0, 0, 0},
	"skew":      {20, own, 0},
	"square":    {0, own, 0},
	"stadium":   {0, own, 0},
	"takeover":  {0, own, 0},
	"trace":     {own, own, own},
	"wall":      {0, own, 0},
}

const own = -1

// TestStories plays the stories that ship, each at its size. CROWD=all plays those that take minutes as well, at full size,
// and CROWD=NAME that one.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 12 {
		t.Fatalf("%d stories, %v", len(paths), err)
	}
	asked := os.Getenv("CROWD")
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			size, ok := sizes[name]
			if !ok {
				t.Fatal("the story has no size in the table above")
			}
			n := size.full
			switch {
			case asked == "all" || asked == name:
				n = own
			case asked != "":
				t.Skipf("CROWD=%s", asked)
			case raced:
				n = size.race
			case testing.Short():
				n = size.check
			}
			if n == 0 {
				t.Skip("not at this size: it takes minutes; make sim SCENARIO=" + name)
			}
			r := played(t, path, n, 1)
			var text strings.Builder
			if err := r.Text(&text); err != nil {
				t.Error(err)
			}
			t.Log("\n" + text.String())
			for _, f := range r.Failed {
				t.Error(f)
			}
		})
	}
}

// played plays a story from a file with so many phones.
func played(t *testing.T, path string, phones int, seed uint64) *report.Report {
	t.Helper()
	o := Options{Seed: seed, Env: os.Getenv}
	s, err := Load(path, &o)
	if err != nil {
		t.Fatal(err)
	}
	if phones >= 0 {
		if s, err = s.Scale(phones); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Run(t, s, o)
	if errors.Is(err, ErrNoTrace) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
