package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/node/api"
	"longear/store"
)

// station is an installation that this process has opened: its keys, its store and a node on top, running or not.
type station struct {
	identity store.Identity
	store    *store.Store
	node     *node.Node
	mutes    *store.Mutes
	desk     *api.Desk
	guests   func() int // phones that are here; nil: none are served
}

// openStation opens the installation. The store's lock keeps a second process out. The node's Store and Key are filled in.
func (a *app) openStation(keep store.Config, run node.Config) (*station, error) {
	log, err := a.logger()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(a.paths.State, 0o700); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	s := &station{}
	if s.identity, err = store.LoadIdentity(a.paths.State); err != nil {
		return nil, err
	}
	keep.Dir, keep.Log = a.paths.Store, log
	if s.store, err = store.Open(keep); err != nil {
		return nil, err
	}
	if err := s.furnish(a.paths, run); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// close closes the store. The process ends next, so it leaves to the system what takes longer than Close waits: all of it is on disk.
func (s *station) close() error {
	if err := s.store.Close(); !errors.Is(err, store.ErrUnfinished) {
		return err
	}
	return nil
}

// furnish puts the node, the desk and the API on an open store.
func (s *station) furnish(p paths, run node.Config) error {
	ring, err := store.OpenKeyring(p.State)
	if err != nil {
		return err
	}
	if s.mutes, err = store.OpenMutes(p.State, nil); err != nil {
		return err
	}
	run.Store, run.Key, run.Version, run.Mutes = s.store, s.identity.Author, version(), s.mutes
	if s.node, err = node.New(run); err != nil {
		return err
	}
	s.desk, err = api.NewDesk(api.DeskConfig{
		Key: s.identity.Author, Seal: s.identity.Seal, Keyring: ring,
		Letters: filepath.Join(p.State, "letters.json"),
	})
	return err
}

// serve makes the API of the station. c has what is there only while the node runs.
func (s *station) serve(c api.Config) (*api.Server, error) {
	c.Keeper, c.Reader, c.Store, c.Desk, c.Muter, c.Mutes = s.node, s.node, s.store, s.desk, s.node, s.mutes
	return api.New(c)
}

// client asks the running node. There must be one.
func (a *app) client(ctx context.Context) (*api.Client, error) {
	return api.Dial(ctx, a.paths.Socket)
}

// withClient runs a verb against the running node or, if there is none, against the store itself, by the same
// API served within this process. running tells which.
func (a *app) withClient(ctx context.Context, do func(c *api.Client, running bool) error) error {
	c, err := a.client(ctx)
	if err == nil {
		defer c.Close()
		return do(c, true)
	}
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != api.NoNode {
		return err
	}
	s, err := a.openStation(store.Config{Profile: store.Phone}, node.Config{})
	if err != nil {
		return err
	}
	return errors.Join(s.serveItself(ctx, do), s.close())
}

// serveItself serves the API to one client in this process while do runs.
func (s *station) serveItself(ctx context.Context, do func(c *api.Client, running bool) error) error {
	server, err := s.serve(api.Config{})
	if err != nil {
		return err
	}
	c, l := api.Direct()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error { return api.Serve(serving, l, server.Handler()) })
	err = do(c, false)
	c.Close()
	stop()
	return errors.Join(err, g.Wait())
}

// diagnose turns an error from below into one with a code and a fix.
func diagnose(err error) *api.Error {
	switch {
	case errors.Is(err, store.ErrLocked):
		return api.Fail(api.StoreFull, "another program has the store open", "wait for it, or find the running node: longear status")
	case errors.Is(err, store.ErrNoSpace):
		return api.Fail(api.StoreFull, err.Error(), "free some disk space")
	case errors.Is(err, store.ErrNotFound):
		return api.Fail(api.NotFound, err.Error(), "")
	case errors.Is(err, os.ErrPermission):
		return api.Fail(api.Failed, err.Error(), "give the folder to your user, or choose another with --home")
	}
	return api.Fail(api.Failed, err.Error(), "longear doctor may know more")
}
