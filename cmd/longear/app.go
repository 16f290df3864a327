package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"longear/node/api"
)

// app is one call of the program: its streams and the flags that every verb has.
type app struct {
	in       io.Reader
	out, err io.Writer // data; people

	home, socket     string
	json, quiet, yes bool
	color            string
	logAs, logLevel  string

	paths   paths
	started bool // the command line made sense: errors are not about usage any more
}

// The groups of verbs in the help.
const (
	groupTalk  = "talk"
	groupCarry = "carry"
	groupRun   = "run"
	groupYou   = "you"
	groupMore  = "more"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "longear",
		Short: "Pass signed messages from device to device, with or without the internet.",
		Long: "longear passes signed messages from device to device whenever two of them meet,\n" +
			"so that word spreads when the internet is cut, filtered or watched.",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return a.noVerb(cmd.Context()) },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.settle(cmd); err != nil {
				return err
			}
			if err := a.checkGlobals(); err != nil {
				return err
			}
			a.started = true
			return nil
		},
	}
	a.globalFlags(root)
	root.AddGroup(
		&cobra.Group{ID: groupTalk, Title: "Talk"},
		&cobra.Group{ID: groupCarry, Title: "Carry"},
		&cobra.Group{ID: groupRun, Title: "Run"},
		&cobra.Group{ID: groupYou, Title: "You"},
		&cobra.Group{ID: groupMore, Title: "More"},
	)
	root.SetHelpCommandGroupID(groupMore)
	root.SetCompletionCommandGroupID(groupMore)
	for group, cmds := range map[string][]*cobra.Command{
		groupTalk:  {a.sendCmd(), a.watchCmd(), a.respondCmd(), a.petitionCmd(), a.pollCmd(), a.saveCmd(), a.channelsCmd(), a.muteCmd(), a.unmuteCmd()},
		groupCarry: {a.carryCmd()},
		groupRun:   {a.relayCmd(), a.hubCmd(), a.statusCmd(), a.pageCmd(), a.peersCmd(), a.eventsCmd(), a.whyCmd(), a.connectCmd(), a.doctorCmd()},
		groupYou:   {a.keyCmd()},
		groupMore:  {a.configCmd(), a.versionCmd()},
	} {
		for _, cmd := range cmds {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	return root
}

func (a *app) globalFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.home, "home", "", "keep everything under this folder (default: XDG folders)")
	f.StringVar(&a.socket, "socket", "", "socket of the running node (default: longear.sock in the home or runtime folder)")
	f.BoolVar(&a.json, "json", false, "print JSON: one object, or one a line")
	f.BoolVar(&a.quiet, "quiet", false, "say nothing but data and errors")
	f.BoolVar(&a.yes, "yes", false, "do not ask, do it")
	f.StringVar(&a.color, "color", "auto", "colours: auto, always or never")
	f.StringVar(&a.logAs, "log", "text", "log as text or json")
	f.StringVar(&a.logLevel, "log-level", "warn", "log from debug, info, warn or error upwards")
	inFile(f, "json", "quiet", "color", "log", "log-level")
}

func (a *app) checkGlobals() error {
	if a.color != "auto" && a.color != "always" && a.color != "never" {
		return api.Fail(api.Usage, fmt.Sprintf("--color %q is unknown", a.color), "auto, always or never")
	}
	_, err := a.logger()
	return err
}

// logger is where a node reports to whoever runs it.
func (a *app) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return nil, api.Fail(api.Usage, fmt.Sprintf("--log-level %q is unknown", a.logLevel), "debug, info, warn or error")
	}
	opts := &slog.HandlerOptions{Level: level}
	switch a.logAs {
	case "text":
		return slog.New(slog.NewTextHandler(a.err, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(a.err, opts)), nil
	}
	return nil, api.Fail(api.Usage, fmt.Sprintf("--log %q is unknown", a.logAs), "text or json")
}

// object prints one JSON object on one line.
func (a *app) object(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// line prints a line of data for people.
func (a *app) line(format string, args ...any) error {
	_, err := fmt.Fprintf(a.out, format+"\n", args...)
	return err
}

// say tells a person something that is not data.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// colored reports whether output may be coloured: asked for, or a terminal that did not decline.
func (a *app) colored() bool {
	f, ok := a.out.(*os.File)
	return a.color == "always" || a.color == "auto" && os.Getenv("NO_COLOR") == "" && ok && isTerminal(f)
}

// dim is text in the background of attention, alert is text that must be seen.
func (a *app) dim(s string) string   { return a.paint("2", s) }
func (a *app) alert(s string) string { return a.paint("1;31", s) }

func (a *app) paint(style, s string) string {
	if !a.colored() || s == "" {
		return s
	}
	return "\x1b[" + style + "m" + s + "\x1b[0m"
}

// showFailure prints an error as the last line on standard error.
func (a *app) showFailure(e *api.Error) {
	if a.json {
		enc := json.NewEncoder(a.err)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(e)
		return
	}
	fmt.Fprintln(a.err, "longear:", safeText(e.What))
	if e.Fix != "" {
		fmt.Fprintln(a.err, "    fix:", safeText(e.Fix))
	}
}

// args makes a check of the number of arguments whose error shows the right use.
func args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) >= least && (most < 0 || len(got) <= most) {
			return nil
		}
		return api.Fail(api.Usage, fmt.Sprintf("%q takes other arguments than these %d", cmd.CommandPath(), len(got)), cmd.UseLine())
	}
}
