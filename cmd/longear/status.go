package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show how the running node is",
		Args:  args(0, 0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
}

// noVerb shows the running node or, without one, the way in.
func (a *app) noVerb(ctx context.Context) error {
	err := a.status(ctx)
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != api.NoNode || a.json {
		return err
	}
	return errors.Join(
		a.line("longear passes signed messages from device to device, with or without the internet."),
		a.line("Run a node:       longear relay"),
		a.line("Write a message:  longear send '#all' 'hello'        (more: longear --help)"),
	)
}

func (a *app) status(ctx context.Context) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.object(s)
	}
	return a.printStatus(s)
}

func (a *app) printStatus(s api.StatusReport) error {
	up := time.Duration(s.UpSeconds) * time.Second
	lines := []string{
		fmt.Sprintf("up %s   peers %d   messages %d (%s of %s)", showSpan(up), s.Peers, s.Messages, showBytes(s.Stored), showBytes(s.Quota)),
		fmt.Sprintf("came by   gossip %d   sync %d   here %d", s.Accepted["gossip"], s.Accepted["sync"], s.Accepted["this node"]+s.Accepted["carry file"]),
		fmt.Sprintf("refused   %d (forged or malformed)   not taken %s", s.Refused, showCounts(s.Verdicts)),
	}
	for _, r := range s.Discovery {
		line := fmt.Sprintf("%-11s %s", r.Rung, r.State)
		if r.Detail != "" {
			line += ", " + safeText(r.Detail)
		}
		if r.Found > 0 {
			line += fmt.Sprintf(", found %d", r.Found)
		}
		if r.Err != "" {
			line += ": " + safeText(r.Err)
		}
		if r.Fix != "" {
			line += "\n            fix: " + safeText(r.Fix)
		}
		lines = append(lines, line)
	}
	for _, t := range s.Trouble {
		lines = append(lines, a.alert("trouble")+"     "+safeText(t))
	}
	return a.line("%s", strings.Join(lines, "\n"))
}

// showCounts is the reasons that are nobody's fault, the rest being shown as refused.
func showCounts(verdicts map[string]uint64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(verdicts)) {
		if reason, ignored := strings.CutPrefix(name, "ignore: "); ignored {
			parts = append(parts, fmt.Sprintf("%s %d", reason, verdicts[name]))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}

// showSpan is a duration as people say it.
func showSpan(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
