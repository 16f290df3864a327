package discovery

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
)

// The beacon's addresses. The IPv4 group lies in the organization-local scope (239.255.0.0/16 and below, RFC 2365: never
// routed out of a site) and the IPv6 group in the link-local scope; 76.69 and 4c45 both spell "LE". Port 4450 is
// unassigned by IANA, above 1024, and close to nothing that scanners knock on.
const (
	BeaconGroup4 = "239.255.76.69"
	BeaconGroup6 = "ff02::4c45"
	BeaconPort   = 4450
)

// MaxBeacon is the length in bytes above which a beacon is dropped unread.
const MaxBeacon = 128

const (
	beaconMagic   = "LEAR"
	beaconVersion = 1
	beaconFixed   = 4 + 1 + 1 + 2 + 2 + 1 + 4 + 8 // everything but the peer ID
	maxPeerID     = 64

	flagReply = 1 << 0
	flagBye   = 1 << 1

	// minPort: services below are never a node, and a forged beacon must not make a crowd knock on them.
	minPort = 1024
)

// ErrBeacon is wrapped by every refusal of [DecodeBeacon].
var ErrBeacon = errors.New("bad beacon")

// Ports are where a node listens: TCP, and QUIC over UDP. Zero: not there.
type Ports struct{ TCP, QUIC uint16 }

// Beacon is the payload of one datagram: who sends it and where that node listens, never an address. The address is
// the datagram's source.
type Beacon struct {
	Reply  bool // sent to one node that asked; is never answered
	Bye    bool // the sender is stopping
	Ports  Ports
	Peer   peer.ID
	Count  uint32  // messages in the sender's store
	Digest [8]byte // of the IDs in the sender's store; equal digests need no sync
}

// Append appends the encoding of b to dst. It fails only for a peer ID that [DecodeBeacon] would refuse.
func (b Beacon) Append(dst []byte) ([]byte, error) {
	if len(b.Peer) == 0 || len(b.Peer) > maxPeerID {
		return dst, fmt.Errorf("%w: peer ID of %d bytes", ErrBeacon, len(b.Peer))
	}
	var flags byte
	if b.Reply {
		flags |= flagReply
	}
	if b.Bye {
		flags |= flagBye
	}
	dst = append(dst, beaconMagic...)
	dst = append(dst, beaconVersion, flags)
	dst = binary.BigEndian.AppendUint16(dst, b.Ports.TCP)
	dst = binary.BigEndian.AppendUint16(dst, b.Ports.QUIC)
	dst = append(dst, byte(len(b.Peer)))
	dst = append(dst, b.Peer...)
	dst = binary.BigEndian.AppendUint32(dst, b.Count)
	return append(dst, b.Digest[:]...), nil
}

// DecodeBeacon reads one datagram. Whatever is not exactly one beacon of this version is refused with [ErrBeacon].
func DecodeBeacon(p []byte) (Beacon, error) {
	var b Beacon
	if len(p) <= beaconFixed || len(p) > MaxBeacon {
		return b, fmt.Errorf("%w: %d bytes", ErrBeacon, len(p))
	}
	if string(p[:4]) != beaconMagic || p[4] != beaconVersion {
		return b, fmt.Errorf("%w: unknown magic or version", ErrBeacon)
	}
	n := int(p[10])
	if n == 0 || n > maxPeerID || len(p) != beaconFixed+n {
		return b, fmt.Errorf("%w: peer ID of %d bytes in a datagram of %d", ErrBeacon, n, len(p))
	}
	id, err := peer.IDFromBytes(p[11 : 11+n])
	if err != nil {
		return b, fmt.Errorf("%w: peer ID: %w", ErrBeacon, err)
	}
	b.Reply = p[5]&flagReply != 0
	b.Bye = p[5]&flagBye != 0
	b.Ports.TCP = binary.BigEndian.Uint16(p[6:])
	b.Ports.QUIC = binary.BigEndian.Uint16(p[8:])
	b.Peer = id
	b.Count = binary.BigEndian.Uint32(p[11+n:])
	copy(b.Digest[:], p[15+n:])
	if !b.Bye && !b.Ports.usable() {
		return Beacon{}, fmt.Errorf("%w: ports %d and %d", ErrBeacon, b.Ports.TCP, b.Ports.QUIC)
	}
	return b, nil
}

// usable reports whether the ports name at least one listener and no port that must not be dialled.
func (p Ports) usable() bool {
	if p.TCP == 0 && p.QUIC == 0 {
		return false
	}
	return (p.TCP == 0 || p.TCP >= minPort) && (p.QUIC == 0 || p.QUIC >= minPort)
}
