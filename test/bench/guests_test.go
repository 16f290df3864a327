package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"longear/protocol"
	"longear/test/bench/figure"
	"longear/test/guests/visit"
	"longear/test/rig"
)

// hubProcess is the real program as a hub for phones on loopback, in a process of its own.
type hubProcess struct {
	tb  testing.TB
	cmd *exec.Cmd
	url string
}

// startHub builds the program, fills a store with a backlog and starts a hub on it.
func startHub(tb testing.TB, messages int) *hubProcess {
	tb.Helper()
	dir := tb.TempDir()
	program, home := filepath.Join(dir, "longear"), filepath.Join(dir, "h")
	if out, err := exec.Command("go", "build", "-o", program, "longear/cmd/longear").CombinedOutput(); err != nil {
		tb.Fatalf("build longear: %v\n%s", err, out)
	}
	h := &hubProcess{tb: tb}
	h.cmd = exec.Command(program, "hub", "--home", home, "--loopback-only", "--no-mdns", "--no-beacon", "--no-gateway",
		"--listen", "/ip4/127.0.0.1/tcp/0", "--guest-listen", "127.0.0.1:0", "--guest-channel", "all", "--json", "--log-level", "error")
	out := &rig.Output{}
	h.cmd.Stdout, h.cmd.Stderr = out, out
	if err := h.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = h.cmd.Process.Signal(os.Interrupt)
		_ = h.cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); h.url == ""; {
		if time.Now().After(deadline) {
			tb.Fatalf("the hub does not start: %s", out)
		}
		wait(tb.Context(), 50*time.Millisecond)
		if !strings.Contains(out.String(), `"type":"listening"`) {
			continue
		}
		for line := range strings.Lines(out.String()) {
			var at struct{ Type, URL string }
			if json.Unmarshal([]byte(line), &at) == nil && at.Type == "hub" {
				h.url = strings.TrimSuffix(at.URL, "/")
			}
		}
	}
	if messages == 0 {
		return h
	}
	carried := filepath.Join(dir, "backlog.ear")
	f, err := os.Create(carried)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w := protocol.NewCarryWriter(f)
	for _, m := range write(tb, shape{count: messages, authors: 100, size: 300, seed: 7}).messages {
		if err := w.Write(m, time.Minute); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	if out, err := exec.Command(program, "carry", "in", carried, "--home", home).CombinedOutput(); err != nil {
		tb.Fatalf("carry in: %v\n%s", err, out)
	}
	return h
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// cpu is what the hub has spent on all cores.
func (h *hubProcess) cpu() time.Duration {
	h.tb.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", h.cmd.Process.Pid))
	if err != nil {
		h.tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	var user, system int64
	fmt.Sscan(f[11], &user)
	fmt.Sscan(f[12], &system)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on Linux
}

// memory is a size from the hub's status.
func (h *hubProcess) memory(field string) float64 {
	h.tb.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.cmd.Process.Pid))
	if err != nil {
		h.tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), field+":")
	var kb float64
	fmt.Sscan(rest, &kb)
	return kb / 1024
}

// crowdOf is who is around a hub.
type crowdOf struct {
	honest, slow, hostile int
	every                 time.Duration // between two posts of one phone
	lasts                 time.Duration
}

// sight is how long a message took from the press of the button until one other phone had it.
type sights struct {
	mu       sync.Mutex
	written  map[string]time.Time
	waiting  map[string][]time.Time // seen before the writer knew that it was kept
	took     []time.Duration
	failed   atomic.Int64
	arrivals []time.Duration
}

func (s *sights) wrote(id string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written[id] = at
	for _, seen := range s.waiting[id] {
		s.took = append(s.took, seen.Sub(at))
	}
	delete(s.waiting, id)
}

func (s *sights) saw(id string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.written[id]; ok {
		s.took = append(s.took, now.Sub(at))
	} else {
		s.waiting[id] = append(s.waiting[id], now)
	}
}

// quantile is a part of the way through sorted samples.
func quantile(samples []time.Duration, q float64) time.Duration {
	if len(samples) == 0 {
		return 0
	}
	return samples[min(len(samples)-1, int(q*float64(len(samples))))]
}

// visitHub lets a crowd loose and returns what its honest phones saw.
func visitHub(b *testing.B, h *hubProcess, c crowdOf) *sights {
	b.Helper()
	ctx, end := context.WithTimeout(b.Context(), c.lasts)
	defer end()
	s := &sights{written: map[string]time.Time{}, waiting: map[string][]time.Time{}}
	var all sync.WaitGroup
	var posts int
	for n := range c.honest + c.slow + c.hostile {
		v, err := visit.New(h.url, netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + n)}), nil)
		if err != nil {
			b.Fatal(err)
		}
		defer v.Close()
		switch {
		case n < c.honest:
			posts++
			all.Go(func() { guestOf(ctx, v, n, c, s) })
		case n < c.honest+c.slow: // reads one line in 100 ms: behind, as soon as there are ten messages a second
			all.Go(func() {
				for ctx.Err() == nil {
					_ = v.Follow(ctx, 100*time.Millisecond, nil, func(string) {})
					wait(ctx, 100*time.Millisecond)
				}
			})
		default:
			all.Go(func() { []func(context.Context){v.FloodPosts, v.FloodReads, v.HoldStreams, v.SlowBodies}[n%4](ctx) })
		}
	}
	all.Wait()
	slices.Sort(s.took)
	slices.Sort(s.arrivals)
	return s
}

// guestOf is one honest phone: it opens the page, follows, writes now and then, and asks how things are.
func guestOf(ctx context.Context, v *visit.Visitor, n int, c crowdOf, s *sights) {
	wait(ctx, time.Duration(n)*c.every/time.Duration(c.honest)) // not all at the same moment
	began := time.Now()
	if _, err := v.Arrive(ctx); err != nil && ctx.Err() == nil {
		s.failed.Add(1)
	}
	s.mu.Lock()
	s.arrivals = append(s.arrivals, time.Since(began))
	s.mu.Unlock()
	var all sync.WaitGroup
	open := make(chan struct{})
	all.Go(func() {
		once := sync.OnceFunc(func() { close(open) })
		for ctx.Err() == nil {
			if err := v.Follow(ctx, 0, once, s.saw); err != nil && ctx.Err() == nil {
				s.failed.Add(1)
				wait(ctx, time.Second)
			}
		}
	})
	select {
	case <-open:
	case <-ctx.Done():
	}
	deadline, _ := ctx.Deadline()
	for i := 0; time.Until(deadline) > 2*time.Second; i++ { // what is written later may not be seen in time, and then is not slow
		at := time.Now()
		if id, err := v.Post(ctx, fmt.Sprintf("phone %d says %d: is there water at gate %d?", n, i, i%7)); err == nil {
			s.wrote(id, at)
		} else if ctx.Err() == nil {
			s.failed.Add(1)
		}
		if i%3 == 0 {
			if _, err := v.Get(ctx, "/guest/state"); err != nil && ctx.Err() == nil {
				s.failed.Add(1)
			}
		}
		wait(ctx, c.every)
	}
	all.Wait()
}

// BenchmarkGuests puts 50 phones around one hub: how long until a message is seen by the others, and what the hub spends. The phones
// are in this process, on the same cores. LONGEAR_GUESTS_SECONDS is how long each crowd stays, 15 by default.
func BenchmarkGuests(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("needs 127.0.0.0/8 and /proc")
	}
	lasts := 15
	if text := os.Getenv("LONGEAR_GUESTS_SECONDS"); text != "" {
		fmt.Sscan(text, &lasts)
	}
	calm := map[int]time.Duration{} // p99 without hostile phones, by backlog
	for _, c := range []struct {
		name    string
		backlog int
		crowdOf
	}{
		{"empty", 0, crowdOf{honest: 50}},
		{"10000", 10_000, crowdOf{honest: 50}},
		{"10000/slow", 10_000, crowdOf{honest: 40, slow: 10}},
		{"10000/calm", 10_000, crowdOf{honest: 40}},
		{"10000/hostile", 10_000, crowdOf{honest: 40, hostile: 10}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.every, c.lasts = 5*time.Second, time.Duration(lasts)*time.Second
			h := startHub(b, c.backlog)
			for b.Loop() {
				before, own := h.cpu(), figure.CPU()
				s := visitHub(b, h, c.crowdOf)
				spent := h.cpu() - before
				p99 := quantile(s.took, .99)
				figure.Report(b, "seen-p50", quantile(s.took, .5).Seconds()*1000, "ms", figure.None)
				figure.Report(b, "seen-p99", p99.Seconds()*1000, "ms", figure.AtMost(2000))
				figure.Report(b, "sights", float64(len(s.took)), "n", figure.None)
				figure.Report(b, "failed", float64(s.failed.Load()), "n", figure.AtMost(0))
				figure.Report(b, "open-p99", quantile(s.arrivals, .99).Seconds()*1000, "ms", figure.None)
				figure.Report(b, "hub-cpu", spent.Seconds()/c.lasts.Seconds()*100, "%core", figure.None)
				figure.Report(b, "phones-cpu", (figure.CPU()-own).Seconds()/c.lasts.Seconds()*100, "%core", figure.None)
				figure.Report(b, "hub-rss", h.memory("VmRSS"), "MB", figure.None)
				figure.Report(b, "hub-peak", h.memory("VmHWM"), "MB", figure.None)
				switch {
				case c.honest == 40 && c.hostile == 0 && c.slow == 0:
					calm[c.backlog] = p99
				case c.hostile > 0 && calm[c.backlog] > 0:
					figure.Report(b, "hostile-ratio", p99.Seconds()/calm[c.backlog].Seconds(), "x", figure.AtMost(2))
				}
			}
		})
	}
}
