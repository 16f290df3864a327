// Longear passes signed messages between devices that meet, with nothing but the devices themselves.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"longear/node/api"
)

// interrupted is what a shell expects of a program that Ctrl-C ended.
const interrupted = 130

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal kills: whoever presses Ctrl-C twice means it.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program without the process around it. It returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{in: in, out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return interrupted
	}
	failure, ok := errors.AsType[*api.Error](err)
	switch {
	case ok:
	case !a.started: // cobra's own complaint about verbs, flags and arguments
		failure = api.Fail(api.Usage, strings.Join(strings.Fields(err.Error()), " "), "longear --help")
	default:
		failure = diagnose(err)
	}
	a.showFailure(failure)
	return int(failure.Code)
}
