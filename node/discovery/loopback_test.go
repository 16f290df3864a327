package discovery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"longear/node/discovery"
)

// Two ladders in one process, each rung alone, on the real loopback interface.
func TestLoopback(t *testing.T) {
	except := func(keep discovery.Rung) []discovery.Rung {
		var off []discovery.Rung
		for _, r := range quiet {
			if r != keep {
				off = append(off, r)
			}
		}
		return off
	}
	for _, rung := range []discovery.Rung{discovery.Beacons, discovery.MDNS} {
		t.Run(string(rung), func(t *testing.T) {
			var ids [2]peer.ID
			var dials [2]*dialer
			var stops [2]func()
			var ladders [2]*discovery.Ladder
			for i := range 2 {
				// IDs of this run alone: other tests and programs share the groups.
				ids[i] = peerID(t, int(time.Now().UnixNano())+i)
				dials[i] = &dialer{started: make(chan peer.AddrInfo, 100)}
				ladders[i] = newLadder(t, discovery.Config{
					Self: ids[i], Dialer: dials[i], LoopbackOnly: true, Off: except(rung),
					Ports: func() discovery.Ports { return discovery.Ports{TCP: uint16(40001 + i)} },
					Hint:  func() (uint32, [8]byte) { return uint32(i + 5), [8]byte{byte(i), 1} },
				})
				stops[i] = start(t, ladders[i])
			}
			began := time.Now()
			for i := range 2 {
				other := ids[1-i]
				want := fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", 40002-i)
				deadline := time.After(15 * time.Second)
				for found := false; !found; {
					select {
					case info := <-dials[i].started:
						if info.ID != other {
							continue
						}
						if got := info.Addrs[0].String(); got != want {
							t.Errorf("dialled %s, want %s", got, want)
						}
						found = true
					case <-deadline:
						t.Fatalf("never dialled; status %+v", ladders[i].Status())
					}
				}
				if got := ladders[i].Found(other); got != rung {
					t.Errorf("Found = %q, want %q", got, rung)
				}
				count, _, ok := ladders[i].PeerHint(other)
				if want := uint32(1 - i + 5); rung == discovery.Beacons && (!ok || count != want) {
					t.Errorf("hint %d, %v; want %d", count, ok, want)
				}
			}
			t.Logf("both dialled after %v", time.Since(began))
			stops[0]()
			stops[1]()
			if g := leaked(); g != "" {
				t.Errorf("goroutines left after Run returned:\n%s", g)
			}
		})
	}
}
