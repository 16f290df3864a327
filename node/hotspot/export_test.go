package hotspot

import (
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// What the tests of this folder see of its inside.

// Resolve answers a question for a name.
func Resolve(query []byte) []byte { return resolve(query) }

// Server answers phones with a clock of the test's.
type Server struct{ d dhcpServer }

// NewServer makes one that keeps its addresses in a file.
func NewServer(now func() time.Time, file string) *Server {
	return &Server{dhcpServer{pace: rate.NewLimiter(answerRate, answerBurst), leases: newLeases(now, file), now: now, log: slog.New(slog.DiscardHandler)}}
}

// Answer is what a packet is answered with.
func (s *Server) Answer(packet []byte) ([]byte, netip.AddrPort) { return s.d.answer(packet) }

// Paced is what it is answered with within the budget.
func (s *Server) Paced(packet []byte) ([]byte, netip.AddrPort) { return s.d.paced(packet) }

// Heard notes a connection from an address.
func (s *Server) Heard(a netip.Addr) { s.d.leases.heard(a) }

// The bounds that tests count with.
const (
	PoolSize    = poolSize
	LeaseTime   = leaseTime
	ProveTime   = proveTime
	RefuseTime  = refuseTime
	MaxQuery    = maxQuery
	AnswerBurst = answerBurst
	AnswerRate  = answerRate
)

// Configs are the files for hostapd and for wpa_supplicant.
func Configs(a AccessPoint) (hostapd, supplicant string, err error) {
	if err := a.check(); err != nil {
		return "", "", err
	}
	if hostapd, err = a.hostapd(); err != nil {
		return "", "", err
	}
	supplicant, err = a.supplicant()
	return hostapd, supplicant, err
}
