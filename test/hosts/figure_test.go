//go:build linux

package hosts_test

import (
	"encoding/json"
	"os"
	"slices"
	"sync"
	"testing"
	"time"
)

// figures guards the file that LONGEAR_FIGURES names.
var figures sync.Mutex

// figure notes what was measured.
func figure(t *testing.T, name string, value float64, unit string) {
	t.Helper()
	t.Logf("figure %s %.4g %s", name, value, unit)
	path := os.Getenv("LONGEAR_FIGURES")
	if path == "" {
		return
	}
	b, err := json.Marshal(struct {
		Test  string  `json:"test"`
		Name  string  `json:"name"`
		Value float64 `json:"value"`
		Unit  string  `json:"unit"`
	}{t.Name(), name, value, unit})
	if err != nil {
		t.Fatal(err)
	}
	figures.Lock()
	defer figures.Unlock()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(append(b, '\n'))
	if closed := f.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
}

// seconds notes a duration and fails the test if it is over the bound.
func seconds(t *testing.T, name string, took, bound time.Duration) {
	t.Helper()
	figure(t, name, took.Seconds(), "s")
	if took > bound {
		t.Errorf("%s took %v, over %v", name, took, bound)
	}
}

// median is the middle of an odd number of samples.
func median(samples []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(samples))[len(samples)/2]
}
