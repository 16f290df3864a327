package node

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// TestShares: no address takes all the places of a network, by whatever number of peers, half open or not, and whoever leaves makes room.
func TestShares(t *testing.T) {
	for _, c := range []struct {
		name       string
		profile    Profile
		from       string // the crowd; %d is the port
		usefd      bool
		dir        network.Direction
		places     int // that 70 connections get
		other      string
		otherWaits bool
	}{
		{"one laptop at a phone", Phone, "/ip4/192.168.1.5/udp/%d/quic-v1", false, network.DirInbound, 16, "/ip4/192.168.1.6/udp/4550/quic-v1", false},
		{"by TCP", Phone, "/ip4/10.1.2.3/tcp/%d", true, network.DirInbound, 16, "/ip4/10.1.2.4/tcp/4550", false},
		{"that has itself dialled", Phone, "/ip4/192.168.1.5/udp/%d/quic-v1", false, network.DirOutbound, 16, "/ip4/192.168.1.6/udp/4550/quic-v1", false},
		{"link-local", Phone, "/ip6/fe80::5/udp/%d/quic-v1", false, network.DirInbound, 16, "/ip6/fe80::6/udp/4550/quic-v1", false},
		{"the same address in another form", Phone, "/ip4/192.168.1.5/udp/%d/quic-v1", false, network.DirInbound, 16, "/ip6/::ffff:192.168.1.5/udp/1/quic-v1", true},
		{"a crowd behind a router, at a hub", Hub, "/ip4/192.168.1.5/udp/%d/quic-v1", false, network.DirInbound, 64, "/ip4/192.168.1.6/udp/4550/quic-v1", false},
		{"this machine", Phone, "/ip4/127.0.0.1/udp/%d/quic-v1", false, network.DirInbound, 64, "/ip4/127.0.0.1/udp/4550/quic-v1", true}, // all of the range
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := newResources(c.profile.limits())
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				dial := func(addr string) (network.ConnManagementScope, error) {
					s, err := m.OpenConnection(c.dir, c.usefd, ma.StringCast(addr))
					if err == nil {
						err = s.SetPeer(peer.ID(addr)) // a peer of its own: what is half open has a bound that all share
					}
					return s, err
				}
				var open []network.ConnManagementScope
				for i := range 70 {
					if s, err := dial(fmt.Sprintf(c.from, 1000+i)); err == nil {
						open = append(open, s)
					}
				}
				if len(open) != c.places {
					t.Errorf("%d of 70 connections of one address, want %d", len(open), c.places)
				}
				if s, err := dial(c.other); (err != nil) != c.otherWaits {
					t.Errorf("another: %v", err)
				} else if err == nil {
					s.Done()
				}
				open[0].Done()
				open[0].Done()
				time.Sleep(time.Minute)
				for i, want := range []bool{true, false} {
					if _, err := dial(fmt.Sprintf(c.from, 2000+i)); (err == nil) != want {
						t.Errorf("one more after one has gone: %v", err)
					}
				}
			})
		})
	}
}

// TestTurns: an address that connects and leaves without end does not take the turns of others.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := newResources(Phone.limits())
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		got := 0
		for i := range 6000 { // 100 a second
			if s, err := m.OpenConnection(network.DirInbound, false, ma.StringCast(fmt.Sprintf("/ip4/192.168.1.5/udp/%d/quic-v1", 1000+i))); err == nil {
				got++
				s.Done()
			}
			if i%100 == 50 {
				s, err := m.OpenConnection(network.DirInbound, false, ma.StringCast(fmt.Sprintf("/ip4/192.168.1.%d/udp/4550/quic-v1", 10+i/100)))
				if err != nil {
					t.Fatalf("another, after %d: %v", i, err)
				}
				s.Done()
			}
			time.Sleep(10 * time.Millisecond)
		}
		if most := 32 + 2*60; got < most-1 || got > most {
			t.Errorf("%d connections in a minute, want %d", got, most)
		}
	})
}
