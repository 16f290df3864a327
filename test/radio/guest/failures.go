//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
	"longear/test/rig"
)

// blocked waits until a machine's node says why it cannot use its radio, and what to do.
func (b *box) blocked(text, fix string) {
	w := b.w
	w.within(45*time.Second, fmt.Sprintf("%s is blocked: %s", b.ns, text), func() bool {
		r := b.wifi()
		return r.State == discovery.StateBlocked && strings.Contains(r.Err, text) && strings.Contains(r.Fix, fix)
	})
}

// hub runs a node that owns a group at once, and waits for that.
func (b *box) hub(flags ...string) {
	b.relay(append([]string{"--profile", "hub"}, flags...)...)
	b.w.reach(45*time.Second, discovery.StateHosting, b)
	b.groupUp(45 * time.Second)
}

// groupUp waits until there is a group's interface.
func (b *box) groupUp(limit time.Duration) time.Duration {
	return b.w.within(limit, b.ns+" has a group", func() bool {
		r := b.wifi()
		return r.State == discovery.StateHosting && strings.Contains(r.Detail, "joined") && len(b.groups()) == 1
	})
}

func (b *box) recovers() { b.w.note("recovered after %.1f s", b.groupUp(60*time.Second).Seconds()) }

func supplicantDies(w *world) {
	b := w.box(0)
	b.hub()
	b.kill("supplicant")
	b.blocked("wpa_supplicant does not run", "systemctl start wpa_supplicant")
	b.startSupplicant()
	b.recovers()
}

func supplicantAbsent(w *world) {
	b := w.bare(0)
	b.startBus()
	b.relay("--profile", "hub")
	b.blocked("wpa_supplicant does not run", "systemctl start wpa_supplicant")
	b.startSupplicant()
	b.recovers()
}

func busGone(w *world) {
	b := w.box(0)
	b.control = "/run/none"
	b.hub()
	b.kill("bus")
	b.blocked("D-Bus cannot be reached", "systemctl start dbus")
	b.kill("supplicant") // as systemd does when the bus goes
	b.startBus()
	b.startSupplicant()
	b.recovers()
}

// withoutBus: a small machine has wpa_supplicant's control socket and no D-Bus.
func withoutBus(w *world) {
	a, b := w.bare(0), w.box(1)
	a.socket = true
	a.startSupplicant()
	a.hub()
	b.relay()
	w.reach(120*time.Second, discovery.StateMember, b)
	ids := []string{a.post("no bus here"), b.post("and one there")}
	w.all(60*time.Second, "both have both", ids, a, b)
	if r := a.wifi(); !strings.HasPrefix(r.Detail, "1 joined") {
		w.fail("the owner counts %q", r.Detail)
	}
	a.kill("supplicant")
	a.blocked("wpa_supplicant", "systemctl start wpa_supplicant")
	a.startSupplicant()
	a.recovers()
	// And as a member.
	b.stop("longear")
	a.stop("longear")
	b.hub()
	a.relay()
	w.reach(120*time.Second, discovery.StateMember, a)
	w.all(60*time.Second, "the member has what the owner says", []string{b.post("the other way round")}, a)
}

func interfaceGone(w *world) {
	b := w.box(0)
	b.hub()
	must(w, run("ip", "netns", "exec", b.ns, "iw", "dev", b.wlan, "del"))
	b.after = func() {
		_ = run("ip", "netns", "exec", b.ns, "iw", "phy", fmt.Sprintf("phy%d", b.i), "interface", "add", b.wlan, "type", "managed")
	}
	b.blocked("there is no interface "+b.wlan, "plug the adapter in")
	b.after()
	b.after = nil
	b.recovers()
}

// killed: a node that was killed leaves its group, and the next one removes it.
func killed(w *world) {
	b := w.box(0)
	b.hub()
	left := b.groups()
	b.kill("longear")
	if now := b.groups(); !slices.Equal(now, left) {
		w.fail("the kill ended the group: %d were left", len(now))
	}
	b.hub()
	if now := b.groups(); len(now) != 1 || now[0] == left[0] {
		w.fail("after the next start there are %d groups, the old one among them", len(now))
	}
}

// foreignGroup: somebody else's group is left alone.
func foreignGroup(w *world) {
	b := w.box(0)
	b.supplicantKnows()
	b.command("P2P_GROUP_ADD freq=2437")
	w.within(20*time.Second, "somebody has a group", func() bool { return len(b.groups()) == 1 })
	theirs := b.groups()
	b.relay("--profile", "hub")
	b.blocked("another program has a Wi-Fi Direct group", "second adapter")
	time.Sleep(8 * time.Second)
	b.stop("longear")
	if now := b.groups(); !slices.Equal(now, theirs) {
		w.fail("their group is gone")
	}
	b.relay("--profile", "hub")
	b.blocked("another program has a Wi-Fi Direct group", "second adapter")
	b.command("P2P_GROUP_REMOVE " + theirs[0])
	b.recovers()
}

// supplicantKnows makes the radio known to wpa_supplicant, as the program does that uses it.
func (b *box) supplicantKnows() {
	b.w.within(20*time.Second, "wpa_supplicant takes the radio", func() bool {
		return b.onBus(func(c *dbus.Conn) error {
			return c.Object("fi.w1.wpa_supplicant1", "/fi/w1/wpa_supplicant1").Call("fi.w1.wpa_supplicant1.CreateInterface", 0,
				map[string]dbus.Variant{"Ifname": dbus.MakeVariant(b.wlan), "Driver": dbus.MakeVariant("nl80211")}).Err
		}) == nil
	})
}

// onBus does something on the machine's D-Bus.
func (b *box) onBus(do func(*dbus.Conn) error) error {
	c, err := dbus.Connect("unix:path=" + b.dir + "/bus")
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

// command says something to wpa_supplicant as another program would.
func (b *box) command(text string) string {
	path := b.dir + "/ctrl/p2p-dev-" + b.wlan
	own := b.dir + "/command"
	os.Remove(own)
	c, err := net.DialUnix("unixgram", &net.UnixAddr{Name: own, Net: "unixgram"}, &net.UnixAddr{Name: path, Net: "unixgram"})
	must(b.w, err)
	defer c.Close()
	_, err = c.Write([]byte(text))
	must(b.w, err)
	must(b.w, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	answer := make([]byte, 4096)
	n, err := c.Read(answer)
	must(b.w, err)
	if strings.HasPrefix(string(answer[:n]), "FAIL") {
		b.w.fail("wpa_supplicant refuses %q", text)
	}
	return strings.TrimSpace(string(answer[:n]))
}

// noRights: an ordinary user is told what is missing.
func noRights(w *world) {
	b := w.box(0)
	b.user("0")
	b.relay("--profile", "hub")
	b.blocked("this user may not use wpa_supplicant", "adduser $USER netdev")
}

// user makes longear run as an ordinary user with a group or, with 0, none.
func (b *box) user(group string) {
	home := b.dir + "/home"
	must(b.w, os.MkdirAll(home, 0o700))
	must(b.w, os.Chown(home, 1000, 1000))
	b.as = []string{"/init", "as", "1000", group}
}

// linkLocalOnly: group netdev makes groups; without the right to set addresses IPv6 carries everything.
func linkLocalOnly(w *world) {
	a, b := w.box(0), w.box(1)
	a.user("106")
	b.user("106")
	a.hub()
	b.relay()
	w.reach(120*time.Second, discovery.StateMember, b)
	if r := a.wifi(); !strings.Contains(r.Detail, "IPv6 link-local only") || !strings.Contains(r.Detail, "setcap cap_net_admin+ep") {
		w.fail("the owner says %q", r.Detail)
	}
	ids := []string{a.post("without an address"), b.post("and back")}
	w.note("messages by IPv6 link-local in %.1f s", w.all(60*time.Second, "both have both", ids, a, b).Seconds())
	for _, m := range []*box{a, b} {
		if out, _ := exec.Command("ip", "-n", m.ns, "-4", "-br", "addr").Output(); strings.Contains(string(out), "192.168.49.") {
			w.fail("%s has an IPv4 address", m.ns)
		}
	}
}

// twoNodesOneRadio: the second node of a machine leaves the first one's group alone.
func twoNodesOneRadio(w *world) {
	b := w.box(0)
	b.hub()
	group := b.groups()
	second := *b
	second.dir = b.dir + "/second"
	second.procs, second.log = map[string]*exec.Cmd{}, &rig.Output{}
	second.control = b.dir + "/ctrl"
	must(w, os.MkdirAll(second.dir, 0o755))
	must(w, os.Symlink(b.dir+"/bus", second.dir+"/bus"))
	second.relay()
	defer second.kill("longear")
	second.blocked("another longear on this machine uses "+b.wlan, "its own adapter")
	if now := b.groups(); !slices.Equal(now, group) {
		w.fail("the second node changed the first one's group")
	}
}

// hubFull: there is no place left, and the next one owns a group of its own.
func hubFull(w *world) {
	hub := w.box(0)
	hub.hub("--wifi-direct-places", "1")
	first := w.box(1)
	first.relay()
	w.reach(120*time.Second, discovery.StateMember, first)
	w.within(30*time.Second, "the hub is full", func() bool { return strings.HasPrefix(hub.wifi().Detail, "1 joined, 0 places free") })
	late := []*box{w.box(2), w.box(3)}
	for _, b := range late {
		b.relay()
	}
	w.within(90*time.Second, "the late ones have a group of their own", func() bool {
		s := []discovery.State{late[0].state(), late[1].state()}
		return slices.Contains(s, discovery.StateHosting) && slices.Contains(s, discovery.StateMember)
	})
	id := late[0].post("there is room here")
	w.all(60*time.Second, "a message in the second group", []string{id}, late...)
	if got := hub.wifi().Detail; !strings.HasPrefix(got, "1 joined, 0 places free") {
		w.fail("the full hub says %q", got)
	}
}

// refused: a group has our name and another passphrase, so that each try ends by the supplicant's clock.
func refused(w *world) {
	lure, b := w.box(0), w.box(1)
	lure.supplicantKnows()
	name := wifidirect.GroupName("", "00c0ffee")
	id := lure.command("ADD_NETWORK")
	for _, set := range []string{`ssid "` + name + `"`, `psk "not the one of the name"`, "mode 3", "disabled 2"} {
		lure.command("SET_NETWORK " + id + " " + set)
	}
	lure.command("P2P_GROUP_ADD persistent=" + id + " freq=2437")
	var txt strings.Builder
	for _, pair := range (wifidirect.Record{Peer: "12D3KooWlure", Port: 4550, Name: name, Places: 5}).Pairs() {
		txt.WriteString(fmt.Sprintf("%02x%x", len(pair), pair))
	}
	lure.command(fmt.Sprintf("P2P_SERVICE_ADD bonjour %02x%x%02x%xc00c001001 %s", len("longear"), "longear", len("_longear"), "_longear", txt.String()))
	b.relay()
	w.within(60*time.Second, "joining fails and it says so", func() bool { return strings.Contains(b.wifi().Detail, "joining failed") })
	w.note("it says %q", b.wifi().Detail)
	w.note("it gave up and owns a group %.1f s later", w.within(150*time.Second, "it gives up and owns a group", func() bool {
		return b.state() == discovery.StateHosting
	}).Seconds())
}
