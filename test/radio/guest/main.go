//go:build linux

// Command guest is the first program of the rig's virtual machine: it makes simulated radios, one small machine in a network
// namespace for each, plays the cases that the kernel's command line names, and says how each ended on the console.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 || filepath.Base(os.Args[0]) == "lease" {
		if err := errand(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	defer powerOff()
	if err := boot(); err != nil {
		say("boot: %v", err)
		return
	}
	say("up")
	play()
}

// errand is what this program is run for by itself, in a machine's namespace.
func errand() error {
	switch words := os.Args[1:]; {
	case filepath.Base(os.Args[0]) == "lease":
		return lease()
	case words[0] == "write" && len(words) == 3:
		return write(words[1], words[2])
	case words[0] == "as" && len(words) > 3:
		return as(words[1], words[2], words[3:])
	case words[0] == "without-udev" && len(words) > 1:
		return withoutUdev(words[1:])
	case words[0] == "phone" && len(words) == 3:
		return visit(words[1], words[2])
	case words[0] == "reach" && len(words) == 2:
		return reach(words[1])
	}
	return fmt.Errorf("what is %q?", os.Args[1:])
}

// as becomes another user, with a group or without (0), and then another program.
func as(uid, group string, words []string) error {
	u, err := strconv.Atoi(uid)
	if err != nil {
		return err
	}
	g, err := strconv.Atoi(group)
	if err != nil {
		return err
	}
	groups := []int{}
	if g != 0 {
		groups = append(groups, g)
	}
	if err := errors.Join(syscall.Setgroups(groups), syscall.Setgid(u), syscall.Setuid(u)); err != nil {
		return err
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, words, os.Environ())
}

// withoutUdev becomes a program that waits for udev unless /sys is read-only, as it is in containers. The mount is this process's.
func withoutUdev(words []string) error {
	if err := syscall.Mount("", "/sys", "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		return err
	}
	return syscall.Exec(words[0], words, os.Environ())
}

// write puts a value into the one file that a pattern names.
func write(value, pattern string) error {
	found, _ := filepath.Glob(pattern)
	if len(found) != 1 {
		return fmt.Errorf("%s: %d files", pattern, len(found))
	}
	return os.WriteFile(found[0], []byte(value), 0o644)
}

func powerOff() {
	say("end")
	syscall.Sync()
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

// say prints a line for the rig.
func say(format string, args ...any) {
	fmt.Printf("radio %8.2f %s\n", uptime(), fmt.Sprintf(format, args...))
}

// uptime is how long this machine is up, and idled how long of that it had nothing to do, in seconds.
func uptime() float64 { return since(0) }

func idled() float64 { return since(1) }

func since(i int) float64 {
	b, _ := os.ReadFile("/proc/uptime")
	s, _ := strconv.ParseFloat(strings.Fields(string(b))[i], 64)
	return s
}

// boot brings up what a kernel needs that has nothing but this program.
func boot() error {
	os.Setenv("PATH", "/sbin:/bin")
	for _, m := range []struct{ kind, at string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/run"}, {"tmpfs", "/tmp"}, {"debugfs", "/sys/kernel/debug"},
	} {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil && m.kind != "devtmpfs" {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	_ = os.Chmod("/tmp", 0o777)
	list, err := os.ReadFile("/modules/order")
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(list)) {
		params := ""
		if name == "mac80211_hwsim.ko" {
			params = "radios=" + option("radios", "3") + " channels=" + option("channels", "1")
		}
		if err := load("/modules/"+name, params); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	return run("ip", "link", "set", "lo", "up")
}

func load(path, params string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := syscall.BytePtrFromString(params)
	if err != nil {
		return err
	}
	const finitModule = 313
	if _, _, e := syscall.Syscall(finitModule, f.Fd(), uintptr(ptr(p)), 0); e != 0 && e != syscall.EEXIST {
		return e
	}
	return nil
}

// option reads rig.NAME=VALUE of the kernel's command line.
func option(name, otherwise string) string {
	b, _ := os.ReadFile("/proc/cmdline")
	for word := range strings.FieldsSeq(string(b)) {
		if v, ok := strings.CutPrefix(word, "rig."+name+"="); ok {
			return v
		}
	}
	return otherwise
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// play runs the cases one after the other: whoever waits costs nothing here (see the rig), and the next one is not disturbed.
func play() {
	names := strings.Split(option("cases", ""), ",")
	for _, c := range stories {
		if slices.Contains(names, c.name) {
			(&world{name: c.name}).one(c)
		}
	}
}

// one plays a case and prints its line.
func (w *world) one(c story) {
	start, idle := time.Now(), idled()
	defer w.clear()
	defer func() {
		took := time.Since(start).Seconds()
		w.note("%.1f s idle", idled()-idle)
		switch r := recover().(type) {
		case nil:
			say("case %s ok (%.1f s) %s", c.name, took, strings.Join(w.noted, "; "))
		case failure:
			w.dump()
			say("case %s FAIL (%.1f s) %s; %s", c.name, took, string(r), strings.Join(w.noted, "; "))
		default:
			say("case %s FAIL (%.1f s) panic: %v\n%s", c.name, took, r, debug.Stack())
		}
	}()
	c.play(w)
	w.checkSecrets()
}
