package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/node/api"
	"longear/node/discovery"
	"longear/store"
)

// relayFlags are what the person who runs a node may turn.
type relayFlags struct {
	listen, connect                     []string
	profile                             string
	storeMax                            byteSize
	noMDNS, noBeacon, noGateway         bool
	noRemember, noQUIC, loopbackOnly    bool
	api                                 string
	direct, directCircle, directControl string
	directPlaces                        int
	directTag                           string  // names a hub's group
	groups                              *groups // is told of it
}

func (a *app) relayCmd() *cobra.Command {
	var f relayFlags
	cmd := &cobra.Command{
		Use:   "relay",
		Short: "Run a node: find peers, pass messages on, until Ctrl-C",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.relay(cmd.Context(), f) },
	}
	f.register(cmd.Flags())
	cmd.Flags().StringVar(&f.profile, "profile", "phone", "limits for a phone or for a hub")
	inFile(cmd.Flags(), "profile")
	return cmd
}

// register adds the flags that every verb has which runs a node.
func (f *relayFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.listen, "listen", nil, "listen on this multiaddr; repeat for more (default: TCP and QUIC everywhere)")
	flags.Var(&f.storeMax, "store-max", "most bytes to keep, such as 2GB (default: by profile)")
	flags.BoolVar(&f.noMDNS, "no-mdns", false, "do not look for peers by mDNS")
	flags.BoolVar(&f.noBeacon, "no-beacon", false, "do not look for peers by beacon")
	flags.BoolVar(&f.noGateway, "no-gateway", false, "do not ask the gateway whether it is a peer")
	flags.BoolVar(&f.noRemember, "no-remember", false, "neither use nor write down addresses of peers met before")
	flags.BoolVar(&f.noQUIC, "no-quic", false, "TCP only, for networks that drop UDP")
	flags.StringArrayVar(&f.connect, "connect", nil, "keep trying this address; repeat for more")
	flags.BoolVar(&f.loopbackOnly, "loopback-only", false, "never leave this machine: for tests")
	flags.StringVar(&f.api, "api", "", "also serve the API and the operator's page on this loopback address, 127.0.0.1:PORT, with a token")
	flags.StringVar(&f.direct, "wifi-direct", "", "make Wi-Fi Direct groups with this interface, such as wlan0, where there is no network")
	flags.StringVar(&f.directCircle, "wifi-direct-circle", "", "join only groups of nodes with the same word (default: anybody's)")
	flags.StringVar(&f.directControl, "wifi-direct-control", "", "folder of wpa_supplicant's control sockets, for machines without D-Bus (default /run/wpa_supplicant)")
	flags.IntVar(&f.directPlaces, "wifi-direct-places", 0, "how many may join a group of this node, for radios that take few (default 8, hubs 16)")
	inFile(flags, "wifi-direct", "wifi-direct-places", "wifi-direct-circle", "wifi-direct-control", "listen", "store-max", "no-mdns", "no-beacon", "no-gateway", "no-remember", "no-quic", "connect", "loopback-only", "api")
}

// Memory limits by profile: what the collector keeps the heap under, so that a node lives beside other
// apps on a phone. A phone is granted 64 MiB; the collector gets past its limit by what is in use at once. A hub has room to
// let the heap grow threefold between two collections, which saves it a tenth of its CPU. GOMEMLIMIT and GOGC, if set, win.
const (
	phoneMemory = 60 << 20
	hubMemory   = 1 << 30
	hubGrowth   = 200 // percent
)

// configs turns the flags into what the store and the node are made from.
func (f relayFlags) configs(p paths, log *slog.Logger) (store.Config, node.Config, error) {
	keep := store.Config{Profile: store.Phone, Quota: int64(f.storeMax)}
	run := node.Config{Profile: node.Phone, Listen: f.listen, NoQUIC: f.noQUIC, Log: log}
	memory := int64(phoneMemory)
	switch f.profile {
	case "phone":
	case "hub":
		keep.Profile, run.Profile, memory = store.Hub, node.Hub, hubMemory
	default:
		return keep, run, api.Fail(api.Usage, fmt.Sprintf("--profile %q is unknown", f.profile), "phone or hub")
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	if f.profile == "hub" && os.Getenv("GOGC") == "" {
		debug.SetGCPercent(hubGrowth)
	}
	d := &run.Discovery
	d.Typed, d.LoopbackOnly = f.connect, f.loopbackOnly
	for rung, off := range map[discovery.Rung]bool{
		discovery.MDNS: f.noMDNS, discovery.Beacons: f.noBeacon, discovery.Gateway: f.noGateway, discovery.Remembered: f.noRemember,
	} {
		if off {
			d.Off = append(d.Off, rung)
		}
	}
	if !f.noRemember {
		d.File = filepath.Join(p.State, "peers")
	}
	var err error
	d.Wifi, err = f.wifiDirect(log)
	return keep, run, err
}

// relay is a node's life.
func (a *app) relay(ctx context.Context, f relayFlags) error {
	s, err := a.equip(f)
	if err != nil {
		return err
	}
	err = a.runStation(ctx, s, f.api)
	notifySystemd("STOPPING=1")
	return errors.Join(err, s.close())
}

// equip opens the installation for a node with the flags.
func (a *app) equip(f relayFlags) (*station, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	keep, run, err := f.configs(a.paths, log)
	if err != nil {
		return nil, err
	}
	return a.openStation(keep, run)
}

// runStation runs everything of a node in one group, and what is beside it: what fails first ends the rest.
func (a *app) runStation(ctx context.Context, s *station, apiAddr string, beside ...func(context.Context) error) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	loopback, err := a.openLoopback(apiAddr)
	if err != nil {
		return err
	}
	defer loopback.Close() // again, for the ways out before Run
	server, err := s.serve(api.Config{
		Links: s.node, Past: s.node, Log: log, Guests: s.guests, Stop: stop, Page: loopback.Page,
		Doctor: func(ctx context.Context) []api.Finding {
			return a.findings(ctx, &api.StatusReport{Status: s.node.Status()}, nil)
		},
	})
	if err != nil {
		return err
	}
	socket, err := api.ListenSocket(a.paths.Socket)
	if err != nil {
		return err
	}
	defer socket.Close() // again, for the ways out before Serve
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return loopback.Run(ctx, server) })
	for _, part := range beside {
		g.Go(func() error { return part(ctx) })
	}
	g.Go(func() error { return s.node.Run(ctx) })
	g.Go(func() error {
		return a.greet(ctx, s.node, func() error { return api.Serve(ctx, socket, server.Handler()) })
	})
	g.Go(func() error { return server.Receipts(ctx) })
	return g.Wait()
}

// greet waits until the node listens, opens the door for other programs and says where it is. A program that finds
// the socket therefore finds a node that answers.
func (a *app) greet(ctx context.Context, n *node.Node, serve func() error) error {
	select {
	case <-n.Ready():
	case <-ctx.Done():
		return nil
	}
	addrs := dialable(n)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(serve)
	a.say("listening %s", strings.Join(addrs, " "))
	if a.json {
		if err := a.object(map[string]any{"type": "listening", "addresses": addrs, "socket": a.paths.Socket}); err != nil {
			return err
		}
	}
	notifySystemd("READY=1")
	g.Go(func() error { return a.announceNeighbours(ctx, n) })
	return g.Wait()
}

// dialable are the addresses to give to others: those of the interfaces or, without any, those listened on.
func dialable(n *node.Node) []string {
	var out []string
	for _, addr := range n.Addrs() {
		out = append(out, addr.String())
	}
	if len(out) == 0 {
		for _, addr := range n.Status().Listening {
			out = append(out, addr+"/p2p/"+n.Peer().String())
		}
	}
	slices.Sort(out)
	return out
}

// A person who has started a node wants to see that it finds somebody. Later there is longear peers, and a
// machine that nobody looks at should sleep.
const (
	greetFor   = 5 * time.Minute
	greetEvery = time.Second
	greetMost  = 8
)

// announceNeighbours tells of the first peers as they come.
func (a *app) announceNeighbours(ctx context.Context, n *node.Node) error {
	if a.quiet {
		return nil
	}
	tick := time.NewTicker(greetEvery)
	defer tick.Stop()
	seen := make(map[string]bool)
	for range int(greetFor / greetEvery) {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, p := range n.Peers() {
			if seen[p.Peer] {
				continue
			}
			if seen[p.Peer] = true; len(seen) > greetMost {
				return nil
			}
			a.say("neighbour %s by %s at %s", shortPeer(p.Peer), p.Via, p.Addr)
		}
	}
	return nil
}

// shortPeer is the end of a peer ID: the beginning is the same for all.
func shortPeer(id string) string {
	if len(id) > 8 {
		return id[len(id)-8:]
	}
	return id
}
