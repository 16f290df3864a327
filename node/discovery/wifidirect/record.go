package wifidirect

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// Record is what a device tells strangers before there is any link.
type Record struct {
	Peer   string  // the node's peer ID, which is new at every start
	Port   uint16  // where it listens, TCP
	Name   string  // of the group it owns; "" if it owns none
	Fixed  bool    // it owns a group for good: it stands still and has power
	Places int     // how many more can join
	Digest [8]byte // of its store; zero if it does not say
}

// recordVersion is in every record. Records of another version are not understood.
const recordVersion = "1"

// Bounds of what a record may hold: a peer ID in text is 52 characters.
const (
	maxPeerText = 128
	maxNameText = 32
	maxPlaces   = 255
)

// Pairs is the record as key=value strings of a DNS-SD TXT record (RFC 6763), at most 210 bytes together.
func (r Record) Pairs() []string {
	pairs := []string{"v=" + recordVersion, "p=" + strconv.Itoa(int(r.Port)), "id=" + r.Peer}
	if r.Digest != [8]byte{} {
		pairs = append(pairs, "h="+hex.EncodeToString(r.Digest[:]))
	}
	if r.Name != "" {
		pairs = append(pairs, "n="+r.Name, "c="+strconv.Itoa(r.Places))
	}
	if r.Fixed {
		pairs = append(pairs, "f=1")
	}
	return pairs
}

// ParseRecord reads the pairs of a TXT record. It reports false for what is no record of ours; keys that it
// does not know are for later versions.
func ParseRecord(pairs []string) (Record, bool) {
	var r Record
	version, ok := "", true
	for _, p := range pairs {
		key, value, _ := strings.Cut(p, "=")
		switch key {
		case "v":
			version = value
		case "p":
			n, err := strconv.ParseUint(value, 10, 16)
			r.Port, ok = uint16(n), ok && err == nil
		case "id":
			r.Peer = value
		case "h":
			n, err := hex.Decode(r.Digest[:], []byte(value[:min(len(value), 16)]))
			ok = ok && err == nil && n == len(r.Digest) && len(value) == 16
		case "n":
			r.Name = value
		case "c":
			n, err := strconv.ParseUint(value, 10, 16)
			r.Places, ok = min(int(n), maxPlaces), ok && err == nil
		case "f":
			r.Fixed = value == "1"
		}
	}
	return r, ok && version == recordVersion && r.Peer != "" && len(r.Peer) <= maxPeerText && len(r.Name) <= maxNameText
}
