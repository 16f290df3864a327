package discovery_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/test"

	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
)

// party is a ladder with one radio and no network but its groups.
type party struct {
	id     peer.ID
	ladder *discovery.Ladder
	radio  *wifidirect.AirRadio

	mu    sync.Mutex // guards the fields below
	group string     // address in the group; "" if there is none
	dials []peer.AddrInfo
	gone  []netip.Addr
}

func (p *party) Connected(peer.ID) bool { return false }

func (p *party) Dial(_ context.Context, info peer.AddrInfo) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials = append(p.dials, info)
	return nil
}

func (p *party) interfaces() ([]discovery.Interface, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group == "" {
		return nil, nil
	}
	return []discovery.Interface{{
		Index: 7, Name: "air", Flags: net.FlagUp, Addrs: []netip.Prefix{netip.PrefixFrom(netip.MustParseAddr(p.group), 24)},
	}}, nil
}

func (p *party) set(group string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.group = group
}

func newParty(t *testing.T, air *wifidirect.Air, name, addr string, hub bool) *party {
	t.Helper()
	id, err := test.RandPeerID()
	if err != nil {
		t.Fatal(err)
	}
	p := &party{id: id, radio: air.Radio(wifidirect.Device(name))}
	p.ladder, err = discovery.New(discovery.Config{
		Self: id, Dialer: p, Ports: func() discovery.Ports { return discovery.Ports{TCP: 4550} },
		Watcher: discovery.NewWatcher(p.interfaces),
		Off:     []discovery.Rung{discovery.Typed, discovery.Remembered, discovery.Gateway, discovery.Beacons, discovery.MDNS},
		Gone: func(a netip.Addr) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.gone = append(p.gone, a)
		},
		Wifi: &wifidirect.Config{
			Radio: p.radio, Hub: hub,
			Up:   func(wifidirect.Group, wifidirect.Record) { p.set(addr) },
			Down: func(wifidirect.Group) { p.set("") },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *party) wifi() discovery.RungStatus {
	s := p.ladder.Status()
	return s[slices.IndexFunc(s, func(r discovery.RungStatus) bool { return r.Rung == discovery.WifiDirect })]
}

func TestWifiRung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		air := wifidirect.NewAir(nil)
		hub, member := newParty(t, air, "hub", "192.168.49.1", true), newParty(t, air, "member", "192.168.49.20", false)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, p := range []*party{hub, member} {
			running.Go(func() {
				if err := p.ladder.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(20 * time.Second)
		if s := hub.wifi(); s.State != discovery.StateHosting || !strings.HasPrefix(s.Detail, "1 joined") {
			t.Errorf("the hub is %+v", s)
		}
		if s := member.wifi(); s.State != discovery.StateMember {
			t.Errorf("the member is %+v", s)
		}
		member.mu.Lock()
		dials := member.dials
		member.mu.Unlock()
		if len(dials) == 0 || dials[0].ID != hub.id || dials[0].Addrs[0].String() != "/ip4/192.168.49.1/tcp/4550" {
			t.Errorf("the member dialled %v", dials)
		}
		hub.radio.Break(&wifidirect.Trouble{Reason: wifidirect.SwitchedOff, Text: "off", Fix: "switch it on"})
		time.Sleep(20 * time.Second)
		if s := hub.wifi(); s.State != discovery.StateBlocked || s.Err != "off" || s.Fix != "switch it on" {
			t.Errorf("the hub without radio is %+v", s)
		}
		hub.mu.Lock()
		gone := hub.gone
		hub.mu.Unlock()
		if !slices.Equal(gone, []netip.Addr{netip.MustParseAddr("192.168.49.1")}) {
			t.Errorf("links are given up at %v", gone)
		}
		stop()
		running.Wait()
	})
}

func TestUnnamed(t *testing.T) {
	for text, want := range map[string]string{
		"send on p2p-wlan0-0: write udp [::]:5->[ff02::1%p2p-wlan0-0]:4450": "send on the group: write udp [::]:5->[ff02::1%the group]:4450",
		"/ip6zone/p2p-wlan0-12/ip6/fe80::1/tcp/1":                           "/ip6zone/the group/ip6/fe80::1/tcp/1",
		"send on eth0": "send on eth0",
		"/p2p/12D3Koo": "/p2p/12D3Koo",
	} {
		if got := discovery.Unnamed(text); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}
