package node

import (
	"crypto/ed25519"
	"errors"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"

	"longear/node/discovery"
	"longear/store"
)

// Profile is what kind of machine a node runs on. It sets how many connections it holds, how wide its
// gossip mesh is and how much memory libp2p may take; the store has a profile of its own.
type Profile uint8

// The profiles.
const (
	// Phone spares battery and memory: few links. It is the zero value.
	Phone Profile = iota
	// Hub stands still with power and disk: many links.
	Hub
)

// Config is what a node is made from. New copies it. Only Store is required.
type Config struct {
	// Store keeps the messages. The caller opens and closes it; nobody else may write to it meanwhile.
	Store *store.Store

	// Key is the author that Publish signs as. Nil: Publish is refused, the node only carries.
	Key ed25519.PrivateKey

	// Mutes are the authors whom the person does not want to hear: see Node.Mute. Nil: everybody is heard.
	Mutes *store.Mutes

	// Profile sets the limits. The zero value is Phone.
	Profile Profile

	// Listen are the multiaddrs to listen on. Nil: TCP and QUIC on every interface, on Port if it is free.
	Listen []string

	// NoQUIC leaves TCP as the only transport, for networks that drop UDP.
	NoQUIC bool

	// Discovery says which rungs of the ladder are climbed. The zero value uses all of them.
	Discovery discovery.Config

	// Host, when not nil, makes the libp2p host in place of this package's own: the seam for simulated
	// networks. It must not listen yet, or listen only where nobody dials before Run.
	Host func(HostOptions) (host.Host, error)

	// Clock is the store's clock, handed on. The zero value is the real one.
	Clock store.Clock

	// Log receives what a person who runs a node should know. Nil discards it.
	Log *slog.Logger

	// Arrived, when not nil, is called once for each message that was accepted and stored, whatever way it came: for
	// simulators and for whoever shows a message's way while the program runs. It is called from the door, from several
	// goroutines at once, before the message is passed on; it must return at once and not call the node. Nothing here
	// keeps what it is told, and neither should the callee keep it on disk: a seized phone must not tell who met whom.
	Arrived func(Arrival)

	// Step, when it is not 0, ends the pauses of sync, and gossip's before it sleeps, at its multiples: hundreds of nodes in one process
	// then work at the same moments, which virtual time plays faster than each at its own. On the air leave it 0: nodes in step collide.
	Step time.Duration

	// Version is reported in Status. It never goes on the wire.
	Version string
}

// HostOptions makes all that a node's own host is made with but its transports: another host that is made with them keeps the same limits and
// bans. They are for one host, which closes what they hold.
type HostOptions func() ([]libp2p.Option, error)

// Port is the first choice for listening: fixed, so that a firewall rule can name it. Another is taken when it is in use.
const Port = 4550

// onStep is how long to wait so that the wait ends at a multiple of Step.
func (c *Config) onStep(now time.Time, wait time.Duration) time.Duration {
	if c.Step <= 0 {
		return wait
	}
	return now.Add(wait + c.Step - 1).Truncate(c.Step).Sub(now)
}

func (c Config) check() error {
	if c.Store == nil {
		return errors.New("node: Config.Store is nil: open one with store.Open")
	}
	if c.Key != nil && len(c.Key) != ed25519.PrivateKeySize {
		return errors.New("node: Config.Key is not an Ed25519 private key")
	}
	return nil
}
