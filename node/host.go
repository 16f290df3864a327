package node

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"

	"longear/node/discovery"
)

// userAgent is the same for every version and platform: identify shows it to every peer.
const userAgent = "longear"

// limits are what a profile allows.
type limits struct {
	connLow, connHigh int   // the connection manager trims from high to low
	perPrefix         int   // connections from one private prefix
	perAddress        int   // connections from one address
	memory            int64 // bytes the resource manager hands out
	descriptors       int
	meshWide          bool // a hub holds a wider gossip mesh
}

func (p Profile) limits() limits {
	// One address may be several people: a phone that shares its network has up to 10 behind it, some 16; a router with a network of its own has a
	// crowd. Whoever has a sync link is not trimmed, so perAddress is well below connLow: one address never fills what a node keeps.
	if p == Hub {
		return limits{connLow: 200, connHigh: 300, perPrefix: 512, perAddress: 64, memory: 2 << 30, descriptors: 8192, meshWide: true}
	}
	return limits{connLow: 24, connHigh: 40, perPrefix: 64, perAddress: 16, memory: 256 << 20, descriptors: 1024}
}

// newHost makes a libp2p host that knows nothing of the internet: explicit transports, no relay, no NAT
// traversal, no observed addresses. It does not listen yet, so that every handler is registered before the
// first peer can identify us: identify pushes a later one at the rate of one in five seconds.
func (n *Node) newHost() (host.Host, error) {
	if n.cfg.Host != nil {
		return n.cfg.Host(n.hostOptions)
	}
	opts, err := n.hostOptions()
	if err != nil {
		return nil, err
	}
	opts = append(
		opts,
		libp2p.NoListenAddrs,
		libp2p.Transport(tcp.NewTCPTransport, tcp.WithDialerForAddr(linkLocalDialer), tcp.DisableReuseport()),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, newMuxer()),
	)
	if !n.cfg.NoQUIC {
		opts = append(opts, libp2p.Transport(libp2pquic.NewTransport))
	}
	return libp2p.New(opts...)
}

// newMuxer is libp2p's own for TCP, but for a poor radio too, which takes a second for 5 kB: a frame of the default's size would take longer than
// it gives it, and no other frame would pass. A ping waits behind what the socket holds.
func newMuxer() *yamux.Transport {
	m := *yamux.DefaultTransport
	m.MaxMessageSize = 8 << 10
	m.ConnectionWriteTimeout = 30 * time.Second
	m.KeepAliveInterval = 15 * time.Second
	return &m
}

// dialTimeout is libp2p's own, which is not to end a dial before discovery does.
const dialTimeout = 15 * time.Second

// hostOptions are HostOptions.
func (n *Node) hostOptions() ([]libp2p.Option, error) {
	lim := n.cfg.Profile.limits()
	manager, err := connmgr.NewConnManager(lim.connLow, lim.connHigh, connmgr.WithGracePeriod(20*time.Second))
	if err != nil {
		return nil, fmt.Errorf("connection manager: %w", err)
	}
	resources, err := newResources(lim)
	if err != nil {
		return nil, fmt.Errorf("resource limits: %w", err)
	}
	book, err := newPeerstore()
	if err != nil {
		return nil, fmt.Errorf("peerstore: %w", err)
	}
	return []libp2p.Option{
		libp2p.UserAgent(userAgent),
		libp2p.DisableRelay(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.DisableMetrics(),
		libp2p.ForceReachabilityPrivate(),
		libp2p.UDPBlackHoleSuccessCounter(nil),
		libp2p.IPv6BlackHoleSuccessCounter(nil),
		libp2p.ConnectionManager(manager),
		libp2p.SwarmOpts(swarm.WithDialTimeoutLocal(dialTimeout)),
		libp2p.ResourceManager(resources),
		libp2p.Peerstore(book),
		libp2p.AddrsFactory(n.announced),
		libp2p.ConnectionGater(&n.bans),
	}, nil
}

// announced is what identify tells a peer: the live addresses of the interfaces with the ports we listen on.
// libp2p's own list is up to a minute old, and empty for that long after an interface came up.
func (n *Node) announced(known []ma.Multiaddr) []ma.Multiaddr {
	if n.cfg.Discovery.LoopbackOnly || n.cfg.Discovery.Loopback {
		return known
	}
	return n.watcher.Announce(portsOf(known))
}

// linkLocalDialer lets libp2p dial fe80:: addresses in disguise, which it refuses to dial plainly.
func linkLocalDialer(ma.Multiaddr) (tcp.ContextDialer, error) {
	return discovery.LinkLocalDialer{}, nil
}

// ports are where the host listens now.
func (n *Node) ports() discovery.Ports { return portsOf(n.host.Network().ListenAddresses()) }

func portsOf(addrs []ma.Multiaddr) discovery.Ports {
	var p discovery.Ports
	for _, a := range addrs {
		if v, err := a.ValueForProtocol(ma.P_TCP); err == nil && p.TCP == 0 {
			p.TCP = parsePort(v)
		}
		if v, err := a.ValueForProtocol(ma.P_UDP); err == nil && p.QUIC == 0 {
			p.QUIC = parsePort(v)
		}
	}
	return p
}

func parsePort(s string) uint16 {
	v, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(v)
}

// listen opens the doors: the fixed port if it is free, any other if not.
func (n *Node) listen() error {
	if n.cfg.Host != nil && n.cfg.Listen == nil {
		return nil
	}
	if n.cfg.Listen != nil {
		addrs := make([]ma.Multiaddr, 0, len(n.cfg.Listen))
		for _, s := range n.cfg.Listen {
			a, err := ma.NewMultiaddr(s)
			if err != nil {
				return fmt.Errorf("listen on %q: %w (an address looks like /ip4/0.0.0.0/tcp/%d)", s, err, Port)
			}
			addrs = append(addrs, a)
		}
		if err := n.host.Network().Listen(addrs...); err != nil {
			return fmt.Errorf("listen on %v: %w", n.cfg.Listen, err)
		}
		return nil
	}
	port := Port
	if !n.free(Port) {
		port = 0
	}
	if err := n.host.Network().Listen(n.everywhere(port)...); err != nil && len(n.host.Network().ListenAddresses()) == 0 {
		return fmt.Errorf("listen on port %d: %w", port, err)
	}
	return nil
}

// free reports whether nobody listens on a port yet, TCP or UDP. It is asked before libp2p listens, because libp2p reports no
// error when one of several addresses is taken.
func (n *Node) free(port int) bool {
	at := fmt.Sprintf(":%d", port)
	if n.cfg.Discovery.LoopbackOnly {
		at = "127.0.0.1" + at
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return false
	}
	l.Close()
	p, err := net.ListenPacket("udp", at)
	if err != nil {
		return false
	}
	p.Close()
	return true
}

// everywhere is TCP and QUIC on every interface, IPv4 and IPv6, or on loopback alone.
func (n *Node) everywhere(port int) []ma.Multiaddr {
	v4, v6 := "0.0.0.0", "::"
	if n.cfg.Discovery.LoopbackOnly {
		v4, v6 = "127.0.0.1", "::1"
	}
	var addrs []ma.Multiaddr
	for _, ip := range []string{"/ip4/" + v4, "/ip6/" + v6} {
		addrs = append(addrs, ma.StringCast(fmt.Sprintf("%s/tcp/%d", ip, port)))
		if !n.cfg.NoQUIC {
			addrs = append(addrs, ma.StringCast(fmt.Sprintf("%s/udp/%d/quic-v1", ip, port)))
		}
	}
	return addrs
}
