package supplicant

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"longear/node/discovery/wifidirect"
)

// Names in wpa_supplicant's D-Bus API.
const (
	busName    = "fi.w1.wpa_supplicant1"
	busRoot    = dbus.ObjectPath("/fi/w1/wpa_supplicant1")
	ifaceName  = busName + ".Interface"
	p2pName    = ifaceName + ".P2PDevice"
	groupName  = busName + ".Group"
	bssName    = busName + ".BSS"
	properties = "org.freedesktop.DBus.Properties"
)

// callFor bounds one call. What it starts is told by signals; but wpa_supplicant is one thread, and may be slow.
const callFor = 10 * time.Second

// bus is a connection to wpa_supplicant.
type bus struct {
	conn    *dbus.Conn
	gate    *gate
	signals chan *dbus.Signal // what the gate lets through
	radio   dbus.ObjectPath   // of the Wi-Fi interface
	own     bool              // we made the interface known to wpa_supplicant
	end     func()            // of the connection's lifetime
}

type dict = map[string]dbus.Variant

func (b *bus) call(ctx context.Context, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	return b.conn.Object(busName, path).CallWithContext(ctx, method, 0, args...)
}

// property reads one; nil if it is not there.
func (b *bus) property(ctx context.Context, path dbus.ObjectPath, iface, name string) any {
	var v dbus.Variant
	if b.call(ctx, path, properties+".Get", iface, name).Store(&v) != nil {
		return nil
	}
	return v.Value()
}

func (b *bus) text(ctx context.Context, path dbus.ObjectPath, iface, name string) string {
	s, _ := b.property(ctx, path, iface, name).(string)
	return s
}

// connect makes a connection of our own, whose signals come in order. It outlives ctx, because the last order is Leave; but a bus
// that does not answer must not keep a node from ending.
func (r *Radio) connect(ctx context.Context) (*bus, error) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	waiting, enough := context.WithTimeout(ctx, callFor)
	defer enough()
	stop := context.AfterFunc(waiting, end)
	g := newGate(r.cfg.Log)
	conn, err := dbus.Connect(r.cfg.Bus, dbus.WithContext(life), dbus.WithSignalHandler(g))
	if err != nil || !stop() {
		end()
		return nil, &wifidirect.Trouble{Reason: wifidirect.NoBus, Text: fmt.Sprintf("D-Bus cannot be reached (%v)", err), Fix: "systemctl start dbus"}
	}
	return &bus{conn: conn, gate: g, end: end}, nil
}

// dialBus connects, takes the radio and removes what an earlier run left there. wpa_supplicant is heard before it is asked for the
// radio: that this goes again meanwhile, or that another program makes a group, is told once only, and later orders do not show it.
func (r *Radio) dialBus(ctx context.Context) (*bus, error) {
	b, err := r.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err = b.listen(ctx); err == nil {
		err = b.wake(ctx, r.cfg.Iface)
	}
	if err == nil {
		err = b.take(ctx, r)
	}
	if err == nil {
		if b.managed(ctx, r.cfg.Iface) {
			err = managedTrouble(r.cfg.Iface)
		} else if err = b.first(ctx, r.cfg.Iface); err == nil {
			err = b.sweep(ctx, r.cfg)
		}
	}
	if err != nil {
		return nil, errors.Join(err, b.close(ctx))
	}
	return b, nil
}

// wake begins to hear wpa_supplicant. A call starts it where it does not run.
func (b *bus) wake(ctx context.Context, iface string) error {
	if err := b.call(ctx, busRoot, busName+".GetInterface", iface).Err; err != nil && !named(err, "InterfaceUnknown") {
		return explain(err)
	}
	return b.heed(ctx)
}

// take finds the radio, or makes it known if no other program has, nor another wpa_supplicant, which then is the one to use.
func (b *bus) take(ctx context.Context, r *Radio) error {
	iface := r.cfg.Iface
	err := b.call(ctx, busRoot, busName+".GetInterface", iface).Store(&b.radio)
	if named(err, "InterfaceUnknown") {
		if r.drivenElsewhere() {
			return elsewhere(iface)
		}
		made := dict{"Ifname": dbus.MakeVariant(iface), "Driver": dbus.MakeVariant("nl80211")}
		err = b.call(ctx, busRoot, busName+".CreateInterface", made).Store(&b.radio)
		b.own = err == nil
	}
	if err != nil {
		return explain(err)
	}
	if b.can(ctx, b.radio) {
		return nil
	}
	return &wifidirect.Trouble{
		Reason: wifidirect.NoP2P, Text: iface + " has no Wi-Fi Direct",
		Fix: "use another adapter, or make a hotspot; iw phy must list P2P-client and P2P-GO, and one wpa_supplicant only may run on the radio",
	}
}

// can reports whether a radio has Wi-Fi Direct.
func (b *bus) can(ctx context.Context, radio dbus.ObjectPath) bool {
	can, _ := b.property(ctx, radio, ifaceName, "Capabilities").(map[string]dbus.Variant)
	modes, _ := can["Modes"].Value().([]string)
	return slices.Contains(modes, "p2p")
}

// first: one wpa_supplicant does Wi-Fi Direct on the first of its radios only (2.10), and whatever is ordered on another happens
// there. That one may be somebody's only way to the internet.
func (b *bus) first(ctx context.Context, iface string) error {
	all, _ := b.property(ctx, busRoot, busName, "Interfaces").([]dbus.ObjectPath)
	for _, path := range all {
		name := b.text(ctx, path, ifaceName, "Ifname")
		if name == "" || strings.HasPrefix(name, "p2p-") || number(path) >= number(b.radio) || !b.can(ctx, path) {
			continue
		}
		return &wifidirect.Trouble{
			Reason: wifidirect.NoP2P, Text: "the wpa_supplicant of " + name + " does Wi-Fi Direct on that radio only",
			Fix: "run another one for " + iface + ": sudo wpa_supplicant -B -Dnl80211 -i " + iface +
				" -C 'DIR=/run/wpa_longear GROUP=netdev', and add --wifi-direct-control /run/wpa_longear",
		}
	}
	return nil
}

// number is that of an interface object; wpa_supplicant counts up.
func number(path dbus.ObjectPath) int {
	n, _ := strconv.Atoi(string(path[strings.LastIndexByte(string(path), '/')+1:]))
	return n
}

// close undoes what take did. The connection is private.
func (b *bus) close(ctx context.Context) error {
	defer b.end()
	if b.own {
		b.call(ctx, busRoot, busName+".RemoveInterface", b.radio)
	}
	return b.conn.Close()
}

// named reports whether an error of D-Bus has a name that ends so.
func named(err error, end string) bool {
	e, ok := errors.AsType[dbus.Error](err)
	return ok && strings.HasSuffix(e.Name, end)
}

// explain turns an error of D-Bus into words for people.
func explain(err error) error {
	switch {
	case named(err, "AccessDenied"):
		return &wifidirect.Trouble{
			Reason: wifidirect.NoRights, Text: "this user may not use wpa_supplicant",
			Fix: "sudo adduser $USER netdev, then log in again",
		}
	case named(err, "ServiceUnknown"), named(err, "NameHasNoOwner"), named(err, "NoReply"), named(err, "Disconnected"), named(err, "ExecFailed"),
		errors.Is(err, context.DeadlineExceeded):
		return &wifidirect.Trouble{Reason: wifidirect.NoSupplicant, Text: "wpa_supplicant does not run", Fix: "systemctl start wpa_supplicant"}
	case errors.Is(err, dbus.ErrClosed), errors.Is(err, net.ErrClosed):
		return &wifidirect.Trouble{Reason: wifidirect.NoBus, Text: "the connection to D-Bus broke", Fix: "systemctl start dbus"}
	}
	return &wifidirect.Trouble{Reason: wifidirect.Broken, Text: fmt.Sprintf("wpa_supplicant: %v", err)}
}

// frequency is that of the Wi-Fi the radio is in as a station, 0 if it is in none: most radios are on one channel at a time.
func (b *bus) frequency(ctx context.Context) int32 {
	if b.text(ctx, b.radio, ifaceName, "State") != "completed" {
		return 0
	}
	bss, ok := b.property(ctx, b.radio, ifaceName, "CurrentBSS").(dbus.ObjectPath)
	if !ok || bss == "/" {
		return 0
	}
	f, _ := b.property(ctx, bss, bssName, "Frequency").(uint16)
	return int32(f)
}

// ssid is the name of the group on an interface object, "" if there is none.
func (b *bus) ssid(ctx context.Context, iface dbus.ObjectPath) string {
	group, ok := b.property(ctx, iface, p2pName, "Group").(dbus.ObjectPath)
	if !ok || len(group) < 2 {
		return ""
	}
	name, _ := b.property(ctx, group, groupName, "SSID").([]byte)
	return string(name)
}

// sweep removes the groups on the radio that an earlier run of longear left, and says whether somebody else has one.
func (b *bus) sweep(ctx context.Context, cfg Config) error {
	all, _ := b.property(ctx, busRoot, busName, "Interfaces").([]dbus.ObjectPath)
	for _, path := range all {
		if !groupOf(cfg.Iface, b.text(ctx, path, ifaceName, "Ifname")) {
			continue
		}
		role := b.text(ctx, path, p2pName, "Role")
		if role != "GO" && role != "client" {
			continue
		}
		if !wifidirect.OurName(cfg.Circle, b.ssid(ctx, path)) {
			return foreign()
		}
		b.call(ctx, path, p2pName+".Disconnect")
	}
	return nil
}

func foreign() *wifidirect.Trouble {
	return &wifidirect.Trouble{
		Reason: wifidirect.Foreign, Text: "another program has a Wi-Fi Direct group on this radio",
		Fix: "end it there (casting a screen, sharing a file), or use a second adapter",
	}
}
