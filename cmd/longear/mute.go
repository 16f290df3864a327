package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) muteCmd() *cobra.Command {
	var span time.Duration
	var ask api.Mute
	cmd := &cobra.Command{
		Use:   "mute [AUTHOR]",
		Short: "Do not hear an author; alone: list who is muted",
		Long: "Do not hear an author: nothing they write is shown or counted here, on the operator's page and on\n" +
			"a hub's board. It is still carried, so that others can hear them; pages on phones, which keep messages of\n" +
			"their own, fetch it by sync. With --drop this node does not carry it either: it lets go of what it keeps\n" +
			"of them and refuses the rest, whoever brings it. The author of a letter is inside: letters are hidden and carried.\n" +
			"AUTHOR is a key, a card, or 4 or more characters of a key that watch shows. The list stays on\n" +
			"this machine, and nobody is told. Whoever is muted can make another key.",
		Args: args(0, 1),
		RunE: func(cmd *cobra.Command, words []string) error {
			timed := cmd.Flags().Changed("for")
			if len(words) == 0 {
				if timed || ask.Drop {
					return api.Fail(api.Usage, "there is nobody to mute", "longear mute AUTHOR")
				}
				return a.listMutes(cmd.Context())
			}
			if timed && span < time.Second {
				return api.Fail(api.Usage, "--for is a second or more", "such as --for 24h, or leave it out: until longear unmute")
			}
			ask.For = int64(span / time.Second)
			return a.mute(cmd.Context(), words[0], ask)
		},
	}
	cmd.Flags().DurationVar(&span, "for", 0, "only for this long, such as 24h (default: until longear unmute)")
	cmd.Flags().BoolVar(&ask.Drop, "drop", false, "do not carry them either, and let go of what is kept of them")
	return cmd
}

func (a *app) unmuteCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "unmute AUTHOR",
		Short: "Hear an author again",
		Long: "Hear an author again. What was carried is shown again at once; what a node refused or let go because of\n" +
			"--drop comes back only from others who still have it.",
		Args: args(1, 1),
		RunE: func(cmd *cobra.Command, words []string) error { return a.unmute(cmd.Context(), words[0]) },
	}
}

func (a *app) listMutes(ctx context.Context) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		all, err := c.Mutes(ctx)
		if err != nil {
			return err
		}
		for _, m := range all {
			if a.json {
				err = a.object(m)
			} else {
				err = a.line("%s  %s", m.Author, howMuted(m))
			}
			if err != nil {
				return err
			}
		}
		if len(all) == 0 && !a.json {
			a.say("nobody is muted")
		}
		return nil
	})
}

func (a *app) mute(ctx context.Context, author string, ask api.Mute) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		m, err := c.Mute(ctx, author, ask)
		if err != nil {
			return err
		}
		if a.json {
			return a.object(m)
		}
		a.say("muted %s: %s. To hear them again: longear unmute %s", m.Author[:8], howMuted(m), m.Author[:8])
		return nil
	})
}

// howMuted says how strong a mute is, and how long it lasts.
func howMuted(m api.Muted) string {
	how := "not shown, still carried"
	if m.Drop {
		how = "not shown, not carried"
	}
	if t, err := time.Parse(time.RFC3339, m.Until); err == nil {
		how += ", until " + t.Local().Format("2 Jan 2006 15:04")
	}
	return how
}

func (a *app) unmute(ctx context.Context, author string) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		if err := c.Unmute(ctx, author); err != nil {
			return err
		}
		if a.json {
			return a.object(api.Done{Type: "done"})
		}
		a.say("unmuted: what they write is shown again")
		return nil
	})
}
