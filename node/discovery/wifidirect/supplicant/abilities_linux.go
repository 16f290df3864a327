package supplicant

import (
	"encoding/binary"
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// abilities asks the driver, by generic netlink.
func abilities(iface string) (Abilities, error) {
	dev, err := net.InterfaceByName(iface)
	if err != nil {
		return Abilities{}, err
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_GENERIC)
	if err != nil {
		return Abilities{}, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 2}); err != nil {
		return Abilities{}, err
	}
	family := uint16(0)
	name := attribute(unix.CTRL_ATTR_FAMILY_NAME, append([]byte(unix.NL80211_GENL_NAME), 0))
	err = exchange(fd, generic(unix.GENL_ID_CTRL, unix.NLM_F_REQUEST, unix.CTRL_CMD_GETFAMILY, name), func(attrs []byte) {
		attributes(attrs, func(kind uint16, v []byte) {
			if kind == unix.CTRL_ATTR_FAMILY_ID && len(v) >= 2 {
				family = binary.NativeEndian.Uint16(v)
			}
		})
	})
	if err != nil || family == 0 {
		return Abilities{}, errors.Join(err, errors.New("the kernel knows no Wi-Fi"))
	}
	var a Abilities
	ask := append(attribute(unix.NL80211_ATTR_IFINDEX, binary.NativeEndian.AppendUint32(nil, uint32(dev.Index))),
		attribute(unix.NL80211_ATTR_SPLIT_WIPHY_DUMP, nil)...)
	err = exchange(fd, generic(family, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, unix.NL80211_CMD_GET_WIPHY, ask), a.read)
	return a, err
}

// attribute is one netlink attribute, padded.
func attribute(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	return append(b, make([]byte, (4-len(b)%4)%4)...)
}

// generic is one request of generic netlink.
func generic(family, flags uint16, command byte, attrs []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+4+len(attrs)))
	b = binary.NativeEndian.AppendUint16(b, family)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = append(b, make([]byte, 8)...)
	b = append(b, command, 1, 0, 0)
	return append(b, attrs...)
}

// exchange sends a request and gives the attributes of each answer to visit.
func exchange(fd int, request []byte, visit func(attrs []byte)) error {
	if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	dump := binary.NativeEndian.Uint16(request[6:])&unix.NLM_F_DUMP == unix.NLM_F_DUMP
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if err != nil {
			return err
		}
		for b := buf[:n]; len(b) >= unix.SizeofNlMsghdr; {
			size, kind := int(binary.NativeEndian.Uint32(b)), binary.NativeEndian.Uint16(b[4:])
			if size < unix.SizeofNlMsghdr || size > len(b) {
				return errors.New("the kernel's answer is cut short")
			}
			switch {
			case kind == unix.NLMSG_DONE:
				return nil
			case kind == unix.NLMSG_ERROR:
				if size >= unix.SizeofNlMsghdr+4 {
					if code := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); code != 0 {
						return unix.Errno(-code)
					}
				}
				return nil
			case size >= unix.SizeofNlMsghdr+4:
				visit(b[unix.SizeofNlMsghdr+4 : size])
			}
			b = b[min(len(b), (size+3)&^3):]
		}
		if !dump {
			return nil
		}
	}
}
