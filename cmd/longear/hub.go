package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"rsc.io/qr"

	"longear/node/api"
	"longear/node/api/guest"
	"longear/node/api/guest/page"
	"longear/node/hotspot"
)

// languages are the words that pages and cards are made of, one file a language.
//
//go:embed web/lang/*.json
var languages embed.FS

// built is the page with script, if `make web` built it; else there is a note alone.
//
//go:embed all:web/built/page
var built embed.FS

// guestPort is the one port of every hub: an origin is an address and a port, and what a page keeps belongs to its origin. It is a
// high one, because an app on a phone that is a hub cannot bind a low one.
const guestPort = "8440"

// hubFlags are what the person who runs a hub may turn.
type hubFlags struct {
	relayFlags
	name, guestListen, portalListen, guestURL string
	wifi, wifiName, wifiPassword              string
	lang, card                                string
	channels                                  []string
	forms, wifiMake                           bool
	listenGiven                               bool // --guest-listen is not the default
}

func (a *app) hubCmd() *cobra.Command {
	var f hubFlags
	cmd := &cobra.Command{
		Use:   "hub",
		Short: "Run a node that serves phones with nothing installed, until Ctrl-C",
		Long: "Run a node that keeps much and serves any phone that can join a Wi-Fi and open a\n" +
			"browser. The Wi-Fi itself is made by the machine's own settings, by a router or, with\n" +
			"--wifi-make, by hostapd; with --wifi-name and --wifi-password the hub shows a code by\n" +
			"which phones join it. With --wifi the hub gives phones on that interface their addresses,\n" +
			"and leads them to the page; it needs the right to do so and touches no other interface.\n" +
			"With --wifi-direct it makes a Wi-Fi Direct group, which phones join as any Wi-Fi and other\n" +
			"nodes by themselves; its name and password stay, and are on the card.\n" +
			"Guests can read, write and carry, and nothing else: your keys and the node's own API\n" +
			"are on another listener.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.listenGiven = cmd.Flags().Changed("guest-listen")
			return a.hub(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	f.register(flags)
	f.profile = "hub"
	flags.StringVar(&f.name, "name", "here", "what this hub is called, such as \"north gate\"")
	flags.StringVar(&f.guestListen, "guest-listen", ":"+guestPort, "serve guests at this address and port; keep the port, pages remember it")
	flags.StringVar(&f.portalListen, "portal-listen", "", "also answer where phones look for the internet, such as :80 (needs rights)")
	flags.StringVar(&f.guestURL, "guest-url", "", "address that guests open, if it is not this machine's (behind a router that forwards)")
	flags.StringVar(&f.wifi, "wifi", "", "serve phones on this interface: its address, DHCP, DNS, ports 80 and "+guestPort+" (needs rights)")
	flags.BoolVar(&f.wifiMake, "wifi-make", false, "make the Wi-Fi on that interface too, with hostapd or wpa_supplicant (needs --wifi-password)")
	flags.StringVar(&f.wifiName, "wifi-name", "", "name of the Wi-Fi that guests join, for the code")
	flags.StringVar(&f.wifiPassword, "wifi-password", "", "its password, for the code: every guest gets to know it")
	flags.StringVar(&f.lang, "lang", "en", "language of the card, and of pages for browsers that ask for none that is known")
	flags.StringVar(&f.card, "card", "", "write a card to print (A6, HTML) to this file, - for the screen, and run nothing")
	flags.StringArrayVar(&f.channels, "guest-channel", []string{"all"}, "show this public channel by its name; repeat for more")
	flags.BoolVar(&f.forms, "guest-forms", false, "let phones without script write, signed by a key of the hub and marked so")
	inFile(flags, "name", "guest-listen", "portal-listen", "guest-url", "wifi", "wifi-make", "wifi-name", "wifi-password", "lang", "guest-channel", "guest-forms")
	return cmd
}

// hub is the life of a hub, or the making of a card.
func (a *app) hub(ctx context.Context, f hubFlags) error {
	catalog, err := catalog(f.lang)
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if err := f.nameDirect(a.paths.State); err != nil {
		return err
	}
	if f.card != "" {
		return a.writeCard(f, catalog)
	}
	f.groups = newGroups()
	s, err := a.equip(f.relayFlags)
	if err != nil {
		return err
	}
	err = a.serveGuests(ctx, s, f, catalog)
	notifySystemd("STOPPING=1")
	return errors.Join(err, s.close())
}

// catalog is all languages, with the one for who asks for none.
func catalog(lang string) (*page.Catalog, error) {
	files, err := fs.Sub(languages, "web/lang")
	if err != nil {
		return nil, err
	}
	c, err := page.ReadCatalog(files, lang)
	if err != nil {
		return nil, api.Fail(api.Usage, err.Error(), "choose one of them with --lang")
	}
	return c, nil
}

// Bounds of Wi-Fi names and passwords, by IEEE 802.11 and WPA.
const (
	maxSSID       = 32
	leastPassword = 8
	mostPassword  = 63
	maxHubName    = 64
)

func (f *hubFlags) check() error {
	if f.wifiMake && f.wifiName == "" {
		f.wifiName = hotspot.WifiName(f.name)
	}
	switch {
	case f.name == "" || len(f.name) > maxHubName || safeText(f.name) != f.name:
		return api.Fail(api.Usage, "--name is 1 to 64 bytes of text", "choose a short name of the place")
	case len(f.wifiName) > maxSSID:
		return api.Fail(api.Usage, "--wifi-name is longer than a Wi-Fi's name can be", "at most 32 bytes")
	case f.wifiPassword != "" && (f.wifiName == "" || len(f.wifiPassword) < leastPassword || len(f.wifiPassword) > mostPassword):
		return api.Fail(api.Usage, "--wifi-password has 8 to 63 bytes and goes with --wifi-name", "give both as the access point has them")
	}
	if err := f.checkWifi(); err != nil {
		return err
	}
	if err := f.keepIn(&f.guestListen, "guest-listen"); err != nil || f.portalListen == "" {
		return err
	}
	return f.keepIn(&f.portalListen, "portal-listen")
}

// keepIn checks an address to listen at and, with --loopback-only, keeps it on this machine. A card runs nothing.
func (f *hubFlags) keepIn(addr *string, flag string) error {
	host, _, err := net.SplitHostPort(*addr)
	if err != nil {
		return api.Fail(api.Usage, fmt.Sprintf("--%s %q is no address and port", flag, *addr), "such as :"+guestPort)
	}
	if !f.loopbackOnly || f.card != "" {
		return nil
	}
	if host == "" {
		*addr = "127.0.0.1" + *addr
	} else if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return api.Fail(api.Usage, "--"+flag+" and --loopback-only contradict each other", "leave one out")
	}
	return nil
}

// serveGuests runs the node with its guests.
func (a *app) serveGuests(ctx context.Context, s *station, f hubFlags, catalog *page.Catalog) error {
	log, err := a.logger()
	if err != nil {
		return err
	}
	l, at, err := f.listenGuests()
	if err != nil {
		return err
	}
	if l != nil {
		defer l.Close()
	}
	pages, err := fs.Sub(built, "web/built/page")
	if err != nil {
		return err
	}
	g, err := guest.New(guest.Config{
		Door: s.node, Reader: s.node, Around: s.node, Store: s.store, Mutes: s.mutes, Catalog: catalog,
		Hub: f.name, Port: int(at.Port()), URL: f.guestURL, Channels: f.channels, Forms: f.forms, Page: pages, Log: log, Came: s.node.GuestCame,
	})
	if err != nil {
		return api.Fail(api.Usage, err.Error(), "longear hub --help")
	}
	s.guests = g.Present
	beside := []func(context.Context) error{g.Run}
	if l != nil {
		beside = append(beside, func(ctx context.Context) error { return g.Serve(ctx, l) })
	}
	if f.wifi != "" {
		beside = append(beside, a.serveWifi(g, f.wifi, wifiPort(l, at), log))
		if f.wifiMake {
			beside = append(beside, f.makeWifi(log))
		}
	}
	if f.direct != "" {
		beside = append(beside, a.serveDirect(g, f.groups, wifiPort(l, at), log))
	}
	if f.portalListen != "" {
		p, err := net.Listen("tcp", f.portalListen)
		if err != nil {
			return api.Fail(api.Failed, fmt.Sprintf("phones cannot be answered at %s: %v", f.portalListen, err), "run with the right to bind it, or leave --portal-listen out")
		}
		defer p.Close()
		beside = append(beside, func(ctx context.Context) error { return g.Serve(ctx, p) })
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return a.runStation(ctx, s, f.api, beside...) })
	group.Go(func() error { return a.announceHub(f, at) })
	return group.Wait()
}

// announceHub tells the operator where guests find the hub.
func (a *app) announceHub(f hubFlags, at netip.AddrPort) error {
	url := f.openURL(at, "127.0.0.1")
	if a.json {
		return a.object(map[string]any{"type": "hub", "name": f.name, "url": url, "wifi": f.joinText()})
	}
	a.say("hub %s", f.name)
	if join := f.joinText(); join != "" {
		code, err := qr.Encode(join, qr.L)
		if err != nil {
			return err
		}
		a.say("1. join the Wi-Fi %s\n%s", safeText(f.wifiName), drawQR(code))
		a.say("2. open the page")
	}
	code, err := qr.Encode(url, qr.L)
	if err != nil {
		return err
	}
	a.say("page %s\n%s", url, drawQR(code))
	return nil
}

// openURL is the address that guests open. Without an address of its own a hub that listens everywhere has fallback.
func (f *hubFlags) openURL(at netip.AddrPort, fallback string) string {
	if f.guestURL != "" {
		return strings.TrimSuffix(f.guestURL, "/") + "/"
	}
	addr := at.Addr().Unmap()
	switch {
	case f.wifi != "" || f.direct != "":
		addr = hotspot.Addr()
	case addr.IsUnspecified():
		addr = bestAddr(fallback)
	}
	return "http://" + netip.AddrPortFrom(addr.WithZone(""), at.Port()).String() + "/"
}

// bestAddr is the address of this machine that guests are most likely to reach: that of hubs, else the first private one.
func bestAddr(fallback string) netip.Addr {
	best := netip.MustParseAddr(fallback)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return best
	}
	found := false
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() {
			continue
		}
		if p.Addr().String() == hotspot.Addr().String() {
			return p.Addr()
		}
		if !found && p.Addr().IsPrivate() {
			best, found = p.Addr(), true
		}
	}
	return best
}

// joinText is what the code for joining the Wi-Fi says: the form that phones' cameras know. "" without a Wi-Fi.
func (f *hubFlags) joinText() string {
	if f.wifiName == "" {
		return ""
	}
	escape := strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, `"`, `\"`, `:`, `\:`).Replace
	if f.wifiPassword == "" {
		return "WIFI:T:nopass;S:" + escape(f.wifiName) + ";;"
	}
	return "WIFI:T:WPA;S:" + escape(f.wifiName) + ";P:" + escape(f.wifiPassword) + ";;"
}

// writeCard writes a card to print.
func (a *app) writeCard(f hubFlags, catalog *page.Catalog) error {
	host, port, err := net.SplitHostPort(f.guestListen)
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if f.guestURL == "" && (err != nil || n == 0) {
		return api.Fail(api.Usage, "a card needs a port that stays", "give --guest-listen with one, or --guest-url")
	}
	addr := netip.IPv4Unspecified()
	if host != "" {
		if addr, err = netip.ParseAddr(host); err != nil {
			return api.Fail(api.Usage, fmt.Sprintf("--guest-listen %q is no address", f.guestListen), "such as :"+guestPort)
		}
	}
	card := page.Card{
		Words: catalog.Choose(f.lang, ""), Hub: f.name, SSID: f.wifiName, Password: f.wifiPassword,
		URL: f.openURL(netip.AddrPortFrom(addr, uint16(n)), hotspot.Addr().String()),
	}
	if card.Open, err = codeOf(card.URL); err != nil {
		return err
	}
	if join := f.joinText(); join != "" {
		if card.Join, err = codeOf(join); err != nil {
			return err
		}
	}
	if f.card == "-" {
		_, err := a.out.Write(card.Bytes())
		return err
	}
	if err := os.WriteFile(f.card, card.Bytes(), 0o644); err != nil {
		return err
	}
	if a.json {
		return a.object(map[string]any{"type": "card", "file": f.card, "url": card.URL})
	}
	a.say("wrote %s for %s: open it in a browser and print it", f.card, card.URL)
	return nil
}

// codeOf makes a QR code that can be read when a fifth of it is dirt: cards hang in the rain.
func codeOf(text string) (page.Code, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return page.Code{}, fmt.Errorf("make a code: %w", err)
	}
	return page.Code{Size: c.Size, Black: c.Black}, nil
}
