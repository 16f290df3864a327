package supplicant

import (
	"encoding/binary"

	"longear/node/discovery/wifidirect"
)

// Wi-Fi Direct's service discovery carries DNS-SD in a squeezed form (Wi-Fi Direct specification, annex E): the tail
// "_tcp.local." is the pointer c00c, and in an answer c027 points at the name that was asked. Android's DNS-SD uses the
// same bytes, so phones and laptops read each other's records.
const (
	typePTR  = 12
	typeTXT  = 16
	bonjour  = 1 // the protocol's number in a TLV
	version  = 1
	service  = "_longear"
	instance = "longear"
)

// everything asks for all DNS-SD records: length 2, protocol, transaction 1.
var everything = [...]byte{2, 0, bonjour, 1}

// entry is one advertised answer.
type entry struct{ query, response []byte }

// entries are the answers that make up a record.
func entries(r wifidirect.Record) [2]entry {
	txt := []byte(nil)
	for _, p := range r.Pairs() {
		txt = label(txt, p)
	}
	return [2]entry{
		{question(typePTR, service), append(label(nil, instance), 0xc0, 0x27)},
		{question(typeTXT, instance, service), txt},
	}
}

func label(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func question(kind uint16, labels ...string) (b []byte) {
	for _, l := range labels {
		b = label(b, l)
	}
	b = append(b, 0xc0, 0x0c)
	b = binary.BigEndian.AppendUint16(b, kind)
	return append(b, version)
}

// maxPairs bounds what is read of a stranger's record.
const maxPairs = 16

// readRecord finds our record in the answers of a device.
func readRecord(tlvs []byte) (wifidirect.Record, bool) {
	for len(tlvs) >= 5 {
		n := int(binary.LittleEndian.Uint16(tlvs))
		if n < 3 || len(tlvs) < 2+n {
			break
		}
		proto, status, data := tlvs[2], tlvs[4], tlvs[5:2+n]
		tlvs = tlvs[2+n:]
		if proto != bonjour || status != 0 {
			continue
		}
		if r, ok := wifidirect.ParseRecord(readTXT(data)); ok {
			return r, true
		}
	}
	return wifidirect.Record{}, false
}

// readTXT returns the strings of a TXT answer for our service, nil for any other.
func readTXT(b []byte) (pairs []string) {
	want := question(typeTXT, instance, service)
	if len(b) < len(want) || string(b[:len(want)]) != string(want) {
		return nil
	}
	for b = b[len(want):]; len(b) > 0 && int(b[0]) < len(b) && len(pairs) < maxPairs; b = b[1+int(b[0]):] {
		pairs = append(pairs, string(b[1:1+int(b[0])]))
	}
	return pairs
}
