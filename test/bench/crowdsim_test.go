package bench_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"longear/test/bench/figure"
	"longear/test/crowd/report"
)

// crowdsim builds the program that plays crowds. Each run has a process of its own: the most memory that a process has had
// cannot be told apart by what it did.
func crowdsim(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "crowdsim")
	if out, err := exec.Command("go", "build", "-o", path, "longear/cmd/crowdsim").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// playStory plays a story and returns its report. What it expected and did not hold is an error of the benchmark.
func playStory(b *testing.B, program, path string) *report.Report {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, path, "--json", "--quiet")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		b.Fatalf("play %s: %v", path, err)
	}
	r := new(report.Report)
	if err := json.Unmarshal(out, r); err != nil {
		b.Fatalf("the report of %s: %v", path, err)
	}
	for _, failed := range r.Failed {
		b.Error(failed)
	}
	return r
}

// tale is a story in a file.
func tale(b *testing.B, text string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "tale.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// spentOn reports what a run took. On a machine that does much else the CPU says what its real time would be.
func spentOn(b *testing.B, r *report.Report, real, gigabytes figure.Bound) {
	b.Helper()
	figure.Report(b, "real", r.Real.Seconds(), "s", real)
	figure.Report(b, "cpu", r.CPU.Seconds(), "s", figure.None)
	figure.Report(b, "peak-memory", float64(r.Memory)/1e9, "GB", gigabytes)
	if r.Possible > 0 {
		figure.Report(b, "of-the-oracle", float64(r.Deliveries)/float64(r.Possible), "x", figure.AtLeast(0.99))
		figure.Report(b, "median", r.Latency.P50.Seconds(), "s", figure.None)
		figure.Report(b, "oracle-median", r.Oracle.P50.Seconds(), "s", figure.None)
	}
}

// BenchmarkSquare plays the square of 300 phones that ships: a virtual hour, in five minutes of two cores.
func BenchmarkSquare(b *testing.B) {
	program := crowdsim(b)
	for b.Loop() {
		spentOn(b, playStory(b, program, "../crowd/testdata/square.txt"), figure.AtMost(300), figure.AtMost(4))
	}
}

// BenchmarkConference plays two days of a real conference, 403 nodes, in ten minutes of two cores.
func BenchmarkConference(b *testing.B) {
	if os.Getenv("LONGEAR_SFHH") == "" {
		b.Skip("SKIPPED: LONGEAR_SFHH does not name SFHH_tij.dat.gz")
	}
	program := crowdsim(b)
	for b.Loop() {
		spentOn(b, playStory(b, program, "../crowd/testdata/sfhh.txt"), figure.AtMost(600), figure.None)
	}
}

// BenchmarkCrowdAlone is what nodes cost that have nobody near: the memory of 500, and an hour of 100. Each is a whole node with
// a store and a host, and takes part: it has a message of its own.
func BenchmarkCrowdAlone(b *testing.B) {
	const alone = "nodes %d\nstand crowd 900000m x 900000m range 1m\npublish n0 \"water at gate 4\"\nadvance %s\n"
	for _, c := range []struct {
		name, story string
		cpu, memory figure.Bound // seconds; GiB
	}{
		{"500-for-a-minute", fmt.Sprintf(alone, 500, "1m"), figure.None, figure.AtMost(1)},
		{"100-for-an-hour", fmt.Sprintf(alone, 100, "1h"), figure.AtMost(10), figure.None},
	} {
		b.Run(c.name, func(b *testing.B) {
			program, path := crowdsim(b), tale(b, c.story)
			for b.Loop() {
				r := playStory(b, program, path)
				if r.Contacts != 0 || r.Messages != 1 {
					b.Fatalf("%d contacts, %d messages: they are not alone", r.Contacts, r.Messages)
				}
				figure.Report(b, "cpu", r.CPU.Seconds(), "s", c.cpu)
				figure.Report(b, "real", r.Real.Seconds(), "s", figure.None)
				figure.Report(b, "peak-memory", float64(r.Memory)/(1<<30), "GiB", c.memory)
				figure.Report(b, "peak-memory-a-node", float64(r.Memory)/float64(r.Nodes)/(1<<20), "MiB", figure.None)
			}
		})
	}
}
