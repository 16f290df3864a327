package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) eventsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "events",
		Short: "List what happened at the running node: who came, what was refused",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.events(cmd.Context()) },
	}
}

func (a *app) events(ctx context.Context) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	events, err := c.Events(ctx)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		a.say("nothing happened yet")
	}
	for _, e := range events {
		if a.json {
			err = a.object(e)
		} else {
			err = a.line("%s", eventText(e))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// eventText is an event on one line.
func eventText(e api.EventReport) string {
	parts := []string{e.Last.Local().Format(time.DateTime), fmt.Sprintf("%-11s", e.What)}
	if e.Peer != "" {
		parts = append(parts, e.Peer)
	}
	if e.Detail != "" {
		parts = append(parts, safeText(e.Detail))
	}
	if e.Count > 1 {
		parts = append(parts, fmt.Sprintf("(%d times)", e.Count))
	}
	return strings.Join(parts, "  ")
}
