package hotspot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// errGone ends a session whose interface is no longer there, up and with the address.
var errGone = errors.New("the interface is gone")

// again is how long Serve waits before it takes up an interface anew: somebody else who keeps taking our address away must not make
// this a fight.
const again = time.Second

// Serve serves an interface until ctx ends. It waits until the interface is up, and begins anew when it went and has come back. What
// cannot be mended by waiting is a *Trouble: no such interface at the start, no rights, a port that another program has.
func Serve(ctx context.Context, iface string, c Config) error {
	if c.Page == nil {
		return errors.New("hotspot: Page is required")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g, ctx := errgroup.WithContext(ctx)
	links, err := watchLinks()
	if err != nil {
		return fmt.Errorf("watch interfaces: %w", err)
	}
	h := &hotspot{iface: iface, cfg: c, links: links, leases: newLeases(time.Now, c.Kept)}
	g.Go(func() error { return links.run(ctx) })
	g.Go(func() error { return h.run(ctx) })
	return g.Wait()
}

// hotspot is one interface that is served.
type hotspot struct {
	iface  string
	cfg    Config
	links  *links
	leases *leases // outlives the interface: phones come back with what they had
	served bool    // owned by run; at least once
}

func (h *hotspot) run(ctx context.Context) error {
	if _, err := net.InterfaceByName(h.iface); err != nil {
		return noInterface(h.iface)
	}
	for {
		index, ok := h.awaitUp(ctx)
		if !ok {
			return nil
		}
		err := h.session(ctx, index)
		gone := errors.Is(err, errGone) || !h.isUp(index)
		switch {
		case ctx.Err() != nil && !gone:
			return err
		case err != nil && !gone && !h.served:
			return err
		case err != nil && !gone:
			// What has worked will work again: somebody took a port, or the system is short of something for a while.
			h.cfg.Log.Warn("an interface cannot be served for now", "interface", h.iface, "err", err)
		}
		pause := time.NewTimer(again)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// noInterface names those that there are.
func noInterface(name string) error {
	var names strings.Builder
	if all, err := net.Interfaces(); err == nil {
		for _, i := range all {
			if i.Flags&net.FlagLoopback == 0 {
				names.WriteString(" " + i.Name)
			}
		}
	}
	return &Trouble{What: fmt.Sprintf("there is no interface %q", name), Fix: "there are:" + names.String()}
}

// awaitUp waits until the interface is there and up, and returns its index: another one of the same name has another.
func (h *hotspot) awaitUp(ctx context.Context) (index int, ok bool) {
	waiting := false
	for {
		if ctx.Err() != nil {
			return 0, false
		}
		if i, err := net.InterfaceByName(h.iface); err == nil && i.Flags&net.FlagUp != 0 {
			return i.Index, true
		}
		if !waiting {
			waiting = true
			h.cfg.Log.Info("waiting for an interface to be up", "interface", h.iface)
		}
		select {
		case <-ctx.Done():
			return 0, false
		case <-h.links.changed:
		}
	}
}

// isUp reports whether the interface is still the one that it was, and up.
func (h *hotspot) isUp(index int) bool {
	i, err := net.InterfaceByName(h.iface)
	return err == nil && i.Index == index && i.Flags&net.FlagUp != 0
}

// hasAddr reports whether the interface has the hub's address.
func (h *hotspot) hasAddr() bool {
	i, err := net.InterfaceByName(h.iface)
	if err != nil {
		return false
	}
	addrs, err := i.Addrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(network().Addr().AsSlice()) {
			return true
		}
	}
	return false
}

// session serves the interface as long as it is there.
func (h *hotspot) session(ctx context.Context, index int) (err error) {
	if !h.hasAddr() {
		if err := addAddr(index); err != nil {
			return noAddr(h.iface, err)
		}
		defer func() { err = errors.Join(err, removeAddr(index)) }()
	}
	s, err := open(ctx, h.iface, h.cfg.PagePort)
	if err != nil {
		return err
	}
	defer s.close()
	h.served = true
	h.warnOfForwarding()
	if h.cfg.Changed != nil {
		h.cfg.Changed(true)
		defer func(ctx context.Context) {
			if ctx.Err() == nil {
				h.cfg.Changed(false)
			}
		}(ctx)
	}
	g, ctx := errgroup.WithContext(ctx)
	dhcp := &dhcpServer{pace: rate.NewLimiter(answerRate, answerBurst), leases: h.leases, now: time.Now, log: h.cfg.Log}
	g.Go(func() error { return dhcp.serve(ctx, s.dhcp) })
	g.Go(func() error { return serveDNS(ctx, s.dns) })
	g.Go(func() error { return serveDNSOverTCP(ctx, s.dnsTCP) })
	for _, l := range s.pages {
		g.Go(func() error { return h.cfg.Page(ctx, &heard{l, h.leases}) })
	}
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-h.links.changed:
				if !h.isUp(index) || !h.hasAddr() {
					return errGone
				}
			}
		}
	})
	return g.Wait()
}
