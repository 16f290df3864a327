package crowd

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/quicreuse"
	"github.com/quic-go/quic-go"
	"go.uber.org/fx"

	"longear/node"
	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
	"longear/protocol"
	"longear/store"
)

// role is what a member does to others.
type role uint8

const (
	honest  role = iota
	mute         // takes and never forwards
	liar         // lies in sync
	flooder      // floods
	ager         // lies about ages
)

// deceives reports whether a member writes other things than its node.
func (r role) deceives() bool { return r == mute || r == liar || r == ager }

// member is one node of the world through all its lives, with the store it keeps and the clock it believes.
type member struct {
	w      *World
	number int
	hub    bool
	key    ed25519.PrivateKey
	seal   *protocol.SealKey // opens direct messages to it
	store  *store.Store
	dir    string       // of the store; "": it is in memory, and outlives the crashes
	skew   atomic.Int64 // its clock less the world's, in nanoseconds
	role   atomic.Uint32
	flood  *flood
	meter  meter

	life    int // how often it was started
	node    *node.Node
	host    host.Host
	info    peer.AddrInfo // of this life
	running bool
	left    string // the files of a store as a crash has left them
	late    bool   // not here yet
	dozing  bool
	stop    func() error
	past    tally // of the lives before
	// returned is what came back to the stores before this one that had died early.
	returned uint64
}

// rng is a source of chance of its own for each purpose, so that one more use of one does not change the others.
func rng(seed uint64, purpose string, n int) *rand.Rand {
	h := uint64(14695981039346656037)
	for _, b := range []byte(purpose) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h+uint64(n)*0x9e3779b97f4a7c15))
}

// keyOf makes a key that the seed alone decides.
func keyOf(seed uint64, purpose string, n int) ed25519.PrivateKey {
	r := rng(seed, purpose, n)
	b := make([]byte, 0, ed25519.SeedSize)
	for range ed25519.SeedSize / 8 {
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return ed25519.NewKeyFromSeed(b)
}

func (w *World) newMember(number int, hub bool) (*member, error) {
	m := &member{w: w, number: number, hub: hub, key: keyOf(w.seed, "author", number)}
	var err error
	if m.seal, err = protocol.ParseSealKey(keyOf(w.seed, "seal", number).Seed()); err != nil {
		return nil, fmt.Errorf("make node %d: %w", number, err)
	}
	if w.opts.disk != "" {
		m.dir = filepath.Join(w.opts.disk, lifeOf(number, 0))
	}
	if err := m.open(); err != nil {
		return nil, fmt.Errorf("make node %d: %w", number, err)
	}
	return m, nil
}

// open opens the store: in memory, or what is in the folder.
func (m *member) open() (err error) {
	begin := time.Now()
	m.store, err = store.Open(store.Config{
		Dir: m.dir, Quota: m.w.opts.quota,
		Clock:     store.Clock{Wall: m.wall, Mono: func() time.Duration { return time.Since(begin) }},
		FreeSpace: func(string) (uint64, error) { return 512 << 20, nil }, // enough, and too little for each to lay a ballast
	})
	return err
}

// wall is the time of day that the member believes.
func (m *member) wall() time.Time { return time.Now().Add(time.Duration(m.skew.Load())) }

func (m *member) is(r role) bool { return role(m.role.Load()) == r }

// lifeLabel marks all goroutines of a member's life, which pass it on to those that they start.
const lifeLabel = "life"

func lifeOf(number, life int) string { return fmt.Sprintf("n%d.%d", number, life) }

// start begins a life with the store that is there.
func (m *member) start() (err error) {
	m.life++
	pprof.Do(m.w.ctx, pprof.Labels(lifeLabel, lifeOf(m.number, m.life)), func(ctx context.Context) { err = m.live(ctx) })
	return err
}

// live is start, in goroutines that are marked.
func (m *member) live(ctx context.Context) error {
	profile := node.Phone
	if m.hub {
		profile = node.Hub
	}
	watcher := discovery.NewWatcher(func() ([]discovery.Interface, error) { return nil, nil })
	if m.w.groups == nil {
		watcher.Set([]discovery.Interface{m.iface()})
	}
	n, err := node.New(node.Config{
		Store: m.store, Key: m.key, Profile: profile, Host: m.newHost,
		Clock: store.Clock{Wall: m.wall},
		Discovery: discovery.Config{Watcher: watcher, Wifi: m.wifi(watcher), Off: []discovery.Rung{
			discovery.Typed, discovery.Remembered, discovery.Gateway, discovery.Beacons, discovery.MDNS,
		}},
		Arrived: m.arrived,
		Step:    slot,
	})
	if err != nil {
		return fmt.Errorf("make node %d: %w", m.number, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1) // of one: the end is told once, whether or not anybody waits
	go func() { ended <- n.Run(ctx) }()
	select {
	case <-n.Ready():
	case err := <-ended:
		cancel()
		return fmt.Errorf("start node %d: %w", m.number, err)
	}
	m.node, m.running = n, true
	m.info = peer.AddrInfo{ID: m.host.ID(), Addrs: m.host.Addrs()}
	m.w.ledger.meet(m.info.ID, m.number)
	m.stop = func() error {
		cancel()
		return <-ended
	}
	return nil
}

// wifi is what the node makes groups with; nil where there are none.
func (m *member) wifi(watch *discovery.Watcher) *wifidirect.Config {
	g := m.w.groups
	if g == nil {
		return nil
	}
	watch.Set(nil) // there is no interface without a group
	battery := g.say.Battery && !m.hub
	return &wifidirect.Config{
		Radio: &tap{m: m, radio: g.radios[m.number], watch: watch},
		Port:  func() uint16 { return radioPort },
		Hub:   m.hub, Places: g.places(m.number), Battery: func() bool { return battery },
	}
}

// freeze loses what is on its way to the node, whose links are down. What its folder holds once it has done what it was doing is what a crash
// leaves of it.
func (m *member) freeze() {
	if e := m.w.air.at[m.number].Load(); e != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.queue, e.waiting = nil, 0
	}
}

// end ends the life without a word to anybody: its links are down by now. A store on disk is not closed for the life to come: that one finds
// the files as they were when the process ended, with what waited in memory lost.
func (m *member) end() error {
	if !m.running {
		return nil
	}
	m.running = false
	err := m.stop()
	m.past = m.past.plus(tallyOf(m.node.Status()))
	m.node, m.host = nil, nil
	if m.dir != "" {
		err = errors.Join(err, m.reopen())
	}
	if err != nil {
		return fmt.Errorf("end node %d: %w", m.number, err)
	}
	return nil
}

// leave copies the store's files as they are.
func (m *member) leave() error {
	m.left = filepath.Join(m.w.opts.disk, lifeOf(m.number, m.life))
	return os.CopyFS(m.left, os.DirFS(m.dir))
}

// reopen puts what was left in the place of the store.
func (m *member) reopen() error {
	m.returned += m.store.Stats().Returned
	if err := errors.Join(m.store.Close(), os.RemoveAll(m.dir)); err != nil {
		return err
	}
	m.dir = m.left
	return m.open()
}

// keeps reports whether the store has a message that it would give to others.
func (m *member) keeps(p *post) bool {
	_, err := m.store.Get(p.msg.ID)
	return err == nil
}

// arrived is told by the node of every message that it took.
func (m *member) arrived(a node.Arrival) {
	stats := m.store.Stats()
	m.w.ledger.arrived(m.number, a, stats.Evicted+m.returned+stats.Returned)
}

// iface is the one network that everybody is on.
func (m *member) iface() discovery.Interface {
	ip, _ := netip.AddrFromSlice(addrOf(m.number))
	return discovery.Interface{
		Index: 1, Name: "radio0", Flags: net.FlagUp | net.FlagRunning | net.FlagBroadcast | net.FlagMulticast,
		Addrs: []netip.Prefix{netip.PrefixFrom(ip, 8)},
	}
}

// newHost makes the member's host: the node's own, with its limits and bans, over the air in place of sockets.
func (m *member) newHost(options node.HostOptions) (host.Host, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(keyOf(m.w.seed, fmt.Sprint("peer", m.life), m.number))
	if err != nil {
		return nil, err
	}
	opts, err := options()
	if err != nil {
		return nil, err
	}
	h, err := libp2p.New(append(
		opts,
		libp2p.Identity(key),
		libp2p.ListenAddrStrings(fmt.Sprintf("/ip4/%s/udp/%d/quic-v1", addrOf(m.number), radioPort)),
		m.overAir(),
		libp2p.Transport(libp2pquic.NewTransport),
	)...)
	if err != nil {
		return nil, err
	}
	m.host = h
	return &guise{Host: &metered{Host: h, m: &m.meter}, m: m}, nil
}

// fixedIP is the address that QUIC sends from.
type fixedIP net.IP

// PreferredSourceIPForDestination implements quicreuse.SourceIPSelector.
func (f fixedIP) PreferredSourceIPForDestination(*net.UDPAddr) (net.IP, error) { return net.IP(f), nil }

// overAir lets QUIC listen on the air.
func (m *member) overAir() libp2p.Option {
	return libp2p.QUICReuse(
		func(l fx.Lifecycle, reset quic.StatelessResetKey, token quic.TokenGeneratorKey, opts ...quicreuse.Option) (*quicreuse.ConnManager, error) {
			cm, err := quicreuse.NewConnManager(reset, token, opts...)
			if err == nil {
				l.Append(fx.StopHook(cm.Close)) // libp2p closes only the one it made itself
			}
			return cm, err
		},
		quicreuse.OverrideSourceIPSelector(func() (quicreuse.SourceIPSelector, error) { return fixedIP(addrOf(m.number)), nil }),
		quicreuse.OverrideListenUDP(func(string, *net.UDPAddr) (net.PacketConn, error) {
			return m.w.air.listen(m.number, m.w.seed), nil
		}),
	)
}
