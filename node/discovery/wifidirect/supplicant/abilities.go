package supplicant

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"slices"

	"longear/node/discovery/wifidirect"
)

// Abilities are what a radio can do, as its driver says.
type Abilities struct {
	Owner, Client  bool  // of Wi-Fi Direct groups
	AP             bool  // be an ordinary access point
	WhileConnected bool  // own or join a group while it is in an ordinary Wi-Fi
	Channels       int   // at a time, in the best case; 0 if the driver does not say
	Frequencies    []int // MHz, that may be used to send
	MaxClients     int   // of an access point or group; 0 if the driver does not say
}

// Netlink's numbers for what is read of a radio (linux/nl80211.h).
const (
	attrBands      = 0x16
	attrTypes      = 0x20
	attrCombos     = 0x78
	attrMaxClients = 0xca

	bandFreqs    = 0x1
	freqMHz      = 0x1
	freqDisabled = 0x2

	comboLimits   = 0x1
	comboChannels = 0x4
	limitMax      = 0x1
	limitTypes    = 0x2

	typeStation = 2
	typeAP      = 3
	typeClient  = 8
	typeOwner   = 9
)

// attributes visits a list of netlink attributes: length, type, value, padding to four. It ends at the first that is cut short.
func attributes(b []byte, visit func(kind uint16, value []byte)) {
	for len(b) >= 4 {
		n := int(binary.NativeEndian.Uint16(b))
		kind := binary.NativeEndian.Uint16(b[2:]) & 0x3fff // the upper bits say that it is nested
		if n < 4 || n > len(b) {
			return
		}
		visit(kind, b[4:n])
		b = b[min(len(b), (n+3)&^3):]
	}
}

// read takes in what one message says of the radio; a radio is told in several.
func (a *Abilities) read(attrs []byte) {
	attributes(attrs, func(kind uint16, v []byte) {
		switch kind {
		case attrTypes:
			types := kinds(v)
			a.Owner, a.Client, a.AP = slices.Contains(types, typeOwner), slices.Contains(types, typeClient), slices.Contains(types, typeAP)
		case attrCombos:
			attributes(v, func(_ uint16, combo []byte) { a.readCombo(combo) })
		case attrMaxClients:
			if len(v) >= 2 {
				a.MaxClients = int(binary.NativeEndian.Uint16(v))
			}
		case attrBands:
			attributes(v, func(_ uint16, band []byte) { a.readBand(band) })
		}
	})
}

// kinds are the types of a nested list of flags.
func kinds(v []byte) (list []uint16) {
	attributes(v, func(kind uint16, _ []byte) { list = append(list, kind) })
	return list
}

// readCombo is one set of interfaces that the radio can have together.
func (a *Abilities) readCombo(combo []byte) {
	station, group := false, false
	attributes(combo, func(kind uint16, v []byte) {
		switch kind {
		case comboChannels:
			if len(v) >= 4 {
				a.Channels = max(a.Channels, int(binary.NativeEndian.Uint32(v)))
			}
		case comboLimits:
			attributes(v, func(_ uint16, limit []byte) {
				most, types := uint32(0), []uint16(nil)
				attributes(limit, func(kind uint16, v []byte) {
					if kind == limitMax && len(v) >= 4 {
						most = binary.NativeEndian.Uint32(v)
					} else if kind == limitTypes {
						types = kinds(v)
					}
				})
				s := slices.Contains(types, typeStation)
				g := slices.Contains(types, typeOwner) || slices.Contains(types, typeClient)
				if s && g { // one limit for both: there must be two of them
					station, group = station || most >= 2, group || most >= 2
				} else {
					station, group = station || s && most > 0, group || g && most > 0
				}
			})
		}
	})
	a.WhileConnected = a.WhileConnected || station && group
}

func (a *Abilities) readBand(band []byte) {
	attributes(band, func(kind uint16, freqs []byte) {
		if kind != bandFreqs {
			return
		}
		attributes(freqs, func(_ uint16, freq []byte) {
			mhz, disabled := 0, false
			attributes(freq, func(kind uint16, v []byte) {
				if kind == freqMHz && len(v) >= 4 {
					mhz = int(binary.NativeEndian.Uint32(v))
				}
				disabled = disabled || kind == freqDisabled
			})
			if mhz > 0 && !disabled && !slices.Contains(a.Frequencies, mhz) {
				a.Frequencies = append(a.Frequencies, mhz)
			}
		})
	})
}

// Interfaces are the names of this machine's Wi-Fi interfaces, without those of groups.
func Interfaces() (names []string) {
	found, _ := filepath.Glob(filepath.Join(sysNet, "*", "phy80211"))
	for _, f := range found {
		name := filepath.Base(filepath.Dir(f))
		if len(name) < 4 || name[:4] != "p2p-" {
			names = append(names, name)
		}
	}
	return names
}

// Survey is what can be said of a radio without touching it.
type Survey struct {
	Abilities Abilities
	Driver    string // "wpa_supplicant over D-Bus", or how else it would be driven
	Manager   string // the program that owns the radio; "" if none does
	Trouble   *wifidirect.Trouble
}

// Look surveys the radio. It changes nothing.
func (r *Radio) Look(ctx context.Context) Survey {
	s := Survey{}
	if err := r.present(); err != nil {
		s.Trouble, _ = errors.AsType[*wifidirect.Trouble](err)
		return s
	}
	if a, err := abilities(r.cfg.Iface); err == nil {
		s.Abilities = a
		if !a.Owner || !a.Client {
			s.Trouble = &wifidirect.Trouble{Reason: wifidirect.NoP2P, Text: "its driver has no Wi-Fi Direct", Fix: "use another adapter, or make a hotspot"}
			return s
		}
	}
	err := r.lookBus(ctx, &s)
	if t, ok := errors.AsType[*wifidirect.Trouble](err); ok && (t.Reason == wifidirect.NoBus || t.Reason == wifidirect.NoSupplicant) {
		if path, failed := r.p2pSocket(); failed == nil {
			if _, failed := talk(path, "PING"); failed == nil {
				s.Driver, err = "wpa_supplicant over its control socket", nil
			}
		}
	}
	s.Trouble, _ = errors.AsType[*wifidirect.Trouble](err)
	return s
}

// lookBus asks over D-Bus who has the radio.
func (r *Radio) lookBus(ctx context.Context, s *Survey) error {
	b, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = b.close(ctx) }() // it made nothing, so there is nothing to undo
	err = b.call(ctx, busRoot, busName+".GetInterface", r.cfg.Iface).Store(&b.radio)
	if err != nil && !named(err, "InterfaceUnknown") {
		return explain(err)
	}
	if named(err, "InterfaceUnknown") && r.drivenElsewhere() {
		return elsewhere(r.cfg.Iface)
	}
	s.Driver = "wpa_supplicant over D-Bus"
	if b.managed(ctx, r.cfg.Iface) {
		s.Manager = "NetworkManager"
		return managedTrouble(r.cfg.Iface)
	}
	return nil
}
