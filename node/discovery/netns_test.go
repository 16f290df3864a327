package discovery_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/sync/errgroup"

	"longear/node/discovery"
)

// child is what a copy of the test binary does inside a network namespace: run a real host and a ladder, and print what happens.
type child struct {
	Off   []discovery.Rung
	Typed []string
	File  string
	Stock bool // libp2p's own mdns package instead of a ladder
	Stats bool // print heap and dials every second
	Flood flood
	// Capture prints every datagram on both groups instead.
	Capture bool
}

const childEnv = "LONGEAR_DISCOVERY_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		var c child
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		if err := c.run(context.Background()); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// hostDialer is the Dialer a node would write.
type hostDialer struct {
	host.Host
	dials *atomic.Int64
}

func (d hostDialer) Connected(p peer.ID) bool {
	return d.Network().Connectedness(p) == network.Connected
}

func (d hostDialer) Dial(ctx context.Context, info peer.AddrInfo) error {
	d.dials.Add(1)
	return d.Connect(network.WithForceDirectDial(ctx, "discovery"), info)
}

// HandlePeerFound makes it a notifee of libp2p's mdns package.
func (d hostDialer) HandlePeerFound(info peer.AddrInfo) { fmt.Println("stock", info.ID, info.Addrs) }

func (c child) run(ctx context.Context) error {
	if c.Flood.Group != "" {
		return c.Flood.run()
	}
	if c.Capture {
		return capture()
	}
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.DisableRelay(),
		libp2p.Transport(tcp.NewTCPTransport, tcp.WithDialerForAddr(func(ma.Multiaddr) (tcp.ContextDialer, error) {
			return discovery.LinkLocalDialer{}, nil
		})))
	if err != nil {
		return err
	}
	const port = 4001
	for _, a := range []string{"/ip4/0.0.0.0/tcp/4001", "/ip6/::/tcp/4001"} {
		if err := h.Network().Listen(ma.StringCast(a)); err != nil {
			fmt.Println("note", err)
		}
	}
	fmt.Println("id", h.ID())
	d := hostDialer{h, new(atomic.Int64)}
	if c.Stock {
		s := mdns.NewMdnsService(h, "_longear._udp", d)
		if err := s.Start(); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	l, err := discovery.New(discovery.Config{
		Self: h.ID(), Dialer: d, Off: c.Off, Typed: c.Typed, File: c.File,
		Ports: func() discovery.Ports { return discovery.Ports{TCP: port} },
	})
	if err != nil {
		return err
	}
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, k network.Conn) {
			go func() { // Notify callbacks must not block the host
				l.Connected(k.RemotePeer(), k.RemoteMultiaddr())
				// It may have dialled us before we heard of it.
				for range 300 {
					if l.Found(k.RemotePeer()) != "" {
						break
					}
					<-time.After(10 * time.Millisecond)
				}
				fmt.Println("connected", k.RemotePeer(), k.RemoteMultiaddr(), "by", l.Found(k.RemotePeer()))
			}()
		},
		DisconnectedF: func(_ network.Network, k network.Conn) {
			go func() {
				l.Disconnected(k.RemotePeer(), k.RemoteMultiaddr())
				fmt.Println("disconnected", k.RemotePeer())
			}()
		},
	})
	if c.Stats {
		go stats(l, d.dials)
	}
	return l.Run(ctx)
}

// stats prints heap in use, dials, and datagrams seen, every second.
func stats(l *discovery.Ladder, dials *atomic.Int64) {
	for {
		<-time.After(time.Second)
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		var seen uint64
		for _, s := range l.Status() {
			seen += s.Sightings
		}
		fmt.Println("stats", m.HeapAlloc, dials.Load(), seen)
	}
}

// space is a network namespace on one end of a cable.
type space struct {
	t    *testing.T
	name string
}

// pair makes two namespaces joined by a veth cable, each end named "w0" and down. It skips the test where that is not possible.
func pair(t *testing.T) (a, b space) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: network namespaces need root; run the tests as root to test discovery on real networks")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("SKIPPED: the program ip (iproute2) is not installed")
	}
	tag := fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()) // a part of it was the same for two of those that run at once
	a, b = space{t, "lea" + tag}, space{t, "leb" + tag}
	for _, s := range []space{a, b} {
		if out, err := exec.Command("ip", "netns", "add", s.name).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: cannot make a network namespace: %v: %s", err, out)
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", s.name).Run() })
		s.ip("link set lo up")
	}
	a.ip("link add w0 type veth peer name w0 netns " + b.name)
	return a, b
}

// ip runs an ip command in the namespace; "sysctl" commands too.
func (s space) ip(args string) {
	s.t.Helper()
	prog := "ip"
	if rest, ok := strings.CutPrefix(args, "sysctl "); ok {
		prog, args = "sysctl", "-qw "+rest
	}
	all := append([]string{"netns", "exec", s.name, prog}, strings.Fields(args)...)
	if out, err := exec.Command("ip", all...).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", args, err, out)
	}
}

// proc is a running child.
type proc struct {
	t     *testing.T
	id    string
	lines chan string
	kill  func()
}

func (s space) start(c child) *proc {
	s.t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", s.name, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p := &proc{t: s.t, lines: make(chan string, 1000)}
	go func() {
		sc := bufio.NewScanner(out)
		for sc.Scan() {
			p.lines <- sc.Text()
		}
		close(p.lines)
	}()
	p.kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	s.t.Cleanup(p.kill)
	p.id = strings.TrimPrefix(p.expect("id ", 20*time.Second), "id ")
	return p
}

// expect returns the next line that starts with prefix.
func (p *proc) expect(prefix string, within time.Duration) string {
	p.t.Helper()
	deadline := time.After(within)
	var seen []string
	for {
		select {
		case l, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("process ended before %q; it said %q", prefix, seen)
			}
			if strings.HasPrefix(l, prefix) {
				return l
			}
			seen = append(seen, l)
		case <-deadline:
			p.t.Fatalf("no %q within %v; it said %q", prefix, within, seen)
		}
	}
}

// without returns every rung but these.
func without(keep ...discovery.Rung) []discovery.Rung {
	return slices.DeleteFunc(slices.Clone(quiet), func(r discovery.Rung) bool { return slices.Contains(keep, r) })
}

// Real hosts on a real (virtual) cable find each other, each rung alone, with no default route anywhere.
func TestNamespaces(t *testing.T) {
	const (
		beacons, mdnsOnly = discovery.Beacons, discovery.MDNS
	)
	file := filepath.Join(t.TempDir(), "remembered")
	text := fmt.Sprintf(`{"version":1,"endpoints":[{"addr":"10.9.0.2:4450","used":%q}]}`, time.Now().Format(time.RFC3339))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	v4 := [2][]string{
		{"sysctl net.ipv6.conf.all.disable_ipv6=1", "addr add 10.9.0.1/24 dev w0"},
		{"sysctl net.ipv6.conf.all.disable_ipv6=1", "addr add 10.9.0.2/24 dev w0"},
	}
	for _, c := range []struct {
		name  string
		setup [2][]string
		a, b  child
		rung  discovery.Rung // that a found b by
		via   string         // start of the address a connected by
	}{
		// Nobody assigned anything: only fe80 addresses, which libp2p alone cannot dial.
		{"beacon/link-local", [2][]string{}, child{Off: without(beacons)}, child{Off: without(beacons)}, beacons, "/ip6zone/w0/ip6/fe80::"},
		{"mdns/link-local", [2][]string{}, child{Off: without(mdnsOnly)}, child{Off: without(mdnsOnly)}, mdnsOnly, "/ip6zone/w0/ip6/fe80::"},
		// IPv6 off in the kernel must not take IPv4 with it.
		{"beacon/ipv4", v4, child{Off: without(beacons)}, child{Off: without(beacons)}, beacons, "/ip4/10.9.0.2/"},
		{"mdns/ipv4", v4, child{Off: without(mdnsOnly)}, child{Off: without(mdnsOnly)}, mdnsOnly, "/ip4/10.9.0.2/"},
		// An address typed without port or peer ID.
		{"typed", v4, child{Off: without(discovery.Typed), Typed: []string{"10.9.0.2"}}, child{Off: without(beacons)}, discovery.Typed, "/ip4/10.9.0.2/"},
		// The port a person sees is the TCP port; the beacon's is asked too.
		{"typed/tcp port", v4, child{Off: without(discovery.Typed), Typed: []string{"/ip4/10.9.0.2/tcp/4001"}}, child{Off: without(beacons)}, discovery.Typed, "/ip4/10.9.0.2/"},
		// An endpoint from last time.
		{"remembered", v4, child{Off: without(discovery.Remembered), File: file}, child{Off: without(beacons)}, discovery.Remembered, "/ip4/10.9.0.2/"},
		// The default gateway.
		{
			"gateway/route",
			[2][]string{append(slices.Clone(v4[0]), "link set w0 up", "route add default via 10.9.0.2"), v4[1]},
			child{Off: without(discovery.Gateway)},
			child{Off: without(beacons)},
			discovery.Gateway, "/ip4/10.9.0.2/",
		},
		// A Wi-Fi Direct group owner, which no route names.
		{
			"gateway/access point",
			[2][]string{{"addr add 192.168.49.23/24 dev w0"}, {"addr add 192.168.49.1/24 dev w0"}},
			child{Off: without(discovery.Gateway)},
			child{Off: without(beacons)},
			discovery.Gateway, "/ip4/192.168.49.1/",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t)
			for k, s := range []space{a, b} {
				for _, cmd := range c.setup[k] {
					s.ip(cmd)
				}
				s.ip("link set w0 up")
			}
			pb := b.start(c.b)
			pa := a.start(c.a)
			began := time.Now()
			got := pa.expect("connected "+pb.id, 25*time.Second)
			t.Logf("%v: %s", time.Since(began).Round(time.Millisecond), got)
			// Whoever dialled, the far end must be on the expected network.
			f := strings.Fields(got)
			if !strings.HasPrefix(f[2], c.via) {
				t.Errorf("got %q, want address %s…", got, c.via)
			}
			if len(f) == 4 { // it was dialled before it had heard anything: then the other end was the one that found
				f = strings.Fields(pb.expect("connected "+pa.id, 25*time.Second))
			}
			if len(f) < 5 || f[4] != string(c.rung) {
				t.Errorf("got %q, and found by %q, want %s", got, f, c.rung)
			}
		})
	}
}

// The cable is plugged in after the start, pulled, and plugged in again; then one side restarts with a new identity.
func TestNamespaceChanges(t *testing.T) {
	for _, rung := range []discovery.Rung{discovery.Beacons, discovery.MDNS} {
		t.Run(string(rung), func(t *testing.T) {
			t.Parallel()
			a, b := pair(t)
			pa, pb := a.start(child{Off: without(rung)}), b.start(child{Off: without(rung)})
			<-time.After(3 * time.Second)
			up := func() {
				a.ip("link set w0 up")
				b.ip("link set w0 up")
			}
			up()
			began := time.Now()
			t.Logf("late interface: %s", pa.expect("connected "+pb.id, 25*time.Second))
			t.Logf("connected %v after the link came up", time.Since(began).Round(time.Millisecond))

			pb.kill()
			pa.expect("disconnected", 10*time.Second)
			pb = b.start(child{Off: without(rung)})
			began = time.Now()
			pa.expect("connected "+pb.id, 25*time.Second)
			t.Logf("restarted peer connected after %v", time.Since(began).Round(time.Millisecond))
			if testing.Short() {
				t.Skip("SKIPPED the 60 s gap: -short")
			}
			a.ip("link set w0 down")
			pa.expect("disconnected", 60*time.Second)
			<-time.After(20 * time.Second)
			up()
			began = time.Now()
			pa.expect("connected "+pb.id, 30*time.Second)
			t.Logf("after a gap connected %v after the link came back", time.Since(began).Round(time.Millisecond))
		})
	}
}

// libp2p's own mdns package, under our service name, finds a ladder and is found by it.
func TestNamespaceStockMDNS(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.ip("addr add 10.9.0.1/24 dev w0")
	b.ip("addr add 10.9.0.2/24 dev w0")
	a.ip("link set w0 up")
	b.ip("link set w0 up")
	pb := b.start(child{Stock: true})
	pa := a.start(child{Off: without(discovery.MDNS)})
	t.Log(pb.expect("stock "+pa.id, 20*time.Second))
	t.Log(pa.expect("connected "+pb.id, 20*time.Second))
}

// capture prints what anyone on w0 can hear, in hex.
func capture() error {
	i, err := net.InterfaceByName("w0")
	if err != nil {
		return err
	}
	fmt.Println("id capture")
	var g errgroup.Group
	for _, group := range []string{"239.255.76.69:4450", "[ff02::4c45]:4450", "224.0.0.251:5353", "[ff02::fb]:5353"} {
		c, err := net.ListenMulticastUDP("udp", i, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(group)))
		if err != nil {
			return err
		}
		g.Go(func() error {
			buf := make([]byte, 9000)
			for {
				n, src, err := c.ReadFromUDP(buf)
				if err != nil {
					return err
				}
				fmt.Printf("heard %s %v %x\n", group, src, buf[:n])
			}
		})
	}
	return g.Wait()
}

// A listener hears nothing twice across restarts but the machine's address there, and never an address of another network.
func TestNamespacePrivacy(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	a.ip("addr add 10.9.0.1/24 dev w0")
	b.ip("addr add 10.9.0.2/24 dev w0")
	b.ip("link add d0 type veth peer name d1")
	b.ip("link set d1 up")
	b.ip("addr add 10.77.0.1/24 dev d0")
	b.ip("addr add fd77::1/64 dev d0")
	b.ip("link set d0 up")
	a.ip("link set w0 up")
	b.ip("link set w0 up")
	<-time.After(2 * time.Second) // duplicate address detection
	pa := a.start(child{Capture: true})
	secret := []string{"0a4d0001", hex.EncodeToString([]byte("10.77.0.1")), "fd770000", hex.EncodeToString([]byte("fd77:"))}
	seen := map[string]int{} // label or peer ID: run
	groups := map[string]int{}
	for run := range 4 {
		pb := b.start(child{Off: without(discovery.Beacons, discovery.MDNS)})
		if k, ok := seen[pb.id]; ok {
			t.Errorf("peer ID of run %d again in run %d", k, run)
		}
		seen[pb.id] = run
		<-time.After(2 * time.Second)
		pb.kill()
		for len(pa.lines) > 0 {
			f := strings.Fields(<-pa.lines)
			if len(f) != 4 || strings.HasPrefix(f[2], "10.9.0.1:") {
				continue
			}
			groups[f[1]]++
			for _, s := range secret {
				if strings.Contains(f[3], s) {
					t.Errorf("an address of another network is in %s", f[3])
				}
			}
			data, err := hex.DecodeString(f[3])
			if err != nil {
				t.Fatal(err)
			}
			for _, label := range regexp.MustCompile("[a-z0-9]{32}").FindAllString(string(data), -1) {
				if k, ok := seen[label]; ok && k != run && strings.HasSuffix(f[1], ":5353") {
					t.Errorf("%q of run %d again in run %d", label, k, run)
				}
				seen[label] = run
			}
		}
	}
	if len(groups) != 4 {
		t.Errorf("heard %v, want something on all four groups", groups)
	}
}
