package main

import (
	"os"
	"path/filepath"

	"longear/node/api"
)

// paths are the places of one installation. With --home everything lies under one folder; without it the XDG
// base directories say where.
type paths struct {
	Config string // config.toml
	State  string // identity.json, channels.json, muted.json, api-token
	Store  string // messages
	Socket string // where a running node listens for us
}

// findPaths never creates anything.
func findPaths(home, socket string) (paths, error) {
	p := paths{}
	if home != "" {
		abs, err := filepath.Abs(home)
		if err != nil {
			return paths{}, err
		}
		p = paths{
			Config: filepath.Join(abs, "config.toml"),
			State:  filepath.Join(abs, "state"),
			Socket: filepath.Join(abs, "longear.sock"),
		}
	} else {
		user, err := os.UserHomeDir()
		if err != nil && (os.Getenv("XDG_CONFIG_HOME") == "" || os.Getenv("XDG_STATE_HOME") == "") {
			return paths{}, api.Fail(api.Usage, "it is not known where your files lie: "+err.Error(), "give a folder with --home")
		}
		p.Config = filepath.Join(xdg("XDG_CONFIG_HOME", user, ".config"), "longear", "config.toml")
		p.State = filepath.Join(xdg("XDG_STATE_HOME", user, ".local", "state"), "longear")
		p.Socket = filepath.Join(p.State, "longear.sock")
		if run := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(run) {
			p.Socket = filepath.Join(run, "longear.sock")
		}
	}
	p.Store = filepath.Join(p.State, "store")
	if socket != "" {
		abs, err := filepath.Abs(socket)
		if err != nil {
			return paths{}, err
		}
		p.Socket = abs
	}
	return p, nil
}

// xdg is a base directory: the variable, if it is an absolute path as the standard demands, or its default.
func xdg(variable, user string, fallback ...string) string {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(append([]string{user}, fallback...)...)
}
