package node

import (
	"net"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/transport"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/p2p/transport/tcpreuse"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"longear/node/discovery"
)

// unansweredMost is how long what was sent over TCP may go without an acknowledgement before the peer is out of reach. yamux gives its own
// question, every 30 seconds, as long. It is more than over QUIC: TCP repeats one packet, and ever more slowly, six times in ten seconds.
const unansweredMost = 10 * time.Second

// newTCP is libp2p's transport, with connections that end when their peer is out of reach. What was acknowledged only the kernel knows, and
// libp2p shows no socket of a connection: so the kernel is told before libp2p has it, and the clockwork has nothing to look at.
func newTCP(u transport.Upgrader, m network.ResourceManager, shared *tcpreuse.ConnMgr, opts ...tcp.Option) (*tcp.TcpTransport, error) {
	return tcp.NewTCPTransport(impatient{u}, m, shared, opts...)
}

// impatient sees to the connections that come to us.
type impatient struct{ transport.Upgrader }

// GateMaListener implements transport.Upgrader.
func (u impatient) GateMaListener(l manet.Listener) transport.GatedMaListener {
	return u.Upgrader.GateMaListener(impatientListener{l})
}

type impatientListener struct{ manet.Listener }

// Accept implements manet.Listener.
func (l impatientListener) Accept() (manet.Conn, error) {
	c, err := l.Listener.Accept()
	if s, ok := c.(syscall.Conn); ok && err == nil {
		if raw, err := s.SyscallConn(); err == nil {
			endUnanswered(raw)
		}
	}
	return c, err
}

// dialerOf sees to those that we make. It lets libp2p dial fe80:: addresses in disguise, which it refuses to dial plainly.
func dialerOf(ma.Multiaddr) (tcp.ContextDialer, error) {
	return discovery.LinkLocalDialer{Dialer: net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		endUnanswered(c)
		return nil
	}}}, nil
}
