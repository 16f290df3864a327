package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"

	"longear/node/api"
	"longear/node/api/guest"
	"longear/node/hotspot"
)

// checkWifi refuses what cannot go with --wifi.
func (f *hubFlags) checkWifi() error {
	switch {
	case f.wifiMake && (f.wifi == "" || f.wifiPassword == ""):
		return api.Fail(api.Usage, "--wifi-make goes with --wifi and --wifi-password", "name the radio's interface, and choose a password: every guest gets to know it")
	case f.wifi == "" || f.card != "":
		return nil
	case f.loopbackOnly:
		return api.Fail(api.Usage, "--wifi and --loopback-only contradict each other", "leave one out")
	case f.guestURL != "":
		return api.Fail(api.Usage, "--wifi and --guest-url contradict each other: with --wifi the address is "+hotspot.Addr().String(), "leave one out")
	case f.portalListen != "":
		return api.Fail(api.Usage, "--wifi and --portal-listen contradict each other: with --wifi port 80 is answered there", "leave one out")
	}
	return nil
}

// listenGuests listens where guests are served beside the Wi-Fi. With --wifi, unless an address is given by name, that is nowhere.
func (f *hubFlags) listenGuests() (l net.Listener, at netip.AddrPort, err error) {
	if f.wifi != "" && !f.listenGiven {
		return nil, netip.MustParseAddrPort(hotspot.Addr().String() + ":" + guestPort), nil
	}
	l, err = net.Listen("tcp", f.guestListen)
	if err != nil {
		return nil, at, api.Fail(api.Failed, fmt.Sprintf("guests cannot be served at %s: %v", f.guestListen, err), "stop what uses the port, or choose another with --guest-listen")
	}
	at, err = netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		l.Close()
	}
	return l, at, err
}

// wifiPort is the port that the Wi-Fi needs a listener of its own for: 0 when the one beside it is at all addresses, or at the hub's.
func wifiPort(beside net.Listener, at netip.AddrPort) uint16 {
	if beside != nil && (at.Addr().Unmap().IsUnspecified() || at.Addr().Unmap() == hotspot.Addr()) {
		return 0
	}
	return at.Port()
}

// serveWifi serves an interface. A group of Wi-Fi Direct has another name each time: whoever makes it calls this with it.
func (a *app) serveWifi(g *guest.Server, iface string, port uint16, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		err := hotspot.Serve(ctx, iface, hotspot.Config{
			Page: g.Serve, PagePort: port, Kept: filepath.Join(a.paths.State, "wifi-addresses"), Log: log,
			Changed: func(up bool) { a.sayWifi(iface, up) },
		})
		return withFix(err)
	}
}

// withFix shows how to mend what a hotspot says, if it can be mended.
func withFix(err error) error {
	if t, ok := errors.AsType[*hotspot.Trouble](err); ok {
		return api.Fail(api.Failed, t.Error(), t.Fix)
	}
	return err
}

// makeWifi makes the access point itself.
func (f *hubFlags) makeWifi(log *slog.Logger) func(context.Context) error {
	ap := hotspot.AccessPoint{Iface: f.wifi, Name: f.wifiName, Password: f.wifiPassword, Log: log}
	return func(ctx context.Context) error { return withFix(ap.Run(ctx)) }
}

// sayWifi tells that phones on an interface are served, or no longer.
func (a *app) sayWifi(iface string, up bool) {
	if a.json {
		// Whoever does not read what is printed is no reason to leave phones alone.
		_ = a.object(map[string]any{"type": "wifi", "interface": iface, "up": up})
	}
	if up {
		a.say("wifi %s: phones are served", safeText(iface))
	} else {
		a.say("wifi %s: gone, waiting for it", safeText(iface))
	}
}
