package bench_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/x/simlibp2p"
	"github.com/marcopolo/simnet"

	"longear/node"
	"longear/node/discovery"
	"longear/store"
)

// world is nodes on a simulated network, inside a synctest bubble: full QUIC hosts, real stores in memory, virtual time.
type world struct {
	tb      testing.TB
	sim     *simnet.Simnet
	link    simnet.NodeBiDiLinkSettings
	hosts   []host.Host
	members []running
	// discovery is what nodes that join have; the zero value is noInterfaces.
	discovery discovery.Config
}

// newWorld makes an empty network whose packets travel for way, one way. It ends with the returned function, which the bubble
// has to call before it ends.
func newWorld(tb testing.TB, way time.Duration) (*world, func()) {
	tb.Helper()
	speed := simnet.LinkSettings{BitsPerSecond: 20 * simlibp2p.OneMbps}
	w := &world{
		tb:   tb,
		sim:  &simnet.Simnet{LatencyFunc: simnet.StaticLatency(way)},
		link: simnet.NodeBiDiLinkSettings{Downlink: speed, Uplink: speed},
	}
	w.sim.Start()
	return w, func() {
		for _, m := range w.members {
			m.stop()
			closeStore(tb, m.store)
		}
		w.sim.Close()
	}
}

// join starts a node with a new author's key and an empty store.
func (w *world) join() running {
	w.tb.Helper()
	st, err := store.Open(store.Config{})
	if err != nil {
		w.tb.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		w.tb.Fatal(err)
	}
	find := w.discovery
	if find.Watcher == nil {
		find = noInterfaces()
	}
	m := start(w.tb, node.Config{Store: st, Key: key, Host: w.newHost, Discovery: find})
	w.members = append(w.members, m)
	return m
}

func (w *world) newHost(node.HostOptions) (host.Host, error) {
	h, err := libp2p.New(
		libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/%s/udp/8000/quic-v1", simnet.IntToPublicIPv4(len(w.hosts)))),
		simlibp2p.QUICSimnet(w.sim, w.link),
		libp2p.DisableIdentifyAddressDiscovery(), // it stalls a bubble
		libp2p.DisableRelay(), libp2p.DisableMetrics(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
	)
	if err == nil {
		w.hosts = append(w.hosts, h)
	}
	return h, err
}

// dial connects two members, by their number, and returns when the connection is up.
func (w *world) dial(from, to int) {
	w.tb.Helper()
	info := peer.AddrInfo{ID: w.hosts[to].ID(), Addrs: w.hosts[to].Addrs()}
	if err := w.hosts[from].Connect(w.tb.Context(), info); err != nil {
		w.tb.Fatal(err)
	}
}

// noInterfaces keeps discovery from asking the operating system in virtual time.
func noInterfaces() discovery.Config {
	return discovery.Config{Watcher: discovery.NewWatcher(func() ([]discovery.Interface, error) { return nil, nil })}
}
