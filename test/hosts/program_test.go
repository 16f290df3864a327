//go:build linux

package hosts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"longear/protocol"
)

// patience is how long a call of the program may take.
const patience = 60 * time.Second

// command is longear on the host, as its user would type it.
func (h *host) command(ctx context.Context, verb string, args ...string) *exec.Cmd {
	args = append([]string{"netns", "exec", h.ns, run.Program, verb, "--home", h.home}, args...)
	cmd := exec.CommandContext(ctx, "ip", args...) // replaces itself by longear: the process ID is longear's
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "LONGEAR_") })
	return cmd
}

// result is what a call of the program left.
type result struct {
	out, err string
	code     int
	rss      int64 // most memory it had, bytes
}

// try calls the program and takes any exit code.
func (h *host) try(verb string, args ...string) result {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := h.command(ctx, verb, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	r := result{out: out.String(), err: errOut.String(), code: cmd.ProcessState.ExitCode()}
	if err != nil && r.code <= 0 {
		r.err += err.Error()
	}
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.rss = u.Maxrss * 1024
	}
	return r
}

// must calls the program and fails the test unless it succeeds.
func (h *host) must(verb string, args ...string) string {
	h.t.Helper()
	r := h.try(verb, args...)
	if r.code != 0 {
		h.t.Fatalf("%s: longear %s %q: exit %d: %s", h.name, verb, args, r.code, r.err)
	}
	return r.out
}

// sh runs a shell command on the host's network.
func (h *host) sh(command string) {
	h.t.Helper()
	if out, err := exec.Command("ip", "netns", "exec", h.ns, "sh", "-c", command).CombinedOutput(); err != nil {
		h.t.Fatalf("%s: %s: %v %s", h.name, command, err, out)
	}
}

// send writes a message and returns its ID.
func (h *host) send(text string) string {
	h.t.Helper()
	id := strings.TrimSpace(h.must("send", "#water", text))
	if _, err := protocol.ParseID(id); err != nil {
		h.t.Fatalf("%s: send printed %q: %v", h.name, id, err)
	}
	return id
}

// link is one line of longear peers.
type link struct {
	Peer, Addr, Via, Transport string
	Took, Gave                 uint64 // messages, over this link
}

// peers is who the node is connected to.
func (h *host) peers() []link {
	h.t.Helper()
	var all []link
	for line := range strings.Lines(h.must("peers", "--json")) {
		var p link
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			h.t.Fatalf("%s: peers printed %q: %v", h.name, line, err)
		}
		all = append(all, p)
	}
	return all
}

// status is what longear status says.
type status struct {
	Peer     string
	Peers    int
	Messages int
	Refused  int
	Trouble  []string
}

func (h *host) status() status {
	h.t.Helper()
	var s status
	out := h.must("status", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		h.t.Fatalf("%s: status printed %q: %v", h.name, out, err)
	}
	return s
}

// A relay is a running node.
type relay struct {
	h     *host
	flags []string
	cmd   *exec.Cmd
	said  *lines // its standard error
	ended chan struct{}
}

// relay starts a node and waits until it listens. It is killed when the test ends.
func (h *host) relay(flags ...string) *relay {
	h.t.Helper()
	r := &relay{h: h, flags: flags}
	h.t.Cleanup(func() {
		r.kill()
		if h.t.Failed() {
			h.t.Logf("%s said:\n%s", h.name, r.said)
		}
	})
	r.start()
	return r
}

// start runs the node's command again.
func (r *relay) start() {
	t := r.h.t
	t.Helper()
	r.said, r.ended = newLines(), make(chan struct{})
	r.cmd = r.h.command(context.Background(), "relay", r.flags...)
	r.cmd.Stderr = r.said
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.cmd.Wait() // how it ended is for those to judge who ended it
		close(r.ended)
	}()
	if _, ok := r.said.find("listening ", patience, r.ended); !ok {
		t.Fatalf("%s does not listen; it said:\n%s", r.h.name, r.said)
	}
}

// addr is where a node said it listens by a transport, with its peer ID.
func (r *relay) addr(at string) string {
	r.h.t.Helper()
	l, _ := r.said.find("listening ", patience, r.ended)
	for _, addr := range strings.Fields(l.text)[1:] {
		if strings.Contains(addr, at) {
			return addr
		}
	}
	r.h.t.Fatalf("%s does not listen at %s: %s", r.h.name, at, l.text)
	return ""
}

// stop ends the node as Ctrl-C does.
func (r *relay) stop() {
	r.h.t.Helper()
	r.cmd.Process.Signal(os.Interrupt)
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.h.t.Fatalf("%s does not stop; it said:\n%s", r.h.name, r.said)
	}
}

// kill ends the node as a dead battery does.
func (r *relay) kill() {
	if r.cmd == nil || r.cmd.Process == nil {
		return
	}
	r.cmd.Process.Kill()
	<-r.ended
}

// watcher is a running longear watch.
type watcher struct {
	h     *host
	said  *lines
	ended chan struct{}
}

// message is one line of longear watch.
type message struct {
	Type, ID, Channel, Author, Created, Received, Text string
	Verified                                           bool
}

// watch begins to read on a host whose node runs.
func (h *host) watch() *watcher {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	v := &watcher{h: h, said: newLines(), ended: make(chan struct{})}
	cmd := h.command(ctx, "watch", "--json", "--history", "-1")
	cmd.Stdout = v.said
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(v.ended)
	}()
	h.t.Cleanup(func() {
		cancel()
		<-v.ended
	})
	return v
}

// hears waits for a message and returns when its line was printed.
func (v *watcher) hears(id string, within time.Duration) (message, time.Time) {
	v.h.t.Helper()
	l, ok := v.said.find(`"id":"`+id+`"`, within, v.ended)
	if !ok {
		v.h.t.Fatalf("%s did not hear %s within %v", v.h.name, id, within)
	}
	var m message
	if err := json.Unmarshal([]byte(l.text), &m); err != nil {
		v.h.t.Fatalf("%s: watch printed %q: %v", v.h.name, l.text, err)
	}
	return m, l.at
}

// hearsAll waits for all of the messages.
func (v *watcher) hearsAll(ids []string, within time.Duration) {
	v.h.t.Helper()
	until := time.Now().Add(within)
	for _, id := range ids {
		v.hears(id, time.Until(until))
	}
}

// heard reports whether a message has been printed.
func (v *watcher) heard(id string) bool {
	_, ok := v.said.find(`"id":"`+id+`"`, 0, nil)
	return ok
}

// inventory is what the host's store holds: the SHA-256 of each message as it goes on the wire, by ID, every
// signature verified here. It is taken by longear carry out, with or without a running node.
func (h *host) inventory() map[string][32]byte {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "inventory.ear")
	h.must("carry", "out", path)
	defer os.Remove(path)
	all, err := readInventory(path)
	if err != nil {
		h.t.Fatalf("%s: carry out wrote a bad file: %v", h.name, err)
	}
	return all
}

// lost lists which of the messages are not in an inventory.
func lost(ids []string, in map[string][32]byte) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, ok := in[id]; return ok })
}

// quarantines are stores that a node has moved aside as damaged.
func (h *host) quarantines() []string {
	found, _ := filepath.Glob(filepath.Join(h.home, "state", "store", "*quarantine*"))
	return found
}

// line is what a process printed at a time.
type line struct {
	text string
	at   time.Time
}

// lines collects what a process prints.
type lines struct {
	mu   sync.Mutex // guards the fields below
	all  []line
	part []byte        // of a line that has not ended
	more chan struct{} // closed when there is more
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

// Write takes output as it comes.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.part = append(l.part, p...)
	for {
		text, rest, ok := bytes.Cut(l.part, []byte("\n"))
		if !ok {
			break
		}
		l.all = append(l.all, line{string(text), now})
		l.part = rest
	}
	close(l.more)
	l.more = make(chan struct{})
	return len(p), nil
}

// find waits for a line that contains some text. It gives up early when the process has ended.
func (l *lines) find(part string, within time.Duration, ended <-chan struct{}) (line, bool) {
	timeout := time.After(within)
	for from := 0; ; {
		l.mu.Lock()
		all, more := l.all, l.more
		l.mu.Unlock()
		if i := slices.IndexFunc(all[from:], func(s line) bool { return strings.Contains(s.text, part) }); i >= 0 {
			return all[from+i], true
		}
		from = len(all)
		if within <= 0 {
			return line{}, false
		}
		select {
		case <-more:
		case <-timeout:
			within = 0
		case <-ended:
			ended, within = nil, 0
		}
	}
}

// String is the end of all of it.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, s := range l.all[max(0, len(l.all)-30):] {
		b.WriteString(s.at.Format("15:04:05.000 ") + s.text + "\n")
	}
	return b.String()
}
