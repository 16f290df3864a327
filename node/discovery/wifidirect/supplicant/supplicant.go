// Package supplicant is a [wifidirect.Radio] by wpa_supplicant, the program that drives Wi-Fi on Linux: over D-Bus where that
// is, over its control socket on small machines where it is not.
//
// Invariants: nothing is changed on the machine that is not undone when the session closes, but for what a kill leaves; and that
// the next session removes. Groups that longear did not make are not touched, and no program's settings are changed. The names
// that wpa_supplicant gives to group interfaces, and passphrases, are in memory while a group is up and nowhere else.
//
// BUG(supplicant): where wpa_supplicant's own configuration has update_config=1 it writes the group's credentials into its file, and
// takes them out when the group ends; a kill between the two leaves them there. They follow from the group's name, so they are no secret.
package supplicant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"longear/node/discovery/wifidirect"
)

// Config says which radio, and how to reach the program that drives it.
type Config struct {
	Iface   string       // the Wi-Fi interface, such as wlan0; required
	Bus     string       // address of the system's D-Bus; "" is the usual place
	Sockets string       // folder of control sockets; "" is the usual place
	Circle  string       // see [wifidirect.Config]
	Log     *slog.Logger // nil: silent
}

// The usual places.
const (
	defaultBus     = "unix:path=/run/dbus/system_bus_socket"
	defaultSockets = "/run/wpa_supplicant"
	sysNet         = "/sys/class/net"
)

// Radio is one Wi-Fi interface. Make it with [New].
type Radio struct{ cfg Config }

// New returns a radio that touches nothing until it is opened.
func New(cfg Config) (*Radio, error) {
	if cfg.Iface == "" || len(cfg.Iface) > 15 || strings.ContainsAny(cfg.Iface, "/ \x00") || cfg.Iface == "." || cfg.Iface == ".." {
		return nil, fmt.Errorf("%q is no name of a network interface", cfg.Iface)
	}
	if cfg.Bus == "" {
		cfg.Bus = defaultBus
	}
	if cfg.Sockets == "" {
		cfg.Sockets = defaultSockets
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Radio{cfg: cfg}, nil
}

// Open implements [wifidirect.Radio].
func (r *Radio) Open(ctx context.Context) (wifidirect.Session, error) {
	if err := r.present(); err != nil {
		return nil, err
	}
	hold, err := claim(r.cfg.Iface)
	if err != nil {
		return nil, err
	}
	s, err := r.openBus(ctx, hold)
	if err == nil {
		return s, nil
	}
	if t, ok := errors.AsType[*wifidirect.Trouble](err); ok && (t.Reason == wifidirect.NoBus || t.Reason == wifidirect.NoSupplicant) {
		if _, missing := r.p2pSocket(); missing == nil { // a machine that does it this way: its words are the ones that help
			if s, err = r.openSocket(hold); err == nil {
				return s, nil
			}
		}
	}
	return nil, errors.Join(err, hold.Close())
}

// present says what is wrong with the interface itself.
func (r *Radio) present() error {
	if _, err := net.InterfaceByName(r.cfg.Iface); err != nil {
		return &wifidirect.Trouble{
			Reason: wifidirect.NoInterface, Text: "there is no interface " + r.cfg.Iface,
			Fix: "plug the adapter in, or name another with --wifi-direct (ip link lists them)",
		}
	}
	phy := filepath.Join(sysNet, r.cfg.Iface, "phy80211")
	if _, err := os.Stat(phy); err != nil {
		return &wifidirect.Trouble{
			Reason: wifidirect.NoP2P, Text: r.cfg.Iface + " is no Wi-Fi interface",
			Fix: "name one with --wifi-direct (iw dev lists them)",
		}
	}
	switches, _ := filepath.Glob(filepath.Join(phy, "rfkill*"))
	for _, s := range switches {
		if isOne(filepath.Join(s, "hard")) {
			return &wifidirect.Trouble{
				Reason: wifidirect.SwitchedOff, Text: "the radio is switched off by a switch of the machine",
				Fix: "turn the switch or press the key for it",
			}
		}
		if isOne(filepath.Join(s, "soft")) {
			return &wifidirect.Trouble{Reason: wifidirect.SwitchedOff, Text: "the radio is switched off", Fix: "rfkill unblock wifi"}
		}
	}
	return nil
}

func isOne(file string) bool {
	b, err := os.ReadFile(file)
	return err == nil && strings.TrimSpace(string(b)) == "1"
}

// claim holds a name in the kernel, so that two nodes of one machine do not remove each other's groups. It is gone
// with the process, however that ends.
func claim(iface string) (net.Listener, error) {
	l, err := net.Listen("unix", "@longear-wifi-"+iface)
	if err != nil {
		return nil, &wifidirect.Trouble{
			Reason: wifidirect.InUse, Text: "another longear on this machine uses " + iface,
			Fix: "give each its own adapter with --wifi-direct",
		}
	}
	return l, nil
}

// groupOf reports whether a network interface is the one of a group on the radio: wpa_supplicant calls it by the
// radio's name, or by a number where that would be too long.
func groupOf(iface, name string) bool {
	if name == iface || strings.HasPrefix(name, "p2p-"+iface+"-") {
		return true
	}
	number, ok := strings.CutPrefix(name, "p2p-")
	return ok && len(iface) > 9 && number != "" && strings.Trim(number, "0123456789") == ""
}

// channels are the frequencies in MHz that every Wi-Fi device looks at first.
var channels = [...]int32{2412, 2437, 2462}

// prefixBits is the size of a group's network.
const prefixBits = 24

// settle gives a group its addresses.
func settle(iface string, owner bool, given netip.Addr) wifidirect.Group {
	g := wifidirect.Group{Iface: iface, Owner: owner}
	if owner {
		given = wifidirect.OwnerAddr
	} else {
		g.Hub = wifidirect.OwnerAddr
	}
	if !given.Is4() || given.IsUnspecified() {
		return g // IPv6 link-local is there by itself
	}
	if err := setAddr(iface, netip.PrefixFrom(given, prefixBits)); err != nil {
		g.Note = fmt.Sprintf("IPv6 link-local only, because the address cannot be set (%v): sudo setcap cap_net_admin+ep $(command -v longear)", err)
		return g
	}
	g.Local = given
	return g
}
