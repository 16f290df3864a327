package node_test

import (
	"testing"
	"time"

	"longear/node"
	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
)

// TestStrangersAreToldOfFewMessages: what is said of a store before there is a link changes with each message, also while the messages
// are too few for the trie to have a node. Else no member carries them to another group.
func TestStrangersAreToldOfFewMessages(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		air := wifidirect.NewAir(nil)
		stranger, err := air.Radio("stranger").Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		owner := func(d wifidirect.Device) *member {
			return w.join(nil, func(c *node.Config) {
				c.Discovery = blind()
				c.Discovery.Off = c.Discovery.Off[:len(c.Discovery.Off)-1]
				c.Discovery.Watcher = discovery.NewWatcher(func() ([]discovery.Interface, error) { return nil, nil })
				c.Discovery.Wifi = &wifidirect.Config{Radio: air.Radio(d), Hub: true, Port: func() uint16 { return 4550 }}
			})
		}
		told := func() (a, b [8]byte) {
			time.Sleep(15 * time.Second) // what is said is as of some seconds ago
			if err := stranger.Do(t.Context(), wifidirect.Seek{For: 5 * time.Second}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			for len(stranger.Events()) > 0 {
				switch e := (<-stranger.Events()).(wifidirect.Heard); e.Device {
				case "a":
					a = e.Record.Digest
				case "b":
					b = e.Record.Digest
				}
			}
			return a, b
		}
		a, b := owner("a"), owner("b")
		none := [8]byte{}
		before, other := told()
		if before == none || before != other {
			t.Errorf("of empty stores they say %x and %x", before, other)
		}
		for range 20 {
			a.post(t, 1)
			now, still := told()
			if now == none || now == before || still != other {
				t.Fatalf("with one message more they say %x and %x, before %x and %x", now, still, before, other)
			}
			before = now
		}
		w.meet(a, b)
		if a, b := told(); a != before || b != before {
			t.Errorf("of equal stores they say %x and %x, before %x", a, b, before)
		}
	})
}
