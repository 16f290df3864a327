//go:build linux

package guests_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"

	"longear/test/rig"
)

// TestGoesAndComes: the interface goes in each way there is and comes back, and phones are served again without another start.
func TestGoesAndComes(t *testing.T) {
	p := newPlace(t)
	p.start()
	f := p.phone()
	had := f.join().ACK.YourIPAddr
	for i, c := range []struct {
		name       string
		away, back func()
	}{
		{
			"pulled out and put in again",
			func() { ip(t, "-n %s link del wlan0", p.hub) },
			func() { p.radio() },
		},
		{
			"switched off and on",
			func() { ip(t, "-n %s link set wlan0 down", p.hub) },
			func() { ip(t, "-n %s link set wlan0 up", p.hub) },
		},
		{
			"its address taken away by somebody",
			func() { ip(t, "-n %s addr del 192.168.49.1/24 dev wlan0", p.hub) },
			func() {},
		},
		{
			"another one under its name",
			func() {
				ip(t, "-n %s link set wlan0 down", p.hub)
				ip(t, "-n %s link set wlan0 name old0", p.hub)
				ip(t, "-n %s link del old0", p.hub)
			},
			func() { p.radio() },
		},
	} {
		c.away()
		p.await("wifi wlan0: gone", i+1)
		back := time.Now()
		c.back()
		p.await("phones are served", i+2)
		t.Logf("%s: served again after %v", c.name, time.Since(back).Round(10*time.Millisecond))
		if got := f.join().ACK.YourIPAddr; !got.Equal(had) {
			t.Errorf("%s: the phone has %v, had %v", c.name, got, had)
		}
		if page := f.page("/"); page.status != http.StatusOK {
			t.Errorf("%s: the page: %d", c.name, page.status)
		}
	}
}

// TestAnotherStart: a hub dies and is started again. Who has an address keeps it, and nobody else gets it.
func TestAnotherStart(t *testing.T) {
	p := newPlace(t)
	p.start()
	a, silent := p.phone(), p.phone()
	lease := a.join()
	quiet := silent.join().ACK.YourIPAddr
	p.kill()
	if got := inet(ip(t, "-n %s addr show wlan0", p.hub)); got != "192.168.49.1/24\n" {
		t.Errorf("a hub that was killed left %q", got)
	}
	p.start()
	c := a.client()
	defer c.Close()
	renewed, err := c.Renew(t.Context(), lease)
	if err != nil || !renewed.ACK.YourIPAddr.Equal(lease.ACK.YourIPAddr) {
		t.Errorf("renewed: %v %v", renewed, err)
	}
	for range 5 {
		got := p.phone().join().ACK.YourIPAddr
		if got.Equal(lease.ACK.YourIPAddr) || got.Equal(quiet) {
			t.Errorf("%v is given to another", got)
		}
	}
	if page := silent.page("/"); page.status != http.StatusOK {
		t.Errorf("whoever asked nothing: %d", page.status)
	}
}

// TestInTheWay: what keeps a hub from serving is said, with the way to mend it.
func TestInTheWay(t *testing.T) {
	p := newPlace(t)
	try := func(name string, want []string, cmd *exec.Cmd) {
		t.Helper()
		out, err := cmd.CombinedOutput()
		exit, _ := err.(*exec.ExitError)
		if exit == nil || exit.ExitCode() != 1 {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("%s: not %q in:\n%s", name, w, out)
			}
		}
	}
	hub := func(iface string) *exec.Cmd {
		return p.command("hub", "--wifi", iface, "--no-mdns", "--no-beacon", "--no-gateway")
	}
	try("no such interface", []string{`there is no interface "wlan7"`, "there are: wlan0"}, hub("wlan7"))
	for _, c := range []struct{ network, addr, say string }{
		{"udp4", ":67", "udp port 67 on wlan0 is in use by another program"},
		{"udp4", ":53", "udp port 53 on wlan0 is in use by another program"},
		{"tcp4", ":53", "tcp port 53 on wlan0 is in use by another program"},
		{"tcp4", ":80", "tcp port 80 on wlan0 is in use by another program"},
		{"tcp4", ":8440", "tcp port 8440 on wlan0 is in use by another program"},
	} {
		var held interface{ Close() error }
		if err := inside(p.hub, func() (err error) {
			if c.network == "udp4" {
				held, err = net.ListenPacket(c.network, c.addr)
			} else {
				held, err = net.Listen(c.network, c.addr)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		try(c.say, []string{c.say, "stop it", "ss -l"}, hub("wlan0"))
		held.Close()
		if got := inet(ip(t, "-n %s addr show wlan0", p.hub)); got != "" {
			t.Errorf("%s: the interface still has %s", c.say, got)
		}
	}
	// A server of names that the machine has for itself is not in the way.
	var own net.PacketConn
	if err := inside(p.hub, func() (err error) { own, err = net.ListenPacket("udp4", "127.0.0.53:53"); return err }); err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	p.start()
	p.stop()

	home := filepath.Join(run.Dir, "nobody")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	// As somebody without rights: the namespace is entered as root, the program runs as nobody.
	nobody := exec.Command(run.Program, "hub", "--home", home, "--wifi", "wlan0", "--no-mdns", "--no-beacon", "--no-gateway")
	nobody.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	var out bytes.Buffer
	nobody.Stdout, nobody.Stderr = &out, &out
	if err := inside(p.hub, nobody.Start); err != nil {
		t.Fatal(err)
	}
	err := nobody.Wait()
	if exit, _ := err.(*exec.ExitError); exit == nil || exit.ExitCode() != 1 || !strings.Contains(out.String(), "setcap cap_net_admin,cap_net_bind_service=+ep") {
		t.Errorf("without rights: %v\n%s", err, &out)
	}

	// With the two that it names, and nothing else, it serves.
	able := exec.Command(run.Program, nobody.Args[1:]...)
	able.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE},
	}
	said := &rig.Output{}
	able.Stdout, able.Stderr = said, said
	if err := inside(p.hub, able.Start); err != nil {
		t.Fatal(err)
	}
	defer able.Wait()
	defer able.Process.Signal(os.Interrupt)
	eventually(t, 20*time.Second, "a hub with two capabilities to serve", func() bool {
		return strings.Contains(said.String(), "phones are served")
	})
	p.phone().join()
}

// TestTwoHubs: a phone goes from one hub to another of the same address, and reads and writes there.
func TestTwoHubs(t *testing.T) {
	here, there := newPlace(t), newPlace(t)
	here.start("--name", "here")
	there.start("--name", "there")
	a, b := here.phone(), there.phone()
	a.join()
	b.join()
	if sent := a.submit("/", "/post", url.Values{"channel": {"all"}, "text": {"from here"}}); !strings.Contains(sent.header.Get("Location"), "notice=kept") {
		t.Errorf("posted: %v", sent.header)
	}
	if strings.Contains(b.page("/").body, "from here") {
		t.Error("two hubs that do not know each other share a board")
	}
	a.leave()
	a.enter(there)
	first := a.join().ACK
	if !strings.Contains(a.page("/").body, "there") {
		t.Error("the phone does not see the other hub")
	}
	// The one who comes with another hub's address and asks only for that, as phones do, is told at once whether it holds.
	a.leave()
	a.enter(here)
	c := a.client()
	defer c.Close()
	m, err := dhcpv4.New(dhcpv4.WithHwAddr(a.mac), dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest), dhcpv4.WithBroadcast(true),
		dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(first.YourIPAddr)))
	if err != nil {
		t.Fatal(err)
	}
	told, err := c.SendAndRead(t.Context(), &net.UDPAddr{IP: net.IPv4bcast, Port: 67}, m, nil)
	if err != nil || told.MessageType() != dhcpv4.MessageTypeAck && told.MessageType() != dhcpv4.MessageTypeNak {
		t.Errorf("back again: %v %v", told, err)
	}
	a.join()
	if !strings.Contains(a.page("/").body, "from here") {
		t.Error("back again, the phone does not see what it wrote")
	}
}

// TestHostile: a phone that sends nonsense, asks for all addresses and never stops leaves the hub as it was for the others.
func TestHostile(t *testing.T) {
	p := newPlace(t)
	p.start()
	honest, bad := p.phone(), p.phone()
	had := honest.join().ACK.YourIPAddr
	honest.page("/")
	ip(t, "-n %s addr add 192.168.49.66/24 dev eth0", bad.ns)
	sent, answered := 0, 0
	for _, port := range []int{53, 67} {
		c, err := bad.dial(t.Context(), "udp", fmt.Sprintf("%s:%d", hubAddr, port))
		if err != nil {
			t.Fatal(err)
		}
		good := question(t)
		if port == 67 {
			good = discover(t)
		}
		for n := range 20_000 {
			b := bytes.Clone(good)
			b[n%len(b)] ^= byte(1 + n/len(b))
			if n%3 == 0 {
				b = b[:n%len(b)]
			}
			if _, err := c.Write(b); err == nil {
				sent += len(b)
			}
		}
		c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		buf := make([]byte, 2048)
		for {
			n, err := c.Read(buf)
			if err != nil {
				break
			}
			answered += n
		}
		c.Close()
	}
	if answered > sent {
		t.Errorf("%d bytes were answered with %d", sent, answered)
	}
	// The first flood fills what there is to fill; the second, as large, must find nothing more.
	bad.flood(t, 5000)
	before := p.memory()
	bad.flood(t, 5000)
	t.Logf("the hub has %d MB after a flood and %d MB after another", before>>20, p.memory()>>20)
	pause(t, 2*time.Second) // as a phone that was not heard does
	if got := honest.join().ACK.YourIPAddr; !got.Equal(had) {
		t.Errorf("the phone that was there has %v, had %v", got, had)
	}
	p.phone().join()
	if after := p.memory(); after > before+64<<20 {
		t.Errorf("the hub had %d MB and has %d", before>>20, after>>20)
	}
	if page := honest.page("/"); page.status != http.StatusOK {
		t.Errorf("the page: %d", page.status)
	}
}

// flood asks for addresses for made-up phones, and takes each.
func (f *phone) flood(t *testing.T, phones int) {
	t.Helper()
	var c *net.UDPConn
	if err := inside(f.ns, func() error {
		lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) {
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1)
				unix.BindToDevice(int(fd), "eth0")
			})
		}}
		l, err := lc.ListenPacket(t.Context(), "udp4", ":68")
		if err == nil {
			c = l.(*net.UDPConn)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := &net.UDPAddr{IP: net.IPv4bcast, Port: 67}
	for n := range phones {
		for _, kind := range []dhcpv4.MessageType{dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest} {
			m, err := dhcpv4.New(dhcpv4.WithHwAddr(net.HardwareAddr{2, 9, 9, 0, byte(n >> 8), byte(n)}), dhcpv4.WithMessageType(kind),
				dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.IP{192, 168, 49, byte(100 + n%100)})))
			if err != nil {
				t.Fatal(err)
			}
			c.WriteTo(m.ToBytes(), to)
		}
	}
}

// memory is how many bytes of memory the hub has.
func (p *place) memory() int {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	var size, resident int
	fmt.Sscan(string(b), &size, &resident)
	return resident * os.Getpagesize()
}

// TestMakesWifi: hostapd runs as long as the hub and no longer, and its settings go with it. There is no radio here: a stand-in for hostapd
// says what it was given.
func TestMakesWifi(t *testing.T) {
	p := newPlace(t)
	dir := t.TempDir()
	note, stand := filepath.Join(dir, "given"), filepath.Join(dir, "hostapd")
	script := "#!/bin/sh\nstat -c '%a' \"$1\" \"$(dirname \"$1\")\" >" + note + ".mode\ncp \"$1\" " + note + "\necho $1 >" + note + ".file\nexec sleep 1000\n"
	if err := os.WriteFile(stand, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	p.start("--wifi-make", "--wifi-password", "open-the-steppe", "--log-level", "debug")
	var text []byte
	eventually(t, 10*time.Second, "hostapd to be started", func() bool {
		text, _ = os.ReadFile(note)
		_, err := os.Stat(note + ".file")
		return len(text) > 0 && err == nil
	})
	if !strings.Contains(string(text), "interface=wlan0\n") || strings.Contains(string(text), "open-the-steppe") {
		t.Errorf("hostapd is given:\n%s", text)
	}
	if mode, _ := os.ReadFile(note + ".mode"); string(mode) != "600\n700\n" {
		t.Errorf("the file and its folder have modes %q", mode)
	}
	file, _ := os.ReadFile(note + ".file")
	children := func() string {
		out, _ := exec.Command("ip", "netns", "pids", p.hub).Output()
		return string(out)
	}
	p.stop()
	if left := strings.TrimSpace(children()); left != "" {
		t.Errorf("after the hub there are still %s", left)
	}
	if _, err := os.Stat(strings.TrimSpace(string(file))); !os.IsNotExist(err) {
		t.Errorf("its settings are still there: %v", err)
	}
	if said := p.said.String(); strings.Contains(said, "open-the-steppe") {
		t.Error("the password is in the log")
	}
	p.start("--wifi-make", "--wifi-password", "open-the-steppe")
	p.kill()
	eventually(t, 5*time.Second, "hostapd to end with a hub that was killed", func() bool { return strings.TrimSpace(children()) == "" })

	if err := os.WriteFile(stand, []byte("#!/bin/sh\necho 'nl80211: Could not configure driver mode'\necho 'wpa_psk=0123'\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := p.command("hub", "--wifi", "wlan0", "--wifi-make", "--wifi-password", "open-the-steppe", "--no-mdns", "--no-beacon", "--no-gateway").CombinedOutput()
	if exit, _ := err.(*exec.ExitError); exit == nil || exit.ExitCode() != 1 || !strings.Contains(string(out), "hostapd makes no Wi-Fi on wlan0") ||
		!strings.Contains(string(out), "Could not configure driver mode") || strings.Contains(string(out), "0123") {
		t.Errorf("hostapd that fails: %v\n%s", err, out)
	}
}
