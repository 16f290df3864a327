//go:build linux

package radio_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// only plays some cases, for work on one: -cases two-meet,walker.
var only = flag.String("cases", "", "play these cases only, separated by commas")

// A virtual is one start of a virtual machine. There are as many as the smallest machines of today have cores, with the cases
// shared so that they end together.
type virtual struct {
	name  string
	cases []string
}

var machines = []virtual{
	{"one", strings.Fields("hub-crowd supplicant-dies supplicant-absent dbus-gone interface-gone killed no-rights two-on-one-radio " +
		"networkmanager second-radio")},
	{"two", strings.Fields("two-meet without-dbus takeover lossy plain-phone walker hub-full refused foreign-group link-local-only")},
}

func TestRadio(t *testing.T) {
	if testing.Short() {
		t.Skip("boots virtual machines")
	}
	need(t)
	x, err := fetch()
	if err != nil {
		lack(t, fmt.Sprintf("packages cannot be fetched: %v", err))
	}
	initrd := filepath.Join(t.TempDir(), "initrd")
	if err := image(x, initrd); err != nil {
		t.Fatal(err)
	}
	kernels, _ := filepath.Glob(x + "/boot/vmlinuz-*")
	if len(kernels) != 1 {
		t.Fatalf("kernels: %v", kernels)
	}
	var wg sync.WaitGroup
	ended := make([]ending, len(machines))
	for i, v := range machines {
		if *only != "" {
			v.cases = slices.DeleteFunc(v.cases, func(c string) bool { return !strings.Contains(","+*only+",", ","+c+",") })
			machines[i] = v
		}
		if len(v.cases) > 0 {
			wg.Go(func() { ended[i] = boot(t.Context(), v, kernels[0], initrd) })
		}
	}
	wg.Wait()
	for i, v := range machines {
		ended[i].judge(t, v)
	}
}

// need skips where the rig cannot work, unless CI promises that it can.
func need(t *testing.T) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("SKIPPED: the virtual machine is an amd64 one, made of this machine's own programs")
	}
	for _, p := range append([]string{"qemu-system-x86_64", "cpio", "modprobe", "depmod", "dpkg", "apt-get", "ldd"}, programs...) {
		if _, err := shell(".", "sh", "-c", "command -v "+p); err != nil {
			lack(t, "there is no "+p+"; .ci/packages installs it on Debian")
		}
	}
	if can, err := shell(".", "qemu-system-x86_64", "-accel", "help"); err != nil || !strings.Contains(can, "tcg") {
		lack(t, fmt.Sprintf("this QEMU cannot emulate in software: %q, %v", can, err))
	}
}

func lack(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		t.Fatal("the rig must work in CI: " + why)
	}
	fmt.Fprintln(os.Stderr, "SKIPPING test/radio:", why)
	t.Skip("SKIPPED: " + why)
}

// limit is for a machine that does much else besides. It is no bound of a case: those go by the virtual machine's clock.
const limit = 28 * time.Minute

// An ending is what a virtual machine left.
type ending struct {
	err     error
	results map[string]string
	said    []string
	took    time.Duration // by this machine's clock
	boot    float64       // seconds of a core, as busy is
	busy    float64
}

// boot plays cases in a virtual machine.
//
// It is emulated in software on purpose: /dev/kvm may be there and still not run a stock kernel. And its clock counts
// instructions, two nanoseconds each (icount shift=1), and jumps ahead while all of it waits (sleep=off). So waiting costs
// nothing; and however busy this machine is, the one inside sees the same processor, about as fast as a cheap phone's, and the ten
// seconds that wpa_supplicant gives a group to form are always as long.
func boot(ctx context.Context, v virtual, kernel, initrd string) (e ending) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	qemu := exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg", "-icount", "shift=1,sleep=off", "-rtc", "clock=vm", "-cpu", "max", "-smp", "1", "-m", "1536",
		"-nic", "none", "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initrd,
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off rig.radios=10 rig.cases="+strings.Join(v.cases, ","))
	console, err := qemu.StdoutPipe()
	if err != nil {
		return ending{err: err}
	}
	// Kept beside the packages, to be read while it is written.
	keep, err := os.Create(filepath.Join(cache, v.name+".log"))
	if err != nil {
		return ending{err: err}
	}
	defer keep.Close()
	qemu.WaitDelay = 5 * time.Second
	if err := qemu.Start(); err != nil {
		return ending{err: err}
	}
	e.read(io.TeeReader(console, keep), qemu.Process.Pid)
	e.err = qemu.Wait()
	e.took, e.busy = time.Since(began), (qemu.ProcessState.UserTime() + qemu.ProcessState.SystemTime()).Seconds()
	return e
}

// judge makes each case a test.
func (e *ending) judge(t *testing.T, v virtual) {
	if len(v.cases) == 0 {
		return
	}
	load, _ := os.ReadFile("/proc/loadavg")
	t.Logf("machine %s: %.0f s, and %.0f s of a core, %.0f s of them to boot; load here, with %d cores: %s", v.name, e.took.Seconds(), e.busy, e.boot, runtime.NumCPU(), load)
	for _, name := range v.cases {
		t.Run(name, func(t *testing.T) {
			line, ok := e.results[name]
			switch {
			case !ok:
				t.Errorf("it was not played to the end (%v)", e.err)
			case strings.HasPrefix(line, "ok "):
				t.Log(line)
			default:
				t.Error(line)
			}
		})
	}
	if t.Failed() {
		t.Logf("the virtual machine said:\n%s", strings.Join(e.said[max(0, len(e.said)-200):], "\n"))
	}
}

// read collects how each case ended, and how long a core here was busy with it.
func (e *ending) read(console io.Reader, pid int) {
	e.results = map[string]string{}
	last := 0.0
	in := bufio.NewScanner(console)
	for in.Scan() {
		line := strings.TrimRight(in.Text(), "\r")
		e.said = append(e.said, line)
		if !strings.HasPrefix(line, "radio ") {
			continue
		}
		if strings.HasSuffix(line, " up") {
			last = spent(pid)
			e.boot = last
		}
		if _, rest, ok := strings.Cut(line, " case "); ok {
			name, how, _ := strings.Cut(rest, " ")
			now := spent(pid)
			e.results[name] = fmt.Sprintf("%s; %.1f s of a core here", how, now-last)
			last = now
		}
	}
}

// spent is how many seconds of a core a process of this machine has had.
func spent(pid int) (s float64) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	f := strings.Fields(rest)
	for i := 11; i < 13 && i < len(f); i++ { // user and system time, in hundredths
		ticks, _ := strconv.ParseFloat(f[i], 64)
		s += ticks / 100
	}
	return s
}
