package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) peersCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "peers",
		Short: "List the connected peers and how they were found",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.peers(cmd.Context()) },
	}
}

func (a *app) connectCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "connect ADDRESS",
		Short:   "Make the running node try an address, until it is connected",
		Example: "  longear connect 192.168.1.7",
		Args:    args(1, 1),
		RunE:    func(cmd *cobra.Command, words []string) error { return a.connect(cmd.Context(), words[0]) },
	}
}

func (a *app) peers(ctx context.Context) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	peers, err := c.Peers(ctx)
	if err != nil {
		return err
	}
	if len(peers) == 0 {
		a.say("no peer is connected")
		a.sayWifiDirect(ctx, c)
	}
	for _, p := range peers {
		if err := a.printPeer(p, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// sayWifiDirect says what the node does to find somebody where there is no network.
func (a *app) sayWifiDirect(ctx context.Context, c *api.Client) {
	s, err := c.Status(ctx)
	if err != nil {
		return // that there is no peer has been said
	}
	if f := wifiOf(&s); f != nil {
		a.say("by Wi-Fi Direct %s", safeText(f.Text))
		if f.Fix != "" {
			a.say("fix: %s", safeText(f.Fix))
		}
	}
}

func (a *app) printPeer(p api.PeerReport, now time.Time) error {
	if a.json {
		return a.object(p)
	}
	sync := "not synced yet"
	switch {
	case !p.LastSync.IsZero() && p.Equal:
		sync = "equal " + showSpan(now.Sub(p.LastSync)) + " ago"
	case !p.LastSync.IsZero():
		sync = "synced " + showSpan(now.Sub(p.LastSync)) + " ago"
	}
	return a.line("%s  by %-10s  for %-8s  took %d  gave %d  %s  %s", shortPeer(p.Peer.Peer), p.Via,
		showSpan(now.Sub(p.Since)), p.Took, p.Gave, sync, safeText(p.Addr))
}

func (a *app) connect(ctx context.Context, addr string) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Connect(ctx, addr); err != nil {
		return err
	}
	if a.json {
		return a.object(api.Done{Type: "done"})
	}
	a.say("%s", fmt.Sprintf("the node tries %s until it is connected: longear peers", safeText(addr)))
	return nil
}
