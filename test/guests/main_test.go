//go:build linux

package guests_test

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
	var err error
	if run, err = rig.Start("leh"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer run.End()
	if run.Lacking == "" {
		if err := os.Chmod(run.Dir, 0o711); err != nil { // one test runs the program as nobody
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// need skips a test where the rig cannot work.
func need(t testing.TB) {
	t.Helper()
	run.Need(t)
}
