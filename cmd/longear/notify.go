package main

import (
	"net"
	"os"
)

// notifySystemd tells the service manager that started us, if one did, how we are: "READY=1", "STOPPING=1". See
// sd_notify(3). Failure is of no consequence but a late "started".
func notifySystemd(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	if path[0] == '@' { // the abstract namespace of Linux
		path = "\x00" + path[1:]
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(state))
}
