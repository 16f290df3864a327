package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"longear/node/api"
	"longear/node/api/guest"
	"longear/node/discovery"
	"longear/node/discovery/wifidirect"
	"longear/node/hotspot"
)

// A hub's group of Wi-Fi Direct is an access point that any phone can join: it has the same name at every start, so that a card on a wall
// stays true, and phones in it get an address, a name server and the page.

// groups tells who serves phones which group is up. Only the newest counts.
type groups struct{ now chan string }

func newGroups() *groups { return &groups{make(chan string, 1)} }

// set notes the interface of our own group, "" when it is gone.
func (g *groups) set(iface string) {
	for {
		select {
		case g.now <- iface:
			return
		case <-g.now: // nobody has taken up that one
		}
	}
}

func (g *groups) up(group wifidirect.Group) {
	if group.Owner && group.Local.IsValid() {
		g.set(group.Iface)
	}
}

func (g *groups) down(wifidirect.Group) { g.set("") }

// nameDirect gives the hub's group its lasting name, and shows it to guests as the Wi-Fi to join.
func (f *hubFlags) nameDirect(state string) error {
	if f.direct == "" {
		return nil
	}
	if f.wifi != "" || f.wifiName != "" || f.wifiPassword != "" {
		return api.Fail(api.Usage, "--wifi-direct makes the Wi-Fi that guests join, with a name and password of its own",
			"leave --wifi, --wifi-name and --wifi-password out")
	}
	file := filepath.Join(state, "wifi-direct-tag")
	b, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		b = []byte(wifidirect.NewTag())
		if err := errors.Join(os.MkdirAll(state, 0o700), os.WriteFile(file, b, 0o600)); err != nil {
			return fmt.Errorf("keep the name of the group: %w", err)
		}
	case err != nil:
		return fmt.Errorf("read the name of the group: %w", err)
	}
	f.directTag = strings.TrimSpace(string(b))
	f.wifiName = wifidirect.GroupName(f.directCircle, f.directTag)
	f.wifiPassword = wifidirect.Passphrase(f.directCircle, f.wifiName)
	return nil
}

// serveDirect serves phones in whichever group of ours is up. What keeps it from serving is said and no reason to stop: nodes do without.
func (a *app) serveDirect(g *guest.Server, groups *groups, port uint16, log *slog.Logger) func(context.Context) error {
	return func(ctx context.Context) error {
		for iface := ""; ; {
			serving, stop := context.WithCancel(ctx)
			var part errgroup.Group
			if iface != "" {
				part.Go(func() error {
					a.serveGroup(serving, g, iface, port, log)
					return nil
				})
			}
			select {
			case iface = <-groups.now:
			case <-ctx.Done():
			}
			stop()
			_ = part.Wait() // it has said what went wrong
			if ctx.Err() != nil {
				return nil
			}
		}
	}
}

// serveGroup serves one group. Its interface is not named in any log, so the hotspot gets none.
func (a *app) serveGroup(ctx context.Context, g *guest.Server, iface string, port uint16, log *slog.Logger) {
	err := hotspot.Serve(ctx, iface, hotspot.Config{
		Page: g.Serve, PagePort: port, Kept: filepath.Join(a.paths.State, "wifi-addresses"),
		Changed: func(up bool) {
			if up {
				a.say("wi-fi direct: phones are served")
			}
		},
	})
	if err == nil || ctx.Err() != nil {
		return
	}
	fix := ""
	if t, ok := errors.AsType[*hotspot.Trouble](err); ok {
		fix = discovery.Unnamed(t.Fix)
	}
	log.Warn("phones in the group cannot be served", "err", discovery.Unnamed(err.Error()), "fix", fix)
}
