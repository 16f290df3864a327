package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"time"

	"longear/node/discovery"

	"longear/node/api"
)

// multicastWait is how long a machine may take to hear itself.
const multicastWait = 500 * time.Millisecond

// checkMulticast sends a word to the beacon's group on each interface, on a port of its own, and listens for it. A machine that
// does not hear itself is not heard by others either: a firewall, or a network that drops multicast.
func checkMulticast(ctx context.Context) []api.Finding {
	all, err := net.Interfaces()
	if err != nil {
		return []api.Finding{warn("", "the interfaces cannot be listed: %v", err)}
	}
	var found []api.Finding
	for _, i := range all {
		ip := address4(i)
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || i.Flags&net.FlagMulticast == 0 || ip == nil {
			continue
		}
		if err := hearSelf(ctx, i, ip); err != nil {
			found = append(found, warn("let UDP to and from 239.255.0.0/16 through the firewall, or name peers with --connect",
				"not heard on %s: %v", i.Name, err))
		} else {
			found = append(found, ok("heard on %s", i.Name))
		}
	}
	if found == nil {
		return []api.Finding{warn("join a network; peers nearby are found by multicast", "no interface can do it now")}
	}
	return found
}

func address4(i net.Interface) net.IP {
	addrs, err := i.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if n, isNet := a.(*net.IPNet); isNet && n.IP.To4() != nil {
			return n.IP.To4()
		}
	}
	return nil
}

// hearSelf sends from the interface's address and waits for the echo.
func hearSelf(ctx context.Context, i net.Interface, ip net.IP) error {
	ear, err := net.ListenMulticastUDP("udp4", &i, &net.UDPAddr{IP: net.ParseIP(discovery.BeaconGroup4)})
	if err != nil {
		return err
	}
	defer ear.Close()
	group := &net.UDPAddr{IP: net.ParseIP(discovery.BeaconGroup4), Port: ear.LocalAddr().(*net.UDPAddr).Port}
	mouth, err := net.DialUDP("udp4", &net.UDPAddr{IP: ip}, group)
	if err != nil {
		return err
	}
	defer mouth.Close()
	word := []byte("longear doctor " + rand.Text())
	if _, err := mouth.Write(word); err != nil {
		return err
	}
	deadline := time.Now().Add(multicastWait)
	if at, limited := ctx.Deadline(); limited && at.Before(deadline) {
		deadline = at
	}
	if err := ear.SetReadDeadline(deadline); err != nil {
		return err
	}
	buf := make([]byte, 256)
	for {
		n, _, err := ear.ReadFromUDP(buf)
		if err != nil {
			return err
		}
		if bytes.Equal(buf[:n], word) {
			return nil
		}
	}
}
