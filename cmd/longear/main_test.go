package main

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"longear": main})
}

// patience is how long a test waits for something that takes moments: machines that test are slow.
const patience = 30 * time.Second

// TestScripts runs testdata/script/*.txtar, the specification of the command line. Nodes in it listen on loopback, at ports the
// system chooses, and look for nobody.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, alone...)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": scriptExits,
			"await": scriptAwait,
			"addr":  scriptAddr,
			"id":    scriptID,
			"photo": scriptPhoto,

			"author": scriptAuthor,
			"idof":   scriptIDOf,
		},
	})
}

// alone are the settings of a node that meets nobody who is not named.
var alone = []string{
	"LONGEAR_LOOPBACK_ONLY=true", "LONGEAR_NO_MDNS=true", "LONGEAR_NO_BEACON=true", "LONGEAR_NO_GATEWAY=true",
	"LONGEAR_LISTEN=/ip4/127.0.0.1/tcp/0",
}

// scriptExits runs a command and checks its exit code: exits 3 longear status
func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := exitCode(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("%s exited with %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	return -1
}

// scriptAwait runs a command until it succeeds and prints a text: await 'carried by 1' longear why $ID
func scriptAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await TEXT COMMAND...")
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := ts.Exec(args[1], args[2:]...); err == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		select {
		case <-tick.C:
		case <-late.C:
			ts.Fatalf("%s does not come to print %q", strings.Join(args[1:], " "), args[0])
		}
	}
}

// scriptAddr waits for the node of a home and keeps its address in a variable: addr A a
func scriptAddr(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: addr VARIABLE HOME")
	}
	scriptAwait(ts, false, []string{`"running":true`, "longear", "status", "--json", "--home", args[1]})
	var s struct {
		Peer      string
		Listening []string
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &s))
	ts.Setenv(args[0], s.Listening[0]+"/p2p/"+s.Peer)
}

// scriptID keeps what the last command printed, such as an ID, in a variable, and its first characters: id M
func scriptID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: id VARIABLE")
	}
	text := strings.TrimSpace(ts.ReadFile("stdout"))
	ts.Setenv(args[0], text)
	if len(text) >= 5 {
		ts.Setenv(args[0]+"_SHORT", text[:5])
	}
}

// start runs the program in the background, as a node that meets nobody who is not named.
func start(t *testing.T, args ...string) (*exec.Cmd, *output) {
	t.Helper()
	return startWith(t, nil, args...)
}

// startWith is start with more environment.
func startWith(t *testing.T, env []string, args ...string) (*exec.Cmd, *output) {
	t.Helper()
	cmd := exec.Command("longear", args...)
	cmd.Env = slices.Concat(os.Environ(), alone, env)
	out := newOutput()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, out
}

// TestInterrupt: Ctrl-C ends a node well and a watch with the code that shells expect.
func TestInterrupt(t *testing.T) {
	home := filepath.Join(t.TempDir(), "h")
	relay, said := start(t, "relay", "--home", home)
	said.await(t, "listening ")
	send := exec.Command("longear", "send", "--home", home, "#all", "here I am")
	if out, err := send.CombinedOutput(); err != nil {
		t.Fatalf("send: %v: %s", err, out)
	}
	watch, shown := start(t, "watch", "--home", home)
	shown.await(t, "here I am")
	for _, tc := range []struct {
		cmd  *exec.Cmd
		want int
	}{{watch, 130}, {relay, 0}} {
		if err := tc.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if got := exitCode(tc.cmd.Wait()); got != tc.want {
			t.Errorf("%v exited with %d, want %d", tc.cmd.Args, got, tc.want)
		}
	}
}

// TestNodeGoesAway: a watch does not hang on when its node has gone.
func TestNodeGoesAway(t *testing.T) {
	home := filepath.Join(t.TempDir(), "h")
	relay, said := start(t, "relay", "--home", home)
	said.await(t, "listening ")
	watch, shown := start(t, "watch", "--home", home, "--json")
	if err := exec.Command("longear", "send", "--home", home, "#all", "x").Run(); err != nil {
		t.Fatal(err)
	}
	shown.await(t, `"type":"message"`)
	if err := relay.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = relay.Wait()
	if got := exitCode(watch.Wait()); got != 3 {
		t.Errorf("watch exited with %d, want 3", got)
	}
	shown.await(t, `"code":3`)
}

// TestSystemd: the service manager is told when the node answers and when it stops.
func TestSystemd(t *testing.T) {
	dir, err := os.MkdirTemp("", "le") // short: it is a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	relay, _ := startWith(t, []string{"NOTIFY_SOCKET=" + filepath.Join(dir, "notify")}, "relay", "--home", filepath.Join(dir, "h"))
	hear := func(want string) {
		t.Helper()
		buf := make([]byte, 64)
		if err := manager.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, _, err := manager.ReadFromUnix(buf)
		if err != nil || string(buf[:n]) != want {
			t.Errorf("the manager hears %q, %v; want %q", buf[:n], err, want)
		}
	}
	hear("READY=1")
	if out, err := exec.Command("longear", "status", "--home", filepath.Join(dir, "h")).CombinedOutput(); err != nil {
		t.Errorf("ready, but status says: %s", out)
	}
	if err := relay.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1")
	if err := relay.Wait(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
}

// TestAPIFlag: the loopback API opens only when asked for, and then with its token.
func TestAPIFlag(t *testing.T) {
	home := filepath.Join(t.TempDir(), "h")
	_, said := start(t, "relay", "--home", home, "--api", "127.0.0.1:0")
	said.await(t, "listening ")
	text, _ := said.now()
	url := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/v1/`).FindString(text)
	token, err := os.ReadFile(filepath.Join(home, "state", "api-token"))
	if err != nil {
		t.Fatal(err)
	}
	for auth, want := range map[string]int{"Bearer " + strings.TrimSpace(string(token)): 200, "": 401} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"status", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", auth)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("with %d characters of authorization: %d, want %d", len(auth), res.StatusCode, want)
		}
	}
	bad := exec.Command("longear", "relay", "--home", home+"2", "--api", "0.0.0.0:0")
	bad.Env = append(os.Environ(), alone...)
	if got := exitCode(bad.Run()); got != 2 {
		t.Errorf("--api 0.0.0.0:0 exited with %d, want 2", got)
	}
}

// scriptAuthor keeps the key that longear key show --json has just printed, and its beginning: author A
func scriptAuthor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: author VARIABLE")
	}
	var k struct{ Author string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &k))
	ts.Setenv(args[0], k.Author)
	ts.Setenv(args[0]+"_SHORT", k.Author[:8])
}

// scriptIDOf keeps the ID of the message with a text among those that longear watch --json has just printed: idof M 'text'
func scriptIDOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: idof VARIABLE TEXT")
	}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var m struct{ ID, Text string }
		ts.Check(json.Unmarshal([]byte(line), &m))
		if strings.Contains(m.Text, args[1]) {
			ts.Setenv(args[0], m.ID)
			return
		}
	}
	ts.Fatalf("no message says %q", args[1])
}
