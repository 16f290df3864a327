//go:build linux

package guests_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"longear/test/rig"
)

// hubAddr is every hub's.
const hubAddr = "192.168.49.1"

// A place is one hub with the air around it: a bridge in a namespace of its own. Places cannot reach each other.
type place struct {
	t      testing.TB
	name   string
	home   string
	hub    string // namespace of the hub, whose Wi-Fi is wlan0
	air    string // namespace of the bridge
	phones int

	cmd   *exec.Cmd
	said  *rig.Output
	ended chan struct{}
}

var places atomic.Int64

// newPlace makes the air and a machine in it, on which nothing runs yet.
func newPlace(t testing.TB) *place {
	t.Helper()
	need(t)
	n := places.Add(1)
	p := &place{t: t, name: fmt.Sprintf("%s.%d.", run.Name, n), home: filepath.Join(run.Dir, fmt.Sprint(n))}
	p.hub, p.air = p.name+"hub", p.name+"air"
	t.Cleanup(func() {
		rig.RemoveNamespaces(p.name)
		os.RemoveAll(p.home)
	})
	for _, ns := range []string{p.hub, p.air} {
		ip(t, "netns add %s", ns)
		ip(t, "-n %s link set lo up", ns)
	}
	ip(t, "-n %s link add br0 type bridge mcast_snooping 0", p.air)
	ip(t, "-n %s link set br0 up", p.air)
	p.radio()
	return p
}

// radio makes the hub's Wi-Fi interface, each time with the same hardware address, as a stick has.
func (p *place) radio() {
	p.t.Helper()
	ip(p.t, "link add wlan0 netns %s address 02:00:00:00:00:01 type veth peer name ap netns %s", p.hub, p.air)
	ip(p.t, "-n %s link set ap master br0 up", p.air)
	ip(p.t, "-n %s link set wlan0 up", p.hub)
}

// ip runs one ip command, written as on a command line.
func ip(t testing.TB, format string, args ...any) string {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", line, err, out)
	}
	return string(out)
}

// command is longear on the hub's machine.
func (p *place) command(verb string, args ...string) *exec.Cmd {
	args = append([]string{"netns", "exec", p.hub, run.Program, verb, "--home", p.home}, args...)
	cmd := exec.Command("ip", args...) // replaces itself by longear: the process ID is longear's
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LONGEAR_") })
	return cmd
}

// start runs the hub and waits until phones are served.
func (p *place) start(flags ...string) {
	p.t.Helper()
	p.said, p.ended = &rig.Output{}, make(chan struct{})
	p.cmd = p.command("hub", append([]string{
		"--wifi", "wlan0", "--name", "north gate", "--guest-forms", "--no-mdns", "--no-beacon", "--no-gateway",
	}, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	cmd, ended := p.cmd, p.ended
	go func() {
		cmd.Wait() // how it ended is for those to judge who ended it
		close(ended)
	}()
	p.t.Cleanup(func() {
		p.kill()
		if p.t.Failed() {
			p.t.Logf("the hub said:\n%.4000s", p.said)
		}
	})
	p.await("wifi wlan0: phones are served", 1)
	p.await("listening ", 1)
}

// await waits until the hub has said something so many times.
func (p *place) await(text string, times int) {
	p.t.Helper()
	eventually(p.t, 30*time.Second, "the hub to say "+text, func() bool {
		select {
		case <-p.ended:
			p.t.Fatalf("the hub ended: %s", p.said)
		default:
		}
		return strings.Count(p.said.String(), text) >= times
	})
}

// kill ends the hub as a dead battery does.
func (p *place) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// stop ends the hub as Ctrl-C does.
func (p *place) stop() {
	p.t.Helper()
	p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		p.t.Fatalf("the hub does not stop: %s", p.said)
	}
}

// inside runs f with a namespace's networks in place of our own. A socket made by f stays on them.
func inside(ns string, f func() error) error {
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer own.Close()
	theirs, err := os.Open("/run/netns/" + ns)
	if err != nil {
		return err
	}
	defer theirs.Close()
	if err := unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = f()
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		return back // the thread stays locked, so that it dies with this goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// pause lets real time pass: the hub is another process with a clock of its own.
func pause(t testing.TB, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
}

// eventually waits until ok says so, and returns how long that took.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
		pause(t, 50*time.Millisecond)
	}
	return time.Since(start)
}
