//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery"
)

const (
	managerName    = "org.freedesktop.NetworkManager"
	supplicantName = "fi.w1.wpa_supplicant1"
)

// startManager runs NetworkManager on the machine, and waits until it has the radio.
func (b *box) startManager() {
	must(b.w, os.MkdirAll(b.dir+"/nm", 0o755))
	must(b.w, os.WriteFile(b.dir+"/nm.conf", []byte("[main]\nplugins=keyfile\ndhcp=internal\ndns=none\nrc-manager=unmanaged\n[keyfile]\npath="+b.dir+"/nm\n[device]\nwifi.scan-rand-mac-address=no\n"), 0o644))
	b.start("manager", b.logFile("manager"), "/init", "without-udev", "/usr/sbin/NetworkManager", "--debug", "--log-level=INFO", "--config="+b.dir+"/nm.conf",
		"--config-dir="+b.dir+"/nm", "--state-file="+b.dir+"/nm.state", "--pid-file="+b.dir+"/nm.pid")
	b.w.within(45*time.Second, "NetworkManager has the radio", func() bool { return b.managed(b.wlan, nil) })
}

// networkManager: it owns the radio, and longear says so, does nothing, and goes on when it is told to leave the radio.
func networkManager(w *world) {
	b := w.box(0)
	b.startManager()
	b.relay("--profile", "hub")
	b.blocked("NetworkManager owns "+b.wlan, "nmcli device set "+b.wlan+" managed no (undo: sudo nmcli device set "+b.wlan+" managed yes")
	time.Sleep(6 * time.Second)
	if !b.managed(b.wlan, nil) || len(b.groups()) != 0 {
		w.fail("longear took the radio from NetworkManager by itself")
	}
	doctor, _ := b.try("doctor")
	if !strings.Contains(doctor, "NetworkManager owns "+b.wlan) || !strings.Contains(doctor, "Wi-Fi Direct, access point") {
		w.fail("doctor says %q", doctor)
	}
	// This is why it does not try.
	w.note("a group made by another program lived %d ms", b.groupOfAnother().Milliseconds())
	// What the command of the fix does.
	no, yes := false, true
	b.managed(b.wlan, &no)
	b.recovers()
	time.Sleep(5 * time.Second)
	if len(b.groups()) != 1 {
		w.fail("the group does not live beside NetworkManager")
	}
	// Somebody ends our group in the way of NetworkManager.
	old := b.groups()[0]
	must(w, b.onBus(func(c *dbus.Conn) error {
		var path dbus.ObjectPath
		root := c.Object(supplicantName, "/fi/w1/wpa_supplicant1")
		if err := root.Call(supplicantName+".GetInterface", 0, old).Store(&path); err != nil {
			return err
		}
		return root.Call(supplicantName+".RemoveInterface", 0, path).Err
	}))
	w.within(60*time.Second, "there is another group", func() bool {
		if now := b.groups(); slices.Contains(now, old) {
			_ = run("ip", "netns", "exec", b.ns, "iw", "dev", old, "del")
		} else if len(now) == 1 {
			return true
		}
		return false
	})
	// And what undoes the command.
	b.stop("longear")
	b.managed(b.wlan, &yes)
	w.within(20*time.Second, "NetworkManager has the radio again", func() bool { return b.managed(b.wlan, nil) })
}

// groupOfAnother makes a group as any program may and returns how long NetworkManager lets it live.
func (b *box) groupOfAnother() (lived time.Duration) {
	w := b.w
	must(w, b.onBus(func(c *dbus.Conn) error {
		signals := make(chan *dbus.Signal, 64) // more than one group's life takes
		c.Signal(signals)
		if err := c.AddMatchSignal(dbus.WithMatchSender(supplicantName)); err != nil {
			return err
		}
		b.command("P2P_GROUP_ADD freq=2437")
		var up time.Time
		for late := time.After(20 * time.Second); ; {
			select {
			case s := <-signals:
				if strings.HasSuffix(s.Name, ".GroupStarted") {
					up = time.Now()
				}
				if strings.HasSuffix(s.Name, ".InterfaceRemoved") && !up.IsZero() {
					lived = time.Since(up)
					return nil
				}
			case <-late:
				return errors.New("NetworkManager let another program's group live for 20 s")
			}
		}
	}))
	for _, dev := range b.groups() { // what it leaves behind
		_ = run("ip", "netns", "exec", b.ns, "iw", "dev", dev, "del")
	}
	return lived
}

// secondRadio: NetworkManager keeps the first radio, with the ordinary Wi-Fi that it is in, and longear has one of its own beside it.
func secondRadio(w *world) {
	camp, b, other := w.bare(0), w.box(1), w.box(3)
	must(w, os.WriteFile(camp.dir+"/wpa.conf", []byte("network={\n ssid=\"camp\"\n mode=2\n frequency=2412\n key_mgmt=WPA-PSK\n psk=\"words of the camp\"\n}\n"), 0o600))
	camp.start("supplicant", camp.logFile("supplicant"), "wpa_supplicant", "-t", "-Dnl80211", "-i", camp.wlan, "-c", camp.dir+"/wpa.conf", "-f", camp.dir+"/wpa.log")
	must(w, run("ip", "-n", camp.ns, "addr", "replace", "10.1.1.1/24", "dev", camp.wlan))
	// The second radio of b.
	const phy, wlan = "phy2", "wlan2"
	must(w, run("iw", "phy", phy, "set", "netns", "name", b.ns))
	b.after = func() { _ = run("ip", "netns", "exec", b.ns, "iw", "phy", phy, "set", "netns", "1") }
	must(w, os.MkdirAll(b.dir+"/nm", 0o755))
	must(w, os.WriteFile(b.dir+"/nm/camp.nmconnection", []byte("[connection]\nid=camp\nuuid=6a0e4b0e-0d0c-4b8e-9d58-3a2d5a7c1f10\ntype=wifi\ninterface-name="+b.wlan+
		"\n[wifi]\nssid=camp\nmode=infrastructure\n[wifi-security]\nkey-mgmt=wpa-psk\npsk=words of the camp\n[ipv4]\nmethod=manual\naddress1=10.1.1.2/24\n[ipv6]\nmethod=disabled\n"), 0o600))
	b.startManager()
	online := func() bool {
		return b.managed(b.wlan, nil) && run("ip", "netns", "exec", b.ns, "/init", "reach", "10.1.1.1:9") == nil
	}
	w.note("in the ordinary Wi-Fi after %.1f s", w.within(60*time.Second, "NetworkManager is in the ordinary Wi-Fi", online).Seconds())
	first := b.wlan
	b.wlan = wlan
	b.relay()
	other.relay()
	// NetworkManager takes a new radio too, and is told to leave that one; and its wpa_supplicant does Wi-Fi Direct on one radio only.
	b.blocked("NetworkManager owns "+wlan, "nmcli device set "+wlan+" managed no")
	no := false
	b.managed(wlan, &no)
	b.blocked("does Wi-Fi Direct on that radio only", "sudo wpa_supplicant -B -Dnl80211 -i "+wlan+" -C 'DIR=/run/wpa_longear GROUP=netdev'")
	b.stop("longear")
	b.start("second", b.logFile("second"), "wpa_supplicant", "-Dnl80211", "-i", wlan, "-C", "DIR=/run/wpa_longear GROUP=netdev", "-t", "-f", b.dir+"/second.log")
	b.control = "/run/wpa_longear"
	b.relay()
	in := func(m *box) bool { s := m.state(); return s == discovery.StateHosting || s == discovery.StateMember }
	w.note("in a group after %.1f s", w.within(90*time.Second, "both are in a group", func() bool { return in(b) && in(other) && b.state() != other.state() }).Seconds())
	ids := []string{b.post("by the second radio"), other.post("and back")}
	w.all(60*time.Second, "both have both", ids, b, other)
	b.wlan = first
	if !online() {
		w.fail("the ordinary Wi-Fi is gone")
	}
}

// reach finds out whether somebody has an address: a refusal is an answer.
func reach(address string) error {
	c, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err == nil {
		return c.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return fmt.Errorf("reach: %w", err)
}

// managed reads whether NetworkManager manages a radio, after setting it if set is given.
func (b *box) managed(wlan string, set *bool) (yes bool) {
	_ = b.onBus(func(c *dbus.Conn) error {
		var device dbus.ObjectPath
		if err := c.Object(managerName, "/org/freedesktop/NetworkManager").Call(managerName+".GetDeviceByIpIface", 0, wlan).Store(&device); err != nil {
			return err
		}
		if set != nil {
			return c.Object(managerName, device).SetProperty(managerName+".Device.Managed", dbus.MakeVariant(*set))
		}
		v, err := c.Object(managerName, device).GetProperty(managerName + ".Device.Managed")
		if err == nil {
			yes, _ = v.Value().(bool)
		}
		return err
	})
	return yes
}
