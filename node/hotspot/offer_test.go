package hotspot_test

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"longear/node/hotspot"
)

// place is a hotspot's server with a clock that stands still until a test moves it.
type place struct {
	t      testing.TB
	server *hotspot.Server
	now    time.Time
}

func newPlace(t testing.TB, file string) *place {
	p := &place{t: t, now: time.Unix(1_790_000_000, 0)}
	p.server = hotspot.NewServer(func() time.Time { return p.now }, file)
	return p
}

// phone is a hardware address.
func phone(n int) net.HardwareAddr {
	return net.HardwareAddr{0x02, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
}

// ask sends what a phone says and returns the answer, nil for none.
func (p *place) ask(who net.HardwareAddr, kind dhcpv4.MessageType, mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	p.t.Helper()
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{dhcpv4.WithHwAddr(who), dhcpv4.WithMessageType(kind)}, mods...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	out, to := p.server.Answer(m.ToBytes())
	if out == nil {
		return nil
	}
	if to.Port() != 68 || !to.Addr().Is4() {
		p.t.Errorf("an answer goes to %v", to)
	}
	reply, err := dhcpv4.FromBytes(out)
	if err != nil {
		p.t.Fatal(err)
	}
	if reply.TransactionID != m.TransactionID || reply.ClientHWAddr.String() != who.String() {
		p.t.Errorf("the answer is to somebody else: %v", reply)
	}
	return reply
}

func want(a netip.Addr) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(a.AsSlice()))
}

func addr(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip.To4())
	return a
}

// join takes a phone through the four steps.
func (p *place) join(who net.HardwareAddr) netip.Addr {
	p.t.Helper()
	offer := p.ask(who, dhcpv4.MessageTypeDiscover)
	if offer == nil || offer.MessageType() != dhcpv4.MessageTypeOffer {
		p.t.Fatalf("%v is offered %v", who, offer)
	}
	ack := p.ask(who, dhcpv4.MessageTypeRequest, want(addr(offer.YourIPAddr)), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(hub())))
	if ack == nil || ack.MessageType() != dhcpv4.MessageTypeAck {
		p.t.Fatalf("%v gets %v", who, ack)
	}
	return addr(ack.YourIPAddr)
}

func hub() net.IP { return net.IP(hotspot.Addr().AsSlice()) }

// TestOffer: what a phone is told.
func TestOffer(t *testing.T) {
	p := newPlace(t, "")
	offer := p.ask(phone(1), dhcpv4.MessageTypeDiscover)
	ack := p.ask(phone(1), dhcpv4.MessageTypeRequest, want(addr(offer.YourIPAddr)))
	for _, m := range []*dhcpv4.DHCPv4{offer, ack} {
		last := addr(m.YourIPAddr).As4()[3]
		if last < 100 || last > 199 || !strings.HasPrefix(m.YourIPAddr.String(), "192.168.49.") {
			t.Errorf("the address is %v", m.YourIPAddr)
		}
		if got := m.IPAddressLeaseTime(0); got != hotspot.LeaseTime {
			t.Errorf("the lease is %v", got)
		}
		if fmt.Sprint(m.Router(), m.DNS(), m.ServerIdentifier(), m.SubnetMask()) != "[192.168.49.1] [192.168.49.1] 192.168.49.1 ffffff00" {
			t.Errorf("the phone is told %v", m.Summary())
		}
		if m.Options.Has(dhcpv4.GenericOptionCode(114)) {
			t.Error("the phone is told of an address that it cannot trust")
		}
	}
	if offer.MessageType() != dhcpv4.MessageTypeOffer || ack.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("%v, %v", offer.MessageType(), ack.MessageType())
	}
	if addr(offer.YourIPAddr) != addr(ack.YourIPAddr) {
		t.Errorf("offered %v, given %v", offer.YourIPAddr, ack.YourIPAddr)
	}
}

// TestSameAddress: a phone has its address again, in time and after it, and after another start.
func TestSameAddress(t *testing.T) {
	p := newPlace(t, "")
	first := p.join(phone(1))
	if again := p.join(phone(1)); again != first {
		t.Errorf("at once again: %v, had %v", again, first)
	}
	p.now = p.now.Add(hotspot.LeaseTime / 2)
	if ack := p.ask(phone(1), dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(first.AsSlice())); ack == nil || addr(ack.YourIPAddr) != first {
		t.Errorf("renewed: %v", ack)
	}
	p.now = p.now.Add(6 * time.Hour)
	for n := range 20 {
		if got := p.join(phone(100 + n)); got == first {
			t.Errorf("%v went to another while others were free", first)
		}
	}
	if again := p.join(phone(1)); again != first {
		t.Errorf("hours later: %v, had %v", again, first)
	}
	p.ask(phone(1), dhcpv4.MessageTypeRelease, dhcpv4.WithClientIP(first.AsSlice()))
	if again := p.join(phone(1)); again != first {
		t.Errorf("after a release: %v, had %v", again, first)
	}
}

// TestRefused: who asks for what it cannot have is told so, and asks anew.
func TestRefused(t *testing.T) {
	p := newPlace(t, "")
	taken := p.join(phone(1))
	for name, mods := range map[string][]dhcpv4.Modifier{
		"an address of another network": {want(netip.MustParseAddr("10.0.0.7"))},
		"the hub's":                     {want(hotspot.Addr())},
		"outside the pool":              {want(netip.MustParseAddr("192.168.49.77"))},
		"another's":                     {want(taken)},
		"another's, held":               {dhcpv4.WithClientIP(taken.AsSlice())},
	} {
		if m := p.ask(phone(2), dhcpv4.MessageTypeRequest, mods...); m == nil || m.MessageType() != dhcpv4.MessageTypeNak {
			t.Errorf("%s: %v", name, m)
		}
	}
	for name, mods := range map[string][]dhcpv4.Modifier{
		"another server's": {want(taken), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IP{10, 0, 0, 1}))},
		"of nothing":       {},
		"by a relay":       {want(taken), dhcpv4.WithGatewayIP(net.IP{192, 168, 49, 50})},
	} {
		if m := p.ask(phone(1), dhcpv4.MessageTypeRequest, mods...); m != nil {
			t.Errorf("%s is answered: %v", name, m)
		}
	}
	for _, who := range []net.HardwareAddr{{}, {1, 0, 0, 0, 0, 1}, {0, 0, 0, 0, 0, 0}, {2, 0, 0, 0, 0, 0, 0, 1}, {255, 255, 255, 255, 255, 255}} {
		m, err := dhcpv4.New(dhcpv4.WithHwAddr(who), dhcpv4.WithMessageType(dhcpv4.MessageTypeDiscover))
		if err != nil {
			t.Fatal(err)
		}
		if out, _ := p.server.Answer(m.ToBytes()); out != nil {
			t.Errorf("%v is answered", who)
		}
	}
	// Only its holder gives an address up.
	p.ask(phone(2), dhcpv4.MessageTypeRelease, dhcpv4.WithClientIP(taken.AsSlice()))
	p.ask(phone(2), dhcpv4.MessageTypeDecline, want(taken))
	if m := p.ask(phone(2), dhcpv4.MessageTypeRequest, want(taken)); m == nil || m.MessageType() != dhcpv4.MessageTypeNak {
		t.Errorf("taken from its holder: %v", m)
	}
}

// TestInUse: an address that a phone found in use is given to nobody for a while.
func TestInUse(t *testing.T) {
	p := newPlace(t, "")
	bad := p.join(phone(1))
	p.ask(phone(1), dhcpv4.MessageTypeDecline, want(bad))
	given := map[netip.Addr]bool{}
	for n := range hotspot.PoolSize - 1 {
		a := p.join(phone(1 + n))
		given[a] = true
	}
	if given[bad] || len(given) != hotspot.PoolSize-1 {
		t.Errorf("%v was given again, or twice the same: %d addresses", bad, len(given))
	}
}

// TestCrowd: as many phones as there are addresses at once, none with another's.
func TestCrowd(t *testing.T) {
	p := newPlace(t, "")
	offered := map[netip.Addr]int{}
	var offers []netip.Addr
	for n := range hotspot.PoolSize {
		m := p.ask(phone(n+1), dhcpv4.MessageTypeDiscover)
		offered[addr(m.YourIPAddr)]++
		offers = append(offers, addr(m.YourIPAddr))
	}
	if len(offered) != hotspot.PoolSize {
		t.Errorf("%d phones that ask at once are offered %d addresses", hotspot.PoolSize, len(offered))
	}
	for n, a := range offers {
		if m := p.ask(phone(n+1), dhcpv4.MessageTypeRequest, want(a)); m == nil || m.MessageType() != dhcpv4.MessageTypeAck {
			t.Errorf("phone %d cannot take what it was offered: %v", n, m)
		}
	}
}

// TestExhaustion: made-up phones without end get nothing that a real one needs.
func TestExhaustion(t *testing.T) {
	p := newPlace(t, "")
	honest := p.join(phone(1))
	p.server.Heard(honest)
	for n := range 10_000 { // only asks
		p.ask(phone(1000+n), dhcpv4.MessageTypeDiscover)
	}
	if m := p.ask(phone(2), dhcpv4.MessageTypeDiscover); m == nil {
		t.Error("questions alone use the addresses up")
	}
	taken := 0
	for n := range 10_000 { // and takes, each a moment after the other
		p.now = p.now.Add(10 * time.Millisecond)
		if m := p.ask(phone(20_000+n), dhcpv4.MessageTypeDiscover); m != nil {
			if p.ask(phone(20_000+n), dhcpv4.MessageTypeRequest, want(addr(m.YourIPAddr))).MessageType() == dhcpv4.MessageTypeAck {
				taken++
			}
			if addr(m.YourIPAddr) == honest {
				t.Fatal("an address in use is given to another")
			}
		}
	}
	if taken < hotspot.PoolSize {
		t.Errorf("the flood took %d addresses: this test tests nothing", taken)
	}
	// The flood goes on as fast as is answered, and a phone comes. It asks again every few seconds, as phones do.
	got, tries := netip.Addr{}, 0
	for n := range 500 {
		p.now = p.now.Add(20 * time.Millisecond)
		if m := p.ask(phone(40_000+n), dhcpv4.MessageTypeDiscover); m != nil {
			p.ask(phone(40_000+n), dhcpv4.MessageTypeRequest, want(addr(m.YourIPAddr)))
		}
		if n%150 != 0 || got.IsValid() {
			continue
		}
		tries++
		if m := p.ask(phone(3), dhcpv4.MessageTypeDiscover); m != nil {
			if ack := p.ask(phone(3), dhcpv4.MessageTypeRequest, want(addr(m.YourIPAddr))); ack.MessageType() == dhcpv4.MessageTypeAck {
				got = addr(ack.YourIPAddr)
				p.server.Heard(got)
			}
		}
	}
	if !got.IsValid() {
		t.Errorf("during the flood the phone got nothing in %d tries", tries)
	}
	p.now = p.now.Add(hotspot.ProveTime + time.Second)
	if a := p.join(phone(3)); got.IsValid() && a != got {
		t.Errorf("the phone has %v and is given %v", got, a)
	}
	if m := p.ask(phone(1), dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(honest.AsSlice())); m.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("whoever was there before has lost the address: %v", m)
	}
}

// TestAnotherStart: a hub that is started again gives nobody an address that somebody has, and writes down no phone.
func TestAnotherStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "addresses")
	p := newPlace(t, file)
	var had []netip.Addr
	for n := range 30 {
		had = append(had, p.join(phone(n+1)))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Fields(string(text)); len(lines) != 30 || strings.Contains(string(text), ":") {
		t.Errorf("the file holds %d lines, or more than addresses: %.100q", len(lines), text)
	}
	q := newPlace(t, file)
	q.now = time.Unix(0, 0) // a clock without a battery
	q.server = hotspot.NewServer(func() time.Time { return q.now }, file)
	given := map[netip.Addr]bool{}
	for n := range hotspot.PoolSize - 30 {
		given[q.join(phone(1000+n))] = true
	}
	for n, a := range had {
		if given[a] {
			t.Errorf("%v is given to another", a)
		}
		if m := q.ask(phone(n+1), dhcpv4.MessageTypeRequest, dhcpv4.WithClientIP(a.AsSlice())); m == nil || addr(m.YourIPAddr) != a {
			t.Errorf("phone %d cannot keep %v: %v", n+1, a, m)
		}
	}
	for _, damaged := range []string{"", "\x00\xff", "192.168.49.1\n10.0.0.1\n192.168.49.100", strings.Repeat("192.168.49.101\n", 1000)} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		newPlace(t, file).join(phone(1))
	}
}

// TestAnswers: what is answered is bounded, because an answer is a broadcast; and who is not told has been given nothing.
func TestAnswers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in-use")
	p := newPlace(t, file)
	say := func(n int, kind dhcpv4.MessageType) (answered int) {
		m, err := dhcpv4.New(dhcpv4.WithHwAddr(phone(n)), dhcpv4.WithMessageType(kind), dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.IP{192, 168, 49, byte(100 + n%100)})))
		if err != nil {
			t.Fatal(err)
		}
		if reply, _ := p.server.Paced(m.ToBytes()); reply != nil {
			return 1
		}
		return 0
	}
	inUse := func() int {
		b, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
	offers, given := 0, 0
	for n := range 1000 {
		offers += say(n, dhcpv4.MessageTypeDiscover)
	}
	for n := range 1000 {
		given += say(n, dhcpv4.MessageTypeRequest)
	}
	if offers != hotspot.AnswerBurst || given != 0 || inUse() != 0 {
		t.Errorf("at once %d are offered an address, %d are told that they have one, and %d are in use", offers, given, inUse())
	}
	p.now = p.now.Add(time.Second / 2)
	for n := range 1000 {
		given += say(n, dhcpv4.MessageTypeRequest)
	}
	if given != hotspot.AnswerRate/2 || inUse() != given {
		t.Errorf("half a second later %d are told that they have an address, and %d are in use", given, inUse())
	}
}

// FuzzPacket: no packet is answered at length, or outside the network.
func FuzzPacket(f *testing.F) {
	p := newPlace(f, "")
	for _, kind := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeInform, dhcpv4.MessageTypeDecline} {
		m, err := dhcpv4.New(dhcpv4.WithHwAddr(phone(1)), dhcpv4.WithMessageType(kind), want(netip.MustParseAddr("192.168.49.100")),
			dhcpv4.WithOption(dhcpv4.OptClassIdentifier("android-dhcp-13")), dhcpv4.WithClientIP(net.IP{192, 168, 49, 100}))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(m.ToBytes())
		f.Add(m.ToBytes()[:240])
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		out, to := p.server.Answer(packet)
		if out == nil {
			return
		}
		if len(out) > len(packet)+100 {
			t.Errorf("%d bytes are answered with %d", len(packet), len(out))
		}
		if a := to.Addr(); a != netip.MustParseAddr("255.255.255.255") && (!netip.MustParsePrefix("192.168.49.0/24").Contains(a) || a == hotspot.Addr()) {
			t.Errorf("an answer goes to %v", a)
		}
	})
}
