//go:build linux

package guests_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// All that a run makes on the machine is named prefix + the run's process ID + ".…", so that what a killed run left behind can be told
// from what a running one uses.
const prefix = "leh"

// The run's own things.
var (
	runName = prefix + strconv.Itoa(os.Getpid())
	runDir  string // homes of the hubs, removed at the end
	program string // the longear under test
	lacking string // why the rig cannot work here, "" if it can
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if lacking = missing(); lacking != "" {
		fmt.Fprintln(os.Stderr, "SKIPPING test/guests:", lacking)
		return m.Run()
	}
	sweep()
	defer removeNamespaces(runName + ".")
	var err error
	// Short, because the path of a Unix socket has little room.
	if runDir, err = os.MkdirTemp("", runName+"."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(runDir)
	program = filepath.Join(runDir, "longear")
	build := exec.Command("go", "build", "-o", program, "longear/cmd/longear")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build longear:", err)
		return 1
	}
	if os.Chmod(runDir, 0o711) != nil { // one test runs the program as nobody
		return 1
	}
	return m.Run()
}

// missing says what the rig needs and does not have.
func missing() string {
	if os.Geteuid() != 0 {
		return "network namespaces need root; run it as root"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return "there is no ip command; install iproute2"
	}
	probe := runName + ".probe"
	defer removeNamespaces(probe)
	for _, args := range []string{
		"netns add " + probe,
		"-n " + probe + " link add br0 type bridge",
		"-n " + probe + " link add left type veth peer name right",
	} {
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return fmt.Sprintf("the kernel refuses: ip %s: %v %s", args, err, bytes.TrimSpace(out))
		}
	}
	return ""
}

// need skips a test where the rig cannot work, unless CI promises that it can.
func need(t testing.TB) {
	t.Helper()
	switch {
	case lacking == "":
	case os.Getenv("CI") == "true" && os.Geteuid() == 0:
		t.Fatal("the rig must work in CI: " + lacking)
	default:
		t.Skip("SKIPPED: " + lacking)
	}
}

// sweep removes what runs left behind that did not live to clean up.
func sweep() {
	for _, dir := range []string{"/run/netns", os.TempDir()} {
		found, _ := filepath.Glob(filepath.Join(dir, prefix+"[0-9]*.*"))
		for _, path := range found {
			pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), prefix), ".")
			n, err := strconv.Atoi(pid)
			if err != nil || syscall.Kill(n, 0) == nil {
				continue
			}
			if dir == "/run/netns" {
				removeNamespaces(filepath.Base(path))
			} else {
				os.RemoveAll(path)
			}
		}
	}
}

// removeNamespaces removes the namespaces whose names begin so, with the processes in them: only ours can be there.
func removeNamespaces(begin string) {
	found, _ := filepath.Glob(filepath.Join("/run/netns", begin+"*"))
	for _, path := range found {
		name := filepath.Base(path)
		pids, _ := exec.Command("ip", "netns", "pids", name).Output()
		for pid := range strings.FieldsSeq(string(pids)) {
			if n, err := strconv.Atoi(pid); err == nil && n != os.Getpid() {
				syscall.Kill(n, syscall.SIGKILL)
			}
		}
		if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "remove namespace %s: %v %s\n", name, err, out)
		}
	}
}
