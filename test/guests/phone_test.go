//go:build linux

package guests_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"golang.org/x/net/dns/dnsmessage"
)

// A phone is a namespace with eth0 in the air of a place.
type phone struct {
	p    *place
	ns   string
	port string // its end at the bridge
	mac  net.HardwareAddr
	http *http.Client
}

// phone brings one into the air, without an address.
func (p *place) phone() *phone {
	p.t.Helper()
	p.phones++
	f := &phone{p: p, ns: fmt.Sprintf("%sf%d", p.name, p.phones), port: fmt.Sprintf("f%d", p.phones)}
	ip(p.t, "netns add %s", f.ns)
	ip(p.t, "-n %s link set lo up", f.ns)
	f.enter(p)
	f.http = &http.Client{
		Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: f.dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f
}

// enter brings the phone into the air of a place; it keeps its hardware address when it comes from another.
func (f *phone) enter(p *place) {
	p.t.Helper()
	f.p, f.port = p, strings.ReplaceAll(strings.TrimPrefix(f.ns, run.Name), ".", "_")
	mac := ""
	if f.mac != nil {
		mac = "address " + f.mac.String()
	}
	ip(p.t, "link add %s netns %s type veth peer name eth0 %s netns %s", f.port, p.air, mac, f.ns)
	ip(p.t, "-n %s link set %s master br0 up", p.air, f.port)
	ip(p.t, "-n %s link set eth0 up", f.ns)
	if err := inside(f.ns, func() error {
		i, err := net.InterfaceByName("eth0")
		if err == nil {
			f.mac = i.HardwareAddr
		}
		return err
	}); err != nil {
		p.t.Fatal(err)
	}
}

// leave takes the phone out of the air, and its addresses with it.
func (f *phone) leave() { ip(f.p.t, "-n %s link del eth0", f.ns) }

func (f *phone) dial(ctx context.Context, network, addr string) (c net.Conn, err error) {
	err = inside(f.ns, func() error {
		c, err = (&net.Dialer{Timeout: 2 * time.Second}).DialContext(ctx, network, addr)
		return err
	})
	return c, err
}

// client speaks DHCP on the phone's eth0, before it has an address.
func (f *phone) client(more ...nclient4.ClientOpt) *nclient4.Client {
	f.p.t.Helper()
	var c *nclient4.Client
	if err := inside(f.ns, func() (err error) {
		c, err = nclient4.New("eth0", append([]nclient4.ClientOpt{nclient4.WithTimeout(2 * time.Second), nclient4.WithRetry(4)}, more...)...)
		return err
	}); err != nil {
		f.p.t.Fatal(err)
	}
	return c
}

// join gets the phone an address and a way to the hub, as the hub says.
func (f *phone) join() *nclient4.Lease {
	f.p.t.Helper()
	c := f.client()
	defer c.Close()
	lease, err := c.Request(f.p.t.Context())
	if err != nil {
		f.p.t.Fatalf("%s gets no address: %v", f.ns, err)
	}
	f.adopt(lease.ACK)
	return lease
}

// adopt gives the phone what it was told.
func (f *phone) adopt(ack *dhcpv4.DHCPv4) {
	f.p.t.Helper()
	bits, _ := ack.SubnetMask().Size()
	ip(f.p.t, "-n %s addr replace %s/%d dev eth0", f.ns, ack.YourIPAddr, bits)
	ip(f.p.t, "-n %s route replace default via %s", f.ns, ack.Router()[0])
}

// resolve asks the hub for a name. Nil: it has no address.
func (f *phone) resolve(network, name string, kind dnsmessage.Type) ([]netip.Addr, error) {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: 7, RecursionDesired: true})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}); err != nil {
		return nil, err
	}
	query, err := b.Finish()
	if err != nil {
		return nil, err
	}
	c, err := f.dial(f.p.t.Context(), network, hubAddr+":53")
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(3 * time.Second))
	if network == "tcp" {
		query = append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	}
	if _, err := c.Write(query); err != nil {
		return nil, err
	}
	buf := make([]byte, 2048)
	n, err := c.Read(buf)
	if err != nil {
		return nil, err
	}
	answer := buf[:n]
	if network == "tcp" {
		answer = answer[2:]
	}
	var m dnsmessage.Message
	if err := m.Unpack(answer); err != nil {
		return nil, err
	}
	if m.RCode != dnsmessage.RCodeSuccess || m.ID != 7 {
		return nil, fmt.Errorf("%s: %v", name, m.Header)
	}
	var out []netip.Addr
	for _, a := range m.Answers {
		if r, ok := a.Body.(*dnsmessage.AResource); ok {
			out = append(out, netip.AddrFrom4(r.A))
		}
	}
	return out, nil
}

// reply is what the hub answered.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request.
func (f *phone) do(r *http.Request) reply {
	f.p.t.Helper()
	res, err := f.http.Do(r)
	if err != nil {
		f.p.t.Fatalf("%s: %v", f.ns, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.p.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

// get opens an address. Names lead to the hub, as they do for a phone; host is what the request says.
func (f *phone) get(at, host, path string) reply {
	f.p.t.Helper()
	r, err := http.NewRequestWithContext(f.p.t.Context(), http.MethodGet, "http://"+at+path, nil)
	if err != nil {
		f.p.t.Fatal(err)
	}
	r.Host = host
	return f.do(r)
}

// page opens a page of the hub.
func (f *phone) page(path string) reply {
	f.p.t.Helper()
	return f.get(hubAddr+":8440", hubAddr+":8440", path)
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// submit sends the form of a page, as a browser without script does.
func (f *phone) submit(from, to string, fields url.Values) reply {
	f.p.t.Helper()
	m := tokenField.FindStringSubmatch(f.page(from).body)
	if m == nil {
		f.p.t.Fatalf("there is no form at %s", from)
	}
	fields.Set("token", m[1])
	r, err := http.NewRequestWithContext(f.p.t.Context(), http.MethodPost, "http://"+hubAddr+":8440"+to, bytes.NewReader([]byte(fields.Encode())))
	if err != nil {
		f.p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "null")
	return f.do(r)
}
