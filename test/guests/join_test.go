//go:build linux

package guests_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"golang.org/x/net/dns/dnsmessage"
)

// TestJoin: two phones get addresses, find the hub by any name, read and write, and the interface is as before when the hub ends.
func TestJoin(t *testing.T) {
	p := newPlace(t)
	before := ip(t, "-n %s addr show wlan0", p.hub)
	p.start("--wifi-name", "DIRECT-ab-longear-north", "--wifi-password", "open-the-steppe")
	for _, text := range []string{"1. join the Wi-Fi DIRECT-ab-longear-north", "2. open the page", "page http://192.168.49.1:8440/"} {
		p.await(text, 1) // said beside the start of the node
	}
	a, b := p.phone(), p.phone()
	first := a.join().ACK.YourIPAddr
	if second := b.join().ACK.YourIPAddr; first.Equal(second) {
		t.Errorf("both have %v", first)
	}
	if again := a.join().ACK.YourIPAddr; !again.Equal(first) {
		t.Errorf("asked again: %v, had %v", again, first)
	}
	for _, network := range []string{"udp", "tcp"} {
		for _, name := range []string{"captive.apple.com.", "connectivitycheck.gstatic.com.", "x.kz."} {
			got, err := a.resolve(network, name, dnsmessage.TypeA)
			if err != nil || fmt.Sprint(got) != "["+hubAddr+"]" {
				t.Errorf("%s by %s: %v %v", name, network, got, err)
			}
			if got, err := a.resolve(network, name, dnsmessage.TypeAAAA); err != nil || len(got) > 0 {
				t.Errorf("%s by %s and IPv6: %v %v", name, network, got, err)
			}
		}
	}
	sent := a.submit("/", "/post", url.Values{"channel": {"all"}, "text": {"water at gate 4"}})
	if sent.status != http.StatusSeeOther || !strings.Contains(sent.header.Get("Location"), "notice=kept") {
		t.Errorf("posted: %d %v", sent.status, sent.header)
	}
	if board := b.page("/"); !strings.Contains(board.body, "water at gate 4") {
		t.Errorf("the other phone does not see it: %.300s", board.body)
	}
	if moved := b.get(hubAddr+":80", hubAddr, "/?lang=kk"); moved.status != http.StatusFound || moved.header.Get("Location") != "http://192.168.49.1:8440/?lang=kk" {
		t.Errorf("without a port: %d %v", moved.status, moved.header)
	}
	// By the link-local address, which needs no DHCP.
	local := strings.Fields(strings.SplitAfter(ip(t, "-n %s -6 addr show wlan0 scope link", p.hub), "inet6 ")[1])[0]
	local, _, _ = strings.Cut(local, "/")
	eventually(t, 10*time.Second, "the link-local address to work", func() bool {
		c, err := a.dial(t.Context(), "tcp", "["+local+"%eth0]:8440")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	if board := a.get("["+local+"%25eth0]:8440", "["+local+"]:8440", "/"); board.status != http.StatusOK {
		t.Errorf("by IPv6: %d %s", board.status, board.body)
	}
	p.stop()
	if after := ip(t, "-n %s addr show wlan0", p.hub); inet(after) != inet(before) {
		t.Errorf("the interface had\n%s\nand has now\n%s", before, after)
	}
}

// inet is the IPv4 addresses in what ip says.
func inet(text string) (all string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); f[0] == "inet" {
			all += f[1] + "\n"
		}
	}
	return all
}

// TestAddressKept: an address that was there before stays.
func TestAddressKept(t *testing.T) {
	p := newPlace(t)
	ip(t, "-n %s addr add 10.8.0.1/24 dev wlan0", p.hub)
	ip(t, "-n %s addr add 192.168.49.1/24 dev wlan0", p.hub)
	p.start()
	p.phone().join()
	p.stop()
	if got := inet(ip(t, "-n %s addr show wlan0", p.hub)); got != "10.8.0.1/24\n192.168.49.1/24\n" {
		t.Errorf("the interface has %s", got)
	}
}

// TestAnotherClient: busybox's DHCP client, as on many small systems, gets on with the hub.
func TestAnotherClient(t *testing.T) {
	p := newPlace(t)
	if _, err := exec.LookPath("udhcpc"); err != nil {
		t.Skip("SKIPPED: there is no udhcpc; install udhcpc")
	}
	p.start()
	f := p.phone()
	script := filepath.Join(t.TempDir(), "told")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n[ \"$1\" = bound ] && echo \"$ip|$router|$dns|$lease|$mask\"\nexit 0\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ip", "netns", "exec", f.ns, "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5", "-s", script).Output()
	if err != nil {
		t.Fatalf("udhcpc: %v %s", err, out)
	}
	told := strings.Split(strings.TrimSpace(string(out)), "|")
	if len(told) != 5 || !strings.HasPrefix(told[0], "192.168.49.1") || told[1] != hubAddr || told[2] != hubAddr || told[3] != "1800" || told[4] != "24" {
		t.Errorf("udhcpc was told %q", out)
	}
}

// TestOneInterface: nobody on another network of the hub's machine is answered, not even by the address of the Wi-Fi.
func TestOneInterface(t *testing.T) {
	p := newPlace(t)
	q := newPlace(t) // another network that the hub's machine is on
	ip(t, "link add lan0 netns %s type veth peer name lanport netns %s", p.hub, q.air)
	ip(t, "-n %s link set lanport master br0 up", q.air)
	ip(t, "-n %s link set lan0 up", p.hub)
	ip(t, "-n %s addr add 10.9.0.1/24 dev lan0", p.hub)
	p.start()
	f := q.phone()
	ip(t, "-n %s addr add 10.9.0.2/24 dev eth0", f.ns)
	ip(t, "-n %s route add 192.168.49.0/24 via 10.9.0.1", f.ns)
	itself := &phone{p: p, ns: p.hub}
	asks := 0
	for _, from := range []struct {
		who  *phone
		addr string
	}{{f, "10.9.0.1"}, {f, hubAddr}, {itself, "127.0.0.1"}, {itself, "10.9.0.1"}} {
		for _, port := range []int{53, 80, 8440} {
			if c, err := from.who.dial(t.Context(), "tcp", fmt.Sprintf("%s:%d", from.addr, port)); err == nil {
				c.Close()
				t.Errorf("%s answers at TCP port %d", from.addr, port)
			}
			asks++
		}
		for _, port := range []int{53, 67} {
			c, err := from.who.dial(t.Context(), "udp", fmt.Sprintf("%s:%d", from.addr, port))
			if err != nil {
				continue
			}
			query := question(t)
			if port == 67 {
				query = discover(t)
			}
			c.SetDeadline(time.Now().Add(500 * time.Millisecond))
			c.Write(query)
			if n, err := c.Read(make([]byte, 2048)); err == nil {
				t.Errorf("%s answers at UDP port %d with %d bytes", from.addr, port, n)
			}
			c.Close()
		}
	}
	c := f.client(nclient4.WithTimeout(time.Second), nclient4.WithRetry(1))
	defer c.Close()
	if offer, err := c.DiscoverOffer(t.Context()); err == nil {
		t.Errorf("somebody on the other network is offered %v", offer.YourIPAddr)
	}
	// The same questions are answered in the Wi-Fi.
	g := p.phone()
	g.join()
	for _, port := range []int{53, 80, 8440} {
		c, err := g.dial(t.Context(), "tcp", fmt.Sprintf("%s:%d", hubAddr, port))
		if err != nil {
			t.Fatalf("port %d: %v", port, err)
		}
		c.Close()
	}
	if asks != 12 {
		t.Errorf("%d asked", asks)
	}
}

func question(t testing.TB) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{RecursionDesired: true}, Questions: []dnsmessage.Question{{
		Name: dnsmessage.MustNewName("x.kz."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET,
	}}}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func discover(t testing.TB) []byte {
	t.Helper()
	m, err := dhcpv4.NewDiscovery(net.HardwareAddr{2, 0, 0, 0, 0, 9})
	if err != nil {
		t.Fatal(err)
	}
	return m.ToBytes()
}

// TestProbes: phones of each kind look for the internet as they do, open the sign-in page, press its button and find it.
func TestProbes(t *testing.T) {
	b, err := os.ReadFile("../../node/api/guest/testdata/probes.json")
	if err != nil {
		t.Fatal(err)
	}
	var probes []struct {
		System, Version, Host, Path, Agent string
		Header                             map[string]string
		Status                             int
		Kind, Body                         string
		NM                                 bool
	}
	if err := json.Unmarshal(b, &probes); err != nil || len(probes) < 20 {
		t.Fatalf("%d probes, %v", len(probes), err)
	}
	p := newPlace(t)
	p.start()
	for _, c := range probes {
		t.Run(c.System, func(t *testing.T) {
			f := p.phone()
			f.join()
			addrs, err := f.resolve("udp", c.Host+".", dnsmessage.TypeA)
			if err != nil || len(addrs) != 1 {
				t.Fatalf("%s: %v %v", c.Host, addrs, err)
			}
			// As bytes, not by a library: what a phone sends and no more.
			ask := func() (string, string) {
				t.Helper()
				var text strings.Builder
				text.WriteString("GET " + c.Path + " HTTP/" + c.Version + "\r\nHost: " + c.Host + "\r\n")
				if c.Agent != "" {
					text.WriteString("User-Agent: " + c.Agent + "\r\n")
				}
				for name, value := range c.Header {
					text.WriteString(name + ": " + value + "\r\n")
				}
				return f.raw(t, netip.AddrPortFrom(addrs[0], 80), text.String()+"\r\n")
			}
			for _, when := range []string{"first", "again"} {
				if head, _ := ask(); !strings.Contains(head, " 302 ") || !strings.Contains(head, "Location: http://192.168.49.1:8440/signin\r\n") {
					t.Fatalf("%s: %s", when, head)
				}
			}
			page := f.page("/signin")
			if page.status != 200 || !strings.Contains(page.body, `<form method="post" action="/signin">`) || strings.Contains(page.body, "<script") {
				t.Errorf("the sign-in page: %d %.300s", page.status, page.body)
			}
			if head, _ := ask(); !strings.Contains(head, " 302 ") {
				t.Errorf("before the button: %s", head)
			}
			if in := f.submit("/signin", "/signin", url.Values{}); in.status != 200 || strings.Contains(in.body, "<form") {
				t.Errorf("the button: %d %.300s", in.status, in.body)
			}
			head, body := ask()
			if !strings.Contains(head, fmt.Sprintf(" %d ", c.Status)) || body != c.Body || strings.Contains(head, "Location") ||
				strings.Contains(head, "X-Networkmanager-Status: online") != c.NM || c.Kind != "" && !strings.Contains(head, "Content-Type: "+c.Kind+"\r\n") {
				t.Errorf("after the button: %s%s", head, body)
			}
			f.leave()
		})
	}
}

// raw sends bytes and returns the head and the body of the answer.
func (f *phone) raw(t *testing.T, to netip.AddrPort, text string) (head, body string) {
	t.Helper()
	c, err := f.dial(t.Context(), "tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		head, body, _ = strings.Cut(string(got), "\r\n\r\n")
		// Kept alive: the body is as long as it says.
		var length int
		if _, after, ok := strings.Cut(head, "Content-Length: "); ok {
			fmt.Sscan(after, &length)
		}
		if err != nil || strings.Contains(string(got), "\r\n\r\n") && len(body) >= length {
			return head + "\r\n", body
		}
	}
}
