package node

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// endUnanswered makes the kernel end a TCP connection whose peer acknowledges nothing for unansweredMost (RFC 5482). Where it does not
// know how, it stays as elsewhere.
func endUnanswered(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unansweredMost.Milliseconds()))
	})
}
