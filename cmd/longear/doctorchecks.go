package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"longear/node"
	"longear/node/api"
	"longear/node/discovery"
	"longear/store"
)

// checkNode asks the node that runs, if one does.
func checkNode(s *api.StatusReport, err error) []api.Finding {
	if s == nil {
		if e, known := errors.AsType[*api.Error](err); known && e.Code == api.NoNode {
			return []api.Finding{ok("none is running; start one with longear relay")}
		}
		return []api.Finding{fail("stop it and start it again", "the node does not answer: %v", err)}
	}
	found := []api.Finding{ok("running for %s with %d peers", showSpan(time.Duration(s.UpSeconds)*time.Second), s.Peers)}
	if s.Version != version() {
		found = append(found, warn("restart the node", "the node is %s, this program %s", s.Version, version()))
	}
	for _, t := range s.Trouble {
		found = append(found, fail("see the text", "%s", t))
	}
	for _, r := range s.Discovery {
		if r.Err != "" {
			found = append(found, warn(cmp.Or(r.Fix, "longear status shows whether it goes on"), "finding peers by %s: %s", r.Rung, r.Err))
		}
	}
	return found
}

func (a *app) checkSettings() []api.Finding {
	settings, err := readSettings(a.paths.Config)
	if err == nil {
		err = a.tryEverywhere(settings)
	}
	if e, bad := errors.AsType[*api.Error](err); bad {
		return []api.Finding{fail(e.Fix, "%s", e.What)}
	}
	if err != nil {
		return []api.Finding{fail("make it readable", "%v", err)}
	}
	return []api.Finding{ok("%s, %d settings", a.paths.Config, len(settings))}
}

// checkKey looks at the files that nobody else may read.
func checkKey(dir string) []api.Finding {
	path := filepath.Join(dir, "identity.json")
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return []api.Finding{ok("none yet; made at first use")}
	}
	if err != nil {
		return []api.Finding{fail("run doctor as the user who owns it", "%v", err)}
	}
	if info.Mode().Perm()&0o077 != 0 {
		return []api.Finding{fail("chmod 600 "+path, "others can read %s: mode %v", path, info.Mode().Perm())}
	}
	if _, err := store.LoadIdentity(dir); err != nil {
		return []api.Finding{fail("longear key restore FILE --yes, from a backup", "%v", err)}
	}
	if _, err := store.OpenKeyring(dir); err != nil {
		return []api.Finding{fail("move it away and join the channels again", "%v", err)}
	}
	found := []api.Finding{ok("%s, for you alone", path)}
	if dirInfo, err := os.Stat(dir); err == nil && dirInfo.Mode().Perm()&0o077 != 0 {
		found = append(found, warn("chmod 700 "+dir, "others can look into %s", dir))
	}
	return found
}

// earliest is a time that every right clock has passed: when this was written.
var earliest = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// checkClock only warns: no rule of the protocol reads a clock, but people read times.
func checkClock() []api.Finding {
	now := time.Now()
	if now.Before(earliest) || now.After(earliest.AddDate(30, 0, 0)) {
		return []api.Finding{warn("set the clock: messages are safe, but yours will carry this date", "the clock says %s", now.Format("2 Jan 2006 15:04"))}
	}
	return []api.Finding{ok("%s", now.Format("2 Jan 2006 15:04 MST"))}
}

// The disk space under which a node refuses to keep more, and under which it soon may.
const (
	diskFail = 64 << 20
	diskWarn = 512 << 20
)

func checkDisk(dir string) []api.Finding {
	// The folder may not exist yet: its nearest parent is on the same disk.
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, err := freeSpace(dir)
	switch {
	case err != nil:
		return []api.Finding{warn("", "the free space in %s is not known: %v", dir, err)}
	case free < diskFail:
		return []api.Finding{fail("delete something; nothing more is kept until then", "%s free in %s", showBytes(free), dir)}
	case free < diskWarn:
		return []api.Finding{warn("delete something, or keep less with store-max", "%s free in %s", showBytes(free), dir)}
	}
	return []api.Finding{ok("%s free in %s", showBytes(free), dir)}
}

// checkStore asks the node for its store, or opens the store itself when no node has it.
func (a *app) checkStore(s *api.StatusReport) []api.Finding {
	if s != nil {
		return []api.Finding{roomOf(s.Messages, s.Stored, s.Quota)}
	}
	if _, err := os.Stat(a.paths.Store); errors.Is(err, os.ErrNotExist) {
		return []api.Finding{ok("none yet; made at first use")}
	}
	kept, err := store.Open(store.Config{Dir: a.paths.Store, Profile: store.Phone})
	if errors.Is(err, store.ErrLocked) {
		return []api.Finding{fail("find the program that has it: a node with another --socket?", "%v", err)}
	}
	if err != nil {
		return []api.Finding{fail("", "it does not open: %v", err)}
	}
	st := kept.Stats()
	found := []api.Finding{roomOf(st.Messages, st.Bytes, st.Quota)}
	if st.Corrupt > 0 {
		found = append(found, warn("look at the disk; peers give back what was lost", "%d messages were damaged on disk", st.Corrupt))
	}
	if st.Quarantined != "" {
		found = append(found, warn("delete it when nothing in it is needed", "a damaged store was moved to %s", st.Quarantined))
	}
	if err := kept.Close(); err != nil {
		found = append(found, fail("look at the disk", "%v", err))
	}
	return found
}

func roomOf(messages, bytes, quota int64) api.Finding {
	text := fmt.Sprintf("%d messages, %s of %s", messages, showBytes(bytes), showBytes(quota))
	if bytes > quota/10*9 {
		return warn("store-max, if there is disk for more", "%s: old ones make room for new ones", text)
	}
	return ok("%s", text)
}

func checkInterfaces() []api.Finding {
	all, err := net.Interfaces()
	if err != nil {
		return []api.Finding{fail("", "the interfaces cannot be listed: %v", err)}
	}
	var usable []string
	for _, i := range all {
		addrs, err := i.Addrs()
		if err == nil && len(addrs) > 0 && i.Flags&net.FlagUp != 0 && i.Flags&net.FlagLoopback == 0 {
			usable = append(usable, i.Name)
		}
	}
	if len(usable) == 0 {
		return []api.Finding{warn("join a Wi-Fi, plug a cable in, or open a hotspot", "no interface has an address")}
	}
	return []api.Finding{ok("%s", strings.Join(usable, ", "))}
}

// checkPorts tries the two fixed ports. Neither must be free: there are fallbacks.
func checkPorts(running bool) []api.Finding {
	if running {
		return []api.Finding{ok("the node has them")}
	}
	l, err := net.Listen("tcp", fmt.Sprintf(":%d", node.Port))
	if err != nil {
		return []api.Finding{warn("nothing, unless a firewall rule names the port: another one is taken", "TCP port %d is in use", node.Port)}
	}
	l.Close()
	return []api.Finding{ok("TCP %d is free; beacons use UDP %d", node.Port, discovery.BeaconPort)}
}
