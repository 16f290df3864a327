package node_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/sys/unix"

	"longear/node"
)

// patience is how long the kernel waits for acknowledgements on each of this process's TCP connections from or to a port.
func patience(t *testing.T, port int) (all []time.Duration) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	portOf := func(a unix.Sockaddr, err error) int {
		if in, ok := a.(*unix.SockaddrInet4); ok && err == nil {
			return in.Port
		}
		return 0
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		local, remote := portOf(unix.Getsockname(fd)), portOf(unix.Getpeername(fd))
		if remote == 0 || local != port && remote != port {
			continue
		}
		ms, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Duration(ms)*time.Millisecond)
	}
	return all
}

// At both ends of a TCP connection the kernel ends it when what was sent is not acknowledged for ten seconds.
func TestTCPEndsUnanswered(t *testing.T) {
	tcpOnly := func(c *node.Config) { c.NoQUIC, c.Listen = true, []string{"/ip4/127.0.0.1/tcp/0"} }
	a, _ := start(t, tcpOnly)
	b, _ := start(t, tcpOnly)
	if err := a.Connect(b.Addrs()[0].String()); err != nil {
		t.Fatal(err)
	}
	await(t, "the two connect", func() bool { return len(a.Peers()) == 1 && len(b.Peers()) == 1 })
	text, err := b.Addrs()[0].ValueForProtocol(ma.P_TCP)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	all := patience(t, port)
	if len(all) != 2 {
		t.Fatalf("%d ends are found, want 2", len(all))
	}
	for _, d := range all {
		if d != 10*time.Second {
			t.Errorf("%v, want 10 s", d)
		}
	}
}
