// Package discovery finds peers on the networks around this machine and decides what may be dialled.
//
// No single way of finding peers works everywhere, so there is a ladder of them: a typed address, endpoints remembered
// from earlier runs, the gateway and the well-known access-point addresses, our own beacon (beacon.go), and mDNS. Each
// rung is one file, can be switched off alone, and fails alone. What a rung hears is a sighting: a hint that a peer
// may be reachable. A sighting passes admission (admission.go), enters the address book (book.go) and is dialled by
// one loop (redial.go).
//
// Invariants: an address heard over the network is the source of the datagram that carried it, never a claim inside
// it. Memory is bounded whatever is heard. Nothing is left running when [Ladder.Run] returns.
//
// The package never owns the libp2p host and knows nothing of messages or stores.
//
// BUG(discovery): where the system does not tell the interface and destination of a datagram (Windows), multicast leaves
// by the default interface only, and a known peer that asks by unicast is not answered.
package discovery

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/sync/errgroup"

	"longear/node/discovery/wifidirect"
)

// Rung names one way of finding peers.
type Rung string

// The rungs, in the order they are listed by [Ladder.Status].
const (
	Typed      Rung = "typed"
	Remembered Rung = "remembered"
	Gateway    Rung = "gateway"
	Beacons    Rung = "beacon"
	MDNS       Rung = "mdns"
	WifiDirect Rung = "wifi-direct" // also heard through [Ladder.Sight]
)

var rungs = []Rung{Typed, Remembered, Gateway, Beacons, MDNS, WifiDirect}

// Dialer is the node's host as discovery uses it. Both methods are called from several goroutines.
type Dialer interface {
	// Connected reports whether a live link to the peer exists.
	Connected(peer.ID) bool
	// Dial connects to the peer at the given addresses. It must clear whatever backoff the host keeps for the peer first:
	// discovery has its own. It ends when ctx does.
	Dial(ctx context.Context, info peer.AddrInfo) error
}

// Config says what a ladder needs. [New] copies it.
type Config struct {
	Self   peer.ID      // our own ID; sightings of it are dropped
	Dialer Dialer       // required
	Ports  func() Ports // where the host listens now; required. Nothing is announced while both are zero
	// Hint returns the size and digest of the store for our beacon; nil announces zeros.
	// It is called at every beacon and must not block.
	Hint func() (count uint32, digest [8]byte)

	Watcher      *Watcher // nil: one that asks the operating system
	Off          []Rung   // rungs that do nothing; none by default
	Typed        []string // see [Ladder.AddTyped]
	File         string   // where endpoints are remembered; "" remembers nothing
	Loopback     bool     // also beacon on and dial loopback: several nodes on one machine with no network
	LoopbackOnly bool     // nothing but loopback
	Degree       int      // links to seek; 0 means 12. See redial.go for what happens above it
	// Every returns the mean time between beacons, 5 s if nil. A saver mode returns more: it costs
	// discovery time and nothing else, since incoming beacons are still acted on. Clamped to 1 s .. 10 min.
	Every func() time.Duration
	// Wifi makes groups where there is no network; nil makes none. What the ladder knows itself (Self, Port if it is nil,
	// Neighbours, Report, Log) is filled in.
	Wifi *wifidirect.Config
	Gone func(netip.Addr) // an address of ours is gone: links on it are dead. Nil: they time out
	Log  *slog.Logger     // nil: silent
}

// Ladder runs all rungs. Its methods may be called at any time, from any goroutine.
type Ladder struct {
	cfg     Config
	watch   *Watcher
	book    *book
	gate    *admission
	asks    *asks
	typed   *typedList
	memory  *memory
	board   *board
	beacon  *beacon
	mdns    *mdns
	wifi    *wifi
	kick    chan struct{} // wakes the dial loop; one pending kick says all there is to say
	nudge   chan struct{} // wakes the asking rungs, likewise
	running atomic.Bool
}

// New returns a ladder that does nothing until [Ladder.Run]. It fails for a missing field or an address
// in cfg.Typed that cannot be understood.
func New(cfg Config) (*Ladder, error) {
	switch {
	case cfg.Self == "":
		return nil, errors.New("discovery: Config.Self is empty")
	case cfg.Dialer == nil:
		return nil, errors.New("discovery: Config.Dialer is nil")
	case cfg.Ports == nil:
		return nil, errors.New("discovery: Config.Ports is nil")
	}
	if cfg.Degree <= 0 {
		cfg.Degree = defaultDegree
	}
	if cfg.Watcher == nil {
		cfg.Watcher = NewWatcher(nil)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Ladder{
		cfg:   cfg,
		watch: cfg.Watcher,
		book:  newBook(cfg.Self),
		gate:  newAdmission(cfg),
		asks:  newAsks(),
		typed: &typedList{loopback: cfg.Loopback || cfg.LoopbackOnly},
		board: newBoard(cfg.Off),
		kick:  make(chan struct{}, 1),
		nudge: make(chan struct{}, 1),
	}
	l.beacon = newBeacon(l)
	l.mdns = newMDNS(l)
	var err error
	if l.wifi, err = newWifi(l); err != nil {
		return nil, err
	}
	if l.memory, err = newMemory(cfg.File, time.Now()); err != nil {
		l.log(Remembered, err)
	}
	for _, addr := range cfg.Typed {
		if err := l.typed.add(addr); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Run finds and dials peers until ctx ends, then says goodbye on the beacon, saves the remembered endpoints and
// returns nil. It may be called once. Trouble on the network is no reason to return: it is shown by [Ladder.Status].
func (l *Ladder) Run(ctx context.Context) error {
	if l.running.Swap(true) {
		return errors.New("discovery: Run called twice")
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range l.parts() {
		g.Go(func() error { return part(ctx) })
	}
	return g.Wait()
}

// AddTyped adds an address a person typed or scanned: a multiaddr with or without /p2p/, host, host:port or
// [fe80::1%eth0]:port, where host is an IP address. Without a peer ID the address is asked by beacon, at the port given
// and at [BeaconPort]. Typed addresses are exempt from admission's subnet rule. At most 32 are kept. The error says how to mend
// the address.
func (l *Ladder) AddTyped(addr string) error {
	if err := l.typed.add(addr); err != nil {
		return err
	}
	l.Nudge()
	return nil
}

// Sight tells the ladder of a peer found by other means than its own rungs (Wi-Fi Direct, an app's own service
// discovery). It takes the way of every sighting: addresses that admission refuses are dropped, and a stranger may have to wait.
func (l *Ladder) Sight(r Rung, info peer.AddrInfo) {
	for _, a := range info.Addrs {
		if p, ok := placeOf(a); ok {
			l.hear(sighting{rung: r, peer: info.ID, place: p})
		}
	}
}

// Connected tells the ladder that a link to p came up, in either direction. remote may be nil.
func (l *Ladder) Connected(p peer.ID, remote ma.Multiaddr) {
	rung, first := l.book.connected(p, remote, time.Now())
	if first {
		l.board.found(rung)
	}
	l.memory.learn(remote, time.Now())
	l.wake()
}

// Disconnected tells the ladder that the last link to p is gone. A peer still being heard is dialled again.
func (l *Ladder) Disconnected(p peer.ID, _ ma.Multiaddr) {
	l.book.disconnected(p, time.Now())
	if l.book.searching(time.Now()) {
		l.look()
	}
	l.wake()
}

// Found returns the rung that first saw p: "" if p was never seen (it dialled us, and may be seen yet) or is forgotten.
func (l *Ladder) Found(p peer.ID) Rung { return l.book.foundBy(p) }

// PeerHint returns what p's last beacon said of its store. Anyone on the segment can forge it: it may start a sync or
// delay one, never prevent one.
func (l *Ladder) PeerHint(p peer.ID) (count uint32, digest [8]byte, ok bool) { return l.book.hint(p) }

// Nudge makes every rung look now: the app came to the foreground, the user pressed a button.
func (l *Ladder) Nudge() {
	l.watch.Poll()
	l.look()
	l.book.forgive(time.Now())
	l.wake()
}

// look makes every rung look now.
func (l *Ladder) look() {
	for _, c := range []chan struct{}{l.nudge, l.beacon.nudge, l.mdns.nudge, l.mdns.poke} {
		select {
		case c <- struct{}{}:
		default: // one pending nudge says all
		}
	}
}

// SetInterfaces replaces the machine's interfaces and ends polling; see [Watcher.Set].
func (l *Ladder) SetInterfaces(list []Interface) { l.watch.Set(list) }

// Status returns one line per rung, in a fixed order.
func (l *Ladder) Status() []RungStatus { return l.board.status() }

// hear takes a sighting from any rung. It reports whether the peer is a stranger.
func (l *Ladder) hear(s sighting) bool {
	if s.peer == l.cfg.Self || s.peer == "" || l.off(s.rung) {
		return false
	}
	now := time.Now()
	l.board.heard(s.rung, now)
	if l.gate.refuse(s.place, s.rung) != nil {
		l.board.edit(s.rung, func(st *RungStatus) { st.Refused++ })
		return false
	}
	met, here, planned := l.book.touch(s, now)
	if planned {
		l.wake()
	}
	if here {
		return false
	}
	s.met = met
	if l.gate.offer(s, now) {
		l.enter(s, now)
	} else {
		l.board.edit(s.rung, func(st *RungStatus) { st.Limited++ })
	}
	return !met
}

// enter puts a sighting that passed admission into the book.
func (l *Ladder) enter(s sighting, now time.Time) {
	l.book.add(s, now)
	if l.book.credit(s.peer) {
		l.board.found(s.rung)
	}
	l.wake()
}

// parts lists what Run runs. With every rung off nothing wakes up by itself.
func (l *Ladder) parts() []func(context.Context) error {
	parts := []func(context.Context) error{
		l.redial,
		func(ctx context.Context) error { return l.gate.run(ctx, l.enter, l.challenge) },
	}
	if !l.allOff() {
		parts = append(parts, l.watch.run)
	}
	asking := !l.off(Typed) || !l.off(Remembered) || !l.off(Gateway)
	if asking {
		parts = append(parts, l.asking)
	}
	if asking || !l.off(Beacons) {
		parts = append(parts, l.beacon.run)
	}
	if !l.off(MDNS) {
		parts = append(parts, l.mdns.run)
	}
	if l.wifi.agent != nil {
		parts = append(parts, l.wifi.agent.Run, l.wifi.sight)
	}
	if l.cfg.File != "" {
		parts = append(parts, func(ctx context.Context) error {
			return l.memory.run(ctx, func(err error) { l.log(Remembered, err) })
		})
	}
	return parts
}

// scope returns the live interfaces that are ours to use.
func (l *Ladder) scope() []Interface {
	var out []Interface
	for _, i := range l.watch.Interfaces() {
		if i.loopback() && (l.cfg.Loopback || l.cfg.LoopbackOnly) || !i.loopback() && !l.cfg.LoopbackOnly {
			out = append(out, i)
		}
	}
	return out
}

// keepStation runs one protocol on the live interfaces: anew at every change, and after trouble with a jittered,
// growing pause that a change cuts short.
func (l *Ladder) keepStation(ctx context.Context, r Rung, run func(context.Context, *station, duties) error) error {
	for failures := 0; ctx.Err() == nil; {
		changed := l.watch.Changed()
		pause := time.Hour
		if s := (&station{watch: l.watch, ifaces: l.scope()}); len(s.ifaces) == 0 {
			l.board.set(r, StateWaiting)
		} else {
			began := time.Now()
			err := run(ctx, s, duties{changed: changed})
			if ctx.Err() != nil {
				break
			}
			if errors.Is(err, errChanged) {
				failures = 0
				continue
			}
			if time.Since(began) > time.Minute {
				failures = 0
			}
			l.board.set(r, StateRetrying)
			l.log(r, err)
			pause = jitter(time.Second << min(failures, 5))
			failures++
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-changed:
			failures = 0
		case <-t.C:
		}
		t.Stop()
	}
	return nil
}

// working notes that a rung works, perhaps with one leg missing.
func (l *Ladder) working(r Rung, trouble error) {
	if trouble != nil {
		l.log(r, trouble)
		return
	}
	l.board.edit(r, func(s *RungStatus) { s.Err = "" })
}

// wake makes the dial loop look at the book.
func (l *Ladder) wake() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// off reports whether a rung is switched off.
func (l *Ladder) off(r Rung) bool { return l.board.off(r) }

// allOff reports whether every rung is switched off.
func (l *Ladder) allOff() bool {
	return !slices.ContainsFunc(rungs, func(r Rung) bool { return !l.off(r) })
}

// log is where a part says that it goes on in spite of an error.
func (l *Ladder) log(r Rung, err error) {
	text := Unnamed(err.Error())
	l.board.fail(r, text)
	l.cfg.Log.Debug("discovery trouble", "rung", string(r), "err", text)
}
