//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"longear/node/api"
	"longear/node/discovery"
	"longear/test/rig"
)

// story is one case.
type story struct {
	name string
	play func(*world)
}

// failure ends a case.
type failure string

// world is the machines of one case.
type world struct {
	name  string
	boxes []*box
	noted []string
}

func (w *world) fail(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// note adds a figure to the case's line.
func (w *world) note(format string, args ...any) {
	w.noted = append(w.noted, fmt.Sprintf(format, args...))
}

// within waits for something and returns how long that took.
func (w *world) within(limit time.Duration, what string, ok func() bool) time.Duration {
	start := time.Now()
	for !ok() {
		if time.Since(start) > limit {
			w.fail("not within %v: %s", limit, what)
		}
		time.Sleep(500 * time.Millisecond)
	}
	return time.Since(start)
}

// box is a machine: a namespace with a radio, its own D-Bus and wpa_supplicant, and a longear.
type box struct {
	w       *world
	i       int
	ns, dir string
	wlan    string
	procs   map[string]*exec.Cmd // by name
	log     *rig.Output          // of longear
	after   func()               // puts the machine back as it was
	as      []string             // words before longear, to run it as another user
	control string               // folder of control sockets that longear is told; "" is the machine's
	socket  bool                 // no D-Bus: wpa_supplicant on its control socket
}

// made are the namespaces that exist: radios stay in theirs from case to case.
var made = struct {
	sync.Mutex
	is map[int]bool
}{is: map[int]bool{}}

// room makes a namespace with radio i in it, once.
func (b *box) room() error {
	made.Lock()
	defer made.Unlock()
	if made.is[b.i] {
		return nil
	}
	made.is[b.i] = true
	if err := run("ip", "netns", "add", b.ns); err != nil {
		return err
	}
	if err := run("iw", "phy", fmt.Sprintf("phy%d", b.i), "set", "netns", "name", b.ns); err != nil {
		return err
	}
	return run("ip", "-n", b.ns, "link", "set", "lo", "up")
}

// box brings machine i up, with everything but longear.
func (w *world) box(i int) *box {
	b := w.bare(i)
	b.startBus()
	b.startSupplicant()
	return b
}

// bare is a machine with a radio and no program.
func (w *world) bare(i int) *box {
	b := &box{
		w: w, i: i, ns: fmt.Sprintf("n%d", i), wlan: fmt.Sprintf("wlan%d", i),
		dir: fmt.Sprintf("/run/n%d", i), procs: map[string]*exec.Cmd{}, log: &rig.Output{},
	}
	w.boxes = append(w.boxes, b)
	os.RemoveAll(b.dir)
	must(w, os.MkdirAll(b.dir, 0o755))
	must(w, b.room())
	_ = run("ip", "-n", b.ns, "addr", "flush", "dev", b.wlan) // what an earlier case's phone was given
	b.place(0)
	b.block(false)
	return b
}

func must(w *world, err error) {
	if err != nil {
		w.fail("%v", err)
	}
}

// clear ends everything of a case.
func (w *world) clear() {
	for _, b := range w.boxes {
		for _, name := range []string{"longear", "watch", "second", "supplicant", "manager", "bus"} {
			b.kill(name)
		}
		if b.after != nil {
			b.after()
		}
		for _, dev := range b.groups() {
			_ = run("ip", "netns", "exec", b.ns, "iw", "dev", dev, "del")
		}
		os.RemoveAll(b.dir)
	}
}

// start runs a program of the machine in its namespace.
func (b *box) start(name string, out io.Writer, words ...string) *exec.Cmd {
	cmd := exec.Command("ip", append([]string{"netns", "exec", b.ns}, words...)...)
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+b.dir+"/bus")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		b.w.fail("start %s: %v", name, err)
	}
	b.procs[name] = cmd
	return cmd
}

// kill ends a program as a dead battery does.
func (b *box) kill(name string) {
	if cmd := b.procs[name]; cmd != nil {
		delete(b.procs, name)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// stop ends a program as Ctrl-C does.
func (b *box) stop(name string) {
	if cmd := b.procs[name]; cmd != nil {
		delete(b.procs, name)
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
	}
}

func (b *box) logFile(name string) *os.File {
	f, err := os.OpenFile(b.dir+"/"+name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	must(b.w, err)
	return f
}

func (b *box) startBus() {
	conf, err := os.ReadFile("/etc/bus.conf")
	must(b.w, err)
	must(b.w, os.WriteFile(b.dir+"/bus.conf", bytes.ReplaceAll(conf, []byte("@BUS@"), []byte(b.dir+"/bus")), 0o644))
	os.Remove(b.dir + "/bus")
	b.start("bus", b.logFile("bus"), "dbus-daemon", "--config-file="+b.dir+"/bus.conf", "--nofork", "--nopidfile")
	b.w.within(10*time.Second, "D-Bus is up", func() bool { _, err := os.Stat(b.dir + "/bus"); return err == nil })
}

// startSupplicant runs wpa_supplicant as Debian's service does, or for the control socket as small machines do.
func (b *box) startSupplicant() {
	words := []string{"wpa_supplicant", "-u", "-t", "-O", "DIR=" + b.dir + "/ctrl GROUP=netdev", "-f", b.dir + "/wpa.log"}
	if b.socket {
		must(b.w, os.WriteFile(b.dir+"/wpa.conf", []byte("ctrl_interface=DIR="+b.dir+"/ctrl GROUP=netdev\n"), 0o644))
		words = []string{"wpa_supplicant", "-t", "-Dnl80211", "-i", b.wlan, "-c", b.dir + "/wpa.conf", "-f", b.dir + "/wpa.log"}
	}
	b.start("supplicant", b.logFile("supplicant"), words...)
	if !b.socket {
		// The service is there when it owns its name; longear waits for that by itself.
		return
	}
	b.w.within(10*time.Second, "the control socket is there", func() bool { _, err := os.Stat(b.dir + "/ctrl/" + b.wlan); return err == nil })
}

// relay runs longear relay on the machine's radio.
func (b *box) relay(flags ...string) { b.longear("relay", flags...) }

// longear runs a verb that runs a node.
func (b *box) longear(verb string, flags ...string) {
	words := append(b.as, "longear", verb, "--home", b.dir+"/home", "--log-level", "debug", "--wifi-direct", b.wlan)
	words = append(words, flags...)
	words = append(words, "--wifi-direct-control", cmp.Or(b.control, b.dir+"/ctrl"))
	b.start("longear", b.log, words...)
	b.w.within(60*time.Second, b.ns+" listens", func() bool { return strings.Contains(b.log.String(), "listening ") })
}

// try calls a verb of longear on the machine.
func (b *box) try(verb string, args ...string) (string, error) {
	words := append([]string{"netns", "exec", b.ns, "longear", verb, "--home", b.dir + "/home"}, args...)
	cmd := exec.Command("ip", words...)
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+b.dir+"/bus")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: longear %s: %w: %s", b.ns, verb, err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

func (b *box) must(verb string, args ...string) string {
	out, err := b.try(verb, args...)
	must(b.w, err)
	return out
}

// send writes a message and returns its ID.
func (b *box) send(text string) string { return strings.TrimSpace(b.must("send", "#all", text)) }

// ask asks the machine's node by its API: starting the program for each look would cost an emulated machine too much.
func (b *box) ask(do func(context.Context, *api.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := api.Dial(ctx, b.dir+"/home/longear.sock")
	if err != nil {
		return err
	}
	defer c.Close()
	return do(ctx, c)
}

func (b *box) status() (s api.StatusReport) {
	_ = b.ask(func(ctx context.Context, c *api.Client) (err error) {
		s, err = c.Status(ctx)
		return err
	})
	return s
}

// wifi is the state of Wi-Fi Direct on the machine, as longear status shows it.
func (b *box) wifi() discovery.RungStatus {
	for _, r := range b.status().Discovery {
		if r.Rung == discovery.WifiDirect {
			return r
		}
	}
	return discovery.RungStatus{}
}

func (b *box) state() discovery.State { return b.wifi().State }

// post writes a message by the API and returns its ID.
func (b *box) post(text string) (id string) {
	must(b.w, b.ask(func(ctx context.Context, c *api.Client) error {
		m, err := c.Post(ctx, api.Post{Channel: "#all", Text: text})
		id = m.ID
		return err
	}))
	return id
}

// count is how many of the messages the machine's node has.
func (b *box) count(ids ...string) (n int) {
	_ = b.ask(func(ctx context.Context, c *api.Client) error {
		for _, id := range ids {
			if _, err := c.Life(ctx, id); err == nil {
				n++
			}
		}
		return nil
	})
	return n
}

func (b *box) has(ids ...string) bool { return b.count(ids...) == len(ids) }

// groups are the network interfaces of groups on the machine.
func (b *box) groups() (devs []string) {
	out, _ := exec.Command("ip", "-n", b.ns, "-o", "link", "show").Output()
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], "p2p-wlan") {
			devs = append(devs, strings.TrimSuffix(f[1], ":"))
		}
	}
	return devs
}

// place moves the radio to a place: it hears who is there, and nobody of another.
func (b *box) place(where int) {
	mask := 1 << where
	file := fmt.Sprintf("/sys/kernel/debug/ieee80211/phy%d/hwsim/group", b.i)
	must(b.w, os.WriteFile(file, fmt.Append(nil, mask), 0o644))
}

// block switches the radio off or on, as rfkill does.
func (b *box) block(off bool) {
	v := "0"
	if off {
		v = "1"
	}
	// Only inside the namespace does sysfs show the radio.
	must(b.w, run("ip", "netns", "exec", b.ns, "/init", "write", v, fmt.Sprintf("/sys/class/ieee80211/phy%d/rfkill*/soft", b.i)))
}
