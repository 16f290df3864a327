package bench_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"longear/node"
	"longear/node/discovery"
	"longear/store"
)

// alone is discovery that finds nobody: benchmarks connect by address.
func alone() discovery.Config {
	return discovery.Config{
		LoopbackOnly: true,
		Off:          []discovery.Rung{discovery.Beacons, discovery.MDNS, discovery.Gateway, discovery.Remembered},
	}
}

// running is a node and what ends it.
type running struct {
	*node.Node
	store *store.Store
	stop  func() // ends the node and waits for it; the store stays open
}

// start runs a node over a store, with discovery that finds nobody; of cfg.Discovery only the watcher is used, and the rungs
// that are off if any. Without a Host seam it listens on loopback.
func start(tb testing.TB, cfg node.Config) running {
	tb.Helper()
	given := cfg.Discovery
	cfg.Discovery = alone()
	cfg.Discovery.Watcher = given.Watcher
	if given.Off != nil {
		cfg.Discovery.Off = given.Off
	}
	if cfg.Host == nil && cfg.Listen == nil {
		cfg.Listen = []string{"/ip4/127.0.0.1/udp/0/quic-v1"}
		if cfg.NoQUIC {
			cfg.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
		}
	}
	n, err := node.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(tb.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	select {
	case <-n.Ready():
	case err := <-ended:
		cancel()
		tb.Fatalf("run: %v", err)
	}
	return running{n, cfg.Store, func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("run: %v", err)
		}
	}}
}

// connect makes one node dial another.
func connect(tb testing.TB, from running, addr string) {
	tb.Helper()
	if err := from.Connect(addr); err != nil {
		tb.Fatal(err)
	}
}

func addr(n running) string { return n.Addrs()[0].String() }

// await polls until ok. It is for real sockets, which virtual time cannot hold.
func await(tb testing.TB, what string, limit time.Duration, ok func() bool) {
	tb.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// has waits until a store keeps so many messages.
func has(tb testing.TB, st *store.Store, want int) {
	tb.Helper()
	await(tb, "all messages", 3*time.Minute, func() bool { return st.Stats().Messages >= int64(want) })
}

// closeStore closes a store that a benchmark opened, however long the merges take that are under way.
func closeStore(tb testing.TB, st *store.Store) {
	tb.Helper()
	err := st.Close()
	for errors.Is(err, store.ErrUnfinished) {
		tb.Log(err)
		err = st.Close()
	}
	if err != nil {
		tb.Errorf("close: %v", err)
	}
}
