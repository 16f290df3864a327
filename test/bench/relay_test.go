package bench_test

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
)

// relay stands between two nodes on a TCP connection. It counts what passes, and makes a long way of a short one.
type relay struct {
	bytes    atomic.Int64 // both ways
	accepted atomic.Int64 // unix nanoseconds of the last dial
}

// listenRelay forwards connections to a node's TCP port until the test ends. way is how long each byte travels, one way. TCP's
// own handshake cannot be slowed from here, since the kernel answers it: each connection is held back for one round trip more
// in its place. It returns the address to dial.
func listenRelay(tb testing.TB, to running, way time.Duration) (*relay, string) {
	tb.Helper()
	r := new(relay)
	port, err := to.Addrs()[0].ValueForProtocol(ma.P_TCP)
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			r.accepted.Store(time.Now().UnixNano())
			out, err := net.Dial("tcp", "127.0.0.1:"+port)
			if err != nil {
				tb.Error(err)
				return
			}
			open := time.Now().Add(2 * way)
			all.Go(func() { r.carry(out, in, way, open) })
			all.Go(func() { r.carry(in, out, way, open) })
		}
	})
	tb.Cleanup(func() {
		ln.Close()
		all.Wait()
	})
	return r, fmt.Sprintf("/ip4/127.0.0.1/tcp/%d/p2p/%s", ln.Addr().(*net.TCPAddr).Port, to.Peer())
}

// parcel is bytes under way.
type parcel struct {
	data []byte
	due  time.Time
}

// carry moves bytes until either end closes, and then closes the other.
func (r *relay) carry(to, from net.Conn, way time.Duration, open time.Time) {
	defer to.Close()
	defer from.Close()
	if way == 0 {
		buf := make([]byte, 64<<10)
		for {
			n, err := from.Read(buf)
			r.bytes.Add(int64(n))
			if n > 0 {
				if _, err := to.Write(buf[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	queue := make(chan parcel, 1024) // a contact's first round trips are far less; when it is full the sender waits
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		for {
			buf := make([]byte, 16<<10)
			n, err := from.Read(buf)
			r.bytes.Add(int64(n))
			if err != nil {
				return
			}
			due := time.Now().Add(way)
			if hold := open.Add(way); due.Before(hold) {
				due = hold
			}
			queue <- parcel{buf[:n], due}
		}
	})
	for p := range queue {
		<-time.After(time.Until(p.due))
		if _, err := to.Write(p.data); err != nil {
			from.Close()
			break
		}
	}
	for range queue { // let the reader go
	}
	reader.Wait()
}
