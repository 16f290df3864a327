package supplicant

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// setAddr gives an interface an IPv4 address, by rtnetlink: a small machine may have no ip command, and a phone runs no program.
func setAddr(iface string, p netip.Prefix) error {
	dev, err := net.InterfaceByName(iface)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return err
	}
	if err := unix.Sendto(fd, newAddr(dev.Index, p), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	reply := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, reply, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(reply[4:]) != unix.NLMSG_ERROR {
		return fmt.Errorf("the kernel's answer is not understood")
	}
	if code := int32(binary.NativeEndian.Uint32(reply[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// newAddr is the request: header, ifaddrmsg, then the address, our own end, and its broadcast address.
func newAddr(index int, p netip.Prefix) []byte {
	ip := p.Addr().As4()
	last := ip
	for i := range last {
		last[i] |= byte(uint32(1)<<(32-p.Bits())-1>>(8*(3-i))) & 0xff
	}
	body := []byte{unix.AF_INET, byte(p.Bits()), 0, unix.RT_SCOPE_UNIVERSE}
	body = binary.NativeEndian.AppendUint32(body, uint32(index))
	for _, a := range []struct {
		kind uint16
		ip   [4]byte
	}{{unix.IFA_LOCAL, ip}, {unix.IFA_ADDRESS, ip}, {unix.IFA_BROADCAST, last}} {
		body = binary.NativeEndian.AppendUint16(body, 8)
		body = binary.NativeEndian.AppendUint16(body, a.kind)
		body = append(body, a.ip[:]...)
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTM_NEWADDR)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	b = append(b, make([]byte, 8)...) // sequence and port: one request, one answer
	return append(b, body...)
}
