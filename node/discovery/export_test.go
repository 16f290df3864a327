package discovery

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
