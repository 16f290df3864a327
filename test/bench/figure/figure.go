// Package figure writes down what benchmarks find: one line for people and, when LONGEAR_FIGURES names a file, one line of
// JSON for the table in the docs.
//
// A figure is reported, never asserted here: a busy machine is no defect. What does not depend on the machine, such as
// bytes and round trips, is asserted by tests.
package figure

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// Bound is what a figure has to reach.
type Bound struct {
	sign  string
	value float64
}

// None is the bound of a figure that is only there to be read.
var None Bound

// AtMost is an upper bound.
func AtMost(v float64) Bound { return Bound{"<=", v} }

// AtLeast is a lower bound.
func AtLeast(v float64) Bound { return Bound{">=", v} }

func (b Bound) verdict(v float64) string {
	switch {
	case b.sign == "":
		return ""
	case b.sign == "<=" && v <= b.value, b.sign == ">=" && v >= b.value:
		return "met"
	}
	return "missed"
}

// String is the bound as the table shows it.
func (b Bound) String() string {
	if b.sign == "" {
		return "-"
	}
	return fmt.Sprintf("%s %g", b.sign, b.value)
}

// line is one figure in the file.
type line struct {
	Benchmark string  `json:"benchmark"`
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Bound     string  `json:"bound"`
	Verdict   string  `json:"verdict,omitempty"`
	Load      string  `json:"load"` // of the machine in the last minute; 2 cores are full at 2
}

// Report writes down one figure of a benchmark or a test. The unit is as in the testing package: no spaces.
func Report(tb testing.TB, name string, value float64, unit string, bound Bound) {
	tb.Helper()
	if b, ok := tb.(*testing.B); ok {
		b.ReportMetric(value, name+"-"+unit)
	}
	l := line{tb.Name(), name, value, unit, bound.String(), bound.verdict(value), Load()}
	tb.Logf("figure %-28s %12.5g %-8s bound %-8s %-6s load %s", l.Name, l.Value, l.Unit, l.Bound, l.Verdict, l.Load)
	file := os.Getenv("LONGEAR_FIGURES")
	if file == "" {
		return
	}
	if err := appendLine(file, l); err != nil {
		tb.Errorf("write figure %s: %v", name, err)
	}
}

func appendLine(file string, l line) error {
	j, err := json.Marshal(l)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(j, '\n')); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// Spent is what f costs, in wall time and on all cores.
func Spent(f func()) (wall, cpu time.Duration) {
	c, t := CPU(), time.Now()
	f()
	return time.Since(t), CPU() - c
}

// Median is the middle of some samples, the lower one of two.
func Median[T float64 | time.Duration](samples []T) T {
	if len(samples) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(samples))
	return s[(len(s)-1)/2]
}

// Load is the machine's load average of the last minute, or "?" where nobody tells.
func Load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}
