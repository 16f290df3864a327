package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
	"longear/protocol"
)

func (a *app) channelsCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "channels",
		Short: "List channels; make, join and leave sealed ones",
		Long: "List the channels that are known by name or were seen, with how many messages of each are here.\n" +
			"'#water' is public: everybody reads it. A name without # is a sealed channel, read by those who hold its key.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.channels(cmd.Context()) },
	}
	cmd.AddCommand(a.channelsNewCmd(), a.channelsJoinCmd(), &cobra.Command{
		Use:   "leave NAME",
		Short: "Forget a channel and its key",
		Args:  args(1, 1),
		RunE:  func(cmd *cobra.Command, words []string) error { return a.leaveChannel(cmd.Context(), words[0]) },
	})
	return cmd
}

func (a *app) channelsNewCmd() *cobra.Command {
	var file string
	var spoken bool
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a sealed channel and print what others need to join it",
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, words []string) error {
			return a.newChannel(cmd.Context(), words[0], file, spoken)
		},
	}
	cmd.Flags().StringVar(&file, "passphrase-file", "", "the passphrase is in this file (- is standard input)")
	cmd.Flags().BoolVar(&spoken, "spoken", false, "make a passphrase that can be read out, instead of a key")
	return cmd
}

func (a *app) channelsJoinCmd() *cobra.Command {
	var passphraseFile, keyFile string
	cmd := &cobra.Command{
		Use:   "join NAME",
		Short: "Hold the key of a sealed channel, or know a public one by name",
		Args:  args(1, 1),
		RunE: func(cmd *cobra.Command, words []string) (err error) {
			j := api.Join{Name: words[0]}
			if passphraseFile != "" {
				j.Passphrase, err = a.readSecret(passphraseFile)
			}
			if keyFile != "" && err == nil {
				j.Key, err = a.readSecret(keyFile)
			}
			if err != nil {
				return err
			}
			return a.joinChannel(cmd.Context(), j)
		},
	}
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "the passphrase is in this file (- is standard input)")
	cmd.Flags().StringVar(&keyFile, "key-file", "", "the key is in this file (- is standard input)")
	return cmd
}

func (a *app) channels(ctx context.Context) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		list, err := c.Channels(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			a.say("no channel yet: longear send '#all' 'hello'")
		}
		for _, ch := range list {
			if err := a.printChannel(ch); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *app) printChannel(c api.Channel) error {
	if a.json {
		return a.object(c)
	}
	name := c.Name
	if name == "" {
		name = "#?" + c.Tag[:8]
	}
	newest := ""
	if t, err := time.Parse(time.RFC3339, c.Newest); err == nil {
		newest = "newest dated " + t.Local().Format("2 Jan 15:04")
	}
	return a.line("%-20s  %-11s  %6d  %s", safeText(name), c.Kind, c.Messages, newest)
}

func (a *app) newChannel(ctx context.Context, name, file string, spoken bool) (err error) {
	j := api.Join{Name: name, New: true}
	switch {
	case file != "" && spoken:
		return api.Fail(api.Usage, "a passphrase is made or given, not both", "leave out --spoken or --passphrase-file")
	case spoken:
		j.Passphrase = protocol.NewPassphrase()
	case file != "":
		if j.Passphrase, err = a.readSecret(file); err != nil {
			return err
		}
	}
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		made, err := c.Join(ctx, j)
		if err != nil {
			return err
		}
		if spoken {
			made.Key = j.Passphrase
		}
		if a.json {
			return a.object(made)
		}
		if made.Key != "" {
			a.say("whoever has this reads and writes %s; hand it over in person:", made.Name)
			return a.line("%s", made.Key)
		}
		return nil
	})
}

func (a *app) joinChannel(ctx context.Context, j api.Join) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		joined, err := c.Join(ctx, j)
		if err != nil {
			return err
		}
		if a.json {
			return a.object(joined)
		}
		a.say("joined %s; its tag is %s for everybody who has the same key", joined.Name, joined.Tag[:8])
		return nil
	})
}

func (a *app) leaveChannel(ctx context.Context, name string) error {
	return a.withClient(ctx, func(c *api.Client, _ bool) error {
		if err := c.Leave(ctx, name); err != nil {
			return err
		}
		if a.json {
			return a.object(api.Done{Type: "done"})
		}
		a.say("left %s", safeText(name))
		return nil
	})
}
