package bench_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"longear/node"
	"longear/store"
	"longear/test/bench/figure"
)

// childEnv holds the order of a process that this one started to measure a node alone.
const childEnv = "LONGEAR_BENCH_CHILD"

// profileEnv, if set, names a folder for the CPU profiles of child processes, one until they rest and one after.
const profileEnv = "LONGEAR_BENCH_PROFILES"

// profile begins a profile in place of the one under way.
func profile(t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv(profileEnv)
	if dir == "" {
		return
	}
	pprof.StopCPUProfile()
	f, err := os.Create(filepath.Join(dir, name+".pprof"))
	if err != nil {
		t.Fatal(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		t.Fatal(err)
	}
}

// order is what a child process runs.
type order struct {
	Dir    string
	Hub    bool
	Quota  int64
	Memory int64 // the collector's limit, as the program sets it for the profile
	Procs  int   // cores; 0: all
}

// phoneMemory, hubMemory and hubGrowth are what `longear relay` sets.
const (
	phoneMemory = 60 << 20
	hubMemory   = 1 << 30
	hubGrowth   = 200 // percent
)

// usage is what a child has used so far. Sizes are bytes.
type usage struct {
	Messages      int64
	CPU           time.Duration
	PeakRSS       int64 // everything resident, mapped files too
	RSS, Anon     int64 // now; Anon is what no file backs
	PeakAnon      int64 // sampled
	PeakFile      int64 // sampled: pages of mapped files, which the system takes back when it needs them
	PeakGo        int64 // sampled: what the collector's limit counts
	Sent, Taken   uint64
	Equal, Peers  int
	SyncSent      uint64
	Goroutines    int
	CollectorRuns uint32
}

// TestChild is a node in a process of its own, ordered by another test: see startChild.
func TestChild(t *testing.T) {
	text := os.Getenv(childEnv)
	if text == "" {
		t.Skip("run by other tests")
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	debug.SetMemoryLimit(o.Memory)
	if o.Procs > 0 {
		runtime.GOMAXPROCS(o.Procs)
	}
	name := filepath.Base(o.Dir)
	profile(t, name)
	defer pprof.StopCPUProfile()
	keep, kind := store.Phone, node.Phone
	if o.Hub {
		keep, kind = store.Hub, node.Hub
		debug.SetGCPercent(hubGrowth)
	}
	st, err := store.Open(store.Config{Dir: o.Dir, Profile: keep, Quota: o.Quota})
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, st)
	n := start(t, node.Config{Store: st, Profile: kind, NoQUIC: true})
	defer n.stop()
	var p peaks
	calm := p.sample()
	defer func() { calm() }()
	fmt.Println("child", addr(n))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "connect":
			connect(t, n, rest)
		case "rest": // what is measured from here on should not be the measuring
			calm()
			calm = func() {}
			profile(t, name+"-rest")
		case "usage":
			j, err := json.Marshal(p.usage(n))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println("child", string(j))
		}
	}
}

// peaks samples memory.
type peaks struct {
	mu             sync.Mutex
	anon, file, gc int64 // guarded by mu
}

// sample looks every 100 ms until the returned function is called.
func (p *peaks) sample() (stop func()) {
	var w sync.WaitGroup
	end := make(chan struct{})
	w.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				p.look()
			}
		}
	})
	return func() { close(end); w.Wait() }
}

func (p *peaks) look() {
	anon, file, gc := status("RssAnon"), status("RssFile"), goMemory()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.anon, p.file, p.gc = max(p.anon, anon), max(p.file, file), max(p.gc, gc)
}

// goMemory is what debug.SetMemoryLimit counts.
func goMemory() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// status is a size in bytes from this process's status file.
func status(field string) int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		if name != field {
			continue
		}
		kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		if err != nil {
			return 0
		}
		return kb << 10
	}
	return 0
}

func (p *peaks) usage(n running) usage {
	p.look()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := n.Status()
	var gc debug.GCStats
	debug.ReadGCStats(&gc)
	u := usage{
		Messages: s.Messages, CPU: figure.CPU(),
		PeakRSS: status("VmHWM"), RSS: status("VmRSS"), Anon: status("RssAnon"),
		PeakAnon: p.anon, PeakFile: p.file, PeakGo: p.gc, Peers: s.Peers, Taken: s.Sync.Took, SyncSent: s.Sync.Sent,
		Goroutines: runtime.NumGoroutine(), CollectorRuns: uint32(gc.NumGC),
	}
	for _, q := range n.Peers() {
		if q.Equal {
			u.Equal++
		}
	}
	return u
}

// child is a process that runs a node.
type child struct {
	tb   testing.TB
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	addr string
	tail []string // what else it printed
}

// startChild starts this test binary again as a node in a process of its own, until the caller ends it.
func startChild(tb testing.TB, o order) *child {
	tb.Helper()
	j, err := json.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.timeout=30m")
	cmd.Env = append(os.Environ(), childEnv+"="+string(j))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	c := &child{tb: tb, cmd: cmd, in: in, out: bufio.NewScanner(out)}
	c.addr = c.read()
	return c
}

// read returns the child's next answer.
func (c *child) read() string {
	c.tb.Helper()
	for c.out.Scan() {
		if text, ok := strings.CutPrefix(c.out.Text(), "child "); ok {
			return text
		}
		c.tail = append(c.tail, c.out.Text())
	}
	c.tb.Fatalf("the child ended:\n%s", strings.Join(c.tail, "\n"))
	return ""
}

func (c *child) say(format string, args ...any) {
	c.tb.Helper()
	if _, err := fmt.Fprintf(c.in, format+"\n", args...); err != nil {
		c.tb.Fatal(err)
	}
}

func (c *child) usage() (u usage) {
	c.tb.Helper()
	c.say("usage")
	if err := json.Unmarshal([]byte(c.read()), &u); err != nil {
		c.tb.Fatal(err)
	}
	return u
}

// end lets the child close its store and waits for it.
func (c *child) end() {
	c.tb.Helper()
	c.in.Close()
	for c.out.Scan() {
		c.tail = append(c.tail, c.out.Text())
	}
	if err := c.cmd.Wait(); err != nil {
		c.tb.Errorf("child: %v\n%s", err, strings.Join(c.tail, "\n"))
	}
}

// awaitUsage asks a child every 200 ms until ok.
func (c *child) awaitUsage(what string, limit time.Duration, ok func(usage) bool) usage {
	c.tb.Helper()
	var u usage
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		if u = c.usage(); ok(u) {
			return u
		}
		if time.Now().After(deadline) {
			c.tb.Fatalf("not within %v: %s; %+v", limit, what, u)
		}
	}
}
