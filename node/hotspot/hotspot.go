package hotspot

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
)

// Addr is the address of every hub that is its own access point: Android gives it to the owner of a Wi-Fi Direct group, and all others
// take the same, so that a page finds what it kept at the last hub.
func Addr() netip.Addr { return network().Addr() }

// network is the hub's address in its network.
func network() netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 168, 49, 1}), 24)
}

// Config is what a hotspot is made from. Serve copies it.
type Config struct {
	// Page answers guests on a listener until ctx ends. It is called once for each listener, those of port 80 included. Required.
	Page func(ctx context.Context, l net.Listener) error
	// PagePort is where the page is served beside port 80. 0: it is served elsewhere, at all interfaces.
	PagePort uint16
	// Kept is a file that remembers which addresses are in use, so that a hub that is started again gives none of them to somebody
	// else. It holds no phone's hardware address. Empty: not remembered.
	Kept string
	// Changed, if not nil, is told when the interface begins to be served, and when it has gone and is waited for.
	Changed func(up bool)
	// Log: nil discards.
	Log *slog.Logger
}

// Trouble is a failure that a person can mend.
type Trouble struct {
	What, Fix string
	Err       error // what the system said; may be nil
}

// Error is what went wrong.
func (t *Trouble) Error() string {
	if t.Err == nil {
		return t.What
	}
	return fmt.Sprintf("%s: %v", t.What, t.Err)
}

// Unwrap is what the system said.
func (t *Trouble) Unwrap() error { return t.Err }

// heard is a listener that notes whose addresses are in use: whoever completes a connection from an address has it.
type heard struct {
	net.Listener
	leases *leases
}

// Accept takes the next connection.
func (l *heard) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
		l.leases.heard(at.Addr().Unmap())
	}
	return c, nil
}
