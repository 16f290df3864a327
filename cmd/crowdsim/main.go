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
	wrong  = 2 // the story or the command line cannot be understood, or played
	lost   = 3 // what came of it cannot be written

	interrupted = 130 // by Ctrl-C, with a report of the part that was played
)

const usage = `Usage: crowdsim STORY.txt [flags]

Plays a story of a crowd of real nodes in virtual time and reports what came of the messages.
Exit codes: 0 all held, 1 something did not (the report says what), 2 the story or a flag is wrong, 3 the report cannot be
written, 130 Ctrl-C. Ctrl-C ends the story early; the report is written all the same. A second one kills.

--json prints one object. Durations (virtual, real, cpu, latency, at, after ...) are in nanoseconds, sizes in bytes, shares
between 0 and 1, lengths in metres, but places of nodes in decimetres. failed lists what did not hold; of the expected
expectations looked_at were looked at. test/crowd/report/report.go says what each name holds. Progress goes to standard error.

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
	switch err := flags.Parse(os.Args[1:]); {
	case errors.Is(err, pflag.ErrHelp):
		os.Exit(played)
	case err != nil:
		os.Exit(complain(fmt.Errorf("%w; crowdsim --help tells the flags", err), wrong))
	case a.lang:
		fmt.Print(story.Help())
		os.Exit(played)
	}
	if err := sense(flags, a); err != nil {
		os.Exit(complain(err, wrong))
	}
	os.Exit(play(flags.Arg(0), a))
}

// sense says what is wrong with a command line that could be read.
func sense(flags *pflag.FlagSet, a asked) error {
	if flags.Changed("nodes") && a.nodes < 1 {
		return fmt.Errorf("--nodes %d: say 1 or more, or leave it out to play the story's own number", a.nodes)
	}
	if flags.Changed("html") && a.html == "" {
		return errors.New("--html: name the file to write, as in --html out.html")
	}
	switch n := flags.NArg(); {
	case n == 0:
		return errors.New("name a story, as in crowdsim STORY.txt; crowdsim --help tells more, and test/crowd/testdata has stories")
	case n > 1:
		return fmt.Errorf("one story at a time: %q is one too many", flags.Arg(1))
	}
	return nil
}

// play reads the story and becomes the run, which ends the process: it returns only if there is none.
func play(path string, a asked) (code int) {
	watch := new(crowd.Watch)
	o := crowd.Options{Seed: a.seed, Watch: watch, Env: os.Getenv}
	s, err := crowd.Load(path, &o)
	if err != nil {
		return complain(err, wrong)
	}
	if a.nodes > 0 {
		if s, err = s.Scale(a.nodes); err != nil {
			return complain(err, wrong)
		}
	}
	if err := writable(a.html); err != nil { // said now, and not when the run is over
		return complain(err, lost)
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
			return complain(err, wrong)
		}
		if err := write(os.Stdout, r, a); err != nil {
			return complain(err, lost)
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

// write writes all that was asked for: what cannot be written takes nothing else with it.
func write(out io.Writer, r *report.Report, a asked) error {
	print := r.Text
	if a.json {
		print = r.JSON
	}
	return errors.Join(writePage(a.html, r), print(out))
}

func writePage(path string, r *report.Report) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(r.HTML(f), f.Close())
	}
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// writable says why a page could not be written, if it is known already. A page that is there stays as it is.
func writable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return fmt.Errorf("the page cannot be written: %w; choose another --html", err)
	}
	return f.Close()
}

func complain(err error, code int) int {
	fmt.Fprintln(os.Stderr, "crowdsim:", err)
	return code
}
