//go:build linux

package hosts_test

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"

	"longear/node/discovery"
)

// inside runs f with the host's networks in place of our own. A socket made by f stays on them.
func (h *host) inside(f func() error) error {
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer own.Close()
	theirs, err := os.Open("/run/netns/" + h.ns)
	if err != nil {
		return err
	}
	defer theirs.Close()
	if err := unix.Setns(int(theirs.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = f()
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		return back // the thread stays locked, so that it dies with this goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// A tap reads and writes whole frames on a host's eth0.
type tap struct {
	fd   int
	mac  net.HardwareAddr
	link unix.Sockaddr
}

// protocols as AF_PACKET wants them, in network byte order.
const allProtocols = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8

func (h *host) tap(t *testing.T) *tap {
	t.Helper()
	c := &tap{}
	err := h.inside(func() error {
		i, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		c.mac, c.link = i.HardwareAddr, &unix.SockaddrLinklayer{Protocol: allProtocols, Ifindex: i.Index}
		c.fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, allProtocols)
		return err
	})
	if err == nil {
		err = unix.Bind(c.fd, c.link)
	}
	if err == nil {
		// Reads give up after a while, so that their loop can see that the test is over.
		err = unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(c.fd) })
	return c
}

// multicast writes a datagram whose source address is whatever we like.
func (c *tap) multicast(from, group netip.AddrPort, ttl byte, data []byte) error {
	to := group.Addr().As4()
	frame := []byte{0x01, 0x00, 0x5e, to[1] & 0x7f, to[2], to[3]} // RFC 1112, 6.4
	frame = append(append(frame, c.mac...), 0x08, 0x00)
	head := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, ttl, unix.IPPROTO_UDP, 0, 0}
	binary.BigEndian.PutUint16(head[2:], uint16(20+8+len(data)))
	head = append(append(head, from.Addr().AsSlice()...), to[:]...)
	binary.BigEndian.PutUint16(head[10:], checksum(head))
	frame = append(frame, head...)
	frame = binary.BigEndian.AppendUint16(frame, from.Port())
	frame = binary.BigEndian.AppendUint16(frame, group.Port())
	frame = binary.BigEndian.AppendUint16(frame, uint16(8+len(data)))
	frame = append(append(frame, 0, 0), data...) // no UDP checksum
	return unix.Sendto(c.fd, frame, 0, c.link)
}

func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i])<<8 | uint32(b[i+1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// A knock is somebody's attempt to begin to talk to an address: a TCP SYN, or a UDP datagram that is not multicast.
type knock struct {
	protocol string
	from, to netip.AddrPort
}

// read returns the next knock that passes eth0, false for any other frame or none.
func (c *tap) read(buf []byte) (knock, bool) {
	n, _, err := unix.Recvfrom(c.fd, buf, 0)
	if err != nil || n < 14+20+8 || buf[12] != 0x08 || buf[13] != 0 {
		return knock{}, false
	}
	packet := buf[14:n]
	size := int(packet[0]&0xf) * 4
	if len(packet) < size+14 {
		return knock{}, false
	}
	src, _ := netip.AddrFromSlice(packet[12:16])
	dst, _ := netip.AddrFromSlice(packet[16:20])
	inner := packet[size:]
	k := knock{
		from: netip.AddrPortFrom(src, binary.BigEndian.Uint16(inner)),
		to:   netip.AddrPortFrom(dst, binary.BigEndian.Uint16(inner[2:])),
	}
	switch packet[9] {
	case unix.IPPROTO_TCP:
		const syn, ack = 2, 16
		k.protocol = "tcp"
		return k, inner[13]&(syn|ack) == syn
	case unix.IPPROTO_UDP:
		k.protocol = "udp"
		return k, !dst.IsMulticast()
	}
	return knock{}, false
}

// forgedPeer is a peer ID that nobody has.
func forgedPeer() peer.ID {
	id := []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20} // an Ed25519 key, whole
	key := make([]byte, 32)
	rand.Read(key)
	return peer.ID(append(id, key...))
}

// forgedBeacon announces a peer that is not there.
func forgedBeacon(port uint16) ([]byte, error) {
	return discovery.Beacon{Peer: forgedPeer(), Ports: discovery.Ports{TCP: port, QUIC: port}}.Append(nil)
}

// forgedMDNS announces a peer that is not there, as libp2p's mDNS does.
func forgedMDNS(at netip.Addr, port uint16) ([]byte, error) {
	const service = "_longear._udp.local."
	id := forgedPeer()
	name := dnsmessage.MustNewName(id.String()[10:40] + "." + service)
	head := dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET, TTL: 120}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true, Authoritative: true})
	if err := b.StartAnswers(); err != nil {
		return nil, err
	}
	pointer := head
	pointer.Name = dnsmessage.MustNewName(service)
	if err := b.PTRResource(pointer, dnsmessage.PTRResource{PTR: name}); err != nil {
		return nil, err
	}
	if err := b.TXTResource(head, dnsmessage.TXTResource{TXT: []string{
		fmt.Sprintf("dnsaddr=/ip4/%s/tcp/%d/p2p/%s", at, port, id),
		fmt.Sprintf("dnsaddr=/ip4/%s/udp/%d/quic-v1/p2p/%s", at, port, id),
	}}); err != nil {
		return nil, err
	}
	return b.Finish()
}
