package guest

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// gate bounds the connections of all listeners together, and those of each address: a connection costs a goroutine and
// buffers before it has said anything.
type gate struct {
	mu    sync.Mutex
	total int                      // guarded by mu
	each  map[netip.Addr]int       // guarded by mu; removed with the last connection
	late  map[net.Conn]*time.Timer // guarded by mu; refused, and waiting to be closed
}

func (g *gate) enter(addr netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total >= maxConns || g.each[addr] >= maxConnsEach {
		return false
	}
	if g.each == nil {
		g.each = make(map[netip.Addr]int)
	}
	g.total++
	g.each[addr]++
	return true
}

func (g *gate) leave(addr netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.each[addr]--; g.each[addr] == 0 {
		delete(g.each, addr)
	}
}

// refuse closes a connection that was not let in: after a while, so that whoever tries again without end does so slowly.
func (g *gate) refuse(c net.Conn) {
	if !g.hold(c) {
		c.Close()
	}
}

func (g *gate) hold(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.late) >= maxLate {
		return false
	}
	if g.late == nil {
		g.late = make(map[net.Conn]*time.Timer)
	}
	g.late[c] = time.AfterFunc(closeLate, func() {
		g.mu.Lock()
		delete(g.late, c)
		g.mu.Unlock()
		c.Close()
	})
	return true
}

// shut closes what waits to be closed.
func (g *gate) shut() {
	g.mu.Lock()
	waiting := g.late
	g.late = nil
	g.mu.Unlock()
	for c, t := range waiting {
		t.Stop()
		c.Close() // once more if the timer was quicker: a closed connection stays closed
	}
}

// gated is a listener behind a gate.
type gated struct {
	net.Listener
	gate *gate
}

// Accept takes the next connection that the gate lets in.
func (l gated) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := netip.Addr{}
		if at, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
			addr = at.Addr().Unmap().WithZone("")
		}
		if l.gate.enter(addr) {
			return &gatedConn{Conn: c, leave: sync.OnceFunc(func() { l.gate.leave(addr) })}, nil
		}
		l.gate.refuse(c)
	}
}

// gatedConn leaves the gate when it is closed.
type gatedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection, once or more.
func (c *gatedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
