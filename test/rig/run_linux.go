package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Run is one run of a rig whose nodes live in network namespaces. All that it makes on the machine, namespaces and folders, is named
// Name + ".…", so that what a killed run left behind can be told from what a running one uses.
type Run struct {
	Name    string // prefix + the run's process ID
	Dir     string // removed at the end
	Program string // the longear under test
	Lacking string // why the rig cannot work here, "" if it can
	prefix  string
}

// Start removes what dead runs left behind, makes a folder and builds longear, unless something is lacking. The prefix has no digit at its
// end.
func Start(prefix string) (*Run, error) {
	r := &Run{Name: prefix + strconv.Itoa(os.Getpid()), prefix: prefix}
	if r.Lacking = r.missing(); r.Lacking != "" {
		fmt.Fprintln(os.Stderr, "SKIPPING:", r.Lacking)
		return r, nil
	}
	r.sweep()
	var err error
	// Short, because the path of a Unix socket has little room, and on disk, because kill -9 is tried.
	if r.Dir, err = os.MkdirTemp("", r.Name+"."); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	r.Program = filepath.Join(r.Dir, "longear")
	if out, err := exec.Command("go", "build", "-o", r.Program, "longear/cmd/longear").CombinedOutput(); err != nil {
		r.End()
		return nil, fmt.Errorf("build longear: %w\n%s", err, out)
	}
	return r, nil
}

// End removes all that the run made.
func (r *Run) End() {
	if r.Lacking != "" {
		return
	}
	RemoveNamespaces(r.Name + ".")
	os.RemoveAll(r.Dir)
}

// Need skips a test where the rig cannot work, unless CI promises that it can.
func (r *Run) Need(t testing.TB) {
	t.Helper()
	switch {
	case r.Lacking == "":
	case os.Getenv("CI") == "true" && os.Geteuid() == 0:
		t.Fatal("the rig must work in CI: " + r.Lacking)
	default:
		t.Skip("SKIPPED: " + r.Lacking)
	}
}

// missing says what the rig needs and does not have.
func (r *Run) missing() string {
	if os.Geteuid() != 0 {
		return "network namespaces need root; run it as root"
	}
	if _, err := exec.LookPath("ip"); err != nil {
		return "there is no ip command; install iproute2"
	}
	probe := r.Name + ".probe"
	defer RemoveNamespaces(probe)
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

// sweep removes what runs left behind that did not live to clean up.
func (r *Run) sweep() {
	for _, dir := range []string{"/run/netns", os.TempDir()} {
		found, _ := filepath.Glob(filepath.Join(dir, r.prefix+"[0-9]*.*"))
		for _, path := range found {
			pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), r.prefix), ".")
			n, err := strconv.Atoi(pid)
			if err != nil || syscall.Kill(n, 0) == nil {
				continue
			}
			if dir == "/run/netns" {
				RemoveNamespaces(filepath.Base(path))
			} else {
				os.RemoveAll(path)
			}
		}
	}
}

// RemoveNamespaces removes the namespaces whose names begin so, with the processes in them: only ours can be there.
func RemoveNamespaces(begin string) {
	found, _ := filepath.Glob(filepath.Join("/run/netns", begin+"*"))
	for _, path := range found {
		name := filepath.Base(path)
		pids, _ := exec.Command("ip", "netns", "pids", name).Output()
		for pid := range strings.FieldsSeq(string(pids)) {
			if n, err := strconv.Atoi(pid); err == nil && n != os.Getpid() {
				_ = syscall.Kill(n, syscall.SIGKILL)
			}
		}
		if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "remove namespace %s: %v %s\n", name, err, out)
		}
	}
}
