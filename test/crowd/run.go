package crowd

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"longear/test/bench/figure"
	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// A run makes much garbage and has memory to spare: collecting it less often saves a tenth of the time.
const (
	gcPercent   = 300
	memoryLimit = 3 << 30 // bytes; from there on it is collected as often as it must be
)

// Run plays a story in a bubble of its own and reports. What did not hold is in the report's Failed; the error is for a story
// that cannot be played.
func Run(t *testing.T, s story.Story, o Options) (r *report.Report, err error) {
	t.Helper()
	defer oneProcessor()()
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(memoryLimit))
	_ = forgetPeak() // where it cannot be done the process's is reported
	begin, cpu := time.Now(), figure.CPU()
	synctest.Test(t, func(t *testing.T) { r, err = play(t.Context(), s, o) })
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errors.New("the run ended without a report")
	}
	r.Real, r.CPU, r.Memory = time.Since(begin), figure.CPU()-cpu, peakMemory()
	if r.Cut {
		r.CutAt = o.Watch.Step.Load().Line
	}
	for _, step := range s.Steps {
		if _, ok := step.Do.(story.Expect); ok {
			r.Expected++
			if !r.Cut || step.Line < r.CutAt {
				r.Looked++
			}
		}
	}
	return r, nil
}

// Main plays a story in a program that is no test, hands the report to done and ends the process with the code that done
// returns. The standard library gives virtual time to tests only, so the program becomes one. That costs it package testing in
// the binary, the default flag set (a program that calls Main has to parse its flags with a set of its own), and all but one run
// a process.
func Main(s story.Story, o Options, done func(*report.Report, error) int) {
	testing.Init()
	if err := flag.CommandLine.Parse(nil); err != nil {
		os.Exit(done(nil, err))
	}
	everything := func(string, string) (bool, error) { return true, nil }
	testing.Main(everything, []testing.InternalTest{{Name: s.Name, F: func(t *testing.T) {
		r, err := Run(t, s, o)
		os.Exit(done(r, err))
	}}}, nil, nil)
}

// Load reads a story from a file. Traces are looked for beside it. Errors name the file as it was given, so that an editor finds it.
func Load(path string, o *Options) (story.Story, error) {
	f, err := os.Open(path)
	if err != nil {
		return story.Story{}, fmt.Errorf("read a story: %w", err)
	}
	defer f.Close()
	o.Dir = filepath.Dir(path)
	return story.Parse(path, f)
}
