package bench_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"longear/node"
	"longear/store"
	"longear/test/bench/figure"
)

const mebi = 1 << 20

// stored makes a folder with a phone's store that holds a corpus.
func stored(tb testing.TB, c corpus) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "full")
	st := open(tb, dir)
	fill(tb, st, c.messages)
	closeStore(tb, st)
	return dir
}

// BenchmarkBacklogMemory moves the backlog between two phones in processes of their own. The taker has one core, so that its
// CPU is what taking in costs: the share is of what verifying in batches alone reaches with the same CPU time.
func BenchmarkBacklogMemory(b *testing.B) {
	c := write(b, backlog)
	dir := stored(b, c)
	var gave, took, share, anon []float64
	for b.Loop() {
		v := verifyAlone(b, c)
		giver := startChild(b, order{Dir: dir, Memory: phoneMemory})
		taker := startChild(b, order{Dir: filepath.Join(b.TempDir(), "empty"), Memory: phoneMemory, Procs: 1})
		before := taker.usage()
		taker.say("connect %s", giver.addr)
		after := taker.awaitUsage("the backlog", 5*time.Minute, func(u usage) bool { return u.Messages == int64(len(c.messages)) })
		share = append(share, v.cpu.Seconds()/(after.CPU-before.CPU).Seconds())
		took = append(took, float64(after.PeakRSS)/mebi)
		anon = append(anon, float64(after.PeakAnon)/mebi)
		gave = append(gave, float64(giver.usage().PeakRSS)/mebi)
		taker.end()
		giver.end()
	}
	figure.Report(b, "taker-peak-rss", figure.Median(took), "MiB", figure.AtMost(256))
	figure.Report(b, "giver-peak-rss", figure.Median(gave), "MiB", figure.AtMost(256))
	figure.Report(b, "taker-peak-anonymous", figure.Median(anon), "MiB", figure.None)
	figure.Report(b, "sync-share-of-verify", figure.Median(share), "x", figure.AtLeast(0.6))
}

// BenchmarkIdleRelay measures a phone that has taken in the backlog and then has 10 equal peers and nothing to do.
func BenchmarkIdleRelay(b *testing.B) {
	const links = 10
	watched := 40 * time.Second
	c := write(b, backlog)
	dir := stored(b, c)
	for b.Loop() {
		relay := startChild(b, order{Dir: filepath.Join(b.TempDir(), "relay"), Memory: phoneMemory})
		for i := range links {
			own := filepath.Join(b.TempDir(), "peer")
			if err := os.CopyFS(own, os.DirFS(dir)); err != nil {
				b.Fatal(err)
			}
			st := open(b, own)
			defer closeStore(b, st)
			n := start(b, node.Config{Store: st, NoQUIC: true})
			defer n.stop()
			connect(b, n, relay.addr)
			if i == 0 {
				relay.awaitUsage("the backlog", 5*time.Minute, func(u usage) bool { return u.Messages == int64(len(c.messages)) })
			}
		}
		relay.awaitUsage("equal peers", time.Minute, func(u usage) bool { return u.Equal == links })
		<-time.After(20 * time.Second) // the store has merged its tables
		relay.say("rest")
		before, began := relay.usage(), time.Now()
		<-time.After(watched)
		after, wall := relay.usage(), time.Since(began)
		relay.end()
		figure.Report(b, "rss", float64(after.RSS)/mebi, "MiB", figure.AtMost(80))
		figure.Report(b, "anonymous", float64(after.Anon)/mebi, "MiB", figure.None)
		figure.Report(b, "peak-rss", float64(after.PeakRSS)/mebi, "MiB", figure.None)
		figure.Report(b, "cpu", 100*(after.CPU-before.CPU).Seconds()/wall.Seconds(), "percent", figure.AtMost(1))
		figure.Report(b, "sync-sent", float64(after.SyncSent-before.SyncSent)/wall.Seconds()/links, "B/s/link", figure.None)
		figure.Report(b, "goroutines", float64(after.Goroutines), "n", figure.None)
	}
}

// BenchmarkMillion lets a phone take in a million messages from a hub, within the memory that the program grants a phone and
// a quota that holds them. What it takes from other programs is the anonymous part: the collector also counts buffers that were never
// touched, and the rest of what is resident is tables, which the system drops when it is short.
func BenchmarkMillion(b *testing.B) {
	const parts, part = 10, 100_000
	dir := filepath.Join(b.TempDir(), "hub")
	st, err := store.Open(store.Config{Dir: dir, Profile: store.Hub})
	if err != nil {
		b.Fatal(err)
	}
	for i := range parts {
		s := backlog
		s.seed = uint64(i)
		fill(b, st, write(b, s).messages)
	}
	closeStore(b, st)
	for b.Loop() {
		hub := startChild(b, order{Dir: dir, Hub: true, Memory: hubMemory})
		phone := startChild(b, order{Dir: filepath.Join(b.TempDir(), "phone"), Quota: 2 << 30, Memory: phoneMemory})
		before, began := phone.usage(), time.Now()
		phone.say("connect %s", hub.addr)
		after := phone.awaitUsage("a million messages", 25*time.Minute, func(u usage) bool { return u.Messages == parts*part })
		wall := time.Since(began)
		giver := hub.usage()
		phone.end()
		hub.end()
		figure.Report(b, "go-memory-peak", float64(after.PeakGo)/mebi, "MiB", figure.AtMost(64))
		figure.Report(b, "anonymous-peak", float64(after.PeakAnon)/mebi, "MiB", figure.None)
		figure.Report(b, "files-peak", float64(after.PeakFile)/mebi, "MiB", figure.None)
		figure.Report(b, "rss-peak", float64(after.PeakRSS)/mebi, "MiB", figure.None)
		figure.Report(b, "hub-rss-peak", float64(giver.PeakRSS)/mebi, "MiB", figure.None)
		figure.Report(b, "cpu-a-message", (after.CPU-before.CPU).Seconds()*1e6/(parts*part), "us", figure.None)
		figure.Report(b, "wall", wall.Seconds(), "s", figure.None)
	}
}
