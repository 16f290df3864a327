package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"longear/node/api"
	"longear/protocol"
)

// sendFlags are the flags of send, and of what else writes a message.
type sendFlags struct {
	channel      string // of what takes it as a flag
	to           string
	alert, local bool
	lifetime     time.Duration
	stamp        int
	wait         time.Duration
	parents      []string
	file         fileFlags
}

// defaultWait is how long send --wait waits.
const defaultWait = 30 * time.Second

func (a *app) sendCmd() *cobra.Command {
	var f sendFlags
	cmd := &cobra.Command{
		Use:   "send '#CHANNEL'|@CARD TEXT|- [--file PHOTO]",
		Short: "Write a message and let it travel",
		Long: "Write a message to a public channel ('#water', with the quotes), to a sealed channel\n" +
			"whose key is held here (water) or to a person (@CARD). The new message's ID is\n" +
			"printed alone. With - the text is read from standard input. With --file a photo or any\n" +
			"other file of up to 4 MiB goes along, and the text is its caption or left out. A photo that\n" +
			"says where, when or with what it was taken is refused until you decide: --strip or --keep-exif.",
		Example: "  longear send '#water' 'clean water at gate 4'\n  longear send --alert --lifetime 2h '#all' 'north gate is closed'\n  longear send '#all' --file queue.jpg --strip 'the queue at gate 4'",
		Args:    args(1, -1),
		RunE:    func(cmd *cobra.Command, words []string) error { return a.send(cmd.Context(), f, words) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "write to the owner of this card instead of a channel")
	flags.BoolVar(&f.alert, "alert", false, "carry it before everything else")
	f.travelFlags(flags)
	flags.StringArrayVar(&f.parents, "answers", nil, "ID of a message this one answers; repeat for more")
	flags.StringVar(&f.file.path, "file", "", "send this photo or file; the text is its caption")
	flags.BoolVar(&f.file.strip, "strip", false, "take out of the photo what says where, when and with what it was taken")
	flags.BoolVar(&f.file.keep, "keep-exif", false, "send the photo with all it says about itself")
	return cmd
}

// travelFlags are those that say how a message travels.
func (f *sendFlags) travelFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&f.lifetime, "lifetime", 0, "how long it lives, up to 336h (default 168h)")
	flags.IntVar(&f.stamp, "stamp", 0, "put this many bits of work into it, so that crowded nodes keep it longer")
	flags.DurationVar(&f.wait, "wait", 0, "wait this long until somebody carries it; --wait alone is 30s")
	flags.Lookup("wait").NoOptDefVal = defaultWait.String()
	flags.BoolVar(&f.local, "local-only", false, "never let it leave over a link that is not local")
}

// channelFlag is the channel of what does not take it as its first word.
func (f *sendFlags) channelFlag(flags *pflag.FlagSet) {
	flags.StringVar(&f.channel, "channel", defaultChannel, "where it is posted; a name without # is a sealed channel")
}

func (a *app) send(ctx context.Context, f sendFlags, words []string) error {
	p, err := a.compose(f, words)
	if err != nil {
		return err
	}
	post := posting(ctx, p)
	if f.file.path != "" {
		file, err := a.attach(f.file, p)
		if err != nil {
			return err
		}
		post = func(c *api.Client) (api.Message, error) { return c.SendFile(ctx, file) }
	}
	return a.deliver(ctx, post, f.wait)
}

// posting is what deliver does for a message without a file.
func posting(ctx context.Context, p api.Post) func(*api.Client) (api.Message, error) {
	return func(c *api.Client) (api.Message, error) { return c.Post(ctx, p) }
}

// deliver hands a message to the node and says how far it came, after waiting for somebody to carry it if that is wanted.
func (a *app) deliver(ctx context.Context, post func(*api.Client) (api.Message, error), wait time.Duration) error {
	return a.withClient(ctx, func(c *api.Client, running bool) error {
		m, err := post(c)
		if err != nil {
			return err
		}
		if wait > 0 && running {
			m.Delivery, err = awaitCarrier(ctx, c, m.ID, wait)
		}
		if a.json {
			err = errors.Join(err, a.object(m))
		} else {
			err = errors.Join(err, a.line("%s", m.ID))
		}
		switch {
		case err != nil:
			return err
		case !running:
			a.say("kept here: no node is running, so it travels from the next start of longear relay")
		default:
			a.say("%s", m.Delivery)
		}
		if wait > 0 && !carried(m.Delivery) {
			return api.Fail(api.Uncarried, "kept here, nobody reached yet", "it stays and goes to whoever comes: longear why "+m.ID[:8])
		}
		return nil
	})
}

// compose reads the message from the command line, or its text from standard input.
func (a *app) compose(f sendFlags, words []string) (api.Post, error) {
	p := api.Post{Alert: f.alert, Lifetime: int64(f.lifetime / time.Second), Stamp: f.stamp, Local: f.local, Parents: f.parents}
	if f.lifetime != 0 && f.lifetime < time.Second || f.lifetime > protocol.MaxLifetime {
		return p, api.Fail(api.Usage, fmt.Sprintf("a lifetime of %v", f.lifetime), fmt.Sprintf("from 1s to %v", protocol.MaxLifetime))
	}
	switch card, isCard := strings.CutPrefix(words[0], "@"); {
	case f.to != "":
		p.To = strings.TrimPrefix(f.to, "@")
	case isCard:
		p.To, words = card, words[1:]
	default:
		p.Channel, words = words[0], words[1:]
	}
	if f.file.path == "" && (f.file.strip || f.file.keep) {
		return p, api.Fail(api.Usage, "--strip and --keep-exif are about a photo", "name it with --file")
	}
	if len(words) == 0 && f.file.path != "" {
		return p, nil
	}
	if len(words) == 0 {
		return p, api.Fail(api.Usage, "there is no text", "give it after the channel, in quotes, or - for standard input")
	}
	p.Text = strings.Join(words, " ")
	if p.Text != "-" {
		return p, nil
	}
	b, err := io.ReadAll(io.LimitReader(a.in, protocol.MaxBody+2))
	if err != nil {
		return p, fmt.Errorf("read the text: %w", err)
	}
	p.Text = strings.TrimSuffix(string(b), "\n")
	return p, nil
}

// carried reads the words of delivery: anybody but us has it.
func carried(delivery string) bool {
	return delivery == "seen" || strings.HasPrefix(delivery, "carried by ")
}

// awaitCarrier waits until somebody has the message, and returns how far it came.
func awaitCarrier(ctx context.Context, c *api.Client, id string, most time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	delivery := "kept here"
	for {
		report, err := c.Life(ctx, id)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return delivery, nil
		case err != nil:
			return delivery, err
		}
		if delivery = report.Life.State; carried(delivery) {
			return delivery, nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return delivery, ctx.Err()
			}
			return delivery, nil
		case <-tick.C:
		}
	}
}
