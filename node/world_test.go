package node_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"longear/node"
	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

// world is a simulated network of real nodes inside a synctest bubble: everything but the wire is real.
type world struct {
	t     *testing.T
	net   *simnet.Simnet
	hosts int
	nodes []*member
	dark  atomic.Bool // no packet arrives any more
	// radios are what hosts send over that have a poor one, by IP address.
	radios sync.Map
}

// never is longer than a test takes.
const never = 1000 * time.Hour

type member struct {
	*node.Node
	store *store.Store
	key   ed25519.PrivateKey
	host  host.Host
	stop  func()
}

// inWorld runs a test in a bubble with a network of 5 ms one-way latency.
func inWorld(t *testing.T, test func(t *testing.T, w *world)) {
	inWorldAt(t, 5*time.Millisecond, test)
}

// inWorldAt is inWorld where packets take so long.
func inWorldAt(t *testing.T, oneWay time.Duration, test func(t *testing.T, w *world)) {
	defer oneProcessor()()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.net = &simnet.Simnet{LatencyFunc: func(p *simnet.Packet) time.Duration {
			if w.dark.Load() {
				return never
			}
			if r, ok := w.radios.Load(p.From.(*net.UDPAddr).IP.String()); ok {
				return oneWay + r.(*radio).carry(p)
			}
			return oneWay
		}}
		w.net.Start()
		defer w.net.Close()
		defer func() {
			for _, m := range w.nodes {
				m.stop()
			}
		}()
		test(t, w)
	})
}

// listen makes a bare host on the network: a peer that does what the test says.
func (w *world) listen() host.Host {
	w.t.Helper()
	link := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
	addr := fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", simnet.IntToPublicIPv4(w.hosts))
	w.hosts++
	h, err := libp2p.New(
		libp2p.ListenAddrStrings(addr),
		simlibp2p.QUICSimnet(w.net, simnet.NodeBiDiLinkSettings{Downlink: link, Uplink: link}),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableMetrics(),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	return h
}

// add starts a node. st is its store from an earlier life, or nil for a new one.
func (w *world) add(st *store.Store) *member {
	w.t.Helper()
	return w.join(st, func(*node.Config) {})
}

// join starts a node whose configuration is edited first.
func (w *world) join(st *store.Store, edit func(*node.Config)) *member {
	w.t.Helper()
	if st == nil {
		var err error
		if st, err = store.Open(store.Config{}); err != nil {
			w.t.Fatal(err)
		}
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	m := &member{store: st, key: key, host: w.listen()}
	cfg := node.Config{
		Store: st, Key: key, Discovery: blind(),
		Host: func(node.HostOptions) (host.Host, error) { return m.host, nil },
		Log:  slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	edit(&cfg)
	m.Node, err = node.New(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	<-m.Ready()
	m.stop = func() {
		if m.stop == nil {
			return
		}
		m.stop = func() {}
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("run: %v", err)
		}
		if err := st.Close(); err != nil {
			w.t.Errorf("close: %v", err)
		}
	}
	w.nodes = append(w.nodes, m)
	return m
}

// blind is discovery that opens no socket: a bubble has no real ones.
func blind() discovery.Config {
	return discovery.Config{LoopbackOnly: true, Off: []discovery.Rung{
		discovery.Typed, discovery.Remembered, discovery.Gateway, discovery.Beacons, discovery.MDNS, discovery.WifiDirect,
	}}
}

// meet connects two nodes.
func (w *world) meet(a, b *member) {
	w.t.Helper()
	if err := a.host.Connect(w.t.Context(), peer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()}); err != nil {
		w.t.Error(err)
	}
}

// post publishes n messages at a node.
func (m *member) post(t *testing.T, n int) []*protocol.Message {
	t.Helper()
	var out []*protocol.Message
	for i := range n {
		msg, err := m.Publish(t.Context(), protocol.Draft{Channel: water(t), Body: fmt.Appendf(nil, "water at gate %d", i)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, msg)
	}
	return out
}

// lacks counts the messages that a node does not have, byte for byte.
func (m *member) lacks(t *testing.T, msgs []*protocol.Message) int {
	t.Helper()
	n := 0
	for _, msg := range msgs {
		e, err := m.store.Get(msg.ID)
		if err != nil || !e.Message.Equal(msg) {
			n++
		}
	}
	return n
}
