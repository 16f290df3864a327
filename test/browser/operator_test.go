package browser_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"longear/test/rig"
)

// operatorChecks are those of operator.mjs.
var operatorChecks = []string{
	"the token", "a wrong token", "neighbours", "links", "what happened", "posting", "why", "mute", "carry out", "carry in", "channels", "dial",
	"doctor", "quiet", "failures", "another origin", "accessible", "another language", "stop",
}

// couple is two nodes of the built program on loopback, the second linked to the first.
type couple struct {
	t       *testing.T
	program string
	dir     string
}

// ask runs a verb that prints one object, and reads it.
func (c *couple) ask(v any, args ...string) error {
	out, err := exec.Command(c.program, append(args, "--json")...).Output()
	if err != nil {
		return err
	}
	return json.Unmarshal(out, v)
}

// run starts a node and waits until it answers. It returns the address to dial, the end of its identity, and what waits for its end.
func (c *couple) run(home string, args ...string) (addr, name string, ended func() error) {
	c.t.Helper()
	home = filepath.Join(c.dir, home)
	node := exec.Command(c.program, append([]string{
		"relay", "--home", home, "--loopback-only", "--no-mdns", "--no-beacon", "--no-gateway", "--listen", "/ip4/127.0.0.1/tcp/0",
	}, args...)...)
	said := &rig.Output{}
	node.Stdout, node.Stderr = said, said
	if err := node.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = node.Process.Kill() })
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		<-tick.C
		var s struct {
			Peer      string
			Listening []string
		}
		if c.ask(&s, "status", "--home", home) == nil && len(s.Listening) > 0 {
			return s.Listening[0] + "/p2p/" + s.Peer, s.Peer[len(s.Peer)-8:], node.Wait
		}
	}
	c.t.Fatalf("the node does not start: %s", said)
	return "", "", nil
}

// TestOperatorPage: the page of a node that is linked to another, in a real browser: what it shows, what its buttons do, who else gets nothing.
func TestOperatorPage(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	chromium := need(t)
	if _, err := os.Stat("../../cmd/longear/web/built/operator/index.html.gz"); err != nil {
		t.Skip("SKIPPED: the operator's page was not looked at: it is not built; make web builds it")
	}
	fetch(t)
	c := &couple{t: t, dir: t.TempDir()}
	c.program = filepath.Join(c.dir, "longear")
	if out, err := exec.Command("go", "build", "-o", c.program, "longear/cmd/longear").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	addr, name, _ := c.run("a")
	_, _, ended := c.run("b", "--connect", addr)
	file := filepath.Join(c.dir, "f.ear")
	for _, args := range [][]string{{"send", "#help", "a message from far away"}, {"carry", "out", file}} {
		if out, err := exec.Command(c.program, append(args, "--home", filepath.Join(c.dir, "c"))...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v %s", args, err, out)
		}
	}
	var page struct{ URL string }
	if err := c.ask(&page, "page", "--home", filepath.Join(c.dir, "b")); err != nil || !strings.Contains(page.URL, "/#") {
		t.Fatalf("longear page: %q %v", page.URL, err)
	}
	args := []string{"operator.mjs", chromium, page.URL, name, file}
	if *shots != "" {
		args = append(args, *shots)
	}
	watch(t, args, operatorChecks)
	if t.Failed() {
		return // it may not have been stopped
	}
	if err := ended(); err != nil {
		t.Errorf("stopped from the page, the node ended with %v", err)
	}
}
