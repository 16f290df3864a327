//go:build linux

package browser_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/protocol"
	"longear/test/rig"
)

// walkChecks are those of walk.mjs.
var walkChecks = []string{
	"what the hub has comes", "post, and live arrival elsewhere", "a reload keeps key and messages", "out of reach",
	"the next hub gets what this phone carries", "nothing of a lying hub is shown or carried", "forgetting",
}

// carriedMessages is how many messages the first hub has, which the phone carries to the second.
const carriedMessages = 500

// square is a phone and hubs, each in a network namespace of its own. All hubs have the address 192.168.49.1: a page keeps what it has
// under one origin. The phone has a cable to each, and is where its address is.
type square struct {
	t       *testing.T
	program string
	name    string // begins the names of the namespaces
}

// newSquare builds the program with its page. It skips, loudly, where it may not make namespaces.
func newSquare(t *testing.T) *square {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: no phone walked between hubs: making network namespaces needs root")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("SKIPPED: no phone walked between hubs: there is no ip; install iproute2")
	}
	dir := t.TempDir() // counts those of this test
	s := &square{t: t, program: filepath.Join(dir, "longear"), name: fmt.Sprintf("lec%d.%s", os.Getpid(), filepath.Base(dir))}
	if out, err := exec.Command("ip", "netns", "add", s.name+"p").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no phone walked between hubs: this system lets nobody make network namespaces: %s", out)
	}
	t.Cleanup(func() { s.ip("netns del %sp", s.name) })
	s.ip("-n %sp link set lo up", s.name)
	buildScreens(t) // fetches the packages
	build := exec.Command("node", "build.mjs")
	build.Dir = web
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the page: %v\n%s", err, out)
	}
	if out, err := exec.Command("go", "build", "-o", s.program, "longear/cmd/longear").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return s
}

// ip runs one ip command, written as on a command line.
func (s *square) ip(format string, args ...any) {
	s.t.Helper()
	line := fmt.Sprintf(format, args...)
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		s.t.Fatalf("ip %s: %v\n%s", line, err, out)
	}
}

// network makes the network of one hub, at whose other end the phone is.
func (s *square) network(letter string) {
	s.t.Helper()
	s.ip("netns add %s%s", s.name, letter)
	s.t.Cleanup(func() { s.ip("netns del %s%s", s.name, letter) })
	s.ip("link add hub netns %s%s type veth peer name w%s netns %sp", s.name, letter, letter, s.name)
	s.ip("-n %s%s link set lo up", s.name, letter)
	s.ip("-n %s%s addr add 192.168.49.1/24 dev hub", s.name, letter)
	s.ip("-n %s%s link set hub up", s.name, letter)
	s.ip("-n %sp link set w%s up", s.name, letter)
}

// inside runs a program in a namespace until the test ends, and waits until it has said something.
func (s *square) inside(letter, said string, args ...string) {
	s.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", s.name + letter}, args...)...)
	cmd.Dir = room
	out := &rig.Output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 1200 {
		if <-tick.C; strings.Contains(out.String(), said) {
			return
		}
	}
	s.t.Fatalf("%v does not start: %s", args, out)
}

// hub runs a hub with messages in its network.
func (s *square) hub(letter, name, texts string, count int, extra ...string) (home string) {
	s.t.Helper()
	home = filepath.Join(s.t.TempDir(), "h")
	if count > 0 {
		file := filepath.Join(s.t.TempDir(), "some.ear")
		writeMessages(s.t, file, texts, count)
		if out, err := exec.Command(s.program, "carry", "in", "--home", home, file).CombinedOutput(); err != nil {
			s.t.Fatalf("carry in: %v\n%s", err, out)
		}
	}
	args := append([]string{
		s.program, "hub", "--home", home, "--no-mdns", "--no-beacon", "--no-gateway", "--listen", "/ip4/127.0.0.1/tcp/0",
		"--name", name, "--guest-channel", "water", "--json",
	}, extra...)
	s.inside(letter, `"type":"listening"`, args...)
	return home
}

// writeMessages makes a carry file of messages in #water, each by another author.
func writeMessages(t *testing.T, file, text string, count int) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tag, err := protocol.PublicChannel("water")
	if err != nil {
		t.Fatal(err)
	}
	w := protocol.NewCarryWriter(f)
	for i := range count {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := protocol.Sign(key, protocol.Draft{Created: uint64(1_790_000_000_000 + i*1000), Channel: tag, Body: fmt.Appendf(nil, "%s %d", text, i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(m, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWalk: a phone with the real page walks from hub to hub, real ones too, and carries. One of them lies.
func TestWalk(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	fetch(t)
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	var program string
	var homes []string
	watchIn(t, walkChecks, func() []string {
		s := newSquare(t)
		for _, letter := range []string{"a", "b", "l"} {
			s.network(letter)
		}
		program = s.program
		homes = []string{s.hub("a", "north gate", "water", carriedMessages), s.hub("b", "south gate", "", 0)}
		s.hub("l", "liar", "true", 30, "--guest-listen", "127.0.0.1:8441", "--guest-url", "http://192.168.49.1:8440")
		s.inside("l", "listening", node, "liar.mjs")
		return []string{"ip", "netns", "exec", s.name + "p", node, "walk.mjs", chromium, fmt.Sprint(carriedMessages)}
	})
	// What the liar altered would have been refused.
	for _, home := range homes {
		out, err := exec.Command(program, "status", "--home", home, "--json").Output()
		var st struct{ Refused *uint64 }
		if err != nil || json.Unmarshal(out, &st) != nil || st.Refused == nil {
			t.Fatalf("status: %v %s", err, out)
		}
		if *st.Refused != 0 {
			t.Errorf("a hub was given %d forged messages", *st.Refused)
		}
	}
}
