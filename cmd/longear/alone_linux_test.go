package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// insideNetwork tells a test process that it has a network of its own.
const insideNetwork = "LONGEAR_TEST_INSIDE=1"

// aloneOnNetwork runs a test again in a process with a loopback of its own, so that its nodes meet no others that happen to run
// on this machine, and reports whether it did. It does not where the system forbids it to this user.
func aloneOnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv("LONGEAR_TEST_INSIDE") != "" {
		if err := loopbackUp(); err != nil {
			t.Fatal(err)
		}
		return false
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideNetwork)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if _, ran := errors.AsType[*exec.ExitError](err); err != nil && !ran {
		t.Logf("no network of its own: %v", err)
		return false
	}
	if err != nil {
		t.Fatalf("%s", out)
	}
	return true
}

func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo)
}
