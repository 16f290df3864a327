//go:build linux

package hosts_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"longear/test/rig"
)

// run is what this run of the rig made on the machine.
var run *rig.Run

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(play(m))
}

func play(m *testing.M) int {
	// The tests wait far more than they compute; the default of one per core would take minutes longer.
	err := flag.Set("test.parallel", "16")
	if err == nil {
		run, err = rig.Start("longear-hosts-")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer run.End()
	return m.Run()
}

// need skips a test where the rig cannot work.
func need(t *testing.T) {
	t.Helper()
	run.Need(t)
}
