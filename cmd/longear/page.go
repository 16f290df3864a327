package main

import (
	"context"
	"embed"
	"io/fs"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"longear/node/api"
)

func (a *app) pageCmd() *cobra.Command {
	open := false
	cmd := &cobra.Command{
		Use:   "page",
		Short: "Show the running node in a browser, for whoever runs it",
		Long: "Print the address of the operator's page: what the node does, and buttons for what these\n" +
			"verbs do. It is on this machine only, and the address holds a token: whoever has it has the\n" +
			"node, until the node stops. With --open the browser is started with it, and while that\n" +
			"lasts other users of this machine can see it among the programs that run.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.page(cmd.Context(), open) },
	}
	cmd.Flags().BoolVar(&open, "open", false, "open it in the browser (xdg-open) instead of printing it")
	return cmd
}

// page has the running node serve the operator's page.
func (a *app) page(ctx context.Context, open bool) error {
	c, err := a.client(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	at, err := c.Page(ctx)
	if err != nil {
		return err
	}
	if open {
		return a.browse(ctx, at.URL)
	}
	if a.json {
		return a.object(at)
	}
	return a.line("%s", at.URL)
}

// browseTime is how long xdg-open may take: it starts a browser and ends.
const browseTime = 20 * time.Second

// browse opens an address in the person's browser. It is not printed: it holds the token.
func (a *app) browse(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, browseTime)
	defer cancel()
	if err := exec.CommandContext(ctx, "xdg-open", url).Run(); err != nil {
		return api.Fail(api.Failed, "no browser could be opened: "+err.Error(), "open the address that longear page prints")
	}
	if a.json {
		return a.object(api.Done{Type: "done"})
	}
	a.say("opened the page in your browser")
	return nil
}

// operator is the built page, if `make web` built it; else there is a note alone.
//
//go:embed all:web/built/operator
var operator embed.FS

// openLoopback makes the API's listener on this machine. With an address it listens from the start, with the token of the state folder.
func (a *app) openLoopback(addr string) (*api.Loopback, error) {
	files, err := fs.Sub(operator, "web/built/operator")
	if err != nil {
		return nil, err
	}
	l := api.NewLoopback(files)
	if addr == "" {
		return l, nil
	}
	file := filepath.Join(a.paths.State, "api-token")
	token, err := api.Token(file)
	if err != nil {
		return nil, err
	}
	var at net.Addr
	if at, err = l.Listen(addr, token); err != nil {
		return nil, err
	}
	a.say("api http://%s/v1/ with the token in %s", at, file)
	return l, nil
}
