package discovery

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxRecords    = 64 // read of one message; all services of a busy machine are about half that
	maxMDNSPlaces = 4  // from one message
)

// mdnsQuery asks for our service.
func mdnsQuery() []byte {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{})
	if b.StartQuestions() != nil || b.Question(dnsmessage.Question{
		Name: dnsmessage.MustNewName(mdnsService), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET,
	}) != nil {
		return nil
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}

// mdnsRecords announces one instance of our service.
func mdnsRecords(instance string, ttl uint32, txt []string, ips []netip.Addr) []byte {
	service := dnsmessage.MustNewName(mdnsService)
	name := dnsmessage.MustNewName(instance + "." + mdnsService)
	host := dnsmessage.MustNewName(instance + ".local.")
	shared := dnsmessage.ResourceHeader{Class: dnsmessage.ClassINET, TTL: ttl}
	own := shared
	own.Class |= 1 << 15 // cache flush: these records are ours alone (RFC 6762, 10.2)
	at := func(h dnsmessage.ResourceHeader, n dnsmessage.Name) dnsmessage.ResourceHeader {
		h.Name = n
		return h
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true, Authoritative: true})
	b.EnableCompression()
	if b.StartAnswers() != nil ||
		b.PTRResource(at(shared, service), dnsmessage.PTRResource{PTR: name}) != nil ||
		b.StartAdditionals() != nil ||
		b.SRVResource(at(own, name), dnsmessage.SRVResource{Port: BeaconPort, Target: host}) != nil ||
		b.TXTResource(at(own, name), dnsmessage.TXTResource{TXT: txt}) != nil {
		return nil
	}
	for _, ip := range ips {
		var err error
		if ip.Is4() {
			err = b.AResource(at(own, host), dnsmessage.AResource{A: ip.As4()})
		} else {
			err = b.AAAAResource(at(own, host), dnsmessage.AAAAResource{AAAA: ip.As16()})
		}
		if err != nil {
			return nil
		}
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}

// mdnsMessage is what a datagram holds of interest.
type mdnsMessage struct {
	asks  bool // for our service
	found []mdnsPeer
}

type mdnsPeer struct {
	peer  peer.ID
	ports Ports
	bye   bool
}

// parseMDNS reads questions and TXT records of our service, whichever section they are in, and stops after maxRecords of
// each: names compress so well that one datagram can make hundreds of them, each long.
func parseMDNS(data []byte) (mdnsMessage, error) {
	var out mdnsMessage
	var p dnsmessage.Parser
	h, err := p.Start(data)
	if err != nil {
		return out, err
	}
	for range maxRecords {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return out, err
		}
		ours := strings.EqualFold(q.Name.String(), mdnsService)
		out.asks = out.asks || ours && !h.Response && (q.Type == dnsmessage.TypePTR || q.Type == dnsmessage.TypeALL)
	}
	if !h.Response {
		return out, nil
	}
	left := maxRecords
	for _, s := range []section{
		{p.AnswerHeader, p.SkipAnswer}, {p.AuthorityHeader, p.SkipAuthority}, {p.AdditionalHeader, p.SkipAdditional},
	} {
		if err := s.read(&p, &out, &left); err != nil {
			return out, err
		}
	}
	return out, nil
}

// section is one of the three that hold records.
type section struct {
	header func() (dnsmessage.ResourceHeader, error)
	skip   func() error
}

// read reads the TXT records of a section, at most *left records in all.
func (s section) read(p *dnsmessage.Parser, out *mdnsMessage, left *int) error {
	for ; *left > 0; *left-- {
		h, err := s.header()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Type != dnsmessage.TypeTXT || !strings.HasSuffix(strings.ToLower(h.Name.String()), "."+mdnsService) {
			if err := s.skip(); err != nil {
				return err
			}
			continue
		}
		txt, err := p.TXTResource()
		if err != nil {
			return err
		}
		out.found = peersIn(out.found, txt.TXT, h.TTL == 0)
	}
	return nil
}

// peersIn adds what the strings of a TXT record say of peers and ports. The addresses in them are claims and are not used.
func peersIn(found []mdnsPeer, txt []string, bye bool) []mdnsPeer {
	for _, line := range txt {
		rest, ok := strings.CutPrefix(line, dnsaddr)
		if !ok || len(line) > maxTXT {
			continue
		}
		m, err := ma.NewMultiaddr(rest)
		if err != nil {
			continue
		}
		id, err := peer.IDFromP2PAddr(m)
		p, ok := placeOf(m)
		if err != nil || !ok {
			continue
		}
		f := mdnsPeer{id, p.Ports, bye}
		if n := len(found) - 1; n >= 0 && found[n].peer == id && found[n].bye == bye && found[n].ports.merge(p.Ports) {
			continue
		}
		if len(found) < maxMDNSPlaces {
			found = append(found, f)
		}
	}
	return found
}

// merge adds the ports of q if none contradicts.
func (p *Ports) merge(q Ports) bool {
	if q.TCP != 0 && p.TCP != 0 && q.TCP != p.TCP || q.QUIC != 0 && p.QUIC != 0 && q.QUIC != p.QUIC {
		return false
	}
	p.TCP, p.QUIC = max(p.TCP, q.TCP), max(p.QUIC, q.QUIC)
	return true
}
