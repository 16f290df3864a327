package main

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"longear/node/api"
)

// watchFlags are the flags of watch.
type watchFlags struct {
	history  int
	noFollow bool
	receipts bool
	posts    bool
}

func (a *app) watchCmd() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch ['#CHANNEL' ...]",
		Short: "Show messages as they arrive",
		Long: "Show the newest messages and then those that arrive, of all channels or of some,\n" +
			"until Ctrl-C. The time is when a message set out, as counted by those who carried it.\n" +
			"Direct messages to you are shown under @. An answer to a message (longear respond) is a\n" +
			"line of its own that says what it answers. Counts are of keys, not of people. What is\n" +
			"sealed with a key you do not hold, or damaged, is only shown with --json.",
		Args: args(0, -1),
		RunE: func(cmd *cobra.Command, channels []string) error { return a.watch(cmd.Context(), f, channels) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.history, "history", 20, "how many old messages come first; -1 is all")
	flags.BoolVar(&f.noFollow, "no-follow", false, "end after the old messages")
	flags.BoolVar(&f.receipts, "receipts", false, "tell the authors of direct messages that you read them")
	flags.BoolVar(&f.posts, "no-responses", false, "leave answers out; what is answered still says how many there are")
	inFile(flags, "history", "receipts")
	return cmd
}

func (a *app) watch(ctx context.Context, f watchFlags, channels []string) error {
	if len(channels) == 0 {
		channels = []string{""}
	}
	show := func(c *api.Client, _ bool) error {
		var mu sync.Mutex // one message is printed at a time
		g, ctx := errgroup.WithContext(ctx)
		for _, channel := range channels {
			q := api.Watch{Channel: channel, History: f.history, Live: !f.noFollow, NoResponses: f.posts}
			g.Go(func() error { return a.follow(ctx, c, q, f.receipts, &mu) })
		}
		return g.Wait()
	}
	if f.noFollow { // the store itself can tell the past
		return a.withClient(ctx, show)
	}
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return show(c, true)
}

// follow prints one stream of messages.
func (a *app) follow(ctx context.Context, c *api.Client, q api.Watch, receipts bool, mu *sync.Mutex) error {
	for m, err := range c.Messages(ctx, q) {
		if err != nil {
			return err
		}
		if err := a.printMessage(m, mu); err != nil {
			return err
		}
		if receipts && m.Private && m.Card != "" && !m.Own {
			if err := c.Receipt(ctx, m.ID); err != nil {
				a.say("no receipt for %s: %v", m.ID[:8], err)
			}
		}
	}
	return nil
}

func (a *app) printMessage(m api.Message, mu *sync.Mutex) error {
	mu.Lock()
	defer mu.Unlock()
	if a.json {
		return a.object(m)
	}
	if m.Sealed || m.Damaged || m.Text == "" && m.Answer == nil && m.File == nil {
		return nil
	}
	return a.line("%s", a.oneLine(m, time.Now()))
}

// oneLine is a message on a terminal.
func (a *app) oneLine(m api.Message, now time.Time) string {
	parts := []string{a.dim(setOut(m, now)), channelName(m), a.dim(m.Author[:8])}
	if m.Class == "alert" {
		parts = append(parts, a.alert("ALERT"))
	}
	if m.Kind == "petition" || m.Kind == "poll" {
		parts = append(parts, strings.ToUpper(m.Kind))
	}
	if m.File != nil {
		parts = append(parts, fileLine(m.File), a.dim(m.ID[:8])) // the ID is what save takes
	}
	if m.Answer != nil {
		parts = append(parts, answerLine(m.Answer))
	} else if m.Text != "" {
		parts = append(parts, safeText(m.Text))
	}
	if m.Poll != nil {
		parts = append(parts, strings.Join(optionLines(m), "  "))
	}
	if count := tallyLine(m.Tally); count != "" {
		parts = append(parts, a.dim("["+count+"]"))
	}
	if m.Own {
		parts = append(parts, a.dim("("+m.Delivery+")"))
	}
	return strings.Join(parts, "  ")
}

// setOut is when a message set out by the count of its carriers, which nobody's clock can falsify by much.
func setOut(m api.Message, now time.Time) string {
	t := now.Add(-time.Duration(m.Age) * time.Second)
	if now.Sub(t) < 18*time.Hour {
		return t.Format("15:04")
	}
	return t.Format("2 Jan 15:04")
}

// channelName is the name of a channel, or the beginning of its tag when the name is not known here.
func channelName(m api.Message) string {
	if m.Channel == m.Tag {
		return "#?" + m.Tag[:8]
	}
	return safeText(m.Channel)
}
