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
	"strings"
	"testing"
	"time"
)

// only plays some cases, for work on one: -cases two-meet,walker.
var only = flag.String("cases", "", "play these cases only, separated by commas")

// A run is one start of the virtual machine.
type virtual struct {
	name   string
	radios int
	memory int // MiB
	limit  time.Duration
	cases  []string
}

var runs = []virtual{
	{"linux", 10, 2048, 10 * time.Minute, strings.Fields(
		"two-meet walker without-dbus takeover plain-phone lossy hub-full refused foreign-group networkmanager hub-crowd " +
			"supplicant-dies supplicant-absent dbus-gone interface-gone killed no-rights link-local-only two-on-one-radio")},
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
	initrd := filepath.Join(t.TempDir(), "initrd.gz")
	if err := image(x, initrd); err != nil {
		t.Fatal(err)
	}
	kernels, _ := filepath.Glob(x + "/boot/vmlinuz-*")
	if len(kernels) != 1 {
		t.Fatalf("kernels: %v", kernels)
	}
	for _, r := range runs {
		names := r.cases
		if *only != "" {
			names = nil
			for _, c := range r.cases {
				if strings.Contains(","+*only+",", ","+c+",") {
					names = append(names, c)
				}
			}
		}
		if len(names) > 0 {
			t.Run(r.name, func(t *testing.T) { boot(t, r, names, kernels[0], initrd) })
		}
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
}

func lack(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" && os.Geteuid() == 0 {
		t.Fatal("the rig must work in CI: " + why)
	}
	fmt.Fprintln(os.Stderr, "SKIPPING test/radio:", why)
	t.Skip("SKIPPED: " + why)
}

// boot plays cases in a virtual machine, each as a test of its own.
func boot(t *testing.T, r virtual, cases []string, kernel, initrd string) {
	ctx, cancel := context.WithTimeout(t.Context(), r.limit)
	defer cancel()
	// Software emulation on purpose: /dev/kvm may be there and still not run a stock kernel. And ahead of whatever else this machine
	// does, if it may: wpa_supplicant gives a group ten seconds to form.
	qemu := exec.CommandContext(ctx, "nice", "-n", "-10", "qemu-system-x86_64",
		"-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", fmt.Sprint(r.memory), "-nic", "none", "-nographic", "-no-reboot",
		"-kernel", kernel, "-initrd", initrd,
		"-append", fmt.Sprintf("console=ttyS0 quiet panic=-1 rig.radios=%d rig.cases=%s", r.radios, strings.Join(cases, ",")))
	console, err := qemu.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// Kept beside the packages, to be read while it is written.
	keep, err := os.Create(filepath.Join(cache, r.name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer keep.Close()
	qemu.WaitDelay = 5 * time.Second
	if err := qemu.Start(); err != nil {
		t.Fatal(err)
	}
	results, said := read(io.TeeReader(console, keep))
	err = qemu.Wait()
	for _, name := range cases {
		t.Run(name, func(t *testing.T) {
			line, ok := results[name]
			switch {
			case !ok:
				t.Errorf("it was not played to the end (%v)", err)
			case strings.HasPrefix(line, "ok "):
				t.Log(line)
			default:
				t.Error(line)
			}
		})
	}
	if t.Failed() {
		// An emulated machine that gets half a core is four times slower, and then the ten seconds of wpa_supplicant are too few.
		load, _ := os.ReadFile("/proc/loadavg")
		t.Logf("load of this machine, with %d cores: %s", runtime.NumCPU(), load)
		t.Logf("the virtual machine said:\n%s", strings.Join(said[max(0, len(said)-200):], "\n"))
	}
}

// read collects how each case ended.
func read(console io.Reader) (results map[string]string, said []string) {
	results = map[string]string{}
	in := bufio.NewScanner(console)
	for in.Scan() {
		line := strings.TrimRight(in.Text(), "\r")
		said = append(said, line)
		if _, rest, ok := strings.Cut(line, " case "); ok && strings.HasPrefix(line, "radio ") {
			name, how, _ := strings.Cut(rest, " ")
			results[name] = how
		}
	}
	return results, said
}
