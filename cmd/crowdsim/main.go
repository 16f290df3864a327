// Crowdsim plays a story of a crowd: hundreds of real nodes in one process, in virtual time. It writes what came of the
// messages as text, as JSON and as a page with pictures and a replay.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"longear/test/crowd"
	"longear/test/crowd/report"
	"longear/test/crowd/story"
)

// The exit codes.
const (
	played = 0 // and all that the story expected held
	failed = 1 // the report says what did not hold
	wrong  = 2 // the story or the command line cannot be understood

	interrupted = 130 // by Ctrl-C, with a report of the part that was played
)

const usage = `Usage: crowdsim STORY.txt [flags]

Plays a story of a crowd of real nodes in virtual time and reports what came of the messages.
Exit codes: 0 all held, 1 something did not (the report says what), 2 the story or a flag is wrong, 130 Ctrl-C.
Ctrl-C ends the story early; the report is written all the same. A second one kills.

Flags:
`

// asked is the command line.
type asked struct {
	seed  uint64
	nodes int
	html  string
	json  bool
	quiet bool
	lang  bool
}

func main() {
	var a asked
	flags := pflag.NewFlagSet("crowdsim", pflag.ContinueOnError)
	flags.Uint64Var(&a.seed, "seed", 1, "decides identities, places, movement and who does what")
	flags.IntVar(&a.nodes, "nodes", 0, "play it with so many phones in place of the story's number")
	flags.StringVar(&a.html, "html", "", "write the report with its pictures to this `file`")
	flags.BoolVar(&a.json, "json", false, "print the report as JSON in place of text")
	flags.BoolVar(&a.quiet, "quiet", false, "no progress line")
	flags.BoolVar(&a.lang, "language", false, "print the language of stories and end")
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage, flags.FlagUsages()) }
	if err := flags.Parse(os.Args[1:]); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			os.Exit(played)
		}
		os.Exit(complain(err))
	}
	if a.lang {
		fmt.Print(story.Help())
		os.Exit(played)
	}
	if flags.NArg() != 1 {
		flags.Usage()
		os.Exit(wrong)
	}
	os.Exit(complain(play(flags.Arg(0), a)))
}

// play reads the story and becomes the run, which ends the process: it returns only why there is none.
func play(path string, a asked) error {
	watch := new(crowd.Watch)
	o := crowd.Options{Seed: a.seed, Watch: watch, Env: os.Getenv}
	s, err := crowd.Load(path, &o)
	if err != nil {
		return err
	}
	if a.nodes > 0 {
		if s, err = s.Scale(a.nodes); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, func() {
		watch.Cut.Store(true)
		stop() // a second Ctrl-C kills
	})
	wipe := func() {}
	if !a.quiet {
		wipe = progress(os.Stderr, watch)
	}
	crowd.Main(s, o, func(r *report.Report, err error) int {
		wipe()
		if err != nil {
			return complain(err)
		}
		if err := write(os.Stdout, r, a); err != nil {
			return complain(err)
		}
		switch {
		case r.Cut:
			return interrupted
		case len(r.Failed) > 0:
			return failed
		}
		return played
	})
	panic("the run has ended without ending the process")
}

func write(out io.Writer, r *report.Report, a asked) error {
	if a.html != "" {
		f, err := os.Create(a.html)
		if err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
		if err := errors.Join(r.HTML(f), f.Close()); err != nil {
			return fmt.Errorf("write the page: %w", err)
		}
	}
	if a.json {
		return r.JSON(out)
	}
	return r.Text(out)
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, "crowdsim:", err)
	return wrong
}
