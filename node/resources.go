package node

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// local are the address ranges of networks that people carry with them. libp2p's defaults grant eight
// connections to an IPv6 /56, which is a whole crowd behind one access point.
var local = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("fe80::/10"),
}

// isLocal reports whether an address belongs to a network at hand, so that a LocalOnly message may use it.
func isLocal(a netip.Addr) bool {
	for _, p := range local {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

// newResources bounds memory, descriptors and connections. The local ranges get room for a crowd but not
// without end: a flooder is on the same network as everybody else.
func newResources(lim limits) (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)
	limiter := rcmgr.NewFixedLimiter(scaling.Scale(lim.memory, lim.descriptors))
	var v4, v6 []rcmgr.NetworkPrefixLimit
	var rates []rate.PrefixLimit
	for _, p := range local {
		if p.Addr().Is4() {
			v4 = append(v4, rcmgr.NetworkPrefixLimit{Network: p, ConnCount: lim.perPrefix})
		} else {
			v6 = append(v6, rcmgr.NetworkPrefixLimit{Network: p, ConnCount: lim.perPrefix})
		}
		rates = append(rates, rate.PrefixLimit{Prefix: p, Limit: rate.Limit{RPS: 20, Burst: 100}})
	}
	all, err := rcmgr.NewResourceManager(limiter,
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithNetworkPrefixLimit(v4, v6),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: rates,
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: 0.2, Burst: 16}}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: rate.Limit{RPS: 0.2, Burst: 16}}},
			},
		}))
	if err != nil {
		return nil, err
	}
	each := rate.Limit{RPS: addressRate, Burst: 2 * lim.perAddress}
	return &shares{ResourceManager: all, most: lim.perAddress, rate: rate.Limiter{SubnetRateLimiter: rate.SubnetLimiter{
		IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: each}},
		IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 128, Limit: each}},
	}}}, nil
}

// addressRate is how many connections a second one address may begin in the long run: a tenth of what its range may.
const addressRate = 2

// shares is a resource manager that leaves no address all the places of its range, nor all its turns: one laptop with many peer IDs would
// keep everybody else on the network out. Connections count from their first packet, and those that this node made too: a beacon
// can ask for them. Loopback, where all peers are on this machine, is one of its own.
//
// BUG(node): who can take many addresses of a network gets further: limits.perPrefix over limits.perAddress of them fill it.
type shares struct {
	network.ResourceManager
	most int
	rate rate.Limiter // of an address

	mu   sync.Mutex
	open map[netip.Addr]int // guarded by mu; connections, never 0
}

// OpenConnection implements network.ResourceManager.
func (s *shares) OpenConnection(dir network.Direction, usefd bool, endpoint ma.Multiaddr) (network.ConnManagementScope, error) {
	ip, err := manet.ToIP(endpoint)
	addr, _ := netip.AddrFromSlice(ip)
	if addr = addr.Unmap(); err != nil || addr.IsLoopback() {
		return s.ResourceManager.OpenConnection(dir, usefd, endpoint)
	}
	if !s.take(addr) {
		return nil, fmt.Errorf("%v has %d connections: %w", addr, s.most, network.ErrResourceLimitExceeded)
	}
	var scope network.ConnManagementScope
	if err = errAddressRate; s.rate.Allow(addr) {
		scope, err = s.ResourceManager.OpenConnection(dir, usefd, endpoint)
	}
	if err != nil {
		s.give(addr)
		return nil, err
	}
	return &place{ConnManagementScope: scope, leave: sync.OnceFunc(func() { s.give(addr) })}, nil
}

// errAddressRate refuses an address that connects anew too often.
var errAddressRate = errors.New("too many new connections of one address")

func (s *shares) take(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[a] >= s.most {
		return false
	}
	if s.open == nil {
		s.open = make(map[netip.Addr]int)
	}
	s.open[a]++
	return true
}

func (s *shares) give(a netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[a]--; s.open[a] == 0 {
		delete(s.open, a)
	}
}

// place is a connection's share.
type place struct {
	network.ConnManagementScope
	leave func()
}

// Done implements network.ResourceScopeSpan. It may come more than once.
func (p *place) Done() {
	p.ConnManagementScope.Done()
	p.leave()
}
