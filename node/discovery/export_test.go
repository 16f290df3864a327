package discovery

import "time"

// ParseMDNS exposes the mDNS decoder to its fuzz target: what it found, as strings.
func ParseMDNS(data []byte) (asks bool, found []string, err error) {
	m, err := parseMDNS(data)
	for _, f := range m.found {
		found = append(found, f.peer.String())
		if len(f.peer) == 0 {
			panic("peer without ID")
		}
	}
	return m.asks, found, err
}

// MDNSQuery and MDNSRecords expose what is sent.
var (
	MDNSQuery   = mdnsQuery
	MDNSRecords = mdnsRecords
)

// Flight exposes what dials teach.
type Flight struct{ *flight }

func NewFlight() Flight { return Flight{newFlight()} }

// Ended notes the end of a dial and returns how many there may be at a time, and the longest pause before the next.
func (f Flight) Ended(took time.Duration, near bool, err error) (window int, pause time.Duration) {
	f.ended(outcome{took: took, near: near, err: err}, time.Now())
	if f.failed > 0 {
		pause = firstRest << f.failed
	}
	return f.window, pause
}
