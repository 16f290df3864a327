package node_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"longear/node"
	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

// alone is discovery that finds nobody: tests connect by address.
func alone() discovery.Config {
	return discovery.Config{LoopbackOnly: true, Off: []discovery.Rung{discovery.Beacons, discovery.MDNS, discovery.Gateway, discovery.Remembered}}
}

// start runs a node on loopback until the test ends.
func start(t *testing.T, edit func(*node.Config)) (*node.Node, *store.Store) {
	t.Helper()
	st, err := store.Open(store.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := node.Config{Store: st, Key: key, Discovery: alone(), Listen: []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}}
	if edit != nil {
		edit(&cfg)
	}
	n, err := node.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	select {
	case <-n.Ready():
	case err := <-ended:
		t.Fatalf("run: %v", err)
	}
	return n, st
}

// await polls until ok or the time is over. It is for tests with real sockets, which virtual time cannot hold.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func water(t testing.TB) protocol.Channel {
	t.Helper()
	c, err := protocol.PublicChannel("water")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStoredThenSynced(t *testing.T) {
	a, sa := start(t, nil)
	b, sb := start(t, nil)
	var want []protocol.ID
	for i := range 300 {
		m, err := a.Publish(t.Context(), protocol.Draft{Channel: water(t), Body: fmt.Appendf(nil, "at gate %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, m.ID)
	}
	for i := range 200 {
		if _, err := b.Publish(t.Context(), protocol.Draft{Channel: water(t), Body: fmt.Appendf(nil, "at gate %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Connect(a.Addrs()[0].String()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	await(t, "500 messages on both sides", func() bool {
		return sa.Stats().Messages == 500 && sb.Stats().Messages == 500
	})
	t.Logf("synced in %v: %+v", time.Since(began), a.Status().Sync)
	for _, id := range want {
		if sb.Known(id) != protocol.IgnoreKnown {
			t.Fatalf("b lacks %v", id)
		}
	}
	await(t, "carried by 1", func() bool {
		l, err := a.Life(want[0])
		return err == nil && l.State == "carried by 1"
	})
}

func TestLive(t *testing.T) {
	a, _ := start(t, nil)
	b, _ := start(t, nil)
	if err := a.Connect(b.Addrs()[0].String()); err != nil {
		t.Fatal(err)
	}
	await(t, "connected", func() bool { return a.Status().Peers == 1 && b.Status().Peers == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := make(chan protocol.ID, 100)
	go func() {
		for e, err := range b.Messages(ctx, node.Query{Channel: water(t), History: -1, Live: true}) { // the first may be here before it is asked for
			if err != nil {
				t.Error(err)
			}
			got <- e.Message.ID
		}
	}()
	for i := range 20 {
		began := time.Now()
		m, err := a.Publish(t.Context(), protocol.Draft{Channel: water(t), Body: fmt.Appendf(nil, "live %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case id := <-got:
			if id != m.ID {
				t.Fatalf("got %v, want %v", id, m.ID)
			}
			t.Logf("%d: %v", i, time.Since(began))
		case <-ctx.Done():
			t.Fatalf("message %d never came", i)
		}
	}
}
