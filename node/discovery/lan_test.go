package discovery_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"longear/node/discovery"
)

// peerID returns the ID of a key made from n: the same n, the same ID.
func peerID(t testing.TB, n int) peer.ID {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, fmt.Sprintf("peer %d", n))
	pub, err := crypto.UnmarshalEd25519PublicKey(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// lowAndHigh returns two IDs, the lower first.
func lowAndHigh(t testing.TB) (low, high peer.ID) {
	a, b := peerID(t, 1), peerID(t, 2)
	if a > b {
		a, b = b, a
	}
	return a, b
}

// dialer is a Dialer that notes what it was asked.
type dialer struct {
	err func(peer.AddrInfo) error // nil: every dial works

	mu      sync.Mutex    // guards the fields below
	took    time.Duration // by each dial
	dials   []attempt
	up      map[peer.ID]bool
	now     int
	most    int                // dials at the same time, ever
	noted   *discovery.Ladder  // told of links, if set
	started chan peer.AddrInfo // if set, gets every dial
}

type attempt struct {
	at   time.Time
	info peer.AddrInfo
}

func (d *dialer) Connected(p peer.ID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.up[p]
}

func (d *dialer) Dial(ctx context.Context, info peer.AddrInfo) error {
	d.mu.Lock()
	d.dials = append(d.dials, attempt{time.Now(), info})
	d.now++
	d.most = max(d.most, d.now)
	took := d.took
	d.mu.Unlock()
	if d.started != nil {
		select {
		case d.started <- info:
		default:
		}
	}
	if took > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(took):
		}
	}
	d.mu.Lock()
	d.now--
	d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.err != nil {
		if err := d.err(info); err != nil {
			return err
		}
	}
	d.mu.Lock()
	if d.up == nil {
		d.up = make(map[peer.ID]bool)
	}
	d.up[info.ID] = true
	l := d.noted
	d.mu.Unlock()
	if l != nil {
		l.Connected(info.ID, info.Addrs[0])
	}
	return nil
}

// met notes a link that came up from the other side.
func (d *dialer) met(p peer.ID, remote ma.Multiaddr) {
	d.mu.Lock()
	if d.up == nil {
		d.up = make(map[peer.ID]bool)
	}
	d.up[p] = true
	l := d.noted
	d.mu.Unlock()
	l.Connected(p, remote)
}

func (d *dialer) drop(p peer.ID) {
	d.mu.Lock()
	delete(d.up, p)
	l := d.noted
	d.mu.Unlock()
	l.Disconnected(p, nil)
}

// made returns the dials so far.
func (d *dialer) made() []attempt {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]attempt(nil), d.dials...)
}

// underWay counts the dials that have not ended.
func (d *dialer) underWay() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// peak is the largest number of dials there were at one time.
func (d *dialer) peak() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.most
}

// forget begins to count anew.
func (d *dialer) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dials, d.most = nil, d.now
}

// links counts the peers that are connected.
func (d *dialer) links() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.up)
}

// takes says how long each dial takes from now on.
func (d *dialer) takes(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.took = t
}

// to returns the dials of p so far.
func (d *dialer) to(p peer.ID) []attempt {
	var out []attempt
	for _, a := range d.made() {
		if a.info.ID == p {
			out = append(out, a)
		}
	}
	return out
}

// wlan is an interface with the given addresses.
func wlan(addrs ...string) discovery.Interface {
	i := discovery.Interface{Index: 7, Name: "wlan0", Flags: net.FlagUp | net.FlagMulticast}
	for _, a := range addrs {
		i.Addrs = append(i.Addrs, netip.MustParsePrefix(a))
	}
	return i
}

func watcher(list ...discovery.Interface) *discovery.Watcher {
	return discovery.NewWatcher(func() ([]discovery.Interface, error) { return list, nil })
}

func ports() discovery.Ports { return discovery.Ports{TCP: 4001, QUIC: 4001} }

// quiet switches off every rung that touches the network.
var quiet = []discovery.Rung{discovery.Typed, discovery.Remembered, discovery.Gateway, discovery.Beacons, discovery.MDNS}

// start runs a ladder until the test ends or stop is called, and fails the test if Run does not return then.
func start(t testing.TB, l *discovery.Ladder) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v, want nil", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func newLadder(t testing.TB, cfg discovery.Config) *discovery.Ladder {
	t.Helper()
	if cfg.Ports == nil {
		cfg.Ports = ports
	}
	l, err := discovery.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// line returns the status of one rung.
func line(t testing.TB, l *discovery.Ladder, r discovery.Rung) discovery.RungStatus {
	t.Helper()
	for _, s := range l.Status() {
		if s.Rung == r {
			return s
		}
	}
	t.Fatalf("no status for %s", r)
	return discovery.RungStatus{}
}

// leaked waits a little for goroutines of the package to end and returns the stacks of those that did not.
func leaked() string {
	for range 50 {
		buf := make([]byte, 1<<20)
		buf = buf[:runtime.Stack(buf, true)]
		var left []string
		for g := range strings.SplitSeq(string(buf), "\n\n") {
			if strings.Contains(g, "longear/node/discovery.") && !strings.Contains(g, "testing.tRunner") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return ""
		}
		runtime.Gosched()
		<-time.After(10 * time.Millisecond)
		if len(left) > 0 {
			continue
		}
	}
	buf := make([]byte, 1<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
