package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"longear/node/api"
)

// pathsReport is the answer of longear config paths --json.
type pathsReport struct {
	Type   string `json:"type"` // "paths"
	Config string `json:"config"`
	State  string `json:"state"`
	Store  string `json:"store"`
	Socket string `json:"socket"`
}

func (a *app) configCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show where things lie; check the settings",
		Long: "A setting has one name: the flag --store-max, the variable LONGEAR_STORE_MAX and the key\n" +
			"store-max in config.toml. The flag beats the variable, the variable the file.",
		Args: args(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:         "paths",
		Short:       "Print the files and folders in use",
		Args:        args(0, 0),
		Annotations: map[string]string{noFile: "yes"},
		RunE:        func(*cobra.Command, []string) error { return a.configPaths() },
	}, &cobra.Command{
		Use:         "check",
		Short:       "Check config.toml",
		Args:        args(0, 0),
		Annotations: map[string]string{noFile: "yes"},
		RunE:        func(*cobra.Command, []string) error { return a.configCheck() },
	})
	return cmd
}

func (a *app) configPaths() error {
	socket, err := api.SocketPath(a.paths.Socket)
	if err != nil {
		return err
	}
	if a.json {
		return a.object(pathsReport{"paths", a.paths.Config, a.paths.State, a.paths.Store, socket})
	}
	return errors.Join(
		a.line("config  %s", a.paths.Config),
		a.line("state   %s", a.paths.State),
		a.line("store   %s", a.paths.Store),
		a.line("socket  %s", socket),
	)
}

// configCheck tries the file on the flags of every command.
func (a *app) configCheck() error {
	settings, err := readSettings(a.paths.Config)
	if err != nil {
		return err
	}
	if err := a.tryEverywhere(settings); err != nil {
		return err
	}
	if a.json {
		return a.object(api.Done{Type: "done"})
	}
	if _, err := os.Stat(a.paths.Config); errors.Is(err, os.ErrNotExist) {
		a.say("there is no %s: everything is at its default", a.paths.Config)
		return nil
	}
	a.say("%s is fine: %d settings", a.paths.Config, len(settings))
	return nil
}

// tryEverywhere gives settings to the flags of every command, to see that each takes them.
func (a *app) tryEverywhere(settings map[string][]string) error {
	for _, cmd := range (&app{}).root().Commands() {
		cmd.InheritedFlags() // makes the command know the global flags
		if err := fromFile(cmd, settings, a.paths.Config); err != nil {
			return err
		}
	}
	return nil
}
